using Chaperone.Clinic.Schedule;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Patients;

/// <summary>Which patients a list, a search or a count may show: those <see cref="PatientResource"/> relates the actor to.</summary>
internal static class PatientReach
{
    /// <summary>Null for all of the clinic; otherwise the ids of those who are the actor's own, for the query before any limit.</summary>
    public static IQueryable<Guid>? Of(OperationScope scope) => Of(scope, scope.Reach);

    /// <summary>The same where the operation itself is no list of patients.</summary>
    /// <param name="scope">The operation.</param>
    /// <param name="reach">The weakest relation the actor must have.</param>
    public static IQueryable<Guid>? Of(OperationScope scope, Relation reach)
    {
        if (reach <= Relation.SameClinic) return null;
        var (member, patient, from, to) = (scope.Actor.Id, scope.Actor.PatientId, scope.Now.AddMonths(-12), scope.Now.AddMonths(3));
        var own = scope.Db.Set<PatientRow>().Where(row => row.Id == patient).Select(row => row.Id);
        return patient is not null ? own : scope.Db.Set<AppointmentRow>()
            .Where(row => row.PractitionerId == member && row.StartsAt >= from && row.StartsAt < to && row.Status != AppointmentStatus.Cancelled).Select(row => row.SubjectId!.Value);
    }
}
