using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Platform.Operations;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Chaperone.Clinic.Shell;

/// <summary>What the API's requests carry: a JSON body, and the version that the caller saw.</summary>
internal static class JsonRequest
{
    private const int MostBytes = 256 * 1024;

    public static string ETag(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <summary>The version of If-Match: null without the header, and one that no record has for a tag that is none of ours.</summary>
    public static long? IfMatch(this HttpContext http)
    {
        var tag = http.Request.Headers.IfMatch.ToString();
        if (tag.Length == 0) return null;
        return tag is ['"', .. var version, '"'] && long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
    }

    /// <summary>A JSON body of bounded size. What cannot be read is an error without a word of it.</summary>
    public static async Task<Result<T>> ReadJson<T>(this HttpContext http, JsonTypeInfo<T> type) where T : class
    {
        if (!http.Request.HasJsonContentType()) return PlatformErrors.Malformed;
        if (http.Request.ContentLength > MostBytes) return PlatformErrors.TooLarge;
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = MostBytes;
        try
        {
            return await JsonSerializer.DeserializeAsync(http.Request.Body, type, http.RequestAborted) is { } body ? body : PlatformErrors.Malformed;
        }
        catch (BadHttpRequestException refused)
        {
            return refused.StatusCode == StatusCodes.Status413PayloadTooLarge ? PlatformErrors.TooLarge : PlatformErrors.Malformed;
        }
        catch (JsonException)
        {
            return PlatformErrors.Malformed;
        }
    }
}
