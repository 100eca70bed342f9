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

    internal static LogIntegrity Of(ClinicLog log) => (log.Integrity, log.Refusal) switch
    {
        (null, null) => new(Pending, null, 0, null, null, null),
        (null, { } refusal) => new(Failed, null, 0, null, null, refusal),
        ({ Good: true } good, null) => new(Verified, good.VerifiedTo, good.Size, good.At, null, null),
        ({ } state, var refusal) => new(Failed, state.VerifiedTo, state.Size, state.At, state.FirstBadIndex, state.What ?? refusal),
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
public sealed record IntegrityReport(LogIntegrity Integrity, SignedHead? Signed, IReadOnlyList<KeptCheckpoint> Kept, IReadOnlyList<WitnessView> Witnesses, IReadOnlyList<LogCheck> Checks);

/// <summary>One verification of the whole log, as the log itself remembers it.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Good">Whether all was as signed.</param>
/// <param name="Size">Events in the log then: all from index 0 on were read.</param>
/// <param name="Verified">Events whose bodies were there and as signed.</param>
/// <param name="Expired">Events whose bodies had ended.</param>
/// <param name="FirstBadIndex">The lowest index with something wrong.</param>
public sealed record LogCheck(DateTimeOffset At, bool Good, long Size, long Verified, long Expired, long? FirstBadIndex);

internal sealed class ViewIntegrityHandler(ClinicLog log, ClinicEvidence evidence, Guards guards) : IHandler<ViewIntegrity, IntegrityReport>
{
    private const int MostShown = 100, MostChecks = 24;

    public async Task<Result<IntegrityReport>> Handle(ViewIntegrity request, OperationScope scope, CancellationToken cancel)
    {
        await log.CatchUpAsync(cancel, signed: true);
        return new IntegrityReport(LogIntegrity.Of(log), await log.SignedHeadAsync(cancel), await evidence.KeptAsync(null, MostShown, cancel), (await guards.ViewAsync(scope, cancel)).Witnesses, await ChecksAsync(cancel));
    }

    // From the log: it outlives restarts and names, and whoever takes one away has broken the log. What does not open is left out; the viewer shows it.
    private async Task<IReadOnlyList<LogCheck>> ChecksAsync(CancellationToken cancel)
    {
        var page = await log.PageAsync(new() { Actions = ["ledger.verified", "ledger.verification_failed"] }, null, MostChecks, cancel);
        return [.. page.Events.Where(read => read.IsReadable).Select(read => read.Event).Select(happened => new LogCheck(
            happened.At, happened.Action == "ledger.verified", Fact(happened, "size") ?? 0, Fact(happened, "verified") ?? 0, Fact(happened, "expired") ?? 0, Fact(happened, "first_bad")))];
    }

    private static long? Fact(LedgerEvent happened, string name) => happened.Details.TryGetValue(name, out var fact) ? fact.Number : null;
}
