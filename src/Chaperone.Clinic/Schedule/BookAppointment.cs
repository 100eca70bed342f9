using Chaperone.Clinic.Schedule.Waiting;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Schedule;

/// <summary>Books a patient with a practitioner.</summary>
/// <param name="PatientId">Who comes.</param>
/// <param name="Wanted">With whom, when, for what.</param>
/// <param name="WaitingEntry">The entry of the waiting list that it closes, or null.</param>
/// <remarks>Refuses a time that the practitioner has given already, whoever books at the same moment.</remarks>
internal sealed record BookAppointment(Guid? PatientId, Wanted Wanted, Guid? WaitingEntry = null) : IOperation<Appointment>
{
    public static Policy Policy { get; } = Policy.Changes("appointment.booked").Needs(Permission.ScheduleEdit).About(AppointmentResource.Appointment);
}

internal sealed class BookAppointmentHandler(Diary diary, WaitingList waiting) : IHandler<BookAppointment, Appointment>
{
    public async Task<Result<Appointment>> Handle(BookAppointment request, OperationScope scope, CancellationToken cancel)
    {
        var wanted = request.Wanted.Read(await AppointmentTypes.Read(scope, cancel), diary.Zone, scope.Now);
        if (request.PatientId is not { } patient) return (wanted.Error ?? ScheduleErrors.Invalid).With("patientId", "Choose a patient.");
        if (wanted.Error is { } invalid) return invalid;
        var row = wanted.Value.For(patient, scope.NewId());
        await diary.TakeTurns([row], cancel, request.WaitingEntry is { } turn ? [patient, turn] : [patient]);
        if (await diary.PatientFault(patient, cancel) is { } notBooked) return notBooked;
        if (await diary.PractitionerFault(row.PractitionerId, cancel) is { } notBookable) return notBookable;
        if (await diary.RoomFault(row.RoomId, cancel) is { } noRoom) return noRoom;
        if (await diary.RotaFault(row, request.Wanted.ConfirmOutsideHours, cancel) is { } away) return away;
        var entry = request.WaitingEntry is { } waits ? await waiting.Take(waits, patient, cancel) : default(Result<WaitingRow>?);
        if (entry?.Error is { } notWaiting) return notWaiting;
        scope.Add(row);
        scope.Concerns(AppointmentResource.Appointment.Type, row.Id);
        await diary.Flush([row], cancel);
        if (entry is { } taken) (taken.Value.Status, taken.Value.AppointmentId) = (WaitingRow.Booked, row.Id);
        return await diary.Show(row, cancel);
    }
}
