using System.Net;
using Chaperone.Clinic.Compliance;
using Chaperone.Clinic.Home;
using Chaperone.Clinic.Shell;
using Chaperone.Platform;
using Chaperone.Platform.Jobs;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Web;
using Chaperone.Server.Commands;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Chaperone.Server.Hosting;

/// <summary>What the web application is composed of: everything it needs is given, nothing is looked up elsewhere.</summary>
internal sealed record AppParts(Databases Databases, Installation Installation, string DataFolder, bool Tls, TimeProvider Clock)
{
    /// <summary>Whose X-Forwarded-* headers count; nobody's by default.</summary>
    public IReadOnlyList<IPAddress> TrustedProxies { get; init; } = [];

    /// <summary>The operator's witnesses, and where a clinic's own may be; nothing by default.</summary>
    public WitnessSettings Witnesses { get; init; } = WitnessSettings.None;

    /// <summary>When the tests last passed; nothing by default.</summary>
    public TestPasses Tests { get; init; } = TestPasses.None;
}

/// <summary>The web application: the container, the pipeline, the endpoints. The same in production and in tests.</summary>
internal static class ChaperoneApp
{
    public static WebApplication Build(WebApplicationBuilder builder, AppParts parts)
    {
        AddServices(builder.Services, parts);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = RequestPipeline.MostBodyBytes;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        });

        var app = builder.Build();
        if (parts.TrustedProxies.Count > 0)
        {
            var forwarded = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedHost | ForwardedHeaders.XForwardedProto, ForwardLimit = null };
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var proxy in parts.TrustedProxies) forwarded.KnownProxies.Add(proxy);
            app.UseForwardedHeaders(forwarded);
        }
        app.UseSafeHeaders(parts.Tls);
        app.UseFaults();
        app.UseAssets(app.Services.GetRequiredService<AssetManifest>());
        app.UseRouting();
        app.UseClinicOfHost();
        Features.UseActor(app);
        app.UseSameSiteOnly();
        app.Use((http, next) =>
        {
            // The API page's logo carries one inline style, known by its hash; no other page allows one.
            if (http.Request.Path.StartsWithSegments("/api/docs", StringComparison.Ordinal))
                http.Response.Headers.ContentSecurityPolicy = $"{RequestPipeline.Policy}; style-src 'self' 'unsafe-hashes' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='";
            return next(http);
        });
        app.UseSwaggerUI(swagger =>
        {
            swagger.RoutePrefix = "api/docs";
            swagger.SwaggerEndpoint("/openapi/v1.json", "Chaperone");
            swagger.DocumentTitle = "Chaperone API";
        });

        app.MapGet("/health/live", () => Results.Text("live")).WithTags("Health").RunsNothing("tells that the process runs");
        app.MapGet("/health/ready", async (CancellationToken aborted) => await AnswersAsync(parts.Databases.App, aborted) ? Results.Text("ready") : Results.Text("the database does not answer", statusCode: 503))
            .WithTags("Health").RunsNothing("tells whether the database answers");
        app.MapOpenApi("/openapi/{documentName}.json").RunsNothing("describes the API; holds nothing about any clinic").WithMetadata(new NeedsNoClinic());
        app.MapGet("/docs/errors", () => Results.Stream(typeof(ChaperoneApp).Assembly.GetManifestResourceStream("docs/errors.md")!, "text/plain; charset=utf-8"))
            .RunsNothing("what the errors' codes mean; holds nothing about any clinic").ExcludeFromDescription();
        Features.Map(app);
        EndpointRules.Hold(app);
        return app;
    }

    /// <summary>Everything but the web server: what the operator's commands need too.</summary>
    public static void AddServices(IServiceCollection services, AppParts parts)
    {
        services.AddSingleton(parts.Clock).AddSingleton(parts.Witnesses).AddSingleton(parts.Tests);
        services.AddSingleton(new DataFolder(parts.DataFolder));
        services.AddChaperonePlatform(parts.Databases, parts.Installation.RootKey, typeof(PageContext).Assembly, typeof(ChaperoneApp).Assembly);
        services.AddChaperoneLedger(parts.Installation.Id, Path.Combine(parts.DataFolder, "checkpoints"));
        services.AddSingleton(_ => AssetManifest.Load(AssetManifest.DefaultFolder));
        services.AddRazorComponents();
        services.AddAntiforgery(options =>
        {
            options.Cookie = new FormCookie { Name = "__Host-chaperone-form", SameSite = SameSiteMode.Lax, Path = "/", HttpOnly = true, IsEssential = true, SecurePolicy = CookieSecurePolicy.SameAsRequest };
            options.FormFieldName = Token.FieldName;
            options.HeaderName = Token.HeaderName;
        });
        services.AddDataProtection().SetApplicationName("Chaperone");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(provider => new ConfigureOptions<KeyManagementOptions>(options =>
            options.XmlRepository = new SealedKeyRepository(parts.Databases, parts.Installation.RootKey, parts.Clock)));
        services.Configure<RouteHandlerOptions>(routing => routing.ThrowOnBadRequest = true);   // a parameter that does not read becomes problem details, not an empty 400
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.MaxDepth = 16);
        services.AddOpenApi("v1", options =>
        {
            options.ShouldInclude = endpoint => endpoint.RelativePath is { } path && (path.StartsWith("api/", StringComparison.Ordinal) || path.StartsWith("health/", StringComparison.Ordinal));
            options.AddDocumentTransformer((document, _, _) =>
            {
                (document.Info.Title, document.Info.Version) = ("Chaperone API", "v1");
                return Task.CompletedTask;
            });
        });
        services.AddChaperoneJobs(parts.Clock);
        services.AddSingleton(provider => PublicAddress.Of(provider, parts));
        Features.Add(services);
        services.AddHostedService<ServerEvents>();
    }

    /// <summary>Secure always: browsers take Secure cookies from loopback's plain HTTP too, where the library's own "always" refuses to work.</summary>
    private sealed class FormCookie : CookieBuilder
    {
        public override CookieOptions Build(HttpContext context, DateTimeOffset expiresFrom)
        {
            var options = base.Build(context, expiresFrom);
            options.Secure = true;
            return options;
        }
    }

    private static async Task<bool> AnswersAsync(NpgsqlDataSource database, CancellationToken cancel)
    {
        try
        {
            await using var command = database.CreateCommand("SELECT 1");
            return await command.ExecuteScalarAsync(cancel) is 1;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }
}
