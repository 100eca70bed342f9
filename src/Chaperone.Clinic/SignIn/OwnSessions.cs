using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.SignIn;

/// <summary>A session as shown to its person or an administrator.</summary>
public sealed record SessionView(Guid Id, bool IsThis, string Client, string? Ip, DateTimeOffset CreatedAt, DateTimeOffset LastSeenAt, bool FromTrustedDevice);

/// <summary>A trusted device as shown to its person or an administrator.</summary>
public sealed record DeviceView(Guid Id, string Client, string? Ip, DateTimeOffset CreatedAt, DateTimeOffset LastUsedAt, DateTimeOffset ExpiresAt);

/// <summary>Reads an account's sessions and devices.</summary>
internal static class AccountLists
{
    public const int Most = 100;

    /// <summary>Sessions that work at this moment, everybody's.</summary>
    public static IQueryable<SessionRow> Working(OperationScope scope) => scope.Db.Set<SessionRow>().Where(row => row.EndedAt == null && row.IdleEndsAt > scope.Now && row.AbsoluteEndsAt > scope.Now);

    /// <summary>Devices that are remembered at this moment, everybody's.</summary>
    public static IQueryable<TrustedDeviceRow> Remembered(OperationScope scope) => scope.Db.Set<TrustedDeviceRow>().Where(row => row.RevokedAt == null && row.ExpiresAt > scope.Now);

    public static async Task<IReadOnlyList<SessionView>> SessionsAsync(OperationScope scope, Guid member, CancellationToken cancel)
    {
        var rows = await scope.Open(Working(scope).AsNoTracking().Where(row => row.MemberId == member).OrderByDescending(row => row.LastSeenAt).Take(Most), cancel);
        return [.. rows.Select(row => new SessionView(row.Id, row.Id == scope.Actor.SessionId, row.Client, row.Payload.Ip, row.CreatedAt, row.LastSeenAt, row.DeviceId is not null)).OrderByDescending(view => view.LastSeenAt)];
    }

    public static async Task<IReadOnlyList<DeviceView>> DevicesAsync(OperationScope scope, Guid member, CancellationToken cancel)
    {
        var rows = await scope.Open(Remembered(scope).AsNoTracking().Where(row => row.MemberId == member).OrderByDescending(row => row.LastUsedAt).Take(Most), cancel);
        return [.. rows.Select(row => new DeviceView(row.Id, row.Client, row.Payload.Ip, row.CreatedAt, row.LastUsedAt, row.ExpiresAt)).OrderByDescending(view => view.LastUsedAt)];
    }

    public static async Task<Result<Done>> EndSessionAsync(OperationScope scope, Guid member, Guid session, CancellationToken cancel)
    {
        scope.Concerns("session", session);
        scope.Note("of", member.ToString());
        var ended = await scope.Db.Set<SessionRow>().Where(row => row.Id == session && row.MemberId == member && row.EndedAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, scope.Now), cancel);
        return ended == 1 ? default(Done) : PlatformErrors.NotFound;
    }

    public static async Task<Result<Done>> RevokeDeviceAsync(OperationScope scope, Guid member, Guid device, CancellationToken cancel)
    {
        scope.Concerns("device", device);
        scope.Note("of", member.ToString());
        var revoked = await scope.Db.Set<TrustedDeviceRow>().Where(row => row.Id == device && row.MemberId == member && row.RevokedAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.RevokedAt, scope.Now), cancel);
        return revoked == 1 ? default(Done) : PlatformErrors.NotFound;
    }
}

/// <summary>One's own sessions.</summary>
internal sealed record ListOwnSessions : IOperation<IReadOnlyList<SessionView>>
{
    public static Policy Policy { get; } = Policy.Reads("auth.sessions_viewed").ForSelf("one's own sessions");
}

internal sealed class ListOwnSessionsHandler : IHandler<ListOwnSessions, IReadOnlyList<SessionView>>
{
    public async Task<Result<IReadOnlyList<SessionView>>> Handle(ListOwnSessions request, OperationScope scope, CancellationToken cancel) =>
        Result<IReadOnlyList<SessionView>>.Of(await AccountLists.SessionsAsync(scope, scope.Actor.Id!.Value, cancel));
}

/// <summary>Ends one of one's own sessions.</summary>
internal sealed record EndOwnSession(Guid Session) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("auth.session_ended").ForSelf("one's own sessions");
}

internal sealed class EndOwnSessionHandler : IHandler<EndOwnSession, Done>
{
    public Task<Result<Done>> Handle(EndOwnSession request, OperationScope scope, CancellationToken cancel) => AccountLists.EndSessionAsync(scope, scope.Actor.Id!.Value, request.Session, cancel);
}

/// <summary>One's own trusted devices.</summary>
internal sealed record ListOwnDevices : IOperation<IReadOnlyList<DeviceView>>
{
    public static Policy Policy { get; } = Policy.Reads("auth.devices_viewed").ForSelf("one's own devices");
}

internal sealed class ListOwnDevicesHandler : IHandler<ListOwnDevices, IReadOnlyList<DeviceView>>
{
    public async Task<Result<IReadOnlyList<DeviceView>>> Handle(ListOwnDevices request, OperationScope scope, CancellationToken cancel) =>
        Result<IReadOnlyList<DeviceView>>.Of(await AccountLists.DevicesAsync(scope, scope.Actor.Id!.Value, cancel));
}

/// <summary>Forgets one of one's own devices.</summary>
internal sealed record RevokeOwnDevice(Guid Device) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("auth.device_revoked").ForSelf("one's own devices");
}

internal sealed class RevokeOwnDeviceHandler : IHandler<RevokeOwnDevice, Done>
{
    public Task<Result<Done>> Handle(RevokeOwnDevice request, OperationScope scope, CancellationToken cancel) => AccountLists.RevokeDeviceAsync(scope, scope.Actor.Id!.Value, request.Device, cancel);
}
