using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Team;

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
internal sealed record IssueResetLink(Guid Member) : IOperation<HandedLink>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("auth.password_reset_issued").Needs(Permission.TeamManage).About(MemberRow.Resource).WithStepUp();

    public Guid ResourceId => Member;
}

internal sealed class IssueResetLinkHandler(HandedLinks links) : IHandler<IssueResetLink, HandedLink>
{
    public async Task<Result<HandedLink>> Handle(IssueResetLink request, OperationScope scope, CancellationToken cancel)
    {
        var found = await MemberReader.ToLetInAsync(scope, request.Member, cancel);
        if (found.Error is { } error) return error;
        return await links.MakeAsync(scope, found.Value, OneTimeLinkRow.Reset, cancel);
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

/// <summary>Closes an account: sessions, trusted devices and one-time links end at once. What the person did stays.</summary>
/// <param name="Member">Whose.</param>
/// <param name="Confirm">That it may be done although appointments with them are still to come; they stay as they are.</param>
internal sealed record DeactivateMember(Guid Member, bool Confirm = false) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("staff.deactivated").Needs(Permission.TeamManage).About(MemberRow.Resource).WithStepUp();

    public Guid ResourceId => Member;
}

internal sealed class DeactivateMemberHandler : IHandler<DeactivateMember, Done>
{
    public async Task<Result<Done>> Handle(DeactivateMember request, OperationScope scope, CancellationToken cancel)
    {
        var found = await MemberReader.ToChangeAsync(scope, request.Member, cancel);
        if (found.Error is { } error) return error;
        return await Upcoming.OfPractitioner(scope, request.Member, cancel) is { } toCome && !request.Confirm ? toCome : await CloseAsync(scope, found.Value, cancel);
    }

    public static async Task<Result<Done>> CloseAsync(OperationScope scope, MemberRow member, CancellationToken cancel)
    {
        if (member.Status == MemberRow.Suspended) return TeamErrors.AlreadySo;
        if (await TeamRoles.IsLastOwnerAsync(scope, member, cancel)) return SignInErrors.LastOwner;
        var id = member.Id;
        member.Status = MemberRow.Suspended;
        member.RightsVersion++;
        if (await scope.OpenOne(scope.Db.Set<CredentialRow>().Where(row => row.Id == id), cancel) is { } credential) await AccountEnds.EndAllAsync(scope, credential, null, cancel);
        scope.Note("links_ended", await OneTimeLinks.EndAsync(scope, id, cancel));
        return default(Done);
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
        var found = await MemberReader.ToLetInAsync(scope, request.Member, cancel);
        if (found.Error is { } error) return error;
        if (found.Value.Status == MemberRow.Active) return TeamErrors.AlreadySo;
        found.Value.Status = MemberRow.Active;
        found.Value.RightsVersion++;
        return default(Done);
    }
}
