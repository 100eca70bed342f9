using Chaperone.Server.Embedded;
using Npgsql;

namespace Chaperone.TestSupport;

/// <summary>One database of the test cluster, with a connection string per role.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly EmbeddedCluster cluster;

    internal TestDatabase(string name, EmbeddedCluster cluster) => (Name, this.cluster) = (name, cluster);

    public string Name { get; }

    /// <summary>May do everything, as the attacker of the tampering tests does.</summary>
    public string Superuser => For(ClusterRole.Superuser);

    public string Owner => For(ClusterRole.Owner);

    public string App => For(ClusterRole.App);

    public string Ledger => For(ClusterRole.Ledger);

    public string Operator => For(ClusterRole.Operator);

    /// <summary>Runs statements, by default as superuser, and returns the first value.</summary>
    public async Task<object?> ExecuteAsync(string sql, string? connectionString = null)
    {
        await using var connection = new NpgsqlConnection(connectionString ?? Superuser);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var text in new[] { Superuser, Owner, App, Ledger, Operator })
        {
            await using var connection = new NpgsqlConnection(text);
            NpgsqlConnection.ClearPool(connection);
        }

        await using var superuser = await TestCluster.OpenAsync(cluster, "postgres");
        await using var drop = new NpgsqlCommand($"DROP DATABASE IF EXISTS {Name} WITH (FORCE)", superuser);
        await drop.ExecuteNonQueryAsync();
    }

    // Idle connections go soon: many databases share the cluster's hundred.
    private string For(ClusterRole role) => new NpgsqlConnectionStringBuilder(cluster.ConnectionString(role, Name))
    {
        ConnectionIdleLifetime = 4,
        ConnectionPruningInterval = 2,
        MaxPoolSize = 40,
    }.ConnectionString;
}
