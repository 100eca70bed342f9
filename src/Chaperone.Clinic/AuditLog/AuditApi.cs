using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Chaperone.Clinic.Jobs;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.Witnesses;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.AuditLog;

/// <summary>The log under /api/audit.</summary>
internal static class AuditApi
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.Default };

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup("/api/audit").WithTags("Audit log");
        api.Get("events", Events).Runs(typeof(ViewAuditLog), typeof(NoteUnreadableEvent))
            .WithSummary("Events, newest first: filters action, category, severity, outcome, actor, entity, subject (ids), ip (a token, see /api/audit/addresses), from, to (a date in the clinic's zone, to its end, or a time with zone); limit (1 to 200), cursor (next) for older, newer (previous) for newer ones; count=true counts to 10,000. An event with readable false does not open; what is said of it then is from clear columns, and nothing vouches for it.");
        api.Post("addresses", async http =>
        {
            var body = await http.ReadJson(AuditJson.Default.AddressBody);
            if (body.Error is { } unreadable) return Problem.Of(unreadable);
            return (await http.Run(new TokenOfAddress(body.Value.Ip ?? ""))).Match(ip => Results.Json(new { ip }));
        }).Runs(typeof(TokenOfAddress)).WithSummary("What stands for an IP address in the filter ip: addresses are personal data and do not stand in links.");
        api.Get("events/{id:guid}", async http =>
        {
            var entry = await http.Run(new ViewAuditEvent(http.IdOfRoute()));
            if (entry.Succeeded) await http.TellAsync(entry.Value.Untold);
            return entry.Match(found => Json(json => Write(json, found.Read)));
        }).Runs(typeof(ViewAuditEvent), typeof(NoteUnreadableEvent)).WithSummary("One event with everybody it names.");
        api.Get("export", Export).Runs(typeof(StartAuditExport), typeof(BeginExportRun), typeof(ExportAuditLog), typeof(EndExportRun), typeof(NoteUnreadableEvent))
            .WithSummary("format=csv, json or pdf: the filtered log as a table, as events with filter and checkpoint, or as a report. format=bundle: a zip of all events from from to to that proves itself offline. Needs a code younger than five minutes.");
        api.Get("integrity", async http => (await http.Run(new ViewIntegrity())).Match(report => Json(json => Write(json, report))))
            .Runs(typeof(ViewIntegrity)).WithSummary("What the last verification found, the newest signed checkpoint, and who outside guards the log.");
    }

    /// <summary>Sends an export that was announced. A file cut short is never sent as a whole one.</summary>
    public static Task<IResult> Send(HttpContext http, AuditExport export) => Send(http, export.Id, "audit_log", export.Format, "audit-log", new ExportAuditLog(export, http.Response.Body));

    /// <summary>Runs an export that was announced, into the answer.</summary>
    /// <param name="http">The request.</param>
    /// <param name="export">Its id.</param>
    /// <param name="what">What it is called in the list of jobs.</param>
    /// <param name="format">Its shape.</param>
    /// <param name="name">What the file's name begins with; it names nobody.</param>
    /// <param name="operation">Writes it.</param>
    public static async Task<IResult> Send(HttpContext http, Guid export, string what, AuditExportFormat format, string name, IOperation<WrittenExport> operation)
    {
        var day = http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var (type, ending) = format switch
        {
            AuditExportFormat.Csv => ("text/csv; charset=utf-8", "csv"),
            AuditExportFormat.Json => ("application/json", "json"),
            AuditExportFormat.Pdf => ("application/pdf", "pdf"),
            _ => ("application/zip", "zip"),
        };
        http.Response.ContentType = type;
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{name}-{day}.{ending}\"";
        var sent = await http.ExportAsync(export, what, operation, written => written.Rows);
        if (sent.Error is not { } error)
        {
            await http.TellAsync(sent.Value.Untold);
            return Results.Empty;
        }
        if (!http.Response.HasStarted)
        {
            http.Response.Clear();
            return Problem.Of(error);
        }
        http.Abort();
        return Results.Empty;
    }

    public static Guid IdOfRoute(this HttpContext http) => Guid.Parse((string)http.GetRouteValue("id")!, CultureInfo.InvariantCulture);

    private static async Task<IResult> Events(HttpContext http)
    {
        var page = await http.Run(new ViewAuditLog(AuditQuery.Of(http.Request.Query)));
        if (page.Succeeded) await http.TellAsync(page.Value.Untold);
        return page.Match(shown => Json(json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("items");
            foreach (var each in shown.Events) Write(json, each);
            json.WriteEndArray();
            json.WriteString("next", shown.Next);
            json.WriteString("previous", shown.Previous);
            if (shown.Count is { } count)
            {
                json.WriteNumber("count", count.Found);
                json.WriteBoolean("countIsExact", count.IsExact);
            }
            json.WriteEndObject();
        }));
    }

    private static async Task<IResult> Export(HttpContext http)
    {
        var started = await http.Run(new StartAuditExport(AuditQuery.Of(http.Request.Query)));
        return started.Error is { } error ? Problem.Of(error) : await Send(http, started.Value);
    }

    /// <summary>
    /// The event as its line has it, and before that its index in the log, null while it has none, and whether it opens. Of one that does not, only what its clear columns say.
    /// </summary>
    public static void Write(Utf8JsonWriter json, ReadEvent read)
    {
        json.WriteStartObject();
        if (read.Index is { } index) json.WriteNumber("index", index);
        else json.WriteNull("index");
        json.WriteBoolean("readable", read.IsReadable);
        using var line = JsonDocument.Parse(EventJson.Write(read.Event));
        foreach (var property in line.RootElement.EnumerateObject())
        {
            if (!read.IsReadable && property.Name is "source" or "decision") continue;
            if (!read.IsReadable && property.NameEquals("actor"))
            {
                json.WriteStartObject("actor");
                if (read.Event.Actor.Id is { } actor) json.WriteString("id", actor);
                json.WriteEndObject();
            }
            else property.WriteTo(json);
        }
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, IntegrityReport report)
    {
        var (integrity, signed) = (report.Integrity, report.Signed);
        json.WriteStartObject();
        json.WriteString("state", integrity.State);
        if (integrity.VerifiedTo is { } last) json.WriteNumber("verifiedTo", last);
        else json.WriteNull("verifiedTo");
        json.WriteNumber("from", integrity.From);
        json.WriteNumber("size", integrity.Size);
        if (integrity.At is { } at) json.WriteString("at", at);
        else json.WriteNull("at");
        if (integrity.FirstBadIndex is { } bad) json.WriteNumber("firstBadIndex", bad);
        if (integrity.What is { } what) json.WriteString("what", what);
        if (integrity.Whole is { } whole)
        {
            json.WriteStartObject("whole");
            json.WriteNumber("size", whole.Size);
            json.WriteString("at", whole.At);
            json.WriteEndObject();
        }
        else json.WriteNull("whole");
        if (report.Lag is { } lag)
        {
            json.WriteStartObject("lag");
            json.WriteNumber("events", lag.Events);
            json.WriteNumber("seconds", (long)lag.Time.TotalSeconds);
            json.WriteEndObject();
        }
        else json.WriteNull("lag");
        if (signed is not null)
        {
            json.WriteStartObject("checkpoint");
            json.WriteString("origin", signed.Head.Origin);
            json.WriteNumber("size", signed.Head.Size);
            json.WriteString("root", signed.Head.Root.ToBase64());
            json.WriteString("note", signed.Note);
            json.WriteString("key", signed.Key);
            json.WriteEndObject();
        }
        else json.WriteNull("checkpoint");
        json.WritePropertyName("witnesses");
        JsonSerializer.Serialize(json, report.Witnesses.Select(WitnessApi.Shape), JsonSerializerOptions.Web);
        json.WritePropertyName("quorum");
        JsonSerializer.Serialize(json, WitnessApi.Shape(report.Quorum), JsonSerializerOptions.Web);
        json.WritePropertyName("checks");
        JsonSerializer.Serialize(json, report.Checks, JsonSerializerOptions.Web);
        json.WriteEndObject();
    }

    private static IResult Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(16 * 1024);
        using (var json = new Utf8JsonWriter(buffer, Options)) write(json);
        return Results.Bytes(buffer.WrittenMemory, "application/json");
    }
}

/// <summary>An address to look for.</summary>
internal sealed record AddressBody(string? Ip);

/// <summary>A filter to keep.</summary>
internal sealed record SavedFilterBody(string? Name, Dictionary<string, string>? Filter);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AddressBody))]
[JsonSerializable(typeof(SavedFilterBody))]
internal sealed partial class AuditJson : JsonSerializerContext;
