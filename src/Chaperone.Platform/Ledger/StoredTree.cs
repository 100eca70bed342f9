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
        var (size, root) = await StandAsync(reader, cancel);
        return new(transaction, size, root);
    }

    /// <summary>Takes the clinic's lock, until the transaction ends, and reads the tree after it. Null when another holds it.</summary>
    public static async Task<(TenantTransaction Transaction, StoredTree? Tree)> TryLockAsync(NpgsqlDataSource ledger, Guid tenant, CancellationToken cancel)
    {
        var (transaction, (taken, size, root)) = await TenantTransaction.BeginAsync(ledger, tenant, [Lock("SELECT pg_try_advisory_xact_lock($1)", tenant), new(ReadTree)], async reader =>
        {
            var taken = await reader.ReadAsync(cancel) && reader.GetBoolean(0);
            await reader.NextResultAsync(cancel);
            var (size, root) = await StandAsync(reader, cancel);
            return (taken, size, root);
        }, false, cancel);
        return (transaction, taken ? new(transaction, size, root) : null);
    }

    /// <summary>Takes the clinic's lock, waiting for it, and reads what is pending; the lock is held until the transaction ends.</summary>
    public static async Task<Growth> BeginGrowthAsync(NpgsqlDataSource ledger, Guid tenant, CancellationToken cancel)
    {
        NpgsqlBatchCommand[] queries =
        [
            Lock("SELECT pg_advisory_xact_lock($1) IS NOT NULL", tenant),
            new(ReadTree),
            new("SELECT id, entry FROM ledger.pending WHERE tenant_id = $1 ORDER BY id LIMIT $2")
            {
                Parameters = { new NpgsqlParameter<Guid> { TypedValue = tenant }, new NpgsqlParameter<int> { TypedValue = Batch } },
            },
            // The right edge: at each level the tile that holds the last hash.
            new("""
                SELECT 0::smallint, p.n, p.entry_hashes FROM ledger.tree JOIN ledger.position AS p ON p.tenant_id = $1 AND p.n = (tree.size - 1) >> $2 WHERE tree.tenant_id = $1
                UNION ALL
                SELECT t.level, t.n, t.hashes FROM ledger.tree CROSS JOIN generate_series(1, $3) AS at (level)
                  JOIN ledger.tile AS t ON t.tenant_id = $1 AND t.level = at.level::smallint AND t.n = ((tree.size >> ($2 * at.level)) - 1) >> $2
                 WHERE tree.tenant_id = $1 AND tree.size >> ($2 * at.level) > 0
                """)
            {
                Parameters = { new NpgsqlParameter<Guid> { TypedValue = tenant }, new NpgsqlParameter<int> { TypedValue = Tiles.Height }, new NpgsqlParameter<int> { TypedValue = Tiles.HighestLevel } },
            },
        ];
        var (transaction, growth) = await TenantTransaction.BeginAsync(ledger, tenant, queries, async reader =>
        {
            await reader.NextResultAsync(cancel);
            var (size, root) = await StandAsync(reader, cancel);
            await reader.NextResultAsync(cancel);
            var pending = await PendingAsync(reader, cancel);
            await reader.NextResultAsync(cancel);
            return (Size: size, Root: root, Pending: pending, Edge: await EdgeAsync(reader, cancel));
        }, false, cancel);
        return new(new(transaction, growth.Size, growth.Root), transaction, growth.Pending, growth.Edge);
    }

    /// <summary>A growth under way.</summary>
    /// <param name="Tree">The tree before it.</param>
    /// <param name="Transaction">What it happens in; disposing it undoes it.</param>
    /// <param name="Pending">The events that wait, in the order of their ids; at most <see cref="Batch"/>.</param>
    /// <param name="Edge">The tiles that hold the last hashes.</param>
    public sealed record Growth(StoredTree Tree, TenantTransaction Transaction, List<PendingEvent> Pending, Dictionary<(int Level, long Index), byte[]> Edge)
    {
        /// <summary>How many of the pending fill whole chunks: a chunk that is written once need not be written again, and a row of 12 KB is not rewritten for every few events.</summary>
        public int Whole => Math.Max(0, (int)(((Tree.Size + Pending.Count) / Tiles.Width * Tiles.Width) - Tree.Size));
    }

    /// <summary>An event without an index.</summary>
    /// <param name="Id">The event.</param>
    /// <param name="Entry">Its entry.</param>
    public readonly record struct PendingEvent(Guid Id, byte[] Entry);

    /// <summary>What a growth did.</summary>
    /// <param name="Taken">Events sequenced.</param>
    /// <param name="Left">Events seen and left for the next.</param>
    public readonly record struct Grown(int Taken, int Left);

    private static NpgsqlBatchCommand Lock(string sql, Guid tenant) => new(sql) { Parameters = { new NpgsqlParameter<long> { TypedValue = LockKey(tenant) } } };

    private static async Task<(long Size, Hash256 Root)> StandAsync(NpgsqlDataReader reader, CancellationToken cancel) =>
        await reader.ReadAsync(cancel) ? (reader.GetInt64(0), new(reader.GetFieldValue<byte[]>(1))) : (0, Merkle.EmptyRoot);

    /// <summary>Gives the first of the pending events the next indexes: writes positions, tiles and tree, and takes the events out of their table. Not yet committed.</summary>
    /// <exception cref="InvalidDataException">The stored tiles do not lead to the stored root.</exception>
    public async Task GrowAsync(Growth growth, int count, CancellationToken cancel)
    {
        var taken = growth.Pending.GetRange(0, count);
        var leaves = taken.ConvertAll(pending => Merkle.LeafHash(pending.Entry));
        var grown = TreeGrowth.Grow(size, root, (level, index, _) => growth.Edge.GetValueOrDefault((level, index)), leaves);

        await using var batch = new NpgsqlBatch(transaction.Connection);
        batch.BatchCommands.Add(new("DELETE FROM ledger.pending WHERE tenant_id = $1 AND id = ANY ($2)")
        {
            Parameters = { new NpgsqlParameter<Guid> { TypedValue = transaction.Tenant }, new NpgsqlParameter<Guid[]> { TypedValue = [.. taken.Select(pending => pending.Id)] } },
        });
        AddPositions(batch, taken);
        foreach (var tile in grown.Tiles) if (tile.Level > 0) AddTile(batch, tile);
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
        // The lock makes it certain; were it ever lost, nothing may be committed.
        if (batch.BatchCommands[^1].RecordsAffected != 1 || (long)batch.BatchCommands[0].RecordsAffected != count) throw new InvalidDataException("Another sequencer has grown the tree meanwhile.");
    }

    /// <summary>The tree's nodes, read as they are asked for: few, each a primary key look-up.</summary>
    public TileNodes Nodes() => NodesAt(size);

    /// <summary>The same of the tree as it was at an earlier size.</summary>
    public TileNodes NodesAt(long then) => new(then, ReadTile);

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
        Entry.LeavesOf(entryHashes, leaves);
        return leaves;
    }

    private static async Task<List<PendingEvent>> PendingAsync(NpgsqlDataReader reader, CancellationToken cancel)
    {
        var pending = new List<PendingEvent>();
        while (await reader.ReadAsync(cancel))
        {
            var (id, entry) = (reader.GetGuid(0), reader.GetFieldValue<byte[]>(1));
            if (entry.Length != Entry.Size || entry[0] != Entry.Version) throw new InvalidDataException($"The pending entry of event {id} is not an entry.");
            pending.Add(new(id, entry));
        }
        return pending;
    }

    private static async Task<Dictionary<(int Level, long Index), byte[]>> EdgeAsync(NpgsqlDataReader reader, CancellationToken cancel)
    {
        var edge = new Dictionary<(int, long), byte[]>();
        while (await reader.ReadAsync(cancel))
        {
            var (level, bytes) = (reader.GetInt16(0), reader.GetFieldValue<byte[]>(2));
            edge[(level, reader.GetInt64(1))] = level == 0 ? LeavesOf(bytes) : bytes;
        }
        return edge;
    }

    private void AddPositions(NpgsqlBatch batch, List<PendingEvent> pending)
    {
        for (var done = 0; done < pending.Count;)
        {
            var index = size + done;
            var filled = (int)(index % Tiles.Width);
            var count = Math.Min(Tiles.Width - filled, pending.Count - done);
            var hashes = new byte[count * Hash256.Size];
            for (var i = 0; i < count; i++) pending[done + i].Entry.AsSpan(1).CopyTo(hashes.AsSpan(i * Hash256.Size));
            var chunk = pending.GetRange(done, count).ConvertAll(each => each.Id);
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
                    new NpgsqlParameter<Guid> { TypedValue = chunk[0] },      // in the order of ids
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
