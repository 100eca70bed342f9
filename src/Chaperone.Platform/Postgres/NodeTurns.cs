using System.Buffers.Binary;
using Npgsql;

namespace Chaperone.Platform.Postgres;

/// <summary>Work that one node at a time does for a long while, such as talking to a receiver: whose turn it is, is an advisory lock that ends with the node.</summary>
/// <remarks>
/// All turns of a node hang on one connection, which is kept. When it is lost the turns are lost without a word, and another node may take them: what is decided in the end must be
/// decided by a conditional UPDATE.
/// </remarks>
public sealed class NodeTurns(Databases databases) : IAsyncDisposable
{
    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly HashSet<Guid> held = [];       // a session may take its own lock twice, so that this node is kept from it here
    private NpgsqlConnection? connection;

    /// <summary>Takes the turn of this id, unless somebody has it, here or on another node.</summary>
    public async Task<bool> TryTakeAsync(Guid id, CancellationToken cancel)
    {
        await gate.WaitAsync(cancel);
        try
        {
            if (held.Contains(id) || !await AskAsync("SELECT pg_try_advisory_lock($1, $2)", id, cancel)) return false;
            return held.Add(id);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Gives a turn back that was taken.</summary>
    public async Task GiveBackAsync(Guid id)
    {
        await gate.WaitAsync(CancellationToken.None);
        try
        {
            if (held.Remove(id)) await AskAsync("SELECT pg_advisory_unlock($1, $2)", id, CancellationToken.None);
        }
        catch (NpgsqlException)
        {
            // with the connection the lock is gone too
        }
        finally
        {
            gate.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await gate.WaitAsync();
        if (connection is not null) await ForgetAsync(connection);
        connection = null;
        held.Clear();
        gate.Release();
        gate.Dispose();
    }

    // From the random half of the id, as the turns of operations are.
    private async Task<bool> AskAsync(string sql, Guid id, CancellationToken cancel)
    {
        connection ??= await databases.App.OpenConnectionAsync(cancel);
        try
        {
            var bytes = id.ToByteArray(bigEndian: true);
            await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(8)) }, new() { Value = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(12)) } } };
            return await command.ExecuteScalarAsync(cancel) is true;
        }
        catch
        {
            await ForgetAsync(connection);      // whatever it held
            connection = null;
            held.Clear();
            throw;
        }
    }

    // A connection goes back to the pool with its locks, unless they are given back.
    private static async Task ForgetAsync(NpgsqlConnection connection)
    {
        try
        {
            if (connection.State == System.Data.ConnectionState.Open)
            {
                await using var command = new NpgsqlCommand("SELECT pg_advisory_unlock_all()", connection);
                await command.ExecuteNonQueryAsync();
            }
        }
        catch (NpgsqlException)
        {
            NpgsqlConnection.ClearPool(connection);
        }
        await connection.DisposeAsync();
    }
}
