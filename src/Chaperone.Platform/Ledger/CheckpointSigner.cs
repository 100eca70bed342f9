using Chaperone.Ledger;
using Chaperone.Platform.Postgres;
using Npgsql;

namespace Chaperone.Platform.Ledger;

/// <summary>The stored tree is not a continuation of what was signed before. Nothing was signed; somebody must look.</summary>
internal sealed class InconsistentLogException(string message) : Exception(message);

/// <summary>A write step of the log, for tests that break it.</summary>
internal enum WriteStep
{
    /// <summary>The transaction that gives indexes.</summary>
    Grow,

    /// <summary>The checkpoint file.</summary>
    CheckpointFile,

    /// <summary>The transaction that publishes the checkpoint.</summary>
    CheckpointRow,
}

/// <summary>Signs a clinic's tree heads.</summary>
/// <remarks>
/// Order: the tree is committed; it is compared with the checkpoint file and with the newest checkpoint in the database; it is signed; the file is replaced; the row is
/// committed, which publishes it. Failures of each step:
/// <list type="table">
/// <item><term>file not written</term><description>nothing is published; the next run signs again</description></item>
/// <item><term>file written, row not</term><description>the file is ahead of the database by a tree that is stored; the next run signs that or a longer one</description></item>
/// <item><term>row stored, answer lost</term><description>the next run finds nothing to sign</description></item>
/// </list>
/// The clinic's lock is held throughout, so two nodes never sign at once.
/// </remarks>
internal sealed class CheckpointSigner(NpgsqlDataSource ledger, LogKeys keys, CheckpointFile file, Guid installation, TimeProvider clock)
{
    /// <summary>Called before and after each write step; throwing after one is "failed but stored".</summary>
    internal Action<WriteStep, bool>? Breakpoint { get; set; }

    /// <summary>Told after a checkpoint was published.</summary>
    internal Action<Guid>? Signed { get; set; }

    /// <summary>Signs the present tree unless that was done. False when another node holds the clinic's lock, which then does it.</summary>
    public async Task<bool> SignAsync(Guid tenant, CancellationToken cancel)
    {
        var (transaction, tree) = await StoredTree.TryLockAsync(ledger, tenant, cancel);
        await using (transaction)
        {
            if (tree is null) return false;
            if (tree.Size == 0) return true;
            var signer = await keys.Signer(tenant, LogKeys.Origin(installation, tenant), cancel);
            var newest = await NewestAsync(transaction, signer.Key, cancel);
            if (newest?.Size == tree.Size && newest.Root == tree.Root && FileOf(tenant, signer.Key)?.Size == tree.Size) return true;

            var nodes = tree.Nodes();
            if (nodes.Root() != tree.Root) throw new InconsistentLogException("the stored tiles do not lead to the root of the stored tree");
            if (newest is not null) Compare(newest, tree, nodes, "the newest checkpoint in the database");
            if (FileOf(tenant, signer.Key) is { } outside && (outside.Size, outside.Root) != (newest?.Size, newest?.Root)) Compare(outside, tree, nodes, $"the checkpoint file {file.PathOf(tenant)}");

            var note = new Checkpoint(signer.Key.Name, tree.Size, tree.Root).Sign(signer);
            Breakpoint?.Invoke(WriteStep.CheckpointFile, false);
            file.Replace(tenant, note.ToBytes());
            Breakpoint?.Invoke(WriteStep.CheckpointFile, true);

            Breakpoint?.Invoke(WriteStep.CheckpointRow, false);
            await transaction.CommitAsync(Store(tenant, tree, note), cancel);
            Breakpoint?.Invoke(WriteStep.CheckpointRow, true);
            Signed?.Invoke(tenant);
            return true;
        }
    }

    private NpgsqlBatchCommand[] Store(Guid tenant, StoredTree tree, SignedNote note)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        return
        [
            // Of the checkpoints that nobody outside has, the newest and the last of each hour stay.
            new("DELETE FROM ledger.checkpoint WHERE tenant_id = $1 AND size < $2 AND keep IS NULL AND date_trunc('hour', signed_at, 'UTC') = date_trunc('hour', $3::timestamptz, 'UTC')")
            {
                Parameters = { new NpgsqlParameter<Guid> { TypedValue = tenant }, new NpgsqlParameter<long> { TypedValue = tree.Size }, new NpgsqlParameter<DateTime> { TypedValue = now } },
            },
            new("INSERT INTO ledger.checkpoint (tenant_id, size, root, note, signed_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, size) DO NOTHING")
            {
                Parameters =
                {
                    new NpgsqlParameter<Guid> { TypedValue = tenant }, new NpgsqlParameter<long> { TypedValue = tree.Size },
                    new NpgsqlParameter<byte[]> { TypedValue = tree.Root.ToArray() }, new NpgsqlParameter<string> { TypedValue = note.ToString() },
                    new NpgsqlParameter<DateTime> { TypedValue = now },
                },
            },
        ];
    }

    private static void Compare(Checkpoint signed, StoredTree tree, TileNodes nodes, string where)
    {
        if (signed.Size > tree.Size)
            throw new InconsistentLogException($"the log holds {tree.Size} events, but {where} was signed over {signed.Size}: its tail was cut off, or an old copy was brought back");
        if (Merkle.Root(signed.Size, nodes.Node) != signed.Root)
            throw new InconsistentLogException($"the first {signed.Size} events are not those that {where} was signed over");
    }

    // A file that does not open was written by nobody we know: refuse, as for a tree that does not continue it.
    private Checkpoint? FileOf(Guid tenant, VerifierKey key) => file.Read(tenant) is not { } bytes
        ? null
        : Checkpoint.TryOpen(bytes, key, out var checkpoint)
            ? checkpoint
            : throw new InconsistentLogException($"the checkpoint file {file.PathOf(tenant)} does not bear this log's signature");

    private static async Task<Checkpoint?> NewestAsync(TenantTransaction transaction, VerifierKey key, CancellationToken cancel)
    {
        await using var command = transaction.Command("SELECT note FROM ledger.checkpoint ORDER BY size DESC LIMIT 1");
        return await command.ExecuteScalarAsync(cancel) is not string note
            ? null
            : Checkpoint.TryOpen(System.Text.Encoding.UTF8.GetBytes(note), key, out var checkpoint)
                ? checkpoint
                : throw new InconsistentLogException("the newest checkpoint in the database does not bear this log's signature");
    }
}
