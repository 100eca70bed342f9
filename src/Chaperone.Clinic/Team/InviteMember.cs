using Chaperone.Clinic.Mail;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Team;

/// <summary>A one-time link by which somebody sets their password, for handing over; where the clinic sends mail it is on its way to them too. Shown once.</summary>
/// <param name="Member">Whose account.</param>
/// <param name="Name">Their name.</param>
/// <param name="Path">The link's path on the clinic's host.</param>
/// <param name="ExpiresAt">Until when it works.</param>
/// <param name="Mailed">Whether it goes to them by mail.</param>
internal sealed record HandedLink(Guid Member, string Name, string Path, DateTimeOffset ExpiresAt, bool Mailed)
{
    // Records are printed by whoever logs them.
    public override string ToString() => nameof(HandedLink);
}

/// <summary>Makes links that are handed over, and mails them where the clinic sends mail, in the same transaction.</summary>
internal sealed class HandedLinks(OneTimeLinks links, MailQueue mail)
{
    public Task<HandedLink> MakeAsync(OperationScope scope, MemberRow member, string purpose, CancellationToken cancel) =>
        MakeAsync(scope, member.Id, member.SubjectId!.Value, member.Payload.Name, purpose, cancel);

    public async Task<HandedLink> MakeAsync(OperationScope scope, Guid member, Guid subject, string name, string purpose, CancellationToken cancel)
    {
        var invites = purpose == OneTimeLinkRow.Invite;
        var (path, until) = (OneTimeLinks.Path(await links.MakeAsync(scope, member, purpose, cancel)), scope.Now + (invites ? OneTimeLinks.InviteFor : OneTimeLinks.ResetFor));
        var mailed = await mail.ToAsync(scope, invites ? MailTemplates.Invite : MailTemplates.Reset, member, subject, new(path, Until: until), cancel);
        scope.Note("mailed", mailed ? "yes" : "no");
        return new(member, name, path, until, mailed);
    }
}

/// <summary>Brings somebody into the clinic: an account that nobody can sign in to until its one-time link has set a password.</summary>
/// <param name="Name">Their name.</param>
/// <param name="Email">Their sign-in address, which no other account of the clinic may have.</param>
/// <param name="Roles">Codes of roles, all of which the actor may assign.</param>
/// <param name="Title">Job title, or null.</param>
internal sealed record InviteMember(string? Name, string? Email, IReadOnlyList<string?>? Roles, string? Title = null) : IOperation<HandedLink>
{
    public static Policy Policy { get; } = Policy.Changes("staff.created").Needs(Permission.TeamManage).About(Resource.Clinic).WithStepUp();

    public override string ToString() => nameof(InviteMember);
}

internal sealed class InviteMemberHandler(HandedLinks links) : IHandler<InviteMember, HandedLink>
{
    public async Task<Result<HandedLink>> Handle(InviteMember request, OperationScope scope, CancellationToken cancel)
    {
        var roles = TeamRoles.Read(request.Roles);
        var wanted = new CreateMember(request.Name ?? "", request.Email ?? "", roles.Succeeded ? roles.Value : [], string.IsNullOrWhiteSpace(request.Title) ? null : request.Title.Trim());
        if (CreateMemberHandler.Invalid(wanted) is { } invalid) return roles.Error is { } wrong ? invalid.With("roles", wrong.Fields["roles"]) : invalid;
        if (TeamRoles.OutOfReach(scope, [], [.. roles.Value.Select(role => role.Code)]) is { } refused) return refused;

        var id = await CreateMemberHandler.AddAsync(wanted, scope, cancel);
        return await links.MakeAsync(scope, id, id, wanted.Name.Trim(), OneTimeLinkRow.Invite, cancel);
    }
}

/// <summary>Makes a new link for somebody who has not accepted the invitation yet; the earlier one ends. Opens again what was withdrawn.</summary>
internal sealed record InviteAgain(Guid Member) : IOperation<HandedLink>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("staff.invited").Needs(Permission.TeamManage).About(MemberRow.Resource).WithStepUp();

    public Guid ResourceId => Member;
}

internal sealed class InviteAgainHandler(HandedLinks links) : IHandler<InviteAgain, HandedLink>
{
    public async Task<Result<HandedLink>> Handle(InviteAgain request, OperationScope scope, CancellationToken cancel)
    {
        var found = await Invitations.ToChangeAsync(scope, request.Member, cancel);
        if (found.Error is { } error) return error;
        if (found.Value.Status == MemberRow.Suspended)
        {
            found.Value.Status = MemberRow.Active;
            found.Value.RightsVersion++;
        }
        return await links.MakeAsync(scope, found.Value, OneTimeLinkRow.Invite, cancel);
    }
}

/// <summary>Takes an invitation back that was not accepted yet: its link ends and the account is closed. Inviting again opens it.</summary>
internal sealed record WithdrawInvitation(Guid Member) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("staff.deactivated").Needs(Permission.TeamManage).About(MemberRow.Resource).WithStepUp();

    public Guid ResourceId => Member;
}

internal sealed class WithdrawInvitationHandler : IHandler<WithdrawInvitation, Done>
{
    public async Task<Result<Done>> Handle(WithdrawInvitation request, OperationScope scope, CancellationToken cancel)
    {
        var found = await Invitations.ToChangeAsync(scope, request.Member, cancel);
        if (found.Error is { } error) return error;
        scope.Because("invitation_withdrawn");
        return await DeactivateMemberHandler.CloseAsync(scope, found.Value, cancel);
    }
}

/// <summary>Accounts whose invitation was not accepted yet.</summary>
internal static class Invitations
{
    /// <summary>The account, opened, if the actor may act on it and it never had a password.</summary>
    public static async Task<Result<MemberRow>> ToChangeAsync(OperationScope scope, Guid member, CancellationToken cancel)
    {
        var found = await MemberReader.ToLetInAsync(scope, member, cancel);
        if (found.Succeeded && await scope.Db.Set<CredentialRow>().AnyAsync(row => row.Id == member && row.PasswordChangedAt != null, cancel)) return TeamErrors.NotInvited;
        return found;
    }
}
