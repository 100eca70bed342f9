using Chaperone.Platform.Postgres;
using Chaperone.Server.Embedded;
using Chaperone.Server.Hosting;

namespace Chaperone.Server.Commands;

internal sealed record UpRequest(bool Demo, string Data, int Port, string? TlsCertificate, string? TlsKey, string? RootKey = null);

/// <summary>Starts the database, brings it to this program's schema, serves until it is told to stop, and stops the database.</summary>
internal static class UpCommand
{
    public static async Task<int> RunAsync(UpRequest request, CancellationToken cancel)
    {
        // Everything that can be refused without touching the data folder comes first.
        using var listening = Listening.Create(request.Port, request.TlsCertificate, request.TlsKey);
        listening.RequireFreePort();

        using var logs = Logs.CreateFactory();
        try
        {
            await using var cluster = await EmbeddedCluster.StartAsync(
                new ClusterOptions { DataFolder = request.Data }, logs.CreateLogger("Chaperone.Database"), cancel);
            if (cluster.IsElsewhere)
                await Console.Out.WriteLineAsync($"The database is in {Path.GetDirectoryName(cluster.ClusterFolder)}, because PostgreSQL's user cannot reach {cluster.DataFolder}; {Path.Combine(cluster.DataFolder, "cluster-path")} says so.");
            await Migrator.RunAsync(cluster.ConnectionString(ClusterRole.Owner), TimeProvider.System, cancel);
            await WebHost.RunAsync(request, listening, cluster, cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Told to stop before it was ready: the cluster is stopped by now, and that is all there is to do.
        }

        return 0;
    }
}
