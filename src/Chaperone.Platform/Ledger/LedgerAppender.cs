using System.Security.Cryptography;
using Chaperone.Encryption;
using Chaperone.Ledger;
using Npgsql;
using NpgsqlTypes;

namespace Chaperone.Platform.Ledger;

/// <summary>An event ready to be written: its line sealed, its entry worked out. Written at most once.</summary>
public sealed class PreparedEvent
{
    internal PreparedEvent(Guid tenant, LedgerEvent value, DateOnly expiresOn, byte[]? ipIndex, byte[] body, byte[] entry) =>
        (Tenant, Event, ExpiresOn, IpIndex, Body, Entry) = (tenant, value, expiresOn, ipIndex, body, entry);

    internal Guid Tenant { get; }
    internal LedgerEvent Event { get; }
    internal DateOnly ExpiresOn { get; }
    internal byte[]? IpIndex { get; }
    internal byte[] Body { get; }
    internal byte[] Entry { get; }

    /// <summary>The event's id.</summary>
    public Guid Id => Event.Id;
}

/// <summary>Turns an event into what the database keeps, and into the command that appends it.</summary>
/// <remarks>
/// The command belongs into the transaction whose change the event tells of, as its last but COMMIT: change and event are then durable together or not at all.
/// Events of what changed nothing go through the <see cref="GroupAppender"/>. After the commit the caller wakes the <see cref="Sequencer"/>. The application role can
/// write events in no other way.
/// </remarks>
public sealed class LedgerAppender(LogKeys keys)
{
    private const string Append = "SELECT ledger.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    private const string AppendAll = "SELECT ledger.append_all($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

    /// <summary>Seals salt and line with the audit key of the month in which the event expires.</summary>
    /// <exception cref="KeyNotFoundException">The action is not in the catalogue.</exception>
    /// <exception cref="ArgumentException">The event has another category than its action, or names somebody twice.</exception>
    public async ValueTask<PreparedEvent> PrepareAsync(Guid tenant, LedgerEvent value, CancellationToken cancel)
    {
        var type = EventCatalogue.Find(value.Action);
        if (type.Category != value.Category) throw new ArgumentException($"{value.Action} is of category {type.Category}, not {value.Category}.", nameof(value));
        if (value.Subjects.Count > 1 && value.Subjects.Distinct().Count() != value.Subjects.Count) throw new ArgumentException("An event names each person once.", nameof(value));
        var expiresOn = type.ExpiresOn(value.At);
        var key = await keys.Audit(tenant, LogKeys.MonthOf(expiresOn), cancel);
        var ip = value.Source.Ip is { } address ? (await keys.IpIndex(tenant, cancel)).Exact(address) : null;
        return Seal(tenant, value, expiresOn, ip, key);
    }

    /// <summary>The command that appends the event in the transaction of its clinic.</summary>
    /// <param name="prepared">The event.</param>
    /// <param name="changedRows">How many tracked rows the whole transaction changed, which makes the database refuse (SQLSTATE CH001) when it counted otherwise; null not to ask.</param>
    public static NpgsqlBatchCommand Command(PreparedEvent prepared, long? changedRows)
    {
        var value = prepared.Event;
        return new(Append)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = value.Id },
                new NpgsqlParameter<DateOnly> { TypedValue = prepared.ExpiresOn },
                new NpgsqlParameter<string> { TypedValue = value.Action },
                new NpgsqlParameter<string> { TypedValue = EventJson.Name(value.Severity) },
                new NpgsqlParameter<string> { TypedValue = EventJson.Name(value.Outcome) },
                Nullable(value.Actor.Id, NpgsqlDbType.Uuid),
                Nullable(value.Entity?.Type, NpgsqlDbType.Text),
                Nullable(value.Entity?.Id, NpgsqlDbType.Uuid),
                Nullable(prepared.IpIndex, NpgsqlDbType.Bytea),
                new NpgsqlParameter<byte[]> { TypedValue = prepared.Body },
                new NpgsqlParameter<byte[]> { TypedValue = prepared.Entry },
                new NpgsqlParameter<Guid[]> { TypedValue = [.. value.Subjects] },
                Nullable(changedRows, NpgsqlDbType.Bigint),
            },
        };
    }

    /// <summary>The command that appends events, of any clinics, that changed nothing. It needs no clinic set.</summary>
    public static NpgsqlBatchCommand CommandForAll(IReadOnlyList<PreparedEvent> prepared)
    {
        var people = prepared.SelectMany((each, i) => each.Event.Subjects.Select(subject => (Event: i + 1, Subject: subject))).ToArray();
        return new(AppendAll)
        {
            Parameters =
            {
                Array(prepared, each => each.Tenant),
                Array(prepared, each => each.Id),
                Array(prepared, each => each.ExpiresOn),
                Array(prepared, each => each.Event.Action),
                Array(prepared, each => EventJson.Name(each.Event.Severity)),
                Array(prepared, each => EventJson.Name(each.Event.Outcome)),
                Array(prepared, each => each.Event.Actor.Id),
                Array(prepared, each => each.Event.Entity?.Type),
                Array(prepared, each => each.Event.Entity?.Id),
                Array(prepared, each => each.IpIndex),
                Array(prepared, each => each.Body),
                Array(prepared, each => each.Entry),
                Array(people, each => each.Event),
                Array(people, each => each.Subject),
            },
        };
    }

    private static PreparedEvent Seal(Guid tenant, LedgerEvent value, DateOnly expiresOn, byte[]? ip, DataKey key)
    {
        var line = EventJson.Write(value);
        var plain = new byte[Entry.SaltSize + line.Length];
        RandomNumberGenerator.Fill(plain.AsSpan(0, Entry.SaltSize));
        line.CopyTo(plain, Entry.SaltSize);
        var body = SealedPayload.Seal(plain, key, LogKeys.Context(tenant, value.Id));
        return new(tenant, value, expiresOn, ip, body, Entry.Bytes(plain.AsSpan(0, Entry.SaltSize), line));
    }

    private static NpgsqlParameter<T[]> Array<TItem, T>(IReadOnlyList<TItem> items, Func<TItem, T> value)
    {
        var values = new T[items.Count];
        for (var i = 0; i < values.Length; i++) values[i] = value(items[i]);
        return new() { TypedValue = values };
    }

    private static NpgsqlParameter Nullable(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };
}
