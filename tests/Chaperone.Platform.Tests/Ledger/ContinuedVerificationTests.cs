using Chaperone.Ledger;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.Logging.Abstractions;

namespace Chaperone.Platform.Tests.Ledger;

/// <summary>Where reading a whole log takes long, the hourly check goes on from what was verified: what that finds, what it leaves to the weekly one, and that it says so.</summary>
public sealed class ContinuedVerificationTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_hourly_check_goes_on_where_reading_all_takes_long_and_finds_what_was_altered_in_what_is_new()
    {
        await using var log = await LogFixture.CreateAsync();
        using var check = Check(log, wholeWithin: TimeSpan.Zero);
        var clinic = Clinic(log);
        var thing = await log.AddRecordAsync();
        await log.FillAsync(600);
        Assert.Equal((0L, 601L), Range(await check.VerifyAsync(clinic, Cancel, whole: false)));         // nothing was verified before
        Assert.Equal(601, check.StateOf(log.Tenant)!.Whole!.Size);

        var changed = await log.AddRecordAsync();
        await log.FillAsync(50);
        var report = await check.VerifyAsync(clinic, Cancel, whole: false);
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.Equal(512L, report.From);        // the last whole chunk
        Assert.Equal(report.To - report.From, report.Verified);
        Assert.Equal((512L, 601L, true), (check.StateOf(log.Tenant)!.From, check.StateOf(log.Tenant)!.Whole!.Size, check.StateOf(log.Tenant)!.Good));

        // What is new is read to the last bit, and so are the records that it changed.
        await log.AttackAsync($"UPDATE {LogFixture.Things} SET status = 'paid' WHERE id = '{changed}'");
        Assert.Contains("is not the row", Assert.Single((await check.VerifyAsync(clinic, Cancel, whole: false)).Problems).What, StringComparison.Ordinal);
        Assert.False(check.StateOf(log.Tenant)!.Good);
        await log.AttackAsync($"UPDATE {LogFixture.Things} SET status = 'booked' WHERE id = '{changed}'");
        Assert.Equal(0L, (await check.VerifyAsync(clinic, Cancel, whole: false)).From);                  // after a bad one all is read
        await log.FillAsync(3);
        await log.AttackAsync("UPDATE ledger.event SET outcome = 'denied' WHERE id = (SELECT event_ids[array_length(event_ids, 1)] FROM ledger.position ORDER BY n DESC LIMIT 1)");
        report = await check.VerifyAsync(clinic, Cancel, whole: false);
        Assert.Equal((1, true), (report.ExitCode, report.FirstBadIndex >= 600));
        Assert.NotEqual(thing, changed);
    }

    [Theory]
    [InlineData("UPDATE ledger.event SET outcome = 'denied' WHERE id = (SELECT event_ids[7] FROM ledger.position WHERE n = 0)")]
    [InlineData("UPDATE ledger.tile SET hashes = set_byte(hashes, 3, get_byte(hashes, 3) # 1)")]
    [InlineData("UPDATE clinic.test_thing SET status = 'paid'")]
    [InlineData("DELETE FROM clinic.test_thing")]
    public async Task What_was_altered_in_what_was_verified_before_is_found_by_the_weekly_one(string attack)
    {
        await using var log = await LogFixture.CreateAsync();
        using var check = Check(log, wholeWithin: TimeSpan.Zero);
        var clinic = Clinic(log);
        await log.AddRecordAsync();
        await log.FillAsync(600);
        Assert.Equal(0, (await check.VerifyAsync(clinic, Cancel)).ExitCode);
        await log.AttackAsync(attack);
        var report = await check.VerifyAsync(clinic, Cancel, whole: false);
        Assert.Equal((0, 512L), (report.ExitCode, report.From));        // and the page says from where it read
        Assert.Equal(1, (await check.VerifyAsync(clinic, Cancel, whole: true)).ExitCode);
    }

    [Theory]
    [InlineData("DELETE FROM ledger.position WHERE n = 2")]
    [InlineData("UPDATE ledger.position SET entry_hashes = set_byte(entry_hashes, 3, get_byte(entry_hashes, 3) # 1) WHERE n = 2")]
    [InlineData("UPDATE ledger.tree SET size = size - 1")]
    [InlineData("DELETE FROM ledger.position WHERE n = 2; DELETE FROM ledger.checkpoint WHERE size > 512; UPDATE ledger.tree SET size = 512")]
    public async Task A_log_that_does_not_continue_what_was_verified_is_found_at_once(string attack)
    {
        await using var log = await LogFixture.CreateAsync();
        using var check = Check(log, wholeWithin: TimeSpan.Zero);
        await log.FillAsync(600);
        Assert.Equal(0, (await check.VerifyAsync(Clinic(log), Cancel)).ExitCode);
        await log.AttackAsync(attack);
        var report = await check.VerifyAsync(Clinic(log), Cancel, whole: false);
        Assert.Equal((1, 512L), (report.ExitCode, report.From));
    }

    [Fact]
    public async Task Where_reading_all_is_quick_every_check_does_and_says_in_the_log_from_where_it_read()
    {
        await using var log = await LogFixture.CreateAsync();
        using var check = Check(log, wholeWithin: TimeSpan.FromMinutes(1));
        await log.FillAsync(600);
        await check.VerifyAsync(Clinic(log), Cancel);
        await log.AttackAsync("UPDATE ledger.event SET outcome = 'denied' WHERE id = (SELECT event_ids[7] FROM ledger.position WHERE n = 0)");
        var report = await check.VerifyAsync(Clinic(log), Cancel, whole: false);
        Assert.Equal((1, 0L, 6L), (report.ExitCode, report.From, report.FirstBadIndex!.Value));
        Assert.Null(check.RunningOf(log.Tenant));
        var told = (await Chaperone.TestSupport.LedgerEvents.ReadAsync(log.Databases, log.Ring, log.Tenant)).Where(happened => happened.Action.StartsWith("ledger.veri", StringComparison.Ordinal)).ToList();
        Assert.Equal([("ledger.verified", 0L), ("ledger.verification_failed", 0L)], told.Select(happened => (happened.Action, happened.Details["from"].Number!.Value)));
    }

    private static Tenant Clinic(LogFixture log) => new(log.Tenant, "one.localhost", "Clinic", "Europe/London", false);

    private static (long, long) Range(VerificationReport report) => (report.From, report.To);

    private static IntegrityCheck Check(LogFixture log, TimeSpan wholeWithin) =>
        new(log.Databases, new TenantDirectory(log.Databases, TimeProvider.System), log.Verifier(), log.Appender, log.Sequencer, TimeProvider.System, NullLogger<IntegrityCheck>.Instance) { WholeWithin = wholeWithin };
}
