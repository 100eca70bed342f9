using System.Text.Json;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.Team;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.SignIn;

/// <summary>The sign-in routes under <c>/api</c>.</summary>
internal static class AuthApi
{
    private sealed record CodeInput(string? Code, string? BackupCode);

    private sealed record PasswordInput(string? Current, string? New);

    private sealed record ResetInput(string? Token, string? Password);

    private const int MostBytes = 16 * 1024;
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/auth/sign-in", async (HttpContext http, SignInDesk desk) =>
        {
            if (await Body<SignInInput>(http) is not { } input) return Problem.Of(PlatformErrors.Malformed);
            var result = await desk.TryAsync(http, input with { Ticket = null });
            return result.Match(done => Results.Json(new { status = Name(done.Status) }));
        }).Runs(typeof(BeginSignIn), typeof(FinishSignIn), typeof(NoteBackupCodeUsed), typeof(TrustDevice), typeof(NoteNetworkLimited));

        routes.Post("/api/auth/sign-out", async http => (await http.Run(new SignOut())).Match(_ =>
        {
            Leave(http);
            return Results.NoContent();
        })).Runs(typeof(SignOut));

        routes.MapPost("/api/auth/step-up", async (HttpContext http, AccountDesk desk) =>
            await Body<CodeInput>(http) is { } input ? (await desk.StepUpAsync(http, input.Code, input.BackupCode)).Match(_ => Results.NoContent()) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(CountOwnAttempt), typeof(StepUp));
        routes.Post("/api/auth/enrol", async http => Problem.Json(await http.Run(new StartEnrolment()))).Runs(typeof(StartEnrolment));
        routes.MapPost("/api/auth/enrol/confirm", async (HttpContext http, AccountDesk desk) =>
            await Body<CodeInput>(http) is { } input ? Problem.Json(await desk.ConfirmAsync(http, input.Code)) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(CountOwnAttempt), typeof(ConfirmEnrolment));
        routes.Post("/api/auth/backup-codes", async http => Problem.Json(await http.Run(new RegenerateBackupCodes()))).Runs(typeof(RegenerateBackupCodes));
        routes.Post("/api/auth/two-factor/disable", async http => (await http.Run(new DisableTwoFactor())).Match(_ => Results.NoContent())).Runs(typeof(DisableTwoFactor));
        routes.MapPost("/api/auth/password", async (HttpContext http, AccountDesk desk) =>
            await Body<PasswordInput>(http) is { } input ? (await desk.ChangePasswordAsync(http, input.Current, input.New)).Match(_ => Results.NoContent()) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(ViewMe), typeof(CountOwnAttempt), typeof(ChangePassword));
        routes.MapPost("/api/auth/reset", async (HttpContext http, AccountDesk desk) =>
            await Body<ResetInput>(http) is { } input ? (await desk.UseLinkAsync(http, input.Token, input.Password)).Match(_ => Results.NoContent()) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(CheckLink), typeof(UseLink), typeof(NoteNetworkLimited));
        routes.Get("/api/auth/sessions", async http => (await http.Run(new ListOwnSessions())).Match(items => Results.Json(new { items, next = (string?)null }))).Runs(typeof(ListOwnSessions));
        routes.MapDelete("/api/auth/sessions/{id:guid}", async (HttpContext http, Guid id) => (await http.Run(new EndOwnSession(id))).Match(_ => Results.NoContent())).Runs(typeof(EndOwnSession));
        routes.Get("/api/auth/devices", async http => (await http.Run(new ListOwnDevices())).Match(items => Results.Json(new { items, next = (string?)null }))).Runs(typeof(ListOwnDevices));
        routes.MapDelete("/api/auth/devices/{id:guid}", async (HttpContext http, Guid id) => (await http.Run(new RevokeOwnDevice(id))).Match(_ => Results.NoContent())).Runs(typeof(RevokeOwnDevice));
        routes.Get("/api/me", async http => (await http.Run(new ViewMe())).Match(me =>
        {
            http.Response.Headers.ETag = JsonRequest.ETag(me.Version);
            return Results.Json(me);
        })).Runs(typeof(ViewMe));
        routes.Put("/api/me", async http => await Body<WantedProfile>(http) is { } wanted ? http.AtVersion(await http.Run(new ChangeOwnProfile(wanted, http.IfMatch()))) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(ChangeOwnProfile)).WithSummary("Changes one's own name, email, title, register entry and colour, as PUT /api/team/{id} does.");
    }

    /// <summary>What signing out takes with it in the browser.</summary>
    public static void Leave(HttpContext http)
    {
        SignInCookies.DropSession(http);
        http.Response.Headers["Clear-Site-Data"] = "\"cache\"";
    }

    /// <summary>A small JSON body, or null when it cannot be read as one.</summary>
    public static async Task<T?> Body<T>(HttpContext http) where T : class
    {
        if (!http.Request.HasJsonContentType() || http.Request.ContentLength > MostBytes) return null;
        try
        {
            var buffer = new byte[MostBytes + 1];
            var length = await http.Request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, http.RequestAborted);
            return length > MostBytes ? null : JsonSerializer.Deserialize<T>(buffer.AsSpan(0, length), Web);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static string Name(SignInStatus status) => status switch
    {
        SignInStatus.SignedIn => "signed_in",
        SignInStatus.CodeRequired => "code_required",
        SignInStatus.EnrolmentRequired => "enrolment_required",
        _ => throw new ArgumentOutOfRangeException(nameof(status)),
    };
}
