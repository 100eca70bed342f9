using System.Globalization;
using Chaperone.Clinic.Settings;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Team;

/// <summary>The pages under Settings › Team: the list, inviting, one account, its roles.</summary>
internal static class TeamPages
{
    public const string List = "/settings/team";

    /// <summary>What a role's box is called in forms, before its code.</summary>
    public const string RoleField = "role.";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup(List).ExcludeFromDescription();
        pages.MapGet("", Team).Runs(typeof(ListMembers));
        pages.Post("find", Find).Runs(typeof(ListMembers));
        pages.MapGet("invite", (Delegate)Invite).RunsNothing("an empty form; what it sends runs an operation");
        pages.MapPost("invite", (Delegate)SendInvite).Runs(typeof(InviteMember));
        pages.MapGet("{id:guid}", Member).Runs(typeof(ViewMember));
        pages.MapGet("{id:guid}/roles", Roles).Runs(typeof(PreviewRoles));
        pages.MapPost("{id:guid}/roles", ChangeRoles).Runs(typeof(ChangeRoles));
        Link(pages, "invite", id => new InviteAgain(id), "Invitation");
        Link(pages, "reset-link", id => new IssueResetLink(id), "Link to set a new password");
        Act(pages, "withdraw", id => new WithdrawInvitation(id), "The invitation is withdrawn; its link has ended.");
        pages.MapPost("{id:guid}/deactivate", Deactivate).Runs(typeof(DeactivateMember));
        Act(pages, "reactivate", id => new ReactivateMember(id), "The account is open again.");
        Act(pages, "unlock", id => new UnlockMember(id), "The account is unlocked.");
        Act(pages, "reset-two-factor", id => new ResetTwoFactor(id), "Two-factor is off for this account; its sessions have ended.");
        pages.MapPost("{id:guid}/sessions/{session:guid}/end", (HttpContext http, Guid id, Guid session) =>
            Done(http, new EndSession(session, id), id, "The session has ended.")).Runs(typeof(EndSession));
        pages.MapPost("{id:guid}/devices/{device:guid}/revoke", (HttpContext http, Guid id, Guid device) =>
            Done(http, new RevokeDevice(device, id), id, "The device will ask for a code again.")).Runs(typeof(RevokeDevice));
    }

    /// <summary>An account's page.</summary>
    public static string PathOf(Guid id) => $"{List}/{id}";

    private static void Act<TOperation>(IEndpointRouteBuilder routes, string verb, Func<Guid, TOperation> operation, string said) where TOperation : IOperation<Done> =>
        routes.MapPost("{id:guid}/" + verb, (HttpContext http, Guid id) => Done(http, operation(id), id, said)).Runs(typeof(TOperation));

    private static void Link<TOperation>(IEndpointRouteBuilder routes, string verb, Func<Guid, TOperation> operation, string heading) where TOperation : IOperation<HandedLink> =>
        routes.MapPost("{id:guid}/" + verb, async (HttpContext http, Guid id) => await ShowLink(http, await http.Run<HandedLink>(operation(id)), heading, PathOf(id))).Runs(typeof(TOperation));

    private static async Task<IResult> Done<TOperation>(HttpContext http, TOperation operation, Guid id, string said) where TOperation : IOperation<Done> =>
        (await http.Run<Done>(operation)).Error is { } error ? await AccountPages.Failed(http, error, PathOf(id)) : http.SeeOther(PathOf(id), said);

    // The only answer that shows it; the forms that lead here are sent without Turbo, which would want a redirect.
    private static async Task<IResult> ShowLink(HttpContext http, Result<HandedLink> made, string heading, string back)
    {
        if (made.Error is { } error) return await AccountPages.Failed(http, error, back);
        var link = made.Value;
        var url = $"{http.Request.Scheme}://{http.Request.Host}{link.Path}";
        return await http.Page<LinkPage>(new { Heading = heading, Url = url, link.Name, link.ExpiresAt, link.Mailed, http.Context().Tenant!.Zone, Back = PathOf(link.Member) });
    }

    // Appointments that are still to come are said, and asked about, before a practitioner goes.
    private static async Task<IResult> Deactivate(HttpContext http, Guid id)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var closed = await http.Run(new DeactivateMember(id, form.GetValueOrDefault("confirm") == "true"));
        if (closed.Error is not { } error) return http.SeeOther(PathOf(id), "The account is closed; its sessions, devices and links have ended.");
        if (error.Code != ScheduleErrors.StillToCome.Code) return await AccountPages.Failed(http, error, PathOf(id));
        return await http.Page<StillToComePage>(new { Member = id, error.Facts, http.Context().Tenant!.Zone }, StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> Team(HttpContext http, string? role, string? state, string? twoFactor, string? signedIn)
    {
        if (TeamFilter.Read(role, state, twoFactor, signedIn) is not { } asked) return await http.PageError(PlatformErrors.Malformed);
        var members = await http.Run(asked);
        return members.Error is { } error
            ? await http.PageError(error)
            : await http.Page<TeamPage>(new { Members = members.Value, Role = role, State = state, TwoFactor = twoFactor, SignedIn = signedIn, http.Context().Tenant!.Zone });
    }

    // What is looked for is posted, so that no name comes into an address.
    private static async Task<IResult> Find(HttpContext http)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var text = form.GetValueOrDefault("text", "");
        if (string.IsNullOrWhiteSpace(text)) return http.SeeOther(List);
        var members = await http.Run(new ListMembers(Text: text));
        return members.Error is { } error ? await http.PageError(error) : await http.Page<TeamPage>(new { Found = members.Value, Text = text, http.Context().Tenant!.Zone });
    }

    private static async Task<IResult> Invite(HttpContext http)
    {
        var (actor, now) = (http.Context().Actor, Now(http));
        // For what is shown only; the operation behind decides. The code is asked for before anything is typed.
        if (actor.Kind == ActorKind.Anonymous) return await http.PageError(PlatformErrors.SignInRequired);
        if (!actor.State.Enrolled) return await http.PageError(PlatformErrors.EnrolmentRequired);
        if (!actor.Rights.Holds(Permission.TeamManage, actor.State.Elevated, now)) return await http.PageError(PlatformErrors.Forbidden);
        if (!actor.State.IsSteppedUp(now)) return await http.PageError(PlatformErrors.StepUpRequired);
        return await http.Page<InvitePage>(new { Choices = TeamRoles.ChoicesOf(actor, now), Form = new Dictionary<string, string>() });
    }

    private static async Task<IResult> SendInvite(HttpContext http)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var made = await http.Run(new InviteMember(form.GetValueOrDefault("name"), form.GetValueOrDefault("email"), RolesOf(form), form.GetValueOrDefault("title")));
        if (made.Error is { } error && Errors(error) is { } errors)
            return await http.Page<InvitePage>(new { Choices = TeamRoles.ChoicesOf(http.Context().Actor, Now(http)), Form = form, Errors = errors }, StatusCodes.Status422UnprocessableEntity);
        return await ShowLink(http, made, "Invitation", List + "/invite");
    }

    // Whatever a person who fills in the form can put right, beside its field.
    private static FormErrors? Errors(Error error)
    {
        if (error.Code == SignInErrors.EmailTaken.Code) return new() { { "email", "Somebody in your clinic has this address already." } };
        if (error.Code == TeamErrors.RoleOutOfReach.Code) return new() { { "roles", error.Title + " " + error.Next } };
        if (error.Fields.Count == 0) return null;
        var errors = new FormErrors();
        foreach (var field in new[] { "name", "email", "title", "roles" })
            if (error.Fields.TryGetValue(field, out var sentence)) errors.Add(field, sentence);
        return errors;
    }

    private static async Task<IResult> Member(HttpContext http, Guid id)
    {
        var found = await http.Run(new ViewMember(id));
        if (found.Error is { } error) return await http.PageError(error);
        var model = found.Value;
        return await http.Page<MemberPage>(new { model.Member, model.Sessions, model.Devices, model.MayChange, model.ManagesSecurity, MayHold = http.May(Permission.RetentionRun), http.Context().Tenant!.Zone });
    }

    // With boxes ticked the page shows what they would change: roles stand in the address, so that confirming a code comes back to the same choice.
    private static async Task<IResult> Roles(HttpContext http, Guid id)
    {
        var chosen = http.Request.Query.ContainsKey("preview") ? RolesOf(http.Request.Query.ToDictionary(field => field.Key, field => field.Value.LastOrDefault() ?? "", StringComparer.Ordinal)) : null;
        var preview = await http.Run(new PreviewRoles(id, chosen));
        FormErrors? errors = null;
        if (preview.Error is { } wrong && wrong.Code == TeamErrors.RolesInvalid.Code && chosen is not null)
        {
            errors = new() { { "roles", wrong.Fields["roles"] } };
            preview = await http.Run(new PreviewRoles(id, null));
        }
        if (preview.Error is { } error) return await http.PageError(error);
        return await http.Page<RolesPage>(
            new { Preview = preview.Value, Chosen = chosen is not null && errors is null, Choices = TeamRoles.ChoicesOf(http.Context().Actor, Now(http)), Errors = errors }, errors is null ? 200 : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> ChangeRoles(HttpContext http, Guid id)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var roles = RolesOf(form);
        var version = long.TryParse(form.GetValueOrDefault("version"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : (long?)null;
        var changed = await http.Run(new ChangeRoles(id, roles, version));
        if (changed.Error is not { } error) return http.SeeOther(PathOf(id), "The roles are changed. They hold from the next request on.");
        var again = $"{PathOf(id)}/roles?preview=true{string.Concat(roles.Select(role => $"&{RoleField}{role}=true"))}";
        return error.Code == PlatformErrors.Changed.Code
            ? http.SeeOther(again, "Somebody changed this account in the meantime. Look again at what would change.", Tone.Warning)
            : await AccountPages.Failed(http, error, again);
    }

    private static IReadOnlyList<string> RolesOf(IReadOnlyDictionary<string, string> form) =>
        [.. TeamRoles.All.Select(role => role.Code).Where(code => form.GetValueOrDefault(RoleField + code) == "true")];

    private static DateTimeOffset Now(HttpContext http) => http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
}
