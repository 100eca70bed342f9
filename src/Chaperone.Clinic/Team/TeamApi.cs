using Chaperone.Clinic.Settings;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Team;

/// <summary>The clinic's accounts under <c>/api/team</c>.</summary>
internal static class TeamApi
{
    private sealed record Invite(string? Name, string? Email, string? Title, List<string?>? Roles);

    private sealed record Wanted(List<string?>? Roles);

    private sealed record Find(string? Text);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/team").WithTags("Team");
        api.MapGet("", async (HttpContext http, string? role, string? state, string? twoFactor, string? signedIn, string? locked) =>
                TeamFilter.Read(role, locked == "true" ? MemberStates.Locked : state, twoFactor, signedIn) is { } list ? await ListAsync(http, list) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(ListMembers)).WithSummary("Accounts by name; role, state (active, invited, locked, deactivated, past), twoFactor, signedIn (true, false) and locked=true narrow.");
        api.Post("find", async http => await AuthApi.Body<Find>(http) is { Text: { } text } ? await ListAsync(http, new(Text: text)) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(ListMembers)).WithSummary("Accounts in whose name or address each word of text stands. A body, because names do not belong in addresses.");
        api.Post("", async http => await AuthApi.Body<Invite>(http) is { } invite
                ? (await http.Run(new InviteMember(invite.Name, invite.Email, invite.Roles, invite.Title))).Match(link => Results.Created($"/api/team/{link.Member}", new { id = link.Member, link.Path, link.ExpiresAt, link.Mailed }))
                : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(InviteMember)).WithSummary("Invites somebody. The answer has the one-time link's path, this once, and whether it is mailed too.");
        api.MapGet("{id:guid}", async (HttpContext http, Guid id) => (await http.Run(new ViewMember(id))).Match(found =>
        {
            http.Response.Headers.ETag = JsonRequest.ETag(found.Member.Version);
            return Results.Json(found);
        })).Runs(typeof(ViewMember)).WithSummary("One account, with ETag.");
        api.MapPut("{id:guid}", async (HttpContext http, Guid id) => await AuthApi.Body<WantedProfile>(http) is { } wanted
                ? http.AtVersion(await http.Run(new ChangeProfile(id, wanted, http.IfMatch())))
                : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(ChangeProfile)).WithSummary("Changes name, email, title, registrationBody (gmc, nmc, gdc, other), registrationNumber, registerName and colour. Needs If-Match; another email needs a fresh second factor too.");
        api.MapGet("{id:guid}/roles", async (HttpContext http, Guid id, string? roles) =>
                Problem.Json(await http.Run(new PreviewRoles(id, roles?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)))))
            .Runs(typeof(PreviewRoles)).WithSummary("Somebody's roles, and with roles=reception,clinical what those would give them and take from them.");
        api.MapPut("{id:guid}/roles", async (HttpContext http, Guid id) => await AuthApi.Body<Wanted>(http) is { } wanted
                ? (await http.Run(new ChangeRoles(id, wanted.Roles, http.IfMatch()))).Match(changed =>
                {
                    http.Response.Headers.ETag = JsonRequest.ETag(changed.Version);
                    return Results.Json(changed);
                })
                : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(ChangeRoles)).WithSummary("Gives somebody these roles instead of those they have. Needs If-Match and a fresh second factor.");
        Link(api, "invite", id => new InviteAgain(id));
        Link(api, "reset-link", id => new IssueResetLink(id));
        Act(api, "withdraw", id => new WithdrawInvitation(id));
        api.MapPost("{id:guid}/deactivate", async (HttpContext http, Guid id, string? confirm) => (await http.Run(new DeactivateMember(id, confirm == "true"))).Match(_ => Results.NoContent()))
            .Runs(typeof(DeactivateMember)).WithSummary("Closes an account. 409 with the appointments still to come with them unless confirm=true; they stay as they are.");
        Act(api, "reactivate", id => new ReactivateMember(id));
        Act(api, "unlock", id => new UnlockMember(id));
        Act(api, "reset-two-factor", id => new ResetTwoFactor(id));
        api.MapDelete("{id:guid}/sessions/{session:guid}", async (HttpContext http, Guid id, Guid session) =>
            (await http.Run(new EndSession(session, id))).Match(_ => Results.NoContent())).Runs(typeof(EndSession));
        api.MapDelete("{id:guid}/devices/{device:guid}", async (HttpContext http, Guid id, Guid device) =>
            (await http.Run(new RevokeDevice(device, id))).Match(_ => Results.NoContent())).Runs(typeof(RevokeDevice));
    }

    /// <summary>The account's version after a change, as body and ETag.</summary>
    public static IResult AtVersion(this HttpContext http, Result<long> changed) => changed.Match(version =>
    {
        http.Response.Headers.ETag = JsonRequest.ETag(version);
        return Results.Json(new { version });
    });

    private static async Task<IResult> ListAsync(HttpContext http, ListMembers list) => (await http.Run(list)).Match(items => Results.Json(new { items, next = (string?)null }));

    private static void Act<TOperation>(IEndpointRouteBuilder routes, string verb, Func<Guid, TOperation> operation) where TOperation : IOperation<Done> =>
        routes.MapPost("{id:guid}/" + verb, async (HttpContext http, Guid id) => (await http.Run<Done>(operation(id))).Match(_ => Results.NoContent())).Runs(typeof(TOperation));

    private static void Link<TOperation>(IEndpointRouteBuilder routes, string verb, Func<Guid, TOperation> operation) where TOperation : IOperation<HandedLink> =>
        routes.MapPost("{id:guid}/" + verb, async (HttpContext http, Guid id) => (await http.Run<HandedLink>(operation(id))).Match(link => Results.Json(new { link.Path, link.ExpiresAt, link.Mailed }))).Runs(typeof(TOperation));
}

/// <summary>The list's filters as an address carries them.</summary>
internal static class TeamFilter
{
    /// <summary>The list that is asked for; null when a filter says nothing that can be.</summary>
    public static ListMembers? Read(string? role, string? state, string? twoFactor, string? signedIn = null) =>
        IsYesOrNo(twoFactor) && IsYesOrNo(signedIn) ? new(Given(role), Given(state), Yes(twoFactor), Yes(signedIn)) : null;

    private static bool IsYesOrNo(string? value) => Given(value) is null or "true" or "false";

    private static bool? Yes(string? value) => Given(value) is { } wanted ? wanted == "true" : null;

    private static string? Given(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
