using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.SignIn;

/// <summary>Gives the second factor again: for five minutes operations that ask for it go ahead, and the network it came from counts as known.</summary>
internal sealed record StepUp(OwnAttempt Attempt, string? Code, string? BackupCode) : IOperation<bool>
{
    public static Policy Policy { get; } = Policy.Changes("auth.step_up").Or("auth.backup_code_used", "auth.2fa_failed", "auth.locked").ForSelf("one's own second factor", beforeEnrolment: true);
}

internal sealed class StepUpHandler(KeyRing keys, SessionReader sessions) : IHandler<StepUp, bool>
{
    public async Task<Result<bool>> Handle(StepUp request, OperationScope scope, CancellationToken cancel)
    {
        var id = scope.Actor.Id!.Value;
        var credential = await scope.OpenOne(scope.Db.Set<CredentialRow>().Where(row => row.Id == id), cancel);
        if (credential is not { TwoFactorEnabled: true }) return SignInErrors.NotEnrolled;
        if (!request.Attempt.MayBeEvaluated) return request.Attempt.Wrong(scope, "auth.2fa_failed");
        if (request.Code is { } code)
        {
            if (!await Attempts.TakeCodeAsync(scope, id, credential.Payload.AuthenticatorSecret!, code, cancel)) return request.Attempt.Wrong(scope, "auth.2fa_failed");
        }
        else
        {
            var kept = BackupCode.Kept(await keys.BackupCodeKeyAsync(scope.Tenant.Id, cancel), id, request.BackupCode ?? "");
            if (kept is null || BackupCode.Without(credential.Payload.BackupCodes, kept) is not { } rest) return request.Attempt.Wrong(scope, "auth.2fa_failed");
            credential.Payload = credential.Payload with { BackupCodes = rest };
            scope.RecordAs("auth.backup_code_used");
            scope.Note("left", rest.Count);
        }
        await Attempts.ResetAsync(scope, Attempts.InSession(id), cancel);
        return await sessions.StepUpAsync(scope, scope.Actor.SessionId!.Value, cancel) ? true : PlatformErrors.Changed;
    }
}
