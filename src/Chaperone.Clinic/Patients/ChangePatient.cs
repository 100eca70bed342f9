using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Patients;

/// <summary>Replaces a patient's details by others.</summary>
/// <param name="PatientId">Who.</param>
/// <param name="Details">Who they are, as typed. Ids in other systems stay as they are stored.</param>
/// <param name="IfVersion">The version the caller saw (If-Match); null is refused.</param>
/// <param name="ConfirmedNotDuplicate">Somebody looked at the likely duplicates and says it is another person.</param>
public sealed record ChangePatient(Guid PatientId, PersonDetails Details, long? IfVersion, bool ConfirmedNotDuplicate = false) : IOperation<Patient>, IAbout
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Changes("patient.updated").Needs(Permission.PatientEdit).About(PatientResource.Patient);

    Guid IAbout.ResourceId => PatientId;
}

internal sealed class ChangePatientHandler(PatientRegister register) : IHandler<ChangePatient, Patient>
{
    public async Task<Result<Patient>> Handle(ChangePatient request, OperationScope scope, CancellationToken cancel)
    {
        var id = request.PatientId;
        if (await scope.OpenOne(scope.Db.Set<PatientRow>().Where(row => row.Id == id), cancel) is not { } row) return PlatformErrors.NotFound;
        if (OperationScope.Stale(row, request.IfVersion) is { } stale) return stale;
        if (row.IsArchived) return PatientErrors.IsArchived;
        var before = row.Payload;
        var details = request.Details.Tidied() with { ExternalIds = before.ExternalIds, Archiving = before.Archiving };
        if (details.Validate(scope.Today()) is { } invalid) return invalid;
        var twins = await register.FindTwins(details, id, cancel);
        if (register.Refusal([.. twins.Where(twin => twin.SameNhsNumber ? before.NhsNumber != details.NhsNumber : Person(before) != Person(details))], request.ConfirmedNotDuplicate) is { } refused) return refused;
        await register.Change(row, details, cancel);
        await scope.Flush(cancel);
        return Patient.Of(row);
    }

    // Only what makes somebody look like another asks again: a new address does not.
    private static (string, string?, string?, DateOnly?) Person(PersonDetails details) => (details.FamilyName, details.GivenNames, details.PreviousName, details.DateOfBirth);
}
