using Chaperone.Encryption;
using Chaperone.Ledger;
using Npgsql;

namespace Chaperone.Platform.Ledger;

/// <summary>A row of <c>ledger.event</c>. Its clear columns are for finding; what happened stands in the body.</summary>
internal sealed record StoredEvent(
    Guid Id, DateOnly ExpiresOn, string Action, string Severity, string Outcome, Guid? Actor, string? EntityType, Guid? EntityId, byte[]? IpIndex, byte[] Body)
{
    public const string Columns = "id, expires_on, action, severity, outcome, actor_id, entity_type, entity_id, ip_index, body";

    public static StoredEvent Read(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetFieldValue<DateOnly>(1), row.GetString(2), row.GetString(3), row.GetString(4), row.IsDBNull(5) ? null : row.GetGuid(5),
        row.IsDBNull(6) ? null : row.GetString(6), row.IsDBNull(7) ? null : row.GetGuid(7), row.IsDBNull(8) ? null : row.GetFieldValue<byte[]>(8), row.GetFieldValue<byte[]>(9));

    public static async Task<List<StoredEvent>> ReadAllAsync(NpgsqlCommand command, CancellationToken cancel)
    {
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var rows = new List<StoredEvent>();
        while (await reader.ReadAsync(cancel)) rows.Add(Read(reader));
        return rows;
    }

    /// <summary>Opens the body.</summary>
    /// <exception cref="SealBrokenException">It does not open: altered, moved, or its key is gone.</exception>
    public async ValueTask<OpenedBody> OpenAsync(LogKeys keys, Guid tenant, CancellationToken cancel)
    {
        var key = await keys.Audit(tenant, LogKeys.MonthOf(ExpiresOn), cancel);
        var plain = SealedPayload.Open(Body, key, LogKeys.Context(tenant, Id));
        if (plain.Length <= Entry.SaltSize) throw new SealBrokenException($"The body of event {Id} is too short.");
        return new(plain);
    }

    /// <summary>Opens the body; null when it does not open.</summary>
    public async ValueTask<OpenedBody?> TryOpenAsync(LogKeys keys, Guid tenant, CancellationToken cancel)
    {
        try
        {
            return await OpenAsync(keys, tenant, cancel);
        }
        catch (SealBrokenException)
        {
            return null;
        }
    }

    /// <summary>What the clear columns say of the event, for one whose body does not open.</summary>
    public LedgerEvent ClearPart() => new()
    {
        Id = Id,
        At = LogVerification.TimeOf(Id),
        Action = Action,
        Category = EventCatalogue.Knows(Action) ? EventCatalogue.Find(Action).Category : EventCategory.Security,
        Severity = Enum.GetValues<EventSeverity>().FirstOrDefault(known => EventJson.Name(known) == Severity, EventSeverity.Critical),
        Outcome = Enum.GetValues<EventOutcome>().FirstOrDefault(known => EventJson.Name(known) == Outcome, EventOutcome.Failure),
        Actor = new(Actor is null ? ActorKind.Anonymous : ActorKind.User, Actor),
        Entity = EntityType is { } type && EntityId is { } id ? new(type, id) : null,
        Source = new(""),
        Decision = "",
    };

    /// <summary>The columns by which the row lies about the event, or null. <paramref name="ipIndex"/> is the blind index of the event's address.</summary>
    public string? DiffersFrom(LedgerEvent value, byte[]? ipIndex)
    {
        var wrong = new List<string>();
        if (Id != value.Id) wrong.Add("id");
        if (Action != value.Action) wrong.Add("action");
        if (Severity != EventJson.Name(value.Severity)) wrong.Add("severity");
        if (Outcome != EventJson.Name(value.Outcome)) wrong.Add("outcome");
        if (Actor != value.Actor.Id) wrong.Add("actor_id");
        if (EntityType != value.Entity?.Type) wrong.Add("entity_type");
        if (EntityId != value.Entity?.Id) wrong.Add("entity_id");
        if (!(IpIndex ?? []).AsSpan().SequenceEqual(ipIndex ?? [])) wrong.Add("ip_index");
        // A term may have been longer when it was written, never shorter.
        if (EventCatalogue.Knows(value.Action) && ExpiresOn < EventCatalogue.Find(value.Action).ExpiresOn(value.At)) wrong.Add("expires_on");
        return wrong.Count == 0 ? null : string.Join(", ", wrong);
    }
}

/// <summary>Salt and line of an event as they were sealed.</summary>
internal readonly record struct OpenedBody(byte[] Plain)
{
    public ReadOnlyMemory<byte> Salt => Plain.AsMemory(0, Entry.SaltSize);

    public ReadOnlyMemory<byte> Line => Plain.AsMemory(Entry.SaltSize);
}
