using System.Runtime.CompilerServices;
using System.Text;
using Chaperone.Ledger;
using Chaperone.Platform.Postgres;

namespace Chaperone.Platform.Ledger;

/// <summary>What went into a bundle.</summary>
/// <param name="From">First index.</param>
/// <param name="To">End of the range, itself not in it.</param>
/// <param name="Size">Size of the checkpoint that covers it.</param>
/// <param name="Events">Events present.</param>
/// <param name="Expired">Events whose body had ended, or does not open.</param>
public sealed record BundleSummary(long From, long To, long Size, long Events, long Expired);

/// <summary>The checkpoint that goes out with an export.</summary>
/// <param name="Note">Signed, with its cosignatures.</param>
/// <param name="Policy">The tlog-policy beside it; null for a log without witnesses.</param>
/// <param name="Newest">The newest, which witnesses may not have seen.</param>
/// <param name="IsKept">Whether it is kept for good already.</param>
internal sealed record ChosenCheckpoint(SignedNote Note, string? Policy, SignedNote Newest, bool IsKept);

/// <summary>Writes a clinic's events of a span of time as a bundle that proves itself (kernel: <see cref="BundleWriter"/>), streaming.</summary>
public sealed class LedgerBundle(LogKeys keys, Sequencer sequencer, Guid installation, TimeProvider clock)
{
    /// <summary>Writes the bundle. The range of indexes is the least that holds every event of the span; it may hold a few neighbours, which came in at the same moment.</summary>
    /// <param name="transaction">Of the clinic; of the application role, at best in one snapshot.</param>
    /// <param name="from">From this time, or null for the beginning.</param>
    /// <param name="to">To this time, not included, or null for the newest checkpoint.</param>
    /// <param name="output">Only written to; left open.</param>
    /// <param name="onEvent">Sees every event that goes out, to register whom it shows; may be null.</param>
    /// <param name="cancel">Cancels; what was written by then does not verify.</param>
    /// <param name="policy">The policy of the log by its key, as it asks for witnesses or (false) only names them; null for a log without witnesses.</param>
    /// <exception cref="InvalidOperationException">Nothing is signed yet.</exception>
    public async Task<BundleSummary> WriteAsync(
        TenantTransaction transaction, DateTimeOffset? from, DateTimeOffset? to, Stream output, Action<LedgerEvent>? onEvent, CancellationToken cancel, Func<VerifierKey, bool, string>? policy = null)
    {
        var signer = await keys.Signer(transaction.Tenant, LogKeys.Origin(installation, transaction.Tenant), cancel);
        if (await ChooseAsync(transaction, policy is null ? null : asks => policy(signer.Key, asks), cancel) is not var (note, policyText, _, kept)) throw new InvalidOperationException("Nothing is signed yet: wait a second and try again.");
        if (!Checkpoint.TryParse(note.Text, out var head)) throw new InvalidDataException("The newest checkpoint is not a checkpoint.");
        var (first, end) = await RangeAsync(transaction, from, to, head.Size, cancel);
        var expiries = await ExpiriesAsync(transaction, first, end, head.Size, cancel);
        var (events, expired) = await BundleWriter.Write(output, new()
        {
            From = first,
            To = end,
            CheckpointNote = note,
            Policy = policyText,
            Signer = signer,
            Created = clock.GetUtcNow(),
            Tile = (level, index, width, token) => TileAsync(transaction, level, index, width, token),
            Entries = (index, width, token) => EntriesAsync(transaction, index, width, token),
            Events = EventsAsync(transaction, first, end, onEvent, cancel),
            Expiries = expiries,
        }, cancel);
        if (!kept) await sequencer.KeepAsync(transaction.Tenant, head.Size, CheckpointUse.Exported, cancel);
        return new(first, end, head.Size, events, expired);
    }

    /// <summary>
    /// The newest checkpoint, or where the policy asks for witnesses the newest of the last minute that has them. Where none has, the policy only names them: an export never waits for a witness.
    /// Null when nothing is signed yet.
    /// </summary>
    internal static async Task<ChosenCheckpoint?> ChooseAsync(TenantTransaction transaction, Func<bool, string>? policy, CancellationToken cancel)
    {
        await using var command = transaction.Command(
            """
            SELECT note, coalesce(keep IN ('exported', 'mailed'), false) FROM ledger.checkpoint WHERE tenant_id = $1
              AND signed_at >= (SELECT signed_at FROM ledger.checkpoint WHERE tenant_id = $1 ORDER BY size DESC LIMIT 1) - interval '1 minute' ORDER BY size DESC LIMIT $2
            """, transaction.Tenant, policy is null ? 1 : 50);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var notes = new List<(SignedNote Note, bool IsKept)>();
        while (await reader.ReadAsync(cancel))
            notes.Add((SignedNote.TryParse(Encoding.UTF8.GetBytes(reader.GetString(0)), out var note) ? note : throw new InvalidDataException("A checkpoint is not a signed note."), reader.GetBoolean(1)));
        if (notes.Count == 0) return null;
        var (newest, kept) = notes[0];
        if (policy is null) return new(newest, null, newest, kept);
        var text = policy(true);
        return WitnessPolicy.TryParse(Encoding.UTF8.GetBytes(text), out var asked) && notes.Find(each => asked.IsSatisfiedBy(each.Note)) is { Note: { } guarded } found
            ? new(guarded, text, newest, found.IsKept)
            : new(newest, policy(false), newest, kept);
    }

    private static async Task<(long First, long End)> RangeAsync(TenantTransaction transaction, DateTimeOffset? from, DateTimeOffset? to, long size, CancellationToken cancel)
    {
        if (from is null && to is null) return (0, size);
        await using var command = transaction.Command(
            """
            SELECT min(n * 256 + at - 1), max(n * 256 + at) FROM (SELECT n, event_ids FROM ledger.position WHERE tenant_id = $1 AND max_id >= $2 AND min_id < $3) p,
              unnest(event_ids) WITH ORDINALITY AS e (id, at) WHERE id >= $2 AND id < $3 AND n * 256 + at <= $4
            """,
            transaction.Tenant, from is { } low ? LedgerReader.FirstId(low) : Guid.Empty, to is { } high ? LedgerReader.FirstId(high) : Guid.AllBitsSet, size);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        return await reader.ReadAsync(cancel) && !await reader.IsDBNullAsync(0, cancel) ? (reader.GetInt64(0), reader.GetInt64(1)) : (0, 0);
    }

    internal static async ValueTask<byte[]> TileAsync(TenantTransaction transaction, int level, long index, int width, CancellationToken cancel)
    {
        var bytes = level == 0
            ? StoredTree.LeavesOf((await ChunkAsync(transaction, index, cancel)).Hashes)
            : await ScalarAsync(transaction, "SELECT hashes FROM ledger.tile WHERE tenant_id = $1 AND level = $2 AND n = $3", cancel, (short)level, index);
        if (bytes.Length < width * Hash256.Size) throw new InvalidDataException($"Tile {level}/{index} is shorter than the checkpoint asks.");
        return bytes[..(width * Hash256.Size)];
    }

    internal static async ValueTask<byte[]> EntriesAsync(TenantTransaction transaction, long index, int width, CancellationToken cancel)
    {
        var hashes = (await ChunkAsync(transaction, index, cancel)).Hashes;
        if (hashes.Length < width * Hash256.Size) throw new InvalidDataException($"Chunk {index} is shorter than the checkpoint asks.");
        return Tiles.EncodeEntries([.. hashes.Chunk(Hash256.Size).Take(width).Select(hash => (ReadOnlyMemory<byte>)(byte[])[Entry.Version, .. hash])]);
    }

    private async IAsyncEnumerable<BundleEvent> EventsAsync(
        TenantTransaction transaction, long first, long end, Action<LedgerEvent>? onEvent, [EnumeratorCancellation] CancellationToken cancel)
    {
        for (var chunk = first / Tiles.Width; chunk * Tiles.Width < end; chunk++)
        {
            var (ids, _) = await ChunkAsync(transaction, chunk, cancel);
            var start = chunk * Tiles.Width;
            var wanted = ids[(int)Math.Max(0, first - start)..(int)Math.Min(ids.Length, end - start)];
            await using var command = transaction.Command($"SELECT {StoredEvent.Columns} FROM ledger.every_event WHERE tenant_id = $1 AND id = ANY($2)", transaction.Tenant, wanted);
            var rows = (await StoredEvent.ReadAllAsync(command, cancel)).ToDictionary(row => row.Id);
            foreach (var id in wanted)
            {
                if (!rows.TryGetValue(id, out var row))
                {
                    yield return new(null, null);
                    continue;
                }
                // A body that does not open cannot go out. Its entry does, without a line and without an event of expiry: who verifies the bundle finds it.
                if (await row.TryOpenAsync(keys, transaction.Tenant, cancel) is not { } body)
                {
                    yield return new(null, null);
                    continue;
                }
                onEvent?.Invoke(EventJson.Read(body.Line));
                yield return new(body.Salt.ToArray(), body.Line.ToArray());
            }
        }
    }

    // Events of expiry after the range: without them a verifier takes the expired ones for deleted.
    private async Task<List<BundleExpiry>> ExpiriesAsync(TenantTransaction transaction, long first, long end, long size, CancellationToken cancel)
    {
        await using var command = transaction.Command(
            $"SELECT {StoredEvent.Columns} FROM ledger.every_event WHERE tenant_id = $1 AND action = $2 ORDER BY id", transaction.Tenant, EventJson.ExpiredAction);
        var rows = await StoredEvent.ReadAllAsync(command, cancel);
        var indexes = await LedgerReader.IndexesAsync(transaction, [.. rows.Select(row => row.Id)], cancel);
        var expiries = new List<BundleExpiry>();
        foreach (var row in rows)
        {
            if (!indexes.TryGetValue(row.Id, out var index) || index < end || index >= size) continue;
            if (await row.TryOpenAsync(keys, transaction.Tenant, cancel) is not { } body) continue;
            if (EventJson.Read(body.Line).Expired.Any(range => range.First < end && range.Last >= first)) expiries.Add(new(index, body.Salt.ToArray(), body.Line.ToArray()));
        }
        return expiries;
    }

    internal static async Task<(Guid[] Ids, byte[] Hashes)> ChunkAsync(TenantTransaction transaction, long n, CancellationToken cancel)
    {
        await using var command = transaction.Command("SELECT event_ids, entry_hashes FROM ledger.position WHERE tenant_id = $1 AND n = $2", transaction.Tenant, n);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        return await reader.ReadAsync(cancel) ? (reader.GetFieldValue<Guid[]>(0), reader.GetFieldValue<byte[]>(1)) : throw new InvalidDataException($"Position chunk {n} is missing.");
    }

    private static async ValueTask<byte[]> ScalarAsync(TenantTransaction transaction, string sql, CancellationToken cancel, params object[] values)
    {
        await using var command = transaction.Command(sql, [transaction.Tenant, .. values]);
        return await command.ExecuteScalarAsync(cancel) as byte[] ?? throw new InvalidDataException("A tile is missing.");
    }
}
