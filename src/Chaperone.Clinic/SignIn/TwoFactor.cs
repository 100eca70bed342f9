using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.SignIn;

/// <summary>An authenticator secret as it is shown: to type and to scan.</summary>
public sealed record Enrolment(string Secret, string Uri);

/// <summary>Makes a new authenticator secret. It takes effect when a code of it confirms it; an authenticator in use stays until then, and needs step-up to be replaced.</summary>
internal sealed record StartEnrolment : IOperation<Enrolment>
{
    public static Policy Policy { get; } = Policy.Changes("auth.2fa_enrolment_started").ForSelf("one's own second factor", beforeEnrolment: true);
}

internal sealed class StartEnrolmentHandler : IHandler<StartEnrolment, Enrolment>
{
    public async Task<Result<Enrolment>> Handle(StartEnrolment request, OperationScope scope, CancellationToken cancel)
    {
        var id = scope.Actor.Id;
        var credential = await scope.OpenOne(scope.Db.Set<CredentialRow>().Where(row => row.Id == id), cancel);
        var member = await scope.OpenOne(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => row.Id == id), cancel);
        if (credential is null || member is null) return PlatformErrors.NotFound;
        if (credential.TwoFactorEnabled && !scope.Actor.State.IsSteppedUp(scope.Now)) return PlatformErrors.StepUpRequired;
        credential.Payload = credential.Payload with { PendingSecret = Totp.NewSecret() };
        return Of(scope, credential.Payload.PendingSecret!, member);
    }

    public static Enrolment Of(OperationScope scope, byte[] secret, MemberRow member) =>
        new(Totp.Text(secret), Totp.Uri(secret, scope.Tenant.Name, member.Payload.Email));
}

/// <summary>The secret that waits to be confirmed, for the page with the QR code; null when there is none.</summary>
internal sealed record ViewEnrolment : IOperation<PendingEnrolment>
{
    public static Policy Policy { get; } = Policy.Unlogged("that the secret was made is an event; this shows it to the same session's account").ForSelf("one's own second factor", beforeEnrolment: true);
}

/// <summary>The pending enrolment, or null in it.</summary>
internal sealed record PendingEnrolment(Enrolment? Enrolment, bool IsReplacement, bool IsRequired);

internal sealed class ViewEnrolmentHandler(Actors actors) : IHandler<ViewEnrolment, PendingEnrolment>
{
    public async Task<Result<PendingEnrolment>> Handle(ViewEnrolment request, OperationScope scope, CancellationToken cancel)
    {
        var id = scope.Actor.Id;
        var credential = await scope.OpenOne(scope.Db.Set<CredentialRow>().AsNoTracking().Where(row => row.Id == id), cancel);
        var member = await scope.OpenOne(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => row.Id == id), cancel);
        if (credential is null || member is null) return PlatformErrors.NotFound;
        if (credential.TwoFactorEnabled && !scope.Actor.State.IsSteppedUp(scope.Now)) return PlatformErrors.StepUpRequired;
        var secret = credential.Payload.PendingSecret;
        return new PendingEnrolment(secret is null ? null : StartEnrolmentHandler.Of(scope, secret, member), credential.TwoFactorEnabled, actors.NeedsTwoFactor(scope.Tenant, scope.Actor.Rights));
    }
}

/// <summary>Backup codes as shown, once.</summary>
internal sealed record BackupCodeList(IReadOnlyList<string> BackupCodes)
{
    public static async Task<BackupCodeList> MakeAsync(OperationScope scope, KeyRing keys, CredentialRow credential, CancellationToken cancel)
    {
        var codes = BackupCode.NewCodes();
        var key = await keys.BackupCodeKeyAsync(scope.Tenant.Id, cancel);
        credential.Payload = credential.Payload with { BackupCodes = [.. codes.Select(code => BackupCode.Kept(key, credential.Id, code)!)] };
        return new(codes);
    }

    public override string ToString() => nameof(BackupCodeList);
}

/// <summary>Turns two-factor on by a code of the new authenticator. Trusted devices and other sessions end. Null when the code was wrong.</summary>
internal sealed record ConfirmEnrolment(OwnAttempt Attempt, string Code) : IOperation<BackupCodeList?>
{
    public static Policy Policy { get; } = Policy.Changes("auth.2fa_enabled").Or("auth.2fa_failed", "auth.locked").ForSelf("one's own second factor", beforeEnrolment: true);
}

internal sealed class ConfirmEnrolmentHandler(KeyRing keys, SessionReader sessions) : IHandler<ConfirmEnrolment, BackupCodeList?>
{
    public async Task<Result<BackupCodeList?>> Handle(ConfirmEnrolment request, OperationScope scope, CancellationToken cancel)
    {
        var id = scope.Actor.Id!.Value;
        var credential = await scope.OpenOne(scope.Db.Set<CredentialRow>().Where(row => row.Id == id), cancel);
        if (credential?.Payload.PendingSecret is not { } secret) return SignInErrors.NothingToConfirm;
        if (credential.TwoFactorEnabled && !scope.Actor.State.IsSteppedUp(scope.Now)) return PlatformErrors.StepUpRequired;
        if (!request.Attempt.MayBeEvaluated || Totp.Match(secret, request.Code, scope.Now) is not { } step)
        {
            request.Attempt.Wrong(scope, "auth.2fa_failed");
            return (BackupCodeList?)null;
        }
        // A step of another secret says nothing about this one, so the last used step begins anew with it.
        await Attempts.BeginStepsAsync(scope, id, step, cancel);
        credential.Payload = credential.Payload with { AuthenticatorSecret = secret, PendingSecret = null };
        credential.TwoFactorEnabled = true;
        var codes = await BackupCodeList.MakeAsync(scope, keys, credential, cancel);
        await AccountEnds.EndAllAsync(scope, credential, scope.Actor.SessionId, cancel);
        await Attempts.ResetAsync(scope, Attempts.InSession(id), cancel);
        return await sessions.StepUpAsync(scope, scope.Actor.SessionId!.Value, cancel) ? codes : PlatformErrors.Changed;
    }
}

/// <summary>Makes new backup codes; the old ones end.</summary>
internal sealed record RegenerateBackupCodes : IOperation<BackupCodeList>
{
    public static Policy Policy { get; } = Policy.Changes("auth.backup_codes_generated").ForSelf("one's own second factor").WithStepUp();
}

internal sealed class RegenerateBackupCodesHandler(KeyRing keys) : IHandler<RegenerateBackupCodes, BackupCodeList>
{
    public async Task<Result<BackupCodeList>> Handle(RegenerateBackupCodes request, OperationScope scope, CancellationToken cancel)
    {
        var id = scope.Actor.Id;
        var credential = await scope.OpenOne(scope.Db.Set<CredentialRow>().Where(row => row.Id == id), cancel);
        if (credential is not { TwoFactorEnabled: true }) return SignInErrors.NotEnrolled;
        return await BackupCodeList.MakeAsync(scope, keys, credential, cancel);
    }
}

/// <summary>Turns one's own two-factor off, where nobody requires it.</summary>
internal sealed record DisableTwoFactor : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("auth.2fa_disabled").ForSelf("one's own second factor").WithStepUp();
}

internal sealed class DisableTwoFactorHandler(Actors actors) : IHandler<DisableTwoFactor, Done>
{
    public async Task<Result<Done>> Handle(DisableTwoFactor request, OperationScope scope, CancellationToken cancel)
    {
        var id = scope.Actor.Id;
        var credential = await scope.OpenOne(scope.Db.Set<CredentialRow>().Where(row => row.Id == id), cancel);
        if (credential is not { TwoFactorEnabled: true }) return SignInErrors.NotEnrolled;
        if (actors.NeedsTwoFactor(scope.Tenant, scope.Actor.Rights)) return SignInErrors.TwoFactorRequired;
        await TurnOffAsync(scope, credential, scope.Actor.SessionId, cancel);
        return default(Done);
    }

    public static Task TurnOffAsync(OperationScope scope, CredentialRow credential, Guid? butSession, CancellationToken cancel)
    {
        credential.TwoFactorEnabled = false;
        credential.Payload = credential.Payload with { AuthenticatorSecret = null, PendingSecret = null, BackupCodes = [] };
        return AccountEnds.EndAllAsync(scope, credential, butSession, cancel);
    }
}
