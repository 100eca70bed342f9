using Chaperone.Ledger;
using Chaperone.Platform.Postgres;

namespace Chaperone.Platform.Ledger;

/// <summary>Events that somebody chose, each proved under one checkpoint.</summary>
/// <param name="Note">The checkpoint, with its cosignatures.</param>
/// <param name="Head">What it says.</param>
/// <param name="Signer">The log's key, to sign what is made of them.</param>
/// <param name="Policy">The tlog-policy, or null for a log without witnesses.</param>
/// <param name="Events">Those whose bodies are there.</param>
/// <param name="Expired">The places of those whose bodies ended, and of the event that names each.</param>
/// <param name="Expiries">Those events of expiry.</param>
public sealed record ProvenSelection(
    SignedNote Note, Checkpoint Head, NoteSigner Signer, string? Policy, IReadOnlyList<CaseProof> Events, IReadOnlyList<(long Index, long By)> Expired, IReadOnlyList<CaseProof> Expiries);

/// <summary>Proves many events at once, for a case's evidence (kernel: <see cref="CaseEvidence"/>).</summary>
public sealed class LedgerSelection(LogKeys keys, LedgerEvidence evidence, Guid installation)
{
    /// <summary>
    /// Every event with its proof under the checkpoint that <see cref="LedgerEvidence.OfEventAsync"/> chooses for the newest of them, which is kept from now on. Null when one of them has no
    /// place in the log yet, when a body does not open, or when no checkpoint covers all.
    /// </summary>
    /// <param name="transaction">Of the clinic.</param>
    /// <param name="ids">The events; some may have ended.</param>
    /// <param name="anchor">An event that is there and that the checkpoint must cover too, such as the newest about the case itself.</param>
    /// <param name="policy">As for one event.</param>
    /// <param name="cancel">Cancels.</param>
    /// <exception cref="InvalidDataException">The stored log is not what was signed, or an event is gone that no event of expiry names.</exception>
    public async Task<ProvenSelection?> ProveAsync(TenantTransaction transaction, IReadOnlyCollection<Guid> ids, Guid anchor, Func<VerifierKey, bool, string>? policy, CancellationToken cancel)
    {
        var wanted = ids.Append(anchor).Distinct().ToArray();
        var indexes = await LedgerReader.IndexesAsync(transaction, wanted, cancel);
        if (indexes.Count < wanted.Length) return null;
        await using var command = transaction.Command($"SELECT {StoredEvent.Columns} FROM ledger.every_event WHERE tenant_id = $1 AND id = ANY($2)", transaction.Tenant, wanted);
        var rows = await StoredEvent.ReadAllAsync(command, cancel);
        if (rows.Count == 0 || await evidence.OfEventAsync(transaction, rows.MaxBy(row => indexes[row.Id])!.Id, policy, cancel) is not { } newest) return null;
        var (note, head, key) = (newest.Proof.Note, newest.Head, newest.Key);
        if (indexes.Values.Any(index => index >= head.Size)) return null;

        var tiles = new Dictionary<TileAddress, byte[]>();
        var events = new List<CaseProof>();
        foreach (var row in rows.Where(row => ids.Contains(row.Id)))
        {
            if (await row.TryOpenAsync(keys, transaction.Tenant, cancel) is not { } body) return null;
            events.Add(await ProofAsync(indexes[row.Id], body));
        }
        var gone = ids.Except(rows.Select(row => row.Id)).Select(id => indexes[id]).Order().ToArray();
        var (expired, expiries) = (new List<(long, long)>(), new Dictionary<long, CaseProof>());
        if (gone.Length > 0)
        {
            var naming = await NamingAsync(transaction, head.Size, cancel);
            foreach (var index in gone)
            {
                var (by, opened) = naming.FirstOrDefault(each => each.Ranges.Any(range => range.First <= index && index <= range.Last)) is { Body.Plain: not null } found
                    ? (found.Index, found.Body) : throw new InvalidDataException($"Event {index} is gone, and no event of expiry names it.");
                expired.Add((index, by));
                if (!expiries.ContainsKey(by)) expiries[by] = await ProofAsync(by, opened);
            }
        }
        return new(note, head, await keys.Signer(transaction.Tenant, LogKeys.Origin(installation, transaction.Tenant), cancel), newest.Policy, events, expired, [.. expiries.Values]);

        async Task<CaseProof> ProofAsync(long index, OpenedBody body)
        {
            var nodes = await TileNodes.ReadAsync(index, head.Size, async (level, at, width, token) =>
            {
                var address = new TileAddress(level, at, width);
                if (tiles.TryGetValue(address, out var known)) return known;
                return tiles[address] = await LedgerEvidence.TileAsync(transaction, address, head.Size, token) ?? throw new InvalidDataException($"{address} is missing.");
            }, cancel);
            var proof = new TlogProof(index, nodes.InclusionProof(index), note, body.Salt);
            if (!proof.Shows(Merkle.LeafHash(Entry.Bytes(body.Salt.Span, body.Line.Span)), key)) throw new InvalidDataException("The event does not lead to the signed root: the log was changed.");
            return new(index, body.Salt, body.Line, proof.Hashes);
        }
    }

    /// <summary>Proofs under the checkpoint that <see cref="LedgerEvidence.OfEventAsync"/> chooses for that event, which is kept from now on; null when there is none for it.</summary>
    /// <param name="transaction">Of the clinic.</param>
    /// <param name="anchor">The newest of the events that are to be proved.</param>
    /// <param name="policy">As for one event.</param>
    /// <param name="cancel">Cancels.</param>
    /// <exception cref="InvalidDataException">The stored log is not what was signed.</exception>
    public async Task<EntryProofs?> BeginAsync(TenantTransaction transaction, Guid anchor, Func<VerifierKey, bool, string>? policy, CancellationToken cancel) =>
        await evidence.OfEventAsync(transaction, anchor, policy, cancel) is { } proven
            ? new(transaction, keys, proven, await keys.Signer(transaction.Tenant, LogKeys.Origin(installation, transaction.Tenant), cancel)) : null;

    // Every event of expiry under the checkpoint, and what it names.
    private async Task<List<(long Index, OpenedBody Body, IReadOnlyList<IndexRange> Ranges)>> NamingAsync(TenantTransaction transaction, long size, CancellationToken cancel)
    {
        await using var command = transaction.Command($"SELECT {StoredEvent.Columns} FROM ledger.every_event WHERE tenant_id = $1 AND action = $2 ORDER BY id", transaction.Tenant, EventJson.ExpiredAction);
        var rows = await StoredEvent.ReadAllAsync(command, cancel);
        var indexes = await LedgerReader.IndexesAsync(transaction, [.. rows.Select(row => row.Id)], cancel);
        var naming = new List<(long, OpenedBody, IReadOnlyList<IndexRange>)>();
        foreach (var row in rows)
            if (indexes.TryGetValue(row.Id, out var index) && index < size && await row.TryOpenAsync(keys, transaction.Tenant, cancel) is { } body)
                naming.Add((index, body, EventJson.Read(body.Line).Expired));
        return naming;
    }
}
