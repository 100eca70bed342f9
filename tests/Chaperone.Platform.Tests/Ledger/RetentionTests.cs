using Chaperone.Encryption;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Chaperone.Platform.Tests.Ledger;

/// <summary>Ending the bodies of old events: what goes, what stays, what vouches for records afterwards, and what happens when it breaks off.</summary>
public sealed class RetentionTests
{
    private static readonly DateTimeOffset LongAgo = new(2018, 5, 17, 12, 0, 0, TimeSpan.Zero);      // two years later lies in 2020-05

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_month_that_is_over_ends_for_every_clinic_and_every_log_verifies_and_says_so()
    {
        await using var log = await LogFixture.CreateAsync();
        var other = await log.AddClinicAsync("two.localhost");
        await log.AddMonthAsync();
        var (held, gone) = (log.Person(), log.Person());
        Guid[] people = [held, gone, gone];
        await log.AppendAsync(people.Select((person, i) => Old(log, i, "patient.viewed", person)));
        await log.AppendAsync([Old(log, 0, "patient.viewed", gone), Old(log, 1, "auth.logout")], tenant: other);
        await log.HoldAsync(held);
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        await log.Sequencer.FlushAsync(other, Cancel);

        var run = await Retention(log).RunAsync(Cancel);
        Assert.Equal((null, 4L, new DateOnly(2020, 5, 1)), (run.Refused, run.Events, Assert.Single(run.Months)));
        Assert.Equal(true, await log.Database.ExecuteAsync("SELECT to_regclass('ledger.event_2020_05') IS NULL"));
        Assert.Equal(1L, await log.Database.ExecuteAsync("SELECT count(*) FROM ledger.event_held"));
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        await log.Sequencer.FlushAsync(other, Cancel);
        var report = await log.VerifyAsync();
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.Equal(2, report.Expired);
        Assert.Equal(2, (await log.Verifier().VerifyAsync(other, "Other", null, null, Cancel)).Expired);
        var named = Assert.Single(await EventsAsync(log, log.Tenant, "ledger.expired"));
        Assert.Equal([new(1, 2)], named.Expired);
        Assert.Equal(("2020-05", "2"), (named.Details["month"].ToString(), named.Details["events"].ToString()));

        Assert.Empty((await Retention(log).RunAsync(Cancel)).Months);
        Assert.Single(await EventsAsync(log, log.Tenant, "ledger.expired"));
    }

    [Fact]
    public async Task Records_whose_last_event_goes_are_vouched_for_again_and_a_change_of_them_is_still_found()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.AddMonthAsync();
        var (kept, changed) = (await log.AddRecordAsync(), await log.AddRecordAsync());
        // Their events are as old as the month: written with the id and time of then.
        await log.AttackAsync("DELETE FROM ledger.event; DELETE FROM ledger.event_subject; DELETE FROM ledger.pending");
        await log.AppendAsync([Old(log, 0, "patient.created", kept) with { Records = [log.Vouch(kept, 1, "booked")] }, Old(log, 1, "patient.created", changed) with { Records = [log.Vouch(changed, 1, "booked")] }]);
        await log.AppendAsync([log.Event("patient.updated", changed) with { Records = [log.Vouch(changed, 2, "arrived")] }], $"UPDATE {LogFixture.Things} SET version = 2, status = 'arrived' WHERE id = '{changed}'", changedRows: 1);
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);

        var run = await Retention(log).RunAsync(Cancel);
        Assert.Equal((null, 2L, 1L), (run.Refused, run.Events, run.Attested));
        Assert.Equal([log.Vouch(kept, 1, "booked")], Assert.Single(await EventsAsync(log, log.Tenant, "record.attested")).Records);
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        var report = await log.VerifyAsync();
        Assert.True(report.ExitCode == 0, report.ToText());

        await log.AttackAsync($"UPDATE {LogFixture.Things} SET status = 'seen' WHERE id = '{kept}'");
        Assert.Contains(kept.ToString(), Assert.Single((await log.VerifyAsync()).Problems).What, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPDATE ledger.event SET outcome = 'denied'")]
    [InlineData("DELETE FROM clinic.legal_hold")]
    [InlineData("UPDATE clinic.legal_hold SET state = 'released'")]
    public async Task Nothing_is_dropped_while_a_log_or_a_hold_is_not_as_signed(string attack)
    {
        await using var log = await LogFixture.CreateAsync();
        await log.AddMonthAsync();
        var person = log.Person();
        await log.AppendAsync([Old(log, 0, "patient.viewed", person)]);
        await log.HoldAsync(person);
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        await log.AttackAsync(attack);

        var run = await Retention(log).RunAsync(Cancel);
        Assert.Equal(log.Tenant, run.Refused);
        Assert.Empty(run.Months);
        Assert.Equal(1L, await log.Database.ExecuteAsync("SELECT count(*) FROM ledger.event_2020_05"));
    }

    [Fact]
    public async Task Broken_off_before_its_commit_it_did_nothing_and_the_next_run_does_all_of_it()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.AddMonthAsync();
        await log.AppendAsync([Old(log, 0, "patient.viewed", log.Person()), Old(log, 1, "patient.viewed", log.Person())]);
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        await log.Database.ExecuteAsync("REVOKE EXECUTE ON FUNCTION ledger.destroy_audit_keys() FROM chaperone_ledger", log.Database.Owner);
        await Assert.ThrowsAsync<PostgresException>(() => Retention(log).RunAsync(Cancel));
        Assert.Equal(2L, await log.Database.ExecuteAsync("SELECT count(*) FROM ledger.event_2020_05"));
        Assert.Equal(2L, await log.Database.ExecuteAsync("SELECT count(*) FROM ledger.event"));

        await log.Database.ExecuteAsync("GRANT EXECUTE ON FUNCTION ledger.destroy_audit_keys() TO chaperone_ledger", log.Database.Owner);
        Assert.Equal(2, (await Retention(log).RunAsync(Cancel)).Events);
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        var report = await log.VerifyAsync();
        Assert.True(report is { ExitCode: 0, Expired: 2 }, report.ToText());
    }

    [Fact]
    public async Task Held_events_end_when_the_hold_does_and_by_nobody_elses_hand()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.AddMonthAsync();
        var person = log.Person();
        await log.AppendAsync([Old(log, 0, "patient.viewed", person)]);
        var hold = await log.HoldAsync(person, "proposed");
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        var run = await Retention(log).RunAsync(Cancel);
        Assert.Equal((null, 0L, 0), (run.Refused, run.Events, run.KeysDestroyed));
        Assert.Equal(1L, await log.Database.ExecuteAsync("SELECT count(*) FROM ledger.event_held"));
        foreach (var (role, sql) in new[]
        {
            (log.Database.Owner, "DELETE FROM ledger.event_held"), (log.Database.App, "DELETE FROM ledger.event_held"), (log.Database.App, "SELECT ledger.expire_held()"),
            (log.Database.App, "SELECT set_config('chaperone.expiring', 'held', false); DELETE FROM ledger.event_held"), (log.Database.App, "SELECT ledger.destroy_audit_keys()"),
        })
        {
            await Assert.ThrowsAsync<PostgresException>(() => log.Database.ExecuteAsync(sql, role));
        }

        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        await log.ReleaseAsync(hold, person);
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        Assert.Equal((1L, 1), (await Retention(log).RunAsync(Cancel)) is var second ? (second.Events, second.KeysDestroyed) : default);
        Assert.Equal(0L, await log.Database.ExecuteAsync("SELECT count(*) FROM ledger.event_held"));
        Assert.Equal(0L, await log.Database.ExecuteAsync("SELECT count(*) FROM ledger.event_subject_held"));
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        var report = await log.VerifyAsync();
        Assert.True(report is { ExitCode: 0, Expired: 1 }, report.ToText());
    }

    [Fact]
    public async Task With_the_month_goes_its_key_so_that_a_copy_of_the_bodies_opens_no_more()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.AddMonthAsync();
        var old = Old(log, 0, "patient.viewed", log.Person());
        await log.AppendAsync([old]);
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        var body = (byte[])(await log.Database.ExecuteAsync($"SELECT body FROM ledger.event WHERE id = '{old.Id}'"))!;
        var key = await log.Keys.Audit(log.Tenant, new(2020, 5, 1), Cancel);
        Assert.NotEmpty(SealedPayload.Open(body, key, LogKeys.Context(log.Tenant, old.Id)));

        Assert.Equal(1, (await Retention(log).RunAsync(Cancel)).KeysDestroyed);
        using var restarted = new KeyRing(log.Root, log.Databases, TimeProvider.System);
        await Assert.ThrowsAsync<SealBrokenException>(async () => await LedgerServices.KeysOf(restarted).Audit(log.Tenant, new(2020, 5, 1), Cancel));
    }

    private static LedgerEvent Old(LogFixture log, int second, string action, params Guid[] subjects) =>
        log.Event(action, subjects) with { Id = Ids.New(LongAgo.AddSeconds(second)), At = LongAgo.AddSeconds(second) };

    private static LogRetention Retention(LogFixture log) =>
        new(log.Databases, new(log.Databases, TimeProvider.System), log.Verifier(), log.Appender, log.Sequencer, TimeProvider.System, NullLogger<LogRetention>.Instance);

    private static async Task<IReadOnlyList<LedgerEvent>> EventsAsync(LogFixture log, Guid tenant, string action)
    {
        await using var transaction = await TenantTransaction.BeginAsync(log.Databases.App, tenant, Cancel);
        return [.. (await new LedgerReader(log.Keys).PageAsync(transaction, new() { Actions = [action] }, null, 100, Cancel)).Events.Select(read => read.Event)];
    }
}
