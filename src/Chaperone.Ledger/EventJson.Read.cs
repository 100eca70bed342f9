using System.Globalization;
using System.Text.Json;

namespace Chaperone.Ledger;

public static partial class EventJson
{
    /// <summary>Reads an event's line. Members it does not know are passed over, so that older readers can read later events.</summary>
    /// <exception cref="FormatException">Not an event: broken JSON, a missing member, a value of a wrong kind.</exception>
    public static LedgerEvent Read(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return Read(document.RootElement);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or KeyNotFoundException or ArgumentException)
        {
            throw new FormatException("Not an event: " + broken.Message, broken);
        }
    }

    private static LedgerEvent Read(JsonElement json) => new()
    {
        Id = json.GetProperty("id").GetGuid(),
        At = Time(json.GetProperty("at")),
        Action = Text(json.GetProperty("action")),
        Category = Parse<EventCategory>(json.GetProperty("category"), Name),
        Severity = Parse<EventSeverity>(json.GetProperty("severity"), Name),
        Outcome = Parse<EventOutcome>(json.GetProperty("outcome"), Name),
        Actor = ReadActor(json.GetProperty("actor")),
        Entity = json.TryGetProperty("entity", out var entity) ? new(Text(entity.GetProperty("type")), entity.GetProperty("id").GetGuid()) : null,
        Subjects = List(json, "subjects", subject => subject.GetGuid()),
        Source = ReadSource(json.GetProperty("source")),
        Decision = Text(json.GetProperty("decision")),
        Reason = OptionalText(json, "reason"),
        Changes = List(json, "changes", change => new FieldChange(
            Text(change.GetProperty("field")), OptionalText(change, "change"), OptionalText(change, "before"), OptionalText(change, "after"))),
        Records = List(json, "records", ReadRecord),
        Hits = json.TryGetProperty("hits", out var hits) ? hits.GetInt64() : null,
        Fields = List(json, "fields", Text),
        Details = ReadDetails(json),
        Typed = OptionalText(json, "typed"),
        Expired = List(json, "expired", ReadRange),
    };

    private static EventActor ReadActor(JsonElement actor) =>
        new(Parse<ActorKind>(actor.GetProperty("kind"), Name), OptionalGuid(actor, "id"), OptionalText(actor, "role"), OptionalGuid(actor, "session"));

    private static EventSource ReadSource(JsonElement source) =>
        new(Text(source.GetProperty("channel")), OptionalText(source, "route"), OptionalText(source, "ip"), OptionalText(source, "client"));

    private static EventRecord ReadRecord(JsonElement record)
    {
        Hash256? digest = null;
        if (record.TryGetProperty("digest", out var hex))
            digest = Hash256.TryParseHex(Text(hex), out var hash) ? hash : throw new FormatException("Not an event: a digest is 64 hexadecimal digits.");
        else if (!record.GetProperty("deleted").GetBoolean())
            throw new FormatException("Not an event: a record has a digest or is deleted.");
        return new(Text(record.GetProperty("type")), record.GetProperty("id").GetGuid(), record.GetProperty("version").GetInt64(), digest);
    }

    private static Dictionary<string, EventFact> ReadDetails(JsonElement json)
    {
        var details = new Dictionary<string, EventFact>(StringComparer.Ordinal);
        if (!json.TryGetProperty("details", out var facts)) return details;
        foreach (var fact in facts.EnumerateObject())
            details[fact.Name] = fact.Value.ValueKind == JsonValueKind.Number ? new(fact.Value.GetInt64()) : new EventFact(Text(fact.Value));
        return details;
    }

    private static IndexRange ReadRange(JsonElement range)
    {
        if (range.GetArrayLength() != 2) throw new FormatException("Not an event: a range has two ends.");
        var (first, last) = (range[0].GetInt64(), range[1].GetInt64());
        if (first < 0 || last < first) throw new FormatException("Not an event: a range ends before it begins.");
        return new(first, last);
    }

    private static T[] List<T>(JsonElement json, string name, Func<JsonElement, T> read) =>
        json.TryGetProperty(name, out var list) ? [.. list.EnumerateArray().Select(read)] : [];

    private static DateTimeOffset Time(JsonElement value) =>
        DateTimeOffset.TryParseExact(Text(value), TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time : throw new FormatException("Not an event: a time has microseconds and Z.");

    private static string Text(JsonElement value) => value.GetString() ?? throw new FormatException("Not an event: text expected.");

    private static string? OptionalText(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? Text(value) : null;

    private static Guid? OptionalGuid(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetGuid() : null;

    private static T Parse<T>(JsonElement value, Func<T, string> name) where T : struct, Enum
    {
        var text = Text(value);
        foreach (var candidate in Enum.GetValues<T>()) if (name(candidate) == text) return candidate;
        throw new FormatException($"Not an event: unknown {typeof(T).Name} '{(text.Length > 40 ? "…" : text)}'.");
    }
}
