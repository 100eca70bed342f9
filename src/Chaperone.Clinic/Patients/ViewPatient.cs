using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Patients;

/// <summary>Shows one patient's details, archived or not.</summary>
/// <param name="PatientId">Who.</param>
public sealed record ViewPatient(Guid PatientId) : IOperation<Patient>, IAbout
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Reads("patient.viewed").Needs(Permission.PatientView).About(PatientResource.Patient).Showing<PatientRow>();

    Guid IAbout.ResourceId => PatientId;
}

internal sealed class ViewPatientHandler : IHandler<ViewPatient, Patient>
{
    public async Task<Result<Patient>> Handle(ViewPatient request, OperationScope scope, CancellationToken cancel)
    {
        return await scope.OpenResource<PatientRow>(cancel) is { } patient ? Patient.Of(patient) : PlatformErrors.NotFound;
    }
}

/// <summary>Shows one patient to somebody who may see patients masked only: initials, year of birth, gender; no identifier, no contact data.</summary>
/// <param name="PatientId">Who.</param>
public sealed record ViewPatientMasked(Guid PatientId) : IOperation<Patient>, IAbout
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Reads("patient.viewed").Needs(Permission.PatientViewMasked).About(PatientResource.Patient).Showing<PatientRow>();

    Guid IAbout.ResourceId => PatientId;
}

internal sealed class ViewPatientMaskedHandler : IHandler<ViewPatientMasked, Patient>
{
    public async Task<Result<Patient>> Handle(ViewPatientMasked request, OperationScope scope, CancellationToken cancel)
    {
        scope.Note("view", "masked");
        return await scope.OpenResource<PatientRow>(cancel) is { } patient ? Masking.Mask(Patient.Of(patient)) : PlatformErrors.NotFound;
    }
}
