using Chaperone.Ledger;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Postgres;
using Npgsql;

namespace Chaperone.Platform.Operations;

/// <summary>Writes events: with the change they are about, in the same commit, or, of what changed nothing, together with other callers'.</summary>
public sealed class EventWriter(LedgerAppender appender, GroupAppender group, Sequencer sequencer, AnonymousFailures failures)
{
    /// <summary>Appends the events and commits, in one round trip. The last append refuses the transaction when it changed another number of tracked rows than the events name.</summary>
    internal async Task CommitAsync(IReadOnlyList<LedgerEvent> events, TenantTransaction transaction, long changedRows, CancellationToken cancel)
    {
        var prepared = await PrepareAsync(transaction.Tenant, events, cancel);
        await transaction.CommitAsync(prepared.Select((each, i) => LedgerAppender.Command(each, i == prepared.Count - 1 ? changedRows : null)), cancel);
        sequencer.Signal(transaction.Tenant);
    }

    /// <summary>Appends events of something that changed nothing: reads, refusals, failures, the system's own. Returns when they are durable.</summary>
    public async Task WriteAloneAsync(Guid tenant, IReadOnlyList<LedgerEvent> events, CancellationToken cancel)
    {
        var counted = failures.Admit(tenant, events);
        if (counted.Count == 0) return;
        await group.AppendAsync(await PrepareAsync(tenant, counted, cancel), cancel);
        sequencer.Signal(tenant);
    }

    private async ValueTask<IReadOnlyList<PreparedEvent>> PrepareAsync(Guid tenant, IReadOnlyList<LedgerEvent> events, CancellationToken cancel)
    {
        var prepared = new PreparedEvent[events.Count];
        for (var i = 0; i < prepared.Length; i++) prepared[i] = await appender.PrepareAsync(tenant, events[i], cancel);
        return prepared;
    }
}

/// <summary>
/// Strangers' failures: the first twenty a minute of a clinic stand in the log singly, the rest as one event a minute with their count, so that nobody without an
/// account can fill the log.
/// </summary>
public sealed class AnonymousFailures(TimeProvider clock)
{
    private const int SinglyEachMinute = 20;
    private readonly Dictionary<Guid, Window> windows = [];
    private readonly Lock gate = new();

    /// <summary>The events to write now: all, none, or the first of a minute carrying how many before it were left out.</summary>
    internal IReadOnlyList<LedgerEvent> Admit(Guid tenant, IReadOnlyList<LedgerEvent> events)
    {
        if (events is not [{ Actor.Kind: ActorKind.Anonymous, Outcome: not EventOutcome.Success } single]) return events;
        lock (gate)
        {
            var now = clock.GetTimestamp();
            if (!windows.TryGetValue(tenant, out var window)) windows[tenant] = window = new() { Start = now };
            var left = 0;
            if (clock.GetElapsedTime(window.Start, now) >= TimeSpan.FromMinutes(1)) (left, window.Start, window.Written, window.Left) = (window.Left, now, 0, 0);
            if (window.Written >= SinglyEachMinute)
            {
                window.Left++;
                return [];
            }
            window.Written++;
            if (left == 0) return events;
            return [single with { Details = new Dictionary<string, EventFact>(single.Details, StringComparer.Ordinal) { ["left_out"] = left } }];
        }
    }

    private sealed class Window
    {
        public long Start { get; set; }

        public int Written { get; set; }

        public int Left { get; set; }
    }
}
