using System.Collections.Concurrent;
using System.Threading.Channels;
using Chaperone.Clinic.Streams.Receivers;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chaperone.Clinic.Streams;

/// <summary>Wakes the runner for a clinic: its log was signed, its streams changed, or a time to try again has come.</summary>
internal sealed class StreamBell
{
    private readonly Channel<(Guid Tenant, bool Changed)> rung = Channel.CreateUnbounded<(Guid, bool)>();

    public void Ring(Guid tenant, bool changed = false) => rung.Writer.TryWrite((tenant, changed));

    /// <summary>Rings once the operation is durable.</summary>
    public void RingAfter(OperationScope scope)
    {
        var tenant = scope.Tenant.Id;
        scope.AfterCommit(_ =>
        {
            Ring(tenant, changed: true);
            return Task.CompletedTask;
        });
    }

    public ValueTask<(Guid Tenant, bool Changed)> Heard(CancellationToken cancel) => rung.Reader.ReadAsync(cancel);
}

/// <summary>
/// Hands each stream's events over as soon as they are signed, in the log's order, one message after the other, each stream for itself, so that a slow receiver keeps no other waiting and
/// nothing of the clinic's waits for any.
/// </summary>
/// <remarks>Every node runs one; of a stream one of them has the turn (<see cref="NodeTurns"/>). What decides in the end is the stored index, which only moves on from where a message began.</remarks>
internal sealed class StreamRunner(
    ReferenceMonitor monitor, TenantDirectory clinics, Witnessing witnessing, ReceiverMaker receivers, NodeTurns turns, StreamBell bell, TimeProvider clock, ILogger<StreamRunner> log) : BackgroundService
{
    private const int AtOnce = 16;
    private static readonly TimeSpan KnownFor = TimeSpan.FromMinutes(1), OthersTurn = TimeSpan.FromSeconds(1);
    private static readonly CallSource Source = new("job", "streams");
    private readonly ConcurrentDictionary<Guid, Known> known = new();
    private readonly ConcurrentDictionary<Guid, One> busy = new();
    private readonly SemaphoreSlim places = new(AtOnce, AtOnce);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        witnessing.Signed += tenant => bell.Ring(tenant);
        return base.StartAsync(cancellationToken);
    }

    /// <summary>Waits for what is on its way: it is broken off, and its end is noted.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        for (var place = 0; place < AtOnce; place++) await places.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Rings for every clinic; the scheduler's minute.</summary>
    public async Task SweepAsync(CancellationToken cancel)
    {
        foreach (var clinic in await clinics.AllAsync(cancel)) bell.Ring(clinic.Id);
    }

    /// <summary>Sends what is to be sent in a clinic now, and waits for it.</summary>
    internal async Task RunClinicAsync(Tenant clinic, bool changed, CancellationToken cancel) =>
        await Task.WhenAll((await StreamsAsync(clinic, changed, cancel)).Select(stream => RunOneAsync(clinic, stream, cancel)));

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

    private async Task<IReadOnlyList<Guid>> StreamsAsync(Tenant clinic, bool changed, CancellationToken cancel)
    {
        if (!changed && known.TryGetValue(clinic.Id, out var before) && clock.GetElapsedTime(before.ReadAt) < KnownFor) return before.Streams;
        var read = await monitor.Run(new ReadStreams(), new(clinic, Actor.System, Source), cancel);
        if (read.Error is not null) return [];   // the database is away: the next ring asks again
        known[clinic.Id] = new(read.Value, clock.GetTimestamp());
        return read.Value;
    }

    // One at a time, here and on all nodes; whoever rings meanwhile has it looked at once more.
    private async Task RunOneAsync(Tenant clinic, Guid stream, CancellationToken cancel)
    {
        var one = busy.GetOrAdd(stream, static _ => new());
        Volatile.Write(ref one.Again, true);
        while (Volatile.Read(ref one.Again) && Interlocked.CompareExchange(ref one.Busy, 1, 0) == 0)
        {
            try
            {
                Volatile.Write(ref one.Again, false);
                await places.WaitAsync(cancel);
                try
                {
                    if (!await turns.TryTakeAsync(stream, cancel))
                    {
                        RingAfter(one, clinic.Id, OthersTurn, cancel);      // another node's, which may not have heard of what is new
                        return;
                    }
                    try
                    {
                        await SendAllAsync(one, clinic, stream, cancel);
                    }
                    finally
                    {
                        await turns.GiveBackAsync(stream);
                    }
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
        }
    }

    private async Task SendAllAsync(One one, Tenant clinic, Guid stream, CancellationToken cancel)
    {
        var caller = new Caller(clinic, Actor.System, Source);
        IReceiver? receiver = null;
        long? version = null;
        try
        {
            while (true)
            {
                var taken = await monitor.Run(new TakeStreamTurn(stream), caller, cancel);
                if (taken.Error is not null) return;
                var turn = taken.Value;
                if (turn.Again) continue;
                if (turn.RetryAt is { } at) RingAfter(one, clinic.Id, at - clock.GetUtcNow(), cancel);
                if (turn.Stream is not { } row) return;
                if (row.Version != version)
                {
                    receiver?.Dispose();
                    (receiver, version) = (receivers.Of(row), row.Version);
                }
                var delivery = turn.Message is { } message ? await receiver!.SendAsync(message, cancel) : new(StreamFault.NotAsSigned);
                // Noted although the process is asked to stop: what is acknowledged must not be sent again.
                var finished = await monitor.Run(new FinishStreamTurn(stream, turn.Message, delivery), caller, CancellationToken.None);
                if (finished.Error is not null) return;
                if (finished.Value is not (StreamOutcome.Acknowledged or StreamOutcome.Waits)) await monitor.Run(new TellOfStream(stream, finished.Value, turn.Message, delivery), caller, CancellationToken.None);
            }
        }
        finally
        {
            receiver?.Dispose();
        }
    }

    // At most one waits for each stream: whatever rings meanwhile looks at the time itself.
    private void RingAfter(One one, Guid tenant, TimeSpan wait, CancellationToken cancel)
    {
        if (Interlocked.Exchange(ref one.Waiting, 1) != 0) return;
        _ = Task.Run(async () =>
        {
            if (wait > TimeSpan.Zero) await Task.Delay(wait < KnownFor ? wait : KnownFor, clock, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Volatile.Write(ref one.Waiting, 0);
            bell.Ring(tenant);
        }, CancellationToken.None);
    }

    private async Task GuardedAsync(Func<CancellationToken, Task> act, CancellationToken cancel)
    {
        try
        {
            await act(cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // the next start goes on from what is stored
        }
        catch (Exception failed) when (!cancel.IsCancellationRequested)
        {
            if (!failed.IsDatabaseLoss()) log.LogError("Streaming a log failed: {Fault}{NewLine}{Stack}", failed.GetType().Name, Environment.NewLine, failed.StackTrace);
        }
    }

    public override void Dispose()
    {
        places.Dispose();
        base.Dispose();
    }

    private sealed record Known(IReadOnlyList<Guid> Streams, long ReadAt);

    private sealed class One
    {
        public int Busy, Waiting;
        public bool Again;
    }
}
