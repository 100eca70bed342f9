using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Schedule;

/// <summary>Shows one appointment, whatever became of it.</summary>
/// <param name="AppointmentId">Which.</param>
internal sealed record ViewAppointment(Guid AppointmentId) : IOperation<Appointment>, IAbout
{
    public static Policy Policy { get; } = Policy.Reads("appointment.viewed").Needs(Permission.ScheduleView).About(AppointmentResource.Appointment);

    Guid IAbout.ResourceId => AppointmentId;
}

internal sealed class ViewAppointmentHandler(Diary diary) : IHandler<ViewAppointment, Appointment>
{
    public async Task<Result<Appointment>> Handle(ViewAppointment request, OperationScope scope, CancellationToken cancel) =>
        await diary.Find(request.AppointmentId, cancel) is { } row ? await diary.Show(row, cancel) : PlatformErrors.NotFound;
}
