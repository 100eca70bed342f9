using System.Collections.Concurrent;
using System.Threading.Channels;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chaperone.Clinic.Witnesses;

/// <summary>Wakes the runner for a clinic: its log was signed, or its witnesses changed.</summary>
internal sealed class WitnessBell
{
    private readonly Channel<(Guid Tenant, bool Changed)> rung = Channel.CreateUnbounded<(Guid, bool)>();

    public void Ring(Guid tenant, bool changed = false) => rung.Writer.TryWrite((tenant, changed));

    /// <summary>Rings once the operation is durable.</summary>
    public void RingAfter(OperationScope scope, bool changed)
    {
        var tenant = scope.Tenant.Id;
        scope.AfterCommit(_ =>
        {
            Ring(tenant, changed);
            return Task.CompletedTask;
        });
    }

    public ValueTask<(Guid Tenant, bool Changed)> Heard(CancellationToken cancel) => rung.Reader.ReadAsync(cancel);
}

/// <summary>
/// Asks every witness of a clinic as soon as its log has grown and was signed: at once, each for itself, so that a slow one keeps nobody waiting, and nothing of the clinic's waits for any.
/// One that fails is asked again ever later, up to five minutes; tells people when one objects, or has been silent for a day.
/// </summary>
/// <remarks>Every node runs one. Two that ask the same witness at once get the same cosignature, or one of them is told the newer size and goes on from it.</remarks>
internal sealed class WitnessRunner(ReferenceMonitor monitor, TenantDirectory clinics, Witnessing witnessing, WitnessBell bell, TimeProvider clock, ILogger<WitnessRunner> log) : BackgroundService
{
    /// <summary>How long a witness may be silent before people are told.</summary>
    public static readonly TimeSpan SilentFor = TimeSpan.FromHours(24);

    private const int AtOnce = 16;
    private static readonly TimeSpan KnownFor = TimeSpan.FromMinutes(1), FirstWait = TimeSpan.FromSeconds(2), LongestWait = TimeSpan.FromMinutes(5);
    private static readonly CallSource Source = new("job", "witnesses");
    private readonly ConcurrentDictionary<Guid, Guarded> guarded = new();
    private readonly SemaphoreSlim places = new(AtOnce, AtOnce);

    /// <summary>Whether a witness says that the clinic's log was rewritten, as far as this node has heard.</summary>
    public bool HasObjection(Guid tenant) => guarded.TryGetValue(tenant, out var known) && known.Objections > 0;

    /// <summary>Rings for every clinic; the scheduler's minute.</summary>
    public async Task SweepAsync(CancellationToken cancel)
    {
        foreach (var clinic in await clinics.AllAsync(cancel)) bell.Ring(clinic.Id);
    }

    /// <summary>Asks all witnesses of a clinic that may be asked now, and waits for them.</summary>
    internal async Task RunClinicAsync(Tenant clinic, bool changed, CancellationToken cancel)
    {
        var all = guarded.GetOrAdd(clinic.Id, static _ => new());
        await Task.WhenAll((await WitnessesAsync(all, clinic, changed, cancel)).Select(witness => TakeTurnAsync(all, clinic, witness, now: changed, cancel)));
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        witnessing.Signed += tenant => bell.Ring(tenant);
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await GuardedAsync(SweepAsync, stoppingToken);
        while (true)
        {
            var (tenant, changed) = await bell.Heard(stoppingToken);
            _ = GuardedAsync(async cancel =>
            {
                if (await clinics.GetAsync(tenant, cancel) is { } clinic) await RunClinicAsync(clinic, changed, cancel);
            }, stoppingToken);
        }
    }

    private async Task<IReadOnlyList<LogWitness>> WitnessesAsync(Guarded all, Tenant clinic, bool changed, CancellationToken cancel)
    {
        if (!changed && all.Witnesses is { } known && clock.GetElapsedTime(all.ReadAt) < KnownFor) return known;
        var read = await monitor.Run(new ReadWitnesses(), new(clinic, Actor.System, Source), cancel);
        if (read.Error is not null) return [];   // the database is away, or a seal is broken: the monitor has said so
        (all.Witnesses, all.ReadAt) = (read.Value, clock.GetTimestamp());
        if (read.Value.Count == 0) all.Objections = 0;
        return read.Value;
    }

    // One at a time asks a witness for a clinic; what was signed meanwhile is asked for right after.
    private async Task TakeTurnAsync(Guarded all, Tenant clinic, LogWitness witness, bool now, CancellationToken cancel)
    {
        var one = all.ByMark.GetOrAdd(witness.Mark, static _ => new());
        if (!now && one.Failures > 0 && clock.GetElapsedTime(one.AskedAt) < WaitAfter(one.Failures)) return;
        if (Interlocked.CompareExchange(ref one.Busy, 1, 0) != 0)
        {
            Volatile.Write(ref one.Again, true);
            return;
        }
        try
        {
            await places.WaitAsync(cancel);
            try
            {
                Volatile.Write(ref one.Again, false);
                await AskAsync(all, one, clinic, witness, cancel);
            }
            finally
            {
                places.Release();
            }
        }
        finally
        {
            Volatile.Write(ref one.Busy, 0);
        }
        if (one.Failures > 0) _ = RingAfterAsync(clinic.Id, WaitAfter(one.Failures), cancel);
        else if (Volatile.Read(ref one.Again)) bell.Ring(clinic.Id);
    }

    private async Task AskAsync(Guarded all, One one, Tenant clinic, LogWitness witness, CancellationToken cancel)
    {
        var (before, after) = await witnessing.AskAsync(clinic.Id, witness, cancel);
        (one.Failures, one.AskedAt) = (after.Fault is null ? 0 : Math.Min(one.Failures + 1, 20), clock.GetTimestamp());
        one.Objects = after.Fault == WitnessFault.Objects || after.Told == WitnessStanding.Objects;
        all.Count();
        if (after.Fault is null && before.Told is not null) await TellAsync(clinic, witness, WitnessTale.Returned, before, cancel);
        else if (after is { Fault: WitnessFault.Objects, Told: not WitnessStanding.Objects }) await TellAsync(clinic, witness, WitnessTale.Objects, after, cancel);
        else if (after is { Told: null, FailingSince: { } since } && clock.GetUtcNow() - since >= SilentFor) await TellAsync(clinic, witness, WitnessTale.Silent, after, cancel);
    }

    // The event first: if this process dies before it is noted, people are told twice rather than never.
    private async Task TellAsync(Tenant clinic, LogWitness witness, WitnessTale tale, WitnessStanding standing, CancellationToken cancel)
    {
        var told = await monitor.Run(new TellOfWitness(witness, tale, standing), new(clinic, Actor.System, Source), cancel);
        if (tale == WitnessTale.Objects) log.LogCritical("A witness says that the log of clinic {Clinic} does not continue what it saw before. Run the verify command; change nothing.", clinic.Id);
        if (told.Error is null && tale != WitnessTale.Returned) await witnessing.TellAsync(clinic.Id, witness, tale == WitnessTale.Objects ? WitnessStanding.Objects : WitnessStanding.Silent, cancel);
    }

    private async Task RingAfterAsync(Guid tenant, TimeSpan delay, CancellationToken cancel)
    {
        await Task.Delay(delay, clock, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        bell.Ring(tenant);
    }

    private async Task GuardedAsync(Func<CancellationToken, Task> act, CancellationToken cancel)
    {
        try
        {
            await act(cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // the next start asks again
        }
        catch (Exception failed) when (!cancel.IsCancellationRequested)
        {
            if (!failed.IsDatabaseLoss()) log.LogError("Asking witnesses failed: {Fault}{NewLine}{Stack}", failed.GetType().Name, Environment.NewLine, failed.StackTrace);
        }
    }

    private static TimeSpan WaitAfter(int failures) => TimeSpan.FromSeconds(Math.Min(LongestWait.TotalSeconds, FirstWait.TotalSeconds * Math.Pow(2, failures - 1)));

    public override void Dispose()
    {
        places.Dispose();
        base.Dispose();
    }

    private sealed class Guarded
    {
        public ConcurrentDictionary<string, One> ByMark { get; } = new(StringComparer.Ordinal);

        public IReadOnlyList<LogWitness>? Witnesses { get; set; }

        public long ReadAt { get; set; }

        public int Objections { get; set; }

        // Of the witnesses there are now: one that was removed says nothing any more.
        public void Count() => Objections = (Witnesses ?? []).Count(witness => ByMark.TryGetValue(witness.Mark, out var one) && one.Objects);
    }

    private sealed class One
    {
        public int Busy;
        public bool Again;

        public int Failures { get; set; }

        public long AskedAt { get; set; }

        public bool Objects { get; set; }
    }
}
