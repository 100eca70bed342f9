using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule.Series;

/// <summary>What stands in the way of many appointments at once, within one operation. The caller has the turns; the constraints decide all the same.</summary>
internal sealed class Clashes(Diary diary, RotaBook rota)
{
    /// <summary>For each appointment, in order, why it cannot be where it is, or null.</summary>
    /// <param name="rows">All with one practitioner and one room.</param>
    /// <param name="outsideHours">Whether they may lie outside working hours.</param>
    /// <param name="cancel">Cancels.</param>
    public async Task<IReadOnlyList<string?>> Find(IReadOnlyList<AppointmentRow> rows, bool outsideHours, CancellationToken cancel)
    {
        var (practitioner, room, own) = (rows[0].PractitionerId, rows[0].RoomId, rows.Select(row => row.Id).ToHashSet());
        var (from, to) = (rows.Min(row => row.StartsAt), rows.Max(row => row.EndsAt));
        var plan = await rota.Read([practitioner], from, to, cancel);
        var taking = await diary.Taking(from, to).Where(row => row.PractitionerId == practitioner || (room != null && row.RoomId == room))
            .Select(row => new { row.Id, row.PractitionerId, row.RoomId, row.StartsAt, row.EndsAt }).ToListAsync(cancel);
        taking.RemoveAll(other => own.Contains(other.Id));   // they make way themselves
        return [.. rows.Select(row =>
            plan.Fault(practitioner, new(row.StartsAt, row.EndsAt), outsideHours) is { } away ? away.Code == ScheduleErrors.OnLeave.Code ? "on_leave" : "outside_hours"
            : taking.Exists(other => other.PractitionerId == practitioner && other.StartsAt < row.EndsAt && row.StartsAt < other.EndsAt) ? "time_taken"
            : room is not null && taking.Exists(other => other.RoomId == room && other.StartsAt < row.EndsAt && row.StartsAt < other.EndsAt) ? "room_taken" : null)];
    }

    /// <summary>The refusal that lists them.</summary>
    public static Error Refusal(IReadOnlyList<Clash> clashes) =>
        ScheduleErrors.SomeClash with { Facts = new Dictionary<string, object>(StringComparer.Ordinal) { ["clashes"] = clashes } };
}
