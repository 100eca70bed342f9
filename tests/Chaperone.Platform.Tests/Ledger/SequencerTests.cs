using Chaperone.Ledger;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Postgres;
using Chaperone.TestSupport;
using Npgsql;

namespace Chaperone.Platform.Tests.Ledger;

public sealed class SequencerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_event_gets_the_next_index_and_the_tree_is_that_of_the_kernel()
    {
        await using var log = await LogFixture.CreateAsync();
        foreach (var count in new[] { 1, 254, 1, 1, 300, 4096 + 17 }) await log.FillAsync(count);
        var range = new CompactRange();
        foreach (var entry in await EntriesAsync(log)) range.Append(Merkle.LeafHash(entry));
        Assert.Equal(4670, range.Size);
        Assert.Equal(range.Root.ToArray(), await log.Database.ExecuteAsync("SELECT root FROM ledger.checkpoint ORDER BY size DESC LIMIT 1"));
        Assert.Equal(0, await log.CountAsync("ledger.pending"));
        var report = await log.VerifyAsync();
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.Equal(4670, report.Verified);
        Assert.Equal(await File.ReadAllTextAsync(log.File.PathOf(log.Tenant), Cancel), await log.Database.ExecuteAsync("SELECT note FROM ledger.checkpoint ORDER BY size DESC LIMIT 1"));
        Assert.StartsWith($"{log.Installation}/ledger/{log.Tenant}\n4670\n", await File.ReadAllTextAsync(log.File.PathOf(log.Tenant), Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_at_once_while_events_come_in_lose_nothing_and_give_no_index_twice()
    {
        await using var log = await LogFixture.CreateAsync();
        using var second = log.NewSequencer();
        await log.Sequencer.StartAsync(Cancel);
        await second.StartAsync(Cancel);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async writer =>
        {
            for (var i = 0; i < 40; i++)
            {
                await log.AppendAsync([log.Event("patient.viewed", log.Person())]);
                (writer % 2 == 0 ? log.Sequencer : second).Signal(log.Tenant);
            }
        }));
        await log.Sequencer.CatchUpAsync(log.Tenant, Cancel);
        await log.Sequencer.StopAsync(Cancel);
        await second.StopAsync(Cancel);
        var report = await log.VerifyAsync();
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.Equal(320, report.Verified);
    }

    [Fact]
    public async Task An_event_has_its_index_within_a_quarter_and_its_checkpoint_within_a_second()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(1);
        await log.Sequencer.StartAsync(Cancel);
        var (indexed, signed) = (new List<double>(), new List<double>());
        for (var i = 0; i < 12; i++)
        {
            await log.AppendAsync([log.Event()]);
            var start = TimeProvider.System.GetTimestamp();
            log.Sequencer.Signal(log.Tenant);
            while ((long)(await log.Database.ExecuteAsync("SELECT count(*) FROM ledger.pending"))! > 0) await Task.Delay(5, Cancel);
            indexed.Add(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds);
            while ((long)(await log.Database.ExecuteAsync("SELECT max(size) FROM ledger.checkpoint"))! < i + 2) await Task.Delay(10, Cancel);
            signed.Add(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds);
        }
        await log.Sequencer.StopAsync(Cancel);
        // The median: other work on the test machine must not fail this.
        Assert.True(indexed.Order().ElementAt(6) < 250, string.Join(' ', indexed));
        Assert.True(signed.Order().ElementAt(6) < 1000, string.Join(' ', signed));
    }

    [Fact]
    public async Task A_log_that_grows_fast_grows_by_whole_chunks_and_leaves_nothing_for_long()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(10);
        await log.AppendAsync(Enumerable.Range(0, 600).Select(_ => log.Event()));
        var (taken, left) = await log.Sequencer.GrowAsync(log.Tenant, growth => growth.Whole, Cancel);
        Assert.Equal((502, 98), (taken, left));             // to the end of the second chunk
        Assert.Equal((0, 98), await TakeWholeAsync());      // nothing is written for what does not fill one

        // The service leaves such a remainder for the next, and takes it when none comes.
        await log.Sequencer.StartAsync(Cancel);
        log.Sequencer.Signal(log.Tenant);
        await Eventually(() => log.CountAsync("ledger.pending"), 0);
        await log.AppendAsync(Enumerable.Range(0, 400).Select(_ => log.Event()));
        log.Sequencer.Signal(log.Tenant);
        await Eventually(() => log.CountAsync("ledger.pending"), 0);
        await log.Sequencer.StopAsync(Cancel);
        var report = await log.VerifyAsync();
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.Equal(1010, report.Verified);

        async Task<(int, int)> TakeWholeAsync()
        {
            var grown = await log.Sequencer.GrowAsync(log.Tenant, growth => growth.Whole, Cancel);
            return (grown.Taken, grown.Left);
        }

        static async Task Eventually(Func<Task<long>> count, long wanted)
        {
            for (var i = 0; i < 400 && await count() != wanted; i++) await Task.Delay(25, Cancel);
            Assert.Equal(wanted, await count());
        }
    }

    [Fact]
    public async Task After_the_clock_was_moved_back_everything_has_its_place_and_its_proof()
    {
        await using var log = await LogFixture.CreateAsync();
        var clock = new TestClock();
        using var sequencer = log.NewSequencer(clock: clock);
        var then = clock.GetUtcNow().AddHours(-2);
        await log.AppendAsync(Enumerable.Range(0, 300).Select(_ => log.Event()));
        await sequencer.FlushAsync(log.Tenant, Cancel);
        clock.Advance(TimeSpan.FromHours(-2));
        var late = Enumerable.Range(0, 10).Select(i => log.Event() with { Id = Ids.New(then.AddSeconds(i)), At = then.AddSeconds(i) }).ToArray();
        await log.AppendAsync(late);
        await sequencer.FlushAsync(log.Tenant, Cancel);
        await log.AppendAsync([log.Event()]);
        await sequencer.FlushAsync(log.Tenant, Cancel);

        var report = await log.VerifyAsync();
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.Equal(311, report.Verified);
        await using var transaction = await TenantTransaction.BeginAsync(log.Databases.App, log.Tenant, Cancel);
        var evidence = new LedgerEvidence(log.Keys, sequencer, log.Installation);
        for (var i = 0; i < late.Length; i++)
        {
            Assert.Equal(300 + i, (await new LedgerReader(log.Keys).FindAsync(transaction, late[i].Id, Cancel))!.Index);
            var proven = (await evidence.OfEventAsync(transaction, late[i].Id, null, Cancel))!;
            Assert.Equal((300 + i, 311), (proven.Proof.Index, proven.Head.Size));     // under the newest checkpoint, which bears an earlier time than the first
        }
        // What the checkpoint was kept for is written once.
        Assert.Equal("exported", await log.Database.ExecuteAsync("SELECT keep FROM ledger.checkpoint WHERE size = 311"));
    }

    [Fact]
    public async Task What_another_node_left_behind_is_found_by_the_sweep()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.AppendAsync([log.Event()]);
        await log.Sequencer.StartAsync(Cancel);     // nobody signals
        for (var i = 0; i < 200 && await log.CountAsync("ledger.checkpoint") == 0; i++) await Task.Delay(50, Cancel);
        await log.Sequencer.StopAsync(Cancel);
        Assert.Equal(1, await log.CountAsync("ledger.checkpoint"));
    }

    public static TheoryData<int, bool> Failures => new(
        from step in Enum.GetValues<WriteStep>() from stored in new[] { false, true } select ((int)step, stored));

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_write_step_that_fails_whether_stored_or_not_is_made_good_by_the_next_run(int step, bool stored)
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(3);
        await log.AppendAsync([log.Event(), log.Event()]);
        using var broken = log.NewSequencer();
        broken.Signing.Breakpoint = (at, after) => { if (at == (WriteStep)step && after == stored) throw new IOException("broken on purpose"); };
        await Assert.ThrowsAsync<IOException>(() => broken.FlushAsync(log.Tenant, Cancel));

        var between = await log.VerifyAsync();
        Assert.True(between.ExitCode == 0, between.ToText());
        using var next = log.NewSequencer();
        await next.FlushAsync(log.Tenant, Cancel);
        var report = await log.VerifyAsync();
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.Equal(5, report.Verified);
        Assert.Equal(5, report.Checkpoint!.Size);
    }

    [Fact]
    public async Task A_connection_lost_before_the_commit_leaves_all_or_nothing()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.AppendAsync([log.Event(), log.Event()]);
        using var killed = log.NewSequencer();
        killed.Signing.Breakpoint = (step, after) =>
        {
            if (step == WriteStep.Grow && !after)
                log.Database.ExecuteAsync("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'chaperone_ledger' AND datname = current_database()").GetAwaiter().GetResult();
        };
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => killed.FlushAsync(log.Tenant, Cancel));
        Assert.Equal(2, await log.CountAsync("ledger.pending"));
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        Assert.Equal(0, (await log.VerifyAsync()).ExitCode);
    }

    [Fact]
    public async Task A_tree_that_does_not_continue_the_checkpoint_file_is_never_signed()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(5);
        await log.AttackAsync("DELETE FROM ledger.checkpoint; DELETE FROM ledger.position; DELETE FROM ledger.tree; DELETE FROM ledger.event; DELETE FROM ledger.event_subject");
        await log.AppendAsync([log.Event(), log.Event()]);
        string? alarm = null;
        log.Sequencer.Alarm = (_, why) => alarm = why;
        await log.Sequencer.StartAsync(Cancel);
        log.Sequencer.Signal(log.Tenant);
        for (var i = 0; i < 200 && alarm is null; i++) await Task.Delay(20, Cancel);
        await log.Sequencer.StopAsync(Cancel);
        Assert.Contains("its tail was cut off", alarm, StringComparison.Ordinal);
        Assert.Equal(alarm, log.Sequencer.RefusalOf(log.Tenant));
        Assert.Equal(0, await log.CountAsync("ledger.checkpoint"));

        await log.AppendAsync(Enumerable.Range(0, 9).Select(_ => log.Event()));     // longer again, but not the same
        await Assert.ThrowsAsync<InconsistentLogException>(() => log.Sequencer.FlushAsync(log.Tenant, Cancel));
    }

    [Fact]
    public async Task A_damaged_tile_is_not_built_upon()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(300);
        await log.AttackAsync("UPDATE ledger.tile SET hashes = set_byte(hashes, 0, 255 - get_byte(hashes, 0))");
        await log.AppendAsync([log.Event()]);
        await Assert.ThrowsAsync<InvalidDataException>(() => log.Sequencer.FlushAsync(log.Tenant, Cancel));
        Assert.Equal(1, await log.CountAsync("ledger.pending"));
    }

    [Fact]
    public async Task Of_the_checkpoints_of_an_hour_the_last_and_those_in_use_stay()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(1);
        await log.FillAsync(1);
        await log.Sequencer.KeepAsync(log.Tenant, 2, CheckpointUse.Exported, Cancel);
        await log.FillAsync(1);
        await log.FillAsync(1);
        await log.Database.ExecuteAsync("UPDATE ledger.checkpoint SET signed_at = signed_at - interval '3 hours' WHERE size = 4");
        await log.FillAsync(1);
        Assert.Equal("2,4,5", await log.Database.ExecuteAsync("SELECT string_agg(size::text, ',' ORDER BY size) FROM ledger.checkpoint"));
    }

    private static async Task<List<byte[]>> EntriesAsync(LogFixture log)
    {
        var entries = new List<byte[]>();
        await using var connection = new NpgsqlConnection(log.Database.Superuser);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand("SELECT entry_hashes FROM ledger.position ORDER BY n", connection);
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        while (await reader.ReadAsync(Cancel)) foreach (var hash in reader.GetFieldValue<byte[]>(0).Chunk(32)) entries.Add([1, .. hash]);
        return entries;
    }
}
