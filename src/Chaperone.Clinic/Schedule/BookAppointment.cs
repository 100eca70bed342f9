using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Schedule;

/// <summary>Books a patient with a practitioner.</summary>
/// <param name="PatientId">Who comes.</param>
/// <param name="Wanted">With whom, when, for what.</param>
/// <remarks>Refuses a time that the practitioner has given already, whoever books at the same moment.</remarks>
internal sealed record BookAppointment(Guid? PatientId, Wanted Wanted) : IOperation<Appointment>
{
    public static Policy Policy { get; } = Policy.Changes("appointment.booked").Needs(Permission.ScheduleEdit).About(AppointmentResource.Appointment);
}

internal sealed class BookAppointmentHandler(Diary diary) : IHandler<BookAppointment, Appointment>
{
    public async Task<Result<Appointment>> Handle(BookAppointment request, OperationScope scope, CancellationToken cancel)
    {
        var wanted = request.Wanted.Read(diary.Zone, scope.Now);
        if (request.PatientId is not { } patient) return (wanted.Error ?? ScheduleErrors.Invalid).With("patientId", "Choose a patient.");
        if (wanted.Error is { } invalid) return invalid;
        var slot = wanted.Value;
        if (await diary.PatientFault(patient, cancel) is { } notBooked) return notBooked;
        if (await diary.PractitionerFault(slot.PractitionerId, cancel) is { } notBookable) return notBookable;
        var row = new AppointmentRow
        {
            Id = scope.NewId(),
            SubjectId = patient,
            PractitionerId = slot.PractitionerId,
            StartsAt = slot.StartsAt,
            EndsAt = slot.EndsAt,
            Type = slot.Type,
            Payload = new() { Reason = slot.Reason, Note = slot.Note },
        };
        scope.Add(row);
        scope.Concerns(AppointmentResource.Appointment.Type, row.Id);
        await diary.Write(row, cancel);
        return await diary.Show(row, cancel);
    }
}
