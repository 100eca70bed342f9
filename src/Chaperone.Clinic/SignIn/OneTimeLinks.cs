using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.SignIn;

/// <summary>Makes and finds one-time links; the newest of an account is the only one that works.</summary>
internal sealed class OneTimeLinks(Proofs proofs)
{
    public static readonly TimeSpan InviteFor = TimeSpan.FromDays(7);
    public static readonly TimeSpan ResetFor = TimeSpan.FromHours(24);

    /// <summary>A new link to set a password; earlier ones of the account end.</summary>
    public async Task<SecretToken> MakeAsync(OperationScope scope, Guid member, string purpose, CancellationToken cancel)
    {
        await EndAsync(scope, member, cancel);
        var token = SecretToken.New();
        var row = new OneTimeLinkRow
        {
            TenantId = scope.Tenant.Id,
            Id = scope.NewId(),
            TokenHash = token.Hash,
            Purpose = purpose,
            MemberId = member,
            CreatedBy = scope.Actor.Id,
            CreatedAt = scope.Now,
            ExpiresAt = scope.Now + (purpose == OneTimeLinkRow.Invite ? InviteFor : ResetFor),
        };
        row.Proof = await proofs.OfAsync(scope.Tenant.Id, Of(row), cancel);
        scope.Db.Add(row);
        return token;
    }

    /// <summary>The link of this token, used or not, unless somebody else than the server wrote it.</summary>
    public async Task<OneTimeLinkRow?> FindAsync(OperationScope scope, byte[]? tokenHash, CancellationToken cancel) =>
        await scope.Db.Set<OneTimeLinkRow>().AsNoTracking().FirstOrDefaultAsync(row => row.TokenHash == tokenHash, cancel) is { } row
        && await proofs.HoldAsync(scope.Tenant.Id, Of(row), row.Proof, cancel) ? row : null;

    /// <summary>Ends the links of an account that nobody has used; how many there were.</summary>
    public static Task<int> EndAsync(OperationScope scope, Guid member, CancellationToken cancel) =>
        scope.Db.Set<OneTimeLinkRow>().Where(row => row.MemberId == member && row.UsedAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.UsedAt, scope.Now), cancel);

    /// <summary>The path the link leads to.</summary>
    public static string Path(SecretToken token) => "/reset/" + token.Text;

    private static LinkClaims Of(OneTimeLinkRow row) => new(row.Id, row.MemberId, row.TokenHash, row.Purpose, row.ExpiresAt);
}

/// <summary>Makes the link by which a new clinic's owner sets the first password.</summary>
internal sealed record InviteOwner(Guid Member) : IOperation<string>
{
    public static Policy Policy { get; } = Policy.Changes("staff.invited").ForSystem("the operator invites a clinic's owner");
}

internal sealed class InviteOwnerHandler(OneTimeLinks links) : IHandler<InviteOwner, string>
{
    public async Task<Result<string>> Handle(InviteOwner request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("member", request.Member);
        scope.Show(request.Member);
        return OneTimeLinks.Path(await links.MakeAsync(scope, request.Member, OneTimeLinkRow.Invite, cancel));
    }
}
