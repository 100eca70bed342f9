using Chaperone.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.SignIn;

/// <summary>What signing in came to.</summary>
internal enum SignInStatus
{
    SignedIn,
    CodeRequired,
    EnrolmentRequired,
    Refused,
}

/// <summary>Who might be signing in, as far as the address or a pending ticket says; everything needed to check without holding a connection.</summary>
/// <param name="Member">The account; null for an address that nobody has.</param>
/// <param name="Hash">The hash to compare with; null when there is nothing that could be right: unknown, locked, suspended, no password yet.</param>
/// <param name="Stamp">The account's security stamp.</param>
/// <param name="Counter">Where the attempt was counted.</param>
/// <param name="Count">The count with this attempt.</param>
/// <param name="Device">The trusted device, when the request came with one that counts.</param>
/// <param name="Typed">Blind index of the typed address.</param>
internal sealed record SignInCandidate(Guid? Member, string? Hash, Guid Stamp, Guid Counter, int Count, Guid? Device, string? Typed)
{
    public bool MayBeEvaluated => Count <= Attempts.Most;

    public bool LocksWhenWrong => Member is not null && Count == Attempts.Most;
}

/// <summary>Counts the attempt and finds what to compare with. Committed before anything is compared.</summary>
/// <remarks>A trusted device counts only where no code is given: guesses at codes are always counted with the account.</remarks>
internal sealed record BeginSignIn(string? Email, PendingSignIn? Pending, byte[]? DeviceHash) : IOperation<SignInCandidate>
{
    public static Policy Policy { get; } = Policy.Unlogged("counts an attempt before it is evaluated; what came of it is the event of FinishSignIn").ForAnybody("signing in");
}

internal sealed class BeginSignInHandler(Proofs proofs) : IHandler<BeginSignIn, SignInCandidate>
{
    // The same statements whether or not there is such an account.
    public async Task<Result<SignInCandidate>> Handle(BeginSignIn request, OperationScope scope, CancellationToken cancel)
    {
        var token = request.Email is { } email ? await MemberAddress.TokenAsync(scope, email, cancel) : null;
        var member = request.Pending?.Member;
        if (token is not null)
            member = await scope.Db.Set<BlindIndexRow>().Where(row => row.IndexId == MemberAddress.IndexId && row.Token == token).Select(row => (Guid?)row.RowId).FirstOrDefaultAsync(cancel);
        var id = member ?? Attempts.StandIn(token ?? [0]);
        var active = await scope.Db.Set<MemberRow>().AnyAsync(row => row.Id == id && row.Status == MemberRow.Active, cancel);
        var credential = (await scope.OpenCandidates(scope.Db.Set<CredentialRow>().AsNoTracking().Where(row => row.Id == id), cancel)).FirstOrDefault();
        var stamp = credential?.SecurityStamp ?? Guid.Empty;
        var deviceHash = request.DeviceHash ?? [];
        var trusted = await scope.Db.Set<TrustedDeviceRow>()
            .Where(row => row.TokenHash == deviceHash && row.MemberId == id && row.SecurityStamp == stamp && row.RevokedAt == null && row.ExpiresAt > scope.Now)
            .Select(row => new { row.Id, row.ExpiresAt, row.Proof }).FirstOrDefaultAsync(cancel);
        Guid? device = trusted is not null && await proofs.HoldAsync(scope.Tenant.Id, new DeviceClaims(trusted.Id, id, deviceHash, stamp, trusted.ExpiresAt), trusted.Proof, cancel) ? trusted.Id : null;
        var counter = device ?? id;
        var count = await Attempts.CountAsync(scope, counter, cancel);
        var comparable = active && count <= Attempts.Most;
        return new SignInCandidate(member, comparable ? credential?.Payload.PasswordHash : null, stamp, counter, count, device, token is null ? null : Convert.ToHexStringLower(token));
    }
}

/// <summary>What was proved outside of any transaction.</summary>
/// <param name="Candidate">Who it might be.</param>
/// <param name="PasswordIsRight">Whether the password was right, now or a moment ago (a pending ticket).</param>
/// <param name="Rehashed">The hash to keep from now on.</param>
internal sealed record SignInProof(SignInCandidate Candidate, bool PasswordIsRight, string? Rehashed);

/// <summary>Decides about a counted attempt and begins the session.</summary>
internal sealed record FinishSignIn(SignInProof Proof, string? Code, string? BackupCode, string? UserAgent) : IOperation<SignedIn>
{
    // Named after the failure: that is what a rolled-back attempt leaves.
    public static Policy Policy { get; } = Policy.Changes("auth.login.failure").Or("auth.login.success", "auth.code_requested", "auth.2fa_failed", "auth.locked").ForAnybody("signing in");
}

/// <summary>The outcome; the token is for the cookie only.</summary>
internal sealed record SignedIn(SignInStatus Status, Guid? Member = null, SecretToken? Session = null, Actor? Actor = null, int? BackupCodesLeft = null);

internal sealed class FinishSignInHandler(KeyRing keys, Actors actors, SessionReader sessions, Proofs proofs, SignInMails mails) : IHandler<FinishSignIn, SignedIn>
{
    public async Task<Result<SignedIn>> Handle(FinishSignIn request, OperationScope scope, CancellationToken cancel)
    {
        var candidate = request.Proof.Candidate;
        if (candidate.Typed is { } typed) scope.Typed(typed);
        if (candidate.Member is { } known) scope.Concerns("member", known);
        if (!request.Proof.PasswordIsRight || candidate.Member is not { } id) return await WrongAsync(scope, candidate, "auth.login.failure", cancel);

        var member = await scope.OpenOne(scope.Db.Set<MemberRow>().Where(row => row.Id == id && row.Status == MemberRow.Active), cancel);
        var credential = await scope.OpenOne(scope.Db.Set<CredentialRow>().Where(row => row.Id == id), cancel);
        if (member is null || credential is null || credential.SecurityStamp != candidate.Stamp) return await WrongAsync(scope, candidate, "auth.login.failure", cancel);
        if (request.Proof.Rehashed is { } better) credential.Payload = credential.Payload with { PasswordHash = better };

        DateTimeOffset? secondFactorAt = null;
        int? codesLeft = null;
        if (credential.TwoFactorEnabled && candidate.Device is null)
        {
            if (request.Code is null && request.BackupCode is null)
            {
                await Attempts.GiveBackAsync(scope, candidate.Counter, cancel);
                scope.RecordAs("auth.code_requested");
                return new SignedIn(SignInStatus.CodeRequired, id);
            }
            var right = request.Code is { } code
                ? await Attempts.TakeCodeAsync(scope, id, credential.Payload.AuthenticatorSecret!, code, cancel)
                : TakeBackupCode(credential, await keys.BackupCodeKeyAsync(scope.Tenant.Id, cancel), request.BackupCode!, ref codesLeft);
            if (!right) return await WrongAsync(scope, candidate, "auth.2fa_failed", cancel);
            secondFactorAt = scope.Now;
        }

        await Attempts.ResetAsync(scope, candidate.Counter, cancel);
        if (candidate.Device is { } device)
            await scope.Db.Set<TrustedDeviceRow>().Where(row => row.Id == device).ExecuteUpdateAsync(set => set.SetProperty(row => row.LastUsedAt, scope.Now), cancel);
        var (token, session) = await NewSession(scope, member, candidate.Device, secondFactorAt, request.UserAgent, cancel);
        if (candidate.Device is null) await mails.SignedInAsync(scope, session, cancel);
        var actor = actors.Of(scope.Tenant, id, member.PatientId, member.Roles, member.RightsVersion, credential.TwoFactorEnabled, session.Id, secondFactorAt);
        scope.Became(actor);
        scope.Note("factor", codesLeft is not null ? "backup_code" : secondFactorAt is not null ? "authenticator" : candidate.Device is not null ? "trusted_device" : "none");
        scope.RecordAs("auth.login.success", severity: codesLeft is null ? null : EventSeverity.Warning);
        return new SignedIn(actor.State.Enrolled ? SignInStatus.SignedIn : SignInStatus.EnrolmentRequired, id, token, actor, codesLeft);
    }

    private async Task<(SecretToken Token, SessionRow Row)> NewSession(OperationScope scope, MemberRow member, Guid? device, DateTimeOffset? secondFactorAt, string? userAgent, CancellationToken cancel)
    {
        var (token, source) = (SecretToken.New(), scope.Caller.Source);
        var row = new SessionRow
        {
            Id = scope.NewId(),
            SubjectId = member.SubjectId,
            MemberId = member.Id,
            DeviceId = device,
            TokenHash = token.Hash,
            Client = source.Client ?? "other/other",
            Network = await sessions.NetworkAsync(scope.Tenant, source.Ip, cancel),
            CreatedAt = scope.Now,
            LastSeenAt = scope.Now,
            IdleEndsAt = scope.Now + SessionRow.Idle,
            AbsoluteEndsAt = scope.Now + SessionRow.Absolute,
            SecondFactorAt = secondFactorAt,
            Payload = new(source.Ip, userAgent is { Length: > 400 } ? userAgent[..400] : userAgent),
        };
        row.Proof = await proofs.OfAsync(
            scope.Tenant.Id, new SessionClaims(row.Id, member.SubjectId!.Value, row.MemberId, row.TokenHash, row.Network, row.AbsoluteEndsAt, row.SecondFactorAt, row.Client), cancel);
        scope.Add(row);
        return (token, row);
    }

    private static bool TakeBackupCode(CredentialRow credential, Encryption.BlindIndexKey key, string typed, ref int? left)
    {
        if (BackupCode.Kept(key, credential.Id, typed) is not { } kept || BackupCode.Without(credential.Payload.BackupCodes, kept) is not { } rest) return false;
        credential.Payload = credential.Payload with { BackupCodes = rest };
        left = rest.Count;
        return true;
    }

    // The lock is committed with its event. A wrong password is rolled back (the count stands already) and logged as a stranger's failure, of which a flood is only counted.
    private async Task<Result<SignedIn>> WrongAsync(OperationScope scope, SignInCandidate candidate, string action, CancellationToken cancel)
    {
        if (candidate.LocksWhenWrong)
        {
            scope.RecordAs("auth.locked", EventOutcome.Failure);
            await mails.LockedAsync(scope, candidate.Member!.Value, cancel);
        }
        else if (action == "auth.2fa_failed") scope.RecordAs(action, EventOutcome.Failure);
        else return SignInErrors.Refused;
        return new SignedIn(SignInStatus.Refused, candidate.Member);
    }
}
