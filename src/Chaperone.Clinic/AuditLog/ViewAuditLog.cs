using System.Net;
using Chaperone.Clinic.Investigations;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
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
/// <param name="Query">Filters, limit, cursor and whether to count.</param>
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
    /// <summary>The cursor of the next newer ones, or null on the newest page.</summary>
    public string? Previous { get; init; }

    /// <summary>How many events the filters find, counted to <see cref="MostCounted"/>; null where nobody asked.</summary>
    public EventCount? Count { get; init; }

    /// <summary>Counting further would take longer than anybody wants to wait for a page.</summary>
    internal const int MostCounted = 10_000;

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
        var read = request.Query.Read(scope.Tenant.Zone, AuditQuery.Limit, AuditQuery.Cursor, AuditQuery.Newer, AuditQuery.Count);
        var paging = request.Query.ReadPaging();
        if (read.Error is { } wrong) return paging.Error is { } both ? both.Fields.Aggregate(wrong, (all, field) => all.With(field.Key, field.Value)) : wrong;
        if (paging.Error is { } error) return error;

        await log.CatchUpAsync(cancel);
        var (filter, (limit, before, after, counts)) = (read.Value.ToEvents().Within(scope), paging.Value);
        var page = await PageAsync(filter, before, after, limit, cancel);
        scope.Found(page.Events.Count, read.Value.Fields);
        if (page.Events.Count > 0)
            foreach (var person in read.Value.People) scope.Show(person);
        return new AuditPage(page.Events, page.Next?.ToString("N"), request.WithNames ? await scope.OpenStaff(cancel) : new Dictionary<Guid, AuditMember>(), LogIntegrity.Of(log))
        {
            Previous = page.Previous?.ToString("N"),
            Count = counts || request.WithNames ? await log.CountAsync(filter, AuditPage.MostCounted, cancel) : null,
            Untold = await log.UntoldAsync(page.Events, cancel),
        };
    }

    // The newest page is always a whole one: going back to it shows it as it is now, not the few events that came since.
    private async Task<EventPage> PageAsync(EventFilter filter, Guid? before, Guid? after, int limit, CancellationToken cancel)
    {
        if (after is { } cursor && await log.NewerAsync(filter, cursor, limit, cancel) is { Previous: not null } newer) return newer;
        return await log.PageAsync(filter, before, limit, cancel);
    }
}

/// <summary>The token that stands for a client's address in links, so that the address itself does not.</summary>
/// <param name="Address">As typed: IPv4 or IPv6. Null for a form without one, which asks whether the log may be read at all; its token is empty.</param>
internal sealed record TokenOfAddress(string? Address) : IOperation<string>
{
    public static Policy Policy { get; } = Policy.Unlogged("works out what stands for an address; looking for its events is what is logged").Needs(Permission.AuditView).About(Resource.Clinic);
}

internal sealed class TokenOfAddressHandler(ClinicLog log) : IHandler<TokenOfAddress, string>
{
    public async Task<Result<string>> Handle(TokenOfAddress request, OperationScope scope, CancellationToken cancel)
    {
        if (request.Address is null) return "";
        // Only what is an address in full: .NET also takes "1" for one.
        if (!IPAddress.TryParse(request.Address.Trim(), out var address) || (!request.Address.Contains(':', StringComparison.Ordinal) && request.Address.Count(letter => letter == '.') != 3))
            return AuditErrors.BadFilter.With(AuditQuery.Address, "Enter an address such as 192.0.2.44 or 2001:db8::1.");
        return Convert.ToHexStringLower(await log.IpTokenAsync((address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString(), cancel));
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
    /// <summary>What the same session did before, or null.</summary>
    public ReadEvent? Before { get; init; }

    /// <summary>What it did next, or null.</summary>
    public ReadEvent? After { get; init; }

    /// <summary>The investigations it is in, of those that who asks may read.</summary>
    public IReadOnlyList<(Guid Id, int Number)> Cases { get; init; } = [];

    internal IReadOnlyList<Guid> Untold { get; init; } = [];
}

internal sealed class ViewAuditEventHandler(ClinicLog log) : IHandler<ViewAuditEvent, AuditEntry>
{
    private const int Near = 50;
    private static readonly TimeSpan LongestSession = TimeSpan.FromHours(12);

    public async Task<Result<AuditEntry>> Handle(ViewAuditEvent request, OperationScope scope, CancellationToken cancel)
    {
        await log.CatchUpAsync(cancel);
        scope.Concerns("event", request.EventId);
        if (await log.FindAsync(request.EventId, cancel) is not { } found) return PlatformErrors.NotFound;
        if (found.Event.At < AuditPlan.ShownFrom(scope.Tenant, scope.Now)) return AuditErrors.NotInPlan;
        foreach (var person in found.Event.People()) scope.Show(person);
        return new AuditEntry(found, request.WithNames ? await scope.OpenStaff(cancel) : new Dictionary<Guid, AuditMember>())
        {
            Before = request.WithNames ? await NeighbourAsync(found.Event, older: true, scope, cancel) : null,
            After = request.WithNames ? await NeighbourAsync(found.Event, older: false, scope, cancel) : null,
            Cases = request.WithNames ? await CaseRules.OfEventAsync(scope, request.EventId, cancel) : [],
            Untold = await log.UntoldAsync([found], cancel),
        };
    }

    // The session stands in the sealed body only, so the account's events next to this one are looked through; somebody with many sessions at once may have none among them.
    private async Task<ReadEvent?> NeighbourAsync(LedgerEvent happened, bool older, OperationScope scope, CancellationToken cancel)
    {
        if (happened.Actor is not { Id: { } actor, Session: { } session }) return null;
        var filter = new EventFilter { Actor = actor, From = happened.At - LongestSession, To = happened.At + LongestSession }.Within(scope);
        var near = older ? await log.PageAsync(filter, happened.Id, Near, cancel) : await log.NewerAsync(filter, happened.Id, Near, cancel);
        return (older ? near.Events : near.Events.Reverse()).FirstOrDefault(read => read.IsReadable && read.Event.Actor.Session == session);
    }
}

internal static class AuditPeople
{
    /// <summary>Everybody whose data an event is about.</summary>
    public static IEnumerable<Guid> People(this LedgerEvent happened) => happened.Entity is { Type: "patient" } patient ? happened.Subjects.Append(patient.Id).Distinct() : happened.Subjects;

    /// <summary>The clinic's staff by account, opened; accounts of patients are left closed, as the log shows no patient's name.</summary>
    public static Task<IReadOnlyDictionary<Guid, AuditMember>> OpenStaff(this OperationScope scope, CancellationToken cancel) => OpenStaff(scope, null, cancel);

    /// <summary>Those of the staff, opened: where not everybody's name is shown, nobody else is registered.</summary>
    public static async Task<IReadOnlyDictionary<Guid, AuditMember>> OpenStaff(this OperationScope scope, IReadOnlyCollection<Guid>? ids, CancellationToken cancel) =>
        (await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(member => member.PatientId == null && (ids == null || ids.Contains(member.Id))), cancel))
            .ToDictionary(member => member.Id, member => new AuditMember(member.Id, member.Payload.Name, [.. member.Roles.Select(SignInFeature.DisplayName)]));
}
