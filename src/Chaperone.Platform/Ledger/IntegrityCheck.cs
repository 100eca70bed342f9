using System.Collections.Concurrent;
using Chaperone.Ledger;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chaperone.Platform.Ledger;

/// <summary>What the last verification of a clinic's log found.</summary>
/// <param name="VerifiedTo">Index of the last event that is proved to be what was signed, or null when there is none.</param>
/// <param name="Size">Events in the log then.</param>
/// <param name="At">When it ended.</param>
/// <param name="Good">Whether all was as signed.</param>
/// <param name="FirstBadIndex">The lowest index with something wrong.</param>
/// <param name="What">What is wrong, or why nothing could be checked; null when all is well.</param>
public sealed record IntegrityState(long? VerifiedTo, long Size, DateTimeOffset At, bool Good, long? FirstBadIndex, string? What)
{
    /// <summary>The first index that it read; 0 when it read the whole log.</summary>
    public long From { get; init; }

    /// <summary>The last that read the whole log and was good, in this process; null when there was none.</summary>
    public WholeVerification? Whole { get; init; }
}

/// <summary>A verification that read the whole log and found it good.</summary>
/// <param name="Size">Events in the log then.</param>
/// <param name="At">When it ended.</param>
public sealed record WholeVerification(long Size, DateTimeOffset At);

/// <summary>A verification that is under way in this process.</summary>
/// <param name="Since">When it began.</param>
/// <param name="Done">Events read.</param>
/// <param name="Total">Events to read; 0 while not known.</param>
public sealed record RunningVerification(DateTimeOffset Since, long Done, long Total);

/// <summary>A verification that is under way, for the list of jobs.</summary>
/// <param name="Progress">Is told how far it is.</param>
/// <param name="Ended">Is told what it found.</param>
public sealed record VerificationRun(IProgress<VerifyProgress> Progress, Func<VerificationReport, Task> Ended);

/// <summary>Keeps verifications for the list of jobs.</summary>
/// <param name="Begin">Called when one begins.</param>
public sealed record VerificationRecorder(Func<Tenant, CancellationToken, Task<VerificationRun>> Begin);

/// <summary>
/// Verifies every clinic's log and records at start (a new one's within half a minute), makes ready the partitions of the coming months, and keeps the result for the page. Every hour
/// the scheduler has it verified again on one node; a node that heard of none for an hour and a half looks for itself, as what it shows must be what it has seen. Every week the whole log is read again.
/// </summary>
/// <remarks>
/// The hourly one reads the whole log too while that takes no longer than <see cref="WholeWithin"/>. Past that it goes on from what this process found good: what is new, and the records it changed.
/// Each run leaves <c>ledger.verified</c> or <c>ledger.verification_failed</c> in the clinic's own log.
/// </remarks>
public sealed partial class IntegrityCheck(
    Databases databases, TenantDirectory clinics, DatabaseVerifier verifier, LedgerAppender appender, Sequencer sequencer, TimeProvider clock, ILogger<IntegrityCheck> logger, VerificationRecorder? recorder = null)
    : BackgroundService
{
    /// <summary>How often the scheduler has every log verified.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromHours(1);

    /// <summary>How often the whole of every log is read, however long it takes.</summary>
    public static readonly TimeSpan WholeEvery = TimeSpan.FromDays(7);

    private static readonly TimeSpan AtLatest = TimeSpan.FromMinutes(90);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(15);   // for clinics that were made since, whose log may have been empty at first
    private readonly ConcurrentDictionary<Guid, IntegrityState> states = new();
    private readonly ConcurrentDictionary<Guid, RunningVerification> running = new();
    private readonly ConcurrentDictionary<Guid, (VerifiedPart Part, TimeSpan Took)> verified = new();

    /// <summary>The result of the last verification, or null before the first ended.</summary>
    public IntegrityState? StateOf(Guid tenant) => states.GetValueOrDefault(tenant);

    /// <summary>The verification of a clinic that is under way here, or null.</summary>
    public RunningVerification? RunningOf(Guid tenant) => running.GetValueOrDefault(tenant);

    /// <summary>As long as reading a whole log takes no longer, every check reads it whole.</summary>
    public TimeSpan WholeWithin { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Told when a clinic's log or records are not what was signed.</summary>
    public Action<Guid, VerificationReport>? Alarm { get; set; }

    /// <summary>Verifies a clinic now, and writes the event.</summary>
    /// <param name="clinic">Which.</param>
    /// <param name="cancel">Stops it.</param>
    /// <param name="whole">Whether the whole log is read; else what is new, where reading all takes long.</param>
    public async Task<VerificationReport> VerifyAsync(Tenant clinic, CancellationToken cancel, bool whole = true)
    {
        var run = recorder is null ? null : await recorder.Begin(clinic, cancel);
        var before = states.GetValueOrDefault(clinic.Id);
        var known = !whole && before is { Good: true } && verified.TryGetValue(clinic.Id, out var earlier) && earlier.Took >= WholeWithin ? earlier : default;
        var began = clock.GetTimestamp();
        VerifiedPart? part = null;
        VerificationReport report;
        try
        {
            report = await verifier.VerifyAsync(clinic.Id, $"{clinic.Name} ({clinic.Host})", null, new Watched(this, clinic.Id, run?.Progress), cancel, after: known.Part, reached: good => part = good);
        }
        finally
        {
            running.TryRemove(clinic.Id, out _);
        }
        var good = report.ExitCode == 0;
        if (good && part is not null) verified[clinic.Id] = (part, known.Part is null ? clock.GetElapsedTime(began) : known.Took);
        else verified.TryRemove(clinic.Id, out _);      // and the next reads the whole
        var refusal = sequencer.RefusalOf(clinic.Id);
        states[clinic.Id] = new(
            (report.FirstBadIndex ?? report.To) is var end and > 0 ? end - 1 : null, report.To, clock.GetUtcNow(), good && refusal is null, report.FirstBadIndex,
            report.Problems.Count > 0 ? report.FirstBad ?? report.Problems[0].What : report.CouldNotCheck ?? refusal)
        {
            From = report.From, Whole = good && known.Part is null ? new(report.To, clock.GetUtcNow()) : before?.Whole,
        };
        if (!good)
        {
            NotGood(clinic.Id, report.FirstBad ?? (report.Problems.Count > 0 ? report.Problems[0].What : report.CouldNotCheck));
            if (report.ExitCode == 1) Alarm?.Invoke(clinic.Id, report);
        }
        await RecordAsync(clinic.Id, report, cancel);
        if (run is not null) await run.Ended(report);
        return report;
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookEvery, clock);
        DateTimeOffset? partitionsMade = null;
        try
        {
            do
            {
                if (partitionsMade is null || clock.GetUtcNow() - partitionsMade >= Every)
                {
                    await GuardedAsync(() => EnsurePartitionsAsync(stoppingToken), stoppingToken);
                    partitionsMade = clock.GetUtcNow();
                }
                await GuardedAsync(async () =>
                {
                    foreach (var clinic in await clinics.AllAsync(stoppingToken))
                        if (StateOf(clinic.Id) is not { } state || state is { Good: true, Size: 0 } || clock.GetUtcNow() - state.At >= AtLatest) await GuardedAsync(() => VerifyAsync(clinic, stoppingToken, whole: false), stoppingToken);
                }, stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The next start begins anew.
        }
    }

    private DateTimeOffset Now => clock.GetUtcNow();

    internal async Task EnsurePartitionsAsync(CancellationToken cancel)
    {
        await using var command = databases.Ledger.CreateCommand("SELECT ledger.ensure_partitions()");
        if (await command.ExecuteScalarAsync(cancel) is true) DefaultInUse();
    }

    private async Task RecordAsync(Guid tenant, VerificationReport report, CancellationToken cancel)
    {
        var type = EventCatalogue.Find(report.ExitCode == 0 ? "ledger.verified" : "ledger.verification_failed");
        var now = clock.GetUtcNow();
        var details = new Dictionary<string, EventFact>(StringComparer.Ordinal) { ["from"] = report.From, ["size"] = report.To, ["verified"] = report.Verified, ["expired"] = report.Expired, ["problems"] = report.ProblemCount };
        if (report.FirstBadIndex is { } bad) details["first_bad"] = bad;
        var prepared = await appender.PrepareAsync(tenant, new()
        {
            Id = Ids.New(now), At = now, Action = type.Action, Category = type.Category, Severity = type.Severity,
            Outcome = report.ExitCode == 0 ? EventOutcome.Success : EventOutcome.Failure, Actor = new(ActorKind.System, Role: "integrity-check"),
            Source = new("job", "integrity-check"), Decision = "system", Details = details,
        }, cancel);
        await using var transaction = await TenantTransaction.BeginAsync(databases.App, tenant, cancel);
        await transaction.CommitAsync([LedgerAppender.Command(prepared, 0)], cancel);
        sequencer.Signal(tenant);
    }

    /// <summary>Keeps how far it is for the page, and tells the list of jobs.</summary>
    private sealed class Watched : IProgress<VerifyProgress>
    {
        private readonly IntegrityCheck check;
        private readonly Guid tenant;
        private readonly IProgress<VerifyProgress>? next;
        private readonly DateTimeOffset since;

        public Watched(IntegrityCheck check, Guid tenant, IProgress<VerifyProgress>? next)
        {
            (this.check, this.tenant, this.next, since) = (check, tenant, next, check.Now);
            check.running[tenant] = new(since, 0, 0);
        }

        public void Report(VerifyProgress value)
        {
            check.running[tenant] = new(since, value.Done, value.Total);
            next?.Report(value);
        }
    }

    private async Task GuardedAsync(Func<Task> act, CancellationToken cancel)
    {
        try
        {
            await act();
        }
        catch (Exception lost) when (!cancel.IsCancellationRequested && lost.IsDatabaseLoss())
        {
            // the sequencer says so; what could not be checked is due at the next look
        }
        catch (Exception failed) when (!cancel.IsCancellationRequested)
        {
            Failed(failed);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Checking the logs failed; the next check comes by itself.")]
    private partial void Failed(Exception failed);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The log or records of clinic {Tenant} are not what was signed: {What}. Run the verify command.")]
    private partial void NotGood(Guid tenant, string? what);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Events are in the log's default partition, from which they cannot expire: the months were not made in time.")]
    private partial void DefaultInUse();
}
