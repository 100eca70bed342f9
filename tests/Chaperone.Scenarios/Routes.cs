using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Scenarios;

/// <summary>Reading routes from endpoint metadata.</summary>
internal static class Routes
{
    public static string Path(RouteEndpoint endpoint) => "/" + endpoint.RoutePattern.RawText!.Trim('/');

    public static IReadOnlyList<string> Methods(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"];

    public static string Name(RouteEndpoint endpoint) => $"{string.Join(',', Methods(endpoint))} {Path(endpoint)}";

    public static bool IsApi(RouteEndpoint endpoint) => Path(endpoint).StartsWith("/api", StringComparison.Ordinal);
}

/// <summary>Where the source lies, for tests that hold the docs to the code.</summary>
internal static class SourceTree
{
    public static string Root { get; } = Find();

    private static string Find([CallerFilePath] string here = "") => System.IO.Path.GetFullPath(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(here)!, "..", ".."));
}
