using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;

namespace Chaperone.Clinic.Shell;

/// <summary>The names under which the bundled assets are served. Each name carries the hash of its contents, so an answer may be kept for good.</summary>
public sealed class AssetManifest
{
    private readonly IReadOnlyDictionary<string, string> served;

    /// <summary>Makes a manifest of the given names.</summary>
    /// <param name="folder">Folder the files lie in.</param>
    /// <param name="served">Plain name ("app.js") to file name ("app-1A2B3C4D.js").</param>
    public AssetManifest(string folder, IReadOnlyDictionary<string, string> served) => (Folder, this.served) = (folder, served);

    /// <summary>The folder the asset build carries its files to: <c>wwwroot/dist</c> beside the server's assembly.</summary>
    public static string DefaultFolder => Path.Combine(AppContext.BaseDirectory, "wwwroot", "dist");

    /// <summary>Where the files lie.</summary>
    public string Folder { get; }

    /// <summary>The address of an asset, by its plain name.</summary>
    /// <exception cref="KeyNotFoundException">The build made no such asset.</exception>
    public string this[string name] =>
        served.TryGetValue(name, out var file) ? $"/dist/{file}" : throw new KeyNotFoundException($"No asset '{name}' in {Folder}/manifest.json.");

    /// <summary>Reads the manifest the asset build wrote.</summary>
    /// <exception cref="FileNotFoundException">The assets were not built (for example with <c>-p:SkipAssets=true</c>).</exception>
    public static AssetManifest Load(string folder)
    {
        var path = Path.Combine(folder, "manifest.json");
        if (!File.Exists(path)) throw new FileNotFoundException($"The web assets are missing: {path}. Build Chaperone.Server without -p:SkipAssets=true.", path);
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        var files = json.RootElement.GetProperty("files").EnumerateObject().ToDictionary(file => file.Name, file => file.Value.GetString()!, StringComparer.Ordinal);
        return new AssetManifest(folder, files);
    }
}

/// <summary>Serves the bundled assets.</summary>
public static class AssetFiles
{
    /// <summary>Answers <c>/dist/*</c> from the manifest's folder: compressed copies where the client takes them, cached for good, no session needed.</summary>
    /// <remarks>Put it before authentication and before the clinic is looked up: it reads nothing but files. Unknown names under <c>/dist</c> are 404.</remarks>
    public static IApplicationBuilder UseAssets(this IApplicationBuilder app, AssetManifest assets) => app.Map("/dist", dist =>
    {
        var types = new FileExtensionContentTypeProvider();
        var folder = Path.GetFullPath(assets.Folder);
        dist.Use(async (http, next) =>
        {
            if (Copy(http.Request) is var (file, encoding) && types.TryGetContentType(http.Request.Path, out var type))
            {
                http.Request.Path = $"/{file}";
                http.Items[typeof(AssetFiles)] = (encoding, type);
            }
            await next(http);
        });
        dist.UseStaticFiles(new StaticFileOptions
        {
            FileProvider = new PhysicalFileProvider(folder),
            ServeUnknownFileTypes = true,
            OnPrepareResponse = file =>
            {
                var headers = file.Context.Response.Headers;
                headers.CacheControl = "public, max-age=31536000, immutable";
                headers.Vary = "Accept-Encoding";
                headers.XContentTypeOptions = "nosniff";
                if (file.Context.Items[typeof(AssetFiles)] is not (string encoding, string type)) return;
                headers.ContentEncoding = encoding;
                headers.ContentType = type;
            }
        });
        dist.Run(http =>
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });

        (string File, string Encoding)? Copy(HttpRequest request)
        {
            var name = request.Path.Value?.TrimStart('/') ?? "";
            if (name.Length == 0 || Path.GetFileName(name) != name) return null;
            var accepted = request.Headers.AcceptEncoding.ToString();
            foreach (var (encoding, suffix) in new[] { ("br", ".br"), ("gzip", ".gz") })
                if (accepted.Contains(encoding, StringComparison.OrdinalIgnoreCase) && File.Exists(Path.Combine(folder, name + suffix)))
                    return (name + suffix, encoding);
            return null;
        }
    });
}
