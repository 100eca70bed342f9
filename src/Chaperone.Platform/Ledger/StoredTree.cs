using Chaperone.Ledger;
using Chaperone.Platform.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Chaperone.Platform.Ledger;

/// <summary>A clinic's tree as the database keeps it, seen through one transaction. Level 0 of the tiles is computed from the entries.</summary>
internal sealed class StoredTree(TenantTransaction transaction, long size, Hash256 root)
{
    /// <summary>Most events sequenced in one transaction.</summary>
    public const int Batch = 4096;

    private const string ReadTree = "SELECT size, root FROM ledger.tree";

    public long Size => size;

    public Hash256 Root => root;

    /// <summary>The tree without its lock: for readers.</summary>
    public static async Task<StoredTree> ReadAsync(TenantTransaction transaction, CancellationToken cancel)
    {
        await using var command = transaction.Command(ReadTree);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        return await FromAsync(transaction, reader, cancel);
    }

    private static async Task<StoredTree> FromAsync(TenantTransaction transaction, NpgsqlDataReader reader, CancellationToken cancel) =>
        await reader.ReadAsync(cancel)
            ? new(transaction, reader.GetInt64(0), new(reader.GetFieldValue<byte[]>(1)))
            : new(transaction, 0, Merkle.EmptyRoot);

    /// <summary>Takes the clinic's lock, until the transaction ends, and reads the tree after it. Null when another holds it and <paramref name="wait"/> is false.</summary>
    public static async Task<(TenantTransaction Transaction, StoredTree? Tree)> LockAsync(NpgsqlDataSource ledger, Guid tenant, bool wait, CancellationToken cancel)
    {
        var key = LockKey(tenant);
        var take = new NpgsqlBatchCommand(wait ? "SELECT pg_advisory_xact_lock($1) IS NOT NULL" : "SELECT pg_try_advisory_xact_lock($1)")
        {
            Parameters = { new NpgsqlParameter<long> { TypedValue = key } },
        };
        var (transaction, taken) = await TenantTransaction.BeginAsync(ledger, tenant, take, cancel);
        try
        {
            return (transaction, taken is true ? await ReadAsync(transaction, cancel) : null);
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }

    /// <summary>Gives the pending events the next indexes, in the order of their ids, and writes positions, tiles and tree. Not yet committed. Returns how many.</summary>
    /// <exception cref="InvalidDataException">The stored tiles do not lead to the stored root.</exception>
    public async Task<int> GrowAsync(CancellationToken cancel)
    {
        var (ids, entries) = await PendingAsync(cancel);
        if (ids.Count == 0) return 0;
        var edge = await RightEdgeAsync(cancel);
        var leaves = entries.ConvertAll(entry => Merkle.LeafHash(entry));
        var grown = TreeGrowth.Grow(size, root, (level, index, _) => edge.GetValueOrDefault((level, index)), leaves);

        await using var batch = new NpgsqlBatch(transaction.Connection);
        AddPositions(batch, ids, entries);
        foreach (var tile in grown.Tiles) if (tile.Level > 0) AddTile(batch, tile);
        batch.BatchCommands.Add(new("DELETE FROM ledger.pending WHERE tenant_id = $1 AND id = ANY($2)")
        {
            Parameters = { new NpgsqlParameter<Guid> { TypedValue = transaction.Tenant }, new NpgsqlParameter<Guid[]> { TypedValue = [.. ids] } },
        });
        batch.BatchCommands.Add(new(
            "INSERT INTO ledger.tree AS tree (tenant_id, size, root) VALUES ($1, $2, $3) ON CONFLICT (tenant_id) DO UPDATE SET size = EXCLUDED.size, root = EXCLUDED.root WHERE tree.size = $4")
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = transaction.Tenant }, new NpgsqlParameter<long> { TypedValue = grown.Size },
                new NpgsqlParameter<byte[]> { TypedValue = grown.Root.ToArray() }, new NpgsqlParameter<long> { TypedValue = size },
            },
        });
        await batch.ExecuteNonQueryAsync(cancel);
        // The lock makes both certain; were it ever lost, nothing may be committed.
        if (batch.BatchCommands[^1].RecordsAffected != 1 || batch.BatchCommands[^2].RecordsAffected != ids.Count)
            throw new InvalidDataException("Another sequencer has grown the tree meanwhile.");
        return ids.Count;
    }

    /// <summary>The tree's nodes, read as they are asked for: few, each a primary key look-up.</summary>
    public TileNodes Nodes() => new(size, ReadTile);

    private byte[]? ReadTile(int level, long index, int width)
    {
        // A TileReader is synchronous.
        using var command = level == 0
            ? transaction.Command("SELECT entry_hashes FROM ledger.position WHERE n = $1", index)
            : transaction.Command("SELECT hashes FROM ledger.tile WHERE level = $1 AND n = $2", (short)level, index);
        return command.ExecuteScalar() is byte[] bytes ? level == 0 ? LeavesOf(bytes) : bytes : null;
    }

    /// <summary>The level 0 tile over the hashes of a chunk's entries.</summary>
    public static byte[] LeavesOf(ReadOnlySpan<byte> entryHashes)
    {
        var leaves = new byte[entryHashes.Length];
        Span<byte> entry = stackalloc byte[Entry.Size];
        entry[0] = Entry.Version;
        for (var at = 0; at < entryHashes.Length; at += Hash256.Size)
        {
            entryHashes.Slice(at, Hash256.Size).CopyTo(entry[1..]);
            Merkle.LeafHash(entry).CopyTo(leaves.AsSpan(at));
        }
        return leaves;
    }

    private async Task<(List<Guid> Ids, List<byte[]> Entries)> PendingAsync(CancellationToken cancel)
    {
        await using var command = transaction.Command("SELECT id, entry FROM ledger.pending WHERE tenant_id = $1 ORDER BY id LIMIT $2", transaction.Tenant, Batch);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var (ids, entries) = (new List<Guid>(), new List<byte[]>());
        while (await reader.ReadAsync(cancel))
        {
            ids.Add(reader.GetGuid(0));
            var entry = reader.GetFieldValue<byte[]>(1);
            if (entry.Length != Entry.Size || entry[0] != Entry.Version) throw new InvalidDataException($"The pending entry of event {ids[^1]} is not an entry.");
            entries.Add(entry);
        }
        return (ids, entries);
    }

    private async Task<Dictionary<(int Level, long Index), byte[]>> RightEdgeAsync(CancellationToken cancel)
    {
        var edge = new Dictionary<(int, long), byte[]>();
        if (size == 0) return edge;
        var (levels, indexes) = (new List<short>(), new List<long>());
        for (var level = 1; level <= Tiles.HighestLevel && size >> (Tiles.Height * level) > 0; level++)
        {
            levels.Add((short)level);
            indexes.Add(Tiles.CountAt(level, size) - 1);
        }
        await using var batch = new NpgsqlBatch(transaction.Connection)
        {
            BatchCommands =
            {
                new("SELECT 0::smallint, n, entry_hashes FROM ledger.position WHERE tenant_id = $1 AND n = $2")
                {
                    Parameters = { new NpgsqlParameter<Guid> { TypedValue = transaction.Tenant }, new NpgsqlParameter<long> { TypedValue = Tiles.CountAt(0, size) - 1 } },
                },
                new("SELECT tile.level, tile.n, hashes FROM unnest($2, $3) AS wanted (level, n) JOIN ledger.tile ON tile.tenant_id = $1 AND tile.level = wanted.level AND tile.n = wanted.n")
                {
                    Parameters =
                    {
                        new NpgsqlParameter<Guid> { TypedValue = transaction.Tenant },
                        new() { Value = levels.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Smallint },
                        new() { Value = indexes.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
                    },
                },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        do
        {
            while (await reader.ReadAsync(cancel))
            {
                var (level, bytes) = (reader.GetInt16(0), reader.GetFieldValue<byte[]>(2));
                edge[(level, reader.GetInt64(1))] = level == 0 ? LeavesOf(bytes) : bytes;
            }
        }
        while (await reader.NextResultAsync(cancel));
        return edge;
    }

    private void AddPositions(NpgsqlBatch batch, List<Guid> ids, List<byte[]> entries)
    {
        for (var done = 0; done < ids.Count;)
        {
            var index = size + done;
            var filled = (int)(index % Tiles.Width);
            var count = Math.Min(Tiles.Width - filled, ids.Count - done);
            var hashes = new byte[count * Hash256.Size];
            for (var i = 0; i < count; i++) entries[done + i].AsSpan(1).CopyTo(hashes.AsSpan(i * Hash256.Size));
            var chunk = ids.GetRange(done, count);
            batch.BatchCommands.Add(new(filled == 0
                ? "INSERT INTO ledger.position (tenant_id, n, min_id, max_id, event_ids, entry_hashes) VALUES ($1, $2, $3, $4, $5, $6)"
                : """
                  UPDATE ledger.position SET min_id = least(min_id, $3), max_id = greatest(max_id, $4), event_ids = event_ids || $5, entry_hashes = entry_hashes || $6
                  WHERE tenant_id = $1 AND n = $2
                  """)
            {
                Parameters =
                {
                    new NpgsqlParameter<Guid> { TypedValue = transaction.Tenant },
                    new NpgsqlParameter<long> { TypedValue = index / Tiles.Width },
                    new NpgsqlParameter<Guid> { TypedValue = chunk[0] },      // pending comes in the order of ids
                    new NpgsqlParameter<Guid> { TypedValue = chunk[^1] },
                    new NpgsqlParameter<Guid[]> { TypedValue = [.. chunk] },
                    new NpgsqlParameter<byte[]> { TypedValue = hashes },
                },
            });
            done += count;
        }
    }

    private void AddTile(NpgsqlBatch batch, Tile tile) =>
        batch.BatchCommands.Add(new(
            "INSERT INTO ledger.tile (tenant_id, level, n, hashes) VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, level, n) DO UPDATE SET hashes = EXCLUDED.hashes")
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = transaction.Tenant }, new NpgsqlParameter<short> { TypedValue = (short)tile.Level },
                new NpgsqlParameter<long> { TypedValue = tile.Index }, new NpgsqlParameter<byte[]> { TypedValue = tile.Hashes },
            },
        });

    // The low half of a UUIDv7 is random; advisory locks are per database and nothing else of ours locks with one 64-bit key but the migrator.
    private static long LockKey(Guid tenant)
    {
        Span<byte> bytes = stackalloc byte[16];
        _ = tenant.TryWriteBytes(bytes, bigEndian: true, out _);
        return System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(bytes[8..]);
    }
}
