using System.Net;
using Chaperone.Clinic.Compliance;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Chaperone.Server.Commands;
using Chaperone.Server.Embedded;
using Microsoft.AspNetCore.Connections;

namespace Chaperone.Server.Hosting;

/// <summary>The web server of one installation.</summary>
internal static class WebHost
{
    /// <summary>Serves until <paramref name="cancel"/>; returns after the last request has ended.</summary>
    public static async Task RunAsync(UpRequest request, Listening listening, EmbeddedCluster cluster, CancellationToken cancel)
    {
        await using var databases = Open(cluster);
        var installation = await Installation.OpenAsync(databases, request.RootKey ?? RootKeyPath(cluster.DataFolder), TimeProvider.System, cancel);
        using var root = installation.RootKey;

        // The web root lies beside the program; the current folder is the caller's.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        Logs.Configure(builder.Logging);
        builder.WebHost.ConfigureKestrel(listening.Configure);
        var parts = new AppParts(databases, installation, cluster.DataFolder, listening.IsTls, TimeProvider.System)
        {
            TrustedProxies = Proxies(builder.Configuration), Witnesses = Witnesses(builder.Configuration), Tests = Tests(builder.Configuration),
        };
        await using var app = ChaperoneApp.Build(builder, parts);
        try
        {
            await app.StartAsync(cancel);
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException)
        {
            throw listening.Refusal(taken);
        }

        var announcements = await FirstStart.PrepareAsync(app.Services, request, listening, cluster.DataFolder, cancel);
        var clinics = await app.Services.GetRequiredService<TenantDirectory>().AllAsync(cancel);
        foreach (var line in announcements) await Console.Out.WriteLineAsync(line);
        await Console.Out.WriteLineAsync($"ready: {listening.Url(clinics.Count > 0 ? clinics[0].Host : "localhost")}");
        await app.WaitForShutdownAsync(cancel);
    }

    /// <summary>The data sources of a running cluster.</summary>
    public static Databases Open(EmbeddedCluster cluster) =>
        new(cluster.ConnectionString(ClusterRole.App), cluster.ConnectionString(ClusterRole.Ledger), cluster.ConnectionString(ClusterRole.Operator));

    /// <summary>Where the root key lies unless told otherwise.</summary>
    public static string RootKeyPath(string dataFolder) => Path.Combine(dataFolder, "secrets", "root.key");

    // The launcher says where its test run keeps them, and which sources it built this from; a copy without it may have the file beside the program.
    private static TestPasses Tests(IConfiguration configuration) => new(
        configuration["Chaperone:TestPasses"] is { Length: > 0 } file ? file : Path.Combine(AppContext.BaseDirectory, "test-passes.json"),
        configuration["Chaperone:Sources"] is { Length: > 0 } sources ? sources : null);

    /// <exception cref="CommandRefusedException">The policy or a network cannot be read.</exception>
    private static WitnessSettings Witnesses(IConfiguration configuration)
    {
        const string Policy = "Chaperone:WitnessPolicy", Networks = "Chaperone:OutsideNetworks";
        byte[]? policy;
        try
        {
            policy = configuration[Policy] is { Length: > 0 } file ? File.ReadAllBytes(file) : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new CommandRefusedException($"{Policy} names a file that cannot be read: {unreadable.Message}", unreadable);
        }
        var (settings, wrong) = WitnessSettings.Read(policy, configuration[Networks]);
        return settings ?? throw new CommandRefusedException($"{Policy} ({configuration[Policy]}) and {Networks} (\"{configuration[Networks]}\"): {wrong}");
    }

    /// <exception cref="CommandRefusedException">An address does not read as one.</exception>
    private static IReadOnlyList<IPAddress> Proxies(IConfiguration configuration)
    {
        const string Setting = "Chaperone:TrustedProxies";
        var addresses = new List<IPAddress>();
        foreach (var text in (configuration[Setting] ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))
            addresses.Add(IPAddress.TryParse(text, out var address) ? address : throw new CommandRefusedException($"{Setting} is \"{text}\", and must be IP addresses with commas between."));
        return addresses;
    }
}
