using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.SignIn;

/// <summary>Remembers the device of this session for 30 days. Only after a second factor, or for accounts that have none.</summary>
internal sealed record TrustDevice(string? UserAgent) : IOperation<TrustedDevice>
{
    public static Policy Policy { get; } = Policy.Changes("auth.device_trusted").ForSelf("one's own device");
}

/// <summary>The device's cookie.</summary>
internal sealed record TrustedDevice(SecretToken Token, DateTimeOffset ExpiresAt);

internal sealed class TrustDeviceHandler(Proofs proofs) : IHandler<TrustDevice, TrustedDevice>
{
    public async Task<Result<TrustedDevice>> Handle(TrustDevice request, OperationScope scope, CancellationToken cancel)
    {
        var id = scope.Actor.Id!.Value;
        var credential = await scope.OpenOne(scope.Db.Set<CredentialRow>().Where(row => row.Id == id), cancel);
        if (credential is null) return PlatformErrors.NotFound;
        if (credential.TwoFactorEnabled && scope.Actor.State.SteppedUpAt is null) return PlatformErrors.StepUpRequired;
        var (token, source) = (SecretToken.New(), scope.Caller.Source);
        var row = new TrustedDeviceRow
        {
            Id = scope.NewId(),
            SubjectId = credential.SubjectId,
            MemberId = id,
            TokenHash = token.Hash,
            SecurityStamp = credential.SecurityStamp,
            Client = source.Client ?? "other/other",
            CreatedAt = scope.Now,
            LastUsedAt = scope.Now,
            ExpiresAt = scope.Now + TrustedDeviceRow.Lifetime,
            Payload = new(source.Ip, request.UserAgent is { Length: > 400 } agent ? agent[..400] : request.UserAgent),
        };
        row.Proof = await proofs.OfAsync(scope.Tenant.Id, new DeviceClaims(row.Id, id, row.TokenHash, row.SecurityStamp, row.ExpiresAt), cancel);
        scope.Add(row);
        scope.Concerns("device", row.Id);
        if (scope.Actor.SessionId is { } session)
            await scope.Db.Set<SessionRow>().Where(found => found.Id == session).ExecuteUpdateAsync(set => set.SetProperty(found => found.DeviceId, row.Id), cancel);
        return new TrustedDevice(token, row.ExpiresAt);
    }
}
