using Chaperone.Platform.Postgres;
using Chaperone.Server.Embedded;
using Chaperone.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Chaperone.Bench;

/// <summary>A PostgreSQL of our settings that pgaudit watches (Debian's postgresql-15-pgaudit): every statement, with its values, goes to the server's log file, which is not durable and proves nothing.</summary>
internal sealed class AuditedPostgres : IAsyncDisposable
{
    private const string Database = "audited";

    private readonly EmbeddedCluster cluster;

    private AuditedPostgres(EmbeddedCluster cluster)
    {
        this.cluster = cluster;
        App = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(cluster.ConnectionString(ClusterRole.App, Database)) { MaxPoolSize = 40, MaxAutoPrepare = 100, AutoPrepareMinUsages = 2, NoResetOnClose = true });
    }

    public NpgsqlDataSource App { get; }

    /// <summary>Starts one whose database has every migration and what <paramref name="sql"/> makes; null where pgaudit is not installed.</summary>
    public static async Task<AuditedPostgres?> TryStartAsync(TestDatabase beside, string sql)
    {
        if (await beside.ExecuteAsync("SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'") is not string libraries || !File.Exists(Path.Combine(libraries, "pgaudit.so"))) return null;
        var options = new ClusterOptions { DataFolder = Directory.CreateTempSubdirectory("chaperone-bench-pgaudit-").FullName };
        var first = await EmbeddedCluster.StartAsync(options, NullLogger.Instance, CancellationToken.None);
        await File.WriteAllTextAsync(Path.Combine(first.ClusterFolder, "local.conf"), "shared_preload_libraries = 'pgaudit'\npgaudit.log = 'all'\npgaudit.log_parameter = on\nlog_line_prefix = '%m [%p] %u '\n");
        await first.StopAsync(CancellationToken.None);
        var started = new AuditedPostgres(await EmbeddedCluster.StartAsync(options, NullLogger.Instance, CancellationToken.None));
        await started.RunAsync("postgres", async superuser => await ClusterRoles.EnsureDatabaseAsync(superuser, Database, template: null, CancellationToken.None));
        await Migrator.RunAsync(started.cluster.ConnectionString(ClusterRole.Owner, Database), TimeProvider.System, CancellationToken.None);
        await started.RunAsync(Database, async superuser =>
        {
            await using var command = new NpgsqlCommand(sql, superuser);
            await command.ExecuteNonQueryAsync();
        });
        return started;
    }

    /// <summary>Bytes of the log files: that something was written is what makes the comparison one.</summary>
    public long Logged => Directory.EnumerateFiles(Path.Combine(cluster.ClusterFolder, "log")).Sum(file => new FileInfo(file).Length);

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        await cluster.StopAsync(CancellationToken.None);
        Directory.Delete(cluster.DataFolder, recursive: true);
    }

    private async Task RunAsync(string database, Func<NpgsqlConnection, Task> work)
    {
        await using var superuser = new NpgsqlConnection(cluster.ConnectionString(ClusterRole.Superuser, database) + ";Pooling=false");
        await superuser.OpenAsync();
        await work(superuser);
    }
}
