using Chaperone.Ledger;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.SignIn;

/// <summary>A code or password about to be checked inside a session, counted already.</summary>
/// <param name="Count">The count with this attempt.</param>
/// <param name="Hash">The hash of the current password; null when the count is over.</param>
internal sealed record OwnAttempt(int Count, string? Hash)
{
    public bool MayBeEvaluated => Count <= Attempts.Most;

    /// <summary>Records what a wrong one leaves: the lock when it was the fifth, else the given action. Committed, so the operation answers false instead of an error.</summary>
    public bool Wrong(OperationScope scope, string action)
    {
        scope.Concerns("member", scope.Actor.Id!.Value);
        scope.RecordAs(Count == Attempts.Most ? "auth.locked" : action, EventOutcome.Failure);
        return false;
    }
}

/// <summary>Counts a code or password given inside a session, before it is evaluated.</summary>
internal sealed record CountOwnAttempt : IOperation<OwnAttempt>
{
    public static Policy Policy { get; } = Policy.Unlogged("counts an attempt before it is evaluated; what came of it is an event").ForSelf("one's own account", beforeEnrolment: true);
}

internal sealed class CountOwnAttemptHandler : IHandler<CountOwnAttempt, OwnAttempt>
{
    public async Task<Result<OwnAttempt>> Handle(CountOwnAttempt request, OperationScope scope, CancellationToken cancel)
    {
        var id = scope.Actor.Id!.Value;
        var credential = await scope.OpenOne(scope.Db.Set<CredentialRow>().AsNoTracking().Where(row => row.Id == id), cancel);
        var count = await Attempts.CountAsync(scope, Attempts.InSession(id), cancel);
        return new OwnAttempt(count, count <= Attempts.Most ? credential?.Payload.PasswordHash : null);
    }
}

/// <summary>What ends when an account's password or second factor changes, or the account itself.</summary>
internal static class AccountEnds
{
    /// <summary>Gives the account a new security stamp and ends every session but one, and every trusted device.</summary>
    public static async Task EndAllAsync(OperationScope scope, CredentialRow credential, Guid? butSession, CancellationToken cancel)
    {
        credential.SecurityStamp = scope.NewId();
        var (member, now) = (credential.Id, scope.Now);
        var sessions = await scope.Db.Set<SessionRow>().Where(row => row.MemberId == member && row.EndedAt == null && row.Id != butSession)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, now), cancel);
        var devices = await scope.Db.Set<TrustedDeviceRow>().Where(row => row.MemberId == member && row.RevokedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.RevokedAt, now), cancel);
        scope.Note("sessions_ended", sessions);
        scope.Note("devices_revoked", devices);
    }

    /// <summary>Forgets every count of the account, its devices' too.</summary>
    public static async Task UnlockAsync(OperationScope scope, Guid member, CancellationToken cancel)
    {
        await Attempts.ResetAsync(scope, member, cancel);
        await Attempts.ResetAsync(scope, Attempts.InSession(member), cancel);
        foreach (var device in await scope.Db.Set<TrustedDeviceRow>().Where(row => row.MemberId == member && row.RevokedAt == null).Select(row => row.Id).ToListAsync(cancel))
            await Attempts.ResetAsync(scope, device, cancel);
    }
}
