using System.Text;
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

    /// <summary>The client's address, whole.</summary>
    public string? Ip { get; init; }
}

/// <summary>An event as it was written, and its index once it has one.</summary>
/// <param name="Event">The event; of one that cannot be opened, what the row's clear columns say.</param>
/// <param name="Index">Its place in the log, or null.</param>
/// <param name="IsReadable">
/// False when the body does not open: it was changed in the database, or its key is gone. Then only id, time, action, category, severity, outcome, the actor's id and the
/// entity are set, nothing vouches for them, and the rest of <paramref name="Event"/> is empty and must not be shown as if it were so.
/// </param>
public sealed record ReadEvent(LedgerEvent Event, long? Index, bool IsReadable = true);

/// <summary>Some events, newest first, and the cursor with which the next older ones are asked for; null when there are none.</summary>
public sealed record EventPage(IReadOnlyList<ReadEvent> Events, Guid? Next);

/// <summary>Reads a clinic's log for people, in the transaction of whoever asks, under row-level security. Call <see cref="Sequencer.CatchUpAsync"/> first, so that nobody misses their own act.</summary>
/// <remarks>Held events are found like any other. Subjects shown by reading the log are for the caller to register.</remarks>
public sealed class LedgerReader(LogKeys keys)
{
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
        await using var command = await QueryAsync(transaction, filter, before, limit + 1, cancel);
        var rows = await StoredEvent.ReadAllAsync(command, cancel);
        var more = rows.Count > limit;
        if (more) rows.RemoveAt(limit);
        var indexes = await IndexesAsync(transaction, [.. rows.Select(row => row.Id)], cancel);
        var events = new List<ReadEvent>(rows.Count);
        foreach (var row in rows) events.Add(await ReadAsync(row, transaction.Tenant, indexes, cancel));
        return new(events, more ? rows[^1].Id : null);
    }

    /// <summary>The event of that id, or null.</summary>
    public async Task<ReadEvent?> FindAsync(TenantTransaction transaction, Guid id, CancellationToken cancel)
    {
        await using var command = transaction.Command($"SELECT {StoredEvent.Columns} FROM ledger.every_event WHERE tenant_id = $1 AND id = $2", transaction.Tenant, id);
        if ((await StoredEvent.ReadAllAsync(command, cancel)).FirstOrDefault() is not { } row) return null;
        var indexes = await IndexesAsync(transaction, [id], cancel);
        return await ReadAsync(row, transaction.Tenant, indexes, cancel);
    }

    // One event that does not open must not hide the others: it is shown as what it is.
    private async ValueTask<ReadEvent> ReadAsync(StoredEvent row, Guid tenant, Dictionary<Guid, long> indexes, CancellationToken cancel)
    {
        long? place = indexes.TryGetValue(row.Id, out var index) ? index : null;
        return await row.TryOpenAsync(keys, tenant, cancel) is { } body ? new(EventJson.Read(body.Line), place) : new(row.ClearPart(), place, IsReadable: false);
    }

    // Every filter has an index that ends in id, so a page is read backwards from the cursor. Actions are asked one by one and merged: the planner, given a list,
    // would rather read the whole log backwards. Filters beside the one that leads are applied to the rows found.
    private async Task<NpgsqlCommand> QueryAsync(TenantTransaction transaction, EventFilter filter, Guid? before, int limit, CancellationToken cancel)
    {
        var command = transaction.Command("", transaction.Tenant, limit);
        var where = new StringBuilder("e.tenant_id = $1");
        if (filter.Actor is { } actor) Add("e.actor_id = ", actor);
        if (filter.Entity is { } entity) Add("e.entity_id = ", entity);
        if (filter.Outcome is { } outcome) Add("e.outcome = ", EventJson.Name(outcome));
        if (filter.Severity is { } severity) Add("e.severity = ", EventJson.Name(severity));
        if (filter.Outcome is { } and not EventOutcome.Success) where.Append(" AND e.outcome <> 'success'");
        if (filter.Severity is { } and not EventSeverity.Info) where.Append(" AND e.severity <> 'info'");
        if (filter.Ip is { } ip) Add("e.ip_index = ", (await keys.IpIndex(transaction.Tenant, cancel)).Exact(ip));
        var bounds = new StringBuilder();
        if (before is { } cursor) Bound(" < ", cursor);
        if (filter.From is { } from) Bound(" >= ", FirstId(from));
        if (filter.To is { } to) Bound(" < ", FirstId(to));
        var columns = "e." + StoredEvent.Columns.Replace(", ", ", e.", StringComparison.Ordinal);
        var onEvent = bounds.Replace("{id}", "e.id").ToString();
        if (filter.Subject is { } subject)
        {
            if (filter.Actions is { } any) Add("e.action = ANY", any.ToArray(), "({0})");
            command.CommandText =
                $"""
                SELECT {columns} FROM ledger.every_event_subject s JOIN ledger.every_event e ON e.tenant_id = s.tenant_id AND e.id = s.event_id AND e.expires_on = s.expires_on
                WHERE s.tenant_id = $1 AND s.subject_id = ${Parameter(subject)} AND {where}{onEvent.Replace("e.id", "s.event_id", StringComparison.Ordinal)} ORDER BY s.event_id DESC LIMIT $2
                """;
        }
        else if (filter.Actions is { } actions && filter.Actor is null && filter.Entity is null && filter.Ip is null)
        {
            command.CommandText =
                $"""
                SELECT found.* FROM unnest(${Parameter(actions.ToArray())}::text[]) AS wanted (action)
                CROSS JOIN LATERAL (SELECT {columns} FROM ledger.every_event e WHERE e.action = wanted.action AND {where}{onEvent} ORDER BY e.id DESC LIMIT $2) found
                ORDER BY found.id DESC LIMIT $2
                """;
        }
        else
        {
            if (filter.Actions is { } any) Add("e.action = ANY", any.ToArray(), "({0})");
            command.CommandText = $"SELECT {columns} FROM ledger.every_event e WHERE {where}{onEvent} ORDER BY e.id DESC LIMIT $2";
        }
        return command;

        int Parameter(object value)
        {
            command.Parameters.Add(new() { Value = value });
            return command.Parameters.Count;
        }

        void Add(string condition, object value, string form = "{0}") =>
            where.Append(" AND ").Append(condition).Append(form.Replace("{0}", "$" + Parameter(value).ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal));

        void Bound(string comparison, Guid id) =>
            bounds.Append(" AND {id}").Append(comparison).Append('$').Append(Parameter(id).ToString(System.Globalization.CultureInfo.InvariantCulture));
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
