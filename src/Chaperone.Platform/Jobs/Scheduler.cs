using Chaperone.Platform.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Quartz;
using Quartz.Extensibility;

namespace Chaperone.Platform.Jobs;

/// <summary>Puts the scheduler into a container: Quartz with its store in schema <c>jobs</c>, clustered, so that of several nodes one does each piece of <see cref="RecurringWork"/>.</summary>
/// <remarks>Why it is set up like this: docs/decisions/0020.</remarks>
public static class JobServices
{
    /// <summary>The scheduler's name, the same on every node of an installation.</summary>
    internal const string Name = "chaperone";

    // Work only wakes others or goes clinic by clinic: two at once are plenty, and leave the processors to the requests.
    private const int Threads = 2;
    private static readonly TimeSpan CheckIn = TimeSpan.FromSeconds(5), IdleWait = TimeSpan.FromSeconds(15);

    /// <summary>Adds it, not yet started: that is a hosted service's, which commands do not run. Needs <see cref="Databases"/> and <see cref="TimeProvider"/>.</summary>
    public static IServiceCollection AddChaperoneJobs(this IServiceCollection services, TimeProvider clock)
    {
        services.AddQuartz(quartz => quartz
            .ConfigureScheduler(options =>
            {
                (options.InstanceName, options.GenerateInstanceId, options.IdleWaitTime) = (Name, true, IdleWait);
            })
            .UseDefaultThreadPool(Threads)
            .UseTimeProvider(clock)
            .UseTypeLoader<OnlyRecurringJob>()
            .AddSchedulerListener<StoreFaults>()
            .UsePersistentStore(store => store
                .UsePostgres(source => source.DataSourceFactory = provider => provider.GetRequiredService<Databases>().Jobs)
                .ConfigureStore(options => (options.TablePrefix, options.StoreJobDataAsStrings, options.UseBackgroundThreads) = ("jobs.", true, true))
                .UseClustering(cluster => (cluster.CheckinInterval, cluster.CheckinMisfireThreshold) = (CheckIn, CheckIn))));
        return services.AddTransient<RecurringJob>().AddHostedService<SchedulerHost>();
    }
}

/// <summary>Runs the work that has the job's name. The only class of job there is.</summary>
[DisallowConcurrentExecution]
internal sealed class RecurringJob(IEnumerable<RecurringWork> works, ILogger<RecurringJob> log) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        var name = context.JobDetail.Key.Name;
        if (works.FirstOrDefault(work => work.Name == name) is not { } found) return;   // a newer or older node's
        try
        {
            await found.Run(cancellationToken);
        }
        catch (Exception failed) when (!cancellationToken.IsCancellationRequested)
        {
            // Never the message: it may quote a value. The next time comes by itself.
            log.LogWarning("{Work} failed ({Fault}) and is tried again at its next time.", name, failed.GetType().Name);
        }
    }
}

/// <summary>Whoever can write to the scheduler's tables cannot have any other class loaded.</summary>
internal sealed class OnlyRecurringJob : ITypeLoader
{
    public Type? LoadType(string? name) =>
        string.IsNullOrEmpty(name) ? null
        : name.Split(',')[0] == typeof(RecurringJob).FullName ? typeof(RecurringJob)
        : throw new TypeLoadException("The scheduler knows one class of job.");
}

/// <summary>Says that the store does not answer, without what the exceptions say; Quartz's own log is off for that.</summary>
internal sealed class StoreFaults(ILogger<StoreFaults> log) : ISchedulerListener
{
    public ValueTask SchedulerError(IScheduler scheduler, SchedulerErrorContext error, CancellationToken cancellationToken = default)
    {
        log.LogWarning("The scheduler could not do its work ({Fault}); it tries again.", (error.Exception.InnerException ?? error.Exception).GetType().Name);
        return ValueTask.CompletedTask;
    }
}

/// <summary>Tells the scheduler what there is to do, starts it with the server, and stops it with it, waiting for what runs.</summary>
internal sealed class SchedulerHost(ISchedulerFactory factory, IEnumerable<RecurringWork> works, TimeProvider clock, ILogger<SchedulerHost> log) : IHostedService
{
    private IScheduler? scheduler;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        scheduler = await factory.GetScheduler(cancellationToken);
        foreach (var work in works) await PlanAsync(scheduler, work, cancellationToken);
        await scheduler.Start(cancellationToken);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (scheduler is null) return;
        try
        {
            await scheduler.Shutdown(true, cancellationToken);
        }
        catch (SchedulerException lost)
        {
            log.LogWarning("The scheduler could not sign off ({Fault}); other nodes notice by themselves.", (lost.InnerException ?? lost).GetType().Name);
        }
    }

    // What stands there already stays, with its next time, unless the interval is another one now.
    private async Task PlanAsync(IScheduler to, RecurringWork work, CancellationToken cancel)
    {
        var key = new TriggerKey(work.Name);
        if (await to.GetTrigger(key, cancel) is ISimpleTrigger known && known.RepeatInterval == work.Every)
        {
            await to.ResetTriggerFromErrorState(key, cancel);
            return;
        }
        var job = JobBuilder.Create<RecurringJob>().WithIdentity(work.Name).StoreDurably().Build();
        var trigger = TriggerBuilder.Create(clock).WithIdentity(work.Name).ForJob(work.Name)
            .StartAt(clock.GetUtcNow() + work.Every)
            .WithSchedule(SimpleScheduleBuilder.Create().WithInterval(work.Every).RepeatForever().WithMisfireInstruction(SimpleTriggerMisfireInstruction.NowWithExistingCount))
            .Build();
        await to.ScheduleJob(job, [trigger], new ScheduleJobOptions { Replace = true }, cancel);
    }
}
