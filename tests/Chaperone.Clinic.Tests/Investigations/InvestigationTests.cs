using System.Text;
using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Investigations;
using Chaperone.Clinic.Patients;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Chaperone.Clinic.Tests.Investigations;

/// <summary>A case from its opening to its conclusion, what it holds, and what cannot be done to it.</summary>
public sealed class InvestigationTests : CaseWorld
{
    [Fact]
    public async Task A_case_goes_from_its_opening_to_a_conclusion_that_two_agreed_to()
    {
        var seen = await SeenAsync();
        var opened = await OpenAsync();
        Assert.Equal((1, seen.Count), (opened.Number, opened.Events));
        var left = await Left("investigation.opened");
        Assert.Equal((new EventEntity("investigation", opened.Id), 1 + seen.Count), (left.Entity, left.Records.Count));
        Assert.DoesNotContain("eighbour", Encoding.UTF8.GetString(EventJson.Write(left)), StringComparison.Ordinal);
        Assert.Equal(0L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.investigation c WHERE position('eighbour'::bytea IN c.sealed) > 0 OR (to_jsonb(c) - 'sealed')::text LIKE '%eighbour%'"));

        await Run(new AddCasePerson(opened.Id, Ada, "Whose record it is"), Owner);
        Assert.Equal([Ada], (await Left("investigation.person_added")).Subjects);
        await Run(new AddCaseNote(opened.Id, "  Asked the doctor.\r\nNo answer yet.  "), Owner);
        await Run(new AddCaseRecord(opened.Id, Grace, null), Owner);
        var view = await Run(new ViewCase(opened.Id), Owner);
        Assert.Equal(seen.Select(each => each.Id), view.Events.Select(each => each.EventId));
        Assert.All(view.Events, each => Assert.NotNull(each.Index));
        Assert.Equal(("Zimmerstein, Adelaide", "Whose record it is"), view.People.Select(person => (person.Name, person.Why)).Single() is var one ? (one.Name?.Replace("ZIMMERSTEIN", "Zimmerstein", StringComparison.Ordinal), one.Why) : default);
        Assert.Equal(("record", "patient", Grace), view.Records.Select(record => (record.Kind, record.RefType, record.RefId)).Single());
        Assert.Equal("Asked the doctor.\nNo answer yet.", Assert.Single(view.Notes).Text);
        Assert.Equal(["investigation.record_added", "investigation.note_added", "investigation.person_added", "investigation.opened"], view.History.Select(read => read.Event.Action));
        var looked = await Left("investigation.viewed");
        Assert.Contains(Ada, looked.Subjects);
        Assert.Contains(Doctor.Actor.Id!.Value, looked.Subjects);
        Assert.DoesNotContain(Reviewer.Actor.Id!.Value, looked.Subjects);       // has nothing to do with it

        Assert.Equal(["outcome", "text"], (await Refused(new ConcludeCase(opened.Id, "guilty", "?", view.Version), Owner)).Fields.Keys.Order());
        await Run(new ConcludeCase(opened.Id, "policy_breach", "The doctor had no reason to look.", view.Version), Owner);
        Assert.Equal(CaseErrors.NotNow.Code, (await Refused(new AddCaseNote(opened.Id, "Too late"), Owner)).Code);
        Assert.Equal(CaseErrors.NeedsSecondPerson.Code, (await Refused(new SettleConclusion(opened.Id, true, view.Version + 1), Owner)).Code);
        Assert.True(await Holds(seen[0]));
        await Run(new SettleConclusion(opened.Id, false, view.Version + 1), Owner);
        await Run(new ChangeCaseTeam(opened.Id, Admin.Actor.Id, true, view.Version + 2), Owner);
        await Run(new ConcludeCase(opened.Id, "policy_breach", "The doctor had no reason to look at it.", view.Version + 3), Owner);
        Assert.Equal(PlatformErrors.Changed.Code, (await Refused(new SettleConclusion(opened.Id, true, view.Version + 3), Admin)).Code);
        await Run(new SettleConclusion(opened.Id, true, view.Version + 4), Admin);
        Assert.False(await Holds(seen[0]));
        view = await Run(new ViewCase(opened.Id), Admin);
        Assert.Equal((CaseRow.Concluded, "policy_breach", "The doctor had no reason to look at it.", Owner.Actor.Id, Admin.Actor.Id), (view.State, view.Conclusion?.Outcome, view.Conclusion?.Text, view.ConcludedBy, view.ConfirmedBy));
        Assert.Equal(["note", "conclusion", "conclusion"], view.Notes.Select(note => note.Kind));

        await Run(new ReopenCase(opened.Id, "New facts", view.Version), Owner);
        Assert.True(await Holds(seen[0]));
        Assert.Null((await Run(new ViewCase(opened.Id), Owner)).Conclusion);
    }

    [Fact]
    public async Task A_case_takes_what_a_filter_finds_up_to_a_limit_and_no_forged_events()
    {
        var opened = await OpenAsync();
        var theirs = (await Platform.EventsAsync(OtherClinic))[0].Id;
        foreach (var forged in new[] { theirs, Guid.NewGuid() })
        {
            Assert.Equal(404, (await Refused(new AddCaseEvents(opened.Id, new([.. (await SeenAsync()).Select(each => each.Id), forged])), Owner)).Status);
            Assert.Equal(404, (await Refused(new OpenCase("Forged", "Forged list", [], null, new([forged])), Owner)).Status);
            Assert.Equal(404, (await Refused(new PrepareCase(new([forged])), Owner)).Status);
        }
        Assert.Equal(1L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.investigation"));
        var added = await Run(new AddCaseEvents(opened.Id, new([], Query((AuditQuery.Action, "patient.viewed")))), Owner);
        Assert.True(added is { AlreadyIn: 3, Added: >= 1 }, added.ToString());
        Assert.Equal(CaseErrors.NothingChosen.Code, (await Refused(new AddCaseEvents(opened.Id, CaseSelection.None), Owner)).Code);
        Assert.Equal(CaseErrors.NothingChosen.Code, (await Refused(new AddCaseEvents(opened.Id, new([], Query((AuditQuery.Action, "backup.created")))), Owner)).Code);
        Assert.Equal(CaseErrors.TooManyEvents.Code, (await Refused(new AddCaseEvents(opened.Id, new([.. Enumerable.Range(0, 501).Select(_ => Guid.NewGuid())])), Owner)).Code);
        Assert.Equal(AuditErrors.BadFilter.Code, (await Refused(new AddCaseEvents(opened.Id, new([], Query((AuditQuery.Actor, "x")))), Owner)).Code);

        var item = (await Run(new ViewCase(opened.Id), Owner)).Events[0];
        Assert.Contains("because", (await Refused(new RemoveCaseItem(opened.Id, item.ItemId, "do not like it"), Owner)).Fields.Keys);
        await Run(new RemoveCaseItem(opened.Id, item.ItemId, "not_related"), Owner);
        var told = await Left("investigation.event_removed");
        Assert.Equal(("not_related", item.EventId.ToString()), (told.Reason, told.Details["event"].Code));
        var view = await Run(new ViewCase(opened.Id), Owner);
        Assert.Equal((item.EventId, Owner.Actor.Id, "not_related"), view.Removed.Select(each => (each.RefId, each.RemovedBy, each.RemovedBecause)).Single());
        Assert.DoesNotContain(view.Events, each => each.EventId == item.EventId);
        Assert.True(await Holds(item.Read!.Event));      // held with the others all the same
        Assert.Equal(1, (await Run(new AddCaseEvents(opened.Id, new([item.EventId])), Owner)).Added);
    }

    [Fact]
    public async Task Only_the_team_and_owners_reach_a_case()
    {
        var opened = await OpenAsync();
        foreach (var role in BuiltInRole.All.Where(role => role != BuiltInRole.Owner && role != BuiltInRole.Admin))
        {
            Assert.Contains((await Refused(new ViewCase(opened.Id), Platform.As(Clinic, role))).Status, new[] { 403, 404 });
            Assert.Equal(403, (await Refused(new ListCases(), Platform.As(Clinic, role))).Status);
            Assert.Equal(403, (await Refused(new PrepareCase(CaseSelection.None), Platform.As(Clinic, role))).Status);
        }
        var second = await MemberAsync("Ola Second", BuiltInRole.Owner);
        Assert.Equal(1, (await Run(new ViewCase(opened.Id), second)).Number);
        Assert.Equal(404, (await Refused(new ViewCase(opened.Id), Admin)).Status);
        Assert.Empty((await Run(new ListCases(), Admin)).Items);
        Assert.Equal(404, (await Refused(new AddCaseNote(opened.Id, "Let me in"), Admin)).Status);
        Assert.Equal(404, (await Refused(new ViewCase(opened.Id), Platform.As(OtherClinic, BuiltInRole.Owner))).Status);
        Assert.Contains("member", (await Refused(new AssignCase(opened.Id, Doctor.Actor.Id, 1), Owner)).Fields.Keys);
        await Run(new AssignCase(opened.Id, Admin.Actor.Id, 1), Owner);
        Assert.Equal(Admin.Actor.Id, (await Run(new ViewCase(opened.Id), Admin)).AssignedTo);
        Assert.Equal(CaseErrors.OnBothSides.Code, (await Refused(new ChangeCaseTeam(opened.Id, Admin.Actor.Id, false, 2), Owner)).Code);
        Assert.Equal(CaseErrors.OnBothSides.Code, (await Refused(new AddCasePerson(opened.Id, Admin.Actor.Id, null), Owner)).Code);
        await Run(new AssignCase(opened.Id, null, 2), Owner);
        await Run(new ChangeCaseTeam(opened.Id, Admin.Actor.Id, false, 3), Owner);
        Assert.Equal(404, (await Refused(new ViewCase(opened.Id), Admin)).Status);
    }

    [Fact]
    public async Task Whom_a_case_names_neither_reads_it_nor_learns_of_it_while_it_is_open()
    {
        await StaffAsync();
        var opened = await OpenAsync(Suspect.Actor.Id!.Value, Ada);
        await Run(new ViewCase(opened.Id), Owner);
        Assert.Equal(404, (await Refused(new ViewCase(opened.Id), Suspect)).Status);
        Assert.Equal(404, (await Refused(new AddCaseNote(opened.Id, "It was not me"), Suspect)).Status);
        Assert.Empty((await Run(new ListCases(), Suspect)).Items);
        Assert.Equal(CaseErrors.OnBothSides.Code, (await Refused(new ChangeCaseTeam(opened.Id, Suspect.Actor.Id, true, 1), Owner)).Code);
        // An owner who is named is refused like anybody else.
        var crooked = await MemberAsync("Ola Crooked", BuiltInRole.Owner);
        await Run(new AddCasePerson(opened.Id, crooked.Actor.Id, null), Owner);
        Assert.Equal(404, (await Refused(new ViewCase(opened.Id), crooked)).Status);

        // The log as they read it: list, event, count, numbers, exports, evidence, access history.
        Assert.NotEmpty(await OfCaseAsync(opened.Id, Owner));
        var told = (await OfCaseAsync(opened.Id, Owner))[0];
        foreach (var reader in new[] { Suspect, crooked, Admin, Reviewer })
        {
            Assert.Empty(await OfCaseAsync(opened.Id, reader));
            Assert.Equal(404, (await Refused(new ViewAuditEvent(told.Id), reader)).Status);
            Assert.Empty((await Run(new ViewAuditLog(Query((AuditQuery.Entity, opened.Id.ToString()), (AuditQuery.Count, "true"))), reader)).Events);
            var tail = await Run(new StartLogTail(AuditQuery.None), reader);
            Assert.DoesNotContain((await Run(new WatchLog(tail), reader)).Events, read => read.Event.Entity?.Id == opened.Id);
            Assert.DoesNotContain((await Run(new ViewLogCharts(AuditQuery.None), reader)).ByAction, bar => bar.ToString()!.Contains("investigation.viewed", StringComparison.Ordinal));
        }
        Assert.Equal(404, (await Refused(new Clinic.AuditLog.Proving.ProveEvent(told.Id), Suspect)).Status);
        Assert.Equal(AuditErrors.NotWhole.Code, (await Refused(new StartAuditExport(Query((AuditQuery.Format, "bundle"))), Suspect)).Code);
        Assert.Null((await Try(new StartAuditExport(Query((AuditQuery.Format, "bundle"))), Owner)).Error);
        Assert.DoesNotContain(opened.Id.ToString(), Encoding.UTF8.GetString((await Send("GET", "/api/audit/export?format=json", Suspect)).Body), StringComparison.Ordinal);
        foreach (var format in new[] { "csv", "json", "pdf" }) Assert.Equal(200, (await Send("GET", $"/api/audit/export?format={format}", Suspect)).Status);
        Assert.DoesNotContain(opened.Id.ToString(), Encoding.UTF8.GetString((await Send("GET", $"/api/patients/{Ada}/access-history/report?format=json", Owner)).Body), StringComparison.Ordinal);
        foreach (var (person, reader) in new[] { (Ada, Owner), (Ada, Reviewer) })
            Assert.DoesNotContain((await Run(new Clinic.AccessHistory.ViewAccessHistory(person, new(null, null, false)), reader)).Looks, look => look.Action.StartsWith("investigation.", StringComparison.Ordinal));
        Assert.DoesNotContain((await Run(new Clinic.AccessHistory.ViewOwnAccessHistory(new(null, null, false)), Suspect)).Looks, look => look.Action.StartsWith("investigation.opened", StringComparison.Ordinal));

        // From its conclusion on the log says again who looked at whose data, though the case itself stays closed to them.
        await Run(new ConcludeCase(opened.Id, "inconclusive", "Nothing was found.", 1), Owner);
        await Run(new SettleConclusion(opened.Id, true, 2), await MemberAsync("Ola Third", BuiltInRole.Owner));
        Assert.NotEmpty(await OfCaseAsync(opened.Id, Suspect));
        Assert.Contains((await Run(new Clinic.AccessHistory.ViewOwnAccessHistory(new(null, null, false)), Suspect)).Looks, look => look is { Action: "investigation.opened", Why: "In an investigation" });
        Assert.Equal(404, (await Refused(new ViewCase(opened.Id), Suspect)).Status);
    }

    [Fact]
    public async Task A_case_does_not_show_its_team_what_another_open_case_withholds()
    {
        await StaffAsync();
        var other = await OpenAsync(Suspect.Actor.Id!.Value);
        var secret = (await OfCaseAsync(other.Id, Owner))[0].Id;
        var opened = await Run(new OpenCase("A second matter", "Beside the first", [], null, new([secret])), Owner);
        await Run(new ChangeCaseTeam(opened.Id, Suspect.Actor.Id, true, 1), Owner);
        var each = Assert.Single((await Run(new ViewCase(opened.Id), Suspect)).Events);
        Assert.True(each is { IsWithheld: true, Read: null });
        Assert.Equal(AuditErrors.NotWhole.Code, (await Refused(new ExportCase(opened.Id), Suspect)).Code);
        Assert.Equal(404, (await Refused(new AddCaseEvents(opened.Id, new([secret])), Suspect)).Status);
        Assert.DoesNotContain(other.Id.ToString(), Encoding.UTF8.GetString((await Send("GET", $"/api/investigations/{opened.Id}", Suspect)).Body), StringComparison.Ordinal);
        Assert.NotEmpty((await Run(new ExportCase(opened.Id), Owner)).Zip);
    }

    [Theory]
    [InlineData("UPDATE clinic.investigation_note SET written_at = written_at + interval '1 day'", "clinic.investigation_note")]
    [InlineData("UPDATE clinic.investigation_note SET outcome = 'no_breach' WHERE kind = 'conclusion'", "clinic.investigation_note")]
    [InlineData("UPDATE clinic.investigation_note SET sealed = (SELECT sealed FROM clinic.investigation_note WHERE kind = 'conclusion') WHERE kind = 'note'", "clinic.investigation_note")]
    [InlineData("DELETE FROM clinic.investigation_note WHERE kind = 'note'", "clinic.investigation_note")]
    [InlineData("DELETE FROM clinic.investigation_item WHERE kind = 'event'", "clinic.investigation_item")]
    [InlineData("UPDATE clinic.investigation SET state = 'concluded', ended_at = now()", "clinic.investigation")]
    public async Task What_a_superuser_changes_in_a_case_is_found(string attack, string table)
    {
        var opened = await OpenAsync();
        await Run(new AddCaseNote(opened.Id, "Saw the screen."), Owner);
        await Run(new ConcludeCase(opened.Id, "policy_breach", "It was so.", 1), Owner);
        var sequencer = Platform.Services.GetRequiredService<Sequencer>();
        await sequencer.FlushAsync(Clinic.Id, CancellationToken.None);
        Assert.Equal(0, (await VerifyAsync()).ExitCode);
        await Platform.Database.ExecuteAsync($"SET session_replication_role = replica; {attack}");
        var report = await VerifyAsync();
        Assert.True(report.ExitCode == 1 && report.Problems.All(problem => problem.What.Contains(table, StringComparison.Ordinal)), report.ToText());
    }

    [Fact]
    public async Task The_application_cannot_change_a_note_at_all()
    {
        var opened = await OpenAsync();
        await Run(new AddCaseNote(opened.Id, "Saw the screen."), Owner);
        foreach (var sql in new[] { "UPDATE clinic.investigation_note SET written_at = now()", "DELETE FROM clinic.investigation_note", "DELETE FROM clinic.investigation_item", "DELETE FROM clinic.investigation" })
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => Platform.Database.ExecuteAsync(sql, Platform.Database.App))).SqlState);
    }

    [Fact]
    public async Task A_suspected_breach_has_72_hours_and_cannot_have_begun_in_the_future()
    {
        var opened = await OpenAsync();
        var aware = DateTimeOffset.FromUnixTimeSeconds(Platform.Clock.GetUtcNow().ToUnixTimeSeconds()).AddHours(-5);
        Assert.Contains("awareAt", (await Refused(new MarkCaseBreach(opened.Id, Platform.Clock.GetUtcNow().AddMinutes(1), 1), Owner)).Fields.Keys);
        await Run(new MarkCaseBreach(opened.Id, aware, 1), Owner);
        Assert.Equal(aware.AddHours(72), (await Run(new ViewCase(opened.Id), Owner)).ReportBy);
        Assert.Equal("suspected", (await Left("investigation.breach_marked")).Reason);
        await Run(new MarkCaseBreach(opened.Id, null, 2), Owner);
        Assert.Null((await Run(new ListCases(), Owner)).Items[0].ReportBy);
        Assert.Equal(["reason", "title"], (await Refused(new OpenCase(" ", "x", [], null, CaseSelection.None), Owner)).Fields.Keys.Order());
    }

    [Fact]
    public async Task The_privacy_lead_works_on_every_case_but_one_about_them()
    {
        await StaffAsync();
        await Platform.Database.ExecuteAsync($"SET session_replication_role = replica; UPDATE clinic.credential SET password_changed_at = now() WHERE id = '{Admin.Actor.Id}'");
        await Run(new Clinic.Settings.ChangeClinicSettings(new("Clinic one", "one.test", false, "Europe/London", [new("monday", "09:00", "17:00")], Admin.Actor.Id, []), 0), Owner);
        var opened = await Run(new OpenCase("One", "About nobody yet", [], null, CaseSelection.None), Owner);
        Assert.Equal(1, (await Run(new ViewCase(opened.Id), Admin)).Number);
        var about = await Run(new OpenCase("Two", "About the lead", [Admin.Actor.Id!.Value], null, CaseSelection.None), Owner);
        Assert.Equal(404, (await Refused(new ViewCase(about.Id), Admin)).Status);
        Assert.Equal([1], (await Run(new ListCases(), Admin)).Items.Select(found => found.Number));
    }

    private Task<VerificationReport> VerifyAsync() => Platform.Services.GetRequiredService<DatabaseVerifier>().VerifyAsync(Clinic.Id, "log", null, null, CancellationToken.None);

    // What the database would hold back, asked as retention asks.
    private async Task<bool> Holds(LedgerEvent happened)
    {
        await using var connection = new NpgsqlConnection(Platform.Database.Superuser);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"SELECT set_config('chaperone.tenant_id', '{Clinic.Id}', false); SELECT ledger.is_held('{happened.Id}', '{happened.Action}', NULL, NULL)", connection);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.NextResultAsync();
        await reader.ReadAsync();
        return reader.GetBoolean(0);
    }
}
