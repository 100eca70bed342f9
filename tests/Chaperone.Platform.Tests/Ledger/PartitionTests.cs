using Npgsql;

namespace Chaperone.Platform.Tests.Ledger;

public sealed class PartitionTests
{
    private const string Old = "SELECT tenant_id, id, '2020-05-17'::date, action, severity, outcome, actor_id, entity_type, entity_id, ip_index, body FROM ledger.event";

    [Fact]
    public async Task Every_term_has_its_month_and_the_three_after_it_and_a_second_call_changes_nothing()
    {
        await using var log = await LogFixture.CreateAsync();
        const string count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'ledger.event'::regclass";
        Assert.Equal((3 * 4) + 2L, await log.Database.ExecuteAsync(count));     // forever and default
        Assert.Equal(false, await log.Database.ExecuteAsync("SELECT ledger.ensure_partitions()", log.Database.Ledger));
        Assert.Equal((3 * 4) + 2L, await log.Database.ExecuteAsync(count));
    }

    [Fact]
    public async Task A_missing_month_is_made_anew_while_appends_go_on()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.Database.ExecuteAsync("DO $$ DECLARE t text; BEGIN FOR t IN SELECT inhrelid::regclass FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent::regclass::text LIKE 'ledger.event%' AND relkind = 'r' AND relname ~ '_20(2|3)' LOOP EXECUTE 'DROP TABLE ' || t; END LOOP; END $$", log.Database.Owner);
        using var stop = new CancellationTokenSource();
        var appending = Task.Run(async () => { while (!stop.IsCancellationRequested) await log.AppendAsync([log.Event("ledger.expired")]); }, TestContext.Current.CancellationToken);
        await log.Database.ExecuteAsync("SELECT ledger.ensure_partitions()", log.Database.Ledger);
        await stop.CancelAsync();
        await appending;
        Assert.Equal((3 * 4) + 2L, await log.Database.ExecuteAsync("SELECT count(*) FROM pg_inherits WHERE inhparent = 'ledger.event_subject'::regclass"));
    }

    [Fact]
    public async Task Events_without_a_month_go_to_the_default_partition_and_that_is_said()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(1);
        await log.AttackAsync($"INSERT INTO ledger.event {Old}");
        Assert.Equal(true, await log.Database.ExecuteAsync("SELECT ledger.ensure_partitions()", log.Database.Ledger));
    }

    [Theory]
    [InlineData("date_trunc('month', now())::date")]
    [InlineData("(date_trunc('month', now()) + interval '2 years')::date")]
    [InlineData("date '2020-05-17'")]
    [InlineData("date 'infinity'")]
    [InlineData("date '2019-01-01'")]
    public async Task A_month_that_is_not_over_or_not_there_is_not_dropped(string month)
    {
        await using var log = await LogFixture.CreateAsync();
        var refused = await Assert.ThrowsAsync<PostgresException>(() => log.Database.ExecuteAsync($"SELECT ledger.expire({month})", log.Database.Ledger));
        Assert.Equal("CH003", refused.SqlState);
    }

    [Fact]
    public async Task Expiry_drops_the_month_keeps_what_is_held_of_every_clinic_and_the_log_verifies()
    {
        await using var log = await LogFixture.CreateAsync();
        var other = await log.AddClinicAsync("two.localhost");
        await log.AddMonthAsync();
        var held = log.Person();
        var at = new DateTimeOffset(2018, 5, 17, 12, 0, 0, TimeSpan.Zero);
        Guid[] people = [held, log.Person(), log.Person(), log.Person()];
        var events = people.Select((person, i) => log.Event("patient.viewed", person) with { Id = Ids.New(at.AddSeconds(i)), At = at.AddSeconds(i) }).ToList();
        await log.AppendAsync(events);
        await log.AppendAsync([log.Event("patient.viewed", held) with { Id = Ids.New(at), At = at }], tenant: other);
        await log.AppendAsync([log.Event("auth.logout") with { Id = Ids.New(at), At = at }], tenant: other);
        await log.Sequencer.FlushAsync(log.Tenant, default);
        await log.HoldAsync(held);
        await log.LengthenAsync(other, "auth.logout", 30);
        await log.AppendAsync([log.Event("ledger.expired") with { Expired = [new(1, 3)] }]);
        await log.Sequencer.FlushAsync(log.Tenant, default);

        await log.Database.ExecuteAsync("SELECT ledger.expire('2020-05-01')", log.Database.Ledger);
        Assert.Equal(events[0].Id, await log.Database.ExecuteAsync($"SELECT id FROM ledger.event_held WHERE tenant_id = '{log.Tenant}'"));
        Assert.Equal("auth.logout", await log.Database.ExecuteAsync($"SELECT action FROM ledger.event_held WHERE tenant_id = '{other}'"));
        Assert.Equal(1L, await log.Database.ExecuteAsync("SELECT count(*) FROM ledger.event_subject_held"));
        Assert.Equal(true, await log.Database.ExecuteAsync("SELECT to_regclass('ledger.event_2020_05') IS NULL"));
        var report = await log.VerifyAsync();
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.Equal((3, 3), (report.Verified, report.Expired));
    }
}
