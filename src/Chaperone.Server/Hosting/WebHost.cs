using Chaperone.Server.Commands;
using Chaperone.Server.Embedded;
using Microsoft.AspNetCore.Connections;
using Npgsql;

namespace Chaperone.Server.Hosting;

/// <summary>The web server of one installation.</summary>
internal static class WebHost
{
    /// <summary>Serves until <paramref name="cancel"/>; returns after the last request has ended.</summary>
    public static async Task RunAsync(UpRequest request, Listening listening, EmbeddedCluster cluster, CancellationToken cancel)
    {
        // The web root lies beside the program; the current folder is the caller's.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        Logs.Configure(builder.Logging);
        builder.WebHost.ConfigureKestrel(listening.Configure);
        await using var database = NpgsqlDataSource.Create(cluster.ConnectionString(ClusterRole.App));

        await using var app = builder.Build();
        app.MapGet("/health/live", () => Results.Text("live"));
        app.MapGet("/health/ready", async (CancellationToken aborted) => await AnswersAsync(database, aborted) ? Results.Text("ready") : Results.Text("database does not answer", statusCode: 503));
        try
        {
            await app.StartAsync(cancel);
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException)
        {
            throw listening.Refusal(taken);
        }

        await Console.Out.WriteLineAsync($"ready: {listening.Url("localhost")}");
        await app.WaitForShutdownAsync(cancel);
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
