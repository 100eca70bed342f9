using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Patients;

/// <summary>Finds patients by what is typed into one box: parts of names, date of birth, NHS number, telephone, email, or several of these together.</summary>
/// <param name="Text">What was typed; never logged.</param>
/// <param name="AtMost">How many are shown, from 1 to <see cref="Most"/>: where a page has room for fewer, the others are not shown, and the log does not say they were.</param>
public sealed record FindPatients(string Text, int AtMost = FindPatients.Most) : IOperation<FoundPatients>
{
    /// <summary>Patients shown at most.</summary>
    public const int Most = 200;

    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Reads("patient.searched").Needs(Permission.PatientView).Lists(PatientResource.Patient);
}

/// <summary>Who was found.</summary>
/// <param name="Patients">At most as many as were asked for, ordered by name; archived ones too.</param>
/// <param name="More">Whether there are more; typing more narrows.</param>
public sealed record FoundPatients(IReadOnlyList<Patient> Patients, bool More);

internal sealed class FindPatientsHandler(PatientRegister register) : IHandler<FindPatients, FoundPatients>
{
    private const int OpenedAtOnce = 250, OpenedAtMost = 1000;

    public async Task<Result<FoundPatients>> Handle(FindPatients request, OperationScope scope, CancellationToken cancel)
    {
        if (request.Text.Length > FindText.Longest) return PatientErrors.NothingToFind;
        var text = FindText.Parse(request.Text, scope.Today());
        if (text.IsEmpty) return PatientErrors.NothingToFind;

        var most = Math.Clamp(request.AtMost, 1, FindPatients.Most);
        var found = new List<PatientRow>();
        var looked = new HashSet<Guid>();
        foreach (var look in Looks(text, await register.IndexAsync(cancel)))
        {
            if (found.Count > most) break;
            var candidates = (await Candidates(look, scope).ToListAsync(cancel)).Where(looked.Add);
            foreach (var some in candidates.Chunk(OpenedAtOnce))
            {
                var rows = await scope.OpenCandidates(scope.Db.Set<PatientRow>().AsNoTracking().Where(row => some.Contains(row.Id)), cancel);
                found.AddRange(rows.Where(row => text.Matches(row.Payload)));
                if (found.Count > most) break;
            }
        }
        var shown = found.Take(most).ToList();
        foreach (var row in shown) scope.Show(row);
        scope.Found(shown.Count, text.Fields);
        return new FoundPatients([.. shown.Select(Patient.Of).OrderBy(patient => patient, ByName.Order)], found.Count > shown.Count);
    }

    // A look is what must all hold of a row; each needs one of some tokens. Whole words come before beginnings, so that Christopher is not crowded out by all the Christs.
    private static IEnumerable<IReadOnlyList<Need>> Looks(FindText text, PatientIndex index)
    {
        var sure = new List<Need>();
        if (text.Email is { } email && index.EmailToken(email) is { } emailToken) sure.Add(new(PatientIndex.Email, [emailToken]));
        if (text.Births.Count > 0) sure.Add(new(PatientIndex.Birth, [.. text.Births.Select(index.BirthToken)]));
        var numbers = new List<Need>();
        if (text.NhsNumber is { } nhs) numbers.Add(new(PatientIndex.NhsNumber, [index.NhsNumberToken(nhs)]));
        if (text.Number is { } phone && index.PhoneToken(phone) is { } phoneToken) numbers.Add(new(PatientIndex.Phone, [phoneToken]));

        var whole = index.Names.QueryTokens(text.Names, wholeWords: true);
        var beginnings = index.Names.QueryTokens(text.Names);
        var names = Same(whole, beginnings) ? new[] { whole } : [whole, beginnings];
        return names.SelectMany(words => numbers.Count == 0 ? [All(words, [])] : numbers.Select(number => All(words, [number]))).Where(look => look.Count > 0);

        IReadOnlyList<Need> All(IReadOnlyList<IReadOnlyList<byte[]>> words, IEnumerable<Need> number) => [.. number, .. sure, .. words.Select(word => new Need(PatientIndex.Name, word))];

        static bool Same(IReadOnlyList<IReadOnlyList<byte[]>> a, IReadOnlyList<IReadOnlyList<byte[]>> b) =>
            a.SelectMany(tokens => tokens).Select(Convert.ToHexString).SequenceEqual(b.SelectMany(tokens => tokens).Select(Convert.ToHexString), StringComparer.Ordinal);
    }

    /// <summary>The newest rows that have a token for every need, over the token table alone: it is a range of its primary key for the first and a probe of it for each other.</summary>
    internal static IQueryable<Guid> Candidates(IReadOnlyList<Need> needs, OperationScope scope)
    {
        var tokens = scope.Db.Set<BlindIndexRow>().AsNoTracking();
        var ids = Having(tokens, needs[0]).Select(token => token.RowId);
        foreach (var need in needs.Skip(1))
        {
            var others = Having(tokens, need);
            ids = ids.Where(id => others.Any(token => token.RowId == id));
        }
        if (PatientReach.Of(scope) is { } within) ids = ids.Where(id => within.Contains(id));
        if (needs[0].Tokens.Count > 1) ids = ids.Distinct();
        return ids.OrderByDescending(id => id).Take(OpenedAtMost);
    }

    private static IQueryable<BlindIndexRow> Having(IQueryable<BlindIndexRow> tokens, Need need)
    {
        var indexId = need.IndexId;
        if (need.Tokens is [var one]) return tokens.Where(token => token.IndexId == indexId && token.Token == one);
        var any = need.Tokens.ToArray();
        return tokens.Where(token => token.IndexId == indexId && any.Contains(token.Token));
    }

    /// <summary>A row must have one of these tokens in this index.</summary>
    internal sealed record Need(short IndexId, IReadOnlyList<byte[]> Tokens);
}

/// <summary>Family name, given names, date of birth, id: after opening, as the database cannot order what it cannot read.</summary>
internal sealed class ByName : IComparer<Patient>
{
    private static readonly StringComparer Words = StringComparer.Create(System.Globalization.CultureInfo.GetCultureInfo("en-GB"), ignoreCase: true);

    public static readonly ByName Order = new();

    public int Compare(Patient? x, Patient? y)
    {
        var (a, b) = (x!.Details, y!.Details);
        if (Words.Compare(a.FamilyName, b.FamilyName) is not 0 and var family) return family;
        if (Words.Compare(a.GivenNames, b.GivenNames) is not 0 and var given) return given;
        if (Nullable.Compare(a.DateOfBirth, b.DateOfBirth) is not 0 and var born) return born;
        return x.Id.CompareTo(y.Id);
    }
}
