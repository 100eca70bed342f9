using Chaperone.Clinic.Witnesses;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.AuditLog;

/// <summary>What the last verification of the log found.</summary>
/// <param name="State"><c>verified</c>, <c>failed</c>, or <c>pending</c> before the first verification has ended.</param>
/// <param name="VerifiedTo">Index of the last event proved to be what was signed.</param>
/// <param name="Size">Events in the log at that time.</param>
/// <param name="At">When it ended.</param>
/// <param name="FirstBadIndex">The lowest index with something wrong.</param>
/// <param name="What">What is wrong.</param>
public sealed record LogIntegrity(string State, long? VerifiedTo, long Size, DateTimeOffset? At, long? FirstBadIndex, string? What)
{
    internal const string Verified = "verified", Failed = "failed", Pending = "pending";

    /// <summary>The first index that it read; 0 when it read the whole log.</summary>
    public long From { get; init; }

    /// <summary>When the whole log was last read and found good since the server started, and how many events it had; null for never.</summary>
    public WholeVerification? Whole { get; init; }

    internal static LogIntegrity Of(ClinicLog log) => (log.Integrity, log.Refusal) switch
    {
        (null, null) => new(Pending, null, 0, null, null, null),
        (null, { } refusal) => new(Failed, null, 0, null, null, refusal),
        ({ Good: true } good, null) => new(Verified, good.VerifiedTo, good.Size, good.At, null, null) { From = good.From, Whole = good.Whole },
        ({ } state, var refusal) => new(Failed, state.VerifiedTo, state.Size, state.At, state.FirstBadIndex, state.What ?? refusal) { From = state.From, Whole = state.Whole },
    };
}

/// <summary>Shows what the last verification found, and the newest signed checkpoint for keeping elsewhere.</summary>
internal sealed record ViewIntegrity : IOperation<IntegrityReport>
{
    public static Policy Policy { get; } = Policy.Reads("audit.integrity_viewed").Needs(Permission.AuditView).About(Resource.Clinic);
}

/// <summary>What is known of the log's integrity.</summary>
/// <param name="Integrity">The last verification.</param>
/// <param name="Signed">The newest signed head, or null while nothing is signed.</param>
/// <param name="Kept">The newest of the checkpoints that are kept.</param>
/// <param name="Witnesses">Who outside guards the log.</param>
/// <param name="Checks">The latest verifications, newest first.</param>
public sealed record IntegrityReport(LogIntegrity Integrity, SignedHead? Signed, IReadOnlyList<KeptCheckpoint> Kept, IReadOnlyList<WitnessView> Witnesses, IReadOnlyList<LogCheck> Checks)
{
    /// <summary>The verification that is under way, or null.</summary>
    public RunningCheck? Running { get; init; }

    /// <summary>What must have signed, and whether the newest checkpoint has it.</summary>
    public required WitnessQuorum Quorum { get; init; }

    /// <summary>How far the last verification is behind the newest event; null before the first has ended.</summary>
    public LogLag? Lag { get; init; }
}

/// <summary>How far the last verification is behind.</summary>
/// <param name="Events">Events that came since.</param>
/// <param name="Time">How long ago it ended.</param>
public sealed record LogLag(long Events, TimeSpan Time)
{
    /// <summary>For people.</summary>
    public string Words => (Events == 0 ? "nothing" : Events == 1 ? "1 event" : $"{AuditText.Number(Events)} events") + " since, " + (Time.TotalMinutes < 1 ? "less than a minute ago"
        : Time.TotalHours < 2 ? $"{(int)Time.TotalMinutes} minute{((int)Time.TotalMinutes == 1 ? "" : "s")} ago" : $"{(int)Time.TotalHours} hours ago");
}

/// <summary>A verification that is under way.</summary>
/// <param name="Done">Events read.</param>
/// <param name="Total">Events to read; null while not known.</param>
/// <param name="Passed">Since it began.</param>
public sealed record RunningCheck(long Done, long? Total, TimeSpan Passed)
{
    /// <summary>Rate and remaining time, as far as they can be told.</summary>
    public string Words => Total is { } total ? VerifyPace.Words(Passed, Done, total).TrimStart(',', ' ') : "";

    internal static RunningCheck? Of(ClinicLog log, DateTimeOffset now) => log.Verifying is { } running ? new(running.Done, running.Total > 0 ? running.Total : null, now - running.Since) : null;
}

/// <summary>How far the verification that is under way is, for the page that waits for it.</summary>
internal sealed record WatchIntegrity : IOperation<WatchedCheck>
{
    public static Policy Policy { get; } = Policy.Unlogged("a number of events, asked every other second; nobody is shown, and opening the page leaves an event").Needs(Permission.AuditView).About(Resource.Clinic);
}

/// <summary>The verification under way, or null when none is.</summary>
public sealed record WatchedCheck(RunningCheck? Running);

internal sealed class WatchIntegrityHandler(ClinicLog log) : IHandler<WatchIntegrity, WatchedCheck>
{
    public Task<Result<WatchedCheck>> Handle(WatchIntegrity request, OperationScope scope, CancellationToken cancel) => Task.FromResult<Result<WatchedCheck>>(new WatchedCheck(RunningCheck.Of(log, scope.Now)));
}

/// <summary>One verification of the log, as the log itself remembers it.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Good">Whether all was as signed.</param>
/// <param name="From">The first index that it read.</param>
/// <param name="Size">Events in the log then.</param>
/// <param name="Verified">Events whose bodies were there and as signed.</param>
/// <param name="Expired">Events whose bodies had ended.</param>
/// <param name="FirstBadIndex">The lowest index with something wrong.</param>
public sealed record LogCheck(DateTimeOffset At, bool Good, long From, long Size, long Verified, long Expired, long? FirstBadIndex);

internal sealed class ViewIntegrityHandler(ClinicLog log, ClinicEvidence evidence, Guards guards) : IHandler<ViewIntegrity, IntegrityReport>
{
    private const int MostShown = 100, MostChecks = 24;

    public async Task<Result<IntegrityReport>> Handle(ViewIntegrity request, OperationScope scope, CancellationToken cancel)
    {
        await log.CatchUpAsync(cancel, signed: true);
        var (integrity, signed) = (LogIntegrity.Of(log), await log.SignedHeadAsync(cancel));
        var guarded = await guards.ViewAsync(scope, cancel);
        return new IntegrityReport(integrity, signed, await evidence.KeptAsync(null, MostShown, cancel), guarded.Witnesses, await ChecksAsync(cancel))
        {
            Quorum = guarded.Quorum,
            Running = RunningCheck.Of(log, scope.Now),
            Lag = integrity.At is { } at ? new(Math.Max(0, (signed?.Head.Size ?? 0) - integrity.Size), scope.Now > at ? scope.Now - at : TimeSpan.Zero) : null,
        };
    }

    // From the log: it outlives restarts and names, and whoever takes one away has broken the log. What does not open is left out; the viewer shows it.
    private async Task<IReadOnlyList<LogCheck>> ChecksAsync(CancellationToken cancel)
    {
        var page = await log.PageAsync(new() { Actions = ["ledger.verified", "ledger.verification_failed"] }, null, MostChecks, cancel);
        return [.. page.Events.Where(read => read.IsReadable).Select(read => read.Event).Select(happened => new LogCheck(
            happened.At, happened.Action == "ledger.verified", Fact(happened, "from") ?? 0, Fact(happened, "size") ?? 0, Fact(happened, "verified") ?? 0, Fact(happened, "expired") ?? 0, Fact(happened, "first_bad")))];
    }

    private static long? Fact(LedgerEvent happened, string name) => happened.Details.TryGetValue(name, out var fact) ? fact.Number : null;
}
