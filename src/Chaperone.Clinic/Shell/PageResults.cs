using System.Text;
using System.Text.Json;
using Chaperone.Clinic.Settings;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Shell;

/// <summary>Who is signed in, as the top bar shows them. The sign-in feature gives it; it opens one's own account only.</summary>
public sealed record PersonOfRequest(Func<HttpContext, Task<SignedInPerson?>> Find);

/// <summary>What must be said about the clinic's log on every page. The audit feature gives it.</summary>
public sealed record IntegrityOfRequest(Func<Tenant, IntegrityNotice?> Find);

/// <summary>Endpoint metadata: reads its own body in parts and checks the token itself, from the header or the body's first part.</summary>
public sealed record ReadsItsUpload;

/// <summary>Endpoint metadata: what is answered with 200 holds nobody's data and is never another at the same address, so the person's browser may keep it.</summary>
public sealed record KeptByBrowser;

/// <summary>Endpoint metadata: may be kept by who asked, who asks each time whether it is still the same (ETag).</summary>
public sealed record AskedAgain;

/// <summary>What page endpoints answer with.</summary>
public static class PageResults
{
    private const string FlashCookie = "__Host-chaperone-flash";

    /// <summary>Most bytes of a form that is not an upload.</summary>
    public const int MostFormBytes = 256 * 1024;

    /// <summary>Sent with what an open page asks by itself, without anybody doing anything: it does not count as using the session, which ends when nobody is there.</summary>
    public const string BackgroundHeader = "X-Chaperone-Background";

    /// <summary>Sent with what a dialog over a page posts: when it is done the page goes on itself and wants no redirect.</summary>
    public const string DialogHeader = "X-Chaperone-Dialog";

    /// <summary>A page. The component gets the parameter <c>Context</c> besides those of <paramref name="parameters"/>.</summary>
    public static async Task<IResult> Page<TComponent>(this HttpContext http, object? parameters = null, int status = StatusCodes.Status200OK) where TComponent : IComponent
    {
        var values = ValuesOf(parameters);
        values["Context"] = await http.PageContextAsync();
        return new RazorComponentResult<TComponent>(values) { StatusCode = status, PreventStreamingRendering = true };
    }

    /// <summary>A fragment for a Turbo frame: what the component renders, with icons and forms that work, and nothing of a page around it.</summary>
    public static IResult Fragment<TComponent>(this HttpContext http, object parameters, int status = StatusCodes.Status200OK) where TComponent : IComponent =>
        new RazorComponentResult<FragmentRoot>(new { Context = http.BareContext(), Component = typeof(TComponent), Parameters = ValuesOf(parameters) }) { StatusCode = status, PreventStreamingRendering = true };

    /// <summary>
    /// The error as a page: what happened, its code, what to do. Asks to sign in, to enrol or to confirm where that is what is missing. A posted form that lacks a fresh code goes on
    /// with what was typed once the code was given (<see cref="KeptForm"/>); where it cannot, the person comes back to <paramref name="from"/>.
    /// </summary>
    /// <param name="http">The request.</param>
    /// <param name="error">What went wrong.</param>
    /// <param name="from">The page the form stands on; the start page when not given.</param>
    public static async Task<IResult> PageError(this HttpContext http, Error error, string? from = null)
    {
        var back = from ?? (HttpMethods.IsGet(http.Request.Method) ? http.Request.Path.Value! : "/");
        if (error.Code == PlatformErrors.SignInRequired.Code) return http.SeeOther(back == "/" ? "/sign-in" : "/sign-in?to=" + Uri.EscapeDataString(back));
        if (error.Code == PlatformErrors.EnrolmentRequired.Code) return http.SeeOther("/enrol");
        if (error.Code == PlatformErrors.StepUpRequired.Code)
        {
            return HttpMethods.IsPost(http.Request.Method) && http.RequestServices.GetService<StepUpOfRequest>() is { } stepUp && await http.ReadForm() is { } form && KeptForm.Keep(http, form) is { } kept
                ? await stepUp.Ask(http, back, kept)
                : http.SeeOther("/step-up?to=" + Uri.EscapeDataString(back));
        }
        return await http.Page<ErrorPage>(new { error.Title, error.Code, WhatToDo = error.Next, error.Status }, error.Status);
    }

    /// <summary>303 to another page, where <paramref name="message"/> is shown once. The message never names a person.</summary>
    public static IResult SeeOther(this HttpContext http, string path, string? message = null, Tone tone = Tone.Success)
    {
        if (message is not null)
        {
            var value = Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(new[] { ((int)tone).ToString(System.Globalization.CultureInfo.InvariantCulture), message }));
            http.Response.Cookies.Append(FlashCookie, value, new() { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/", MaxAge = TimeSpan.FromMinutes(1) });
        }
        http.Response.Headers.Location = path;
        return Results.StatusCode(StatusCodes.Status303SeeOther);
    }

    /// <summary>A posted form's fields; a field sent twice gives its last value. Null when it is no form or too large. Stays in memory.</summary>
    /// <param name="http">The request.</param>
    /// <param name="asSent">Whether a <see cref="KeptForm"/> is left sealed, instead of standing for the whole form.</param>
    public static async Task<IReadOnlyDictionary<string, string>?> ReadForm(this HttpContext http, bool asSent = false)
    {
        if (!http.Request.HasFormContentType || http.Request.ContentType!.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase)) return null;
        try
        {
#pragma warning disable RS0030 // url-encoded forms are parsed in memory; only multipart forms are spooled to disk
            var form = await http.Request.ReadFormAsync(new FormOptions { BufferBody = false, ValueLengthLimit = MostFormBytes, BufferBodyLengthLimit = MostFormBytes }, http.RequestAborted);
#pragma warning restore RS0030
            if (!asSent && form.TryGetValue(KeptForm.FieldName, out var kept)) return KeptForm.Open(http, http.Request.Path, kept.ToString());
            return form.ToDictionary(field => field.Key, field => field.Value.LastOrDefault() ?? "", StringComparer.Ordinal);
        }
        catch (Exception unreadable) when (unreadable is InvalidDataException or BadHttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Everything pages need to know of this request.</summary>
    public static async Task<PageContext> PageContextAsync(this HttpContext http)
    {
        var services = http.RequestServices;
        var context = http.Context();
        var now = services.GetRequiredService<TimeProvider>().GetUtcNow();
        var actor = context.Actor;
        return http.BareContext() with
        {
            LogoHref = actor.Id is not null && context.Tenant?.LogoId is { } logo ? ClinicSettingsPages.LogoPath(logo) : null,
            Person = actor.Id is not null && services.GetService<PersonOfRequest>() is { } person ? await person.Find(http) : null,
            Nav = NavPlace.For([.. services.GetServices<NavPlace>()], actor, http.Request.Path, now),
            Messages = TakeFlash(http),
            Integrity = context.Tenant is { } tenant && actor.Rights.Holds(Permission.AuditView, actor.State.Elevated, now) ? services.GetService<IntegrityOfRequest>()?.Find(tenant) : null,
            FindHref = actor.State.Enrolled && actor.PatientId is null && actor.Rights.Holds(Permission.PatientView, actor.State.Elevated, now) ? "/patients" : null,
            AccountHref = "/account/security",
            ContactsHref = actor.Id is not null && actor.State.Enrolled ? ClinicSettingsPages.Contacts : null,
        };
    }

    // What every component may need, and no more: nothing of it is asked of the database.
    private static PageContext BareContext(this HttpContext http) => new()
    {
        ClinicName = http.Context().Tenant?.Name ?? "Chaperone",
        Host = http.Context().Tenant?.Host ?? "",
        Path = http.Request.Path,
        Token = http.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(http).RequestToken!,
        Nonce = http.Nonce(),
        Assets = http.RequestServices.GetRequiredService<AssetManifest>(),
    };

    private static Dictionary<string, object?> ValuesOf(object? parameters) =>
        (parameters?.GetType().GetProperties() ?? []).ToDictionary(property => property.Name, property => property.GetValue(parameters), StringComparer.Ordinal);

    /// <summary>This response's nonce for Turbo's style; made by the first who asks.</summary>
    public static string Nonce(this HttpContext http)
    {
        if (http.Items["csp-nonce"] is string known) return known;
        var made = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));
        http.Items["csp-nonce"] = made;
        return made;
    }

    private static IReadOnlyList<FlashMessage> TakeFlash(HttpContext http)
    {
        if (http.Request.Cookies[FlashCookie] is not { Length: > 0 and < 2000 } value) return [];
        http.Response.Cookies.Delete(FlashCookie, new() { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/" });
        var bytes = new byte[value.Length];
        if (!Convert.TryFromBase64String(value, bytes, out var length)) return [];
        try
        {
            return JsonSerializer.Deserialize<string[]>(Encoding.UTF8.GetString(bytes, 0, length)) is [var tone, var text] && Enum.TryParse<Tone>(tone, out var parsed) ? [new(parsed, text)] : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
