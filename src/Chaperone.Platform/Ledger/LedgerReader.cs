using Chaperone.Ledger;
using Chaperone.Platform.Postgres;
using Npgsql;

namespace Chaperone.Platform.Ledger;

/// <summary>Which events of a clinic are wanted. Everything that is set must hold.</summary>
public sealed record EventFilter
{
    /// <summary>One of these actions; for a category, <see cref="EventCatalogue.ActionsOf"/>. Null for all; an empty list finds nothing.</summary>
    public IReadOnlyList<string>? Actions { get; init; }

    /// <summary>Who acted.</summary>
    public Guid? Actor { get; init; }

    /// <summary>What it was done to.</summary>
    public Guid? Entity { get; init; }

    /// <summary>Whose data was shown or changed.</summary>
    public Guid? Subject { get; init; }

    /// <summary>From this time, included.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>To this time, not included.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>How it ended.</summary>
    public EventOutcome? Outcome { get; init; }

    /// <summary>How much it matters.</summary>
    public EventSeverity? Severity { get; init; }

    /// <summary>From where: the blind index of the client's address (<see cref="LogKeys.IpIndex"/>), so that the address itself travels nowhere.</summary>
    public byte[]? IpIndex { get; init; }

    /// <summary>Anybody but this account; what the system did and what nobody signed in did counts.</summary>
    public Guid? NotActor { get; init; }

    /// <summary>What was done to none of these; null for anything.</summary>
    public IReadOnlyList<Guid>? NotEntities { get; init; }
}

/// <summary>An event as it was written, and its index once it has one.</summary>
/// <param name="Event">The event; of one that cannot be opened, what the row's clear columns say.</param>
/// <param name="Index">Its place in the log, or null.</param>
/// <param name="IsReadable">
/// False when the body does not open: it was changed in the database, or its key is gone. Then only id, time, action, category, severity, outcome, the actor's id and the
/// entity are set, nothing vouches for them, and the rest of <paramref name="Event"/> is empty and must not be shown as if it were so.
/// </param>
public sealed record ReadEvent(LedgerEvent Event, long? Index, bool IsReadable = true)
{
    /// <summary>Blind index of the client's address, in hexadecimal, by which others from there are found; null where there was none.</summary>
    public string? IpToken { get; init; }
}

/// <summary>Some events, newest first, and the cursor with which the next older ones are asked for; null when there are none.</summary>
public sealed record EventPage(IReadOnlyList<ReadEvent> Events, Guid? Next)
{
    /// <summary>The cursor with which the next newer ones are asked for; null on the newest page.</summary>
    public Guid? Previous { get; init; }
}

/// <summary>How many events a filter finds.</summary>
/// <param name="Found">So many at least.</param>
/// <param name="IsExact">Whether there are no more: counting stops after a number of events looked at.</param>
public readonly record struct EventCount(long Found, bool IsExact);

/// <summary>Of an event only what charts need, from its clear columns; nothing vouches for it.</summary>
public readonly record struct EventMark(Guid Id, string Action, string Outcome, Guid? Actor)
{
    /// <summary>When it happened, to the millisecond.</summary>
    public DateTimeOffset At => LogVerification.TimeOf(Id);
}

/// <summary>Reads a clinic's log for people, in the transaction of whoever asks, under row-level security. Call <see cref="Sequencer.CatchUpAsync"/> first, so that nobody misses their own act.</summary>
/// <remarks>Held events are found like any other. Subjects shown by reading the log are for the caller to register.</remarks>
public sealed class LedgerReader(LogKeys keys)
{
    private static readonly string Columns = "e." + StoredEvent.Columns.Replace(", ", ", e.", StringComparison.Ordinal);

    /// <summary>A page of events, newest first.</summary>
    /// <param name="transaction">Of the clinic.</param>
    /// <param name="filter">Which.</param>
    /// <param name="before">The cursor of the page before, or null for the newest.</param>
    /// <param name="limit">1 to 1,000.</param>
    /// <param name="cancel">Cancels.</param>
    public async Task<EventPage> PageAsync(TenantTransaction transaction, EventFilter filter, Guid? before, int limit, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 1000);
        var (rows, more) = await RowsAsync(EventQuery.Page(transaction, filter, before, null, limit + 1, Columns), limit, cancel);
        return new(await ReadAllAsync(transaction, rows, cancel), more ? rows[^1].Id : null) { Previous = before is not null && rows.Count > 0 ? rows[0].Id : null };
    }

    /// <summary>The page of the events next after (newer than) <paramref name="after"/>, newest first as always; what that cursor stands for is the next older.</summary>
    public async Task<EventPage> NewerAsync(TenantTransaction transaction, EventFilter filter, Guid after, int limit, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, 1000);
        var (rows, more) = await RowsAsync(EventQuery.Page(transaction, filter, null, after, limit + 1, Columns), limit, cancel);
        rows.Reverse();
        return new(await ReadAllAsync(transaction, rows, cancel), rows.Count > 0 ? rows[^1].Id : null) { Previous = more ? rows[0].Id : null };
    }

    /// <summary>How many events there are: exact while no more than <paramref name="most"/> had to be looked at.</summary>
    /// <remarks>Where several filters stand together, so many of the leading filter's newest events are looked at, and what is found among them is a lower bound.</remarks>
    public static async Task<EventCount> CountAsync(TenantTransaction transaction, EventFilter filter, int most, CancellationToken cancel)
    {
        var (command, limit) = EventQuery.Count(transaction, filter, most);
        await using var owned = command;
        await using var reader = await command.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        var (looked, found) = (reader.GetInt64(0), reader.GetInt64(1));
        return new(Math.Min(found, limit), looked <= limit);
    }

    /// <summary>How many events of each of these actions there are since <paramref name="from"/>, each counted no further than <paramref name="most"/>. Nothing is opened.</summary>
    public static async Task<IReadOnlyDictionary<string, long>> CountEachAsync(TenantTransaction transaction, IReadOnlyCollection<string> actions, DateTimeOffset from, int most, CancellationToken cancel)
    {
        await using var command = EventQuery.CountEach(transaction, actions, from, most);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancel)) counts[reader.GetString(0)] = reader.GetInt64(1);
        return counts;
    }

    /// <summary>The newest events of a filter, at most <paramref name="most"/>, as charts need them: nothing is opened.</summary>
    public static async Task<IReadOnlyList<EventMark>> MarksAsync(TenantTransaction transaction, EventFilter filter, int most, CancellationToken cancel)
    {
        await using var command = EventQuery.Page(transaction, filter, null, null, most, "e.id, e.action, e.outcome, e.actor_id");
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var marks = new List<EventMark>();
        while (await reader.ReadAsync(cancel)) marks.Add(new(reader.GetGuid(0), reader.GetString(1), reader.GetString(2), await reader.IsDBNullAsync(3, cancel) ? null : reader.GetGuid(3)));
        return marks;
    }

    /// <summary>The event of that id, or null.</summary>
    public async Task<ReadEvent?> FindAsync(TenantTransaction transaction, Guid id, CancellationToken cancel)
    {
        await using var command = transaction.Command($"SELECT {StoredEvent.Columns} FROM ledger.every_event WHERE tenant_id = $1 AND id = $2", transaction.Tenant, id);
        if ((await StoredEvent.ReadAllAsync(command, cancel)).FirstOrDefault() is not { } row) return null;
        var indexes = await IndexesAsync(transaction, [id], cancel);
        return await ReadAsync(row, transaction.Tenant, indexes, cancel);
    }

    /// <summary>Those of these events whose bodies are there, oldest first.</summary>
    public async Task<IReadOnlyList<ReadEvent>> FindAllAsync(TenantTransaction transaction, IReadOnlyCollection<Guid> ids, CancellationToken cancel)
    {
        await using var command = transaction.Command($"SELECT {StoredEvent.Columns} FROM ledger.every_event WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id", transaction.Tenant, ids.ToArray());
        return await ReadAllAsync(transaction, await StoredEvent.ReadAllAsync(command, cancel), cancel);
    }

    private static async Task<(List<StoredEvent> Rows, bool More)> RowsAsync(NpgsqlCommand query, int limit, CancellationToken cancel)
    {
        await using (query)
        {
            var rows = await StoredEvent.ReadAllAsync(query, cancel);
            var more = rows.Count > limit;
            if (more) rows.RemoveAt(limit);
            return (rows, more);
        }
    }

    private async Task<List<ReadEvent>> ReadAllAsync(TenantTransaction transaction, List<StoredEvent> rows, CancellationToken cancel)
    {
        var indexes = await IndexesAsync(transaction, [.. rows.Select(row => row.Id)], cancel);
        var events = new List<ReadEvent>(rows.Count);
        foreach (var row in rows) events.Add(await ReadAsync(row, transaction.Tenant, indexes, cancel));
        return events;
    }

    // One event that does not open must not hide the others: it is shown as what it is.
    private async ValueTask<ReadEvent> ReadAsync(StoredEvent row, Guid tenant, Dictionary<Guid, long> indexes, CancellationToken cancel)
    {
        long? place = indexes.TryGetValue(row.Id, out var index) ? index : null;
        var read = await row.TryOpenAsync(keys, tenant, cancel) is { } body ? new ReadEvent(EventJson.Read(body.Line), place) : new(row.ClearPart(), place, IsReadable: false);
        return row.IpIndex is { } ip ? read with { IpToken = Convert.ToHexStringLower(ip) } : read;
    }

    /// <summary>The indexes of those that have one. Chunks of ids hardly overlap, so the first few from an id on hold it; the rest are looked for everywhere.</summary>
    internal static async Task<Dictionary<Guid, long>> IndexesAsync(TenantTransaction transaction, Guid[] ids, CancellationToken cancel)
    {
        const string Query =
            """
            SELECT wanted.id, p.n * 256 + array_position(p.event_ids, wanted.id) - 1 FROM unnest($2) AS wanted (id)
            CROSS JOIN LATERAL (SELECT n, min_id, event_ids FROM ledger.position WHERE tenant_id = $1 AND max_id >= wanted.id {0}) p
            WHERE p.min_id <= wanted.id AND array_position(p.event_ids, wanted.id) IS NOT NULL
            """;
        var found = new Dictionary<Guid, long>();
        foreach (var some in (string[])["ORDER BY max_id LIMIT 4", "AND min_id <= wanted.id"])
        {
            var left = ids.Where(id => !found.ContainsKey(id)).ToArray();
            if (left.Length == 0) break;
            await using var command = transaction.Command(Query.Replace("{0}", some, StringComparison.Ordinal), transaction.Tenant, left);
            await using var reader = await command.ExecuteReaderAsync(cancel);
            while (await reader.ReadAsync(cancel)) found[reader.GetGuid(0)] = reader.GetInt64(1);
        }
        return found;
    }

    /// <summary>The least UUIDv7 of that millisecond: ids order by time.</summary>
    internal static Guid FirstId(DateTimeOffset time)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes, Math.Max(0, time.ToUnixTimeMilliseconds()) << 16);
        return new(bytes, bigEndian: true);
    }
}
