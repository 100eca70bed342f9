using System.Collections.Concurrent;
using Chaperone.Platform.Jobs;
using Chaperone.Platform.Postgres;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chaperone.Platform.Tests.Jobs;

/// <summary>The scheduler on the real store: one node of several does the work, restarts keep the plan, and its tables can make it load nothing.</summary>
public sealed class SchedulerTests : IAsyncLifetime
{
    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestCluster.CreateDatabaseAsync();

    public async ValueTask DisposeAsync() => await database.DisposeAsync();

    [Fact]
    public async Task Of_two_nodes_one_does_each_turn_and_never_two_at_a_time()
    {
        var (runs, now, most, gate) = (new ConcurrentQueue<string>(), 0, 0, new Lock());
        await using var one = await Node.StartAsync(database, TimeProvider.System, Work("one"));
        await using var other = await Node.StartAsync(database, TimeProvider.System, Work("other"));
        await Until(() => runs.Count >= 6);
        Assert.Equal(1, most);
        Assert.Equal(2L, await database.ExecuteAsync("SELECT count(*) FROM jobs.scheduler_state"));
        Assert.Equal(1L, await database.ExecuteAsync("SELECT count(*) FROM jobs.triggers"));

        RecurringWork Work(string node) => new("often", TimeSpan.FromMilliseconds(500), async cancel =>
        {
            lock (gate) most = Math.Max(most, ++now);
            await Task.Delay(100, cancel);
            lock (gate) now--;
            runs.Enqueue(node);
        });
    }

    [Fact]
    public async Task A_restart_keeps_the_plan_and_makes_up_for_what_was_missed_with_one_run()
    {
        var (clock, runs) = (new TestClock(), 0);
        var work = new RecurringWork("hourly", TimeSpan.FromHours(1), _ =>
        {
            Interlocked.Increment(ref runs);
            return Task.CompletedTask;
        });
        long planned;
        await using (await Node.StartAsync(database, clock, work)) planned = (long)(await database.ExecuteAsync("SELECT next_fire_time FROM jobs.triggers"))!;
        await using (await Node.StartAsync(database, clock, work)) Assert.Equal(planned, await database.ExecuteAsync("SELECT next_fire_time FROM jobs.triggers"));
        Assert.Equal(0, runs);
        clock.Advance(TimeSpan.FromHours(7.5));
        await using (await Node.StartAsync(database, clock, work))
        {
            await Until(() => runs > 0);
            await Task.Delay(1500);
        }
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task Work_that_fails_is_done_again_at_its_next_time_and_what_it_said_is_not_logged()
    {
        var runs = 0;
        await using var node = await Node.StartAsync(database, TimeProvider.System, new RecurringWork("failing", TimeSpan.FromMilliseconds(300), _ => Interlocked.Increment(ref runs) > 0 ? throw new InvalidOperationException("Adelaide Zimmerstein") : Task.CompletedTask));
        await Until(() => runs >= 3);
        Assert.Contains(node.Logs.Lines, line => line.Contains("failing failed (InvalidOperationException)", StringComparison.Ordinal));
        Assert.DoesNotContain(node.Logs.Lines, line => line.Contains("Zimmerstein", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whoever_writes_to_the_schedulers_tables_has_no_other_class_loaded()
    {
        var runs = 0;
        var work = new RecurringWork("often", TimeSpan.FromMilliseconds(300), _ =>
        {
            runs++;
            return Task.CompletedTask;
        });
        await using (await Node.StartAsync(database, TimeProvider.System, work)) await Until(() => runs > 0);
        await database.ExecuteAsync($"UPDATE jobs.job_details SET job_class_name = '{typeof(Planted).AssemblyQualifiedName}'");
        var before = runs;
        await using (await Node.StartAsync(database, TimeProvider.System, work)) await Task.Delay(2000);
        Assert.False(Planted.Ran);
        // The next start plans it anew, by its own class.
        Assert.True(runs >= before);
    }

    [Fact]
    public async Task The_requests_role_may_write_only_the_tables_that_intervals_need()
    {
        Assert.Equal("fired_triggers,job_details,locks,scheduler_state,simple_triggers,triggers", await database.ExecuteAsync(
            "SELECT string_agg(DISTINCT table_name::text, ',' ORDER BY table_name::text) FROM information_schema.role_table_grants WHERE grantee = 'chaperone_app' AND table_schema = 'jobs' AND privilege_type <> 'SELECT'"));
        Assert.Null(await database.ExecuteAsync("SELECT 1 FROM information_schema.role_table_grants WHERE grantee IN ('chaperone_ledger', 'PUBLIC') AND table_schema = 'jobs'"));
    }

    private static async Task Until(Func<bool> happened)
    {
        for (var tries = 0; !happened(); tries++)
        {
            Assert.True(tries < 300, "It did not happen within thirty seconds.");
            await Task.Delay(100);
        }
    }

    public sealed class Planted : Quartz.IJob
    {
        public static bool Ran { get; private set; }

        public ValueTask Execute(Quartz.IJobExecutionContext context, CancellationToken cancellationToken = default)
        {
            Ran = true;
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>A process with nothing but the scheduler.</summary>
    private sealed class Node(ServiceProvider services, Databases databases, CapturedLogs logs) : IAsyncDisposable
    {
        public CapturedLogs Logs => logs;

        public static async Task<Node> StartAsync(TestDatabase database, TimeProvider clock, RecurringWork work)
        {
            var (databases, logs) = (new Databases(database.App, database.Ledger, database.Operator), new CapturedLogs());
            var collection = new ServiceCollection();
            collection.AddLogging(logging => logging.AddProvider(logs).AddFilter("Quartz", LogLevel.None));
            collection.AddSingleton(clock).AddSingleton(databases).AddSingleton(work).AddChaperoneJobs(clock);
            var node = new Node(collection.BuildServiceProvider(), databases, logs);
            foreach (var hosted in node.Hosted()) await hosted.StartAsync(CancellationToken.None);
            return node;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var hosted in Hosted()) await hosted.StopAsync(CancellationToken.None);
            await services.DisposeAsync();
            await databases.DisposeAsync();
        }

        private IEnumerable<IHostedService> Hosted() => services.GetServices<IHostedService>();
    }
}
