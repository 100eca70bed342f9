using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.AuditLog;

/// <summary>The filtered log for other programs: as a table, or as one JSON document.</summary>
internal sealed class AuditTable(ClinicLog log, OperationScope scope)
{
    private readonly ExportRows rows = new(log, scope);
    private readonly ArrayBufferWriter<byte> buffer = new(256 * 1024);

    public async Task<WrittenExport> WriteCsvAsync(AuditExport export, Stream to, CancellationToken cancel)
    {
        var csv = new AuditCsv(TimeZoneInfo.FindSystemTimeZoneById(scope.Tenant.Zone));
        csv.WriteHeader(buffer);
        await rows.ForEachAsync(export.Filter, async events =>
        {
            foreach (var each in events)
            {
                csv.Write(buffer, each);
                if (each.Event.Entity is { Type: "patient" } patient) scope.Show(patient.Id);   // the other people are a number in the table
            }
            await SendAsync(to, cancel);
        }, cancel);
        return rows.Written;
    }

    /// <summary>Filter, checkpoint and events; the count stands at the end, because it is known only then.</summary>
    public async Task<WrittenExport> WriteJsonAsync(AuditExport export, Stream to, CancellationToken cancel)
    {
        await using var json = new Utf8JsonWriter(buffer, new() { Encoder = JavaScriptEncoder.Default });
        json.WriteStartObject();
        json.WriteString("clinic", scope.Tenant.Name);
        json.WriteString("made", scope.Now);
        json.WriteStartObject("filter");
        foreach (var (name, value) in export.Query.Values.OrderBy(field => field.Key, StringComparer.Ordinal)) json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteString("integrity", LogIntegrity.Of(log).State);
        if (await log.SignedHeadAsync(cancel) is { } signed)
        {
            json.WriteString("checkpoint", signed.Note);
            json.WriteString("key", signed.Key);
        }
        json.WriteStartArray("events");
        await rows.ForEachAsync(export.Filter, async events =>
        {
            foreach (var each in events)
            {
                AuditApi.Write(json, each);
                foreach (var person in each.Event.People()) scope.Show(person);
            }
            await json.FlushAsync(cancel);
            await SendAsync(to, cancel);
        }, cancel);
        json.WriteEndArray();
        json.WriteNumber("count", rows.Count);
        json.WriteEndObject();
        await json.FlushAsync(cancel);
        await SendAsync(to, cancel);
        return rows.Written;
    }

    private async Task SendAsync(Stream to, CancellationToken cancel)
    {
        await to.WriteAsync(buffer.WrittenMemory, cancel);
        buffer.ResetWrittenCount();
    }
}
