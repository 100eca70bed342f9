using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Schedule;

/// <summary>The patient is here.</summary>
/// <param name="AppointmentId">Which.</param>
/// <param name="IfVersion">The version the caller saw, or null for any.</param>
internal sealed record ArriveAppointment(Guid AppointmentId, long? IfVersion = null) : IOperation<Appointment>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("appointment.arrived").Needs(Permission.ScheduleAttend).About(AppointmentResource.Appointment);

    Guid IAbout.ResourceId => AppointmentId;
}

/// <summary>The practitioner begins to see the patient; that somebody noted the arrival first is not asked for.</summary>
/// <param name="AppointmentId">Which.</param>
/// <param name="IfVersion">The version the caller saw, or null for any.</param>
internal sealed record StartAppointment(Guid AppointmentId, long? IfVersion = null) : IOperation<Appointment>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("appointment.started").Needs(Permission.ScheduleAttend).About(AppointmentResource.Appointment);

    Guid IAbout.ResourceId => AppointmentId;
}

/// <summary>The patient has been seen. Final.</summary>
/// <param name="AppointmentId">Which.</param>
/// <param name="IfVersion">The version the caller saw, or null for any.</param>
internal sealed record CompleteAppointment(Guid AppointmentId, long? IfVersion = null) : IOperation<Appointment>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("appointment.completed").Needs(Permission.ScheduleAttend).About(AppointmentResource.Appointment);

    Guid IAbout.ResourceId => AppointmentId;
}

/// <summary>The patient did not come.</summary>
/// <param name="AppointmentId">Which.</param>
/// <param name="IfVersion">The version the caller saw, or null for any.</param>
internal sealed record MissAppointment(Guid AppointmentId, long? IfVersion = null) : IOperation<Appointment>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("appointment.no_show").Needs(Permission.ScheduleAttend).About(AppointmentResource.Appointment);

    Guid IAbout.ResourceId => AppointmentId;
}

/// <summary>Takes back an arrival, a start or a no-show that was recorded by mistake. A no-show's time may have been given away since; then it is refused.</summary>
/// <param name="AppointmentId">Which.</param>
/// <param name="IfVersion">The version the caller saw, or null for any.</param>
internal sealed record UndoAttendance(Guid AppointmentId, long? IfVersion = null) : IOperation<Appointment>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("appointment.reverted").Needs(Permission.ScheduleAttend).About(AppointmentResource.Appointment);

    Guid IAbout.ResourceId => AppointmentId;
}

internal sealed class AttendanceHandler(Diary diary) :
    IHandler<ArriveAppointment, Appointment>, IHandler<StartAppointment, Appointment>, IHandler<CompleteAppointment, Appointment>, IHandler<MissAppointment, Appointment>, IHandler<UndoAttendance, Appointment>
{
    public Task<Result<Appointment>> Handle(ArriveAppointment request, OperationScope scope, CancellationToken cancel) =>
        Step(request.AppointmentId, request.IfVersion, Forward(AppointmentStatus.Arrived), scope, cancel);

    public Task<Result<Appointment>> Handle(StartAppointment request, OperationScope scope, CancellationToken cancel) =>
        Step(request.AppointmentId, request.IfVersion, Forward(AppointmentStatus.Started), scope, cancel);

    public Task<Result<Appointment>> Handle(CompleteAppointment request, OperationScope scope, CancellationToken cancel) =>
        Step(request.AppointmentId, request.IfVersion, Forward(AppointmentStatus.Completed), scope, cancel);

    public Task<Result<Appointment>> Handle(MissAppointment request, OperationScope scope, CancellationToken cancel) =>
        Step(request.AppointmentId, request.IfVersion, Forward(AppointmentStatus.NoShow), scope, cancel);

    public Task<Result<Appointment>> Handle(UndoAttendance request, OperationScope scope, CancellationToken cancel) =>
        Step(request.AppointmentId, request.IfVersion, AppointmentStatus.Before, scope, cancel);

    private static Func<string, string?> Forward(string to) => from => AppointmentStatus.MayBecome(from, to) ? to : null;

    private async Task<Result<Appointment>> Step(Guid id, long? ifVersion, Func<string, string?> next, OperationScope scope, CancellationToken cancel)
    {
        if (await diary.Find(id, cancel) is not { } row) return PlatformErrors.NotFound;
        if (ifVersion is not null && OperationScope.Stale(row, ifVersion) is { } stale) return stale;
        if (next(row.Status) is not { } to) return ScheduleErrors.WrongStatus.Is(row.Status);
        if (TooEarly(row, to, scope.Now)) return ScheduleErrors.TooEarly;
        if (to == AppointmentStatus.Arrived && row.Status == AppointmentStatus.Booked) row.Payload = row.Payload with { ArrivedAt = scope.Now };
        else if (to == AppointmentStatus.Booked && row.Payload.ArrivedAt is not null) row.Payload = row.Payload with { ArrivedAt = null };
        row.Status = to;
        await diary.Write(row, cancel);
        return await diary.Show(row, cancel);
    }

    private bool TooEarly(AppointmentRow row, string to, DateTimeOffset now) => to switch
    {
        AppointmentStatus.Arrived or AppointmentStatus.Started => ClinicTime.DayOf(row.StartsAt, diary.Zone) > ClinicTime.DayOf(now, diary.Zone),
        AppointmentStatus.NoShow => now < row.StartsAt,
        _ => false,
    };
}
