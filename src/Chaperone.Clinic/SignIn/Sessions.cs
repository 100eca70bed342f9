using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Chaperone.Platform.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Chaperone.Clinic.SignIn;

/// <summary>The cookies of signing in. One form always: host-bound, secure, not for scripts.</summary>
internal static class SignInCookies
{
    public const string Session = "__Host-chaperone";
    public const string Device = "__Host-chaperone-device";

    public static void SetSession(HttpContext http, string token) => http.Response.Cookies.Append(Session, token, Options());

    public static void SetDevice(HttpContext http, string token, DateTimeOffset expires) => http.Response.Cookies.Append(Device, token, Options(expires));

    public static void DropSession(HttpContext http) => http.Response.Cookies.Delete(Session, Options());

    private static CookieOptions Options(DateTimeOffset? expires = null) =>
        new() { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/", Expires = expires, IsEssential = true };
}

/// <summary>What a request's one query found of its session. Without its proof nothing of it may be believed.</summary>
internal sealed record FoundSession(
    Guid Id, Guid MemberId, Guid SubjectId, Guid? PatientId, string Status, string[] Roles, long RightsVersion, bool TwoFactorEnabled, string Client, byte[] Network,
    DateTimeOffset LastSeenAt, DateTimeOffset? SecondFactorAt, DateTimeOffset AbsoluteEndsAt, byte[] Proof)
{
    public bool IsProven { get; init; }
}

/// <summary>Makes actors of accounts. Compiled rights are remembered by account and rights version only, so they never outlive a change.</summary>
internal sealed class Actors(TimeProvider clock)
{
    private const int MostRemembered = 20_000;
    private readonly ConcurrentDictionary<(Guid Member, long Version), ActorRights> compiled = new();

    /// <summary>What these roles allow.</summary>
    public static ActorRights Compile(IEnumerable<string> roles) =>
        ActorRights.Compile(roles.Select(code => BuiltInRole.TryFind(code, out var role) ? role : null).OfType<Role>().Select(role => new RoleAssignment(role)), [], []);

    /// <summary>Whether somebody with these roles needs a second factor in this clinic.</summary>
    public bool NeedsTwoFactor(Tenant tenant, ActorRights rights) => tenant.RequireTwoFactor || rights.AlwaysNeedsTwoFactor(clock.GetUtcNow());

    public Actor Of(Tenant tenant, Guid member, Guid? patient, string[] roles, long rightsVersion, bool twoFactor, Guid? session, DateTimeOffset? secondFactorAt)
    {
        if (!compiled.TryGetValue((member, rightsVersion), out var rights))
        {
            if (compiled.Count >= MostRemembered) compiled.Clear();
            compiled[(member, rightsVersion)] = rights = Compile(roles);
        }
        return new()
        {
            Kind = ActorKind.User,
            Id = member,
            PatientId = patient,
            Role = roles.FirstOrDefault(),
            SessionId = session,
            Rights = rights,
            State = new(Enrolled: twoFactor || !NeedsTwoFactor(tenant, rights), Elevated: false, SteppedUpAt: secondFactorAt, Suspended: false),
        };
    }
}

/// <summary>Reads sessions: one round trip, one indexed query. Writes only that they are in use, at most once a minute.</summary>
internal sealed class SessionReader(Databases databases, KeyRing keys, Proofs proofs, TimeProvider clock)
{
    private static readonly TimeSpan SeenEvery = TimeSpan.FromMinutes(1);

    private const string Query =
        """
        SELECT s.id, s.member_id, s.subject_id, m.patient_id, m.status, m.roles, m.rights_version, c.two_factor_enabled, s.client, s.network, s.last_seen_at, s.second_factor_at,
               s.absolute_ends_at, s.proof
          FROM clinic.session s
          JOIN clinic.member m ON m.tenant_id = s.tenant_id AND m.id = s.member_id
          JOIN clinic.credential c ON c.tenant_id = s.tenant_id AND c.id = s.member_id
         WHERE s.tenant_id = $1 AND s.token_hash = $2 AND s.ended_at IS NULL AND s.idle_ends_at > $3 AND s.absolute_ends_at > $3
        """;

    /// <summary>The session of this token in this clinic, or null: unknown, ended, expired, another clinic's.</summary>
    public async Task<FoundSession?> FindAsync(Tenant tenant, byte[] tokenHash, CancellationToken cancel)
    {
        var query = new NpgsqlBatchCommand(Query);
        query.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenant.Id });
        query.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = tokenHash });
        query.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = clock.GetUtcNow() });
        var session = await TenantTransaction.ReadOneAsync(databases.Shared, tenant.Id, query, row => new FoundSession(
            row.GetGuid(0), row.GetGuid(1), row.GetGuid(2), row.IsDBNull(3) ? null : row.GetGuid(3), row.GetString(4), row.GetFieldValue<string[]>(5), row.GetInt64(6), row.GetBoolean(7),
            row.GetString(8), row.GetFieldValue<byte[]>(9), row.GetFieldValue<DateTimeOffset>(10), row.IsDBNull(11) ? null : row.GetFieldValue<DateTimeOffset>(11),
            row.GetFieldValue<DateTimeOffset>(12), row.GetFieldValue<byte[]>(13)), cancel);
        if (session is null) return null;
        var claims = new SessionClaims(session.Id, session.SubjectId, session.MemberId, tokenHash, session.Network, session.AbsoluteEndsAt, session.SecondFactorAt, session.Client);
        return session with { IsProven = await proofs.HoldAsync(tenant.Id, claims, session.Proof, cancel) };
    }

    /// <summary>The session has just given its second factor, from this network: both are believed from now on, so the row is proved anew. False when its proof did not hold.</summary>
    public async Task<bool> StepUpAsync(OperationScope scope, Guid id, CancellationToken cancel)
    {
        var row = await scope.Db.Set<SessionRow>().AsNoTracking().Where(row => row.Id == id)
            .Select(row => new { row.SubjectId, row.MemberId, row.TokenHash, row.Network, row.AbsoluteEndsAt, row.SecondFactorAt, row.Client, row.Proof }).FirstOrDefaultAsync(cancel);
        if (row?.SubjectId is not { } subject) return false;
        var claims = new SessionClaims(id, subject, row.MemberId, row.TokenHash, row.Network, row.AbsoluteEndsAt, row.SecondFactorAt, row.Client);
        if (!await proofs.HoldAsync(scope.Tenant.Id, claims, row.Proof, cancel)) return false;
        var (now, network) = (scope.Now, await NetworkAsync(scope.Tenant, scope.Caller.Source.Ip, cancel));
        var proof = await proofs.OfAsync(scope.Tenant.Id, claims with { SecondFactorAt = now, Network = network }, cancel);
        await scope.Db.Set<SessionRow>().Where(row => row.Id == id)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.SecondFactorAt, now).SetProperty(row => row.Network, network).SetProperty(row => row.Proof, proof), cancel);
        return true;
    }

    /// <summary>Moves the idle end, when the last time was a minute ago.</summary>
    public async Task SeenAsync(Tenant tenant, FoundSession session, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        if (now - session.LastSeenAt < SeenEvery) return;
        await using var transaction = await TenantTransaction.BeginAsync(databases.App, tenant.Id, cancel);
        var seen = new NpgsqlBatchCommand("UPDATE clinic.session SET last_seen_at = $2, idle_ends_at = $3 WHERE tenant_id = $4 AND id = $1 AND ended_at IS NULL AND last_seen_at < $2");
        foreach (var value in new object[] { session.Id, now, now + SessionRow.Idle, tenant.Id }) seen.Parameters.Add(new() { Value = value });
        await transaction.CommitAsync([seen], cancel);
    }

    /// <summary>Blind index of the network an address belongs to: what a session is used from, without keeping the address.</summary>
    public async ValueTask<byte[]> NetworkAsync(Tenant tenant, string? ip, CancellationToken cancel) =>
        (await keys.BlindIndexAsync(tenant.Id, "session.network", cancel)).Exact(NetworkOf(ip));

    /// <summary>The /24 of an IPv4 address, the /48 of an IPv6 one.</summary>
    internal static string NetworkOf(string? ip)
    {
        if (!IPAddress.TryParse(ip, out var address)) return "none";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        return Convert.ToHexStringLower(bytes.AsSpan(0, address.AddressFamily == AddressFamily.InterNetwork ? 3 : 6));
    }
}
