using System.Text;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;

namespace Chaperone.Platform.Operations;

/// <summary>What a clinic's newest signed checkpoint says, for keeping elsewhere.</summary>
/// <param name="Head">Origin, size and root.</param>
/// <param name="Note">The whole signed note, with cosignatures.</param>
/// <param name="Key">The log's verifier key, in the vkey form.</param>
public sealed record SignedHead(Checkpoint Head, string Note, string Key);

/// <summary>What of the log is not for everybody who may read it: the entities whose events are withheld from who asks, or with the second argument from everybody. A feature gives it.</summary>
/// <param name="Find">Asked at most once for each reader of the log in an operation.</param>
public sealed record WithheldEvents(Func<OperationScope, bool, CancellationToken, Task<IReadOnlyList<Guid>>> Find);

/// <summary>The clinic's log as an operation reads it: in the operation's own transaction, so under row-level security, and only after the monitor has decided.</summary>
/// <remarks>
/// Ids of people leave with events. Registering them (<see cref="OperationScope.Show(Guid)"/>) is for the handler, which knows what is shown of an event. What is withheld from who asks
/// (<see cref="WithheldEvents"/>) is in no answer but a bundle, which cannot leave anything out: whoever makes one asks <see cref="WithholdsAsync"/> first.
/// </remarks>
public sealed class ClinicLog(OperationScope scope, LedgerReader reader, LedgerBundle bundle, LogKeys keys, Sequencer sequencer, IntegrityCheck integrity, WithheldEvents? withheld = null)
{
    private IReadOnlyList<Guid>? notShown;

    /// <summary>The result of the last verification, or null before the first has ended.</summary>
    public IntegrityState? Integrity => integrity.StateOf(scope.Tenant.Id);

    /// <summary>The verification that is under way here, or null.</summary>
    public RunningVerification? Verifying => integrity.RunningOf(scope.Tenant.Id);

    /// <summary>Why the log is not signed at present, or null.</summary>
    public string? Refusal => sequencer.RefusalOf(scope.Tenant.Id);

    /// <summary>Sequences what was committed until now, so that nobody misses their own act. With <paramref name="signed"/> a checkpoint covers it too.</summary>
    /// <remarks>A log whose tree does not continue what was signed is read all the same, without new indexes; <see cref="Integrity"/> and <see cref="Refusal"/> say that it is so.</remarks>
    public async Task CatchUpAsync(CancellationToken cancel, bool signed = false)
    {
        try
        {
            await (signed ? sequencer.FlushAsync(scope.Tenant.Id, cancel) : sequencer.CatchUpAsync(scope.Tenant.Id, cancel));
        }
        catch (Exception refused) when (refused is InconsistentLogException or InvalidDataException)
        {
            sequencer.Signal(scope.Tenant.Id);   // whose own run keeps the reason and tells it
        }
    }

    /// <summary>A page of events, newest first; see <see cref="LedgerReader.PageAsync"/>.</summary>
    public async Task<EventPage> PageAsync(EventFilter filter, Guid? before, int limit, CancellationToken cancel) => await reader.PageAsync(scope.Transaction, await ShownAsync(filter, cancel), before, limit, cancel);

    /// <summary>The page next newer than a cursor; see <see cref="LedgerReader.NewerAsync"/>.</summary>
    public async Task<EventPage> NewerAsync(EventFilter filter, Guid after, int limit, CancellationToken cancel) => await reader.NewerAsync(scope.Transaction, await ShownAsync(filter, cancel), after, limit, cancel);

    /// <summary>How many events a filter finds, counting no further than <paramref name="most"/>; see <see cref="LedgerReader.CountAsync"/>.</summary>
    public async Task<EventCount> CountAsync(EventFilter filter, int most, CancellationToken cancel) => await LedgerReader.CountAsync(scope.Transaction, await ShownAsync(filter, cancel), most, cancel);

    /// <summary>How many events of each action there are; see <see cref="LedgerReader.CountEachAsync"/>.</summary>
    public Task<IReadOnlyDictionary<string, long>> CountEachAsync(IReadOnlyCollection<string> actions, DateTimeOffset from, int most, CancellationToken cancel) =>
        LedgerReader.CountEachAsync(scope.Transaction, actions, from, most, cancel);

    /// <summary>The newest events of a filter as charts need them; see <see cref="LedgerReader.MarksAsync"/>.</summary>
    public async Task<IReadOnlyList<EventMark>> MarksAsync(EventFilter filter, int most, CancellationToken cancel) => await LedgerReader.MarksAsync(scope.Transaction, await ShownAsync(filter, cancel), most, cancel);

    /// <summary>What stands in links and in the database for a client's address.</summary>
    public async Task<byte[]> IpTokenAsync(string address, CancellationToken cancel) => (await keys.IpIndex(scope.Tenant.Id, cancel)).Exact(address);

    /// <summary>The event of that id, or null.</summary>
    public async Task<ReadEvent?> FindAsync(Guid id, CancellationToken cancel) =>
        await reader.FindAsync(scope.Transaction, id, cancel) is { } found && IsShown(found, await NotShownAsync(cancel)) ? found : null;

    /// <summary>Those of these events whose bodies are there, oldest first.</summary>
    public async Task<IReadOnlyList<ReadEvent>> FindAllAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancel)
    {
        var hidden = await NotShownAsync(cancel);
        return [.. (await reader.FindAllAsync(scope.Transaction, ids, cancel)).Where(found => IsShown(found, hidden))];
    }

    /// <summary>Those of these events whose bodies are there, and which are withheld from who asks.</summary>
    public async Task<IReadOnlySet<Guid>> WithheldAmongAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancel)
    {
        var hidden = await NotShownAsync(cancel);
        return hidden.Count == 0 ? new HashSet<Guid>() : (await reader.FindAllAsync(scope.Transaction, ids, cancel)).Where(found => !IsShown(found, hidden)).Select(found => found.Event.Id).ToHashSet();
    }

    /// <summary>The places in the log of these events, whether their bodies ended or not; those that have none yet are left out.</summary>
    public async Task<IReadOnlyDictionary<Guid, long>> IndexesAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancel) => await LedgerReader.IndexesAsync(scope.Transaction, [.. ids], cancel);

    /// <summary>Whether anything of the log is withheld from who asks.</summary>
    public async Task<bool> WithholdsAsync(CancellationToken cancel) => (await NotShownAsync(cancel)).Count > 0;

    /// <summary>Those of these events about which no event says yet that they do not open.</summary>
    public async Task<IReadOnlyList<Guid>> UntoldAsync(IReadOnlyCollection<Guid> unreadable, CancellationToken cancel)
    {
        if (unreadable.Count == 0) return [];
        await using var command = scope.Transaction.Command(
            "SELECT entity_id FROM ledger.every_event WHERE tenant_id = $1 AND entity_id = ANY($2) AND action = 'security.seal_broken'", scope.Tenant.Id, unreadable.ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var told = new HashSet<Guid>();
        while (await reader.ReadAsync(cancel)) told.Add(reader.GetGuid(0));
        return [.. unreadable.Where(id => !told.Contains(id))];
    }

    /// <summary>Writes the events of a span of time as a bundle that proves itself; see <see cref="LedgerBundle.WriteAsync"/>.</summary>
    public Task<BundleSummary> WriteBundleAsync(DateTimeOffset? from, DateTimeOffset? to, Stream output, Action<LedgerEvent> onEvent, Func<VerifierKey, bool, string> policy, CancellationToken cancel) =>
        bundle.WriteAsync(scope.Transaction, from, to, output, onEvent, cancel, policy);

    /// <summary>How every witness that was ever asked stands, by <see cref="LogWitness.Mark"/>.</summary>
    public Task<IReadOnlyDictionary<string, WitnessStanding>> WitnessStandingsAsync(CancellationToken cancel) => Witnessing.StandingsAsync(scope.Transaction, cancel);

    /// <summary>Marks a checkpoint as one that somebody outside has, at once and whatever becomes of the operation.</summary>
    public Task KeepAsync(long size, CheckpointUse use, CancellationToken cancel) => sequencer.KeepAsync(scope.Tenant.Id, size, use, cancel);

    /// <summary>The newest signed checkpoint, or null while nothing is signed.</summary>
    public async Task<SignedHead?> SignedHeadAsync(CancellationToken cancel)
    {
        await using var command = scope.Transaction.Command("SELECT note FROM ledger.checkpoint WHERE tenant_id = $1 ORDER BY size DESC LIMIT 1", scope.Tenant.Id);
        if (await command.ExecuteScalarAsync(cancel) is not string text) return null;
        if (!SignedNote.TryParse(Encoding.UTF8.GetBytes(text), out var note) || !Checkpoint.TryParse(note.Text, out var head)) return null;
        return new(head, text, (await keys.Signer(scope.Tenant.Id, head.Origin, cancel)).Key.ToString());
    }

    private static bool IsShown(ReadEvent read, IReadOnlyList<Guid> hidden) => read.Event.Entity is not { } entity || !hidden.Contains(entity.Id);

    private async ValueTask<IReadOnlyList<Guid>> NotShownAsync(CancellationToken cancel) => notShown ??= withheld is null ? [] : await withheld.Find(scope, false, cancel);

    private async ValueTask<EventFilter> ShownAsync(EventFilter filter, CancellationToken cancel) =>
        await NotShownAsync(cancel) is { Count: > 0 } hidden ? filter with { NotEntities = [.. hidden, .. filter.NotEntities ?? []] } : filter;
}
