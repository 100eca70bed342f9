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
public sealed record IntegrityState(long? VerifiedTo, long Size, DateTimeOffset At, bool Good, long? FirstBadIndex, string? What);

/// <summary>A verification that is under way, for the list of jobs.</summary>
/// <param name="Progress">Is told how far it is.</param>
/// <param name="Ended">Is told what it found.</param>
public sealed record VerificationRun(IProgress<VerifyProgress> Progress, Func<VerificationReport, Task> Ended);

/// <summary>Keeps verifications for the list of jobs.</summary>
/// <param name="Begin">Called when one begins.</param>
public sealed record VerificationRecorder(Func<Tenant, CancellationToken, Task<VerificationRun>> Begin);

/// <summary>
/// Verifies every clinic's log and records at start (a new one's within half a minute), makes ready the partitions of the coming months, and keeps the result for the page. Every hour
/// the scheduler has it verified again on one node; a node that heard of none for an hour and a half looks for itself, as what it shows must be what it has seen.
/// </summary>
/// <remarks>Each run leaves <c>ledger.verified</c> or <c>ledger.verification_failed</c> in the clinic's own log.</remarks>
public sealed partial class IntegrityCheck(
    Databases databases, TenantDirectory clinics, DatabaseVerifier verifier, LedgerAppender appender, Sequencer sequencer, TimeProvider clock, ILogger<IntegrityCheck> logger, VerificationRecorder? recorder = null)
    : BackgroundService
{
    /// <summary>How often the scheduler has every log verified.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromHours(1);

    private static readonly TimeSpan AtLatest = TimeSpan.FromMinutes(90);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(15);   // for clinics that were made since, whose log may have been empty at first
    private readonly ConcurrentDictionary<Guid, IntegrityState> states = new();

    /// <summary>The result of the last verification, or null before the first ended.</summary>
    public IntegrityState? StateOf(Guid tenant) => states.GetValueOrDefault(tenant);

    /// <summary>Told when a clinic's log or records are not what was signed.</summary>
    public Action<Guid, VerificationReport>? Alarm { get; set; }

    /// <summary>Verifies a clinic now, and writes the event.</summary>
    public async Task<VerificationReport> VerifyAsync(Tenant clinic, CancellationToken cancel)
    {
        var run = recorder is null ? null : await recorder.Begin(clinic, cancel);
        var report = await verifier.VerifyAsync(clinic.Id, $"{clinic.Name} ({clinic.Host})", null, run?.Progress, cancel);
        var good = report.ExitCode == 0;
        var refusal = sequencer.RefusalOf(clinic.Id);
        states[clinic.Id] = new(
            (report.FirstBadIndex ?? report.To) is var end and > 0 ? end - 1 : null, report.To, clock.GetUtcNow(), good && refusal is null, report.FirstBadIndex,
            report.Problems.Count > 0 ? report.FirstBad ?? report.Problems[0].What : report.CouldNotCheck ?? refusal);
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
                        if (StateOf(clinic.Id) is not { } state || state is { Good: true, Size: 0 } || clock.GetUtcNow() - state.At >= AtLatest) await GuardedAsync(() => VerifyAsync(clinic, stoppingToken), stoppingToken);
                }, stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The next start begins anew.
        }
    }

    internal async Task EnsurePartitionsAsync(CancellationToken cancel)
    {
        await using var command = databases.Ledger.CreateCommand("SELECT ledger.ensure_partitions()");
        if (await command.ExecuteScalarAsync(cancel) is true) DefaultInUse();
    }

    private async Task RecordAsync(Guid tenant, VerificationReport report, CancellationToken cancel)
    {
        var type = EventCatalogue.Find(report.ExitCode == 0 ? "ledger.verified" : "ledger.verification_failed");
        var now = clock.GetUtcNow();
        var details = new Dictionary<string, EventFact>(StringComparer.Ordinal) { ["size"] = report.To, ["verified"] = report.Verified, ["expired"] = report.Expired, ["problems"] = report.ProblemCount };
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
