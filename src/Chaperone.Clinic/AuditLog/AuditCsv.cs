using System.Buffers;
using System.Globalization;
using Chaperone.Clinic.Shell;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;

namespace Chaperone.Clinic.AuditLog;

/// <summary>The log as a table for spreadsheets: UTF-8, RFC 4180, one line an event, newest first, times in the clinic's zone with their offset.</summary>
/// <remarks>
/// <c>people</c> is a number: an event may name thousands, and the bundle has them. <c>changes</c> holds <c>field:change</c> or <c>field:before→after</c>, <c>fields</c> what a search used,
/// <c>details</c> <c>name=value</c>, <c>readable</c> is <c>no</c> for an event that does not open, whose other cells are from clear columns; each with semicolons between. <c>records</c> is how many rows the event vouches for. A cell that a spreadsheet would take for a formula begins with an apostrophe.
/// </remarks>
internal sealed class AuditCsv(TimeZoneInfo zone)
{
    public static readonly string[] Columns =
    [
        "time", "index", "id", "action", "category", "severity", "outcome", "actor_kind", "actor_id", "actor_role", "session", "entity_type", "entity_id", "people",
        "channel", "route", "ip", "client", "decision", "reason", "hits", "fields", "changes", "records", "details", "readable",
    ];

    public void WriteHeader(IBufferWriter<byte> to)
    {
        to.Write(CsvText.ByteOrderMark);
        CsvText.Write(to, Columns);
    }

    public void Write(IBufferWriter<byte> to, ReadEvent read) => CsvText.Write(to, Cells(read));

    private string?[] Cells(ReadEvent read)
    {
        var happened = read.Event;
        if (!read.IsReadable)
        {
            return
            [
                Time(happened), Number(read.Index), happened.Id.ToString("D"), happened.Action, EventJson.Name(happened.Category), EventJson.Name(happened.Severity), EventJson.Name(happened.Outcome),
                null, happened.Actor.Id?.ToString("D"), null, null, happened.Entity?.Type, happened.Entity?.Id.ToString("D"), null, null, null, null, null, null, null, null, null, null, null,
                UnreadableEvents.Sentence, "no",
            ];
        }
        return
        [
            Time(happened), Number(read.Index), happened.Id.ToString("D"),
            happened.Action, EventJson.Name(happened.Category), EventJson.Name(happened.Severity), EventJson.Name(happened.Outcome),
            EventJson.Name(happened.Actor.Kind), happened.Actor.Id?.ToString("D"), happened.Actor.Role, happened.Actor.Session?.ToString("D"),
            happened.Entity?.Type, happened.Entity?.Id.ToString("D"), Number(happened.Subjects.Count),
            happened.Source.Channel, happened.Source.Route, happened.Source.Ip, happened.Source.Client, happened.Decision, happened.Reason,
            Number(happened.Hits), string.Join("; ", happened.Fields), string.Join("; ", happened.Changes.Select(AuditText.Change)), Number(happened.Records.Count),
            string.Join("; ", happened.Details.Select(detail => $"{detail.Key}={detail.Value}")), "yes",
        ];
    }

    private string Time(LedgerEvent happened) => TimeZoneInfo.ConvertTime(happened.At, zone).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffffzzz", CultureInfo.InvariantCulture);

    private static string? Number(long? number) => number?.ToString(CultureInfo.InvariantCulture);
}
