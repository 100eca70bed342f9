using Chaperone.Clinic.Schedule;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Patients;

/// <summary>Takes a patient out of the working register. The record stays viewable, and <see cref="RestorePatient"/> undoes it; nothing is erased.</summary>
/// <param name="PatientId">Who.</param>
/// <param name="Reason">A code of <see cref="PersonCodes.ArchiveReasons"/>; it stands in the event.</param>
/// <param name="Note">What was typed with the reason "other"; sealed with the record.</param>
/// <param name="IfVersion">The version the caller saw (If-Match); null is refused.</param>
/// <param name="Confirm">That it may be done although appointments are still to come; they stay as they are.</param>
public sealed record ArchivePatient(Guid PatientId, string? Reason, string? Note, long? IfVersion, bool Confirm = false) : IOperation<Patient>, IAbout
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Changes("patient.archived").Needs(Permission.PatientDelete).About(PatientResource.Patient);

    Guid IAbout.ResourceId => PatientId;
}

internal sealed class ArchivePatientHandler : IHandler<ArchivePatient, Patient>
{
    public async Task<Result<Patient>> Handle(ArchivePatient request, OperationScope scope, CancellationToken cancel)
    {
        var id = request.PatientId;
        if (await scope.OpenOne(scope.Db.Set<PatientRow>().Where(row => row.Id == id), cancel) is not { } row) return PlatformErrors.NotFound;
        if (OperationScope.Stale(row, request.IfVersion) is { } stale) return stale;
        if (row.IsArchived) return PatientErrors.IsArchived;
        var archiving = new Archiving(PersonDetails.Tidy(request.Reason) ?? "", PersonDetails.Tidy(request.Note));
        if (archiving.ValidateReason() is { } invalid) return invalid;
        if (await Upcoming.OfPatient(scope, id, cancel) is { } toCome && !request.Confirm) return toCome;
        row.Payload = row.Payload with { Archiving = archiving };
        (row.Status, row.ArchivedAt) = (PatientRow.Archived, scope.Now);
        scope.Because(archiving.Reason);
        await scope.Flush(cancel);
        return Patient.Of(row);
    }
}

/// <summary>Brings an archived patient back.</summary>
/// <param name="PatientId">Who.</param>
/// <param name="IfVersion">The version the caller saw, or null for any: there is nothing typed that could be lost.</param>
public sealed record RestorePatient(Guid PatientId, long? IfVersion = null) : IOperation<Patient>, IAbout
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Changes("patient.restored").Needs(Permission.PatientDelete).About(PatientResource.Patient);

    Guid IAbout.ResourceId => PatientId;
}

internal sealed class RestorePatientHandler : IHandler<RestorePatient, Patient>
{
    public async Task<Result<Patient>> Handle(RestorePatient request, OperationScope scope, CancellationToken cancel)
    {
        var id = request.PatientId;
        if (await scope.OpenOne(scope.Db.Set<PatientRow>().Where(row => row.Id == id), cancel) is not { } row) return PlatformErrors.NotFound;
        if (request.IfVersion is not null && OperationScope.Stale(row, request.IfVersion) is { } stale) return stale;
        if (!row.IsArchived) return PatientErrors.NotArchived;
        row.Payload = row.Payload with { Archiving = null };
        (row.Status, row.ArchivedAt) = (PatientRow.Active, null);
        await scope.Flush(cancel);
        return Patient.Of(row);
    }
}
