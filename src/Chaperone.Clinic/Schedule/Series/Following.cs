using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule.Series;

/// <summary>Changes an appointment and those of its series that come after it: each is moved by as much, by the clinic's clocks, and gets the same practitioner, room, length and words. All or none.</summary>
/// <param name="AppointmentId">The first that is changed.</param>
/// <param name="Wanted">How it is to be.</param>
/// <param name="IfVersion">Its version as the caller saw it; null is refused.</param>
internal sealed record ChangeFollowing(Guid AppointmentId, Wanted Wanted, long? IfVersion) : IOperation<Appointment>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("appointment.modified").Needs(Permission.ScheduleEdit).About(AppointmentResource.Appointment);

    Guid IAbout.ResourceId => AppointmentId;
}

/// <summary>Cancels an appointment and those of its series that come after it and have not begun.</summary>
/// <param name="AppointmentId">The first that is cancelled.</param>
/// <param name="Reason">A code of <see cref="ScheduleCodes.CancelReasons"/>.</param>
/// <param name="Note">What was typed with the reason "other".</param>
/// <param name="IfVersion">Its version as the caller saw it, or null for any.</param>
internal sealed record CancelFollowing(Guid AppointmentId, string? Reason, string? Note = null, long? IfVersion = null) : IOperation<Appointment>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("appointment.cancelled").Needs(Permission.ScheduleEdit).About(AppointmentResource.Appointment);

    Guid IAbout.ResourceId => AppointmentId;
}

internal sealed class FollowingHandler(Diary diary, Clashes clashes) : IHandler<ChangeFollowing, Appointment>, IHandler<CancelFollowing, Appointment>
{
    public async Task<Result<Appointment>> Handle(ChangeFollowing request, OperationScope scope, CancellationToken cancel)
    {
        if (await diary.Find(request.AppointmentId, cancel) is not { } row) return PlatformErrors.NotFound;
        if (OperationScope.Stale(row, request.IfVersion) is { } stale) return stale;
        if (row.Status != AppointmentStatus.Booked) return ScheduleErrors.WrongStatus.Is(row.Status);
        var wanted = request.Wanted.Read(await AppointmentTypes.Read(scope, cancel), diary.Zone, scope.Now, row);
        if (wanted.Error is { } invalid) return invalid;
        var slot = wanted.Value;
        Guid?[] concerned = [row.PractitionerId, slot.PractitionerId, row.RoomId, slot.RoomId, row.PatientId];
        await scope.TakeTurns(concerned.OfType<Guid>(), cancel);
        var rows = await Open(row, scope, cancel);
        if (await diary.PatientFault(row.PatientId, cancel) is { } notBooked) return notBooked;
        if (slot.PractitionerId != row.PractitionerId && await diary.PractitionerFault(slot.PractitionerId, cancel) is { } notBookable) return notBookable;
        if (slot.RoomId != row.RoomId && await diary.RoomFault(slot.RoomId, cancel) is { } noRoom) return noRoom;

        var (by, length) = (Clock(slot.StartsAt) - Clock(row.StartsAt), slot.EndsAt - slot.StartsAt);
        AppointmentRow[] moved = [.. rows.Select(one => one == row ? slot.StartsAt : ClinicTime.At(Clock(one.StartsAt) + by, diary.Zone)).Zip(rows, (start, one) => (slot with { StartsAt = start, EndsAt = start + length }).For(one.PatientId, one.Id))];
        if (moved.Zip(moved.Skip(1)).Any(pair => pair.First.EndsAt > pair.Second.StartsAt)) return ScheduleErrors.Invalid.With("minutes", "The repeats would overlap.");
        var reasons = await clashes.Find(moved, request.Wanted.ConfirmOutsideHours, cancel);
        Clash[] clashing = [.. moved.Zip(reasons).Where(pair => pair.Second is not null).Select(pair => new Clash(AppointmentBody.Iso(TimeZoneInfo.ConvertTime(pair.First.StartsAt, diary.Zone)), pair.Second!))];
        if (clashing.Length > 0) return Clashes.Refusal(clashing);
        scope.Note("appointments", rows.Count);
        // One after the other, the farthest in the direction they move first: a constraint looks at each row as it is written, and each makes way for the next.
        var inOrder = rows.Zip(moved);
        foreach (var (one, to) in by > TimeSpan.Zero || length > row.EndsAt - row.StartsAt ? inOrder.Reverse() : inOrder)
        {
            (one.StartsAt, one.EndsAt, one.PractitionerId, one.RoomId, one.Type) = (to.StartsAt, to.EndsAt, to.PractitionerId, to.RoomId, to.Type);
            if (diary.MayName(one)) one.Payload = one.Payload with { Reason = slot.Reason, Note = slot.Note };
            await diary.Flush([one], cancel);
        }
        return await diary.Show(row, cancel);
    }

    public async Task<Result<Appointment>> Handle(CancelFollowing request, OperationScope scope, CancellationToken cancel)
    {
        if (await diary.Find(request.AppointmentId, cancel) is not { } row) return PlatformErrors.NotFound;
        if (request.IfVersion is not null && OperationScope.Stale(row, request.IfVersion) is { } stale) return stale;
        if (!AppointmentStatus.MayBecome(row.Status, AppointmentStatus.Cancelled)) return ScheduleErrors.WrongStatus.Is(row.Status);
        var cancellation = CancelAppointmentHandler.Read(request.Reason, request.Note);
        if (cancellation.Error is { } invalid) return invalid;
        await diary.TakeTurns([row], cancel);
        var rows = await Open(row, scope, cancel);
        foreach (var one in rows)
        {
            one.Payload = one.Payload with { Cancellation = cancellation.Value };
            one.Status = AppointmentStatus.Cancelled;
        }
        scope.Because(cancellation.Value.Reason);
        scope.Note("appointments", rows.Count);
        await diary.Flush(rows, cancel);
        return await diary.Show(row, cancel);
    }

    private DateTime Clock(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, diary.Zone).DateTime;

    // The appointment and what follows it in its series and is still booked, by time; alone when it has none.
    private static async Task<IReadOnlyList<AppointmentRow>> Open(AppointmentRow row, OperationScope scope, CancellationToken cancel)
    {
        if (row.SeriesId is not { } series) return [row];
        var from = row.StartsAt;
        var others = await scope.Open(scope.Db.Set<AppointmentRow>().Where(other => other.SeriesId == series && other.StartsAt > from && other.Id != row.Id && other.Status == AppointmentStatus.Booked), cancel);
        return [row, .. others.OrderBy(other => other.StartsAt)];
    }
}
