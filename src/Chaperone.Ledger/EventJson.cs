using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Chaperone.Ledger;

/// <summary>The event's bytes: one line of UTF-8 JSON, without LF, members in the order of the format's description.</summary>
public static partial class EventJson
{
    /// <summary>The action whose event names the indexes of bodies that ended.</summary>
    public const string ExpiredAction = "ledger.expired";

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    // Relaxed: the line is never put into a page as it is, and non-ASCII needs no escapes. LF and CR are always escaped, so a line stays a line.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    [ThreadStatic] private static ArrayBufferWriter<byte>? buffer;
    [ThreadStatic] private static Utf8JsonWriter? writer;

    /// <summary>Writes the event. Written once: what is kept, hashed and exported are these bytes, not a later writing of the same event.</summary>
    public static byte[] Write(LedgerEvent value)
    {
        buffer ??= new(1024);
        writer ??= new(buffer, Options);
        buffer.ResetWrittenCount();
        writer.Reset(buffer);
        Write(writer, value);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The category as the event's line has it.</summary>
    public static string Name(EventCategory category) => category switch
    {
        EventCategory.Authentication => "authentication",
        EventCategory.DataAccess => "data_access",
        EventCategory.DataChange => "data_change",
        EventCategory.Administration => "administration",
        EventCategory.Payment => "payment",
        EventCategory.Security => "security",
        EventCategory.System => "system",
        _ => throw new ArgumentOutOfRangeException(nameof(category)),
    };

    /// <summary>The severity as the event's line has it.</summary>
    public static string Name(EventSeverity severity) => severity switch
    {
        EventSeverity.Info => "info",
        EventSeverity.Warning => "warning",
        EventSeverity.Critical => "critical",
        _ => throw new ArgumentOutOfRangeException(nameof(severity)),
    };

    /// <summary>The outcome as the event's line has it.</summary>
    public static string Name(EventOutcome outcome) => outcome switch
    {
        EventOutcome.Success => "success",
        EventOutcome.Failure => "failure",
        EventOutcome.Denied => "denied",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
    };

    /// <summary>The kind of actor as the event's line has it.</summary>
    public static string Name(ActorKind kind) => kind switch
    {
        ActorKind.User => "user",
        ActorKind.System => "system",
        ActorKind.Operator => "operator",
        ActorKind.Anonymous => "anonymous",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static void Write(Utf8JsonWriter json, LedgerEvent value)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, value.Id);
        json.WriteString("at"u8, value.At.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture));
        json.WriteString("action"u8, value.Action);
        json.WriteString("category"u8, Name(value.Category));
        json.WriteString("severity"u8, Name(value.Severity));
        json.WriteString("outcome"u8, Name(value.Outcome));
        json.WriteStartObject("actor"u8);
        json.WriteString("kind"u8, Name(value.Actor.Kind));
        if (value.Actor.Id is { } actor) json.WriteString("id"u8, actor);
        Optional(json, "role"u8, value.Actor.Role);
        if (value.Actor.Session is { } session) json.WriteString("session"u8, session);
        json.WriteEndObject();
        if (value.Entity is { } entity)
        {
            json.WriteStartObject("entity"u8);
            json.WriteString("type"u8, entity.Type);
            json.WriteString("id"u8, entity.Id);
            json.WriteEndObject();
        }
        if (value.Subjects.Count > 0)
        {
            json.WriteStartArray("subjects"u8);
            foreach (var subject in value.Subjects) json.WriteStringValue(subject);
            json.WriteEndArray();
        }
        json.WriteStartObject("source"u8);
        json.WriteString("channel"u8, value.Source.Channel);
        Optional(json, "route"u8, value.Source.Route);
        Optional(json, "ip"u8, value.Source.Ip);
        Optional(json, "client"u8, value.Source.Client);
        json.WriteEndObject();
        json.WriteString("decision"u8, value.Decision);
        Optional(json, "reason"u8, value.Reason);
        WriteChanges(json, value.Changes);
        WriteRecords(json, value.Records);
        WriteFacts(json, value);
        json.WriteEndObject();
    }

    private static void WriteChanges(Utf8JsonWriter json, IReadOnlyList<FieldChange> changes)
    {
        if (changes.Count == 0) return;
        json.WriteStartArray("changes"u8);
        foreach (var change in changes)
        {
            json.WriteStartObject();
            json.WriteString("field"u8, change.Field);
            Optional(json, "change"u8, change.Change);
            Optional(json, "before"u8, change.Before);
            Optional(json, "after"u8, change.After);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteRecords(Utf8JsonWriter json, IReadOnlyList<EventRecord> records)
    {
        if (records.Count == 0) return;
        json.WriteStartArray("records"u8);
        foreach (var record in records)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, record.Type);
            json.WriteString("id"u8, record.Id);
            json.WriteNumber("version"u8, record.Version);
            if (record.Digest is { } digest) json.WriteString("digest"u8, digest.ToString());
            else json.WriteBoolean("deleted"u8, true);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteFacts(Utf8JsonWriter json, LedgerEvent value)
    {
        if (value.Hits is { } hits) json.WriteNumber("hits"u8, hits);
        if (value.Fields.Count > 0)
        {
            json.WriteStartArray("fields"u8);
            foreach (var field in value.Fields) json.WriteStringValue(field);
            json.WriteEndArray();
        }
        if (value.Details.Count > 0)
        {
            json.WriteStartObject("details"u8);
            foreach (var (name, fact) in value.Details)
            {
                if (fact.Code is { } code) json.WriteString(name, code);
                else json.WriteNumber(name, fact.Number ?? 0);
            }
            json.WriteEndObject();
        }
        Optional(json, "typed"u8, value.Typed);
        if (value.Expired.Count == 0) return;
        json.WriteStartArray("expired"u8);
        foreach (var range in value.Expired)
        {
            json.WriteStartArray();
            json.WriteNumberValue(range.First);
            json.WriteNumberValue(range.Last);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    private static void Optional(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null) json.WriteString(name, value);
    }
}
