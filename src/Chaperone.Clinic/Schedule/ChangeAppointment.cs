using Chaperone.Clinic.Schedule.Waiting;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Schedule;

/// <summary>Moves an appointment, makes it longer or shorter, gives it to another practitioner, or changes what is written about it.</summary>
/// <param name="AppointmentId">Which.</param>
/// <param name="Wanted">How it is to be; what is left out is taken away.</param>
/// <param name="IfVersion">The version the caller saw (If-Match); null is refused.</param>
/// <param name="PatientId">Whose it is, when the caller says so: an appointment stays its patient's.</param>
internal sealed record ChangeAppointment(Guid AppointmentId, Wanted Wanted, long? IfVersion, Guid? PatientId = null) : IOperation<Appointment>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("appointment.modified").Needs(Permission.ScheduleEdit).About(AppointmentResource.Appointment);

    Guid IAbout.ResourceId => AppointmentId;
}

internal sealed class ChangeAppointmentHandler(Diary diary, WaitingList waiting) : IHandler<ChangeAppointment, Appointment>
{
    public async Task<Result<Appointment>> Handle(ChangeAppointment request, OperationScope scope, CancellationToken cancel)
    {
        if (await diary.Find(request.AppointmentId, cancel) is not { } row) return PlatformErrors.NotFound;
        if (OperationScope.Stale(row, request.IfVersion) is { } stale) return stale;
        if (row.Status is not (AppointmentStatus.Booked or AppointmentStatus.Arrived)) return ScheduleErrors.WrongStatus.Is(row.Status);
        var wanted = request.Wanted.Read(await AppointmentTypes.Read(scope, cancel), diary.Zone, scope.Now, row);
        if (request.PatientId is { } patient && patient != row.PatientId) return (wanted.Error ?? ScheduleErrors.Invalid).With("patientId", "An appointment stays its patient's: cancel it and book the other patient.");
        if (wanted.Error is { } invalid) return invalid;
        var (slot, before) = (wanted.Value, (row.PractitionerId, row.StartsAt, row.EndsAt, row.RoomId));
        if (row.Status == AppointmentStatus.Arrived && ClinicTime.DayOf(slot.StartsAt, diary.Zone) > ClinicTime.DayOf(scope.Now, diary.Zone)) return ScheduleErrors.WrongStatus.Is(row.Status);   // who is here is seen today
        (row.PractitionerId, row.StartsAt, row.EndsAt, row.Type, row.RoomId) = (slot.PractitionerId, slot.StartsAt, slot.EndsAt, slot.Type, slot.RoomId);
        await diary.TakeTurns([row], cancel, before.PractitionerId, row.PatientId);
        if (await diary.PatientFault(row.PatientId, cancel) is { } notBooked) return notBooked;
        if (row.PractitionerId != before.PractitionerId && await diary.PractitionerFault(row.PractitionerId, cancel) is { } notBookable) return notBookable;
        if (row.RoomId != before.RoomId && await diary.RoomFault(row.RoomId, cancel) is { } noRoom) return noRoom;
        var moved = (row.PractitionerId, row.StartsAt, row.EndsAt) != (before.PractitionerId, before.StartsAt, before.EndsAt);
        if (moved && await diary.RotaFault(row, request.Wanted.ConfirmOutsideHours, cancel) is { } away) return away;   // what lies there already may stay
        if (diary.MayName(row)) row.Payload = row.Payload with { Reason = slot.Reason, Note = slot.Note };   // who is not shown what is written cannot have meant to take it away
        await diary.Flush([row], cancel);
        var shown = await diary.Show(row, cancel);
        return moved ? shown with { WaitingFits = (await waiting.Fitting(before.PractitionerId, new(before.StartsAt, before.EndsAt), Relation.SameClinic, cancel)).Count } : shown;
    }
}
