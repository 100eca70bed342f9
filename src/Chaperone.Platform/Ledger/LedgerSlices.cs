using Chaperone.Ledger;
using Chaperone.Platform.Postgres;

namespace Chaperone.Platform.Ledger;

/// <summary>What there is at an index of the log.</summary>
public enum SliceState
{
    /// <summary>The event as it was written: its bytes lead to the signed root.</summary>
    Verified,

    /// <summary>Its body ended with its term, as an event of expiry says.</summary>
    Expired,

    /// <summary>There is a body, and it does not open or is not the one that stands in the log.</summary>
    Altered,

    /// <summary>There is no body, and no event of expiry names it.</summary>
    Missing,
}

/// <summary>One index of the log.</summary>
/// <param name="Index">Which.</param>
/// <param name="Id">The event's id; for what is not <see cref="SliceState.Verified"/> nothing vouches for it.</param>
/// <param name="State">What there is.</param>
/// <param name="Line">The event's bytes; empty for what is not verified.</param>
/// <param name="Event">The same, read; null for what is not verified.</param>
public sealed record SliceEvent(long Index, Guid Id, SliceState State, ReadOnlyMemory<byte> Line, LedgerEvent? Event)
{
    /// <summary>When it happened; for what is not verified what its id says, to the millisecond.</summary>
    public DateTimeOffset At => Event?.At ?? LogVerification.TimeOf(Id);
}

/// <summary>A run of indexes as they stand under a signed checkpoint.</summary>
/// <param name="Origin">The log's name.</param>
/// <param name="Size">Entries under the checkpoint.</param>
/// <param name="Events">In order of index, without a gap.</param>
public sealed record LogSlice(string Origin, long Size, IReadOnlyList<SliceEvent> Events);

/// <summary>Reads a clinic's log by index, for passing it on: nothing that is not under a signed checkpoint, and every body held against the tree that was signed.</summary>
public sealed class LedgerSlices(LogKeys keys, LedgerEvidence evidence)
{
    private static readonly TimeSpan ShortestTerm = TimeSpan.FromDays(30);

    /// <summary>How many entries the newest checkpoint stands for; 0 while nothing is signed.</summary>
    public static async Task<long> SizeAsync(TenantTransaction transaction, CancellationToken cancel)
    {
        await using var command = transaction.Command("SELECT coalesce(max(size), 0) FROM ledger.checkpoint WHERE tenant_id = $1", transaction.Tenant);
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>When the event at an index happened, to the millisecond; null where there is none.</summary>
    public static async Task<DateTimeOffset?> TimeAsync(TenantTransaction transaction, long index, CancellationToken cancel)
    {
        await using var command = transaction.Command("SELECT event_ids[$3] FROM ledger.position WHERE tenant_id = $1 AND n = $2", transaction.Tenant, index / Tiles.Width, (int)(index % Tiles.Width) + 1);
        return await command.ExecuteScalarAsync(cancel) is Guid id ? LogVerification.TimeOf(id) : null;
    }

    /// <summary>The events from an index on, to the end of its tile at most (256 indexes); null when nothing signed is there.</summary>
    /// <exception cref="InvalidDataException">The stored tree is not what was signed: nothing of it is to be passed on.</exception>
    public async Task<LogSlice?> ReadAsync(TenantTransaction transaction, long from, long end, CancellationToken cancel)
    {
        if (await LedgerEvidence.NewestAsync(transaction, cancel) is not { } note) return null;
        var key = await evidence.KeyAsync(transaction.Tenant, cancel);
        var head = LedgerEvidence.Open(note, key);
        end = Math.Min(Math.Min(end, head.Size), (from / Tiles.Width * Tiles.Width) + Tiles.Width);
        if (from >= end) return null;
        // One proof does for the tile: every leaf of it goes into the hashes beside the path.
        var nodes = await LedgerEvidence.NodesAsync(transaction, from, head.Size, cancel);
        if (!new TlogProof(from, nodes.InclusionProof(from), note).Shows(nodes.Node(0, from), key)) throw new InvalidDataException("The stored tree does not lead to the signed root: the log was changed.");
        var (ids, _) = await LedgerBundle.ChunkAsync(transaction, from / Tiles.Width, cancel);
        var wanted = ids[(int)(from % Tiles.Width)..(int)(((end - 1) % Tiles.Width) + 1)];
        await using var command = transaction.Command($"SELECT {StoredEvent.Columns} FROM ledger.every_event WHERE tenant_id = $1 AND id = ANY($2)", transaction.Tenant, wanted);
        var rows = (await StoredEvent.ReadAllAsync(command, cancel)).ToLookup(row => row.Id);
        var events = new List<SliceEvent>(wanted.Length);
        IReadOnlyList<(IndexRange Range, DateTimeOffset At)>? expired = null;
        for (var i = 0; i < wanted.Length; i++)
        {
            var index = from + i;
            if (rows[wanted[i]].FirstOrDefault() is { } row) events.Add(await CheckAsync(row, transaction.Tenant, index, nodes.Node(0, index), cancel));
            else
            {
                expired ??= await ExpiredAsync(transaction, cancel);
                var named = expired.Any(each => each.Range.First <= index && index <= each.Range.Last && each.At - LogVerification.TimeOf(wanted[i]) >= ShortestTerm);
                events.Add(new(index, wanted[i], named ? SliceState.Expired : SliceState.Missing, default, null));
            }
        }
        return new(head.Origin, head.Size, events);
    }

    private async ValueTask<SliceEvent> CheckAsync(StoredEvent row, Guid tenant, long index, Hash256 leaf, CancellationToken cancel)
    {
        var altered = new SliceEvent(index, row.Id, SliceState.Altered, default, null);
        if (await row.TryOpenAsync(keys, tenant, cancel) is not { } body || Merkle.LeafHash(Entry.Bytes(body.Salt.Span, body.Line.Span)) != leaf) return altered;
        try
        {
            return new(index, row.Id, SliceState.Verified, body.Line, EventJson.Read(body.Line));
        }
        catch (FormatException)
        {
            return altered;
        }
    }

    private async Task<IReadOnlyList<(IndexRange Range, DateTimeOffset At)>> ExpiredAsync(TenantTransaction transaction, CancellationToken cancel)
    {
        await using var command = transaction.Command($"SELECT {StoredEvent.Columns} FROM ledger.every_event WHERE tenant_id = $1 AND action = $2", transaction.Tenant, EventJson.ExpiredAction);
        var ranges = new List<(IndexRange, DateTimeOffset)>();
        foreach (var row in await StoredEvent.ReadAllAsync(command, cancel))
            if (await row.TryOpenAsync(keys, transaction.Tenant, cancel) is { } body && EventJson.Read(body.Line) is var said) ranges.AddRange(said.Expired.Select(range => (range, said.At)));
        return ranges;
    }
}
