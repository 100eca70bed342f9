using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Encryption;
using Chaperone.Platform.Sealing;

namespace Chaperone.Clinic.Patients;

/// <summary>Who a patient is and how they are reached: everything personal the register keeps of them, sealed as one payload. No clinical content.</summary>
/// <remarks>
/// Immutable. Any text is legal that is not a control character: markup, right-to-left scripts and emoji are names too, and pages show them as text.
/// The generated deserialiser gives init properties that a document lacks null, whatever their initialiser says: so those that are never null say it in their getter.
/// Take input through <see cref="Tidied"/>, then <see cref="PersonRules.Validate"/>; only what passed both is stored.
/// </remarks>
public sealed record PersonDetails : ISealedPayload<PersonDetails>
{
    private static readonly IReadOnlyDictionary<string, string> NoOther = new Dictionary<string, string>();

    /// <summary>Version of this document's shape.</summary>
    public int Schema { get; init; } = 1;

    /// <summary>Title: "Mrs".</summary>
    public string? Prefix { get; init; }

    /// <summary>Given names, in order; null for people with a single name, which then is the family name.</summary>
    public string? GivenNames { get; init; }

    /// <summary>Family name.</summary>
    public string FamilyName { get => field ?? ""; init; }

    /// <summary>What follows the name: "Jr", "PhD".</summary>
    public string? Suffix { get; init; }

    /// <summary>Family name before, such as the maiden name; found like the present one.</summary>
    public string? PreviousName { get; init; }

    /// <summary>Date of birth; null only when <see cref="DateOfBirthUnknown"/>.</summary>
    public DateOnly? DateOfBirth { get; init; }

    /// <summary>Somebody asked, and it is not known.</summary>
    public bool DateOfBirthUnknown { get; init; }

    /// <summary>Date of death.</summary>
    public DateOnly? DateOfDeath { get; init; }

    /// <summary>Administrative gender, a code of <see cref="PersonCodes.Genders"/>.</summary>
    public string Gender { get => field ?? "unknown"; init; }

    /// <summary>NHS number: ten digits with a valid check digit. No two patients of a clinic have the same.</summary>
    public string? NhsNumber { get; init; }

    /// <summary>Other numbers people are known by.</summary>
    public IReadOnlyList<PersonIdentifier> Identifiers { get => field ?? []; init; }

    /// <summary>Telephone.</summary>
    public string? Phone { get; init; }

    /// <summary>Mobile telephone.</summary>
    public string? Mobile { get; init; }

    /// <summary>Email address.</summary>
    public string? Email { get; init; }

    /// <summary>Postal address; null when nothing of it is known.</summary>
    public PostalAddress? Address { get; init; }

    /// <summary>Marital status, a code of <see cref="PersonCodes.MaritalStatuses"/>.</summary>
    public string? MaritalStatus { get; init; }

    /// <summary>Ethnicity as the patient describes it.</summary>
    public string? Ethnicity { get; init; }

    /// <summary>Race, where the record comes from a system that keeps it.</summary>
    public string? Race { get; init; }

    /// <summary>Place of birth.</summary>
    public string? BirthPlace { get; init; }

    /// <summary>What an import brought along that has no field of its own: column to value. Shown, exported, and kept through edits.</summary>
    public IReadOnlyDictionary<string, string> Other { get => field ?? NoOther; init; }

    /// <summary>Ids of this person in other systems; never typed, set by imports.</summary>
    public IReadOnlyList<ExternalId> ExternalIds { get => field ?? []; init; }

    /// <summary>Why the record is archived; null while it is not.</summary>
    public Archiving? Archiving { get; init; }

    /// <summary>Dates that were typed and are none, by the field's name: never stored, refused by <see cref="PersonRules.Validate"/>.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Unreadable { get => field ?? []; init; }

    /// <inheritdoc />
    public static JsonTypeInfo<PersonDetails> Json => PersonJson.Default.PersonDetails;

    /// <summary>The same with surrounding space removed, empty texts as null and the NHS number as digits. What is not one is left for <see cref="PersonRules.Validate"/> to refuse.</summary>
    public PersonDetails Tidied() => this with
    {
        Prefix = Tidy(Prefix),
        GivenNames = Tidy(GivenNames),
        FamilyName = Tidy(FamilyName) ?? "",
        Suffix = Tidy(Suffix),
        PreviousName = Tidy(PreviousName),
        DateOfBirthUnknown = DateOfBirth is null && DateOfBirthUnknown,
        Gender = Tidy(Gender) ?? "unknown",
        NhsNumber = Tidy(NhsNumber) is not { } number ? null : number.All(c => char.IsAsciiDigit(c) || c is ' ' or '-') ? Normaliser.Digits(number) : number,
        Identifiers = [.. Identifiers.Select(identifier => new PersonIdentifier(Tidy(identifier.Type) ?? "", Tidy(identifier.Value) ?? "")).Where(identifier => identifier.Value.Length > 0).Distinct()],
        Phone = Tidy(Phone),
        Mobile = Tidy(Mobile),
        Email = Tidy(Email),
        Address = Address?.Tidied(),
        MaritalStatus = Tidy(MaritalStatus),
        Ethnicity = Tidy(Ethnicity),
        Race = Tidy(Race),
        BirthPlace = Tidy(BirthPlace),
    };

    internal static string? Tidy(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}

/// <summary>A number somebody is known by elsewhere.</summary>
/// <param name="Type">A code of <see cref="PersonCodes.IdentifierTypes"/>.</param>
/// <param name="Value">The number as written.</param>
public sealed record PersonIdentifier(string Type, string Value);

/// <summary>This person's id in another system. Its blind index makes a second import of the same file change nothing.</summary>
/// <param name="Source">The other system, such as <c>synthea</c>.</param>
/// <param name="Value">Its id.</param>
public sealed record ExternalId(string Source, string Value);

/// <summary>Why a record was archived.</summary>
/// <param name="Reason">A code of <see cref="PersonCodes.ArchiveReasons"/>.</param>
/// <param name="Note">What was typed with the reason "other".</param>
public sealed record Archiving(string Reason, string? Note = null);

/// <summary>A postal address.</summary>
public sealed record PostalAddress
{
    /// <summary>House, street, locality: one to five lines.</summary>
    public IReadOnlyList<string> Lines { get => field ?? []; init; }

    /// <summary>Town or city.</summary>
    public string? City { get; init; }

    /// <summary>County.</summary>
    public string? County { get; init; }

    /// <summary>State, where there are any.</summary>
    public string? State { get; init; }

    /// <summary>Postcode or ZIP code.</summary>
    public string? Postcode { get; init; }

    /// <summary>Country.</summary>
    public string? Country { get; init; }

    internal PostalAddress? Tidied()
    {
        var tidy = this with
        {
            Lines = [.. Lines.Select(PersonDetails.Tidy).OfType<string>()],
            City = PersonDetails.Tidy(City),
            County = PersonDetails.Tidy(County),
            State = PersonDetails.Tidy(State),
            Postcode = PersonDetails.Tidy(Postcode),
            Country = PersonDetails.Tidy(Country),
        };
        return tidy is { Lines.Count: 0, City: null, County: null, State: null, Postcode: null, Country: null } ? null : tidy;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PersonDetails))]
internal sealed partial class PersonJson : JsonSerializerContext;
