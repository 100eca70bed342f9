using Chaperone.Clinic.Mail;
using Chaperone.Clinic.Shell;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Witnesses;

/// <summary>Finds a witness of the clinic's own, to ask it now.</summary>
internal sealed record PrepareWitnessTest(Guid WitnessId) : IOperation<LogWitness>, IAbout
{
    public static Policy Policy { get; } = Policy.Unlogged("finds whom to ask; what came of it is the event of NoteWitnessTest").Needs(Permission.SecurityManage).About(WitnessResource.Witness);

    Guid IAbout.ResourceId => WitnessId;
}

/// <summary>Says what came of asking a witness by hand.</summary>
internal sealed record NoteWitnessTest(Guid WitnessId, WitnessStanding Standing) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("witness.tested").Needs(Permission.SecurityManage).About(WitnessResource.Witness);

    Guid IAbout.ResourceId => WitnessId;
}

internal sealed class TestWitnessHandler(WitnessSettings settings, ClinicLog log) : IHandler<PrepareWitnessTest, LogWitness>, IHandler<NoteWitnessTest, Done>
{
    public async Task<Result<LogWitness>> Handle(PrepareWitnessTest request, OperationScope scope, CancellationToken cancel)
    {
        if (await log.SignedHeadAsync(cancel) is null) return WitnessErrors.NothingSigned;
        return (await WitnessResource.AllAsync(scope, settings, cancel)).FirstOrDefault(witness => witness.Id == request.WitnessId) is { } found ? found : PlatformErrors.NotFound;
    }

    public Task<Result<Done>> Handle(NoteWitnessTest request, OperationScope scope, CancellationToken cancel)
    {
        scope.Note("size", request.Standing.Size);
        if (request.Standing.Fault is { } fault)
        {
            scope.Because(WitnessErrors.Of(fault).Code);
            scope.RecordAs("witness.tested", EventOutcome.Failure);
        }
        return Task.FromResult<Result<Done>>(default(Done));
    }
}

/// <summary>Tests of a clinic's witnesses, some seconds apart: the button is no way of asking a network what is there.</summary>
internal sealed record WitnessTestTurns(TestMailTurns Turns);

/// <summary>The test, as page and API make it.</summary>
internal static class WitnessTest
{
    /// <summary>Asks a witness to cosign the newest checkpoint: how it stands after that, or why it could not be tried.</summary>
    public static async Task<Result<WitnessStanding>> RunAsync(HttpContext http, Guid id)
    {
        var witness = await http.Run(new PrepareWitnessTest(id));
        if (witness.Error is { } error) return error;
        var tenant = http.Context().Tenant!.Id;
        if (!http.RequestServices.GetRequiredService<WitnessTestTurns>().Turns.Enter(tenant)) return PlatformErrors.TooMany;
        var (_, standing) = await http.RequestServices.GetRequiredService<Witnessing>().AskAsync(tenant, witness.Value, http.RequestAborted);
        http.RequestServices.GetRequiredService<WitnessBell>().Ring(tenant);   // which tells people, where there is something to tell
        var noted = await http.Run(new NoteWitnessTest(id, standing));
        return noted.Error is { } untold ? untold : standing;
    }
}
