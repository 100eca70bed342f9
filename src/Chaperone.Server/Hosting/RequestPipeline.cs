using System.Net;
using System.Security.Claims;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http.Metadata;

namespace Chaperone.Server.Hosting;

/// <summary>What every request passes before an endpoint: headers, prefetch refused, the clinic from the host name, and calls from other sites refused.</summary>
internal static class RequestPipeline
{
    /// <summary>Most bytes of a body that is no upload.</summary>
    public const long MostBodyBytes = 1024 * 1024;

    /// <summary>What Retry-After says where too much is going on at this moment and nobody knows how long.</summary>
    private const string SoonSeconds = "10";

    /// <summary>The policy of every page, but for its styles.</summary>
    public const string Policy = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

    private static readonly string[] Loopback = ["localhost", "127.0.0.1", "[::1]"];

    /// <summary>Turns what nobody foresaw into the error page or problem details, and logs where it happened, never what it said.</summary>
    public static void UseFaults(this IApplicationBuilder app) => app.Use(async (http, next) =>
    {
        try
        {
            await next(http);
            if (http.Response is { HasStarted: false, StatusCode: 404 or 405 } && http.GetEndpoint() is not RouteEndpoint && http.Response.ContentLength is null)
                await Refuse(http, PlatformErrors.NotFound with { Status = http.Response.StatusCode });
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // the client went away: there is nobody to answer
        }
        catch (BadHttpRequestException bad) when (!http.Response.HasStarted)
        {
            await Refuse(http, bad.StatusCode switch
            {
                413 => PlatformErrors.TooLarge,
                _ => PlatformErrors.Malformed with { Status = bad.StatusCode is 408 or 415 ? bad.StatusCode : 400 },
            });
        }
        catch (Exception lost) when (!http.Response.HasStarted && lost.IsDatabaseLoss())
        {
            http.RequestServices.GetRequiredService<ILogger<Program>>().LogWarning("{Route}: the database did not answer", (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText);
            await Refuse(http, PlatformErrors.DatabaseUnavailable);
        }
        catch (Exception fault) when (!http.Response.HasStarted)
        {
            http.RequestServices.GetRequiredService<ILogger<Program>>().LogError("{Route} failed: {Fault}{NewLine}{Stack}", (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText, fault.GetType().Name, Environment.NewLine, fault.StackTrace);
            await Refuse(http, PlatformErrors.Unexpected);
        }
    });

    /// <summary>Safe headers on every answer; personal pages are never stored; what was only prefetched is refused before any operation.</summary>
    public static void UseSafeHeaders(this IApplicationBuilder app, bool tls) => app.Use((http, next) =>
    {
        var isPage = !http.Request.Path.StartsWithSegments("/dist", StringComparison.Ordinal);
        http.Response.OnStarting(() =>
        {
            // OnStarting: whoever clears an answer to say an error clears its headers too, and the antiforgery library writes weaker ones on its way
            var headers = http.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "same-origin";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=()";
            if (http.Response.StatusCode == StatusCodes.Status429TooManyRequests && headers.RetryAfter.Count == 0) headers.RetryAfter = SoonSeconds;
            if (tls) headers.StrictTransportSecurity = "max-age=31536000";
            if (!isPage) return Task.CompletedTask;
            headers.CacheControl = http.Response.StatusCode == StatusCodes.Status200OK && http.GetEndpoint()?.Metadata.GetMetadata<KeptByBrowser>() is not null ? "private, max-age=31536000, immutable"
                : http.Response.StatusCode is StatusCodes.Status200OK or StatusCodes.Status304NotModified && http.GetEndpoint()?.Metadata.GetMetadata<AskedAgain>() is not null ? "private, no-cache" : "no-store";
            headers.Remove("X-Frame-Options");
            if (headers.ContentSecurityPolicy.Count == 0)
                headers.ContentSecurityPolicy = $"{Policy}; style-src 'self' 'nonce-{http.Nonce()}'";
            return Task.CompletedTask;
        });
        if (IsPrefetch(http.Request))
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return Task.CompletedTask;
        }
        if (HttpMethods.IsHead(http.Request.Method))
        {
            // HEAD runs and is logged like the GET it stands for; Kestrel leaves the body out of the answer by itself.
            http.Items["head"] = true;
            http.Request.Method = HttpMethods.Get;
        }
        return next(http);
    });

    /// <summary>Finds the clinic by the host name. Unknown hosts get 421; loopback names get the installation's own page.</summary>
    public static void UseClinicOfHost(this IApplicationBuilder app) => app.Use(async (http, next) =>
    {
        var context = http.Context();
        context.ClientIp = http.Connection.RemoteIpAddress is { } address ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString() : null;
        if (http.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal))
        {
            await next(http);
            return;
        }
        var host = http.Request.Host.Host;
        context.Tenant = await http.RequestServices.GetRequiredService<TenantDirectory>().FindAsync(host, http.RequestAborted);
        var local = http.Connection.RemoteIpAddress is { } peer && IPAddress.IsLoopback(peer) && Loopback.Contains(host);
        if (context.Tenant is null && !(local && http.GetEndpoint()?.Metadata.GetMetadata<NeedsNoClinic>() is not null))
        {
            await Refuse(http, local ? PlatformErrors.NotFound : PlatformErrors.UnknownHost);
            return;
        }
        await next(http);
    });

    /// <summary>Refuses changes that another site asked for: by Sec-Fetch-Site, else Origin; page forms need their token too, uploads check it themselves.</summary>
    public static void UseSameSiteOnly(this IApplicationBuilder app) => app.Use(async (http, next) =>
    {
        var actor = http.Context().Actor;
        if (actor.SessionId is { } session) http.User = new(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, session.ToString("N"))], "session"));
        var request = http.Request;
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method))
        {
            await next(http);
            return;
        }
        if (!IsSameSite(request))
        {
            await Refuse(http, PlatformErrors.CrossSite);
            return;
        }
        // Announced to be too large for anything but an upload: said at once, before anybody reads it.
        if (request.ContentLength > MostBodyBytes && http.GetEndpoint()?.Metadata.GetMetadata<IRequestSizeLimitMetadata>() is null)
        {
            await Refuse(http, PlatformErrors.TooLarge);
            return;
        }
        var isApi = request.Path.StartsWithSegments("/api", StringComparison.Ordinal);
        var readsItself = http.GetEndpoint()?.Metadata.GetMetadata<ReadsItsUpload>() is not null;
        if (!isApi && !readsItself)
        {
            if (request.ContentLength > PageResults.MostFormBytes)
            {
                await Refuse(http, PlatformErrors.TooLarge);
                return;
            }
            try
            {
                if (request.ContentType?.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase) == true || !await http.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(http))
                {
                    await Refuse(http, PlatformErrors.CrossSite);
                    return;
                }
            }
            catch (AntiforgeryValidationException unread)
            {
                // It wraps what went wrong in reading the form: too slow, cut short, too many fields.
                throw unread.InnerException as BadHttpRequestException ?? new BadHttpRequestException("The form cannot be read.", unread);
            }
        }
        await next(http);
    });

    /// <summary>The error as problem details for the API, as a page for people.</summary>
    public static async Task Refuse(HttpContext http, Error error)
    {
        var isPage = !http.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal) && http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
        http.Response.Clear();
        try
        {
            var result = isPage ? await http.PageError(error) : Problem.Of(error);
            await result.ExecuteAsync(http);
        }
        catch (Exception fault) when (isPage && !http.Response.HasStarted && fault is not OperationCanceledException)
        {
            // The page about the fault has one itself (the database is gone): say it in plain words.
            http.Response.Clear();
            http.Response.StatusCode = error.Status;
            await http.Response.WriteAsync($"{error.Title} {error.Next} ({error.Code})", http.RequestAborted);
        }
    }

    private static bool IsPrefetch(HttpRequest request) =>
        request.Headers["Sec-Purpose"].ToString().Contains("prefetch", StringComparison.OrdinalIgnoreCase)
        || request.Headers["X-Sec-Purpose"].ToString().Contains("prefetch", StringComparison.OrdinalIgnoreCase);

    private static bool IsSameSite(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0) return site is "same-origin" or "none";
        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var from) && string.Equals(from.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase));
    }
}

/// <summary>Endpoint metadata: answers on loopback names too, where there is no clinic.</summary>
internal sealed record NeedsNoClinic;
