using Npgsql;

namespace Chaperone.Platform.Postgres;

/// <summary>One transaction in one clinic: BEGIN, the clinic's setting and the first query travel together, and so do the last command and COMMIT.</summary>
/// <remarks>
/// Not disposed by commit: <c>await using</c> it; disposing without committing rolls back. A connection whose rollback fails is thrown away.
/// BEGIN and COMMIT are plain statements, not an <see cref="NpgsqlTransaction"/>, which would need a round trip each. What needs one round trip only has neither:
/// the statements of a batch up to its Sync message are one transaction (PostgreSQL, Frontend/Backend Protocol, 55.2.4 Pipelining).
/// </remarks>
public sealed class TenantTransaction : IAsyncDisposable
{
    private bool open;

    private TenantTransaction(NpgsqlConnection connection, Guid tenant) => (Connection, Tenant) = (connection, tenant);

    /// <summary>The connection the transaction lives on.</summary>
    public NpgsqlConnection Connection { get; }

    /// <summary>The clinic that row-level security shows.</summary>
    public Guid Tenant { get; }

    /// <summary>Sets the clinic until the transaction ends. Answers one row, which nobody needs.</summary>
    public static NpgsqlBatchCommand InClinic(Guid tenant) =>
        new("SELECT pg_catalog.set_config('chaperone.tenant_id', $1, true)") { Parameters = { new NpgsqlParameter<string> { TypedValue = tenant.ToString("D") } } };

    /// <summary>Begins, sets the clinic, and runs <paramref name="first"/>, all in one round trip.</summary>
    /// <param name="source">As which role.</param>
    /// <param name="tenant">The clinic.</param>
    /// <param name="first">What to run at once.</param>
    /// <param name="read">Given the reader on the first row set; what it makes of it is returned.</param>
    /// <param name="readOnly">Whether PostgreSQL is to refuse every change in it.</param>
    /// <param name="cancel">Cancels.</param>
    public static async Task<(TenantTransaction Transaction, T First)> BeginAsync<T>(
        NpgsqlDataSource source, Guid tenant, IEnumerable<NpgsqlBatchCommand> first, Func<NpgsqlDataReader, Task<T>> read, bool readOnly, CancellationToken cancel)
    {
        var transaction = new TenantTransaction(await source.OpenConnectionAsync(cancel), tenant) { open = true };
        try
        {
            await using var batch = new NpgsqlBatch(transaction.Connection) { BatchCommands = { new(readOnly ? "BEGIN READ ONLY" : "BEGIN"), InClinic(tenant) } };
            foreach (var command in first) batch.BatchCommands.Add(command);
            await using var reader = await batch.ExecuteReaderAsync(cancel);
            await reader.NextResultAsync(cancel);
            return (transaction, await read(reader));
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }

    /// <summary>Begins and sets the clinic.</summary>
    public static async Task<TenantTransaction> BeginAsync(NpgsqlDataSource source, Guid tenant, bool readOnly, CancellationToken cancel) =>
        (await BeginAsync(source, tenant, [], static _ => Task.FromResult(true), readOnly, cancel)).Transaction;

    /// <summary>Begins and sets the clinic.</summary>
    public static Task<TenantTransaction> BeginAsync(NpgsqlDataSource source, Guid tenant, CancellationToken cancel) => BeginAsync(source, tenant, false, cancel);

    /// <summary>Queries in a transaction of their own, all in one round trip; on <see cref="Databases.Shared"/> together with other requests' queries, each with its own Sync and so its own clinic.</summary>
    /// <param name="source">As which role.</param>
    /// <param name="tenant">The clinic.</param>
    /// <param name="queries">At least one.</param>
    /// <param name="read">Given the reader on the first row set; what it makes of it is returned.</param>
    /// <param name="cancel">Cancels.</param>
    public static async Task<T> ReadAsync<T>(NpgsqlDataSource source, Guid tenant, IEnumerable<NpgsqlBatchCommand> queries, Func<NpgsqlDataReader, Task<T>> read, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { InClinic(tenant) } };
        foreach (var query in queries) batch.BatchCommands.Add(query);
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        await reader.NextResultAsync(cancel);
        return await read(reader);
    }

    /// <summary>One query in a transaction of its own, all in one round trip: what <paramref name="read"/> makes of its first row, or null.</summary>
    public static Task<T?> ReadOneAsync<T>(NpgsqlDataSource source, Guid tenant, NpgsqlBatchCommand query, Func<NpgsqlDataReader, T> read, CancellationToken cancel) where T : class =>
        ReadAsync(source, tenant, [query], async reader => await reader.ReadAsync(cancel) ? read(reader) : null, cancel);

    /// <summary>Statements in a transaction of their own, all in one round trip. When it throws, nothing was committed, unless the connection was lost on the way.</summary>
    /// <param name="source">As which role.</param>
    /// <param name="commands">The statements; those that need a clinic after <see cref="InClinic"/>.</param>
    /// <param name="cancel">Cancels.</param>
    public static async Task WriteAsync(NpgsqlDataSource source, IEnumerable<NpgsqlBatchCommand> commands, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection);
        foreach (var command in commands) batch.BatchCommands.Add(command);
        await batch.ExecuteNonQueryAsync(cancel);
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
