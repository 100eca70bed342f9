using Chaperone.Platform.Operations;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Chaperone.Clinic.Shell;

/// <summary>A small file that a page's <see cref="UploadForm"/> sends, read in memory. The endpoint says <see cref="ReadsItsUpload"/>.</summary>
internal static class UploadedFile
{
    private const int MostTokenBytes = 4 * 1024;

    /// <summary>The bytes of the part called <paramref name="name"/>; empty when nothing was chosen. The form's token must come before it, in the header or as the first part.</summary>
    /// <param name="http">The request.</param>
    /// <param name="name">The part.</param>
    /// <param name="most">Most bytes of it; more is answered with one byte more than that, so that whoever asked can say what is too much.</param>
    public static async Task<Result<byte[]>> ReadAsync(HttpContext http, string name, int most)
    {
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type) || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(type.Boundary).Value is not { Length: > 0 and <= 200 } boundary) return PlatformErrors.CrossSite;
        var antiforgery = http.RequestServices.GetRequiredService<IAntiforgery>();
        var trusted = http.Request.Headers.ContainsKey(Token.HeaderName) && await antiforgery.IsRequestValidAsync(http);
        var reader = new MultipartReader(boundary, http.Request.Body) { HeadersCountLimit = 16, HeadersLengthLimit = 8 * 1024 };
        try
        {
            while (await reader.ReadNextSectionAsync(http.RequestAborted) is { } part)
            {
                var called = part.GetContentDispositionHeader()?.Name.Value is { } quoted ? HeaderUtilities.RemoveQuotes(quoted).Value : null;
                if (!trusted)
                {
                    if (called != Token.FieldName) return PlatformErrors.CrossSite;
                    http.Request.Headers[Token.HeaderName] = System.Text.Encoding.UTF8.GetString(await BytesAsync(part.Body, MostTokenBytes, http.RequestAborted));
                    if (!await antiforgery.IsRequestValidAsync(http)) return PlatformErrors.CrossSite;
                    trusted = true;
                }
                else if (called == name) return await BytesAsync(part.Body, most, http.RequestAborted);
            }
        }
        catch (Exception broken) when (broken is InvalidDataException or IOException and not BadHttpRequestException)
        {
            return PlatformErrors.Malformed;
        }
        return trusted ? Array.Empty<byte>() : PlatformErrors.CrossSite;
    }

    /// <summary>A body or part of at most so many bytes; one more when there are more.</summary>
    public static async Task<byte[]> BytesAsync(Stream body, int most, CancellationToken cancel)
    {
        var bytes = new byte[most + 1];
        var length = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        return length == bytes.Length ? bytes : bytes[..length];
    }
}
