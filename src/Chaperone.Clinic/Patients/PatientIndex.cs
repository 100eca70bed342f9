using System.Buffers.Binary;
using Chaperone.Encryption;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;

namespace Chaperone.Clinic.Patients;

/// <summary>
/// The blind indexes of the register. Odd numbers are unique in the clinic (db/0001_platform.sql). Each has a key of its own, so that equal tokens of two indexes tell nothing.
/// </summary>
internal sealed class PatientIndex(BlindIndexKey names, BlindIndexKey births, BlindIndexKey nhsNumbers, BlindIndexKey phones, BlindIndexKey emails, BlindIndexKey persons, BlindIndexKey externalIds)
{
    /// <summary>Words of given, family and previous names, and their beginnings.</summary>
    public const short Name = 10;

    /// <summary>NHS number.</summary>
    public const short NhsNumber = 11;

    /// <summary>Date of birth.</summary>
    public const short Birth = 12;

    /// <summary>Telephone and mobile.</summary>
    public const short Phone = 14;

    /// <summary>Email address.</summary>
    public const short Email = 16;

    /// <summary>Family name, first given name and date of birth together: likely duplicates in one look.</summary>
    public const short Person = 18;

    public BlindIndexKey Names => names;

    public static async Task<PatientIndex> LoadAsync(OperationScope scope, CancellationToken cancel) => new(
        await scope.BlindIndex("patient.name", cancel), await scope.BlindIndex("patient.birth", cancel), await scope.BlindIndex("patient.nhs_number", cancel),
        await scope.BlindIndex("patient.phone", cancel), await scope.BlindIndex("patient.email", cancel), await scope.BlindIndex("patient.person", cancel),
        await scope.BlindIndex("patient.external_id", cancel));

    public byte[] NhsNumberToken(string digits) => nhsNumbers.Exact(digits);

    public byte[] BirthToken(DateOnly date) => births.Exact(Normaliser.Date(date));

    public byte[]? PhoneToken(string number) => Normaliser.Phone(number) is { Length: > 0 } digits ? phones.Exact(digits) : null;

    public byte[]? EmailToken(string address) => Normaliser.Email(address) is { Length: > 0 } email ? emails.Exact(email) : null;

    public byte[] ExternalIdToken(ExternalId id) => externalIds.Exact(id.Value);

    /// <summary>One token per family name somebody has or had.</summary>
    public IEnumerable<byte[]> PersonTokens(PersonDetails details)
    {
        if (details.DateOfBirth is not { } born) return [];
        var given = Normaliser.Name(details.GivenNames ?? "").Split(' ')[0];
        return new[] { details.FamilyName, details.PreviousName }.OfType<string>().Select(Normaliser.Name).Where(family => family.Length > 0).Distinct(StringComparer.Ordinal)
            .Select(family => persons.Exact($"{family}\n{given}\n{Normaliser.Date(born)}"));
    }

    /// <summary>Every token of one patient, none twice.</summary>
    public List<BlindIndexRow> TokensFor(Guid tenant, Guid id, PersonDetails details)
    {
        var tokens = new List<BlindIndexRow>(32);
        var nameTokens = new HashSet<ulong>();
        foreach (var name in new[] { details.FamilyName, details.GivenNames, details.PreviousName }.OfType<string>())
            foreach (var token in names.NameTokens(name))
                if (nameTokens.Add(BinaryPrimitives.ReadUInt64BigEndian(token))) Keep(Name, token);
        if (details.DateOfBirth is { } born) Keep(Birth, BirthToken(born));
        if (details.NhsNumber is { } number) Keep(NhsNumber, NhsNumberToken(number));
        foreach (var phone in new[] { details.Phone, details.Mobile }.OfType<string>().Select(Normaliser.Phone).Where(digits => digits.Length > 0).Distinct(StringComparer.Ordinal)) Keep(Phone, phones.Exact(phone));
        if (details.Email is { } email) Keep(Email, EmailToken(email));
        foreach (var token in PersonTokens(details)) Keep(Person, token);
        return tokens;

        void Keep(short index, byte[]? token)
        {
            if (token is not null) tokens.Add(new() { TenantId = tenant, IndexId = index, Token = token, RowId = id });
        }
    }
}
