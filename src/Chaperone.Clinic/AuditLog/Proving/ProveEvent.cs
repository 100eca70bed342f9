using System.Security.Cryptography;
using Chaperone.Clinic.Witnesses;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.AuditLog.Proving;

/// <summary>Makes the evidence of one event: its exact line, its salt, and the proof that it stands in the log. It leaves the clinic like an export, and is logged as one.</summary>
/// <param name="EventId">The event's id.</param>
internal sealed record ProveEvent(Guid EventId) : IOperation<EventEvidence>
{
    public static Policy Policy { get; } = Policy.Reads("data.exported").Needs(Permission.AuditExport).About(Resource.Clinic).WithStepUp();
}

/// <summary>Evidence of one event.</summary>
/// <param name="Proven">Event and proof.</param>
/// <param name="Zip">As files; the event of the export carries their SHA-256.</param>
internal sealed record EventEvidence(ProvenEvent Proven, byte[] Zip);

/// <summary>Makes the proof that the log continues an older checkpoint. Nobody's data is in it.</summary>
/// <param name="One">Size of a kept checkpoint; null for what is no number.</param>
/// <param name="Other">Size of another, smaller or larger; <see cref="long.MaxValue"/> for the newest, which is another with every event.</param>
internal sealed record ProveConsistency(long? One, long? Other) : IOperation<ConsistencyEvidence>
{
    public static Policy Policy { get; } = Policy.Reads("audit.consistency_proved").Needs(Permission.AuditView).About(Resource.Clinic);
}

/// <summary>Evidence of consistency.</summary>
/// <param name="Proven">Checkpoints and proof.</param>
/// <param name="Zip">As files.</param>
internal sealed record ConsistencyEvidence(ProvenConsistency Proven, byte[] Zip);

/// <summary>Lists the checkpoints that are kept, newest first.</summary>
/// <param name="Below">Only those of fewer entries; null for the newest.</param>
/// <param name="Limit">1 to 200.</param>
internal sealed record ListCheckpoints(long? Below = null, int Limit = 50) : IOperation<CheckpointPage>
{
    public static Policy Policy { get; } = Policy.Reads("audit.integrity_viewed").Needs(Permission.AuditView).About(Resource.Clinic);
}

/// <summary>Kept checkpoints.</summary>
/// <param name="Items">Newest first.</param>
/// <param name="Next">What to give as <see cref="ListCheckpoints.Below"/> for the next older ones; null when there are none.</param>
internal sealed record CheckpointPage(IReadOnlyList<KeptCheckpoint> Items, long? Next);

internal sealed class ProofHandler(ClinicLog log, ClinicEvidence evidence, Guards guards)
    : IHandler<ProveEvent, EventEvidence>, IHandler<ProveConsistency, ConsistencyEvidence>, IHandler<ListCheckpoints, CheckpointPage>
{
    public async Task<Result<EventEvidence>> Handle(ProveEvent request, OperationScope scope, CancellationToken cancel)
    {
        if (AuditPlan.RefusesDownload(scope) is { } notInPlan) return notInPlan;
        scope.Concerns("event", request.EventId);
        scope.Note("what", "audit_event");
        scope.Note("format", "evidence");
        if (AuditPlan.RefusesDownload(scope) is { } refused) return refused;
        await log.CatchUpAsync(cancel, signed: true);
        if (await log.FindAsync(request.EventId, cancel) is not { } found) return PlatformErrors.NotFound;
        if (!found.IsReadable) return ProofErrors.NothingToProve;
        if (await evidence.OfEventAsync(request.EventId, await guards.PolicyAsync(scope, cancel), cancel) is not { } proven) return AuditErrors.NothingSigned;
        foreach (var person in found.Event.People()) scope.Show(person);
        var zip = Evidence.OfEvent(proven.Proof, proven.Line, proven.Key, proven.Policy, scope.Now);
        scope.Note("rows", 1);
        scope.Note("first_index", proven.Proof.Index);
        scope.Note("size", proven.Head.Size);
        scope.Note("sha256", Convert.ToHexStringLower(SHA256.HashData(zip)));
        return new EventEvidence(proven, zip);
    }

    public async Task<Result<ConsistencyEvidence>> Handle(ProveConsistency request, OperationScope scope, CancellationToken cancel)
    {
        if (request.One is not { } one || request.Other is not { } other) return PlatformErrors.Malformed;
        scope.Note("from", Math.Min(one, other));
        if (one == other) return ProofErrors.OneCheckpoint;
        if (await evidence.OfConsistencyAsync(one, other, cancel) is not { } proven || !Checkpoint.TryParse(proven.Proof.Note.Text, out var head)) return ProofErrors.NoSuchCheckpoint;
        scope.Note("to", head.Size);
        return new ConsistencyEvidence(proven, Evidence.OfConsistency(proven.Older, proven.Proof, proven.Key, scope.Now));
    }

    public async Task<Result<CheckpointPage>> Handle(ListCheckpoints request, OperationScope scope, CancellationToken cancel)
    {
        if (request.Limit is < 1 or > 200) return PlatformErrors.Malformed;
        var kept = await evidence.KeptAsync(request.Below, request.Limit + 1, cancel);
        return new CheckpointPage([.. kept.Take(request.Limit)], kept.Count > request.Limit ? kept[request.Limit - 1].Size : null);
    }
}
