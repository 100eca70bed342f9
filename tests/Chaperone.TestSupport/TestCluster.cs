using System.Globalization;
using Chaperone.Platform.Postgres;
using Chaperone.Server.Embedded;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Chaperone.TestSupport;

/// <summary>The real PostgreSQL for tests: one private cluster per test process, with the settings of production, in a temporary folder that goes when the process ends.</summary>
/// <remarks>Started by the first test that asks. What a killed run left behind is stopped and removed by the next one.</remarks>
public sealed class TestCluster
{
    private const string FolderPrefix = "chaperone-test-";
    private const string Template = "chaperone_template";

    private static readonly Lazy<Task<TestCluster>> Shared = new(StartAsync);

    private readonly SemaphoreSlim cloning = new(1, 1);
    private readonly EmbeddedCluster embedded;
    private int made;

    private TestCluster(EmbeddedCluster embedded) => this.embedded = embedded;

    /// <summary>The cluster's data folder, with its secrets.</summary>
    public string DataFolder => embedded.DataFolder;

    /// <summary>Where PostgreSQL keeps its files, for tests that search them.</summary>
    public string ClusterFolder => embedded.ClusterFolder;

    public static Task<TestCluster> GetAsync() => Shared.Value;

    /// <summary>A fresh database with every migration applied; dispose it to drop it.</summary>
    public static async Task<TestDatabase> CreateDatabaseAsync() => await (await GetAsync()).CloneAsync(Template);

    /// <summary>A fresh database without any migration.</summary>
    public static async Task<TestDatabase> CreateEmptyDatabaseAsync() => await (await GetAsync()).CloneAsync("template0");

    private static async Task<TestCluster> StartAsync()
    {
        foreach (var left in Directory.GetDirectories(Path.GetTempPath(), FolderPrefix + "*")) await RemoveIfDeadAsync(left);
        var folder = Path.Combine(Path.GetTempPath(), FolderPrefix + Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(6)));
        var cluster = await EmbeddedCluster.StartAsync(new ClusterOptions { DataFolder = folder }, NullLogger.Instance, CancellationToken.None);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => StopAndRemove(cluster);

        await using (var superuser = await OpenAsync(cluster, "postgres"))
            await ClusterRoles.EnsureDatabaseAsync(superuser, Template, template: null, CancellationToken.None);
        await Migrator.RunAsync(cluster.ConnectionString(ClusterRole.Owner, Template), TimeProvider.System, CancellationToken.None);
        return new TestCluster(cluster);
    }

    private async Task<TestDatabase> CloneAsync(string template)
    {
        // A template must have no sessions, and two clones of it at once get in each other's way.
        await cloning.WaitAsync();
        try
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"test_{++made:0000}");
            await using var superuser = await OpenAsync(embedded, "postgres");
            await ClusterRoles.EnsureDatabaseAsync(superuser, name, template, CancellationToken.None);
            return new TestDatabase(name, embedded);
        }
        finally
        {
            cloning.Release();
        }
    }

    internal static async Task<NpgsqlConnection> OpenAsync(EmbeddedCluster cluster, string database)
    {
        var connection = new NpgsqlConnection(cluster.ConnectionString(ClusterRole.Superuser, database) + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    private static void StopAndRemove(EmbeddedCluster cluster)
    {
        NpgsqlConnection.ClearAllPools();
        cluster.StopAsync(CancellationToken.None).GetAwaiter().GetResult();
        Directory.Delete(cluster.DataFolder, recursive: true);
    }

    private static async Task RemoveIfDeadAsync(string folder)
    {
        var options = new ClusterOptions { DataFolder = folder };
        try
        {
            // A folder without a lock file may be another run's, just being made.
            if (!File.Exists(Path.Combine(folder, "lock")) || await EmbeddedCluster.IsRunningAsync(options, CancellationToken.None)) return;
            await using (await EmbeddedCluster.StartAsync(options, NullLogger.Instance, CancellationToken.None))
            {
            }

            Directory.Delete(folder, recursive: true);
        }
        catch (Exception taken) when (taken is ClusterException or IOException or UnauthorizedAccessException)
        {
            // Another run cleans it at this moment, or it is another user's: no concern of this run.
        }
    }
}
