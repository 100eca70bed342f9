using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Platform.Web;

/// <summary>What the middleware found out about a request before any endpoint: the clinic from the host, the actor from the session.</summary>
public sealed class RequestContext
{
    /// <summary>The clinic of the host name; null on loopback names and health.</summary>
    public Tenant? Tenant { get; set; }

    /// <summary>Who acts.</summary>
    public Actor Actor { get; set; } = Actor.Anonymous;

    /// <summary>The client's address: the peer's, or from trusted proxies what they say.</summary>
    public string? ClientIp { get; set; }
}

/// <summary>Runs operations for HTTP requests.</summary>
public static class RequestOperations
{
    /// <summary>The request's context; there is one from the first middleware on.</summary>
    public static RequestContext Context(this HttpContext http)
    {
        if (http.Features.Get<RequestContext>() is { } known) return known;
        var made = new RequestContext();
        http.Features.Set(made);
        return made;
    }

    /// <summary>The caller of operations in this request.</summary>
    /// <exception cref="InvalidOperationException">The request has no clinic: such a request reaches no endpoint that runs operations.</exception>
    public static Caller Caller(this HttpContext http)
    {
        var context = http.Context();
        var endpoint = http.GetEndpoint() as RouteEndpoint;
        var route = $"{http.Request.Method} {endpoint?.RoutePattern.RawText}";
        var channel = http.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal) ? "api" : "web";
        return new(
            context.Tenant ?? throw new InvalidOperationException("No clinic was found for this request."),
            context.Actor,
            new(channel, route, context.ClientIp, ClientFamily.Of(http.Request.Headers.UserAgent.ToString())));
    }

    /// <summary>Runs an operation that this endpoint declares, for this request's caller.</summary>
    /// <exception cref="InvalidOperationException">The endpoint does not declare it.</exception>
    public static Task<Result<TResult>> Run<TResult>(this HttpContext http, IOperation<TResult> operation)
    {
        if (http.GetEndpoint()?.Metadata.GetOrderedMetadata<RunsOperations>().Any(runs => runs.Operations.Contains(operation.GetType())) != true)
            throw new InvalidOperationException($"{http.GetEndpoint()?.DisplayName} does not declare that it runs {operation.GetType().Name}.");
        return http.RequestServices.GetRequiredService<ReferenceMonitor>().Run(operation, http.Caller(), http.RequestAborted);
    }
}

/// <summary>A client in short: browser engine and operating system, no version. What a session is bound to.</summary>
public static class ClientFamily
{
    private static readonly (string Mark, string Name)[] Engines = [("Firefox/", "gecko"), ("Chrome/", "blink"), ("Chromium/", "blink"), ("AppleWebKit/", "webkit")];
    private static readonly (string Mark, string Name)[] Systems =
        [("Android", "android"), ("iPhone", "ios"), ("iPad", "ios"), ("Windows", "windows"), ("Mac OS X", "macos"), ("CrOS", "chromeos"), ("Linux", "linux")];

    /// <summary>Such as <c>blink/linux</c>; <c>other/other</c> for what is not a known browser.</summary>
    public static string Of(string userAgent) => $"{Name(Engines, userAgent)}/{Name(Systems, userAgent)}";

    private static string Name((string Mark, string Name)[] known, string userAgent) =>
        known.FirstOrDefault(candidate => userAgent.Contains(candidate.Mark, StringComparison.Ordinal)).Name ?? "other";
}
