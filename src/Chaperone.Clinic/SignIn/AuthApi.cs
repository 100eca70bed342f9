using System.Text.Json;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.SignIn;

/// <summary>The sign-in routes under <c>/api</c>.</summary>
internal static class AuthApi
{
    private const int MostBytes = 16 * 1024;
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/auth/sign-in", async (HttpContext http, SignInDesk desk) =>
        {
            if (await Body<SignInInput>(http) is not { } input) return Problem.Of(PlatformErrors.Malformed);
            var result = await desk.TryAsync(http, input with { Ticket = null });
            return result.Match(done => Results.Json(new { status = Name(done.Status) }));
        }).Runs(typeof(BeginSignIn), typeof(SignIn), typeof(NoteBackupCodeUsed), typeof(TrustDevice), typeof(NoteNetworkLimited));

        routes.Post("/api/auth/sign-out", async http => (await http.Run(new SignOut())).Match(_ =>
        {
            Leave(http);
            return Results.NoContent();
        })).Runs(typeof(SignOut));

        routes.Get("/api/me", async http => Problem.Json(await http.Run(new ViewMe()))).Runs(typeof(ViewMe));
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
