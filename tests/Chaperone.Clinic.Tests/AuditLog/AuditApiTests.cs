using System.Text;
using System.Text.Json;
using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Shell;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.AuditLog;

/// <summary>The routes and the pages.</summary>
public sealed class AuditApiTests : AuditWorld
{
    [Fact]
    public async Task Events_are_listed_as_they_were_written_with_their_index_and_pages_join()
    {
        var expected = (await Platform.EventsAsync(Clinic)).Where(each => each.Subjects.Contains(Ada)).OrderByDescending(each => each.Id).ToList();
        var items = new List<JsonElement>();
        for (string? next = ""; next is not null;)
        {
            var (status, page) = await Api($"events?subject={Ada}&action=&limit=2{(next.Length > 0 ? "&cursor=" + next : "")}");
            Assert.Equal(200, status);
            items.AddRange(page.GetProperty("items").EnumerateArray());
            next = page.GetProperty("next").GetString();
        }
        var before = items.Where(item => item.GetProperty("action").GetString() != "audit.viewed").ToList();
        Assert.Equal(expected.Select(each => each.Id), before.Select(item => item.GetProperty("id").GetGuid()));
        Assert.All(before, item => Assert.True(item.GetProperty("index").GetInt64() >= 0));
        Assert.Equal("role:doctor/patient.view", before[0].GetProperty("decision").GetString());

        var (_, one) = await Api($"events/{expected[0].Id}");
        Assert.Equal(Encoding.UTF8.GetString(EventJson.Write(expected[0])), JsonSerializer.Serialize(one).Replace($"\"index\":{one.GetProperty("index")},\"readable\":true,", "", StringComparison.Ordinal));
        Assert.Equal(404, (await Api($"events/{Guid.NewGuid()}")).Status);
    }

    [Theory]
    [InlineData("events?action=patient.viewd", "action"), InlineData("events?actor=Wilma", "actor"), InlineData("events?entity=1", "entity"), InlineData("events?subject=%27%20OR%201=1", "subject")]
    [InlineData("events?category=DataAccess", "category"), InlineData("events?severity=bad", "severity"), InlineData("events?outcome=ok", "outcome"), InlineData("events?from=yesterday", "from")]
    [InlineData("events?from=2026-02-30", "from"), InlineData("events?to=2026-01-01T00:00:00", "to"), InlineData("events?from=2026-03-02&to=2026-03-01", "to"), InlineData("events?to=9999-12-31", "to")]
    [InlineData("events?limit=0", "limit"), InlineData("events?limit=201", "limit"), InlineData("events?limit=-1", "limit"), InlineData("events?limit=x", "limit"), InlineData("events?cursor=x", "cursor")]
    [InlineData("events?ip=192.0.2.44", "ip"), InlineData("events?newer=x", "newer"), InlineData("events?count=yes", "count")]
    [InlineData("events?cursor=0190a0b0c0d070008000000000000000&newer=0190a0b0c0d070008000000000000000", "newer")]
    [InlineData("events?cursor=00000000000000000000000000000000", "cursor"), InlineData("events?acton=patient.viewed", "acton")]
    [InlineData("export?format=doc", "format"), InlineData("export?format=bundle&action=patient.viewed", "action"), InlineData("export?format=csv&from=x", "from"), InlineData("export?limit=5", "limit")]
    public async Task Bad_input_names_the_field_and_leaves_an_event(string address, string field)
    {
        var (status, problem) = await Api(address, Owner);
        Assert.Equal(400, status);
        Assert.StartsWith("CHP-AUDIT-000", problem.GetProperty("code").GetString(), StringComparison.Ordinal);
        Assert.Equal([field], problem.GetProperty("fields").EnumerateObject().Select(each => each.Name));
        Assert.Equal((EventOutcome.Failure, problem.GetProperty("code").GetString()), ((await LastEvent()).Outcome, (await LastEvent()).Reason));
    }

    [Fact]
    public async Task Names_of_fields_that_are_no_names_are_not_given_back()
    {
        var (status, problem) = await Api("events?%3Cscript%3E=1", Owner);
        Assert.Equal((400, ""), (status, problem.GetProperty("fields").EnumerateObject().Single().Name));
    }

    [Fact]
    public async Task Integrity_is_pending_then_verified_then_failed_when_a_body_was_altered()
    {
        Assert.Equal("pending", (await Api("integrity")).Json.GetProperty("state").GetString());
        var check = Platform.Services.GetRequiredService<IntegrityCheck>();
        var notice = Platform.Services.GetRequiredService<IntegrityOfRequest>();

        await check.VerifyAsync(Clinic, CancellationToken.None);
        var good = (await Api("integrity")).Json;
        Assert.Equal("verified", good.GetProperty("state").GetString());
        Assert.Equal(good.GetProperty("size").GetInt64() - 1, good.GetProperty("verifiedTo").GetInt64());
        Assert.True(Checkpoint.TryOpen(Encoding.UTF8.GetBytes(good.GetProperty("checkpoint").GetProperty("note").GetString()!), VerifierKey.Parse(good.GetProperty("checkpoint").GetProperty("key").GetString()!), out var head));
        Assert.True(head.Size > good.GetProperty("size").GetInt64());
        Assert.Null(notice.Find(Clinic));

        await Platform.Database.ExecuteAsync($"SET session_replication_role = replica; UPDATE ledger.event SET actor_id = '{Guid.NewGuid()}' WHERE tenant_id = '{Clinic.Id}' AND action = 'patient.created'");
        await check.VerifyAsync(Clinic, CancellationToken.None);
        var bad = (await Api("integrity")).Json;
        Assert.Equal("failed", bad.GetProperty("state").GetString());
        Assert.True(bad.GetProperty("firstBadIndex").GetInt64() >= 0);
        Assert.Equal("/settings/audit-log/integrity", notice.Find(Clinic)!.Href);
        Assert.Null(notice.Find(OtherClinic));

        Assert.Contains("The audit log does not verify.", await Page("/settings/audit-log"), StringComparison.Ordinal);
        Assert.Contains("Does not verify", await Page("/settings/audit-log/integrity"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Integrity_says_which_range_was_read_how_far_that_is_behind_and_what_is_under_way()
    {
        var check = Platform.Services.GetRequiredService<IntegrityCheck>();
        await Api("integrity");
        await check.VerifyAsync(Clinic, CancellationToken.None);
        Platform.Clock.Advance(TimeSpan.FromMinutes(5));
        for (var i = 0; i < 3; i++) await Run(new ViewPatient(Ada), Doctor);
        var json = (await Api("integrity")).Json;
        var size = json.GetProperty("size").GetInt64();
        Assert.Equal((0L, size, 300L), (json.GetProperty("from").GetInt64(), json.GetProperty("whole").GetProperty("size").GetInt64(), json.GetProperty("lag").GetProperty("seconds").GetInt64()));
        Assert.Equal(json.GetProperty("checkpoint").GetProperty("size").GetInt64() - size, json.GetProperty("lag").GetProperty("events").GetInt64());
        Assert.True(json.GetProperty("lag").GetProperty("events").GetInt64() >= 4);     // the three, and the verification's own
        var page = System.Net.WebUtility.HtmlDecode(Encoding.UTF8.GetString((await Send("GET", "/settings/audit-log/integrity", Reviewer)).Body));
        Assert.Contains($"the whole log, index 0 to {size - 1}", page, StringComparison.Ordinal);
        Assert.Contains("events since, 5 minutes ago", page, StringComparison.Ordinal);
        Assert.Contains("That verification has ended", Encoding.UTF8.GetString((await Send("GET", "/settings/audit-log/integrity/running", Reviewer)).Body), StringComparison.Ordinal);
        Assert.Equal(403, (await Send("GET", "/settings/audit-log/integrity/running", Doctor)).Status);

        // Where only what is new was read, neither the badge nor a report's cover says that all was.
        var (at, utc) = (new DateTimeOffset(2026, 5, 6, 7, 8, 9, TimeSpan.Zero), TimeZoneInfo.Utc);
        var part = new LogIntegrity(LogIntegrity.Verified, 699, 700, at, null, null) { From = 512, Whole = new(600, at.AddDays(-2)) };
        Assert.Contains("from index 512 to 699", PdfEvidence.Statement(part, utc), StringComparison.Ordinal);
        Assert.Contains("last read on 04-May-2026 07:08:09, and each of its 600 events", PdfEvidence.Statement(part, utc), StringComparison.Ordinal);
        Assert.Contains("read every event up to index 699 again", PdfEvidence.Statement(part with { From = 0 }, utc), StringComparison.Ordinal);
        Assert.Contains("what was new, from index 512, to index 699", await Shell.Rendering.Html<IntegrityBadge>(("Integrity", part), ("Zone", utc)), StringComparison.Ordinal);
        Assert.Contains("every event to index 699", await Shell.Rendering.Html<IntegrityBadge>(("Integrity", part with { From = 0 }), ("Zone", utc)), StringComparison.Ordinal);

        var running = new RunningCheck(250, 1000, TimeSpan.FromSeconds(5));
        Assert.Contains("250 of 1,000 events, 50 a second, 15 s left", await Shell.Rendering.Html<VerificationRunning>(("Running", running)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_shows_who_what_about_whom_from_where_by_which_path_and_no_patients_name()
    {
        await Api("integrity");   // signs what there is
        await Platform.Services.GetRequiredService<IntegrityCheck>().VerifyAsync(Clinic, CancellationToken.None);
        var html = await Page($"/settings/audit-log?subject={Ada}&outcome=success");

        Assert.Contains("Wilma Quist", html, StringComparison.Ordinal);
        Assert.Contains("<small>Doctor</small>", html, StringComparison.Ordinal);
        Assert.Contains(EventCatalogue.Find("patient.viewed").Sentence.Replace("'", "&#x27;", StringComparison.Ordinal), html, StringComparison.Ordinal);
        Assert.Contains($"href=\"/patients/{Ada}\"", html, StringComparison.Ordinal);
        Assert.Contains("1 person", html, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1", html, StringComparison.Ordinal);
        Assert.Contains("GET /test", html, StringComparison.Ordinal);
        Assert.Contains("Allowed: the role Doctor may", html, StringComparison.Ordinal);
        Assert.Contains("<details><summary>Details", html, StringComparison.Ordinal);
        Assert.Contains("SHA-256 <code>", html, StringComparison.Ordinal);
        Assert.Contains($"About person {Ada}", html, StringComparison.Ordinal);
        Assert.Contains("every event to index", html, StringComparison.Ordinal);
        Assert.DoesNotContain("Zimmerstein", html, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(["outcome", "subject"], (await LastEvent()).Fields);
    }

    [Fact]
    public async Task Page_of_one_event_names_everybody_by_id()
    {
        var created = (await Platform.EventsAsync(Clinic)).Single(each => each.Action == "patient.created" && each.Entity!.Id == Ada);
        var html = await Page($"/settings/audit-log/{created.Id}");
        Assert.Contains($"<a href=\"/patients/{Ada}\"><code>{Ada}</code></a>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("Zimmerstein", html, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(404, (await Send("GET", $"/settings/audit-log/{Guid.NewGuid()}", Reviewer)).Status);
    }

    [Fact]
    public async Task Page_tells_a_wrong_field_at_the_field_and_shows_the_log_without_it()
    {
        var (status, body, _) = await Send("GET", "/settings/audit-log?from=tomorrow&action=patient.viewed", Reviewer);
        var html = Encoding.UTF8.GetString(body);
        Assert.Equal(400, status);
        Assert.Contains("id=\"from-error\"", html, StringComparison.Ordinal);
        Assert.Contains("value=\"tomorrow\"", html, StringComparison.Ordinal);
        Assert.Contains("patient.viewed", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_pages_and_says_when_there_is_nothing()
    {
        var html = await Page("/settings/audit-log?action=patient.viewed&limit=2");
        var older = System.Text.RegularExpressions.Regex.Match(html, "href=\"(/settings/audit-log\\?[^\"]*cursor=[^\"]*)\"").Groups[1].Value.Replace("&amp;", "&", StringComparison.Ordinal);
        Assert.Contains("action=patient.viewed", older, StringComparison.Ordinal);
        Assert.Contains("Newest", await Page(older), StringComparison.Ordinal);
        Assert.Contains("Nothing of that in the log", await Page("/settings/audit-log?action=payment.created"), StringComparison.Ordinal);
        Assert.Equal(403, (await Send("GET", "/settings/audit-log", Platform.As(Clinic, BuiltInRole.Doctor))).Status);
    }

    [Fact]
    public async Task Events_from_an_address_are_found_by_a_link_that_does_not_say_it()
    {
        for (var i = 0; i < 3; i++) await Page("/settings/audit-log");
        var (status, _, headers) = await Send("POST", "/settings/audit-log/filter", Reviewer, new Dictionary<string, string> { ["address"] = " ::ffff:192.0.2.44 ", ["action"] = "audit.viewed", ["actor"] = "", ["__token"] = "x" });
        var link = headers.Location.ToString();
        Assert.Equal(303, status);
        Assert.Matches("^/settings/audit-log\\?action=audit\\.viewed&ip=[0-9a-f]{32}$", link);

        var html = await Page(link);
        Assert.Contains("From 192.0.2.44", html, StringComparison.Ordinal);
        Assert.Contains("value=\"192.0.2.44\"", html, StringComparison.Ordinal);
        Assert.Equal(3, System.Text.RegularExpressions.Regex.Count(html, "class=\"audit-row\""));
        Assert.DoesNotMatch("(href|action)=\"[^\"]*192\\.0\\.2", html);
        Assert.Equal(["action", "ip"], (await LastEvent()).Fields);

        // Another clinic's token stands for nothing here, and tells nobody that both were visited from one address.
        var foreign = await Run(new TokenOfAddress("192.0.2.44"), Platform.As(OtherClinic, BuiltInRole.Owner));
        Assert.DoesNotContain(foreign, link, StringComparison.Ordinal);
        Assert.Contains("Nothing of that in the log", await Page("/settings/audit-log?ip=" + foreign), StringComparison.Ordinal);
        Assert.Equal(403, (await Try(new TokenOfAddress("192.0.2.44"), Platform.As(Clinic, BuiltInRole.Nurse))).Error!.Status);
    }

    [Theory]
    [InlineData("1"), InlineData("localhost"), InlineData("192.0.2"), InlineData("192.0.2.256"), InlineData("<script>")]
    public async Task What_is_no_address_is_told_at_its_field(string typed)
    {
        var (status, body, _) = await Send("POST", "/settings/audit-log/filter", Reviewer, new Dictionary<string, string> { ["address"] = typed, ["action"] = "patient.viewed", ["__token"] = "x" });
        var html = Encoding.UTF8.GetString(body);
        Assert.Equal(422, status);
        Assert.Contains("id=\"address-error\"", html, StringComparison.Ordinal);
        Assert.Contains("<option value=\"patient.viewed\" selected", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_lead_to_newer_ones_too_and_say_how_many_there_are()
    {
        var (_, first) = await Api("events?action=patient.viewed&limit=2&count=true");
        Assert.Equal((6L, true, JsonValueKind.Null), (first.GetProperty("count").GetInt64(), first.GetProperty("countIsExact").GetBoolean(), first.GetProperty("previous").ValueKind));
        var (_, second) = await Api("events?action=patient.viewed&limit=2&cursor=" + first.GetProperty("next"));
        var (_, third) = await Api("events?action=patient.viewed&limit=2&cursor=" + second.GetProperty("next"));
        var (_, back) = await Api("events?action=patient.viewed&limit=2&newer=" + third.GetProperty("previous"));
        Assert.Equal(Ids(second), Ids(back));
        var (_, newest) = await Api("events?action=patient.viewed&limit=2&newer=" + back.GetProperty("previous"));
        Assert.Equal((Ids(first), JsonValueKind.Null), (Ids(newest), newest.GetProperty("previous").ValueKind));
        Assert.False(first.TryGetProperty("readable", out _));
        Assert.False(second.TryGetProperty("count", out _));
        Assert.Contains("2 of 6 events, newest first", await Page("/settings/audit-log?action=patient.viewed&limit=2"), StringComparison.Ordinal);

        static string Ids(JsonElement page) => string.Join(' ', page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task An_event_says_itself_in_a_sentence_and_leads_to_what_the_session_did_before_and_after()
    {
        var session = (await Platform.EventsAsync(Clinic)).Where(each => each.Actor.Session == Doctor.Actor.SessionId).OrderBy(each => each.Id).ToList();
        await Run(new ViewPatient(Grace), Doctor with { Actor = Doctor.Actor with { SessionId = Guid.NewGuid() } });
        var view = session[^3];
        var html = System.Net.WebUtility.HtmlDecode(await Page($"/settings/audit-log/{view.Id}"));
        Assert.Contains("Wilma Quist, signed in as Doctor, from 127.0.0.1: A patient's record was opened. One person's data was shown or changed. Allowed: the role Doctor may see patients' contact data, of anybody in the clinic.", html, StringComparison.Ordinal);
        Assert.Contains($"rel=\"prev\" href=\"/settings/audit-log/{session[^4].Id}\" data-turbo-frame=\"_top\"", html, StringComparison.Ordinal);
        Assert.Contains($"rel=\"next\" href=\"/settings/audit-log/{session[^2].Id}\"", html, StringComparison.Ordinal);
        Assert.Contains($"data-copy-text=\"https://one.test/settings/audit-log/{view.Id}\"", html, StringComparison.Ordinal);
        Assert.DoesNotContain("rel=\"next\"", await Page($"/settings/audit-log/{session[^1].Id}"), StringComparison.Ordinal);
    }

    private async Task<string> Page(string address)
    {
        var (status, body, _) = await Send("GET", address, Reviewer);
        Assert.True(status == 200, status + " " + string.Join(Environment.NewLine, Platform.Logs.Lines.TakeLast(3)));
        return Encoding.UTF8.GetString(body);
    }
}
