using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Patients;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.AuditLog;

public sealed class ExportAuditLogTests : AuditWorld
{
    [Fact]
    public async Task Table_is_announced_before_and_counted_and_hashed_after()
    {
        var expected = (await Platform.EventsAsync(Clinic)).Count(each => each.Subjects.Contains(Ada) && each.Action == "patient.viewed");
        var (status, body, headers) = await Send("GET", $"/api/audit/export?format=csv&action=patient.viewed&subject={Ada}", Owner);

        Assert.Equal(200, status);
        Assert.Matches("^attachment; filename=\"audit-log-[0-9-]{10}\\.csv\"$", headers.ContentDisposition.ToString());
        var lines = Encoding.UTF8.GetString(body).TrimStart('﻿').Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(string.Join(',', AuditCsv.Columns), lines[0]);
        Assert.Equal(expected, lines.Length - 1);
        Assert.All(lines.Skip(1), line => Assert.Matches("^20[0-9-]+T[0-9:.]+[+-][0-9]{2}:[0-9]{2},[0-9]+,[0-9a-f-]{36},patient\\.viewed,data_access,info,success,user,", line));
        Assert.DoesNotContain("Zimmerstein", Encoding.UTF8.GetString(body), StringComparison.OrdinalIgnoreCase);

        var events = await Platform.EventsAsync(Clinic);
        var started = Assert.Single(events, each => each.Action == "data.export_started");
        var ended = Assert.Single(events, each => each.Action == "data.exported");
        Assert.Equal(started.Entity, ended.Entity);
        Assert.True(started.Id < ended.Id);
        Assert.Equal(("audit_log", "csv", "action.subject", "yes", expected), (ended.Details["what"].Code, ended.Details["format"].Code, ended.Details["filter"].Code, ended.Details["complete"].Code, ended.Details["rows"].Number!.Value));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(body)), ended.Details["sha256"].Code);
        Assert.Equal([Ada], ended.Subjects);
        Assert.Equal(EventOutcome.Success, ended.Outcome);
    }

    [Fact]
    public async Task Table_of_more_than_a_stretch_holds_every_event_once()
    {
        var viewer = Platform.As(Clinic, BuiltInRole.Doctor);
        for (var i = 0; i < 520; i++) await Run(new Clinic.Patients.ViewPatient(Ada), viewer);
        var (_, body, _) = await Send("GET", $"/api/audit/export?actor={viewer.Actor.Id}", Owner);
        var ids = Encoding.UTF8.GetString(body).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(',')[2]).ToList();
        Assert.Equal(520, ids.Count);
        Assert.Equal(ids.Order(StringComparer.Ordinal).Reverse(), ids);
        Assert.Equal(520, ids.Distinct().Count());
    }

    [Fact]
    public async Task Bundle_verifies_and_every_changed_bit_is_found()
    {
        var (status, body, headers) = await Send("GET", "/api/audit/export?format=bundle", Owner);
        Assert.Equal((200, "application/zip"), (status, headers.ContentType.ToString()));
        var integrity = (await Api("integrity")).Json.GetProperty("checkpoint");
        var key = VerifierKey.Parse(integrity.GetProperty("key").GetString()!);

        var good = Verify(body, key);
        Assert.True(good.ExitCode == 0, good.ToText());
        Assert.True(good.Bodies);
        var started = Assert.Single(await Platform.EventsAsync(Clinic), each => each.Action == "data.export_started");
        Assert.Contains(EventLines(body), line => line.Contains(started.Id.ToString(), StringComparison.Ordinal));
        var ended = Assert.Single(await Platform.EventsAsync(Clinic), each => each.Action == "data.exported");
        Assert.Equal((good.Verified, Convert.ToHexStringLower(SHA256.HashData(body))), (ended.Details["rows"].Number!.Value, ended.Details["sha256"].Code));
        Assert.Contains(Grace, ended.Subjects);

        using var zip = new ZipArchive(new MemoryStream(body));
        foreach (var entry in zip.Entries.Where(entry => entry.Length > 0))
        {
            var bad = Verify(WithFlippedBit(body, entry.FullName), key);
            Assert.True(bad.ExitCode != 0, entry.FullName);
            if (entry.FullName.StartsWith("events/", StringComparison.Ordinal)) Assert.Equal(1, bad.ExitCode);
        }
    }

    [Fact]
    public async Task Bundle_of_a_span_of_time_holds_its_events()
    {
        var all = (await Platform.EventsAsync(Clinic)).OrderBy(each => each.Id).ToList();
        var (from, to) = (all[2].At, all[^2].At.AddMilliseconds(1));
        var (status, body, _) = await Send("GET", $"/api/audit/export?format=bundle&from={Uri.EscapeDataString(from.ToString("O"))}&to={Uri.EscapeDataString(to.ToString("O"))}", Owner);
        Assert.Equal(200, status);
        using var source = LogSource.Zip(new MemoryStream(body));
        Assert.Equal(0, Verifier.Verify(source, "bundle", new()).ExitCode);
        var lines = string.Join('\n', EventLines(body));
        Assert.All(all[2..^2], each => Assert.Contains(each.Id.ToString(), lines, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Export_without_a_fresh_code_is_refused_with_the_code_of_step_up_and_the_page_leads_back_to_the_filter()
    {
        var stale = Owner with { Actor = Owner.Actor with { State = Owner.Actor.State with { SteppedUpAt = Platform.Clock.GetUtcNow().AddMinutes(-6) } } };
        Assert.Equal("CHP-ACCESS-0005", (await Api("export?format=csv", stale)).Json.GetProperty("code").GetString());

        var (status, _, headers) = await Send("POST", "/settings/audit-log/export", stale, new Dictionary<string, string> { ["format"] = "csv", ["subject"] = $"{Ada}", ["__token"] = "x" });
        Assert.Equal((303, "/step-up?to=" + Uri.EscapeDataString($"/settings/audit-log?subject={Ada}")), (status, headers.Location.ToString()));
        Assert.DoesNotContain(await Platform.EventsAsync(Clinic), each => each.Action == "data.exported");
    }

    [Fact]
    public async Task Page_exports_too()
    {
        var (status, body, _) = await Send("POST", "/settings/audit-log/export", Owner, new Dictionary<string, string> { ["format"] = "bundle", ["__token"] = "x" });
        Assert.Equal((200, (byte)'P'), (status, body[0]));
    }

    [Fact]
    public async Task Json_of_a_filtered_view_has_its_events_as_they_were_written_with_filter_checkpoint_and_count()
    {
        var expected = (await Platform.EventsAsync(Clinic)).Where(each => each.Subjects.Contains(Ada) && each.Action == "patient.viewed").OrderByDescending(each => each.Id).ToList();
        var (status, body, headers) = await Send("GET", $"/api/audit/export?format=json&subject={Ada}&action=patient.viewed", Owner);
        var json = JsonDocument.Parse(body).RootElement;

        Assert.Equal((200, "application/json"), (status, headers.ContentType.ToString()));
        Assert.Equal(expected.Select(each => each.Id), json.GetProperty("events").EnumerateArray().Select(each => each.GetProperty("id").GetGuid()));
        Assert.Equal((3, "patient.viewed", $"{Ada}"), (json.GetProperty("count").GetInt32(), json.GetProperty("filter").GetProperty("action").GetString(), json.GetProperty("filter").GetProperty("subject").GetString()));
        Assert.True(Checkpoint.TryOpen(Encoding.UTF8.GetBytes(json.GetProperty("checkpoint").GetString()!), VerifierKey.Parse(json.GetProperty("key").GetString()!), out _));
        var ended = await LastEvent();
        Assert.Equal(("json", 3L, Convert.ToHexStringLower(SHA256.HashData(body))), (ended.Details["format"].Code, ended.Details["rows"].Number, ended.Details["sha256"].Code));
        Assert.Equal([Ada], ended.Subjects);
    }

    [Fact]
    public async Task Report_has_a_cover_with_filter_counts_checkpoint_and_integrity_and_every_event()
    {
        for (var i = 0; i < 1200; i++) await Run(new ViewPatient(Grace), Doctor);   // more than one stretch of the log
        await Api("integrity");
        await Platform.Services.GetRequiredService<IntegrityCheck>().VerifyAsync(Clinic, CancellationToken.None);
        var (status, body, headers) = await Send("POST", "/settings/audit-log/export", Owner, new Dictionary<string, string> { ["format"] = "pdf", ["action"] = "patient.viewed", ["outcome"] = "success", ["actor"] = $"{Doctor.Actor.Id}", ["__token"] = "x" });
        var pdf = Encoding.ASCII.GetString(body);

        Assert.Equal((200, "application/pdf"), (status, headers.ContentType.ToString()));
        foreach (var said in new[] { "Action: patient.viewed; By Wilma Quist; Outcome: Done", "Olu Marsh, Owner", "Done 1,203", "Is the log intact?" }) Assert.Contains($"({said})", pdf, StringComparison.Ordinal);
        Assert.Contains("(Yes. The last verification", pdf, StringComparison.Ordinal);
        Assert.Contains("(1,203, from ", pdf, StringComparison.Ordinal);
        Assert.Equal(1203, System.Text.RegularExpressions.Regex.Count(pdf, @"\(Wilma Quist \(Doctor\)|\(Wilma Quist \\\(Doctor\\\)\)"));
        Assert.Contains("/ledger/", pdf, StringComparison.Ordinal);
        Assert.DoesNotContain("ZIMMERSTEIN", pdf, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(("pdf", 1203L, "action.actor.outcome"), ((await LastEvent()).Details["format"].Code, (await LastEvent()).Details["rows"].Number, (await LastEvent()).Details["filter"].Code));
        Assert.Equal(403, (await Send("GET", "/api/audit/export?format=pdf", Reviewer)).Status);
    }

    [Fact]
    public async Task What_broke_off_is_a_failure_that_says_how_far_it_came()
    {
        var export = await Run(new StartAuditExport(Query(("format", "csv"))), Owner);
        using var gone = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Platform.Monitor.Run(new ExportAuditLog(export, new BrokenPipe(gone)), Owner, gone.Token));

        var ended = await LastEvent();
        Assert.Equal(("data.exported", EventOutcome.Failure, "no"), (ended.Action, ended.Outcome, ended.Details["complete"].Code));
        Assert.DoesNotContain("sha256", ended.Details.Keys);
        Assert.Contains(Ada, ended.Subjects);
    }

    [Fact]
    public void Cells_carry_no_formula()
    {
        var happened = new LedgerEvent
        {
            Id = Guid.NewGuid(), At = new(2026, 7, 1, 8, 0, 0, TimeSpan.Zero), Action = "patient.updated", Category = EventCategory.DataChange, Actor = new(ActorKind.User, Role: "+1"),
            Source = new("api", "=HYPERLINK(\"http://x\")", "@x", "-2"), Decision = "d", Changes = [new("phone", "changed"), new("status", null, "booked", "cancelled")],
        };
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        new AuditCsv(TimeZoneInfo.FindSystemTimeZoneById("Europe/London")).Write(buffer, new(happened, 7));
        Assert.Equal(
            $"2026-07-01T09:00:00.000000+01:00,7,{happened.Id},patient.updated,data_change,info,success,user,,'+1,,,,0,api,\"'=HYPERLINK(\"\"http://x\"\")\",'@x,'-2,d,,,,\"phone:changed; status:booked→cancelled\",0,,yes\r\n",
            Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private static VerificationReport Verify(byte[] zip, VerifierKey key)
    {
        using var source = LogSource.Zip(new MemoryStream(zip));
        return Verifier.Verify(source, "bundle", new() { Key = key });
    }

    private static List<string> EventLines(byte[] zip)
    {
        using var archive = new ZipArchive(new MemoryStream(zip));
        return [.. archive.Entries.Where(entry => entry.FullName.StartsWith("events/", StringComparison.Ordinal)).Select(entry => Encoding.UTF8.GetString(Bytes(entry)))];
    }

    private static byte[] Bytes(ZipArchiveEntry entry)
    {
        using var content = entry.Open();
        using var bytes = new MemoryStream();
        content.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static byte[] WithFlippedBit(byte[] zip, string path)
    {
        using var old = new ZipArchive(new MemoryStream(zip));
        using var output = new MemoryStream();
        using (var made = new ZipArchive(output, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var entry in old.Entries)
            {
                var bytes = Bytes(entry);
                if (entry.FullName == path) bytes[bytes.Length / 2] ^= 1;
                using var content = made.CreateEntry(entry.FullName).Open();
                content.Write(bytes);
            }
        return output.ToArray();
    }

    /// <summary>A client that goes away while the first rows are sent.</summary>
    private sealed class BrokenPipe(CancellationTokenSource gone) : MemoryStream
    {
        private int writes;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (++writes == 1) await gone.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}
