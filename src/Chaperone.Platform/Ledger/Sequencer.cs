using System.Collections.Concurrent;
using System.Threading.Channels;
using Chaperone.Ledger;
using Chaperone.Platform.Postgres;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chaperone.Platform.Ledger;

/// <summary>
/// Gives committed events their indexes, grows the tree, and signs checkpoints. Every node runs one; a lock in the database lets one work on a clinic at a time.
/// </summary>
/// <remarks>
/// Woken by <see cref="Signal"/> after a commit on this node; what other nodes committed and could not sequence is found by a sweep every few seconds.
/// Not by NOTIFY, which makes commits wait for each other (docs/decisions). An event gets its index at most a fifth of a second after its commit, and 0.8 seconds lie between two checkpoints
/// of a clinic. A log that grows fast grows by whole chunks of 256, so that no chunk is written twice; what does not fill a chunk goes with the next growth. Recovery is the normal path: all state is in the database, and each step is one transaction.
/// </remarks>
public sealed partial class Sequencer : BackgroundService
{
    private static readonly TimeSpan GrowEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan GrowOften = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LeaveFor = TimeSpan.FromMilliseconds(90);
    private static readonly TimeSpan SignEvery = TimeSpan.FromMilliseconds(800);
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(3);
    private const int Workers = 4;

    private readonly ConcurrentDictionary<Guid, Log> logs = new();
    private readonly Channel<Log> woken = Channel.CreateUnbounded<Log>();
    private int lost;
    private readonly Databases databases;
    private readonly TimeProvider clock;
    private readonly ILogger<Sequencer> logger;

    /// <summary>Made once a process.</summary>
    /// <param name="databases">Uses the ledger role only.</param>
    /// <param name="keys">For the signers.</param>
    /// <param name="file">The checkpoint files.</param>
    /// <param name="installation">The installation's id, the first part of every log's origin.</param>
    /// <param name="clock">Time.</param>
    /// <param name="logger">Says what went wrong; never anything of an event.</param>
    public Sequencer(Databases databases, LogKeys keys, CheckpointFile file, Guid installation, TimeProvider clock, ILogger<Sequencer> logger)
    {
        (this.databases, this.clock, this.logger) = (databases, clock, logger);
        Signing = new(databases.Ledger, keys, file, installation, clock);
    }

    internal CheckpointSigner Signing { get; }

    /// <summary>Told, once for each reason, when a clinic's tree does not continue what was signed. Nothing more is signed for it until somebody has looked.</summary>
    public Action<Guid, string>? Alarm { get; set; }

    /// <summary>Why a clinic's log is not signed at present, or null.</summary>
    public string? RefusalOf(Guid tenant) => logs.TryGetValue(tenant, out var log) ? log.Refusal : null;

    /// <summary>Says that events of the clinic were committed. Cheap; never waits.</summary>
    public void Signal(Guid tenant) => Wake(logs.GetOrAdd(tenant, static id => new(id)));

    /// <summary>Sequences all that was committed before the call, so that whoever reads the log next does not miss their own act.</summary>
    public async Task CatchUpAsync(Guid tenant, CancellationToken cancel)
    {
        while ((await GrowAsync(tenant, null, cancel)).Taken == StoredTree.Batch) { }
        Signal(tenant);     // for the checkpoint
    }

    /// <summary>Marks a checkpoint as one that somebody outside has, so that it is kept.</summary>
    public async Task KeepAsync(Guid tenant, long size, CheckpointUse use, CancellationToken cancel)
    {
        await using var transaction = await TenantTransaction.BeginAsync(databases.Ledger, tenant, cancel);
        await using var command = transaction.Command("UPDATE ledger.checkpoint SET keep = $2 WHERE size = $1",
            size, use switch { CheckpointUse.Exported => "exported", CheckpointUse.Mailed => "mailed", _ => "witnessed" });
        await command.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>Sequences and signs what is committed now. For commands that run without the service.</summary>
    public async Task FlushAsync(Guid tenant, CancellationToken cancel)
    {
        while ((await GrowAsync(tenant, null, cancel)).Taken == StoredTree.Batch) { }
        await Signing.SignAsync(tenant, cancel);
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var workers = Enumerable.Range(0, Workers).Select(_ => Task.Run(() => WorkAsync(stoppingToken), stoppingToken)).ToList();
        workers.Add(Task.Run(() => SweepAsync(stoppingToken), stoppingToken));
        try
        {
            await Task.WhenAll(workers);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What is still pending is found by the sweep of the next start.
        }
    }

    private void Wake(Log log)
    {
        if (Interlocked.Exchange(ref log.Waiting, 1) == 0) woken.Writer.TryWrite(log);
    }

    private async Task WakeAfterAsync(Log log, TimeSpan delay, CancellationToken cancel)
    {
        await Task.Delay(delay, clock, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Wake(log);
    }

    private async Task WorkAsync(CancellationToken cancel)
    {
        await foreach (var log in woken.Reader.ReadAllAsync(cancel))
        {
            Volatile.Write(ref log.Waiting, 0);     // before the run: a signal during it may be about what it did not see
            var again = await RunAsync(log, cancel);
            if (again is { } delay) _ = WakeAfterAsync(log, delay, cancel);
        }
    }

    /// <summary>One turn for a clinic. Returns when the next is due, or null when a signal will tell.</summary>
    private async Task<TimeSpan?> RunAsync(Log log, CancellationToken cancel)
    {
        if (Interlocked.CompareExchange(ref log.Busy, 1, 0) != 0) return GrowEvery;
        try
        {
            if (Left(log.Grown, log.IsBusy ? GrowOften : GrowEvery) is { } early) return early;
            log.Grown = clock.GetTimestamp();
            var (taken, left) = await GrowAsync(log.Tenant, growth => HowMany(log, growth), cancel);
            if (left == 0) log.LeftSince = 0;
            else if (taken != 0 || log.LeftSince == 0) log.LeftSince = log.Grown;     // those left are younger than those taken
            log.IsBusy = left != 0 || taken >= Tiles.Width;
            if (taken != 0) log.Unsigned = true;
            if (taken > StoredTree.Batch - Tiles.Width) return TimeSpan.Zero;
            if (log.Unsigned && Left(log.Signed, SignEvery) is null)
            {
                log.Unsigned = !await Signing.SignAsync(log.Tenant, cancel);
                log.Signed = clock.GetTimestamp();
                log.Refusal = null;
            }
            return log.IsBusy ? GrowOften : taken != 0 ? GrowEvery : log.Unsigned ? Left(log.Signed, SignEvery) ?? GrowEvery : null;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception refused) when (refused is InconsistentLogException or InvalidDataException)
        {
            if (log.Refusal != refused.Message)
            {
                log.Refusal = refused.Message;
                Refused(log.Tenant, refused.Message);
                Alarm?.Invoke(log.Tenant, refused.Message);
            }
            return SweepEvery;
        }
        catch (Exception lost) when (lost.IsDatabaseLoss())
        {
            SayLost();
            return TimeSpan.FromSeconds(1);
        }
        catch (Exception failed)
        {
            Failed(failed, log.Tenant);
            return TimeSpan.FromSeconds(1);
        }
        finally
        {
            Volatile.Write(ref log.Busy, 0);
        }
    }

    // Whole chunks as long as there are any, and a remainder only when nothing was left before it or when it has waited long enough.
    private int HowMany(Log log, StoredTree.Growth growth)
    {
        var all = log.LeftSince == 0 ? growth.Whole == 0 : Left(log.LeftSince, LeaveFor) is null;
        return all ? growth.Pending.Count : growth.Whole;
    }

    /// <summary>Sequences what is pending.</summary>
    /// <param name="tenant">The clinic.</param>
    /// <param name="howMany">How many of them, in their order; null for all.</param>
    /// <param name="cancel">Cancels.</param>
    internal async Task<StoredTree.Grown> GrowAsync(Guid tenant, Func<StoredTree.Growth, int>? howMany, CancellationToken cancel)
    {
        var growth = await StoredTree.BeginGrowthAsync(databases.Ledger, tenant, cancel);
        await using var transaction = growth.Transaction;
        var count = howMany?.Invoke(growth) ?? growth.Pending.Count;
        if (count == 0) return new(0, growth.Pending.Count);
        await growth.Tree.GrowAsync(growth, count, cancel);
        Signing.Breakpoint?.Invoke(WriteStep.Grow, false);
        await transaction.CommitAsync(cancel);
        Signing.Breakpoint?.Invoke(WriteStep.Grow, true);
        return new(count, growth.Pending.Count - count);
    }

    private async Task SweepAsync(CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                var behind = await LeftBehindAsync(cancel);
                if (Interlocked.Exchange(ref lost, 0) == 1) Back();
                foreach (var tenant in behind)
                {
                    var log = logs.GetOrAdd(tenant, static id => new(id));
                    log.Unsigned = true;
                    Wake(log);
                }
            }
            catch (Exception lost) when (!cancel.IsCancellationRequested && lost.IsDatabaseLoss())
            {
                SayLost();
            }
            catch (Exception failed) when (!cancel.IsCancellationRequested)
            {
                SweepFailed(failed);
            }
            await Task.Delay(SweepEvery, clock, cancel);
        }
    }

    /// <summary>The clinics with pending events or an unsigned tree, asked in few round trips.</summary>
    private async Task<List<Guid>> LeftBehindAsync(CancellationToken cancel)
    {
        await using var connection = await databases.Ledger.OpenConnectionAsync(cancel);
        var tenants = new List<Guid>();
        await using (var all = new Npgsql.NpgsqlCommand("SELECT id FROM directory.tenant WHERE status = 'active'", connection))
        await using (var reader = await all.ExecuteReaderAsync(cancel))
            while (await reader.ReadAsync(cancel)) tenants.Add(reader.GetGuid(0));
        var behind = new List<Guid>();
        foreach (var some in tenants.Chunk(200))
        {
            await using var batch = new Npgsql.NpgsqlBatch(connection);
            batch.BatchCommands.Add(new("BEGIN READ ONLY"));
            foreach (var tenant in some)
            {
                batch.BatchCommands.Add(new($"SET LOCAL chaperone.tenant_id = '{tenant:D}'"));
                batch.BatchCommands.Add(new(
                    "SELECT EXISTS (SELECT FROM ledger.pending) OR coalesce((SELECT max(size) FROM ledger.tree), 0) <> coalesce((SELECT max(size) FROM ledger.checkpoint), 0)"));
            }
            batch.BatchCommands.Add(new("COMMIT"));
            await using var reader = await batch.ExecuteReaderAsync(cancel);
            foreach (var tenant in some)
            {
                if (await reader.ReadAsync(cancel) && reader.GetBoolean(0)) behind.Add(tenant);
                await reader.NextResultAsync(cancel);
            }
        }
        return behind;
    }

    // Once for each loss, whoever notices first: every clinic and every sweep will.
    private void SayLost()
    {
        if (Interlocked.Exchange(ref lost, 1) == 0) Lost();
    }

    private TimeSpan? Left(long since, TimeSpan interval)
    {
        if (since == 0) return null;
        var left = interval - clock.GetElapsedTime(since);
        return left > TimeSpan.Zero ? left : null;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Sequencing the log of clinic {Tenant} failed; trying again in a second.")]
    private partial void Failed(Exception failed, Guid tenant);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database does not answer. Logs are sequenced and signed again as soon as it does; what was answered is stored.")]
    private partial void Lost();

    [LoggerMessage(Level = LogLevel.Information, Message = "The database answers again.")]
    private partial void Back();

    [LoggerMessage(Level = LogLevel.Error, Message = "Looking for unsequenced events failed; trying again.")]
    private partial void SweepFailed(Exception failed);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The log of clinic {Tenant} is not signed any more: {Why}. Run the verify command; do not delete the checkpoint file.")]
    private partial void Refused(Guid tenant, string why);

    private sealed class Log(Guid tenant)
    {
        public int Waiting, Busy;
        public Guid Tenant => tenant;
        public long Grown { get; set; }
        public long LeftSince { get; set; }
        public bool IsBusy { get; set; }
        public long Signed { get; set; }
        public bool Unsigned { get; set; }
        public string? Refusal { get; set; }
    }
}

/// <summary>Who outside has a checkpoint.</summary>
public enum CheckpointUse
{
    /// <summary>It went out with an export.</summary>
    Exported,

    /// <summary>It was mailed.</summary>
    Mailed,

    /// <summary>A witness signed it too.</summary>
    Witnessed,
}
