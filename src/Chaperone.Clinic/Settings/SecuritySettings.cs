using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Clinic.Team;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Settings;

/// <summary>The clinic's sign-in rules: the page under Settings › Security, and <c>PUT /api/settings/security</c>.</summary>
internal static class SecuritySettings
{
    public const string Path = "/settings/security";

    private sealed record Rules(bool? RequireTwoFactor);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGroup("").WithTags("Settings").Put("/api/settings/security", async http =>
            await AuthApi.Body<Rules>(http) is { RequireTwoFactor: { } wanted } ? (await http.Run(new RequireTwoFactor(wanted))).Match(_ => Results.NoContent()) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(RequireTwoFactor));

        routes.Get(Path, async http =>
        {
            var members = await http.Run(new ListMembers());
            if (members.Error is { } error) return await http.PageError(error);
            var (actor, now) = (http.Context().Actor, http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow());
            var tenant = http.Context().Tenant!;
            return await http.Page<SecurityPage>(new
            {
                Members = members.Value,
                tenant.Zone,
                tenant.RequireTwoFactor,
                ManagesSecurity = actor.Rights.Holds(Permission.SecurityManage, actor.State.Elevated, now),
            });
        }).Runs(typeof(ListMembers));

        routes.Post(Path + "/two-factor", async http =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            var wanted = form.GetValueOrDefault("require") == "true";
            return (await http.Run(new RequireTwoFactor(wanted))).Error is { } error
                ? await AccountPages.Failed(http, error, Path)
                : http.SeeOther(Path, wanted ? "Two-factor is now required of everybody." : "Two-factor is now required only where a role asks for it.");
        }).Runs(typeof(RequireTwoFactor));
    }
}
