using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Patients.Import;

/// <summary>A row and what becomes of it.</summary>
internal sealed record SortedRow(ReadPerson Person)
{
    public bool IsNew { get; init; }

    /// <summary>The patient here that has the row's id.</summary>
    public Guid? Existing { get; init; }

    public bool IsLikelyDuplicate { get; init; }

    public bool IsFaulty { get; init; }

    public IReadOnlyList<Finding> Findings { get; init; } = [];
}

/// <summary>Sorts rows into new patients, patients who are here already, likely duplicates, and faults. The rows of a file go through one sorter in order; what it remembers of them are tokens and ids.</summary>
internal sealed class RowSorter(OperationScope scope, PatientRegister register, ColumnMapping mapping)
{
    private readonly HashSet<string> numbers = new(StringComparer.Ordinal);
    private readonly HashSet<string> persons = new(StringComparer.Ordinal);

    public async Task<IReadOnlyList<SortedRow>> SortAsync(IReadOnlyList<ReadPerson> rows, CancellationToken cancel)
    {
        var known = await ExistingAsync([.. rows.Select(row => row.ExternalId).OfType<string>()], cancel);
        // Only who is not here by id can be a twin.
        var candidates = rows.Where(row => row.Details is not null && (row.ExternalId is null || !known.ContainsKey(row.ExternalId))).ToArray();
        var twins = await register.FindTwinsOfAll(candidates.Select(row => row.Details!).ToArray(), cancel);
        var twinsOf = candidates.Select((row, i) => (row.Row, Twins: twins[i])).ToDictionary(pair => pair.Row, pair => pair.Twins);
        var index = await register.IndexAsync(cancel);
        return [.. rows.Select(row => Sort(row, known, twinsOf.GetValueOrDefault(row.Row) ?? [], index))];
    }

    private SortedRow Sort(ReadPerson row, Dictionary<string, Guid> known, IReadOnlyList<Twin> twins, PatientIndex index)
    {
        if (row.Details is not { } details) return new(row) { IsFaulty = true, Findings = row.Faults };
        if (row.ExternalId is { } external && known.TryGetValue(external, out var existing)) return new(row) { Existing = existing };
        var number = details.NhsNumber is { } nhs ? Convert.ToHexString(index.NhsNumberToken(nhs)) : null;
        if (twins.Any(twin => twin.SameNhsNumber) || (number is not null && numbers.Contains(number))) return Fault(row, FindingCodes.NhsNumberTaken);
        var tokens = index.PersonTokens(details).Select(Convert.ToHexString).ToArray();
        var twin = twins.Count > 0 || tokens.Any(persons.Contains);
        var isNew = !twin || mapping.Duplicates == ColumnMapping.ImportThem;
        if (isNew)
        {
            persons.UnionWith(tokens);
            if (number is not null) numbers.Add(number);
        }
        return new(row)
        {
            IsNew = isNew,
            IsLikelyDuplicate = twin,
            Findings = twin ? [new(row.Row, -1, isNew ? FindingCodes.LikelyDuplicateImported : FindingCodes.LikelyDuplicate)] : [],
        };
    }

    private async Task<Dictionary<string, Guid>> ExistingAsync(string[] externalIds, CancellationToken cancel)
    {
        if (externalIds.Length == 0) return [];
        var found = new Dictionary<string, Guid>(await register.FindExternal(mapping.Source, externalIds, cancel), StringComparer.Ordinal);
        if (mapping.Source != KnownFiles.OwnSource) return found;
        // Our own export names the record itself: it may be this clinic's own.
        var own = externalIds.Where(id => Guid.TryParseExact(id, "D", out _)).Select(Guid.Parse).ToArray();
        foreach (var id in await scope.Db.Set<PatientRow>().AsNoTracking().Where(patient => own.Contains(patient.Id)).Select(patient => patient.Id).ToListAsync(cancel)) found.TryAdd(id.ToString("D"), id);
        return found;
    }

    private static SortedRow Fault(ReadPerson row, string code) => new(row) { IsFaulty = true, Findings = [new(row.Row, -1, code)] };
}
