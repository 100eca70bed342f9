using System.Net;
using Chaperone.Clinic.Shell;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Chaperone.Clinic.Tests.Shell;

public sealed class AssetFilesTests
{
    private static readonly AssetManifest built = AssetManifest.Load(AssetManifest.DefaultFolder);

    [Fact]
    public async Task Assets_of_the_build_are_served_compressed_and_kept_for_good()
    {
        await using var app = await Start();
        using var client = Client(app);
        foreach (var (name, type) in new[] { ("app.js", "text/javascript"), ("theme.js", "text/javascript"), ("app.css", "text/css"), ("sprite.svg", "image/svg+xml"), ("licences.txt", "text/plain") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, built[name]);
            request.Headers.AcceptEncoding.ParseAdd("gzip, br");
            using var answer = await client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(type, answer.Content.Headers.ContentType?.MediaType);
            Assert.Equal("br", Assert.Single(answer.Content.Headers.ContentEncoding));
            Assert.Equal("public, max-age=31536000, immutable", answer.Headers.CacheControl?.ToString());
            using var plain = await client.GetAsync(built[name]);
            Assert.Empty(plain.Content.Headers.ContentEncoding);
            Assert.Equal(type, plain.Content.Headers.ContentType?.MediaType);
        }
    }

    [Theory]
    [InlineData("/dist/nothing.js")]
    [InlineData("/dist/")]
    [InlineData("/dist/%2e%2e/%2e%2e/Chaperone.Clinic.dll")]
    [InlineData("/dist/..%2f..%2fChaperone.Clinic.dll")]
    public async Task Other_paths_are_not_found(string path)
    {
        await using var app = await Start();
        using var client = Client(app);
        using var answer = await client.GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public void Missing_assets_are_named()
    {
        Assert.Contains("SkipAssets", Assert.Throws<FileNotFoundException>(() => AssetManifest.Load("/nowhere")).Message, StringComparison.Ordinal);
        Assert.Throws<KeyNotFoundException>(() => built["no-such.js"]);
    }

    [Fact]
    public void Styles_and_scripts_load_nothing_from_elsewhere()
    {
        foreach (var name in new[] { "app.css", "app.js", "theme.js" })
        {
            var text = File.ReadAllText(Path.Combine(built.Folder, Path.GetFileName(built[name])));
            Assert.DoesNotContain("url(http", text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("url(//", text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("@import", text, StringComparison.OrdinalIgnoreCase);
        }
    }

    private static async Task<WebApplication> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.UseAssets(built);
        await app.StartAsync();
        return app;
    }

    private static HttpClient Client(WebApplication app) =>
        new() { BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()) };
}
