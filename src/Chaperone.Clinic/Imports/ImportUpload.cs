using System.Text.Json;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Chaperone.Clinic.Imports;

/// <summary>Endpoint metadata: how large a request may be here. The rate at which a body must come stays as everywhere.</summary>
internal sealed record UploadSizeLimit : IRequestSizeLimitMetadata
{
    public long? MaxRequestBodySize => ImportLimits.MostBytes + (1024 * 1024);   // the file, and what stands around it
}

/// <summary>A file in a multipart request, read part by part and never spooled.</summary>
internal static class ImportUpload
{
    private const int MostFieldBytes = 256 * 1024;

    /// <summary>Reads the request: the file goes through <see cref="UploadFile"/> as it comes.</summary>
    /// <param name="http">The request.</param>
    /// <param name="needsToken">Whether the form's token must come before the file, in the header or as the first part.</param>
    /// <param name="kind">What the file holds; null for what a part named <c>kind</c> before it says, or else its columns.</param>
    /// <returns>The import, and the mapping if one was sent.</returns>
    public static async Task<Result<(ImportState State, ColumnMapping? Mapping)>> ReceiveAsync(HttpContext http, bool needsToken, string? kind)
    {
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type) || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(type.Boundary).Value is not { Length: > 0 and <= 200 } boundary) return ImportErrors.NoFile;
        var trusted = !needsToken;
        if (needsToken && http.Request.Headers.ContainsKey(Token.HeaderName))
        {
            if (!await IsOurFormAsync(http)) return PlatformErrors.CrossSite;
            trusted = true;
        }
        var reader = new MultipartReader(boundary, http.Request.Body) { HeadersCountLimit = 16, HeadersLengthLimit = 8 * 1024 };
        ImportState? state = null;
        ColumnMapping? mapping = null;
        try
        {
            while (await reader.ReadNextSectionAsync(http.RequestAborted) is { } part)
            {
                var name = part.GetContentDispositionHeader()?.Name.Value is { } quoted ? HeaderUtilities.RemoveQuotes(quoted).Value : null;
                if (name == Token.FieldName && !trusted)
                {
                    http.Request.Headers[Token.HeaderName] = await TextAsync(part.Body, http.RequestAborted);
                    if (!await IsOurFormAsync(http)) return PlatformErrors.CrossSite;
                    trusted = true;
                }
                else if (!trusted) return PlatformErrors.CrossSite;
                else if (name == "kind" && kind is null)
                {
                    kind = await TextAsync(part.Body, http.RequestAborted) is { Length: > 0 } chosen ? chosen : null;
                }
                else if (name == "mapping")
                {
                    var json = await TextAsync(part.Body, http.RequestAborted);
                    if (string.IsNullOrWhiteSpace(json)) continue;
                    if (MappingOf(json) is not { } read) return await ForgetAsync(http, state, ImportErrors.BadMapping.With("mapping", "This is not the JSON of a mapping."));
                    mapping = read;
                }
                else if (name == "file" && state is null)
                {
                    var received = await http.Run(new UploadFile(part.AsFileSection()?.FileName ?? "", part.Body, kind));
                    if (received.Error is { } error) return error;
                    state = received.Value;
                }
            }
        }
        catch (Exception broken) when (broken is InvalidDataException or IOException and not BadHttpRequestException)
        {
            return await ForgetAsync(http, state, PlatformErrors.Malformed);
        }
        return state is null ? ImportErrors.NoFile : (state, mapping);
    }

    /// <summary>A mapping as JSON, or null.</summary>
    public static ColumnMapping? MappingOf(string json)
    {
        try
        {
            if (JsonSerializer.Deserialize(json, ImportJson.Default.ColumnMapping) is not { Columns: { } columns } read || columns.Values.Contains(null!)) return null;
            var usual = new ColumnMapping();   // the generated reader leaves null what the JSON leaves out
            return read with { Source = read.Source ?? usual.Source, DateFormat = read.DateFormat ?? usual.DateFormat, Duplicates = read.Duplicates ?? usual.Duplicates };
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Throws away what was received, because the request as a whole is refused.</summary>
    public static async Task<Error> ForgetAsync(HttpContext http, ImportState? state, Error because)
    {
        if (state is not null) await http.Run(new CancelImport(state.Id));
        return because;
    }

    private static Task<bool> IsOurFormAsync(HttpContext http) => http.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(http);

    private static async Task<string> TextAsync(Stream part, CancellationToken cancel)
    {
        var bytes = new byte[MostFieldBytes + 1];
        var length = await part.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        return length > MostFieldBytes ? throw new InvalidDataException("A field is too long.") : System.Text.Encoding.UTF8.GetString(bytes, 0, length);
    }
}
