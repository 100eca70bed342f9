using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Settings;

/// <summary>Accounts and sign-in rules under <c>/api</c>.</summary>
internal static class MembersApi
{
    private sealed record Rules(bool? RequireTwoFactor);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.Get("/api/team/members", async http => (await http.Run(new ListMembers())).Match(items => Results.Json(new { items, next = (string?)null }))).Runs(typeof(ListMembers));
        routes.MapGet("/api/team/members/{id:guid}", async (HttpContext http, Guid id) => Problem.Json(await http.Run(new ViewMember(id)))).Runs(typeof(ViewMember));
        Act(routes, "unlock", id => new UnlockMember(id));
        Act(routes, "suspend", id => new SuspendMember(id));
        Act(routes, "reactivate", id => new ReactivateMember(id));
        Act(routes, "reset-two-factor", id => new ResetTwoFactor(id));
        routes.MapPost("/api/team/members/{id:guid}/reset-link", async (HttpContext http, Guid id) =>
            (await http.Run(new IssueResetLink(id))).Match(link => Results.Json(new { link.Path, link.ExpiresAt }))).Runs(typeof(IssueResetLink));
        routes.MapDelete("/api/team/members/{id:guid}/sessions/{session:guid}", async (HttpContext http, Guid id, Guid session) =>
            (await http.Run(new EndMemberSession(id, session))).Match(_ => Results.NoContent())).Runs(typeof(EndMemberSession));
        routes.MapDelete("/api/team/members/{id:guid}/devices/{device:guid}", async (HttpContext http, Guid id, Guid device) =>
            (await http.Run(new RevokeMemberDevice(id, device))).Match(_ => Results.NoContent())).Runs(typeof(RevokeMemberDevice));
        routes.Put("/api/settings/security", async http =>
            await AuthApi.Body<Rules>(http) is { RequireTwoFactor: { } wanted } ? (await http.Run(new RequireTwoFactor(wanted))).Match(_ => Results.NoContent()) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(RequireTwoFactor));
    }

    private static void Act<TOperation>(IEndpointRouteBuilder routes, string verb, Func<Guid, TOperation> operation) where TOperation : IOperation<Done> =>
        routes.MapPost("/api/team/members/{id:guid}/" + verb, async (HttpContext http, Guid id) => (await http.Run<Done>(operation(id))).Match(_ => Results.NoContent())).Runs(typeof(TOperation));
}
