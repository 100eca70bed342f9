using System.Text;
using Chaperone.Ledger;
using Chaperone.Platform.Postgres;

namespace Chaperone.Platform.Ledger;

/// <summary>An event with what proves it.</summary>
/// <param name="Line">Its bytes as written.</param>
/// <param name="Proof">Under a checkpoint of just now, with the salt as extra data.</param>
/// <param name="Head">That checkpoint.</param>
/// <param name="Key">The log's key.</param>
/// <param name="Policy">The tlog-policy: which witnesses have cosigned it; null for a log without witnesses.</param>
public sealed record ProvenEvent(ReadOnlyMemory<byte> Line, TlogProof Proof, Checkpoint Head, VerifierKey Key, string? Policy);

/// <summary>Two checkpoints and what shows that the newer continues the older.</summary>
/// <param name="Older">The older signed note.</param>
/// <param name="Proof">With the newer.</param>
/// <param name="Key">The log's key.</param>
public sealed record ProvenConsistency(SignedNote Older, WitnessRequest Proof, VerifierKey Key);

/// <summary>A checkpoint that the database keeps.</summary>
/// <param name="Size">Entries under it.</param>
/// <param name="SignedAt">When.</param>
/// <param name="Why">Who outside has it: <c>exported</c>, <c>mailed</c>, <c>witnessed</c>; null for the newest and the last of an hour.</param>
/// <param name="Root">Its root.</param>
public sealed record KeptCheckpoint(long Size, DateTimeOffset SignedAt, string? Why, Hash256 Root);

/// <summary>Makes what shows somebody outside that an event is in a clinic's log, or that the log continues a checkpoint (kernel: <see cref="Evidence"/>), and reads tiles as the log's address serves them.</summary>
public sealed class LedgerEvidence(LogKeys keys, Sequencer sequencer, Guid installation)
{
    /// <summary>The log's key.</summary>
    public async ValueTask<VerifierKey> KeyAsync(Guid tenant, CancellationToken cancel) => (await keys.Signer(tenant, LogKeys.Origin(installation, tenant), cancel)).Key;

    /// <summary>
    /// The event with its proof under the newest checkpoint, or the newest of the last minute that the witnesses cosigned as the policy asks, which is kept from now on.
    /// Null when there is no such event, when its body does not open, or when no checkpoint covers it yet.
    /// </summary>
    /// <param name="transaction">Of the clinic.</param>
    /// <param name="id">The event.</param>
    /// <param name="policy">As for a bundle (<see cref="LedgerBundle.WriteAsync"/>); null for a log without witnesses.</param>
    /// <param name="cancel">Cancels.</param>
    /// <exception cref="InvalidDataException">The stored log is not what was signed.</exception>
    public async Task<ProvenEvent?> OfEventAsync(TenantTransaction transaction, Guid id, Func<VerifierKey, bool, string>? policy, CancellationToken cancel)
    {
        await using var command = transaction.Command($"SELECT {StoredEvent.Columns} FROM ledger.every_event WHERE tenant_id = $1 AND id = $2", transaction.Tenant, id);
        if ((await StoredEvent.ReadAllAsync(command, cancel)).FirstOrDefault() is not { } row || await row.TryOpenAsync(keys, transaction.Tenant, cancel) is not { } body) return null;
        if (!(await LedgerReader.IndexesAsync(transaction, [id], cancel)).TryGetValue(id, out var index)) return null;
        var key = await KeyAsync(transaction.Tenant, cancel);
        if (await LedgerBundle.ChooseAsync(transaction, policy is null ? null : asks => policy(key, asks), cancel) is not var (note, text, newest, kept)) return null;
        var head = Open(note, key);
        if (index >= head.Size) (head, note, text, kept) = (Open(newest, key), newest, policy?.Invoke(key, false), false);   // the event is newer than what witnesses have seen
        if (index >= head.Size) return null;
        var nodes = await NodesAsync(transaction, index, head.Size, cancel);
        var proof = new TlogProof(index, nodes.InclusionProof(index), note, body.Salt);
        if (!proof.Shows(Merkle.LeafHash(Entry.Bytes(body.Salt.Span, body.Line.Span)), key)) throw new InvalidDataException("The event does not lead to the signed root: the log was changed.");
        if (!kept) await sequencer.KeepAsync(transaction.Tenant, head.Size, CheckpointUse.Exported, cancel);
        return new(body.Line, proof, head, key, text);
    }

    /// <summary>The proof from one kept checkpoint to another, in either order, <see cref="long.MaxValue"/> standing for the newest; null unless both are kept and of different sizes.</summary>
    /// <exception cref="InvalidDataException">The stored log is not what was signed.</exception>
    public async Task<ProvenConsistency?> OfConsistencyAsync(TenantTransaction transaction, long one, long other, CancellationToken cancel)
    {
        if (one == other || await NoteAsync(transaction, Math.Min(one, other), cancel) is not { } older || await NoteAsync(transaction, Math.Max(one, other) is var last && last == long.MaxValue ? null : last, cancel) is not { } newer) return null;
        var key = await KeyAsync(transaction.Tenant, cancel);
        var (before, head) = (Open(older, key), Open(newer, key));
        if (before.Size >= head.Size) return null;
        var nodes = await NodesAsync(transaction, before.Size - 1, head.Size, cancel);
        var proof = new WitnessRequest(before.Size, nodes.ConsistencyProof(before.Size), newer);
        if (!Evidence.Continues(proof, before, key)) throw new InvalidDataException("The newer checkpoint does not continue the older: the log was changed.");
        foreach (var size in (long[])[before.Size, head.Size]) await sequencer.KeepAsync(transaction.Tenant, size, CheckpointUse.Exported, cancel);
        return new(older, proof, key);
    }

    /// <summary>The kept checkpoints, newest first.</summary>
    /// <param name="transaction">Of the clinic.</param>
    /// <param name="below">Only those of fewer entries; null for all.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancel">Cancels.</param>
    public static async Task<IReadOnlyList<KeptCheckpoint>> KeptAsync(TenantTransaction transaction, long? below, int limit, CancellationToken cancel)
    {
        await using var command = transaction.Command(
            "SELECT size, signed_at, keep, root FROM ledger.checkpoint WHERE tenant_id = $1 AND size < $2 ORDER BY size DESC LIMIT $3", transaction.Tenant, below ?? long.MaxValue, limit);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var kept = new List<KeptCheckpoint>();
        while (await reader.ReadAsync(cancel))
            kept.Add(new(reader.GetInt64(0), reader.GetFieldValue<DateTimeOffset>(1), await reader.IsDBNullAsync(2, cancel) ? null : reader.GetString(2), new(reader.GetFieldValue<byte[]>(3))));
        return kept;
    }

    /// <summary>The newest signed checkpoint, or null while nothing is signed.</summary>
    public static Task<SignedNote?> NewestAsync(TenantTransaction transaction, CancellationToken cancel) => NoteAsync(transaction, null, cancel);

    /// <summary>A tile or entry bundle as it was when the tree had so many entries; null where that tree has none of this width at the place.</summary>
    /// <exception cref="InvalidDataException">The tile should be stored and is not.</exception>
    public static async Task<byte[]?> TileAsync(TenantTransaction transaction, TileAddress address, long size, CancellationToken cancel)
    {
        if (address.Width > Tiles.WidthAt(address.Level, address.Index, size)) return null;
        return address.Level == Tiles.EntriesLevel
            ? await LedgerBundle.EntriesAsync(transaction, address.Index, address.Width, cancel)
            : await LedgerBundle.TileAsync(transaction, address.Level, address.Index, address.Width, cancel);
    }

    // All in one round trip.
    internal static async Task<TileNodes> NodesAsync(TenantTransaction transaction, long index, long size, CancellationToken cancel)
    {
        var needed = TileNodes.NeededFor(index, size).ToArray();
        await using var command = transaction.Command(
            """
            SELECT t.level, t.n, t.hashes FROM unnest($2, $3) AS wanted (level, n) JOIN ledger.tile t ON t.tenant_id = $1 AND t.level = wanted.level AND t.n = wanted.n
            UNION ALL SELECT 0::smallint, n, entry_hashes FROM ledger.position WHERE tenant_id = $1 AND n = ANY ($4)
            """,
            transaction.Tenant, needed.Where(tile => tile.Level > 0).Select(tile => (short)tile.Level).ToArray(), needed.Where(tile => tile.Level > 0).Select(tile => tile.Index).ToArray(),
            needed.Where(tile => tile.Level == 0).Select(tile => tile.Index).ToArray());
        var tiles = new Dictionary<(int, long), byte[]>();
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var (level, bytes) = (reader.GetInt16(0), reader.GetFieldValue<byte[]>(2));
            tiles[(level, reader.GetInt64(1))] = level == 0 ? StoredTree.LeavesOf(bytes) : bytes;
        }
        return new(size, (level, at, _) => tiles.GetValueOrDefault((level, at)));
    }

    internal static Checkpoint Open(SignedNote note, VerifierKey key) =>
        Checkpoint.TryOpen(note, key, out var head) ? head : throw new InvalidDataException("A stored checkpoint does not bear the log's signature.");

    private static async Task<SignedNote?> NoteAsync(TenantTransaction transaction, long? size, CancellationToken cancel)
    {
        await using var command = size is { } wanted
            ? transaction.Command("SELECT note FROM ledger.checkpoint WHERE tenant_id = $1 AND size = $2", transaction.Tenant, wanted)
            : transaction.Command("SELECT note FROM ledger.checkpoint WHERE tenant_id = $1 ORDER BY size DESC LIMIT 1", transaction.Tenant);
        if (await command.ExecuteScalarAsync(cancel) is not string text) return null;
        return SignedNote.TryParse(Encoding.UTF8.GetBytes(text), out var note) ? note : throw new InvalidDataException("A stored checkpoint is not a signed note.");
    }
}
