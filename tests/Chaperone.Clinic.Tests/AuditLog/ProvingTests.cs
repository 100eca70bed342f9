using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.AuditLog.Proving;
using Chaperone.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.TestSupport;

namespace Chaperone.Clinic.Tests.AuditLog;

/// <summary>Evidence of one event and of consistency, made by the product and checked by others.</summary>
public sealed class ProvingTests : AuditWorld
{
    private static readonly Dictionary<string, string> Nothing = new() { ["__token"] = "x" };

    [Fact]
    public async Task Evidence_of_an_event_verifies_here_and_elsewhere_and_leaves_its_event()
    {
        var seen = (await Platform.EventsAsync(Clinic)).Last(each => each.Action == "patient.viewed" && each.Subjects.Contains(Grace));
        var (status, body, headers) = await Send("POST", $"/settings/audit-log/{seen.Id}/proof", Owner, Nothing);
        Assert.Equal((200, "application/zip"), (status, headers.ContentType.ToString()));
        Assert.Matches("^attachment; filename=\"event-[0-9]+\\.zip\"$", headers.ContentDisposition.ToString());
        var key = VerifierKey.Parse((await Api("integrity")).Json.GetProperty("checkpoint").GetProperty("key").GetString()!);

        var report = Verify(body, key);
        Assert.True(report is { ExitCode: 0, Verified: 1, Bodies: true }, report.ToText());
        Assert.Equal((0, $"VERIFIED: event {report.From} of {report.Checkpoint!.Size} under {key.Name}\n"), await Outsiders.Python(body, key.ToString()));
        Assert.Equal(1, (await Outsiders.Python(WithFlippedBit(body, Evidence.Event), key.ToString())).Code);
        foreach (var name in (string[])[Evidence.Event, Evidence.Proof, BundlePaths.Key]) Assert.Equal(1, Verify(WithFlippedBit(body, name), key).ExitCode);
        Assert.Equal(seen.Id, EventJson.Read(FileOf(body, Evidence.Event)).Id);

        var told = await LastEvent("data.exported");
        Assert.Equal(("event", seen.Id, "audit_event", "evidence"), (told.Entity!.Type, told.Entity.Id, told.Details["what"].Code, told.Details["format"].Code));
        Assert.Equal((1L, report.From, Convert.ToHexStringLower(SHA256.HashData(body))), (told.Details["rows"].Number!.Value, told.Details["first_index"].Number!.Value, told.Details["sha256"].Code));
        Assert.Equal([Grace], told.Subjects);
        Assert.Equal(Owner.Actor.Id, told.Actor.Id);
    }

    [Fact]
    public async Task The_api_gives_line_salt_and_proof()
    {
        var seen = (await Platform.EventsAsync(Clinic)).First(each => each.Action == "patient.created");
        var (status, json) = await Api($"events/{seen.Id}/proof", Owner);
        Assert.Equal(200, status);
        Assert.True(TlogProof.TryParse(Encoding.UTF8.GetBytes(json.GetProperty("proof").GetString()!), out var proof));
        var entry = Entry.Bytes(Convert.FromBase64String(json.GetProperty("salt").GetString()!), Encoding.UTF8.GetBytes(json.GetProperty("event").GetString()!));
        Assert.True(proof.Shows(Merkle.LeafHash(entry), VerifierKey.Parse(json.GetProperty("key").GetString()!)));
        Assert.Equal(proof.Index, json.GetProperty("index").GetInt64());
        Assert.Equal(400, (await Api($"events/{seen.Id}/proof?format=pdf", Owner)).Status);
        Assert.Equal(200, (await Send("GET", $"/api/audit/events/{seen.Id}/proof?format=zip", Owner)).Status);
    }

    [Fact]
    public async Task Only_who_may_export_gets_evidence_with_a_fresh_code_and_of_their_own_clinic()
    {
        var seen = (await Platform.EventsAsync(Clinic))[0];
        var theirs = (await Platform.EventsAsync(OtherClinic))[0];
        Assert.Equal("CHP-ACCESS-0002", (await Api($"events/{seen.Id}/proof", Doctor)).Json.GetProperty("code").GetString());
        Assert.Equal("CHP-ACCESS-0002", (await Api($"events/{seen.Id}/proof", Reviewer)).Json.GetProperty("code").GetString());
        Assert.Equal("CHP-ACCESS-0001", (await Api($"events/{theirs.Id}/proof", Owner)).Json.GetProperty("code").GetString());
        Assert.Equal("CHP-ACCESS-0001", (await Api($"events/{Guid.NewGuid()}/proof", Owner)).Json.GetProperty("code").GetString());
        Assert.Equal("CHP-ACCESS-0002", (await Api("consistency?from=1&to=2", Doctor)).Json.GetProperty("code").GetString());
        var stale = Owner with { Actor = Owner.Actor with { State = Owner.Actor.State with { SteppedUpAt = Platform.Clock.GetUtcNow().AddMinutes(-6) } } };
        Assert.Equal("CHP-ACCESS-0005", (await Api($"events/{seen.Id}/proof", stale)).Json.GetProperty("code").GetString());
        Assert.DoesNotContain(await Platform.EventsAsync(Clinic), each => each.Action == "data.exported" && each.Outcome == EventOutcome.Success);
    }

    [Fact]
    public async Task Two_kept_checkpoints_are_shown_to_continue_each_other()
    {
        var seen = (await Platform.EventsAsync(Clinic))[0];
        var first = (await Run(new ProveEvent(seen.Id), Owner)).Proven.Head;   // from now on somebody has it, so it is kept
        for (var i = 0; i < 300; i++) await Run(new Clinic.Patients.ViewPatient(Ada), Doctor);
        await Run(new ViewIntegrity(), Reviewer);
        var kept = (await Api("checkpoints")).Json.GetProperty("items").EnumerateArray().ToList();
        Assert.Contains(kept, each => each.GetProperty("size").GetInt64() == first.Size && each.GetProperty("keptBecause").GetString() == "exported" && each.GetProperty("root").GetString() == first.Root.ToBase64());
        var newest = kept[0].GetProperty("size").GetInt64();

        foreach (var (from, to) in new[] { (first.Size, newest), (newest, first.Size) })
        {
            var (status, body, headers) = await Send("POST", "/settings/audit-log/consistency", Owner, new Dictionary<string, string> { ["__token"] = "x", ["from"] = $"{from}", ["to"] = $"{to}" });
            Assert.Equal((200, $"attachment; filename=\"consistency-{first.Size}-{newest}.zip\""), (status, headers.ContentDisposition.ToString()));
            var report = Verify(body, null);
            Assert.True(report.ExitCode == 0 && report.Checkpoint!.Size == newest, report.ToText());
            Assert.StartsWith($"VERIFIED: the log of {newest} continues that of {first.Size}", (await Outsiders.Python(body)).Said, StringComparison.Ordinal);
            Assert.Equal(1, Verify(WithFlippedBit(body, Evidence.Consistency), null).ExitCode);
        }
        var told = await LastEvent("audit.consistency_proved");
        Assert.Equal((first.Size, newest), (told.Details["from"].Number, told.Details["to"].Number));
        Assert.Empty(told.Subjects);

        Assert.Equal("CHP-PROOF-0002", (await Api($"consistency?from={first.Size}&to={newest + 1000}")).Json.GetProperty("code").GetString());
        Assert.Equal("CHP-PROOF-0003", (await Api($"consistency?from={newest}&to={newest}")).Json.GetProperty("code").GetString());
        foreach (var bad in (string[])["consistency", "consistency?from=-1&to=2", "consistency?from=1&to=x", "checkpoints?limit=0", "checkpoints?limit=201", "checkpoints?cursor=x", $"consistency?from={first.Size}&to={newest}&format=x"])
            Assert.Equal(400, (await Api(bad)).Status);
        var page = (await Api("checkpoints?limit=1")).Json;
        Assert.Equal($"{newest}", page.GetProperty("next").GetString());
        Assert.True((await Api($"checkpoints?limit=1&cursor={newest}")).Json.GetProperty("items")[0].GetProperty("size").GetInt64() < newest);
    }

    [Fact]
    public async Task A_log_that_a_superuser_changed_gives_no_proof()
    {
        var seen = (await Platform.EventsAsync(Clinic))[0];
        Assert.Equal(200, (await Api($"events/{seen.Id}/proof", Owner)).Status);
        await Platform.Database.ExecuteAsync($"SET session_replication_role = replica; UPDATE ledger.position SET entry_hashes = set_byte(entry_hashes, 40, 255 - get_byte(entry_hashes, 40)) WHERE tenant_id = '{Clinic.Id}' AND n = 0");
        Assert.Equal(500, (await Api($"events/{seen.Id}/proof", Owner)).Status);
        Assert.DoesNotContain(await Platform.EventsAsync(Clinic), each => each.Action == "data.exported" && each.Outcome == EventOutcome.Success && each.At > seen.At.AddDays(1));
    }

    [Fact]
    public async Task The_pages_offer_both()
    {
        var seen = (await Platform.EventsAsync(Clinic))[0];
        Assert.Contains($"action=\"/settings/audit-log/{seen.Id}/proof\"", Encoding.UTF8.GetString((await Send("GET", $"/settings/audit-log/{seen.Id}", Owner)).Body), StringComparison.Ordinal);
        await Run(new ProveEvent(seen.Id), Owner);
        await Run(new Clinic.Patients.ViewPatient(Ada), Doctor);
        var page = Encoding.UTF8.GetString((await Send("GET", "/settings/audit-log/integrity", Owner)).Body);
        Assert.Contains("action=\"/settings/audit-log/consistency\"", page, StringComparison.Ordinal);
        Assert.Contains("It went out with an export or a proof", page, StringComparison.Ordinal);
        Assert.Contains("It is the newest", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_for_the_logs_address_runs_out()
    {
        var token = await Run(new Clinic.AuditLog.Auditors.MakeLogToken("An auditor", 7), Owner);
        var stranger = Owner with { Actor = Actor.Anonymous };
        await Run(new ViewIntegrity(), Owner);
        Assert.NotEmpty(await Run(new Clinic.AuditLog.Auditors.ReadLogFile(Clinic.Id, token.Hash, "checkpoint"), stranger));
        Platform.Clock.Advance(TimeSpan.FromDays(7) - TimeSpan.FromMinutes(1));
        Assert.NotEmpty(await Run(new Clinic.AuditLog.Auditors.ReadLogFile(Clinic.Id, token.Hash, "checkpoint"), stranger));
        Platform.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("CHP-PROOF-0004", (await Try(new Clinic.AuditLog.Auditors.ReadLogFile(Clinic.Id, token.Hash, "checkpoint"), stranger)).Error?.Code);
        Assert.Equal("CHP-PROOF-0004", (await Try(new Clinic.AuditLog.Auditors.BeginLogReading(Clinic.Id, token.Hash), stranger)).Error?.Code);
    }

    private async Task<LedgerEvent> LastEvent(string action) => (await Platform.EventsAsync(Clinic)).Where(each => each.Action == action).MaxBy(each => each.Id)!;

    private static VerificationReport Verify(byte[] zip, VerifierKey? key)
    {
        using var source = LogSource.Zip(new MemoryStream(zip));
        return Verifier.Verify(source, "evidence", new() { Key = key });
    }

    private static byte[] FileOf(byte[] zip, string name)
    {
        using var archive = new ZipArchive(new MemoryStream(zip));
        using var content = archive.GetEntry(name)!.Open();
        using var bytes = new MemoryStream();
        content.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static byte[] WithFlippedBit(byte[] zip, string name)
    {
        using var copy = new MemoryStream();
        copy.Write(zip);
        var bytes = FileOf(zip, name);
        bytes[bytes.Length / 2] ^= 1;
        using (var archive = new ZipArchive(copy, ZipArchiveMode.Update, leaveOpen: true))
        {
            using var content = archive.GetEntry(name)!.Open();
            content.Write(bytes);
        }
        return copy.ToArray();
    }
}
