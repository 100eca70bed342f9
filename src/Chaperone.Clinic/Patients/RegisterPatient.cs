using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Patients;

/// <summary>Adds a person to the clinic's register.</summary>
/// <param name="Details">Who they are, as typed.</param>
/// <param name="ConfirmedNotDuplicate">Somebody looked at the likely duplicates and says it is another person.</param>
/// <remarks>Refuses likely duplicates (same name and date of birth) unless confirmed, and always a second patient with the same NHS number.</remarks>
public sealed record RegisterPatient(PersonDetails Details, bool ConfirmedNotDuplicate = false) : IOperation<Patient>
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Changes("patient.created").Needs(Permission.PatientEdit).About(PatientResource.Patient);
}

internal sealed class RegisterPatientHandler(PatientRegister register) : IHandler<RegisterPatient, Patient>
{
    public async Task<Result<Patient>> Handle(RegisterPatient request, OperationScope scope, CancellationToken cancel)
    {
        var details = request.Details.Tidied() with { Archiving = null };
        if (details.Validate(scope.Today()) is { } invalid) return invalid;
        if (register.Refusal(await register.FindTwins(details, null, cancel), request.ConfirmedNotDuplicate) is { } refused) return refused;
        var row = await register.Add(details, cancel);
        scope.Concerns(PatientResource.Patient.Type, row.Id);
        await scope.Flush(cancel);
        return Patient.Of(row);
    }
}
