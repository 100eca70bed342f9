using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Shell;

/// <summary>
/// Maps handlers that take the context alone. The framework's own methods would take such a lambda for a <see cref="RequestDelegate"/> and silently drop what it answers.
/// </summary>
internal static class Routes
{
    public static RouteHandlerBuilder Get(this IEndpointRouteBuilder routes, string pattern, Func<HttpContext, Task<IResult>> handler) => routes.MapGet(pattern, (Delegate)handler);

    public static RouteHandlerBuilder Post(this IEndpointRouteBuilder routes, string pattern, Func<HttpContext, Task<IResult>> handler) => routes.MapPost(pattern, (Delegate)handler);

    public static RouteHandlerBuilder Delete(this IEndpointRouteBuilder routes, string pattern, Func<HttpContext, Task<IResult>> handler) => routes.MapDelete(pattern, (Delegate)handler);

    public static RouteHandlerBuilder Put(this IEndpointRouteBuilder routes, string pattern, Func<HttpContext, Task<IResult>> handler) => routes.MapPut(pattern, (Delegate)handler);
}
