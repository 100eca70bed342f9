using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Settings;

/// <summary>The pages for who manages accounts and sign-in rules.</summary>
internal static class MembersPages
{
    private const string List = "/settings/security";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.Get(List, async http =>
        {
            var members = await http.Run(new ListMembers());
            if (members.Error is { } error) return await http.PageError(error);
            var (actor, now) = (http.Context().Actor, http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow());
            var tenant = http.Context().Tenant!;
            return await http.Page<MembersPage>(new
            {
                Members = members.Value,
                tenant.Zone,
                tenant.RequireTwoFactor,
                ManagesSecurity = actor.Rights.Holds(Permission.SecurityManage, actor.State.Elevated, now),
            });
        }).Runs(typeof(ListMembers));

        routes.Post("/settings/security/two-factor", async http =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            var wanted = form.GetValueOrDefault("require") == "true";
            return (await http.Run(new RequireTwoFactor(wanted))).Error is { } error
                ? await AccountPages.Failed(http, error, List)
                : http.SeeOther(List, wanted ? "Two-factor is now required of everybody." : "Two-factor is now required only where a role asks for it.");
        }).Runs(typeof(RequireTwoFactor));

        routes.MapGet("/settings/security/members/{id:guid}", (HttpContext http, Guid id) => Member(http, id)).Runs(typeof(ViewMember));
        routes.MapPost("/settings/security/members/{id:guid}/reset-link", async (HttpContext http, Guid id) =>
        {
            var link = await http.Run(new IssueResetLink(id));
            if (link.Error is { } error) return await AccountPages.Failed(http, error, PathOf(id));
            var url = $"{http.Request.Scheme}://{http.Request.Host}{link.Value.Path}";
            return await http.Page<ResetLinkPage>(new { Url = url, link.Value.Name, link.Value.ExpiresAt, http.Context().Tenant!.Zone, Back = PathOf(id) });
        }).Runs(typeof(IssueResetLink));
        Act(routes, "unlock", id => new UnlockMember(id), "The account is unlocked.");
        Act(routes, "suspend", id => new SuspendMember(id), "The account is closed; its sessions, devices and links have ended.");
        Act(routes, "reactivate", id => new ReactivateMember(id), "The account is open again.");
        Act(routes, "reset-two-factor", id => new ResetTwoFactor(id), "Two-factor is off for this account; its sessions have ended.");
        routes.MapPost("/settings/security/members/{id:guid}/sessions/{session:guid}/end", (HttpContext http, Guid id, Guid session) =>
            Done(http, new EndMemberSession(id, session), id, "The session has ended.")).Runs(typeof(EndMemberSession));
        routes.MapPost("/settings/security/members/{id:guid}/devices/{device:guid}/revoke", (HttpContext http, Guid id, Guid device) =>
            Done(http, new RevokeMemberDevice(id, device), id, "The device will ask for a code again.")).Runs(typeof(RevokeMemberDevice));
    }

    private static string PathOf(Guid id) => $"{List}/members/{id}";

    private static void Act<TOperation>(IEndpointRouteBuilder routes, string verb, Func<Guid, TOperation> operation, string said) where TOperation : IOperation<Done> =>
        routes.MapPost("/settings/security/members/{id:guid}/" + verb, (HttpContext http, Guid id) => Done(http, operation(id), id, said)).Runs(typeof(TOperation));

    private static async Task<IResult> Done<TOperation>(HttpContext http, TOperation operation, Guid id, string said) where TOperation : IOperation<Done> =>
        (await http.Run<Done>(operation)).Error is { } error ? await AccountPages.Failed(http, error, PathOf(id)) : http.SeeOther(PathOf(id), said);

    private static async Task<IResult> Member(HttpContext http, Guid id)
    {
        var found = await http.Run(new ViewMember(id));
        if (found.Error is { } error) return await http.PageError(error);
        var model = found.Value;
        return await http.Page<MemberPage>(new { model.Member, model.Sessions, model.Devices, model.MayChange, model.ManagesSecurity, http.Context().Tenant!.Zone });
    }
}
