using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Witnesses;

/// <summary>A witness as it is shown.</summary>
/// <param name="Id">The clinic's row, or null for one that the operator named.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Url">Where it answers.</param>
/// <param name="Key">Its vkey.</param>
/// <param name="Required">Whether a checkpoint counts as witnessed only with this one.</param>
/// <param name="State"><c>new</c>, <c>guarding</c>, <c>failing</c>, or <c>objects</c>: it says that the log was rewritten.</param>
/// <param name="Size">Events that the checkpoint it cosigned last stands for.</param>
/// <param name="CosignedAt">When it did.</param>
/// <param name="FailingSince">Since when it has not.</param>
/// <param name="Fault">Why, as an error.</param>
public sealed record WitnessView(
    Guid? Id, string Name, string Url, string Key, bool Required, string State, long Size, DateTimeOffset? CosignedAt, DateTimeOffset? FailingSince, Error? Fault)
{
    internal const string New = "new", Guarding = "guarding", Failing = "failing", Objects = "objects";

    internal static WitnessView Of(LogWitness witness, WitnessStanding standing)
    {
        var objects = standing.Told == WitnessStanding.Objects || standing.Fault == WitnessFault.Objects;
        return new(
            witness.Id, witness.Name, witness.Prefix.AbsoluteUri, witness.Key.ToString(), witness.Required,
            objects ? Objects : standing.Fault is not null ? Failing : standing.CosignedAt is null ? New : Guarding, standing.Size, standing.CosignedAt, standing.FailingSince,
            objects ? WitnessErrors.Objects : standing.Fault is { } fault ? WitnessErrors.Of(fault) : null);
    }
}

/// <summary>Who guards the log, and what they need to know of it.</summary>
/// <param name="Witnesses">The operator's and the clinic's own.</param>
/// <param name="LogKey">The log's vkey, to be given to a witness; null before anything is signed.</param>
/// <param name="Size">Events that the newest checkpoint stands for.</param>
public sealed record GuardView(IReadOnlyList<WitnessView> Witnesses, string? LogKey, long Size)
{
    /// <summary>What must have signed, and whether the newest checkpoint has it.</summary>
    public required WitnessQuorum Quorum { get; init; }
}

/// <summary>Shows who guards the clinic's log, for setting it up.</summary>
internal sealed record ViewWitnesses : IOperation<GuardView>
{
    public static Policy Policy { get; } = Policy.Reads("settings.viewed").Needs(Permission.SecurityManage).About(Resource.Clinic);
}

internal sealed class ViewWitnessesHandler(Guards guards) : IHandler<ViewWitnesses, GuardView>
{
    public async Task<Result<GuardView>> Handle(ViewWitnesses request, OperationScope scope, CancellationToken cancel)
    {
        scope.Because("witnesses");
        return await guards.ViewAsync(scope, cancel);
    }
}

/// <summary>Puts together who guards the log, inside an operation.</summary>
internal sealed class Guards(WitnessSettings settings, ClinicLog log, Witnessing witnessing)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public async Task<GuardView> ViewAsync(OperationScope scope, CancellationToken cancel)
    {
        var (standings, head) = (await log.WitnessStandingsAsync(cancel), await log.SignedHeadAsync(cancel));
        var witnesses = await WitnessResource.AllAsync(scope, settings, cancel);
        return new([.. witnesses.Select(witness => WitnessView.Of(witness, standings.GetValueOrDefault(witness.Mark, WitnessStanding.New)))], head?.Key, head?.Head.Size ?? 0)
        {
            Quorum = WitnessQuorum.Of(settings, witnesses, await WitnessQuorumRow.FindAsync(scope, cancel), head),
        };
    }

    /// <summary>The policy that an export carries. The witnesses are asked for its checkpoint first, for three seconds at most.</summary>
    public async Task<Func<VerifierKey, bool, string>> PolicyAsync(OperationScope scope, CancellationToken cancel)
    {
        var witnesses = await WitnessResource.AllAsync(scope, settings, cancel);
        if (witnesses.Count > 0) await Task.WhenAny(Task.WhenAll(witnesses.Select(witness => witnessing.AskAsync(scope.Tenant.Id, witness, cancel))), Task.Delay(Patience, cancel));
        var needed = (await WitnessQuorumRow.FindAsync(scope, cancel))?.Payload.Needed ?? 0;
        return (log, asks) => settings.PolicyOf(log, witnesses, asks, needed);
    }
}
