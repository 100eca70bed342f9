using Chaperone.Clinic.Patients;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.AccessHistory;

/// <summary>Shows who saw or changed a patient's data. Opens nothing of the record itself.</summary>
/// <param name="PatientId">Whose.</param>
/// <param name="Query">Which part.</param>
internal sealed record ViewAccessHistory(Guid PatientId, AccessQuery Query) : IOperation<AccessHistoryPage>, IAbout
{
    public static Policy Policy { get; } = Policy.Reads("audit.access_history_viewed").Needs(Permission.AccessLogView).About(PatientResource.Patient);

    Guid IAbout.ResourceId => PatientId;
}

internal sealed class ViewAccessHistoryHandler(AccessReading reading) : IHandler<ViewAccessHistory, AccessHistoryPage>
{
    public Task<Result<AccessHistoryPage>> Handle(ViewAccessHistory request, OperationScope scope, CancellationToken cancel) =>
        AccessReading.TooFar(scope, request.PatientId) is { } refused ? Task.FromResult<Result<AccessHistoryPage>>(refused) : reading.PageAsync(request.PatientId, request.Query, cancel);
}

/// <summary>Shows somebody who saw or changed data about themselves: a patient their record, a member of staff their account.</summary>
/// <param name="Query">Which part.</param>
internal sealed record ViewOwnAccessHistory(AccessQuery Query) : IOperation<AccessHistoryPage>
{
    public static Policy Policy { get; } = Policy.Reads("audit.access_history_viewed").ForSelf("who looked at one's own data");
}

internal sealed class ViewOwnAccessHistoryHandler(AccessReading reading) : IHandler<ViewOwnAccessHistory, AccessHistoryPage>
{
    public Task<Result<AccessHistoryPage>> Handle(ViewOwnAccessHistory request, OperationScope scope, CancellationToken cancel)
    {
        if (scope.Actor.PatientId is { } patient) scope.Concerns("patient", patient);
        else scope.Concerns("member", scope.Actor.Id!.Value);
        return reading.PageAsync(scope.Actor.PatientId ?? scope.Actor.Id!.Value, request.Query, cancel);
    }
}
