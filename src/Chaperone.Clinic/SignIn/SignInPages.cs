using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.SignIn;

/// <summary>The pages of signing in and out.</summary>
internal static class SignInPages
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.Get("/sign-in", async http =>
            http.Context().Actor.Id is not null ? http.SeeOther(LocalPath(http.Request.Query["to"])) : await http.Page<SignInPage>(new { To = LocalPath(http.Request.Query["to"]) }))
            .RunsNothing("an empty form");

        routes.MapPost("/sign-in", SignIn)
            .Runs(typeof(BeginSignIn), typeof(FinishSignIn), typeof(NoteBackupCodeUsed), typeof(TrustDevice), typeof(NoteNetworkLimited));

        routes.Post("/sign-out", async http =>
        {
            await http.Run(new SignOut());
            AuthApi.Leave(http);
            return http.SeeOther("/sign-in", "You have signed out.", Tone.Info);
        }).Runs(typeof(SignOut));
    }

    /// <summary>Where to go afterwards: a path of this host, never another site.</summary>
    public static string LocalPath(string? to) =>
        to is { Length: > 0 and <= 500 } && to[0] == '/' && (to.Length == 1 || to[1] is not ('/' or '\\')) && !to.Any(char.IsControl) && !to.StartsWith("/sign-", StringComparison.Ordinal) ? to : "/";

    private static async Task<IResult> SignIn(HttpContext http, SignInDesk desk)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var (to, remember) = (LocalPath(form.GetValueOrDefault("to")), form.GetValueOrDefault("remember") == "true");
        var ticket = form.GetValueOrDefault("ticket") is { Length: > 0 } given ? given : null;
        var result = await desk.TryAsync(http, new(form.GetValueOrDefault("email"), form.GetValueOrDefault("password"), form.GetValueOrDefault("code"), form.GetValueOrDefault("backupCode"), remember, ticket));
        if (result.Error is { } error)
        {
            var errors = new FormErrors { { "", ticket is null ? "Address or password did not work, or the account is locked." : "The code did not work, or the account is locked." }, };
            if (error.Code != SignInErrors.Refused.Code) errors = new FormErrors { { "", error.Title + " " + error.Next } };
            var backup = ticket is not null && form.GetValueOrDefault("backupCode") is { Length: > 0 };
            return await http.Page<SignInPage>(new { To = to, Ticket = ticket, Email = form.GetValueOrDefault("email"), Remember = remember, Errors = errors, WithBackupCode = backup }, error.Status == 429 ? 429 : 422);
        }
        return result.Value.Status switch
        {
            SignInStatus.CodeRequired => await http.Page<SignInPage>(new { To = to, result.Value.Ticket, Remember = remember }, StatusCodes.Status422UnprocessableEntity),
            SignInStatus.EnrolmentRequired => http.SeeOther("/enrol"),
            _ => http.SeeOther(to),
        };
    }
}
