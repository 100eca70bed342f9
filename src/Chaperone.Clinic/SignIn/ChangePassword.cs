using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.SignIn;

/// <summary>Sets one's own password, the current one having been checked. Trusted devices and other sessions end. False when the current one was wrong.</summary>
internal sealed record ChangePassword(OwnAttempt Attempt, bool CurrentIsRight, string? NewHash) : IOperation<bool>
{
    public static Policy Policy { get; } = Policy.Changes("auth.password_changed").Or("auth.locked").ForSelf("one's own password");

    public override string ToString() => nameof(ChangePassword);
}

internal sealed class ChangePasswordHandler : IHandler<ChangePassword, bool>
{
    public async Task<Result<bool>> Handle(ChangePassword request, OperationScope scope, CancellationToken cancel)
    {
        if (!request.CurrentIsRight || request.NewHash is null) return request.Attempt.Wrong(scope, "auth.password_changed");
        var id = scope.Actor.Id!.Value;
        var credential = await scope.OpenOne(scope.Db.Set<CredentialRow>().Where(row => row.Id == id), cancel);
        if (credential is null || credential.Payload.PasswordHash != request.Attempt.Hash) return PlatformErrors.Changed;
        credential.Payload = credential.Payload with { PasswordHash = request.NewHash };
        credential.PasswordChangedAt = scope.Now;
        await AccountEnds.EndAllAsync(scope, credential, scope.Actor.SessionId, cancel);
        await Attempts.ResetAsync(scope, Attempts.InSession(id), cancel);
        return true;
    }
}

/// <summary>Whether a one-time link works, and what for. Tells nothing about the account.</summary>
internal sealed record CheckLink(byte[]? TokenHash) : IOperation<string>
{
    public static Policy Policy { get; } = Policy.Unlogged("looks whether a link still works; shows nobody").ForAnybody("whoever has the link");
}

internal sealed class CheckLinkHandler(OneTimeLinks links) : IHandler<CheckLink, string>
{
    public async Task<Result<string>> Handle(CheckLink request, OperationScope scope, CancellationToken cancel)
    {
        var link = await links.FindAsync(scope, request.TokenHash, cancel);
        return link is { UsedAt: null } && link.ExpiresAt > scope.Now ? link.Purpose : SignInErrors.LinkEnded;
    }
}

/// <summary>Sets a password by a one-time link. All sessions and trusted devices of the account end; its second factor stays and is asked at the next sign-in.</summary>
internal sealed record UseLink(byte[] TokenHash, string NewHash) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("auth.password_reset_used").ForAnybody("whoever has the link");

    public override string ToString() => nameof(UseLink);
}

internal sealed class UseLinkHandler(OneTimeLinks links) : IHandler<UseLink, Done>
{
    public async Task<Result<Done>> Handle(UseLink request, OperationScope scope, CancellationToken cancel)
    {
        var link = await links.FindAsync(scope, request.TokenHash, cancel);
        if (link is null) return SignInErrors.LinkEnded;
        scope.Concerns("member", link.MemberId);
        // The update decides: of two at once the second finds it used.
        var used = await scope.Db.Set<OneTimeLinkRow>().Where(row => row.Id == link.Id && row.UsedAt == null && row.ExpiresAt > scope.Now).ExecuteUpdateAsync(set => set.SetProperty(row => row.UsedAt, scope.Now), cancel);
        var active = await scope.Db.Set<MemberRow>().AnyAsync(row => row.Id == link.MemberId && row.Status == MemberRow.Active, cancel);
        var credential = await scope.OpenOne(scope.Db.Set<CredentialRow>().Where(row => row.Id == link.MemberId), cancel);
        if (used != 1 || !active || credential is null) return SignInErrors.LinkEnded;
        credential.Payload = credential.Payload with { PasswordHash = request.NewHash };
        credential.PasswordChangedAt = scope.Now;
        await AccountEnds.EndAllAsync(scope, credential, null, cancel);
        await AccountEnds.UnlockAsync(scope, link.MemberId, cancel);
        return default(Done);
    }
}

/// <summary>Takes passwords and codes given inside a session, or with a one-time link, through their steps: count, compare and hash outside of transactions, decide.</summary>
internal sealed class AccountDesk(ReferenceMonitor monitor, Passwords passwords, NetworkLimit limit)
{
    public async Task<Result<Done>> StepUpAsync(HttpContext http, string? code, string? backupCode)
    {
        if (string.IsNullOrWhiteSpace(code) && string.IsNullOrWhiteSpace(backupCode)) return SignInErrors.CodeRefused;
        var attempt = await http.Run(new CountOwnAttempt());
        if (attempt.Error is { } error) return error;
        return Checked(await http.Run(new StepUp(attempt.Value, string.IsNullOrWhiteSpace(code) ? null : code, backupCode)), SignInErrors.CodeRefused);
    }

    public async Task<Result<BackupCodeList>> ConfirmAsync(HttpContext http, string? code)
    {
        var attempt = await http.Run(new CountOwnAttempt());
        if (attempt.Error is { } error) return error;
        var confirmed = await http.Run(new ConfirmEnrolment(attempt.Value, code ?? ""));
        return confirmed.Error is { } refused ? refused : confirmed.Value is { } codes ? codes : SignInErrors.CodeRefused;
    }

    public async Task<Result<Done>> ChangePasswordAsync(HttpContext http, string? current, string? wanted)
    {
        var me = await http.Run(new ViewMe());
        if (me.Error is { } nobody) return nobody;
        if (Passwords.Refusal(wanted ?? "", me.Value.Email, me.Value.Name) is { } refusal) return SignInErrors.PasswordRefused.With("new", refusal);
        var attempt = await http.Run(new CountOwnAttempt());
        if (attempt.Error is { } error) return error;
        var verdict = await passwords.CheckAsync(attempt.Value.Hash, current is { Length: <= Passwords.LongestLength } ? current : "", http.RequestAborted);
        if (verdict.Error is { } busy) return busy;
        string? hash = null;
        if (verdict.Value.IsRight)
        {
            var hashed = await passwords.HashAsync(wanted!, http.RequestAborted);
            if (hashed.Error is { } late) return late;
            hash = hashed.Value;
        }
        return Checked(await http.Run(new ChangePassword(attempt.Value, verdict.Value.IsRight, hash)), SignInErrors.PasswordWrong);
    }

    public async Task<Result<Done>> UseLinkAsync(HttpContext http, string? token, string? wanted)
    {
        var caller = http.Caller();
        if (limit.Enter(caller.Tenant.Id, caller.Source.Ip) is { } refused) return await refused.TellAsync(http, monitor, caller);
        var hash = SecretToken.HashOf(token);
        var works = await http.Run(new CheckLink(hash));
        if (works.Error is { } ended) return ended;
        limit.GiveBack(caller.Tenant.Id, caller.Source.Ip);
        if (Passwords.Refusal(wanted ?? "", caller.Tenant.Name) is { } refusal) return SignInErrors.PasswordRefused.With("new", refusal);
        var hashed = await passwords.HashAsync(wanted!, http.RequestAborted);
        if (hashed.Error is { } busy) return busy;
        return await monitor.Run(new UseLink(hash!, hashed.Value), caller, CancellationToken.None);
    }

    private static Result<Done> Checked(Result<bool> result, Error wrong) => result.Error is { } error ? error : result.Value ? default(Done) : wrong;
}
