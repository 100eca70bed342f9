using Chaperone.Platform.Operations;
using Microsoft.AspNetCore.Http;

namespace Chaperone.Platform.Web;

/// <summary>The one place where errors become RFC 9457 problem details.</summary>
public static class Problem
{
    /// <summary>The error as <c>application/problem+json</c>: type (anchor in docs/errors.md), title, status, code, next, and where there are any fields and facts.</summary>
    public static IResult Of(Error error)
    {
        var extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["code"] = error.Code, ["next"] = error.Next };
        if (error.Fields.Count > 0) extensions["fields"] = error.Fields;
        foreach (var (name, fact) in error.Facts) extensions[name] = fact;
        return Results.Problem(type: "/docs/errors#" + error.Code.ToLowerInvariant(), title: error.Title, statusCode: error.Status, extensions: extensions);
    }

    /// <summary>The value as JSON with 200, or the error.</summary>
    public static IResult Json<T>(Result<T> result) => result.Error is { } error ? Of(error) : Results.Json(result.Value);

    /// <summary>What a value becomes, or the error.</summary>
    public static IResult Match<T>(this Result<T> result, Func<T, IResult> success) => result.Error is { } error ? Of(error) : success(result.Value);
}
