using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule;

/// <summary>Shows a day or some days of the schedule, of everybody or of one practitioner, by time; cancelled appointments too.</summary>
/// <param name="Day">One day; today when neither this nor <paramref name="From"/> is given.</param>
/// <param name="From">The first day.</param>
/// <param name="To">The last day.</param>
/// <param name="Practitioner">Whose; null for everybody's.</param>
internal sealed record ListAppointments(string? Day = null, string? From = null, string? To = null, string? Practitioner = null) : IOperation<IReadOnlyList<Appointment>>
{
    /// <summary>Days at most.</summary>
    public const int MostDays = DaySpan.Most;

    /// <summary>Appointments at most; what has more is refused rather than cut, so that no gap looks free.</summary>
    public const int Most = 5000;

    public static Policy Policy { get; } = Policy.Reads("schedule.viewed").Needs(Permission.ScheduleView).Lists(AppointmentResource.Appointment);
}

internal sealed class ListAppointmentsHandler(Diary diary) : IHandler<ListAppointments, IReadOnlyList<Appointment>>
{
    public async Task<Result<IReadOnlyList<Appointment>>> Handle(ListAppointments request, OperationScope scope, CancellationToken cancel)
    {
        if (DaySpan.Read(request.Day, request.From, request.To, ClinicTime.DayOf(scope.Now, diary.Zone)) is not { } days) return ScheduleErrors.BadSpan;
        var (from, to) = (days.From(diary.Zone), days.Until(diary.Zone));
        var rows = diary.Within(from, to);
        if (request.Practitioner is not null)
        {
            if (!Guid.TryParse(request.Practitioner, out var practitioner)) return ScheduleErrors.BadSpan;
            rows = rows.Where(row => row.PractitionerId == practitioner);
        }
        var found = await scope.OpenCandidates(rows.OrderBy(row => row.StartsAt).ThenBy(row => row.Id).Take(ListAppointments.Most + 1), cancel);
        if (found.Count > ListAppointments.Most) return ScheduleErrors.BadSpan;
        scope.Found(found.Count);
        scope.Note("from", days.First.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
        scope.Note("days", days.Count);
        var shown = await diary.Show(found, cancel);
        return Result<IReadOnlyList<Appointment>>.Of([.. shown.OrderBy(appointment => appointment.StartsAt).ThenBy(appointment => appointment.Id)]);   // what is joined to the keys comes in no order
    }
}
