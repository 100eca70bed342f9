using System.Text;
using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Patients;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.AuditLog;

/// <summary>Saved filters, following the log, the log in numbers, and what a plan shows.</summary>
public sealed class LogViewTests : AuditWorld
{
    [Fact]
    public async Task Saved_filters_are_ones_own_sealed_and_change_only_by_their_owner()
    {
        var query = Query(("subject", $"{Ada}"), ("action", "patient.viewed"));
        var id = await Run(new SaveLogView(" Looks at Adelaide ", query), Reviewer);
        var made = await LastEvent();
        Assert.Equal(("audit.filter_saved", "log_view", id), (made.Action, made.Entity!.Type, made.Entity.Id));
        var view = Assert.Single(await Run(new ListLogViews(), Reviewer));
        Assert.Equal(("Looks at Adelaide", query.ToQueryString()), (view.Name, view.Query.ToQueryString()));
        Assert.Equal(0L, await Platform.Database.ExecuteAsync($"SELECT count(*) FROM clinic.log_view WHERE position('Adelaide'::bytea IN sealed) > 0 OR position('{Ada}'::bytea IN sealed) > 0"));

        Assert.Empty(await Run(new ListLogViews(), Owner));
        Assert.Equal(404, (await Try(new RenameLogView(id, "Mine now"), Owner)).Error!.Status);
        Assert.Equal(404, (await Try(new RemoveLogView(id), Owner)).Error!.Status);
        var abroad = Reviewer with { Tenant = OtherClinic };
        Assert.Equal(404, (await Try(new RemoveLogView(id), abroad)).Error!.Status);
        Assert.Equal(403, (await Try(new SaveLogView("x", query), Platform.As(Clinic, BuiltInRole.Doctor))).Error!.Status);

        await Run(new RenameLogView(id, "Adelaide"), Reviewer);
        Assert.Equal(("audit.filter_renamed", "name"), ((await LastEvent()).Action, (await LastEvent()).Changes.Single().Field));
        var html = Encoding.UTF8.GetString((await Send("GET", "/settings/audit-log", Reviewer)).Body);
        Assert.Contains("<bdi>Adelaide</bdi>", html, StringComparison.Ordinal);
        Assert.Contains($"href=\"/settings/audit-log{query.ToQueryString().Replace("&", "&amp;", StringComparison.Ordinal)}\"", html, StringComparison.Ordinal);
        await Run(new RemoveLogView(id), Reviewer);
        Assert.Equal("audit.filter_removed", (await LastEvent()).Action);
        Assert.Empty(await Run(new ListLogViews(), Reviewer));
    }

    [Fact]
    public async Task Filters_that_cannot_be_kept_say_why()
    {
        var query = Query(("action", "patient.viewed"));
        foreach (var name in new[] { null, "", "  ", new string('x', 81), "a\u0007b" }) Assert.Equal("CHP-AUDIT-0004", (await Try(new SaveLogView(name, query), Reviewer)).Error!.Code);
        Assert.Equal("CHP-AUDIT-0004", (await Try(new SaveLogView("Everything", Query()), Reviewer)).Error!.Code);
        Assert.Equal("CHP-AUDIT-0001", (await Try(new SaveLogView("Wrong", Query(("action", "no.such"))), Reviewer)).Error!.Code);
        var (status, body, _) = await Send("POST", "/settings/audit-log/filters", Reviewer, new Dictionary<string, string> { ["name"] = "", ["action"] = "patient.viewed", ["__token"] = "x" });
        Assert.Equal(422, status);
        Assert.Contains("Enter a name of at most 80 letters.", Encoding.UTF8.GetString(body), StringComparison.Ordinal);
        for (var i = 0; i < 50; i++) await Run(new SaveLogView($"Filter {i}", query), Reviewer);
        Assert.Equal("CHP-AUDIT-0005", (await Try(new SaveLogView("One more", query), Reviewer)).Error!.Code);
    }

    [Fact]
    public async Task Following_leaves_its_start_and_its_end_and_nothing_between()
    {
        var (status, _, headers) = await Send("POST", "/settings/audit-log/live", Reviewer, new Dictionary<string, string> { ["action"] = "patient.viewed", ["subject"] = $"{Ada}", ["__token"] = "x" });
        var path = headers.Location.ToString();
        var id = Guid.Parse(path.Split('/')[^1]);
        var started = await LastEvent();
        Assert.Equal((303, "audit.tail_started", id, "action.subject"), (status, started.Action, started.Entity!.Id, started.Details["filter"].Code));
        Assert.Superset(new HashSet<Guid> { Ada, Doctor.Actor.Id!.Value, Owner.Actor.Id!.Value }, started.Subjects.ToHashSet());

        var before = (await Platform.EventsAsync(Clinic)).Count;
        var html = Encoding.UTF8.GetString((await Send("GET", path, Reviewer)).Body);
        Assert.Contains("Wilma Quist", html, StringComparison.Ordinal);
        var newest = (await Run(new WatchLog(id), Reviewer)).Events[0].Event.Id;
        await Run(new ViewPatient(Grace), Doctor);
        await Run(new ViewPatient(Ada), Doctor);
        for (var i = 0; i < 3; i++)
        {
            var rows = Encoding.UTF8.GetString((await Send("GET", $"{path}/new?after={newest}", Reviewer)).Body);
            Assert.Equal(1, rows.Split("data-event=").Skip(1).Count(row => string.CompareOrdinal(row[1..37], newest.ToString()) > 0));
        }
        Assert.Equal(before + 2, (await Platform.EventsAsync(Clinic)).Count);

        // Nobody else's page, and none without the right.
        foreach (var (caller, answer) in new[] { (Owner, 404), (Reviewer with { Tenant = OtherClinic }, 404), (Platform.As(Clinic, BuiltInRole.Doctor), 403) })
        {
            Assert.Equal(answer, (await Try(new WatchLog(id), caller)).Error!.Status);
            Assert.Equal(answer, (await Try(new EndLogTail(id), caller)).Error!.Status);
        }

        Assert.Equal(303, (await Send("POST", path + "/stop", Reviewer, new Dictionary<string, string> { ["__token"] = "x" })).Status);
        var ended = await LastEvent();
        Assert.Equal(("audit.tail_ended", id, EventOutcome.Success), (ended.Action, ended.Entity!.Id, ended.Outcome));
        Assert.True(ended.Details["shown"].Number >= 4);
        Assert.Equal(404, (await Send("GET", path, Reviewer)).Status);
        Assert.Equal(404, (await Try(new EndLogTail(id), Reviewer)).Error!.Status);
    }

    [Fact]
    public async Task A_page_that_was_closed_without_a_word_ends_by_itself_once()
    {
        var id = await Run(new StartLogTail(Query()), Reviewer);
        var silent = Platform.Services.GetRequiredService<SilentTails>();
        await silent.EndAllAsync(CancellationToken.None);
        await Run(new WatchLog(id), Reviewer);
        Platform.Clock.Advance(TimeSpan.FromMinutes(3));
        await silent.EndAllAsync(CancellationToken.None);
        await silent.EndAllAsync(CancellationToken.None);

        var ended = Assert.Single(await Platform.EventsAsync(Clinic), each => each.Action == "audit.tail_ended");
        Assert.Equal((id, ActorKind.System, "silent"), (ended.Entity!.Id, ended.Actor.Kind, ended.Reason));
        Assert.Equal([Reviewer.Actor.Id!.Value], ended.Subjects);
        Assert.Equal(404, (await Try(new WatchLog(id), Reviewer)).Error!.Status);
        Assert.Equal(403, (await Try(new EndSilentTail(id), Owner)).Error!.Status);
    }

    [Fact]
    public async Task Numbers_of_a_view_are_those_of_its_events()
    {
        var all = (await Platform.EventsAsync(Clinic)).Where(each => each.Category == EventCategory.DataAccess).ToList();
        var charts = await Run(new ViewLogCharts(Query(("category", "data_access"))), Reviewer);

        Assert.Equal(all.Count, charts.ByDay.Sum(bar => bar.Count));
        Assert.Equal(all.Count, charts.ByHour.Sum(bar => bar.Count));
        Assert.Equal((all.Count, 14, 24), (charts.Newest, charts.ByDay.Count, charts.ByHour.Count));
        Assert.Equal(all.GroupBy(each => each.Action).Select(same => (same.Key, (long)same.Count())).Order(), charts.ByAction.Select(bar => (bar.Label, bar.Count)).Order());
        Assert.Equal(all.Count(each => each.Actor.Id == Doctor.Actor.Id), charts.ByUser.Single(bar => bar.Label == "Wilma Quist").Count);
        Assert.Equal(("audit.viewed", "charts"), ((await LastEvent()).Action, (await LastEvent()).Details["view"].Code));
        var (status, json) = await Api("charts?category=data_access");
        Assert.Equal((200, all.Count + 0L), (status, json.GetProperty("byDay").EnumerateArray().Sum(bar => bar.GetProperty("count").GetInt64()) - 1));   // the look before it
        Assert.Equal(400, (await Api("charts?action=none")).Status);
        Assert.Equal(403, (await Try(new ViewLogCharts(Query()), Doctor)).Error!.Status);
    }

    [Fact]
    public async Task Starter_shows_thirty_days_and_lets_nothing_be_downloaded()
    {
        var old = (await Platform.EventsAsync(Clinic)).First(each => each.Action == "patient.viewed");
        Platform.Clock.Advance(TimeSpan.FromDays(31));
        var fresh = Owner with { Actor = Owner.Actor with { State = Owner.Actor.State with { SteppedUpAt = Platform.Clock.GetUtcNow() } } };
        await Run(new ViewPatient(Ada), Doctor);
        var starter = fresh with { Tenant = Clinic with { Plan = ClinicPlan.Starter } };
        foreach (var query in new[] { Query(("action", "patient.viewed")), Query(("action", "patient.viewed"), ("from", "2020-01-01")), Query(("action", "patient.viewed"), ("subject", $"{Ada}")) })
            Assert.Single((await Run(new ViewAuditLog(query, WithNames: true), starter)).Events);
        Assert.Equal(1, (await Run(new ViewAuditLog(Query(("action", "patient.viewed"), ("count", "true"))), starter)).Count!.Value.Found);
        Assert.Equal("CHP-AUDIT-0006", (await Try(new ViewAuditEvent(old.Id), starter)).Error!.Code);
        Assert.Equal(1, (await Run(new ViewLogCharts(Query(("action", "patient.viewed"))), starter)).Newest);
        foreach (var format in new[] { "csv", "json", "pdf", "bundle" }) Assert.Equal("CHP-AUDIT-0006", (await Try(new StartAuditExport(Query(("format", format))), starter)).Error!.Code);
        Assert.Equal("CHP-AUDIT-0006", (await Try(new ExportAuditLog(new(Guid.NewGuid(), AuditExportFormat.Csv, new(), Query()), Stream.Null), starter)).Error!.Code);
        var html = Encoding.UTF8.GetString((await Send("GET", "/settings/audit-log", starter)).Body);
        Assert.Contains("plan shows the last thirty days", html, StringComparison.Ordinal);
        Assert.DoesNotContain("/settings/audit-log/export", html, StringComparison.Ordinal);
        // Who looked is the person's right, whatever is paid for.
        Assert.True((await Run(new Chaperone.Clinic.AccessHistory.ViewAccessHistory(Ada, new()), starter)).Looks.Count >= 4);

        foreach (var plan in new[] { ClinicPlan.Pro, ClinicPlan.Team, ClinicPlan.SelfHosted })
        {
            var all = fresh with { Tenant = Clinic with { Plan = plan } };
            Assert.True((await Run(new ViewAuditLog(Query(("action", "patient.viewed"))), all)).Events.Count > 1);
            Assert.True((await Try(new ViewAuditEvent(old.Id), all)).Succeeded);
            Assert.True((await Try(new StartAuditExport(Query(("format", "csv"))), all)).Succeeded);
        }
    }

    [Fact]
    public async Task Only_the_operator_changes_the_plan_and_only_to_one_there_is()
    {
        var directory = new TenantDirectory(Platform.Databases, Platform.Clock);
        Assert.Equal(ClinicPlan.SelfHosted, (await directory.GetAsync(Clinic.Id, CancellationToken.None))!.Plan);
        foreach (var caller in new[] { Owner, Reviewer, new Caller(Clinic, Actor.Anonymous, new("web")) }) Assert.False((await Try(new ChangeClinicPlan("team"), caller)).Succeeded);
        var operators = new Caller(Clinic, Actor.Operator, new("cli", "tenant plan"));
        Assert.Equal("CHP-AUDIT-0007", (await Try(new ChangeClinicPlan("platinum"), operators)).Error!.Code);
        await Run(new ChangeClinicPlan("starter"), operators);
        Assert.Equal(ClinicPlan.Starter, (await directory.GetAsync(Clinic.Id, CancellationToken.None))!.Plan);
        Assert.Equal(ClinicPlan.SelfHosted, (await directory.GetAsync(OtherClinic.Id, CancellationToken.None))!.Plan);
        var changed = await LastEvent();
        Assert.Equal(("settings.modified", "plan", "self_hosted", "starter"), (changed.Action, changed.Changes.Single().Field, changed.Changes.Single().Before, changed.Changes.Single().After));
    }
}
