using System.Net;
using System.Text;
using System.Text.Json;
using Chaperone.Clinic.Tests.Mail;
using Chaperone.Clinic.Witnesses;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.Witnesses;

/// <summary>Witnesses as a clinic meets them: entered, tested, asked by themselves, and telling people; and the checkpoint that owners get by mail.</summary>
[Collection(nameof(MailHouses))]
public sealed class WitnessTests(MailHouseServer at) : IAsyncLifetime
{
    private const string Api = "/api/settings/witnesses", Page = "/settings/security/witnesses", Integrity = "/settings/audit-log/integrity";
    private MailHouse house = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => house = await MailHouse.CreateAsync(at);

    public async ValueTask DisposeAsync()
    {
        await house.Server.Database.ExecuteAsync("SET session_replication_role = replica; DELETE FROM clinic.witness");     // asked by nobody any more
        await house.DisposeAsync();
    }

    [Fact]
    public async Task An_owner_enters_a_witness_and_from_then_on_it_is_asked_whenever_the_log_has_grown()
    {
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        await using var witness = await TestWitness.StartAsync(await KeyAsync());
        Assert.Contains("Nobody outside guards this log yet", (await owner.GetAsync(Integrity)).Text, StringComparison.Ordinal);
        var before = await owner.GetAsync(Api);
        Assert.Equal((await KeyAsync()).ToString(), before.Json.GetProperty("logKey").GetString());
        var id = await AddAsync(owner, witness);
        await Until(async () => witness.SizeOf(Origin) > 0 && (await Only(owner)).GetProperty("state").GetString() == "guarding");
        var size = witness.SizeOf(Origin);
        for (var i = 0; i < 3; i++) await owner.GetAsync("/api/me");
        await house.Server.Run(new ViewWitnesses(), BuiltInRole.Owner, house.Clinic);
        await Until(() => Task.FromResult(witness.SizeOf(Origin) > size));

        var shown = (await owner.GetAsync("/api/audit/integrity")).Json.GetProperty("witnesses")[0];
        Assert.Equal(("Data protection officer", "guarding", false), (shown.GetProperty("name").GetString(), shown.GetProperty("state").GetString(), shown.GetProperty("operators").GetBoolean()));
        var page = (await owner.GetAsync(Integrity)).Text;
        Assert.Contains("Guarding", page, StringComparison.Ordinal);
        Assert.Contains("Data protection officer", page, StringComparison.Ordinal);

        var tested = await owner.JsonAsync(HttpMethod.Post, $"{Api}/{id}/test", new { });
        Assert.True(tested.Json.GetProperty("cosigned").GetBoolean(), tested.ToString());
        Assert.Equal(HttpStatusCode.TooManyRequests, (await owner.JsonAsync(HttpMethod.Post, $"{Api}/{id}/test", new { })).Status);
        Assert.Equal(EventOutcome.Success, Assert.Single(await house.EventsAsync("witness.tested")).Outcome);
        var added = Assert.Single(await house.EventsAsync("witness.added"));
        Assert.Equal((new EventEntity("witness", id), EventSeverity.Warning), (added.Entity, added.Severity));
        Assert.Equal(0L, await house.Server.Database.ExecuteAsync("SELECT count(*) FROM clinic.witness WHERE position('protection'::bytea IN sealed) > 0 OR position('127.0.0.1'::bytea IN sealed) > 0"));

        Assert.Equal(HttpStatusCode.NoContent, (await owner.SendAsync(HttpMethod.Delete, $"{Api}/{id}")).Status);
        Assert.Equal(0, (await owner.GetAsync(Api)).Json.GetProperty("items").GetArrayLength());
        Assert.Single(await house.EventsAsync("witness.removed"));
        // Asking writes nothing into the log: else each answer would be a reason to ask again.
        Assert.DoesNotContain((await house.Server.EventsAsync(house.Clinic)), happened => happened.Action is "witness.silent" or "witness.objected" or "witness.returned");
    }

    [Fact]
    public async Task A_proof_made_while_a_witness_guards_carries_its_cosignature_and_holds_where_that_is_asked_for()
    {
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        var log = await KeyAsync();
        await using var witness = await TestWitness.StartAsync(log);
        await using var another = await TestWitness.StartAsync(log);
        await AddAsync(owner, witness);
        await Until(async () => witness.SizeOf(Origin) > 0 && (await Only(owner)).GetProperty("state").GetString() == "guarding");
        var happened = (await house.Server.EventsAsync(house.Clinic)).First(each => each.Action == "clinic.created");
        var zip = await owner.GetAsync($"/api/audit/events/{happened.Id}/proof?format=zip");
        Assert.Equal(HttpStatusCode.OK, zip.Status);

        using var files = LogSource.Zip(new MemoryStream(zip.Body));
        Assert.True(TlogProof.TryParse(files.Read("event.tlog-proof")!, out var proof));
        Assert.True(proof.Note.IsCosignedBy(witness.Key, out _));
        Assert.False(proof.Note.IsCosignedBy(another.Key, out _));
        Assert.Equal(0, Held($"log {log}\nwitness officer {witness.Key}\nquorum officer\n"));
        Assert.Equal(0, Held($"log {log}\nwitness officer {witness.Key}\nwitness stranger {another.Key}\ngroup one any officer stranger\nquorum one\n"));
        Assert.Equal(1, Held($"log {log}\nwitness officer {witness.Key}\nwitness stranger {another.Key}\ngroup both all officer stranger\nquorum both\n"));
        Assert.Equal(1, Held($"log {log}\nwitness stranger {another.Key}\nquorum stranger\n"));
        Assert.True(proof.Shows(Merkle.LeafHash(Entry.Bytes(proof.Extra.Span, files.Read("event.json")!)), log, Policy($"log {log}\nwitness officer {witness.Key}\nquorum officer\n")));
        Assert.False(proof.Shows(Merkle.LeafHash(Entry.Bytes(proof.Extra.Span, files.Read("event.json")!)), log, Policy($"log {log}\nwitness stranger {another.Key}\nquorum stranger\n")));

        int Held(string policy)
        {
            using var held = LogSource.Zip(new MemoryStream(Evidence.OfEvent(proof, files.Read("event.json")!, log, policy, house.Server.Clock.GetUtcNow())));
            return Verifier.Verify(held, "evidence", new() { Key = log }, Cancel).ExitCode;
        }

        static WitnessPolicy Policy(string text) => WitnessPolicy.TryParse(Encoding.UTF8.GetBytes(text), out var policy) ? policy : throw new InvalidOperationException("no policy");
    }

    [Fact]
    public async Task So_many_witnesses_as_the_clinic_decides_must_have_signed_whichever_they_are()
    {
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        var log = await KeyAsync();
        await using var one = await TestWitness.StartAsync(log);
        await using var two = await TestWitness.StartAsync(log);
        await AddAsync(owner, one);
        await AddAsync(owner, two);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Change(3, 0)).Status);
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await Change(2, 7)).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await Change(1, 0)).Status);
        var page = WebUtility.HtmlDecode((await owner.GetAsync(Page)).Text);
        Assert.Contains("1 of your own 2, whichever", page, StringComparison.Ordinal);
        var saved = await owner.FormAsync(Page + "/quorum", new Dictionary<string, string> { ["needed"] = "2", ["version"] = "1" }, Page);
        Assert.Equal((HttpStatusCode.SeeOther, Page), (saved.Status, saved.Location));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await owner.FormAsync(Page + "/quorum", new Dictionary<string, string> { ["needed"] = "3", ["version"] = "2" }, Page)).Status);
        Assert.Equal(["0 1", "1 2"], (await house.EventsAsync("settings.modified")).SelectMany(each => each.Changes).Where(change => change.Field == "witness_quorum").Select(change => $"{change.Before} {change.After}"));

        // Both, or the export says that it lacks them.
        await Until(async () => (await owner.GetAsync("/api/audit/export?format=bundle")).Body is { Length: > 0 } bytes && PolicyIn(bytes).EndsWith("group clinic-some 2 clinic-witness-1 clinic-witness-2\nquorum clinic-some\n", StringComparison.Ordinal));
        await Until(async () => (await owner.GetAsync("/api/audit/integrity")).Json.GetProperty("quorum") is var quorum && quorum.GetProperty("met").GetBoolean() && quorum.GetProperty("signed").GetInt32() == 2);
        Assert.Contains("2 of your own 2, whichever", WebUtility.HtmlDecode((await owner.GetAsync(Integrity)).Text), StringComparison.Ordinal);
        await two.StopAsync();
        house.Server.Clock.Advance(TimeSpan.FromMinutes(2));
        await Until(async () => (await owner.GetAsync("/api/audit/export?format=bundle")).Body is { Length: > 0 } bytes && Unguarded(bytes));
        Assert.False((await owner.GetAsync("/api/audit/integrity")).Json.GetProperty("quorum").GetProperty("met").GetBoolean());
        Assert.Contains("Not reached", (await owner.GetAsync(Integrity)).Text, StringComparison.Ordinal);

        // Nobody else decides, and another clinic has its own.
        using var doctor = await house.SignInAs(BuiltInRole.Doctor);
        Assert.Equal(HttpStatusCode.Forbidden, (await doctor.JsonAsync(HttpMethod.Put, Api + "/quorum", new { needed = 0 })).Status);
        Assert.Equal(0, (await house.Server.Run(new ViewWitnesses(), BuiltInRole.Owner, house.Other)).Value.Quorum.Own);
        // Whoever lowers it in the database is found.
        foreach (var (change, code) in new[] { ("- 1", 1), ("+ 1", 0) })
        {
            await house.Server.Database.ExecuteAsync($"SET session_replication_role = replica; UPDATE clinic.witness_quorum SET version = version {change} WHERE tenant_id = '{house.Clinic.Tenant.Id}'");
            Assert.Equal(code, (await house.Server.Services.GetRequiredService<IntegrityCheck>().VerifyAsync(house.Clinic.Tenant, Cancel)).ExitCode);
        }

        Task<Answer> Change(int needed, long version) => owner.JsonAsync(HttpMethod.Put, Api + "/quorum", new { needed }, request => request.Headers.TryAddWithoutValidation("If-Match", $"\"{version}\""));
    }

    private static string PolicyIn(byte[] zip)
    {
        using var bundle = LogSource.Zip(new MemoryStream(zip));
        return Encoding.UTF8.GetString(bundle.Read("policy")!);
    }

    [Fact]
    public async Task The_page_enters_tests_and_removes_without_script()
    {
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        await using var witness = await TestWitness.StartAsync(await KeyAsync());
        var wrong = await owner.FormAsync(Page, new Dictionary<string, string> { ["name"] = "<b>Anna</b>", ["url"] = "ftp://x", ["key"] = "none" }, Page);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.Status);
        Assert.Contains("&lt;b&gt;Anna&lt;/b&gt;", wrong.Text, StringComparison.Ordinal);
        Assert.Contains("after “vkey:”", WebUtility.HtmlDecode(wrong.Text), StringComparison.Ordinal);
        var added = await owner.FormAsync(Page, new Dictionary<string, string> { ["name"] = "Anna", ["url"] = witness.Address.ToString(), ["key"] = witness.Key.ToString(), ["required"] = "true" }, Page);
        Assert.Equal((HttpStatusCode.SeeOther, Page), (added.Status, added.Location));
        var id = (await Only(owner)).GetProperty("id").GetGuid();
        var tested = await owner.FormAsync($"{Page}/{id}/test", new Dictionary<string, string>(), Page);
        Assert.Equal((HttpStatusCode.SeeOther, Page), (tested.Status, tested.Location));
        var page = (await owner.GetAsync(Page)).Text;
        Assert.Contains("The witness cosigned the log", page, StringComparison.Ordinal);
        Assert.Contains(", required", page, StringComparison.Ordinal);

        // An export asks for it from then on, and has it; the policy names no name that people gave it.
        var export = await owner.GetAsync("/api/audit/export?format=bundle");
        using (var bundle = LogSource.Zip(new MemoryStream(export.Body)))
        {
            var policy = Encoding.UTF8.GetString(bundle.Read("policy")!);
            Assert.Contains($"witness clinic-witness-1 {witness.Key}\nquorum clinic-witness-1\n", policy, StringComparison.Ordinal);
            var report = Verifier.Verify(bundle, "export", new() { Key = await KeyAsync() }, Cancel);
            Assert.True(report.ExitCode == 0 && report.Notes.Count == 0, report.ToText());
        }
        await witness.StopAsync();
        house.Server.Clock.Advance(TimeSpan.FromMinutes(2));
        await Until(async () => (await owner.GetAsync("/api/audit/export?format=bundle")).Body is { Length: > 0 } bytes && Unguarded(bytes));     // goes out all the same, and says so
        await witness.StartAgainAsync();
        Assert.Equal(HttpStatusCode.SeeOther, (await owner.FormAsync($"{Page}/{id}/remove", new Dictionary<string, string>(), Page)).Status);
        Assert.Contains("Nobody outside guards this log yet", (await owner.GetAsync(Page)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_a_witness_is_refused_at_its_field()
    {
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        await using var witness = await TestWitness.StartAsync(await KeyAsync());
        var (good, log) = (witness.Key.ToString(), await KeyAsync());
        foreach (var (field, name, url, key) in new (string, string, string, string)[]
        {
            ("name", "", "https://w.example", good), ("name", new string('x', 81), "https://w.example", good), ("url", "W", "", good), ("url", "W", "w.example", good), ("url", "W", "file:///etc/passwd", good),
            ("url", "W", "https://user:secret@w.example", good), ("url", "W", "https://w.example/?x=1", good), ("url", "W", "https://w.example/#x", good), ("url", "W", "https://10.0.0.1", good), ("url", "W", "https://[::1]", good),
            ("url", "W", "http://169.254.169.254/latest", good), ("url", "W", "https://2130706434", good), ("url", "W", "https://w.example:22", good), ("url", "W", "http://192.168.1.1:8080", good),
            ("key", "W", "https://w.example", ""), ("key", "W", "https://w.example", log.ToString()), ("key", "W", "https://w.example", new VerifierKey("w", log.PublicKey, SignatureType.CosignatureV1).ToString()),
        })
        {
            var answer = await owner.JsonAsync(HttpMethod.Post, Api, new { name, url, key });
            Assert.True(answer.Status == HttpStatusCode.UnprocessableEntity && answer.Code == "CHP-WITNESS-0001" && answer.Json.GetProperty("fields").TryGetProperty(field, out _), $"{field} {url}: {answer}");
        }
        await AddAsync(owner, witness);
        Assert.True((await owner.JsonAsync(HttpMethod.Post, Api, new { name = "Again", url = "https://w.example", key = good })).Json.GetProperty("fields").TryGetProperty("key", out _));
        for (var i = 0; i < 7; i++)
            Assert.Equal(HttpStatusCode.Created, (await owner.JsonAsync(HttpMethod.Post, Api, new { name = "W", url = witness.Address.ToString(), key = KeyOf(i) })).Status);
        Assert.Equal("CHP-WITNESS-0002", (await owner.JsonAsync(HttpMethod.Post, Api, new { name = "W", url = witness.Address.ToString(), key = KeyOf(8) })).Code);

        static string KeyOf(int i) => new VerifierKey($"w{i}", Ed25519.PublicKey(Hash256.Of([(byte)i]).ToArray()), SignatureType.CosignatureV1).ToString();
    }

    [Fact]
    public async Task Other_roles_and_other_clinics_reach_no_witness()
    {
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        await using var witness = await TestWitness.StartAsync(await KeyAsync());
        var id = await AddAsync(owner, witness);
        foreach (var role in new[] { BuiltInRole.Doctor, BuiltInRole.Reception, BuiltInRole.ReadOnly })
        {
            using var somebody = await house.SignInAs(role);
            foreach (var (method, path) in new[] { (HttpMethod.Get, Api), (HttpMethod.Post, Api), (HttpMethod.Delete, $"{Api}/{id}"), (HttpMethod.Post, $"{Api}/{id}/test") })
                Assert.Equal(HttpStatusCode.Forbidden, (await somebody.JsonAsync(method, path, new { name = "W", url = "https://w.example", key = "k" })).Status);
        }
        using var elsewhere = await house.SignInAs(BuiltInRole.Owner, house.Other);
        Assert.Equal(HttpStatusCode.NotFound, (await elsewhere.SendAsync(HttpMethod.Delete, $"{Api}/{id}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await elsewhere.JsonAsync(HttpMethod.Post, $"{Api}/{id}/test", new { })).Status);
        Assert.Equal(0, (await elsewhere.GetAsync(Api)).Json.GetProperty("items").GetArrayLength());
        house.Server.Clock.Advance(TimeSpan.FromMinutes(6));      // the second factor is not fresh any more
        Assert.Equal("CHP-ACCESS-0005", (await owner.SendAsync(HttpMethod.Delete, $"{Api}/{id}")).Code);
        Assert.Single((await owner.GetAsync(Api)).Json.GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task One_that_saw_another_log_raises_the_alarm_once_and_until_it_cosigns_again()
    {
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        await using var witness = await TestWitness.StartAsync(await KeyAsync());
        // What the log was before it was rewritten, as only the witness remembers it.
        var signer = await house.Server.Services.GetRequiredService<KeyRing>().LogSignerAsync(house.Clinic.Tenant.Id, Origin, Cancel);
        using (var http = new HttpClient())
        {
            using var content = new ByteArrayContent(new WitnessRequest(0, [], new Checkpoint(Origin, 99_999, Hash256.Of("before"u8)).Sign(signer)).ToBytes());
            using var answer = await http.PostAsync(new Uri(witness.Address, "add-checkpoint"), content, Cancel);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
        var id = await AddAsync(owner, witness);
        var told = Assert.Single(await house.EventsAsync("witness.objected", 1));
        Assert.Equal((EventSeverity.Critical, "CHP-WITNESS-0012", new EventEntity("witness", id)), (told.Severity, told.Reason, told.Entity));
        var mail = await house.Mail.NextAsync();
        Assert.StartsWith("A witness says that your audit log was rewritten", mail.Subject, StringComparison.Ordinal);
        Assert.DoesNotContain("Data protection", mail.Text, StringComparison.Ordinal);
        await Until(async () => (await owner.GetAsync("/")).Text.Contains("The witness says that the log does not continue what it saw before", StringComparison.Ordinal));   // on every page
        var page = WebUtility.HtmlDecode((await owner.GetAsync(Integrity)).Text);
        Assert.Contains("Objects", page, StringComparison.Ordinal);
        Assert.Contains("Tell whoever runs this server at once", page, StringComparison.Ordinal);
        Assert.Equal("objects", (await Only(owner)).GetProperty("state").GetString());
        for (var i = 0; i < 3; i++) await Runner.RunClinicAsync(house.Clinic.Tenant, changed: true, Cancel);
        Assert.Single(await house.EventsAsync("witness.objected"));
        Assert.Equal(1, house.Mail.Count);
        Assert.Equal(HttpStatusCode.NoContent, (await owner.SendAsync(HttpMethod.Delete, $"{Api}/{id}")).Status);
        await Until(async () => !(await owner.GetAsync("/")).Text.Contains("does not continue what it saw before", StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_that_is_silent_for_a_day_is_told_of_once_and_so_is_its_return()
    {
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        await using var witness = await TestWitness.StartAsync(await KeyAsync());
        await AddAsync(owner, witness);
        await Until(async () => (await Only(owner)).GetProperty("state").GetString() == "guarding");
        await witness.StopAsync();
        await Until(async () => (await Only(owner)).GetProperty("state").GetString() == "failing");     // the clinic's pages go on all the while
        Assert.Empty(await house.EventsAsync("witness.silent"));
        await house.Server.Database.ExecuteAsync("UPDATE ledger.witness_state SET failing_since = failing_since - interval '25 hours' WHERE fault IS NOT NULL");
        for (var i = 0; i < 3; i++) await Runner.RunClinicAsync(house.Clinic.Tenant, changed: true, Cancel);
        var silent = Assert.Single(await house.EventsAsync("witness.silent", 1));
        Assert.Equal("CHP-WITNESS-0003", silent.Reason);
        Assert.StartsWith("A witness of your audit log is silent", (await house.Mail.NextAsync()).Subject, StringComparison.Ordinal);
        await witness.StartAgainAsync();
        await Runner.RunClinicAsync(house.Clinic.Tenant, changed: true, Cancel);
        Assert.Single(await house.EventsAsync("witness.returned", 1));
        Assert.Equal("guarding", (await Only(owner)).GetProperty("state").GetString());
        Assert.Single(await house.EventsAsync("witness.silent"));
    }

    [Fact]
    public async Task The_owners_get_the_checkpoint_by_mail_once_a_week_and_the_mail_itself_holds_the_log()
    {
        var monitor = house.Server.Services.GetRequiredMonitor();
        Assert.True((await monitor.Run(new MailCheckpoint(), house.AsSystem(), Cancel)).Succeeded);
        Assert.Equal(PlatformErrors.Conflict.Code, (await monitor.Run(new MailCheckpoint(), house.AsSystem(), Cancel)).Error?.Code);
        var mail = await house.Mail.NextAsync();
        Assert.Equal(house.Clinic.Account(BuiltInRole.Owner).Email, Assert.Single(mail.To));
        Assert.StartsWith("Keep this", mail.Subject, StringComparison.Ordinal);
        Assert.DoesNotContain("Olive", mail.Text, StringComparison.Ordinal);
        var size = Assert.Single(await house.EventsAsync("ledger.checkpoint_mailed"), happened => happened.Outcome == EventOutcome.Success).Details["size"];
        Assert.Equal("mailed", await house.Server.Database.ExecuteAsync($"SELECT keep FROM ledger.checkpoint WHERE tenant_id = '{house.Clinic.Tenant.Id}' AND size = {size}"));

        // The whole mail as it was sent, and its text, are what --checkpoint takes.
        var verifier = house.Server.Services.GetRequiredService<DatabaseVerifier>();
        foreach (var kept in new[] { mail.Data, Encoding.UTF8.GetBytes(mail.Text) })
        {
            var found = CheckpointInText.Find(kept);
            var key = await KeyAsync();
            Assert.True(Checkpoint.TryOpen(found.Span, key, out _));
            Assert.Equal(0, (await verifier.VerifyAsync(house.Clinic.Tenant.Id, "Clinic", found, null, Cancel)).ExitCode);
        }
        Assert.Equal(1, house.Mail.Count);
    }

    [Fact]
    public async Task A_log_that_does_not_verify_is_told_by_mail_once_a_day_and_stands_in_the_history_of_checks()
    {
        var integrity = house.Server.Services.GetRequiredService<IntegrityCheck>();
        await KeyAsync();
        Assert.Equal(0, (await integrity.VerifyAsync(house.Clinic.Tenant, Cancel)).ExitCode);
        await house.Server.Database.ExecuteAsync($"SET session_replication_role = replica; UPDATE clinic.patient SET version = version + 1 WHERE tenant_id = '{house.Clinic.Tenant.Id}' AND id = '{house.Clinic.Patients[0]}'");
        for (var i = 0; i < 2; i++) Assert.Equal(1, (await integrity.VerifyAsync(house.Clinic.Tenant, Cancel)).ExitCode);
        var mail = await house.Mail.NextAsync();
        Assert.StartsWith("Your audit log or records are not what was signed", mail.Subject, StringComparison.Ordinal);
        Assert.Equal(house.Clinic.Account(BuiltInRole.Owner).Email, Assert.Single(mail.To));
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        var checks = (await owner.GetAsync("/api/audit/integrity")).Json.GetProperty("checks").EnumerateArray().ToList();
        Assert.Equal([false, false, true], checks.Take(3).Select(check => check.GetProperty("good").GetBoolean()));
        Assert.Equal(checks[2].GetProperty("size").GetInt64(), checks[2].GetProperty("verified").GetInt64());
        var page = (await owner.GetAsync(Integrity)).Text;
        Assert.Contains("Earlier verifications", page, StringComparison.Ordinal);
        Assert.Contains("index 0 to ", page, StringComparison.Ordinal);
        await house.Server.Database.ExecuteAsync($"SET session_replication_role = replica; UPDATE clinic.patient SET version = version - 1 WHERE tenant_id = '{house.Clinic.Tenant.Id}' AND id = '{house.Clinic.Patients[0]}'");
        Assert.Equal(0, (await integrity.VerifyAsync(house.Clinic.Tenant, Cancel)).ExitCode);
        Assert.Equal(1, house.Mail.Count);
    }

    private static bool Unguarded(byte[] zip)
    {
        using var bundle = LogSource.Zip(new MemoryStream(zip));
        Assert.Equal(0, Verifier.Verify(bundle, "export", new(), Cancel).ExitCode);
        return Encoding.UTF8.GetString(bundle.Read("policy")!).EndsWith("\nquorum none\n", StringComparison.Ordinal);
    }

    private WitnessRunner Runner => house.Server.Services.GetRequiredService<WitnessRunner>();

    private string Origin => KeyAsync().GetAwaiter().GetResult().Name;

    private async Task<VerifierKey> KeyAsync()
    {
        object? origin = null;
        await Until(async () => (origin = await house.Server.Database.ExecuteAsync($"SELECT split_part(note, E'\\n', 1) FROM ledger.checkpoint WHERE tenant_id = '{house.Clinic.Tenant.Id}' LIMIT 1")) is string);
        return (await house.Server.Services.GetRequiredService<KeyRing>().LogSignerAsync(house.Clinic.Tenant.Id, (string)origin!, Cancel)).Key;
    }

    private static async Task<Guid> AddAsync(ClinicClient owner, TestWitness witness)
    {
        var added = await owner.JsonAsync(HttpMethod.Post, Api, new { name = "Data protection officer", url = witness.Address.ToString(), key = witness.Key.ToString() });
        Assert.True(added.Status == HttpStatusCode.Created, added.ToString());
        return added.Json.GetProperty("id").GetGuid();
    }

    private static async Task<JsonElement> Only(ClinicClient owner) => Assert.Single((await owner.GetAsync(Api)).Json.GetProperty("items").EnumerateArray());

    private static async Task Until(Func<Task<bool>> holds)
    {
        for (var tries = 0; !await holds(); tries++)
        {
            Assert.True(tries < 100, "it did not come to be");
            await Task.Delay(100, Cancel);
        }
    }
}
