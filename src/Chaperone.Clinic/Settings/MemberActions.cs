using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Settings;

/// <summary>Lets a locked account try again.</summary>
internal sealed record UnlockMember(Guid Member) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("auth.unlocked").Needs(Permission.SecurityManage).About(MemberRow.Resource);

    public Guid ResourceId => Member;
}

internal sealed class UnlockMemberHandler : IHandler<UnlockMember, Done>
{
    public async Task<Result<Done>> Handle(UnlockMember request, OperationScope scope, CancellationToken cancel)
    {
        scope.Show(request.Member);
        await AccountEnds.UnlockAsync(scope, request.Member, cancel);
        return default(Done);
    }
}

/// <summary>Makes a one-time link by which somebody sets a new password. Shown once; earlier links end.</summary>
internal sealed record IssueResetLink(Guid Member) : IOperation<ResetLink>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("auth.password_reset_issued").Needs(Permission.TeamManage).About(MemberRow.Resource).WithStepUp();

    public Guid ResourceId => Member;
}

/// <summary>The link's path, for handing over.</summary>
internal sealed record ResetLink(string Path, DateTimeOffset ExpiresAt, string Name)
{
    public override string ToString() => nameof(ResetLink);
}

internal sealed class IssueResetLinkHandler(OneTimeLinks links) : IHandler<IssueResetLink, ResetLink>
{
    public async Task<Result<ResetLink>> Handle(IssueResetLink request, OperationScope scope, CancellationToken cancel)
    {
        var found = await MemberReader.ToChangeAsync(scope, request.Member, cancel);
        if (found.Error is { } error) return error;
        var token = await links.MakeAsync(scope, request.Member, OneTimeLinkRow.Reset, cancel);
        return new ResetLink(OneTimeLinks.Path(token), scope.Now + OneTimeLinks.ResetFor, found.Value.Payload.Name);
    }
}

/// <summary>Takes away the second factor of somebody who lost it; where one is required they enrol again at their next sign-in. All their sessions end.</summary>
internal sealed record ResetTwoFactor(Guid Member) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("auth.2fa_disabled").Needs(Permission.SecurityManage).About(MemberRow.Resource).WithStepUp();

    public Guid ResourceId => Member;
}

internal sealed class ResetTwoFactorHandler : IHandler<ResetTwoFactor, Done>
{
    public async Task<Result<Done>> Handle(ResetTwoFactor request, OperationScope scope, CancellationToken cancel)
    {
        var found = await MemberReader.ToChangeAsync(scope, request.Member, cancel);
        if (found.Error is { } error) return error;
        var credential = await scope.OpenOne(scope.Db.Set<CredentialRow>().Where(row => row.Id == request.Member), cancel);
        if (credential is not { TwoFactorEnabled: true }) return SignInErrors.NotEnrolled;
        await DisableTwoFactorHandler.TurnOffAsync(scope, credential, null, cancel);
        return default(Done);
    }
}

/// <summary>Closes an account: sessions, trusted devices and one-time links end at once.</summary>
internal sealed record SuspendMember(Guid Member) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("staff.deactivated").Needs(Permission.TeamManage).About(MemberRow.Resource).WithStepUp();

    public Guid ResourceId => Member;
}

internal sealed class SuspendMemberHandler : IHandler<SuspendMember, Done>
{
    public async Task<Result<Done>> Handle(SuspendMember request, OperationScope scope, CancellationToken cancel)
    {
        var found = await MemberReader.ToChangeAsync(scope, request.Member, cancel);
        if (found.Error is { } error) return error;
        var member = found.Value;
        // Locks the owners' rows: two owners who suspend each other at once do not leave the clinic without one.
        if (member.Roles.Contains(BuiltInRole.Owner.Code) && (await ActiveOwnersAsync(scope, cancel)).All(owner => owner == member.Id)) return SignInErrors.LastOwner;
        member.Status = MemberRow.Suspended;
        member.RightsVersion++;
        var credential = await scope.OpenOne(scope.Db.Set<CredentialRow>().Where(row => row.Id == request.Member), cancel);
        if (credential is not null) await AccountEnds.EndAllAsync(scope, credential, null, cancel);
        var links = await scope.Db.Set<OneTimeLinkRow>().Where(row => row.MemberId == request.Member && row.UsedAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.UsedAt, scope.Now), cancel);
        scope.Note("links_ended", links);
        return default(Done);
    }

    private static async Task<List<Guid>> ActiveOwnersAsync(OperationScope scope, CancellationToken cancel)
    {
        var (owner, active) = (BuiltInRole.Owner.Code, MemberRow.Active);
        return await scope.Db.Database.SqlQuery<Guid>($"""SELECT id AS "Value" FROM clinic.member WHERE status = {active} AND {owner} = ANY (roles) ORDER BY id FOR UPDATE""").ToListAsync(cancel);
    }
}

/// <summary>Opens a closed account again. Its password and second factor are as they were.</summary>
internal sealed record ReactivateMember(Guid Member) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("staff.reactivated").Needs(Permission.TeamManage).About(MemberRow.Resource).WithStepUp();

    public Guid ResourceId => Member;
}

internal sealed class ReactivateMemberHandler : IHandler<ReactivateMember, Done>
{
    public async Task<Result<Done>> Handle(ReactivateMember request, OperationScope scope, CancellationToken cancel)
    {
        var found = await MemberReader.ToChangeAsync(scope, request.Member, cancel);
        if (found.Error is { } error) return error;
        found.Value.Status = MemberRow.Active;
        found.Value.RightsVersion++;
        return default(Done);
    }
}

/// <summary>Ends somebody's session.</summary>
internal sealed record EndMemberSession(Guid Member, Guid Session) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("auth.session_ended").Needs(Permission.SecurityManage).About(MemberRow.Resource);

    public Guid ResourceId => Member;
}

internal sealed class EndMemberSessionHandler : IHandler<EndMemberSession, Done>
{
    public Task<Result<Done>> Handle(EndMemberSession request, OperationScope scope, CancellationToken cancel) => AccountLists.EndSessionAsync(scope, request.Member, request.Session, cancel);
}

/// <summary>Forgets somebody's trusted device.</summary>
internal sealed record RevokeMemberDevice(Guid Member, Guid Device) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("auth.device_revoked").Needs(Permission.SecurityManage).About(MemberRow.Resource);

    public Guid ResourceId => Member;
}

internal sealed class RevokeMemberDeviceHandler : IHandler<RevokeMemberDevice, Done>
{
    public Task<Result<Done>> Handle(RevokeMemberDevice request, OperationScope scope, CancellationToken cancel) => AccountLists.RevokeDeviceAsync(scope, request.Member, request.Device, cancel);
}
