using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Imports;

/// <summary>
/// Adds rows to the team as practitioners with whom nobody signs in: suspended, without address and without credential. A row with the name of somebody on the team who has no id of
/// this source is taken for them, unless the mapping says otherwise: then the id becomes theirs, so that their appointments find them.
/// </summary>
internal sealed class PractitionerKeeper(OperationScope scope, ColumnMapping mapping) : RowKeeper
{
    private readonly ForeignIds ids = new(scope, ForeignIds.Member);
    private readonly HashSet<string> added = new(StringComparer.Ordinal);

    public override async Task<IReadOnlyList<SortedRow>> SortAsync(IReadOnlyList<ReadRow> rows, CancellationToken cancel)
    {
        var known = await ids.FindAsync(mapping.Source, rows.Select(row => row.ExternalId).OfType<string>(), cancel);
        var others = await ids.WithAsync(mapping.Source, cancel);
        var team = await Roster.OpenAsync(scope, cancel);
        return [.. rows.Cast<ReadPractitioner>().Select(row => Sort(row, known, others, team))];
    }

    public override async Task AddAsync(IReadOnlyList<SortedRow> rows, CancellationToken cancel)
    {
        var links = new List<(string, Guid)>(rows.Count);
        foreach (var row in rows.Select(row => (ReadPractitioner)row.Read))
        {
            var id = scope.NewId();
            scope.Add(new MemberRow { Id = id, SubjectId = id, Status = MemberRow.Suspended, Roles = [row.Role], CreatedAt = scope.Now, Payload = new(row.Name, MemberDetails.NoAddress, row.Title) });
            if (row.ExternalId is { } external) links.Add((external, id));
        }
        await ids.AddAsync(mapping.Source, links, cancel);
        scope.NoteChange("roles", null, string.Join(' ', rows.Select(row => ((ReadPractitioner)row.Read).Role).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)));
    }

    public override Task LinkAsync(IReadOnlyList<SortedRow> rows, CancellationToken cancel) =>
        ids.AddAsync(mapping.Source, [.. rows.Where(row => row is { Twin: not null, Read.ExternalId: not null }).Select(row => (row.Read.ExternalId!, row.Twin!.Value))], cancel);

    public override async Task<IReadOnlySet<int>> SameAsync(IReadOnlyList<SortedRow> rows, CancellationToken cancel)
    {
        var wanted = rows.Select(row => row.Existing!.Value).ToArray();
        var here = (await scope.OpenCandidates(scope.Db.Set<MemberRow>().AsNoTracking().Where(member => wanted.Contains(member.Id)), cancel)).ToDictionary(member => member.Id, member => member.Payload);
        return rows.Where(row => here.TryGetValue(row.Existing!.Value, out var known) && row.Read is ReadPractitioner read && known.Name == read.Name && known.Title == read.Title).Select(row => row.Read.Row).ToHashSet();
    }

    public override Task<IReadOnlyList<IReadOnlyList<string>>> SampleAsync(IReadOnlyList<SortedRow> rows, CancellationToken cancel) =>
        Task.FromResult<IReadOnlyList<IReadOnlyList<string>>>([.. rows.Select(row => (ReadPractitioner)row.Read).Select(row => (string[])[row.Name, row.Title ?? "Not known", SignInFeature.DisplayName(row.Role)])]);

    private SortedRow Sort(ReadPractitioner row, IReadOnlyDictionary<string, Guid> known, IReadOnlySet<Guid> others, Roster team)
    {
        if (row.Faults.Count > 0) return new(row) { IsFaulty = true, Findings = row.Faults };
        if (row.ExternalId is { } external && known.TryGetValue(external, out var existing)) return new(row) { Existing = existing };
        Guid[] twins = [.. team.Named(row.Name).Where(member => !others.Contains(member))];
        // Rows with ids are different people, whatever they are called; without ids a second one of the same name is the first again.
        var repeated = !added.Add(Roster.Key(row.Name)) && row.ExternalId is null;
        if (twins.Length == 0 && !repeated) return new(row) { IsNew = true };
        var isNew = mapping.Duplicates == ColumnMapping.ImportThem;
        Guid? twin = !isNew && !repeated && twins.Length == 1 && row.ExternalId is not null ? twins[0] : null;
        var code = isNew ? FindingCodes.NamesakeImported : twin is not null ? FindingCodes.NamesakeLinked : FindingCodes.Namesake;
        return new(row) { IsNew = isNew, IsLikelyDuplicate = true, Twin = twin, Findings = [new(row.Row, -1, code)] };
    }
}
