using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.SignIn;

/// <summary>
/// Counts attempts before they are evaluated: of any number of parallel guesses at most five are. One statement, so that the count holds whoever else counts, in a
/// transaction that commits before the evaluation. The fifth sets the lock in advance; success takes it back.
/// </summary>
internal static class Attempts
{
    public const int Most = 5;

    public static readonly TimeSpan LockFor = TimeSpan.FromMinutes(30);

    /// <summary>Counts one attempt; the answer is the count with it. It may be evaluated when that is at most <see cref="Most"/>, and locks when it fails as the last.</summary>
    public static async Task<int> CountAsync(OperationScope scope, Guid id, CancellationToken cancel)
    {
        var (tenant, now, end) = (scope.Tenant.Id, scope.Now, scope.Now + LockFor);
        var counted = await scope.Db.Database.SqlQuery<int>($"""
            INSERT INTO clinic.sign_in_counter AS c (tenant_id, id, failed) VALUES ({tenant}, {id}, 1)
            ON CONFLICT (tenant_id, id) DO UPDATE SET
              failed = CASE WHEN c.locked_until <= {now} THEN 1 ELSE least(c.failed + 1, 1000000) END,
              locked_until = CASE WHEN c.locked_until <= {now} THEN NULL WHEN c.failed + 1 = {Most} THEN {end} ELSE c.locked_until END
            RETURNING failed AS "Value"
            """).ToListAsync(cancel);
        return counted[0];
    }

    /// <summary>It was them: the count starts again.</summary>
    public static Task ResetAsync(OperationScope scope, Guid id, CancellationToken cancel) =>
        scope.Db.Set<SignInCounterRow>().Where(row => row.Id == id)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.Failed, 0).SetProperty(row => row.LockedUntil, (DateTimeOffset?)null), cancel);

    /// <summary>It was neither right nor wrong (the code is still to come): this one attempt does not count, those before still do.</summary>
    public static Task GiveBackAsync(OperationScope scope, Guid id, CancellationToken cancel) =>
        scope.Db.Set<SignInCounterRow>().Where(row => row.Id == id && row.Failed > 0)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.LockedUntil, row => row.Failed <= Most ? null : row.LockedUntil).SetProperty(row => row.Failed, row => row.Failed - 1), cancel);

    /// <summary>Uses a time step of the account's authenticator; false when it or a later one was used before, on whichever node.</summary>
    public static async Task<bool> UseStepAsync(OperationScope scope, Guid member, long step, CancellationToken cancel)
    {
        var tenant = scope.Tenant.Id;
        return await scope.Db.Database.ExecuteSqlAsync($"""
            INSERT INTO clinic.sign_in_counter AS c (tenant_id, id, failed, last_totp_step) VALUES ({tenant}, {member}, 0, {step})
            ON CONFLICT (tenant_id, id) DO UPDATE SET last_totp_step = {step} WHERE c.last_totp_step IS NULL OR c.last_totp_step < {step}
            """, cancel) == 1;
    }

    /// <summary>A new secret is in effect: of it, this step and those before are used.</summary>
    public static Task BeginStepsAsync(OperationScope scope, Guid member, long step, CancellationToken cancel)
    {
        var tenant = scope.Tenant.Id;
        return scope.Db.Database.ExecuteSqlAsync($"""
            INSERT INTO clinic.sign_in_counter AS c (tenant_id, id, failed, last_totp_step) VALUES ({tenant}, {member}, 0, {step})
            ON CONFLICT (tenant_id, id) DO UPDATE SET last_totp_step = {step}
            """, cancel);
    }

    /// <summary>Checks a code against an authenticator secret and uses its step up.</summary>
    public static async Task<bool> TakeCodeAsync(OperationScope scope, Guid member, byte[] secret, string code, CancellationToken cancel) =>
        Totp.Match(secret, code, scope.Now) is { } step && await UseStepAsync(scope, member, step, cancel);

    /// <summary>
    /// The counter of codes and passwords given inside a session. Apart from the one of signing in, so that strangers cannot keep who is signed in from confirming, and not
    /// reset by signing in without a code. The account's id with its first bit turned: no id made by a clock.
    /// </summary>
    public static Guid InSession(Guid member)
    {
        Span<byte> bytes = stackalloc byte[16];
        _ = member.TryWriteBytes(bytes, bigEndian: true, out _);
        bytes[0] ^= 0x80;
        return new(bytes, bigEndian: true);
    }

    /// <summary>The counter of an address that nobody has: one of 256, so that inventing addresses fills no table, and doing the same work as for a real one.</summary>
    public static Guid StandIn(byte[] emailToken) => new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, emailToken[0]);
}
