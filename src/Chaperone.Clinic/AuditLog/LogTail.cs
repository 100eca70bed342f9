using System.Text.Json.Serialization.Metadata;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Chaperone.Platform.Tenancy;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.AuditLog;

/// <summary>What a page that follows the log was told to follow.</summary>
internal sealed record LogTailDetails(IReadOnlyDictionary<string, string> Filter) : ISealedPayload<LogTailDetails>
{
    public static JsonTypeInfo<LogTailDetails> Json => LogViewJson.Default.LogTailDetails;
}

/// <summary>A page that follows the log. <see cref="SealedRow.SubjectId"/> is who follows.</summary>
internal sealed class LogTailRow : SealedRow<LogTailDetails>
{
    /// <summary>A page that has not asked for so long was closed.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromMinutes(2);

    public DateTimeOffset SeenAt { get; set; }

    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>Events it was given.</summary>
    public long Shown { get; set; }

    public static void Model(ModelBuilder model) => model.Entity<LogTailRow>(row => row.ToTable("log_tail").HasAnnotation(RowWriter.Untracked, "start and end are events"));
}

/// <summary>Begins to follow the log. Everybody whose name may be shown meanwhile stands in the event, because the looks that follow leave none.</summary>
internal sealed record StartLogTail(AuditQuery Query) : IOperation<Guid>
{
    public static Policy Policy { get; } = Policy.Changes("audit.tail_started").Needs(Permission.AuditView).About(Resource.Clinic);
}

internal sealed class StartLogTailHandler : IHandler<StartLogTail, Guid>
{
    public async Task<Result<Guid>> Handle(StartLogTail request, OperationScope scope, CancellationToken cancel)
    {
        var query = request.Query.FiltersOnly.Without(AuditQuery.From, AuditQuery.To);
        var filter = query.Read(scope.Tenant.Zone);
        if (filter.Error is { } wrong) return wrong;
        await scope.OpenStaff(cancel);
        foreach (var person in filter.Value.People) scope.Show(person);
        var row = new LogTailRow { Id = scope.NewId(), SubjectId = scope.Actor.Id, SeenAt = scope.Now, Payload = new(query.Values) };
        scope.Add(row);
        scope.Concerns("log_tail", row.Id);
        if (filter.Value.Fields is { Length: > 0 } fields) scope.Note("filter", string.Join('.', fields));
        return row.Id;
    }
}

/// <summary>What a following page shows.</summary>
/// <param name="Query">What it follows.</param>
/// <param name="Events">Newest first; those asked for after some time begin a little before it.</param>
/// <param name="Members">Staff by account, as at the start.</param>
public sealed record LogTailView(AuditQuery Query, IReadOnlyList<ReadEvent> Events, IReadOnlyDictionary<Guid, AuditMember> Members)
{
    internal IReadOnlyList<Guid> Untold { get; init; } = [];
}

/// <summary>Gives a following page the newest events, or those since one it has.</summary>
/// <param name="Id">The tail.</param>
/// <param name="After">The newest event that the page has; null for the first look.</param>
internal sealed record WatchLog(Guid Id, Guid? After = null) : IOperation<LogTailView>
{
    public static Policy Policy { get; } = Policy.Unlogged("one of the many looks of a page that follows the log; its start and its end are events, with how many events it was given").Needs(Permission.AuditView).About(Resource.Clinic);
}

internal sealed class WatchLogHandler(ClinicLog log) : IHandler<WatchLog, LogTailView>
{
    private const int First = 50, Most = 500;

    // Ids are of the moment an event was made; one that was made before another may be committed a little after it.
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(5);

    public async Task<Result<LogTailView>> Handle(WatchLog request, OperationScope scope, CancellationToken cancel)
    {
        if (await scope.OpenOne(LogTails.Own(scope, request.Id).AsNoTracking(), cancel) is not { } tail) return PlatformErrors.NotFound;
        var query = new AuditQuery(tail.Payload.Filter);
        var filter = query.Read(scope.Tenant.Zone);
        if (filter.Error is { } wrong) return wrong;
        await log.CatchUpAsync(cancel);
        var events = filter.Value.ToEvents();
        if (request.After is { } after) events = events with { From = new EventMark(after, "", "", null).At - Overlap };
        var page = await log.PageAsync(events, null, request.After is null ? First : Most, cancel);
        var fresh = request.After is { } known ? page.Events.Count(read => read.Event.Id.CompareTo(known) > 0) : page.Events.Count;
        await LogTails.Own(scope, request.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.SeenAt, scope.Now).SetProperty(row => row.Shown, row => row.Shown + fresh), cancel);
        return new LogTailView(query, page.Events, await StaffAsync(scope, request.Id, cancel)) { Untold = await log.UntoldAsync(page.Events, cancel) };
    }

    // Those who were registered with the start, and so the accounts made before it.
    private static async Task<IReadOnlyDictionary<Guid, AuditMember>> StaffAsync(OperationScope scope, Guid since, CancellationToken cancel) =>
        (await scope.OpenCandidates(scope.Db.Set<MemberRow>().AsNoTracking().Where(member => member.PatientId == null), cancel)).Where(member => member.Id.CompareTo(since) < 0)
            .ToDictionary(member => member.Id, member => new AuditMember(member.Id, member.Payload.Name, [.. member.Roles.Select(SignInFeature.DisplayName)]));
}

/// <summary>Ends following.</summary>
internal sealed record EndLogTail(Guid Id) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("audit.tail_ended").Needs(Permission.AuditView).About(Resource.Clinic);
}

internal sealed class EndLogTailHandler : IHandler<EndLogTail, Done>
{
    public async Task<Result<Done>> Handle(EndLogTail request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("log_tail", request.Id);
        return await LogTails.EndAsync(scope, LogTails.Own(scope, request.Id), cancel) ? default(Done) : PlatformErrors.NotFound;
    }
}

/// <summary>The tails whose pages were closed without a word.</summary>
internal sealed record ListSilentTails : IOperation<IReadOnlyList<Guid>>
{
    public static Policy Policy { get; } = Policy.Unlogged("ids of pages that were closed; ending each leaves its event").ForSystem("the scheduler's work");
}

internal sealed class ListSilentTailsHandler : IHandler<ListSilentTails, IReadOnlyList<Guid>>
{
    public async Task<Result<IReadOnlyList<Guid>>> Handle(ListSilentTails request, OperationScope scope, CancellationToken cancel)
    {
        var (before, old) = (scope.Now - LogTailRow.Silence, scope.Now - TimeSpan.FromDays(7));
        await scope.Db.Set<LogTailRow>().Where(tail => tail.EndedAt < old).ExecuteDeleteAsync(cancel);
        return await scope.Db.Set<LogTailRow>().Where(tail => tail.EndedAt == null && tail.SeenAt < before).OrderBy(tail => tail.SeenAt).Select(tail => tail.Id).Take(1000).ToListAsync(cancel);
    }
}

/// <summary>Ends a tail whose page was closed without a word.</summary>
internal sealed record EndSilentTail(Guid Id) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("audit.tail_ended").ForSystem("the page that should end it is closed");
}

internal sealed class EndSilentTailHandler : IHandler<EndSilentTail, Done>
{
    public async Task<Result<Done>> Handle(EndSilentTail request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("log_tail", request.Id);
        scope.Because("silent");
        return await LogTails.EndAsync(scope, scope.Db.Set<LogTailRow>().Where(tail => tail.Id == request.Id), cancel) ? default(Done) : PlatformErrors.NotFound;
    }
}

/// <summary>Ends every clinic's silent tails, each minute.</summary>
internal sealed class SilentTails(ReferenceMonitor monitor, TenantDirectory clinics)
{
    public static readonly TimeSpan Every = TimeSpan.FromMinutes(1);
    private static readonly CallSource Source = new("job", "tails");

    public async Task EndAllAsync(CancellationToken cancel)
    {
        foreach (var clinic in await clinics.AllAsync(cancel))
        {
            var caller = new Caller(clinic, Actor.System, Source);
            var silent = await monitor.Run(new ListSilentTails(), caller, cancel);
            if (silent.Error is not null) continue;
            foreach (var tail in silent.Value) await monitor.Run(new EndSilentTail(tail), caller, cancel);
        }
    }
}

internal static class LogTails
{
    /// <summary>The actor's own, while it runs.</summary>
    public static IQueryable<LogTailRow> Own(OperationScope scope, Guid id)
    {
        var me = scope.Actor.Id;
        return scope.Db.Set<LogTailRow>().Where(tail => tail.Id == id && tail.SubjectId == me && tail.EndedAt == null);
    }

    /// <summary>Ends it once, and notes in the event how much it was given, and whose it was.</summary>
    public static async Task<bool> EndAsync(OperationScope scope, IQueryable<LogTailRow> tail, CancellationToken cancel)
    {
        var open = tail.Where(row => row.EndedAt == null);
        if (await open.Select(row => new { row.Shown, row.SubjectId }).FirstOrDefaultAsync(cancel) is not { } was) return false;
        if (await open.ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, scope.Now), cancel) == 0) return false;
        scope.Note("shown", was.Shown);
        scope.Show(was.SubjectId!.Value);
        return true;
    }
}
