using Chaperone.Clinic.Schedule;
using Chaperone.Platform.Operations;

namespace Chaperone.Server.Demo;

/// <summary>Puts appointments into a demo clinic's schedule, past ones too.</summary>
internal sealed record AddDemoAppointments(IReadOnlyList<DemoAppointment> Appointments) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("appointment.booked").About(AppointmentResource.Appointment).ForSystem("the demo fills its own clinics");
}

internal sealed class AddDemoAppointmentsHandler : IHandler<AddDemoAppointments, Done>
{
    public async Task<Result<Done>> Handle(AddDemoAppointments request, OperationScope scope, CancellationToken cancel)
    {
        scope.Because("demo");
        scope.Note("rows", request.Appointments.Count);
        var zone = ClinicTime.ZoneOf(scope.Tenant);
        AppointmentRow[] rows =
        [
            .. request.Appointments.Select(planned => new AppointmentRow
            {
                Id = scope.NewId(),
                SubjectId = planned.Patient,
                PractitionerId = planned.Practitioner,
                StartsAt = ClinicTime.At(planned.Clock, zone),
                EndsAt = ClinicTime.At(planned.Clock, zone).AddMinutes(planned.Minutes),
                Type = planned.Type,
                Status = planned.Status,
                Payload = new() { Reason = planned.Reason, Cancellation = planned.Status == AppointmentStatus.Cancelled ? new("patient", null) : null },
            }),
        ];
        await scope.Writer.Insert(rows, cancel);
        foreach (var row in rows) scope.Show(row);
        return default(Done);
    }
}
