using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Witnesses;

/// <summary>A witness that the clinic chose itself.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Url">Where it answers.</param>
/// <param name="Key">Its vkey.</param>
internal sealed record WitnessDetails(string Name, string Url, string Key) : ISealedPayload<WitnessDetails>
{
    public static JsonTypeInfo<WitnessDetails> Json => WitnessJson.Default.WitnessDetails;

    // Records are printed by whoever logs them.
    public override string ToString() => nameof(WitnessDetails);
}

/// <summary>Its row.</summary>
internal sealed class WitnessRow : SealedRow<WitnessDetails>
{
    /// <summary>Whether a checkpoint counts as witnessed only with this one.</summary>
    public bool Required { get; init; }

    /// <summary>As it is asked.</summary>
    public LogWitness ToWitness() => new(Id, Payload.Name, new(Payload.Url), VerifierKey.Parse(Payload.Key), Required);

    public static void Model(ModelBuilder model) => model.Entity<WitnessRow>(row => row.ToTable("witness"));
}

/// <summary>Witnesses as what operations are about.</summary>
internal static class WitnessResource
{
    public static readonly Resource Witness = Resource.Define("witness", "SELECT 1 FROM clinic.witness WHERE id = $1");

    /// <summary>All that guard the clinic's log, the operator's first.</summary>
    public static async Task<IReadOnlyList<LogWitness>> AllAsync(OperationScope scope, WitnessSettings settings, CancellationToken cancel)
    {
        var own = await scope.OpenCandidates(scope.Db.Set<WitnessRow>().AsNoTracking(), cancel);
        return [.. settings.Operators, .. own.OrderBy(row => row.Id).Select(row => row.ToWitness())];
    }
}

/// <summary>Gives the runner the clinic's witnesses.</summary>
internal sealed record ReadWitnesses : IOperation<IReadOnlyList<LogWitness>>
{
    public static Policy Policy { get; } = Policy.Unlogged("the addresses that the system itself asks for cosignatures, each time the log has grown").ForSystem("the log is guarded by the system");
}

internal sealed class ReadWitnessesHandler(WitnessSettings settings) : IHandler<ReadWitnesses, IReadOnlyList<LogWitness>>
{
    public async Task<Result<IReadOnlyList<LogWitness>>> Handle(ReadWitnesses request, OperationScope scope, CancellationToken cancel) =>
        Result<IReadOnlyList<LogWitness>>.Of(await WitnessResource.AllAsync(scope, settings, cancel));
}

/// <summary>What is asked to be set.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Url">Where it answers.</param>
/// <param name="Key">Its vkey.</param>
/// <param name="Required">Whether a checkpoint counts as witnessed only with this one.</param>
internal sealed record WitnessInput(string? Name, string? Url, string? Key, bool? Required)
{
    // Records are printed by whoever logs them.
    public override string ToString() => nameof(WitnessInput);
}

/// <summary>How many are asked for.</summary>
internal sealed record QuorumInput(int? Needed);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WitnessDetails))]
[JsonSerializable(typeof(WitnessInput))]
[JsonSerializable(typeof(QuorumRule))]
[JsonSerializable(typeof(QuorumInput))]
internal sealed partial class WitnessJson : JsonSerializerContext;
