using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Schedule;

/// <summary>Puts an appointment to another time, length or practitioner and leaves everything else of it as it is: what dragging it does.</summary>
/// <param name="AppointmentId">Which.</param>
/// <param name="PractitionerId">With whom; null as before.</param>
/// <param name="StartsAt">When; see <see cref="ClinicTime.Parse"/>.</param>
/// <param name="Minutes">How long; null as before.</param>
/// <param name="ConfirmOutsideHours">That it may lie outside the practitioner's working hours.</param>
/// <param name="IfVersion">The version the caller saw; null is refused.</param>
internal sealed record MoveAppointment(Guid AppointmentId, Guid? PractitionerId, string? StartsAt, int? Minutes, bool ConfirmOutsideHours, long? IfVersion) : IOperation<Appointment>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("appointment.modified").Needs(Permission.ScheduleEdit).About(AppointmentResource.Appointment);

    Guid IAbout.ResourceId => AppointmentId;
}

internal sealed class MoveAppointmentHandler(Diary diary, IHandler<ChangeAppointment, Appointment> change) : IHandler<MoveAppointment, Appointment>
{
    public async Task<Result<Appointment>> Handle(MoveAppointment request, OperationScope scope, CancellationToken cancel)
    {
        if (await diary.Find(request.AppointmentId, cancel) is not { } row) return PlatformErrors.NotFound;
        var minutes = request.Minutes ?? (int)(row.EndsAt - row.StartsAt).TotalMinutes;
        var wanted = Wanted.Of(row, diary.Zone) with
        {
            PractitionerId = request.PractitionerId ?? row.PractitionerId, StartsAt = request.StartsAt, EndsAt = null, Minutes = minutes, ConfirmOutsideHours = request.ConfirmOutsideHours,
        };
        return await change.Handle(new(request.AppointmentId, wanted, request.IfVersion), scope, cancel);
    }
}
