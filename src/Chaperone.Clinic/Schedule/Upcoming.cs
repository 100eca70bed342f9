using Chaperone.Clinic.Schedule.Waiting;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule;

/// <summary>What is still to come for a patient who is about to be archived, or for a practitioner whose account is about to be closed.</summary>
internal static class Upcoming
{
    /// <summary>The refusal that names a patient's appointments to come and how often they wait for one, or null. Takes their turn first: nobody books them meanwhile.</summary>
    public static async Task<Error?> OfPatient(OperationScope scope, Guid patient, CancellationToken cancel)
    {
        await scope.TakeTurns([patient], cancel);
        var appointments = await Of(scope).Where(row => row.SubjectId == patient).ToListAsync(cancel);
        var waiting = await scope.Db.Set<WaitingRow>().CountAsync(row => row.SubjectId == patient && row.Status == WaitingRow.Waiting, cancel);
        if (appointments.Count + waiting == 0) return null;
        var error = ScheduleErrors.StillToCome.Over(appointments);
        return error with { Facts = new Dictionary<string, object>(error.Facts, StringComparer.Ordinal) { ["waitingCount"] = waiting } };
    }

    /// <summary>The same of a practitioner, without the waiting list: who waits for them can be given to others.</summary>
    public static async Task<Error?> OfPractitioner(OperationScope scope, Guid practitioner, CancellationToken cancel)
    {
        await scope.TakeTurns([practitioner], cancel);
        var appointments = await Of(scope).Where(row => row.PractitionerId == practitioner).ToListAsync(cancel);
        return appointments.Count == 0 ? null : ScheduleErrors.StillToCome.Over(appointments);
    }

    private static IQueryable<AppointmentRow> Of(OperationScope scope)
    {
        var now = scope.Now;
        string[] open = [AppointmentStatus.Booked, AppointmentStatus.Arrived, AppointmentStatus.Started];
        return scope.Db.Set<AppointmentRow>().AsNoTracking().Where(row => row.EndsAt > now && open.Contains(row.Status)).OrderBy(row => row.StartsAt);
    }
}
