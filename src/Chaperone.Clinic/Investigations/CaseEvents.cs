using Chaperone.Clinic.AuditLog;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Investigations;

/// <summary>Which events are meant: some by id, or all that a filter finds.</summary>
/// <param name="Events">Chosen ones.</param>
/// <param name="Filter">All that this finds, instead; null for the chosen ones.</param>
internal sealed record CaseSelection(IReadOnlyList<Guid> Events, AuditQuery? Filter = null)
{
    public static CaseSelection None { get; } = new([]);

    public bool IsEmpty => Events.Count == 0 && Filter is null;

    /// <summary>
    /// The ids, as far as who asks may read them. One that is not in this clinic's log, or is withheld, makes the whole answer a 404: nothing is stored of a forged list.
    /// </summary>
    public async Task<Result<IReadOnlyList<Guid>>> FindAsync(ClinicLog log, OperationScope scope, CancellationToken cancel)
    {
        if (Filter is not null)
        {
            var read = Filter.FiltersOnly.Read(scope.Tenant.Zone);
            if (read.Error is { } wrong) return wrong;
            foreach (var person in read.Value.People) scope.Show(person);
            var marks = await log.MarksAsync(read.Value.ToEvents().Within(scope), CaseRules.MostEvents + 1, cancel);
            if (marks.Count == 0) return CaseErrors.NothingChosen;
            if (marks.Count > CaseRules.MostEvents) return CaseErrors.TooManyEvents;
            return Result<IReadOnlyList<Guid>>.Of([.. marks.Select(mark => mark.Id)]);
        }
        var wanted = Events.Distinct().ToArray();
        if (wanted.Length == 0) return CaseErrors.NothingChosen;
        if (wanted.Length > CaseRules.MostEvents) return CaseErrors.TooManyEvents;
        var found = await log.FindAllAsync(wanted, cancel);
        if (found.Count < wanted.Length) return PlatformErrors.NotFound;
        if (found.Any(read => read.Event.At < AuditPlan.ShownFrom(scope.Tenant, scope.Now))) return AuditErrors.NotInPlan;
        return Result<IReadOnlyList<Guid>>.Of(wanted);
    }
}

/// <summary>Puts events into an open case. From then on they are kept until the case is concluded.</summary>
/// <param name="CaseId">Which case.</param>
/// <param name="Selection">Which events.</param>
/// <param name="Why">Why they were chosen, sealed; may be left out.</param>
internal sealed record AddCaseEvents(Guid CaseId, CaseSelection Selection, string? Why = null) : IOperation<CaseAddition>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("investigation.events_added").Needs(Permission.InvestigationEdit).About(CaseResource.Case);

    Guid IAbout.ResourceId => CaseId;
}

/// <summary>What was added.</summary>
/// <param name="Number">The case's number.</param>
/// <param name="Added">Events that are new in it.</param>
/// <param name="AlreadyIn">Events that were in it before.</param>
public sealed record CaseAddition(int Number, int Added, int AlreadyIn);

/// <summary>Takes something out of an open case. It stays visible as taken out, and an event stays held with the others.</summary>
/// <param name="CaseId">Which case.</param>
/// <param name="ItemId">What of it.</param>
/// <param name="Because">One of <see cref="CaseRemovals"/>.</param>
internal sealed record RemoveCaseItem(Guid CaseId, Guid ItemId, string? Because) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } =
        Policy.Changes("investigation.event_removed").Or("investigation.person_removed", "investigation.record_removed").Needs(Permission.InvestigationEdit).About(CaseResource.Case);

    Guid IAbout.ResourceId => CaseId;
}

internal sealed class CaseEventsHandler(ClinicLog log) : IHandler<AddCaseEvents, CaseAddition>, IHandler<RemoveCaseItem, Done>
{
    public async Task<Result<CaseAddition>> Handle(AddCaseEvents request, OperationScope scope, CancellationToken cancel)
    {
        await log.CatchUpAsync(cancel);
        var found = await CaseRules.OpenAsync(scope, request.CaseId, cancel);
        if (found.Error is { } notNow) return notNow;
        return await AddAsync(found.Value, request.Selection, request.Why, log, scope, cancel);
    }

    /// <summary>Adds those that are not in the case yet.</summary>
    public static async Task<Result<CaseAddition>> AddAsync(CaseRow row, CaseSelection selection, string? typed, ClinicLog log, OperationScope scope, CancellationToken cancel)
    {
        string? why = null;
        if (!string.IsNullOrWhiteSpace(typed) && (why = CaseRules.Text(typed, CaseRules.LongestWhy)) is null) return CaseErrors.DetailsInvalid.With("why", CaseRules.Sentence("Say why, or nothing", CaseRules.LongestWhy));
        var events = await selection.FindAsync(log, scope, cancel);
        if (events.Error is { } error) return error;
        await scope.TakeTurns([row.Id], cancel);
        var known = await scope.Db.Set<CaseItemRow>().Where(item => item.InvestigationId == row.Id && item.Kind == CaseItemRow.Event && item.RemovedAt == null).Select(item => item.RefId).ToListAsync(cancel);
        var fresh = events.Value.Except(known).ToArray();
        if (known.Count + fresh.Length > CaseRules.MostEvents) return CaseErrors.TooManyEvents;
        scope.OnConflict("investigation_item_once", CaseErrors.AlreadyIn);
        await scope.Writer.Insert<CaseItemRow>(
            [.. fresh.Select(id => new CaseItemRow
            {
                Id = scope.NewId(), InvestigationId = row.Id, Kind = CaseItemRow.Event, RefId = id, RefType = "event", AddedBy = scope.Actor.Id!.Value, AddedAt = scope.Now, Payload = new(why),
            })], cancel);
        scope.Note("events", fresh.Length);
        return new CaseAddition(row.Number, fresh.Length, events.Value.Count - fresh.Length);
    }

    public async Task<Result<Done>> Handle(RemoveCaseItem request, OperationScope scope, CancellationToken cancel)
    {
        if (!CaseRemovals.All.Any(reason => reason.Code == request.Because)) return CaseErrors.DetailsInvalid.With("because", "Choose why.");
        var found = await CaseRules.OpenAsync(scope, request.CaseId, cancel);
        if (found.Error is { } notNow) return notNow;
        if (await scope.OpenOne(scope.Db.Set<CaseItemRow>().Where(row => row.Id == request.ItemId && row.InvestigationId == request.CaseId), cancel) is not { } item) return PlatformErrors.NotFound;
        if (item.RemovedAt is not null) return CaseErrors.NotNow;
        (item.RemovedAt, item.RemovedBy, item.RemovedBecause) = (scope.Now, scope.Actor.Id, request.Because);
        if (item.Kind != CaseItemRow.Event) scope.RecordAs($"investigation.{item.Kind}_removed");
        scope.Because(request.Because!);
        if (item.Kind != CaseItemRow.Person) scope.Note(item.Kind, item.RefId.ToString("D"));
        return default(Done);
    }
}
