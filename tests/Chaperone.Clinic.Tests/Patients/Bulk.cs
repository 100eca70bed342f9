using Chaperone.Clinic.Patients;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.Patients;

/// <summary>Registers many at once, as an import does.</summary>
public sealed record BulkRegister(IReadOnlyList<PersonDetails> People) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("patient.created").Needs(Permission.PatientEdit).About(Resource.Clinic);
}

internal sealed class BulkRegisterHandler(PatientRegister register) : IHandler<BulkRegister, Done>
{
    public async Task<Result<Done>> Handle(BulkRegister request, OperationScope scope, CancellationToken cancel)
    {
        await register.AddMany(request.People, cancel);
        return default(Done);
    }
}

public sealed record KnownExternal(IReadOnlyList<string> Ids) : IOperation<string[]>
{
    public static Policy Policy { get; } = Policy.Reads("patient.listed").Needs(Permission.PatientView).Lists(Resource.Clinic);
}

internal sealed class KnownExternalHandler(PatientRegister register) : IHandler<KnownExternal, string[]>
{
    public async Task<Result<string[]>> Handle(KnownExternal request, OperationScope scope, CancellationToken cancel) =>
        (await register.FindExternal("synthea", [.. request.Ids], cancel)).Keys.ToArray();
}
