using Chaperone.Ledger;
using Chaperone.Platform.Postgres;

namespace Chaperone.Platform.Ledger;

/// <summary>An event's entry with the proof that it stands in the log, and what it was made of.</summary>
/// <param name="Entry">Its 33 bytes; they tell nothing of the event.</param>
/// <param name="Hashes">The inclusion proof.</param>
/// <param name="Salt">Without it nobody guesses the event from the entry.</param>
/// <param name="Line">The event's bytes as written.</param>
public sealed record ProvenEntry(ReadOnlyMemory<byte> Entry, IReadOnlyList<Hash256> Hashes, ReadOnlyMemory<byte> Salt, ReadOnlyMemory<byte> Line);

/// <summary>Proves event after event under one checkpoint, for files that hold many. Made by <see cref="LedgerSelection.BeginAsync"/>, and of use as long as its transaction.</summary>
public sealed class EntryProofs
{
    private readonly TenantTransaction transaction;
    private readonly LogKeys keys;
    private readonly Dictionary<TileAddress, byte[]> upper = [];    // those above the entries: few, however large the log

    internal EntryProofs(TenantTransaction transaction, LogKeys keys, ProvenEvent anchor, NoteSigner signer) =>
        (this.transaction, this.keys, Note, Head, Policy, Signer) = (transaction, keys, anchor.Proof.Note, anchor.Head, anchor.Policy, signer);

    /// <summary>The checkpoint, with its cosignatures.</summary>
    public SignedNote Note { get; }

    /// <summary>What it says.</summary>
    public Checkpoint Head { get; }

    /// <summary>The tlog-policy, or null for a log without witnesses.</summary>
    public string? Policy { get; }

    /// <summary>The log's key.</summary>
    public NoteSigner Signer { get; }

    /// <summary>Those of these events that the checkpoint covers and whose bodies open; at most a thousand at once.</summary>
    /// <exception cref="InvalidDataException">The stored log is not what was signed.</exception>
    public async Task<IReadOnlyDictionary<Guid, ProvenEntry>> OfAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancel)
    {
        var wanted = ids.ToArray();
        var indexes = await LedgerReader.IndexesAsync(transaction, wanted, cancel);
        await using var command = transaction.Command($"SELECT {StoredEvent.Columns} FROM ledger.every_event WHERE tenant_id = $1 AND id = ANY($2)", transaction.Tenant, wanted);
        var rows = await StoredEvent.ReadAllAsync(command, cancel);
        var (proven, below) = (new Dictionary<Guid, ProvenEntry>(), new Dictionary<TileAddress, byte[]>());
        foreach (var row in rows)
        {
            if (!indexes.TryGetValue(row.Id, out var index) || index >= Head.Size || await row.TryOpenAsync(keys, transaction.Tenant, cancel) is not { } body) continue;
            var nodes = await TileNodes.ReadAsync(index, Head.Size, async (level, at, width, token) =>
            {
                var (address, known) = (new TileAddress(level, at, width), level > 0 ? upper : below);
                if (!known.TryGetValue(address, out var tile)) known[address] = tile = await LedgerEvidence.TileAsync(transaction, address, Head.Size, token) ?? throw new InvalidDataException($"{address} is missing.");
                return tile;
            }, cancel);
            var entry = Entry.Bytes(body.Salt.Span, body.Line.Span);
            var hashes = nodes.InclusionProof(index);
            if (!Merkle.VerifyInclusion(Merkle.LeafHash(entry), index, Head.Size, hashes, Head.Root)) throw new InvalidDataException("The event does not lead to the signed root: the log was changed.");
            proven[row.Id] = new(entry, hashes, body.Salt, body.Line);
        }
        return proven;
    }
}
