using System.Text.Json.Serialization.Metadata;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Witnesses;

/// <summary>How many of the clinic's own witnesses must have cosigned, whichever they are.</summary>
internal sealed record QuorumRule(int Needed) : ISealedPayload<QuorumRule>
{
    public static JsonTypeInfo<QuorumRule> Json => WitnessJson.Default.QuorumRule;
}

/// <summary>Its row, under the clinic's id; there is none until the clinic decides.</summary>
internal sealed class WitnessQuorumRow : SealedRow<QuorumRule>
{
    public static void Model(ModelBuilder model) => model.Entity<WitnessQuorumRow>(row => row.ToTable("witness_quorum"));

    public static Task<WitnessQuorumRow?> FindAsync(OperationScope scope, CancellationToken cancel) => scope.OpenOne(scope.Db.Set<WitnessQuorumRow>(), cancel);
}

/// <summary>Decides how many of the clinic's own witnesses must have cosigned for a checkpoint to count as witnessed, besides those it requires one by one.</summary>
/// <param name="Needed">0 for none.</param>
/// <param name="IfVersion">The version the caller saw, 0 where nothing was decided; null is refused.</param>
internal sealed record ChangeWitnessQuorum(int? Needed, long? IfVersion) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("settings.modified").Needs(Permission.SecurityManage).About(Resource.Clinic).WithStepUp();
}

internal sealed class ChangeWitnessQuorumHandler(WitnessSettings settings) : IHandler<ChangeWitnessQuorum, Done>
{
    public async Task<Result<Done>> Handle(ChangeWitnessQuorum request, OperationScope scope, CancellationToken cancel)
    {
        await scope.TakeTurns([scope.Tenant.Id], cancel);
        var own = (await WitnessResource.AllAsync(scope, settings, cancel)).Count(witness => !witness.IsOperators);
        if (request.Needed is not { } needed || needed < 0 || needed > own) return WitnessErrors.BadQuorum.With("needed", own == 0 ? "Enter a witness first." : $"Choose 0 to {own}.");
        var row = await WitnessQuorumRow.FindAsync(scope, cancel);
        if (request.IfVersion != (row?.Version ?? 0)) return PlatformErrors.Changed;
        scope.NoteChange("witness_quorum", Text(row?.Payload.Needed ?? 0), Text(needed));
        if (row is null) scope.Add(new WitnessQuorumRow { Id = scope.Tenant.Id, Payload = new(needed) });
        else row.Payload = new(needed);
        return default(Done);
    }

    private static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>What must have signed for a proof or an export to count as witnessed, and whether the newest checkpoint has it.</summary>
/// <param name="Needed">So many of the clinic's own, whichever they are.</param>
/// <param name="Own">The clinic's own.</param>
/// <param name="Required">Those of them that must be among them.</param>
/// <param name="Operators">Whether the operator's policy asks for some too.</param>
/// <param name="Signed">How many of all have signed the newest checkpoint.</param>
/// <param name="All">All that are asked.</param>
/// <param name="IsMet">Whether the newest checkpoint has all it needs; it gets them within a second of its signing.</param>
/// <param name="Version">Of the rule; 0 where nothing was decided.</param>
public sealed record WitnessQuorum(int Needed, int Own, int Required, bool Operators, int Signed, int All, bool IsMet, long Version)
{
    /// <summary>Whether anybody has to have signed at all.</summary>
    public bool AsksForSome => Needed > 0 || Required > 0 || Operators;

    /// <summary>What is needed, in a sentence.</summary>
    public string Words
    {
        get
        {
            if (!AsksForSome) return "No witness has to have signed for a proof or an export to count.";
            var parts = new List<string>();
            if (Operators) parts.Add("whom the policy of this server’s operator asks for");
            if (Required > 0) parts.Add(Required == 1 ? "the one that is required" : $"the {Required} that are required");
            if (Needed > 0) parts.Add($"{Needed} of your own {Own}, whichever");
            return $"A proof or an export counts as witnessed when these have signed: {string.Join("; ", parts)}.";
        }
    }

    internal static WitnessQuorum Of(WitnessSettings settings, IReadOnlyList<LogWitness> witnesses, WitnessQuorumRow? rule, SignedHead? head)
    {
        var own = witnesses.Count(witness => !witness.IsOperators);
        var needed = Math.Min(rule?.Payload.Needed ?? 0, own);
        var note = head is not null && SignedNote.TryParse(System.Text.Encoding.UTF8.GetBytes(head.Note), out var read) ? read : null;
        var met = note is not null && WitnessPolicy.TryParse(System.Text.Encoding.UTF8.GetBytes(settings.PolicyOf(VerifierKey.Parse(head!.Key), witnesses, needed: needed)), out var policy) && policy.IsSatisfiedBy(note);
        return new(
            needed, own, witnesses.Count(witness => witness is { IsOperators: false, Required: true }), settings.Quorum != "none", note is null ? 0 : witnesses.Count(witness => note.IsCosignedBy(witness.Key, out _)), witnesses.Count, met,
            rule?.Version ?? 0);
    }
}
