using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Platform.Web;

/// <summary>Endpoint metadata: the operations this endpoint runs. Running any other is refused.</summary>
public sealed record RunsOperations(IReadOnlyList<Type> Operations);

/// <summary>Endpoint metadata: this endpoint runs no operation, and why that is right. The list of these is in the docs and a test holds it.</summary>
public sealed record RunsNothing(string Because);

/// <summary>Declares what endpoints run, and refuses to start when one does not say.</summary>
public static class EndpointRules
{
    /// <summary>This endpoint runs <typeparamref name="TOperation"/>.</summary>
    public static TBuilder Runs<TBuilder, TOperation>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new RunsOperations([typeof(TOperation)]));

    /// <summary>This endpoint runs these operations.</summary>
    public static RouteHandlerBuilder Runs(this RouteHandlerBuilder endpoint, params Type[] operations) => endpoint.WithMetadata(new RunsOperations(operations));

    /// <summary>This endpoint runs no operation.</summary>
    public static TBuilder RunsNothing<TBuilder>(this TBuilder endpoint, string because) where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new RunsNothing(because));

    /// <summary>Refuses to start when an endpoint neither runs an operation nor says why not.</summary>
    /// <exception cref="InvalidOperationException">Names every such endpoint.</exception>
    public static void Hold(IEndpointRouteBuilder endpoints)
    {
        var silent = endpoints.DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<RunsOperations>() is null && endpoint.Metadata.GetMetadata<RunsNothing>() is null)
            .Select(endpoint => endpoint.DisplayName).ToList();
        if (silent.Count > 0) throw new InvalidOperationException("Refusing to start. These endpoints run no operation and are not on the list of those that may not: " + string.Join("; ", silent) + ".");
    }
}
