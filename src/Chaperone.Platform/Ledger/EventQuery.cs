using System.Globalization;
using Chaperone.Ledger;
using Chaperone.Platform.Postgres;
using Npgsql;

namespace Chaperone.Platform.Ledger;

/// <summary>A filter as SQL. Every filter has an index that ends in the event's id, so events are read along it from where a page ended.</summary>
internal sealed class EventQuery
{
    private const int MostJoined = 2000;
    private readonly NpgsqlCommand command;
    private readonly EventFilter filter;
    private readonly List<string> conditions = [];
    private readonly string? person, actions;
    private readonly string lead, bounds;

    private EventQuery(TenantTransaction transaction, EventFilter filter, Guid? before, Guid? after, int limit)
    {
        command = transaction.Command("", transaction.Tenant, limit);
        this.filter = filter;
        // The most telling first: what leads is what candidates are counted by.
        if (filter.Subject is { } subject) person = Parameter(subject);
        if (filter.Entity is { } entity) conditions.Add("e.entity_id = " + Parameter(entity));
        if (filter.IpIndex is { } ip) conditions.Add("e.ip_index = " + Parameter(ip));
        // The partial indexes are found by their own condition only.
        if (filter.Severity is { } severity) conditions.Add($"e.severity = {Parameter(EventJson.Name(severity))}{(severity == EventSeverity.Info ? "" : " AND e.severity <> 'info'")}");
        if (filter.Outcome is { } outcome) conditions.Add($"e.outcome = {Parameter(EventJson.Name(outcome))}{(outcome == EventOutcome.Success ? "" : " AND e.outcome <> 'success'")}");
        if (filter.Actor is { } actor) conditions.Add("e.actor_id = " + Parameter(actor));
        if (filter.Actions is { } any)
        {
            actions = Parameter(any.ToArray());
            if (!AsksByAction) conditions.Add($"e.action = ANY({actions})");
        }
        if (filter.NotActor is { } other) conditions.Add("e.actor_id IS DISTINCT FROM " + Parameter(other));
        if (filter.NotEntities is { Count: > 0 } besides) conditions.Add($"(e.entity_id IS NULL OR e.entity_id <> ALL({Parameter(besides.ToArray())}))");
        var narrowed = new List<string>();
        if (before is { } older) narrowed.Add("{id} < " + Parameter(older));
        if (after is { } newer) narrowed.Add("{id} > " + Parameter(newer));
        if (filter.From is { } from) narrowed.Add("{id} >= " + Parameter(LedgerReader.FirstId(from)));
        if (filter.To is { } to) narrowed.Add("{id} < " + Parameter(LedgerReader.FirstId(to)));
        bounds = string.Concat(narrowed.Select(bound => " AND " + bound));
        lead = conditions.Count > 0 && person is null && !AsksByAction ? conditions[0] : "true";
    }

    /// <summary>At most <paramref name="limit"/> events, newest first, or with <paramref name="after"/> oldest first from there.</summary>
    public static NpgsqlCommand Page(TenantTransaction transaction, EventFilter filter, Guid? before, Guid? after, int limit, string columns)
    {
        var query = new EventQuery(transaction, filter, before, after, limit);
        query.command.CommandText = query.Select(columns, query.conditions, after is null ? "DESC" : "ASC", merged: true);
        return query.command;
    }

    /// <summary>How many of the newest candidates there are, and how many of them the whole filter lets through. Candidates are what the leading filter's index gives; at most so many, and one more, are looked at.</summary>
    public static (NpgsqlCommand Command, int Looked) Count(TenantTransaction transaction, EventFilter filter, int most)
    {
        // What stands beside a person is in another table than the person: each costs a look there.
        var limit = filter.Subject is not null && filter != new EventFilter { Subject = filter.Subject, From = filter.From, To = filter.To } ? Math.Min(most, MostJoined) : most;
        var query = new EventQuery(transaction, filter, null, null, limit + 1);
        var rest = query.conditions.Where(condition => condition != query.lead).ToList();
        var columns = rest.Count == 0 ? "e.id" : "e.id, e.action, e.severity, e.outcome, e.actor_id, e.entity_id, e.ip_index";
        var candidates = query.person is not null && rest.Count == 0
            ? $"SELECT s.event_id FROM ledger.every_event_subject s WHERE s.tenant_id = $1 AND s.subject_id = {query.person}{query.Bounds("s.event_id")} ORDER BY s.event_id DESC LIMIT $2"
            : query.Select(columns, query.lead == "true" ? [] : [query.lead], "DESC", merged: false);
        query.command.CommandText = $"SELECT count(*), count(*) FILTER (WHERE {(rest.Count == 0 ? "true" : string.Join(" AND ", rest))}) FROM ({candidates}) e";
        return (query.command, limit);
    }

    /// <summary>How many events of each action there are since a time, counting each no further than <paramref name="most"/>.</summary>
    public static NpgsqlCommand CountEach(TenantTransaction transaction, IReadOnlyCollection<string> actions, DateTimeOffset from, int most) => transaction.Command(
        """
        SELECT wanted.action, (SELECT count(*) FROM (SELECT 1 FROM ledger.every_event e WHERE e.tenant_id = $1 AND e.action = wanted.action AND e.id >= $2 LIMIT $3) counted)
        FROM unnest($4::text[]) AS wanted (action)
        """, transaction.Tenant, LedgerReader.FirstId(from), most, actions.ToArray());

    // Actions are asked one by one and merged: the planner, given a list, would rather read the whole log backwards.
    private bool AsksByAction => filter is { Actions: not null, Subject: null, Actor: null, Entity: null, IpIndex: null };

    private string Select(string columns, IReadOnlyCollection<string> where, string order, bool merged)
    {
        var and = string.Concat(where.Select(condition => " AND " + condition));
        if (person is not null)
        {
            return $"""
                SELECT {columns} FROM ledger.every_event_subject s JOIN ledger.every_event e ON e.tenant_id = s.tenant_id AND e.id = s.event_id AND e.expires_on = s.expires_on
                WHERE s.tenant_id = $1 AND s.subject_id = {person} AND e.tenant_id = $1{and}{Bounds("s.event_id")} ORDER BY s.event_id {order} LIMIT $2
                """;
        }
        if (AsksByAction)
        {
            return $"""
                SELECT e.* FROM unnest({actions}::text[]) AS wanted (action)
                CROSS JOIN LATERAL (SELECT {columns} FROM ledger.every_event e WHERE e.tenant_id = $1 AND e.action = wanted.action{and}{Bounds("e.id")} ORDER BY e.id {order} LIMIT $2) e
                {(merged ? $"ORDER BY e.id {order} " : "")}LIMIT $2
                """;
        }
        return $"SELECT {columns} FROM ledger.every_event e WHERE e.tenant_id = $1{and}{Bounds("e.id")} ORDER BY e.id {order} LIMIT $2";
    }

    private string Bounds(string id) => bounds.Replace("{id}", id, StringComparison.Ordinal);

    private string Parameter(object value)
    {
        command.Parameters.Add(new() { Value = value });
        return "$" + command.Parameters.Count.ToString(CultureInfo.InvariantCulture);
    }
}
