using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.SignIn;

/// <summary>Makes one-time links; the newest of an account is the only one that works.</summary>
internal static class OneTimeLinks
{
    public static readonly TimeSpan InviteFor = TimeSpan.FromDays(7);
    public static readonly TimeSpan ResetFor = TimeSpan.FromHours(24);

    /// <summary>A new link to set a password; earlier ones of the account end.</summary>
    public static async Task<SecretToken> MakeAsync(OperationScope scope, Guid member, string purpose, CancellationToken cancel)
    {
        await scope.Db.Set<OneTimeLinkRow>().Where(row => row.MemberId == member && row.UsedAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.UsedAt, scope.Now), cancel);
        var token = SecretToken.New();
        scope.Db.Add(new OneTimeLinkRow
        {
            TenantId = scope.Tenant.Id,
            Id = scope.NewId(),
            TokenHash = token.Hash,
            Purpose = purpose,
            MemberId = member,
            CreatedBy = scope.Actor.Id,
            CreatedAt = scope.Now,
            ExpiresAt = scope.Now + (purpose == OneTimeLinkRow.Invite ? InviteFor : ResetFor),
        });
        return token;
    }

    /// <summary>The path the link leads to.</summary>
    public static string Path(SecretToken token) => "/reset/" + token.Text;
}

/// <summary>Makes the link by which somebody who was invited sets their first password.</summary>
internal sealed record InviteMember(Guid Member) : IOperation<string>
{
    public static Policy Policy { get; } = Policy.Changes("auth.password_reset_issued").ForSystem("the operator invites a clinic's owner");
}

internal sealed class InviteMemberHandler : IHandler<InviteMember, string>
{
    public async Task<Result<string>> Handle(InviteMember request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("member", request.Member);
        scope.Because("invitation");
        return OneTimeLinks.Path(await OneTimeLinks.MakeAsync(scope, request.Member, OneTimeLinkRow.Invite, cancel));
    }
}
