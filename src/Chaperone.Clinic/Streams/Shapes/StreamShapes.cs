using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Chaperone.Clinic.Streams.Receivers;
using Chaperone.Platform.Ledger;

namespace Chaperone.Clinic.Streams.Shapes;

/// <summary>What the shapes say besides the events.</summary>
/// <param name="Tenant">The clinic.</param>
/// <param name="Host">Its host name.</param>
/// <param name="Origin">The log's name.</param>
/// <param name="Version">The program's.</param>
/// <param name="Patients">Those of the people in the events who are patients.</param>
internal sealed record ShapeContext(Guid Tenant, string Host, string Origin, string Version, IReadOnlySet<Guid> Patients);

/// <summary>The log in the shapes in which it goes out; docs/formats.md describes them.</summary>
internal static class StreamShapes
{
    public const string EventsType = "audit.events", TestType = "audit.test";

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What stands for an event that cannot be passed on.</summary>
    public static string Marker(SliceState state) => state switch { SliceState.Expired => "expired", SliceState.Altered => "altered", _ => "missing" };

    public static string MediaType(string shape) => shape == StreamRow.Fhir ? "application/fhir+json" : "application/json";

    /// <summary>One event as a line of its own, without line's end.</summary>
    public static ReadOnlySpan<byte> Line(string shape, SliceEvent each, ShapeContext context) =>
        shape == StreamRow.Native && each.State == SliceState.Verified ? each.Line.Span : Json(json => One(json, shape, each, context));

    /// <summary>Many as the body of one request.</summary>
    public static byte[] Body(StreamMessage message) => Json(json =>
    {
        json.WriteStartObject();
        if (message.Shape == StreamRow.Fhir)
        {
            json.WriteString("resourceType"u8, "Bundle");
            json.WriteString("type"u8, "batch");
            json.WriteStartArray("entry"u8);
            foreach (var each in message.Events)
            {
                json.WriteStartObject();
                json.WriteString("fullUrl"u8, $"urn:uuid:{each.Id:D}");
                json.WritePropertyName("resource"u8);
                FhirShape.Write(json, each, message.Context);
                json.WriteStartObject("request"u8);
                json.WriteString("method"u8, "PUT");        // under the event's own id: what comes twice is there once
                json.WriteString("url"u8, $"AuditEvent/{each.Id:D}");
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
            return;
        }
        json.WriteString("type"u8, EventsType);
        json.WriteString("timestamp"u8, Time(message.Events[^1].At));
        json.WriteStartObject("data"u8);
        json.WriteString("log"u8, message.Context.Origin);
        json.WriteNumber("from"u8, message.From);
        json.WriteNumber("end"u8, message.End);
        json.WriteString("shape"u8, message.Shape);
        json.WriteStartArray("events"u8);
        foreach (var each in message.Events)
        {
            if (message.Shape == StreamRow.Native && each.State == SliceState.Verified)
            {
                json.WriteStartObject();
                json.WriteNumber("index"u8, each.Index);
                json.WritePropertyName("event"u8);
                json.WriteRawValue(each.Line.Span);
                json.WriteEndObject();
            }
            else
            {
                One(json, message.Shape, each, message.Context);
            }
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    });

    /// <summary>A message that says that it is a test.</summary>
    public static byte[] TestBody(ShapeContext context, DateTimeOffset now) => Json(json =>
    {
        json.WriteStartObject();
        json.WriteString("type"u8, TestType);
        json.WriteString("timestamp"u8, Time(now));
        json.WriteStartObject("data"u8);
        json.WriteString("log"u8, context.Origin);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    internal static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The name of an event's code in the vocabularies that others fill in.</summary>
    internal static string Verb(string action) => action[(action.LastIndexOf('.') + 1)..];

    private static void One(Utf8JsonWriter json, string shape, SliceEvent each, ShapeContext context)
    {
        switch (shape)
        {
            case StreamRow.Ocsf:
                OcsfShape.Write(json, each, context);
                break;
            case StreamRow.Fhir:
                FhirShape.Write(json, each, context);
                break;
            default:
                json.WriteStartObject();
                json.WriteNumber("index"u8, each.Index);
                json.WriteString("id"u8, each.Id);
                json.WriteString("marker"u8, Marker(each.State));
                json.WriteEndObject();
                break;
        }
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, Options)) write(json);
        return buffer.WrittenSpan.ToArray();
    }
}
