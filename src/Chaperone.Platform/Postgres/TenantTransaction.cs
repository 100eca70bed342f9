using Npgsql;

namespace Chaperone.Platform.Postgres;

/// <summary>One transaction in one clinic: BEGIN, the clinic's setting and the first query travel together, and so do the last command and COMMIT.</summary>
/// <remarks>
/// Not disposed by commit: <c>await using</c> it; disposing without committing rolls back. A connection whose rollback fails is thrown away.
/// BEGIN and COMMIT are plain statements, not an <see cref="NpgsqlTransaction"/>, which would need a round trip each.
/// </remarks>
public sealed class TenantTransaction : IAsyncDisposable
{
    private bool open;

    private TenantTransaction(NpgsqlConnection connection, Guid tenant) => (Connection, Tenant) = (connection, tenant);

    /// <summary>The connection the transaction lives on.</summary>
    public NpgsqlConnection Connection { get; }

    /// <summary>The clinic that row-level security shows.</summary>
    public Guid Tenant { get; }

    /// <summary>Begins, sets the clinic, and runs <paramref name="first"/> (whose first row's first value is returned, or null) in one round trip.</summary>
    public static async Task<(TenantTransaction Transaction, object? First)> BeginAsync(
        NpgsqlDataSource source, Guid tenant, NpgsqlBatchCommand? first, CancellationToken cancel)
    {
        var connection = await source.OpenConnectionAsync(cancel);
        var transaction = new TenantTransaction(connection, tenant);
        try
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(new NpgsqlBatchCommand("BEGIN"));
            batch.BatchCommands.Add(new NpgsqlBatchCommand($"SET LOCAL chaperone.tenant_id = '{tenant:D}'"));
            if (first is not null) batch.BatchCommands.Add(first);
            transaction.open = true;
            var value = await batch.ExecuteScalarAsync(cancel);
            return (transaction, value is DBNull ? null : value);
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }

    /// <summary>Begins and sets the clinic.</summary>
    public static async Task<TenantTransaction> BeginAsync(NpgsqlDataSource source, Guid tenant, CancellationToken cancel) =>
        (await BeginAsync(source, tenant, null, cancel)).Transaction;

    /// <summary>One query in a transaction of its own, all in one round trip: what <paramref name="read"/> makes of its first row, or null.</summary>
    public static async Task<T?> ReadOneAsync<T>(NpgsqlDataSource source, Guid tenant, NpgsqlBatchCommand query, Func<NpgsqlDataReader, T> read, CancellationToken cancel) where T : class
    {
        await using var transaction = new TenantTransaction(await source.OpenConnectionAsync(cancel), tenant) { open = true };
        await using var batch = new NpgsqlBatch(transaction.Connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("BEGIN"));
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"SET LOCAL chaperone.tenant_id = '{tenant:D}'"));
        batch.BatchCommands.Add(query);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        var found = await reader.ReadAsync(cancel) ? read(reader) : null;
        await reader.DisposeAsync();   // reads the rest: COMMIT has answered, or throws
        transaction.open = false;
        return found;
    }

    /// <summary>Statements in a transaction of their own, all in one round trip. When it throws, nothing was committed, unless the connection was lost on the way.</summary>
    public static async Task WriteAsync(NpgsqlDataSource source, Guid tenant, IEnumerable<NpgsqlBatchCommand> commands, CancellationToken cancel)
    {
        await using var transaction = new TenantTransaction(await source.OpenConnectionAsync(cancel), tenant) { open = true };
        await transaction.CommitAsync([new NpgsqlBatchCommand("BEGIN"), new NpgsqlBatchCommand($"SET LOCAL chaperone.tenant_id = '{tenant:D}'"), .. commands], cancel);
    }

    /// <summary>A command on this transaction, with positional parameters ($1, $2, ...).</summary>
    public NpgsqlCommand Command(string sql, params object?[] values)
    {
        var command = new NpgsqlCommand(sql, Connection);
        foreach (var value in values) command.Parameters.Add(new() { Value = value ?? DBNull.Value });
        return command;
    }

    /// <summary>Commits, sending <paramref name="last"/> in the same round trip. When it throws, nothing was committed, unless the connection was lost on the way.</summary>
    public async Task CommitAsync(IEnumerable<NpgsqlBatchCommand> last, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(Connection);
        foreach (var command in last) batch.BatchCommands.Add(command);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        await batch.ExecuteNonQueryAsync(cancel);
        open = false;
    }

    /// <summary>Commits.</summary>
    public Task CommitAsync(CancellationToken cancel) => CommitAsync([], cancel);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (open && Connection.State == System.Data.ConnectionState.Open)
        {
            open = false;
            try
            {
                await using var rollback = new NpgsqlCommand("ROLLBACK", Connection);
                await rollback.ExecuteNonQueryAsync(CancellationToken.None);
            }
            catch (NpgsqlException)
            {
                NpgsqlConnection.ClearPool(Connection);   // the server has already ended the transaction with the connection
            }
        }
        await Connection.DisposeAsync();
    }
}
