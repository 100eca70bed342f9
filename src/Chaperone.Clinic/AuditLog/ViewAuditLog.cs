using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.AuditLog;

/// <summary>Shows a page of the clinic's log, newest first. Its own event is on the next page that is asked for.</summary>
/// <remarks>
/// Ids of patients are shown, their names are not opened. Those whose data or acts were asked for stand in the event as people shown. The many that single events name do not:
/// looking at a page would otherwise say of everybody on it that they were looked at, and looking again would repeat it. <see cref="ViewAuditEvent"/> and exports name them.
/// </remarks>
/// <param name="Query">Filters, limit and cursor.</param>
/// <param name="WithNames">Whether the names of members of staff are opened, as the page shows them; the API gives ids.</param>
internal sealed record ViewAuditLog(AuditQuery Query, bool WithNames = false) : IOperation<AuditPage>
{
    public static Policy Policy { get; } = Policy.Reads("audit.viewed").Needs(Permission.AuditView).About(Resource.Clinic);
}

/// <summary>A page of the log.</summary>
/// <param name="Events">Newest first.</param>
/// <param name="Next">The cursor of the next older ones, or null.</param>
/// <param name="Members">Staff by account id; empty unless names were asked for.</param>
/// <param name="Integrity">What the last verification found.</param>
public sealed record AuditPage(IReadOnlyList<ReadEvent> Events, string? Next, IReadOnlyDictionary<Guid, AuditMember> Members, LogIntegrity Integrity)
{
    internal IReadOnlyList<Guid> Untold { get; init; } = [];
}

/// <summary>A member of staff as the log shows them.</summary>
/// <param name="Id">The account.</param>
/// <param name="Name">Display name.</param>
/// <param name="Roles">Their roles as people know them.</param>
public sealed record AuditMember(Guid Id, string Name, IReadOnlyList<string> Roles);

internal sealed class ViewAuditLogHandler(ClinicLog log) : IHandler<ViewAuditLog, AuditPage>
{
    public async Task<Result<AuditPage>> Handle(ViewAuditLog request, OperationScope scope, CancellationToken cancel)
    {
        var read = request.Query.Read(scope.Tenant.Zone, AuditQuery.Limit, AuditQuery.Cursor);
        var paging = request.Query.ReadPaging();
        if (read.Error is { } wrong) return paging.Error is { } both ? both.Fields.Aggregate(wrong, (all, field) => all.With(field.Key, field.Value)) : wrong;
        if (paging.Error is { } error) return error;

        await log.CatchUpAsync(cancel);
        var page = await log.PageAsync(read.Value.ToEvents(), paging.Value.Before, paging.Value.Limit, cancel);
        scope.Found(page.Events.Count, read.Value.Fields);
        if (page.Events.Count > 0)
            foreach (var person in read.Value.People) scope.Show(person);
        return new AuditPage(page.Events, page.Next?.ToString("N"), request.WithNames ? await scope.OpenStaff(cancel) : new Dictionary<Guid, AuditMember>(), LogIntegrity.Of(log)) { Untold = await log.UntoldAsync(page.Events, cancel) };
    }
}

/// <summary>Shows one event with everybody it names, who are registered as shown.</summary>
/// <param name="EventId">The event's id.</param>
/// <param name="WithNames">Whether the names of members of staff are opened.</param>
internal sealed record ViewAuditEvent(Guid EventId, bool WithNames = false) : IOperation<AuditEntry>
{
    public static Policy Policy { get; } = Policy.Reads("audit.viewed").Needs(Permission.AuditView).About(Resource.Clinic);
}

/// <summary>One event of the log.</summary>
/// <param name="Read">The event and its index.</param>
/// <param name="Members">Staff by account id; empty unless names were asked for.</param>
public sealed record AuditEntry(ReadEvent Read, IReadOnlyDictionary<Guid, AuditMember> Members)
{
    internal IReadOnlyList<Guid> Untold { get; init; } = [];
}

internal sealed class ViewAuditEventHandler(ClinicLog log) : IHandler<ViewAuditEvent, AuditEntry>
{
    public async Task<Result<AuditEntry>> Handle(ViewAuditEvent request, OperationScope scope, CancellationToken cancel)
    {
        await log.CatchUpAsync(cancel);
        scope.Concerns("event", request.EventId);
        if (await log.FindAsync(request.EventId, cancel) is not { } found) return PlatformErrors.NotFound;
        foreach (var person in found.Event.People()) scope.Show(person);
        return new AuditEntry(found, request.WithNames ? await scope.OpenStaff(cancel) : new Dictionary<Guid, AuditMember>()) { Untold = await log.UntoldAsync([found], cancel) };
    }
}

internal static class AuditPeople
{
    /// <summary>Everybody whose data an event is about.</summary>
    public static IEnumerable<Guid> People(this Chaperone.Ledger.LedgerEvent happened) => happened.Entity is { Type: "patient" } patient ? happened.Subjects.Append(patient.Id).Distinct() : happened.Subjects;

    /// <summary>The clinic's staff by account, opened; accounts of patients are left closed, as the log shows no patient's name.</summary>
    public static async Task<IReadOnlyDictionary<Guid, AuditMember>> OpenStaff(this OperationScope scope, CancellationToken cancel) =>
        (await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(member => member.PatientId == null), cancel))
            .ToDictionary(member => member.Id, member => new AuditMember(member.Id, member.Payload.Name, [.. member.Roles.Select(SignInFeature.DisplayName)]));
}
