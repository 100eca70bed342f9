using Chaperone.Ledger;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.Logging.Abstractions;

namespace Chaperone.Platform.Tests.Ledger;

public sealed class LedgerReaderTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_filter_finds_exactly_what_a_filter_in_memory_finds_and_pages_join()
    {
        await using var log = await LogFixture.CreateAsync();
        var all = await MixedAsync(log);
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        var (person, other) = (all[3].Subjects[0], all[5].Actor.Id);
        (EventFilter Filter, Func<LedgerEvent, bool> Holds)[] filters =
        [
            (new(), _ => true),
            (new() { Actions = ["patient.viewed", "auth.logout"] }, each => each.Action is "patient.viewed" or "auth.logout"),
            (new() { Actions = EventCatalogue.ActionsOf(EventCategory.Authentication) }, each => each.Category == EventCategory.Authentication),
            (new() { Actions = [] }, _ => false),
            (new() { Actor = other }, each => each.Actor.Id == other),
            (new() { Actor = other, Actions = ["auth.logout"] }, each => each.Actor.Id == other && each.Action == "auth.logout"),
            (new() { Entity = person }, each => each.Entity?.Id == person),
            (new() { Subject = person }, each => each.Subjects.Contains(person)),
            (new() { Subject = person, Actions = ["patient.searched"] }, each => each.Subjects.Contains(person) && each.Action == "patient.searched"),
            (new() { Outcome = EventOutcome.Denied }, each => each.Outcome == EventOutcome.Denied),
            (new() { Severity = EventSeverity.Warning }, each => each.Severity == EventSeverity.Warning),
            (new() { IpIndex = (await log.Keys.IpIndex(log.Tenant, Cancel)).Exact("192.0.2.7") }, each => each.Source.Ip == "192.0.2.7"),
            (new() { NotActor = other }, each => each.Actor.Id != other),
            (new() { Subject = person, NotActor = other }, each => each.Subjects.Contains(person) && each.Actor.Id != other),
            (new() { Outcome = EventOutcome.Denied, Actor = other, Severity = EventSeverity.Info }, each => each.Outcome == EventOutcome.Denied && each.Actor.Id == other && each.Severity == EventSeverity.Info),
            (new() { From = all[20].At, To = all[60].At }, each => each.At >= all[20].At && each.At < all[60].At),
            (new() { Subject = person, From = all[20].At }, each => each.Subjects.Contains(person) && each.At >= all[20].At),
        ];
        var reader = new LedgerReader(log.Keys);
        foreach (var (filter, holds) in filters)
        {
            var found = new List<ReadEvent>();
            Guid? cursor = null;
            do
            {
                await using var transaction = await TenantTransaction.BeginAsync(log.Databases.App, log.Tenant, Cancel);
                var page = await reader.PageAsync(transaction, filter, cursor, 7, Cancel);
                found.AddRange(page.Events);
                cursor = page.Next;
            }
            while (cursor is not null);
            Assert.Equal(all.Where(holds).Select(each => each.Id).Reverse(), found.Select(each => each.Event.Id));
            Assert.All(found, each => Assert.Equal(all.FindIndex(one => one.Id == each.Event.Id), each.Index!.Value));

            // Back again: from the last page to the newest, page by page.
            await using var again = await TenantTransaction.BeginAsync(log.Databases.App, log.Tenant, Cancel);
            Assert.Equal(new(found.Count, true), await LedgerReader.CountAsync(again, filter, 100, Cancel));
            Assert.Equal(found.Select(each => (each.Event.Id, each.Event.Action, each.Event.Actor.Id)), (await LedgerReader.MarksAsync(again, filter, 1000, Cancel)).Select(mark => (mark.Id, mark.Action, mark.Actor)));
            if (found.Count == 0) continue;
            var back = new List<Guid>();
            for (Guid? after = found[^1].Event.Id; after is not null;)
            {
                var page = await reader.NewerAsync(again, filter, after.Value, 7, Cancel);
                back.InsertRange(0, page.Events.Select(each => each.Event.Id));
                after = page.Previous;
            }
            Assert.Equal(found.SkipLast(1).Select(each => each.Event.Id), back);
        }
    }

    [Fact]
    public async Task Counting_stops_after_a_number_of_events_looked_at_and_says_so()
    {
        await using var log = await LogFixture.CreateAsync();
        var all = await MixedAsync(log);
        await using var transaction = await TenantTransaction.BeginAsync(log.Databases.App, log.Tenant, Cancel);

        Assert.Equal(new(100, true), await LedgerReader.CountAsync(transaction, new(), 100, Cancel));
        Assert.Equal(new(99, false), await LedgerReader.CountAsync(transaction, new(), 99, Cancel));
        var some = await LedgerReader.CountAsync(transaction, new() { Actor = all[5].Actor.Id, Actions = ["auth.logout"] }, 9, Cancel);
        Assert.False(some.IsExact);
        Assert.InRange(some.Found, 1, all.Count(each => each.Actor.Id == all[5].Actor.Id && each.Action == "auth.logout"));
    }

    [Fact]
    public async Task Filters_lead_to_an_index_and_not_through_the_whole_log()
    {
        await using var log = await LogFixture.CreateAsync();
        for (var i = 0; i < 3; i++) await log.FillAsync(4000);
        await log.Database.ExecuteAsync("ANALYZE ledger.event; ANALYZE ledger.event_subject; ANALYZE ledger.position");
        var month = TimeProvider.System.GetUtcNow().AddYears(2).ToString("yyyy_MM", System.Globalization.CultureInfo.InvariantCulture);     // the one that is filled
        var (person, middle) = (log.Person(), Ids.New(TimeProvider.System.GetUtcNow()));
        EventFilter[] filters =
        [
            new(), new() { Actor = person }, new() { Entity = person }, new() { Subject = person }, new() { IpIndex = new byte[16] }, new() { Actions = ["auth.locked", "auth.logout"] },
            new() { Outcome = EventOutcome.Denied }, new() { Severity = EventSeverity.Critical }, new() { From = TimeProvider.System.GetUtcNow().AddHours(-1), Actor = person, Outcome = EventOutcome.Denied },
            new() { Subject = person, NotActor = person, Actions = ["patient.viewed"] },
        ];
        foreach (var filter in filters)
        {
            await using var transaction = await TenantTransaction.BeginAsync(log.Databases.App, log.Tenant, Cancel);
            foreach (var query in new[]
            {
                EventQuery.Page(transaction, filter, null, null, 51, "e.id, e.body"), EventQuery.Page(transaction, filter, middle, null, 51, "e.id, e.body"), EventQuery.Page(transaction, filter, null, middle, 51, "e.id, e.body"),
                EventQuery.Count(transaction, filter, 1000).Command,
            })
            {
                await using var explained = query;
                query.CommandText = "EXPLAIN " + query.CommandText;
                var plan = new List<string>();
                await using (var reader = await query.ExecuteReaderAsync(Cancel))
                    while (await reader.ReadAsync(Cancel)) plan.Add(reader.GetString(0));
                Assert.DoesNotContain(plan, line => line.Contains($"Seq Scan on event_{month}", StringComparison.Ordinal) || line.Contains($"Seq Scan on event_subject_{month}", StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public async Task A_bundle_verifies_offline_and_a_span_of_time_holds_its_events()
    {
        await using var log = await LogFixture.CreateAsync();
        var events = await MixedAsync(log);
        await log.FillAsync(300);
        var bundle = new LedgerBundle(log.Keys, log.Sequencer, log.Installation, TimeProvider.System);
        foreach (var (from, to) in new (DateTimeOffset?, DateTimeOffset?)[] { (null, null), (events[10].At, events[20].At) })
        {
            var path = Path.Combine(log.Folder, "bundle.zip");
            BundleSummary summary;
            var seen = 0;
            await using (var file = File.Create(path))
            await using (var transaction = await TenantTransaction.BeginAsync(log.Databases.App, log.Tenant, Cancel))
                summary = await bundle.WriteAsync(transaction, from, to, file, _ => seen++, Cancel);
            Assert.Equal(from is null ? (0, 400) : (10, 20), (summary.From, summary.To));
            Assert.Equal(summary.To - summary.From, seen);
            await using var written = File.OpenRead(path);
            using var source = LogSource.Zip(written);
            var report = Verifier.Verify(source, "bundle", new());
            Assert.True(report.ExitCode == 0, report.ToText());
            Assert.Equal(seen, report.Verified);
            File.Delete(path);
        }
        Assert.Equal("exported", await log.Database.ExecuteAsync("SELECT keep FROM ledger.checkpoint ORDER BY size DESC LIMIT 1"));
    }

    [Fact]
    public async Task The_integrity_check_keeps_its_result_and_writes_it_into_the_log()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(4);
        using var check = new IntegrityCheck(log.Databases, new TenantDirectory(log.Databases, TimeProvider.System), log.Verifier(), log.Appender, log.Sequencer, TimeProvider.System, NullLogger<IntegrityCheck>.Instance);
        var clinic = new Tenant(log.Tenant, "one.localhost", "Clinic", "Europe/London", false);
        await check.VerifyAsync(clinic, Cancel);
        Assert.Equal((3L, true, null), (check.StateOf(log.Tenant)!.VerifiedTo, check.StateOf(log.Tenant)!.Good, check.StateOf(log.Tenant)!.What));
        VerificationReport? alarm = null;
        check.Alarm = (_, report) => alarm = report;
        await log.AttackAsync("UPDATE ledger.event SET outcome = 'denied' WHERE id = (SELECT event_ids[3] FROM ledger.position)");
        await check.VerifyAsync(clinic, Cancel);
        Assert.NotNull(alarm);
        Assert.Equal((1L, false, 2L), (check.StateOf(log.Tenant)!.VerifiedTo, check.StateOf(log.Tenant)!.Good, check.StateOf(log.Tenant)!.FirstBadIndex));
        Assert.Equal("ledger.verification_failed", await log.Database.ExecuteAsync("SELECT action FROM ledger.event ORDER BY id DESC LIMIT 1"));
        await check.EnsurePartitionsAsync(Cancel);
    }

    private static async Task<List<LedgerEvent>> MixedAsync(LogFixture log)
    {
        var start = TimeProvider.System.GetUtcNow().AddMinutes(-10);
        var people = Enumerable.Range(0, 7).Select(_ => log.Person()).ToArray();
        string[] actions = ["patient.viewed", "patient.searched", "auth.logout", "patient.viewed", "auth.locked", "patient.updated"];
        var events = Enumerable.Range(0, 100).Select(i =>
        {
            var at = start.AddSeconds(i);
            var each = log.Event(actions[i % 6], i % 6 is 2 or 4 ? [] : i % 6 == 1 ? [people[i % 7], people[(i + 1) % 7]] : [people[i % 7]]);
            return each with
            {
                Id = Ids.New(at), At = at, Outcome = i % 10 == 0 ? EventOutcome.Denied : EventOutcome.Success, Actor = new(ActorKind.User, people[i % 3], "doctor"),
                Source = each.Source with { Ip = i % 4 == 0 ? "192.0.2.7" : "2001:db8::1" },
            };
        }).ToList();
        await log.AppendAsync(events);
        return events;
    }
}
