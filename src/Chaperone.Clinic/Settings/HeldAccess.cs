using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Settings;

/// <summary>A page of what people hold, the newest first.</summary>
/// <param name="Items">What.</param>
/// <param name="Next">Cursor of the next page; null on the last.</param>
public sealed record HeldPage<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>Somebody's session that works at this moment.</summary>
/// <param name="Id">The session.</param>
/// <param name="MemberId">Whose.</param>
/// <param name="MemberName">Their name.</param>
/// <param name="IsThis">Whether it is the one that asks.</param>
/// <param name="IsOwn">Whether it is one's own, this or another.</param>
/// <param name="Client">Browser engine and operating system.</param>
/// <param name="Ip">The address it began from.</param>
/// <param name="UserAgent">What the browser said it was then.</param>
/// <param name="CreatedAt">When it began.</param>
/// <param name="LastSeenAt">When it was last used, to the minute.</param>
/// <param name="FromTrustedDevice">Whether the device is remembered.</param>
public sealed record HeldSession(
    Guid Id, Guid MemberId, string MemberName, bool IsThis, bool IsOwn, string Client, string? Ip, string? UserAgent, DateTimeOffset CreatedAt, DateTimeOffset LastSeenAt, bool FromTrustedDevice);

/// <summary>Somebody's device that is remembered and asks for no code.</summary>
/// <param name="Id">The device.</param>
/// <param name="MemberId">Whose.</param>
/// <param name="MemberName">Their name.</param>
/// <param name="IsOwn">Whether it is one's own.</param>
/// <param name="Client">Browser engine and operating system.</param>
/// <param name="Ip">The address it was remembered from.</param>
/// <param name="UserAgent">What the browser said it was then.</param>
/// <param name="CreatedAt">Since when.</param>
/// <param name="LastUsedAt">When somebody last signed in with it.</param>
/// <param name="ExpiresAt">Until when.</param>
public sealed record HeldDevice(
    Guid Id, Guid MemberId, string MemberName, bool IsOwn, string Client, string? Ip, string? UserAgent, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt, DateTimeOffset ExpiresAt);

/// <summary>Everybody's sessions, the newest first, page by page.</summary>
/// <param name="Limit">On a page, 1 to 200.</param>
/// <param name="Cursor">As given in <see cref="HeldPage{T}.Next"/>; null for the first page.</param>
internal sealed record ListSessions(int Limit = 50, string? Cursor = null) : IOperation<HeldPage<HeldSession>>
{
    public static Policy Policy { get; } = Policy.Reads("auth.sessions_viewed").Needs(Permission.SecurityManage).About(Resource.Clinic);
}

/// <summary>Everybody's trusted devices, the newest first, page by page.</summary>
/// <param name="Limit">On a page, 1 to 200.</param>
/// <param name="Cursor">As given in <see cref="HeldPage{T}.Next"/>; null for the first page.</param>
internal sealed record ListDevices(int Limit = 50, string? Cursor = null) : IOperation<HeldPage<HeldDevice>>
{
    public static Policy Policy { get; } = Policy.Reads("auth.devices_viewed").Needs(Permission.SecurityManage).About(Resource.Clinic);
}

internal sealed class ListHeldHandler : IHandler<ListSessions, HeldPage<HeldSession>>, IHandler<ListDevices, HeldPage<HeldDevice>>
{
    private const int MostAtOnce = 200;

    public Task<Result<HeldPage<HeldSession>>> Handle(ListSessions request, OperationScope scope, CancellationToken cancel) =>
        PageAsync(scope, AccountLists.Working(scope), request.Limit, request.Cursor, row => row.MemberId, (row, name) => new HeldSession(
            row.Id, row.MemberId, name, row.Id == scope.Actor.SessionId, row.MemberId == scope.Actor.Id, row.Client, row.Payload.Ip, row.Payload.UserAgent, row.CreatedAt, row.LastSeenAt, row.DeviceId is not null), cancel);

    public Task<Result<HeldPage<HeldDevice>>> Handle(ListDevices request, OperationScope scope, CancellationToken cancel) =>
        PageAsync(scope, AccountLists.Remembered(scope), request.Limit, request.Cursor, row => row.MemberId, (row, name) => new HeldDevice(
            row.Id, row.MemberId, name, row.MemberId == scope.Actor.Id, row.Client, row.Payload.Ip, row.Payload.UserAgent, row.CreatedAt, row.LastUsedAt, row.ExpiresAt), cancel);

    // Ids are by time, so the newest stand first without an index of their own.
    private static async Task<Result<HeldPage<T>>> PageAsync<TRow, T>(OperationScope scope, IQueryable<TRow> all, int limit, string? cursor, Func<TRow, Guid> whose, Func<TRow, string, T> view, CancellationToken cancel) where TRow : SealedRow
    {
        var before = Guid.Empty;
        if (limit is < 1 or > MostAtOnce || (cursor is not null && !Guid.TryParse(cursor, out before))) return PlatformErrors.Malformed;
        var rows = all.AsNoTracking();
        if (cursor is not null) rows = rows.Where(row => row.Id < before);
        var found = await scope.OpenCandidates(rows.OrderByDescending(row => row.Id).Take(limit + 1), cancel);
        var page = found.OrderByDescending(row => row.Id).Take(limit).ToArray();
        foreach (var row in page) scope.Show(row);
        Guid[] members = [.. page.Select(whose).Distinct()];
        var names = (await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(member => members.Contains(member.Id)), cancel)).ToDictionary(member => member.Id, member => member.Payload.Name);
        return new HeldPage<T>([.. page.Select(row => view(row, names[whose(row)]))], found.Count > limit ? page[^1].Id.ToString() : null);
    }
}

/// <summary>Ends somebody's session.</summary>
/// <param name="Session">Which.</param>
/// <param name="Of">Whose it must be; null for anybody's.</param>
internal sealed record EndSession(Guid Session, Guid? Of = null) : IOperation<Done>, IAbout
{
    /// <summary>Every session of the clinic is within reach of who manages security; one's own is own.</summary>
    private static readonly Resource OfSession = Resource.Define("session", "SELECT CASE WHEN member_id = $2 THEN 4 ELSE 1 END FROM clinic.session WHERE id = $1");

    public static Policy Policy { get; } = Policy.Changes("auth.session_ended").Needs(Permission.SecurityManage).About(OfSession);

    public Guid ResourceId => Session;
}

/// <summary>Forgets somebody's trusted device.</summary>
/// <param name="Device">Which.</param>
/// <param name="Of">Whose it must be; null for anybody's.</param>
internal sealed record RevokeDevice(Guid Device, Guid? Of = null) : IOperation<Done>, IAbout
{
    private static readonly Resource OfDevice = Resource.Define("device", "SELECT CASE WHEN member_id = $2 THEN 4 ELSE 1 END FROM clinic.trusted_device WHERE id = $1");

    public static Policy Policy { get; } = Policy.Changes("auth.device_revoked").Needs(Permission.SecurityManage).About(OfDevice);

    public Guid ResourceId => Device;
}

internal sealed class EndHeldHandler : IHandler<EndSession, Done>, IHandler<RevokeDevice, Done>
{
    public async Task<Result<Done>> Handle(EndSession request, OperationScope scope, CancellationToken cancel) =>
        await AccountLists.EndSessionAsync(scope, request.Of ?? await AccountLists.Working(scope).Where(row => row.Id == request.Session).Select(row => row.MemberId).FirstOrDefaultAsync(cancel), request.Session, cancel);

    public async Task<Result<Done>> Handle(RevokeDevice request, OperationScope scope, CancellationToken cancel) =>
        await AccountLists.RevokeDeviceAsync(scope, request.Of ?? await AccountLists.Remembered(scope).Where(row => row.Id == request.Device).Select(row => row.MemberId).FirstOrDefaultAsync(cancel), request.Device, cancel);
}
