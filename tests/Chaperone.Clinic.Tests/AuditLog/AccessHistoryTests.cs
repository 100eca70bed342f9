using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Chaperone.Clinic.AccessHistory;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.AuditLog;

/// <summary>Who looked at a person's data: what is shown, to whom, and what handing it over leaves behind.</summary>
public sealed class AccessHistoryTests : AuditWorld
{
    [Fact]
    public async Task Owner_reads_who_looked_at_a_patient_when_in_which_role_and_why()
    {
        await Run(new ListPatients("active", 50, null), Doctor);
        await Run(new ChangePatient(Ada, Person("Adelaide", "Zimmerstein") with { Phone = "01632 960001" }, 1), Doctor);

        var history = await Run(new ViewAccessHistory(Ada, new()), Owner);

        Assert.Equal(
            [("patient.updated", "Changed the record"), ("patient.listed", "In a list"), ("patient.viewed", "Opened the record"), ("patient.viewed", "Opened the record"), ("patient.viewed", "Opened the record"), ("patient.created", "Changed the record")],
            history.Looks.Select(look => (look.Action, look.Why)));
        Assert.All(history.Looks, look => Assert.Equal(("Wilma Quist", "Doctor", Doctor.Actor.Id), (look.Who, look.Role, look.Account)));
        Assert.Equal(["phone"], history.Looks[0].Changed);
        Assert.All(history.Looks, look => Assert.NotNull(look.Index));
        Assert.Equal((6L, true), (history.Count.Found, history.Count.IsExact));

        // Opening it is an event that names the patient and whose acts were shown, and no more of the team.
        var opened = await LastEvent();
        Assert.Equal(("audit.access_history_viewed", "patient", Ada, "role:owner/access_log.view"), (opened.Action, opened.Entity!.Type, opened.Entity.Id, opened.Decision));
        Assert.Equal(new[] { Ada, Doctor.Actor.Id!.Value }.Order(), opened.Subjects.Order());
        Assert.Equal("Looking at who looked", (await Run(new ViewAccessHistory(Ada, new()), Owner)).Looks[0].Why);
    }

    [Fact]
    public async Task A_patient_sees_their_own_history_and_nobody_elses()
    {
        var account = await Run(new CreateMember("Adelaide Zimmerstein", "adelaide@one.test", [BuiltInRole.Patient], Patient: Ada), new(Clinic, Actor.Operator, new("cli")));
        var patient = Platform.As(Clinic, BuiltInRole.Patient, Ada);
        patient = patient with { Actor = patient.Actor with { Id = account } };
        await Run(new ViewPatient(Ada), patient);

        var others = await Run(new ViewOwnAccessHistory(new()), patient);
        Assert.DoesNotContain(others.Looks, look => look.Account == account);
        Assert.Equal(3, others.Looks.Count(look => look.Action == "patient.viewed"));
        var all = await Run(new ViewOwnAccessHistory(new(WithOwn: true)), patient);
        Assert.Equal(4, all.Looks.Count(look => look.Action == "patient.viewed"));
        Assert.True((await Try(new ViewAccessHistory(Ada, new()), patient)).Succeeded);
        Assert.Equal(("patient", Ada), ((await LastEvent()).Entity!.Type, (await LastEvent()).Entity!.Id));

        foreach (var forged in new IOperation<AccessHistoryPage>[] { new ViewAccessHistory(Grace, new()), new ViewAccessHistory(Guid.NewGuid(), new()) })
            Assert.Equal(404, (await Try(forged, patient)).Error!.Status);
        Assert.Equal(404, (await Try(new StartAccessReport(Grace, "pdf"), patient)).Error!.Status);
        Assert.Equal(404, (await Try(new WriteAccessReport(Grace, new(Guid.NewGuid(), Ada, true), Stream.Null), patient)).Error!.Status);
        Assert.Equal(404, (await Send("GET", $"/api/patients/{Grace}/access-history", patient)).Status);

        // A report that was announced about oneself cannot be turned to somebody else.
        var own = await Run(new StartOwnAccessReport("json"), patient);
        using var written = new MemoryStream();
        await Run(new WriteOwnAccessReport(own with { Person = Grace }, written), patient);
        Assert.Equal(Ada, JsonDocument.Parse(written.ToArray()).RootElement.GetProperty("person").GetGuid());
    }

    [Fact]
    public async Task Staff_see_who_looked_at_themselves_and_only_with_the_permission_who_looked_at_patients()
    {
        await Run(new ViewMemberOf(Doctor.Actor.Id!.Value).Operation, Owner);
        var mine = await Run(new ViewOwnAccessHistory(new()), Doctor);
        Assert.Contains(mine.Looks, look => look.Who == "Olu Marsh" && look.Action == "staff.viewed");
        Assert.DoesNotContain(mine.Looks, look => look.Account == Doctor.Actor.Id);
        Assert.Equal(("member", Doctor.Actor.Id), ((await LastEvent()).Entity!.Type, (await LastEvent()).Entity!.Id));

        foreach (var role in new[] { BuiltInRole.Doctor, BuiltInRole.Nurse, BuiltInRole.Reception, BuiltInRole.Manager, BuiltInRole.Hr, BuiltInRole.Finance, BuiltInRole.Employee })
            Assert.Contains((await Try(new ViewAccessHistory(Ada, new()), Platform.As(Clinic, role))).Error!.Status, new[] { 403, 404 });
        foreach (var caller in new[] { Reviewer, Owner, Platform.As(Clinic, BuiltInRole.Admin) }) Assert.True((await Try(new ViewAccessHistory(Ada, new()), caller)).Succeeded);
        Assert.Equal(404, (await Try(new ViewAccessHistory(Ada, new()), Platform.As(OtherClinic, BuiltInRole.Owner))).Error!.Status);
        Assert.Equal(401, (await Try(new ViewOwnAccessHistory(new()), new(Clinic, Actor.Anonymous, new("web")))).Error!.Status);
    }

    [Fact]
    public async Task Treating_somebody_is_no_right_to_see_who_looked_at_them()
    {
        // A doctor who is also an employee holds the permission about themselves, and an appointment makes them as close to the patient as that asks.
        var now = Platform.Clock.GetUtcNow();
        await Platform.Database.ExecuteAsync(
            $"SET session_replication_role = replica; INSERT INTO clinic.appointment (tenant_id, id, subject_id, practitioner_id, type, status, starts_at, ends_at, key_version, version, sealed) VALUES ('{Clinic.Id}', '{Guid.NewGuid()}', '{Ada}', '{Doctor.Actor.Id}', 'consultation', 'booked', '{now:O}', '{now.AddMinutes(15):O}', 1, 1, '\\x00')");
        var both = Doctor with { Actor = Doctor.Actor with { Rights = ActorRights.Compile([new(BuiltInRole.Doctor), new(BuiltInRole.Employee)], [], []) } };
        Assert.Equal("CHP-ACCESS-0002", (await Try(new ViewAccessHistory(Ada, new()), both)).Error!.Code);
        Assert.Equal("CHP-ACCESS-0002", (await Try(new StartAccessReport(Ada, "pdf"), both)).Error!.Code);
        Assert.Equal("CHP-ACCESS-0002", (await Try(new WriteAccessReport(Ada, new(Guid.NewGuid(), Ada, true), Stream.Null), both)).Error!.Code);
    }

    [Fact]
    public async Task Report_to_hand_over_is_whole_logged_and_says_nothing_of_others()
    {
        await Run(new ListPatients("active", 50, null), Doctor);
        var (status, body, headers) = await Send("GET", $"/api/patients/{Ada}/access-history/report?format=json", Owner);   // its own announcement is the newest of it
        var report = JsonDocument.Parse(body).RootElement;

        Assert.Equal((200, 6, 6), (status, report.GetProperty("count").GetInt32(), report.GetProperty("events").GetArrayLength()));
        Assert.Matches("^attachment; filename=\"access-history-[0-9-]+\\.json\"$", headers.ContentDisposition.ToString());
        Assert.True(Checkpoint.TryOpen(Encoding.UTF8.GetBytes(report.GetProperty("checkpoint").GetString()!), VerifierKey.Parse(report.GetProperty("key").GetString()!), out _));
        Assert.DoesNotContain(Grace.ToString(), Encoding.UTF8.GetString(body), StringComparison.Ordinal);
        var left = (await Platform.EventsAsync(Clinic)).Where(each => each.Action is "data.export_started" or "data.exported").OrderBy(each => each.Id).ToList();
        Assert.Equal(["data.export_started", "data.exported"], left.Select(each => each.Action));
        Assert.All(left, each => Assert.Equal(("access_history", "json"), (each.Details["what"].Code, each.Details["format"].Code)));
        Assert.All(left, each => Assert.Contains(Ada, each.Subjects));
        Assert.Equal((6L, "yes", Convert.ToHexStringLower(SHA256.HashData(body))), (left[1].Details["rows"].Number, left[1].Details["complete"].Code, left[1].Details["sha256"].Code));

        var pdf = Encoding.ASCII.GetString((await Send("POST", $"/patients/{Ada}/access-history/report", Owner, new Dictionary<string, string> { ["format"] = "pdf", ["__token"] = "x" })).Body);
        Assert.StartsWith("%PDF-1.7", pdf, StringComparison.Ordinal);
        foreach (var said in new[] { "Who saw or changed this person's data", "ZIMMERSTEIN, Adelaide", "29-Feb-1980", "Wilma Quist", "Opened the record", "In a list", "Is the log intact?" }) Assert.Contains($"({said})", pdf, StringComparison.Ordinal);
        Assert.Equal("CHP-ACCESSLOG-0002", JsonDocument.Parse((await Send("GET", $"/api/patients/{Ada}/access-history/report?format=doc", Owner)).Body).RootElement.GetProperty("code").GetString());

        // Who may not see names gets none with the report; and who hands it over gave a code just now.
        var blind = await Send("GET", $"/api/patients/{Ada}/access-history/report", Reviewer);
        Assert.DoesNotContain("ZIMMERSTEIN", Encoding.ASCII.GetString(blind.Body), StringComparison.Ordinal);
        Assert.Contains(Ada.ToString(), Encoding.ASCII.GetString(blind.Body), StringComparison.Ordinal);
        var stale = Owner with { Actor = Owner.Actor with { State = Owner.Actor.State with { SteppedUpAt = Platform.Clock.GetUtcNow().AddMinutes(-6) } } };
        Assert.Equal("CHP-ACCESS-0005", JsonDocument.Parse((await Send("GET", $"/api/patients/{Ada}/access-history/report", stale)).Body).RootElement.GetProperty("code").GetString());
        Assert.StartsWith("/step-up", (await Send("POST", $"/patients/{Ada}/access-history/report", stale, new Dictionary<string, string> { ["format"] = "pdf", ["__token"] = "x" })).Headers.Location.ToString(), StringComparison.Ordinal);
        Assert.StartsWith("%PDF", Encoding.ASCII.GetString((await Send("GET", "/api/me/access-history/report", stale)).Body), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_as_json_proves_each_event_and_any_flipped_byte_is_found()
    {
        await Run(new ListPatients("active", 50, null), Doctor);
        var body = (await Send("GET", $"/api/patients/{Ada}/access-history/report?format=json", Owner)).Body;
        var report = JsonDocument.Parse(body).RootElement;
        var events = report.GetProperty("events").EnumerateArray().ToList();
        Assert.All(events, each => Assert.True(each.TryGetProperty("proof", out _)));
        // What showed others too is proved without saying whom.
        var named = events.Where(each => each.TryGetProperty("event", out _)).Select(each => each.GetProperty("action").GetString()).ToList();
        Assert.Equal(events.Count - 1, named.Count);
        Assert.DoesNotContain("patient.listed", named);
        Assert.DoesNotContain(Grace.ToString(), Encoding.UTF8.GetString(body), StringComparison.Ordinal);
        var lines = (await Platform.EventsAsync(Clinic)).ToDictionary(each => each.Id, each => Encoding.UTF8.GetString(EventJson.Write(each)));
        foreach (var each in events.Where(each => each.TryGetProperty("event", out _))) Assert.Equal(lines[each.GetProperty("id").GetGuid()], each.GetProperty("event").GetString());

        var file = Path.Combine(Directory.CreateTempSubdirectory("chaperone-report-").FullName, "report.json");
        var key = file + ".key";
        await File.WriteAllTextAsync(key, report.GetProperty("key").GetString());
        var good = Check(body);
        Assert.True(good.ExitCode == 0, good.ToText());
        Assert.Equal((events.Count - 1, true), (good.Verified, good.ToText().Contains("1 events are proved by their entries alone", StringComparison.Ordinal)));
        for (var at = 0; at < body.Length - 1; at += 53)
        {
            var changed = body.ToArray();
            changed[at] ^= 1;
            Assert.True(Check(changed).ExitCode != 0, $"the byte at {at} may be changed");
        }
        // With the whole file made anew by somebody who lacks the key, what each event says of itself still holds.
        var text = Encoding.UTF8.GetString(body);
        Assert.Equal(1, Check(Encoding.UTF8.GetBytes(text.Replace("Wilma Quist", "Wilma Quest", StringComparison.Ordinal))).ExitCode);
        Assert.Contains("not what it says itself", Check(Encoding.UTF8.GetBytes(text.Replace("\"action\": \"patient.viewed\"", "\"action\": \"patient.listed\"", StringComparison.Ordinal))).ToText(), StringComparison.Ordinal);
        Assert.Contains("do not lead to the root", Check(Encoding.UTF8.GetBytes(Regex.Replace(text, "\"index\": ([0-9]+)", found => $"\"index\": {found.Groups[1].Value}1"))).ToText(), StringComparison.Ordinal);
        Assert.Equal(1, Check([.. body, (byte)' ']).ExitCode);
        await File.WriteAllTextAsync(key, "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
        Assert.NotEqual(0, Check(body).ExitCode);

        // Who may not export the log hands out no event, and the patient gets none either: entries and proofs alone.
        foreach (var (address, caller) in new[] { ($"/api/patients/{Ada}/access-history/report?format=json", Reviewer), ("/api/me/access-history/report?format=json", Platform.As(Clinic, BuiltInRole.Patient, Ada)) })
        {
            var (status, without, _) = await Send("GET", address, caller);
            Assert.Equal(200, status);
            Assert.DoesNotContain("\"event\":", Encoding.UTF8.GetString(without), StringComparison.Ordinal);
            Assert.DoesNotContain("192.0.2.44", Encoding.UTF8.GetString(without), StringComparison.Ordinal);
            await File.WriteAllTextAsync(key, report.GetProperty("key").GetString());
            var entries = Check(without);
            Assert.True(entries.ExitCode == 0, entries.ToText());
            Assert.Equal(0, entries.Verified);
        }
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);

        VerificationReport Check(byte[] bytes)
        {
            File.WriteAllBytes(file, bytes);
            return Verifier.VerifyAt(file, new(Key: key));
        }
    }

    [Fact]
    public async Task Pages_page_and_wrong_cursors_are_told()
    {
        for (var i = 0; i < 60; i++) await Run(new ViewPatient(Ada), Doctor);
        var html = Encoding.UTF8.GetString((await Send("GET", $"/patients/{Ada}/access-history", Owner)).Body);
        Assert.Contains("50 of 64 events, newest first", html, StringComparison.Ordinal);
        Assert.DoesNotContain("Zimmerstein", html, StringComparison.OrdinalIgnoreCase);
        var older = Regex.Match(html, "href=\"([^\"]*cursor=[^\"]*)\"").Groups[1].Value;
        Assert.Contains("14 of 65 events", Encoding.UTF8.GetString((await Send("GET", older, Owner)).Body), StringComparison.Ordinal);
        foreach (var wrong in new[] { "cursor=x", "newer=1", $"cursor={Guid.NewGuid():N}&newer={Guid.NewGuid():N}" })
            Assert.Equal((400, "CHP-ACCESSLOG-0001"), await Code($"/api/me/access-history?{wrong}"));

        async Task<(int, string?)> Code(string address)
        {
            var (status, body, _) = await Send("GET", address, Owner);
            return (status, JsonDocument.Parse(body).RootElement.GetProperty("code").GetString());
        }
    }

    [Theory]
    [InlineData("appointment.moved", "role:reception/schedule.edit", "For an appointment"), InlineData("patient.searched", "role:doctor/patient.view", "Found in a search")]
    [InlineData("data.exported", "role:owner/patient.export", "In an export"), InlineData("patient.viewed", "elevation:patient.view", "Opened the record, with temporary elevated access")]
    [InlineData("schedule.viewed", "role:doctor/schedule.view", "In the schedule"), InlineData("import.finished", "system:import", "In an import"), InlineData("patient.archived", "role:doctor/patient.delete", "Changed the record")]
    public void Why_is_said_by_action_and_decision(string action, string decision, string why) => Assert.Equal(why, AccessLook.WhyOf(new()
    {
        Id = Guid.NewGuid(), At = default, Action = action, Category = action == "patient.archived" ? EventCategory.DataChange : EventCategory.DataAccess, Actor = new(ActorKind.User), Source = new("web"), Decision = decision,
    }));

    private sealed record ViewMemberOf(Guid Member)
    {
        public Chaperone.Clinic.Team.ViewMember Operation { get; } = new(Member);
    }
}
