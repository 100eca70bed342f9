using Chaperone.Platform.Ledger;
using Npgsql;

namespace Chaperone.Platform.Tests.Ledger;

public sealed class GroupAppenderTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Many_callers_share_few_commits_and_nothing_acknowledged_is_missing()
    {
        await using var log = await LogFixture.CreateAsync();
        using var group = new GroupAppender(log.Databases);
        await Task.WhenAll(Enumerable.Range(0, 500).Select(async i =>
        {
            var person = log.Person();
            await group.AppendAsync([await log.Appender.PrepareAsync(log.Tenant, log.Event("patient.viewed", person), Cancel)], Cancel);
            Assert.Equal(1L, await log.Database.ExecuteAsync($"SELECT count(*) FROM ledger.event_subject WHERE subject_id = '{person}'"));
        }));
        Assert.Equal(500, await log.CountAsync("ledger.event"));
        Assert.InRange(group.Committed, 2, 250);
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        var report = await log.VerifyAsync();
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.Equal(500, report.Verified);
    }

    [Fact]
    public async Task Events_of_several_clinics_in_one_commit_stay_each_in_its_own()
    {
        await using var log = await LogFixture.CreateAsync();
        var other = await log.AddClinicAsync("two.localhost");
        using var group = new GroupAppender(log.Databases);
        var prepared = new List<(Guid Clinic, PreparedEvent Event)>();
        for (var i = 0; i < 40; i++)
        {
            var clinic = i % 2 == 0 ? log.Tenant : other;
            prepared.Add((clinic, await log.Appender.PrepareAsync(clinic, log.Event("patient.searched", log.Person(), log.Person()), Cancel)));
        }
        await Task.WhenAll(prepared.Select(each => group.AppendAsync([each.Event], Cancel)));
        foreach (var (clinic, each) in prepared)
        {
            Assert.Equal(clinic, await log.Database.ExecuteAsync($"SELECT tenant_id FROM ledger.event WHERE id = '{each.Id}'"));
            Assert.Equal(2L, await log.Database.ExecuteAsync($"SELECT count(*) FROM ledger.event_subject WHERE event_id = '{each.Id}' AND tenant_id = '{clinic}'"));
        }
        foreach (var clinic in new[] { log.Tenant, other })
        {
            await log.Sequencer.FlushAsync(clinic, Cancel);
            var report = await log.Verifier().VerifyAsync(clinic, "Clinic", null, null, Cancel);
            Assert.True(report.ExitCode == 0, report.ToText());
            Assert.Equal(20, report.Verified);
        }
    }

    [Fact]
    public async Task An_event_that_is_refused_fails_its_own_caller_only()
    {
        await using var log = await LogFixture.CreateAsync();
        using var group = new GroupAppender(log.Databases);
        var twice = await log.Appender.PrepareAsync(log.Tenant, log.Event(), Cancel);
        await group.AppendAsync([twice], Cancel);
        var good = new List<PreparedEvent>();
        for (var i = 0; i < 30; i++) good.Add(await log.Appender.PrepareAsync(log.Tenant, log.Event(), Cancel));
        var calls = good.Select((each, i) => i == 15 ? group.AppendAsync([twice], Cancel) : group.AppendAsync([each], Cancel)).ToArray();
        await Assert.ThrowsAsync<PostgresException>(() => Task.WhenAll(calls));
        Assert.Equal(29, calls.Count(call => call.IsCompletedSuccessfully));
        Assert.True(calls[15].IsFaulted);
        Assert.Equal(30, await log.CountAsync("ledger.event"));
    }

    [Fact]
    public async Task A_lost_connection_is_told_to_every_caller_and_the_next_one_goes_through()
    {
        await using var log = await LogFixture.CreateAsync();
        using var group = new GroupAppender(log.Databases);
        // The table is locked, so that the append stands still until its connection is cut.
        var locked = log.Database.ExecuteAsync("BEGIN; LOCK TABLE ledger.pending IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3); COMMIT");
        await Task.Delay(300, Cancel);
        var calls = new List<Task>();
        for (var i = 0; i < 5; i++) calls.Add(group.AppendAsync([await log.Appender.PrepareAsync(log.Tenant, log.Event(), Cancel)], Cancel));
        await Task.Delay(300, Cancel);
        await log.Database.ExecuteAsync("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'chaperone_app' AND datname = current_database()");
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => calls[0]);
        await locked;
        await Task.WhenAll(calls).ContinueWith(static _ => { }, Cancel, TaskContinuationOptions.None, TaskScheduler.Default);
        await group.AppendAsync([await log.Appender.PrepareAsync(log.Tenant, log.Event(), Cancel)], Cancel);
        Assert.Equal(calls.Count(call => call.IsCompletedSuccessfully) + 1, await log.CountAsync("ledger.event"));
    }
}
