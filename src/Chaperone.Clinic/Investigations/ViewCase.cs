using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Investigations;

/// <summary>Lists the cases that who asks may read, the newest first.</summary>
/// <param name="State">Only those in this state; null for all.</param>
/// <param name="Below">Only those of lower numbers; null for the newest.</param>
/// <param name="Limit">1 to 200.</param>
internal sealed record ListCases(string? State = null, int? Below = null, int Limit = 50) : IOperation<CaseList>
{
    public static Policy Policy { get; } = Policy.Reads("investigation.listed").Needs(Permission.InvestigationView).Lists(CaseResource.Case);
}

/// <summary>A page of cases.</summary>
/// <param name="Items">Newest first.</param>
/// <param name="Next">What to give as <see cref="ListCases.Below"/> for the next older ones; null when there are none.</param>
/// <param name="Members">Staff by account.</param>
public sealed record CaseList(IReadOnlyList<CaseSummary> Items, int? Next, IReadOnlyDictionary<Guid, AuditMember> Members);

/// <summary>A case in a list.</summary>
public sealed record CaseSummary(Guid Id, int Number, string Title, string State, Guid OpenedBy, DateTimeOffset OpenedAt, Guid? AssignedTo, DateTimeOffset? ReportBy, int Events);

/// <summary>Reads a case: its events as the log has them, people, records, notes, and what was done with it. Everybody it shows stands in the event.</summary>
internal sealed record ViewCase(Guid CaseId) : IOperation<CaseView>, IAbout
{
    public static Policy Policy { get; } = Policy.Reads("investigation.viewed").Needs(Permission.InvestigationView).About(CaseResource.Case);

    Guid IAbout.ResourceId => CaseId;
}

/// <summary>An event in a case.</summary>
/// <param name="ItemId">The row that points at it.</param>
/// <param name="EventId">The event.</param>
/// <param name="Index">Its place in the log, or null while it has none.</param>
/// <param name="Read">The event; null when its body ended, or when it is withheld.</param>
/// <param name="Item">Who put it in, and why.</param>
/// <param name="IsWithheld">Whether it is of another case that is open and that who reads may not read.</param>
public sealed record CaseEvent(Guid ItemId, Guid EventId, long? Index, ReadEvent? Read, CaseItem Item, bool IsWithheld = false);

/// <summary>What a case points at.</summary>
/// <param name="Id">The row.</param>
/// <param name="Kind"><c>event</c>, <c>person</c> or <c>record</c>.</param>
/// <param name="RefId">What it is.</param>
/// <param name="RefType">Its sort.</param>
/// <param name="Name">A person's name, where who reads may see it.</param>
/// <param name="Why">Why it was chosen, or null.</param>
/// <param name="AddedBy">Account of who chose it.</param>
/// <param name="AddedAt">When.</param>
/// <param name="RemovedBy">Account of who took it out, or null.</param>
/// <param name="RemovedAt">When.</param>
/// <param name="RemovedBecause">A reason's code.</param>
public sealed record CaseItem(Guid Id, string Kind, Guid RefId, string RefType, string? Name, string? Why, Guid AddedBy, DateTimeOffset AddedAt, Guid? RemovedBy, DateTimeOffset? RemovedAt, string? RemovedBecause);

/// <summary>A note of a case, as it was written.</summary>
public sealed record CaseNote(Guid Id, string Kind, string? Outcome, string Text, Guid WrittenBy, DateTimeOffset WrittenAt);

/// <summary>A case as read.</summary>
public sealed record CaseView
{
    /// <summary>Its id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Version of the record: the ETag.</summary>
    public required long Version { get; init; }

    /// <summary>By which people call it.</summary>
    public required int Number { get; init; }

    /// <summary>What it is called.</summary>
    public required string Title { get; init; }

    /// <summary>Why it was opened.</summary>
    public required string Reason { get; init; }

    /// <summary><c>open</c>, <c>concluding</c> or <c>concluded</c>.</summary>
    public required string State { get; init; }

    /// <summary>Account of who opened it.</summary>
    public required Guid OpenedBy { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>When it was last opened again.</summary>
    public required DateTimeOffset? ReopenedAt { get; init; }

    /// <summary>Account of who it is given to.</summary>
    public required Guid? AssignedTo { get; init; }

    /// <summary>Accounts that may read it beside the owners.</summary>
    public required IReadOnlyList<Guid> Team { get; init; }

    /// <summary>Since when a breach of personal data is suspected.</summary>
    public required DateTimeOffset? AwareAt { get; init; }

    /// <summary>Account of who wrote the conclusion.</summary>
    public required Guid? ConcludedBy { get; init; }

    /// <summary>Account of who agreed to it.</summary>
    public required Guid? ConfirmedBy { get; init; }

    /// <summary>When it was concluded.</summary>
    public required DateTimeOffset? EndedAt { get; init; }

    /// <summary>As they happened, oldest first; those that were taken out are in <see cref="Removed"/>.</summary>
    public required IReadOnlyList<CaseEvent> Events { get; init; }

    /// <summary>Whom it names.</summary>
    public required IReadOnlyList<CaseItem> People { get; init; }

    /// <summary>Records in it.</summary>
    public required IReadOnlyList<CaseItem> Records { get; init; }

    /// <summary>What was taken out of it.</summary>
    public required IReadOnlyList<CaseItem> Removed { get; init; }

    /// <summary>Oldest first: notes, conclusions, reopenings.</summary>
    public required IReadOnlyList<CaseNote> Notes { get; init; }

    /// <summary>What was done with the case, newest first, as the log has it.</summary>
    public required IReadOnlyList<ReadEvent> History { get; init; }

    /// <summary>Staff by account.</summary>
    public required IReadOnlyDictionary<Guid, AuditMember> Members { get; init; }

    /// <summary>By when a breach is to be reported, where one is suspected.</summary>
    public DateTimeOffset? ReportBy => AwareAt + CaseBreach.ToReport;

    /// <summary>The conclusion that stands or is proposed.</summary>
    public CaseNote? Conclusion => State == CaseRow.Open ? null : Notes.LastOrDefault(note => note.Kind == CaseNoteRow.Conclusion);
}

internal sealed class ViewCaseHandler(CaseReading reading, ClinicLog log) : IHandler<ListCases, CaseList>, IHandler<ViewCase, CaseView>
{
    private const int MostListed = 200;

    public async Task<Result<CaseList>> Handle(ListCases request, OperationScope scope, CancellationToken cancel)
    {
        if (request.Limit is < 1 or > MostListed || (request.State is { } asked && asked is not (CaseRow.Open or CaseRow.Concluding or CaseRow.Concluded))) return PlatformErrors.Malformed;
        var cases = CaseRules.Readable(scope).AsNoTracking();
        if (request.State is { } state) cases = cases.Where(row => row.State == state);
        if (request.Below is { } below) cases = cases.Where(row => row.Number < below);
        var rows = await scope.Open(cases.OrderByDescending(row => row.Number).Take(request.Limit + 1), cancel);
        rows = [.. rows.OrderByDescending(row => row.Number)];
        var shown = rows.Take(request.Limit).Select(row => row.Id).ToArray();
        var counts = (await scope.Db.Set<CaseItemRow>().Where(item => shown.Contains(item.InvestigationId) && item.Kind == CaseItemRow.Event && item.RemovedAt == null)
            .GroupBy(item => item.InvestigationId).Select(group => new { group.Key, Count = group.Count() }).ToListAsync(cancel)).ToDictionary(group => group.Key, group => group.Count);
        scope.Found(shown.Length);
        var page = rows.Take(request.Limit).ToArray();
        return new CaseList(
            [.. page.Select(row => new CaseSummary(row.Id, row.Number, row.Payload.Title, row.State, row.OpenedBy, row.OpenedAt, row.AssignedTo, row.AwareAt + CaseBreach.ToReport, counts.GetValueOrDefault(row.Id)))],
            rows.Count > request.Limit ? rows[request.Limit - 1].Number : null,
            await scope.OpenStaff([.. page.SelectMany(row => new[] { row.OpenedBy, row.AssignedTo ?? row.OpenedBy }).Distinct()], cancel));
    }

    public async Task<Result<CaseView>> Handle(ViewCase request, OperationScope scope, CancellationToken cancel)
    {
        await log.CatchUpAsync(cancel);
        return await reading.ReadAsync(request.CaseId, cancel) is { } view ? view : PlatformErrors.NotFound;
    }
}

/// <summary>Reads a case whole, for its page and for its evidence, and registers everybody it shows.</summary>
internal sealed class CaseReading(ClinicLog log, OperationScope scope)
{
    private const int MostHistory = 200;

    public async Task<CaseView?> ReadAsync(Guid id, CancellationToken cancel)
    {
        if (await scope.OpenOne(scope.Db.Set<CaseRow>().AsNoTracking().Where(row => row.Id == id), cancel) is not { } row) return null;
        var rows = await scope.Open(scope.Db.Set<CaseItemRow>().AsNoTracking().Where(item => item.InvestigationId == id), cancel);
        var notes = await scope.Open(scope.Db.Set<CaseNoteRow>().AsNoTracking().Where(note => note.InvestigationId == id), cancel);
        var patients = await PatientsAsync(rows, cancel);
        var found = await FindAsync([.. rows.Where(item => item is { Kind: CaseItemRow.Event, RemovedAt: null }).Select(item => item.RefId)], cancel);
        var history = (await log.PageAsync(new EventFilter { Entity = id }, null, MostHistory, cancel)).Events;
        // Whoever has to do with it, and nobody else of the team: the event says of everybody it names that they were looked at.
        var members = await scope.OpenStaff(
            [
                .. new[] { row.OpenedBy, row.AssignedTo, row.ConcludedBy, row.ConfirmedBy }.OfType<Guid>().Concat(row.Team).Concat(rows.SelectMany(item => new[] { item.AddedBy, item.RemovedBy ?? item.AddedBy }))
                    .Concat(rows.Where(item => item.RefType == "member").Select(item => item.RefId)).Concat(notes.Select(note => note.WrittenBy)).Concat(found.Values.Concat(history).Select(read => read.Event.Actor.Id).OfType<Guid>()).Distinct(),
            ], cancel);
        CaseItem[] items = [.. rows.OrderBy(item => item.AddedAt).ThenBy(item => item.Id).Select(item => new CaseItem(
            item.Id, item.Kind, item.RefId, item.RefType, members.GetValueOrDefault(item.RefId)?.Name ?? patients.GetValueOrDefault(item.RefId), item.Payload.Why, item.AddedBy, item.AddedAt, item.RemovedBy, item.RemovedAt,
            item.RemovedBecause))];
        var standing = items.Where(item => item.RemovedAt is null).ToLookup(item => item.Kind);
        return new CaseView
        {
            Id = row.Id, Version = row.Version, Number = row.Number, Title = row.Payload.Title, Reason = row.Payload.Reason, State = row.State, OpenedBy = row.OpenedBy, OpenedAt = row.OpenedAt, ReopenedAt = row.ReopenedAt,
            AssignedTo = row.AssignedTo, Team = row.Team, AwareAt = row.AwareAt, ConcludedBy = row.ConcludedBy, ConfirmedBy = row.ConfirmedBy, EndedAt = row.EndedAt,
            Events = await EventsAsync([.. standing[CaseItemRow.Event]], found, cancel),
            People = [.. standing[CaseItemRow.Person]], Records = [.. standing[CaseItemRow.Record]], Removed = [.. items.Where(item => item.RemovedAt is not null)],
            Notes = [.. notes.OrderBy(note => note.Id).Select(note => new CaseNote(note.Id, note.Kind, note.Outcome, note.Payload.Text, note.WrittenBy, note.WrittenAt))],
            History = history, Members = members,
        };
    }

    private async Task<Dictionary<Guid, ReadEvent>> FindAsync(Guid[] ids, CancellationToken cancel)
    {
        var found = (await log.FindAllAsync(ids, cancel)).ToDictionary(read => read.Event.Id);
        foreach (var read in found.Values)
            foreach (var person in read.Event.People()) scope.Show(person);
        return found;
    }

    private async Task<IReadOnlyList<CaseEvent>> EventsAsync(CaseItem[] items, Dictionary<Guid, ReadEvent> found, CancellationToken cancel)
    {
        Guid[] missing = [.. items.Select(item => item.RefId).Where(id => !found.ContainsKey(id))];
        var (indexes, withheld) = (await log.IndexesAsync(missing, cancel), await log.WithheldAmongAsync(missing, cancel));
        return [.. items.OrderBy(item => item.RefId.ToString("N"), StringComparer.Ordinal).Select(item => found.GetValueOrDefault(item.RefId) is { } read
            ? new CaseEvent(item.Id, item.RefId, read.Index, read, item)
            : new CaseEvent(item.Id, item.RefId, indexes.TryGetValue(item.RefId, out var index) ? index : null, null, item, withheld.Contains(item.RefId)))];
    }

    // By name where who reads may see every patient's; else their ids must do.
    private async Task<IReadOnlyDictionary<Guid, string>> PatientsAsync(IReadOnlyList<CaseItemRow> items, CancellationToken cancel)
    {
        Guid[] ids = [.. items.Where(item => item is { Kind: CaseItemRow.Person, RefType: "patient" }).Select(item => item.RefId)];
        if (ids.Length == 0 || scope.Actor.Rights.WeakestRelation(Permission.PatientView, scope.Actor.State.Elevated, scope.Now) is not Relation.SameClinic) return new Dictionary<Guid, string>();
        return (await scope.Open(scope.Db.Set<PatientRow>().AsNoTracking().Where(patient => ids.Contains(patient.Id)), cancel))
            .ToDictionary(patient => patient.Id, patient => PatientText.Name(patient.Payload.FamilyName, patient.Payload.GivenNames));
    }
}
