using System.Globalization;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Clinic.Team;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Settings;

/// <summary>Settings › Security: the overview, everybody's sessions and devices, as pages and under <c>/api</c>.</summary>
internal static class SecuritySettings
{
    public const string Path = "/settings/security", Sessions = Path + "/sessions", Devices = Path + "/devices";

    private sealed record Rules(bool? RequireTwoFactor);

    public static void Map(IEndpointRouteBuilder routes)
    {
        MapApi(routes.MapGroup("/api").WithTags("Settings"));
        var pages = routes.MapGroup(Path).ExcludeFromDescription();
        pages.Get("", async http =>
        {
            var security = await http.Run(new ViewSecurity());
            return security.Error is { } error ? await http.PageError(error) : await http.Page<SecurityPage>(new { Security = security.Value, http.Context().Tenant!.Zone });
        }).Runs(typeof(ViewSecurity));
        pages.Post("two-factor", async http =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            var wanted = form.GetValueOrDefault("require") == "true";
            return await Done(http, new RequireTwoFactor(wanted), Path, wanted ? "Two-factor is now required of everybody." : "Two-factor is now required only where a role asks for it.");
        }).Runs(typeof(RequireTwoFactor));
        pages.MapPost("locked/{id:guid}/unlock", (HttpContext http, Guid id) => Done(http, new UnlockMember(id), Path, "The account is unlocked.")).Runs(typeof(UnlockMember));

        pages.MapGet("sessions", async (HttpContext http, string? cursor) =>
        {
            var sessions = await http.Run(new ListSessions(Cursor: Given(cursor)));
            return sessions.Error is { } error ? await http.PageError(error) : await http.Page<SessionsPage>(new { Page = sessions.Value, IsFirst = Given(cursor) is null, http.Context().Tenant!.Zone });
        }).Runs(typeof(ListSessions));
        pages.MapPost("sessions/{id:guid}/end", (HttpContext http, Guid id) => Done(http, new EndSession(id), Sessions, "The session has ended.")).Runs(typeof(EndSession));
        pages.MapGet("devices", async (HttpContext http, string? cursor) =>
        {
            var devices = await http.Run(new ListDevices(Cursor: Given(cursor)));
            return devices.Error is { } error ? await http.PageError(error) : await http.Page<DevicesPage>(new { Page = devices.Value, IsFirst = Given(cursor) is null, http.Context().Tenant!.Zone });
        }).Runs(typeof(ListDevices));
        pages.MapPost("devices/{id:guid}/revoke", (HttpContext http, Guid id) => Done(http, new RevokeDevice(id), Devices, "The device will ask for a code again.")).Runs(typeof(RevokeDevice));
    }

    private static void MapApi(RouteGroupBuilder api)
    {
        api.Get("settings/security", async http => Problem.Json(await http.Run(new ViewSecurity()))).Runs(typeof(ViewSecurity))
            .WithSummary("Whether two-factor is required of everybody, who has none, who is locked out, who never had a password, how many sessions and devices there are, and the password rules.");
        api.Put("settings/security", async http =>
            await AuthApi.Body<Rules>(http) is { RequireTwoFactor: { } wanted } ? (await http.Run(new RequireTwoFactor(wanted))).Match(_ => Results.NoContent()) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(RequireTwoFactor));
        api.MapGet("sessions", async (HttpContext http, string? limit, string? cursor) =>
            Limit(limit) is { } most ? Problem.Json(await http.Run(new ListSessions(most, Given(cursor)))) : Problem.Of(PlatformErrors.Malformed)).Runs(typeof(ListSessions))
            .WithSummary("Everybody's sessions that work at this moment, the newest first; limit (1 to 200) and cursor.");
        api.MapDelete("sessions/{id:guid}", async (HttpContext http, Guid id) => (await http.Run(new EndSession(id))).Match(_ => Results.NoContent())).Runs(typeof(EndSession)).WithSummary("Ends somebody's session.");
        api.MapGet("devices", async (HttpContext http, string? limit, string? cursor) =>
            Limit(limit) is { } most ? Problem.Json(await http.Run(new ListDevices(most, Given(cursor)))) : Problem.Of(PlatformErrors.Malformed)).Runs(typeof(ListDevices))
            .WithSummary("Everybody's trusted devices, the newest first; limit (1 to 200) and cursor.");
        api.MapDelete("devices/{id:guid}", async (HttpContext http, Guid id) => (await http.Run(new RevokeDevice(id))).Match(_ => Results.NoContent())).Runs(typeof(RevokeDevice)).WithSummary("Forgets somebody's trusted device.");
    }

    private static async Task<IResult> Done<TOperation>(HttpContext http, TOperation operation, string back, string said) where TOperation : IOperation<Done> =>
        (await http.Run<Done>(operation)).Error is { } error ? await AccountPages.Failed(http, error, back) : http.SeeOther(back, said);

    private static int? Limit(string? text) => Given(text) is null ? 50 : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string? Given(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
