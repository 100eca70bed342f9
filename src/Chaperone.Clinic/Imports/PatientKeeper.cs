using System.Text.Json;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Imports;

/// <summary>Registers rows as patients. What it remembers of the file's earlier rows are tokens.</summary>
internal sealed class PatientKeeper(OperationScope scope, ColumnMapping mapping) : RowKeeper
{
    private readonly PatientRegister register = new(scope);
    private readonly HashSet<string> numbers = new(StringComparer.Ordinal);
    private readonly HashSet<string> persons = new(StringComparer.Ordinal);

    public override async Task<IReadOnlyList<SortedRow>> SortAsync(IReadOnlyList<ReadRow> rows, CancellationToken cancel)
    {
        var people = rows.Cast<ReadPerson>().ToArray();
        var known = await ExistingAsync([.. people.Select(row => row.ExternalId).OfType<string>()], cancel);
        // Only who is not here by id can be a twin.
        var candidates = people.Where(row => row.Details is not null && (row.ExternalId is null || !known.ContainsKey(row.ExternalId))).ToArray();
        var twins = await register.FindTwinsOfAll(candidates.Select(row => row.Details!).ToArray(), cancel);
        var twinsOf = candidates.Select((row, i) => (row.Row, Twins: twins[i])).ToDictionary(pair => pair.Row, pair => pair.Twins);
        var index = await register.IndexAsync(cancel);
        return [.. people.Select(row => Sort(row, known, twinsOf.GetValueOrDefault(row.Row) ?? [], index))];
    }

    public override Task AddAsync(IReadOnlyList<SortedRow> rows, CancellationToken cancel)
    {
        // In the order of the file, so that an export of what was imported has it too.
        var ids = rows.Select(_ => scope.NewId()).Order().ToArray();
        return register.AddRows([.. rows.Select(row => (ReadPerson)row.Read).Select((person, i) => new PatientRow
        {
            Id = ids[i],
            SubjectId = ids[i],
            RegisteredAt = person.RegisteredAt ?? scope.Now,
            ArchivedAt = person.ArchivedAt,
            Status = person.ArchivedAt is null ? PatientRow.Active : PatientRow.Archived,
            Payload = person.Details!,
        })], cancel);
    }

    public override async Task<IReadOnlySet<int>> SameAsync(IReadOnlyList<SortedRow> rows, CancellationToken cancel)
    {
        var ids = rows.Select(row => row.Existing!.Value).ToArray();
        var here = (await scope.OpenCandidates(scope.Db.Set<PatientRow>().AsNoTracking().Where(patient => ids.Contains(patient.Id)), cancel)).ToDictionary(patient => patient.Id, patient => patient.Payload);
        return rows.Where(row => here.TryGetValue(row.Existing!.Value, out var known) && Comparable(known).AsSpan().SequenceEqual(Comparable(((ReadPerson)row.Read).Details!))).Select(row => row.Read.Row).ToHashSet();
    }

    public override Task<IReadOnlyList<IReadOnlyList<string>>> SampleAsync(IReadOnlyList<SortedRow> rows, CancellationToken cancel) =>
        Task.FromResult<IReadOnlyList<IReadOnlyList<string>>>([.. rows.Select(row => (ReadPerson)row.Read).Select(row => Cells(row.Details!))]);

    private SortedRow Sort(ReadPerson row, Dictionary<string, Guid> known, IReadOnlyList<Twin> twins, PatientIndex index)
    {
        if (row.Details is not { } details) return new(row) { IsFaulty = true, Findings = row.Faults };
        if (row.ExternalId is { } external && known.TryGetValue(external, out var existing)) return new(row) { Existing = existing };
        var number = details.NhsNumber is { } nhs ? Convert.ToHexString(index.NhsNumberToken(nhs)) : null;
        if (twins.Any(twin => twin.SameNhsNumber) || (number is not null && numbers.Contains(number))) return SortedRow.Fault(row, FindingCodes.NhsNumberTaken);
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

    private static string[] Cells(PersonDetails person) =>
    [
        person.FamilyName ?? "",
        person.GivenNames ?? "",
        person.DateOfBirth is { } born ? PatientText.Date(born) : "Not known",
        PersonCodes.Genders.Words(person.Gender) ?? "Not known",
        person.NhsNumber is { } number ? PatientText.NhsNumber(number) : "Not known",
        person.Identifiers.Count == 0 ? "None" : string.Join(", ", person.Identifiers.Select(identifier => $"{PersonCodes.IdentifierTypes.Words(identifier.Type)} {identifier.Value}")),
        person.Address is not { } address ? "Not known" : string.Join(", ", address.Lines.Append(address.City).Append(address.Postcode).Where(part => !string.IsNullOrEmpty(part))),
    ];

    // Ids of other systems and the archive are the register's own affair.
    private static byte[] Comparable(PersonDetails details) => JsonSerializer.SerializeToUtf8Bytes(
        details with { Schema = 0, ExternalIds = [], Archiving = null, Other = new SortedDictionary<string, string>(details.Other.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal) }, PersonDetails.Json);
}
