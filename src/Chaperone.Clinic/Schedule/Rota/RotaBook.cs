using Chaperone.Clinic.Settings;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule.Rota;

/// <summary>Who works when, within one operation.</summary>
internal sealed class RotaBook(OperationScope scope)
{
    /// <summary>
    /// The hours and the leave of these practitioners between two times, to plan with. Nothing of it may be shown unless its rows are passed to <see cref="OperationScope.Show(Platform.Sealing.SealedRow)"/>.
    /// </summary>
    public async Task<Plan> Read(Guid[] practitioners, DateTimeOffset from, DateTimeOffset to, CancellationToken cancel)
    {
        var hours = await scope.OpenCandidates(scope.Db.Set<WorkingHoursRow>().AsNoTracking().Where(row => practitioners.Contains(row.Id)), cancel);
        var leave = await scope.OpenCandidates(
            scope.Db.Set<LeaveRow>().AsNoTracking().Where(row => practitioners.Contains(row.SubjectId!.Value) && row.EndsAt > from && row.StartsAt < to), cancel);
        return new(ClinicTime.ZoneOf(scope.Tenant), await ClinicWeek(cancel), hours.ToDictionary(row => row.Id), leave.OrderBy(row => row.StartsAt).ThenBy(row => row.Id).ToLookup(row => row.SubjectId!.Value));
    }

    /// <summary>The week of whoever has no hours of their own.</summary>
    public async Task<WeekPattern> ClinicWeek(CancellationToken cancel) => WeekPattern.Of(await ClinicSettings.WorkingWeekAsync(scope, cancel));
}

/// <summary>Hours and leave of some practitioners over some time: pure.</summary>
internal sealed class Plan(TimeZoneInfo zone, WeekPattern clinic, IReadOnlyDictionary<Guid, WorkingHoursRow> hours, ILookup<Guid, LeaveRow> leave)
{
    /// <summary>The practitioner's own hours, or null while they work when the clinic does.</summary>
    public WorkingHoursRow? HoursOf(Guid practitioner) => hours.GetValueOrDefault(practitioner);

    public IEnumerable<LeaveRow> LeaveOf(Guid practitioner) => leave[practitioner];

    /// <summary>When a practitioner works on a day, leave aside.</summary>
    public IEnumerable<Taken> Working(Guid practitioner, DateOnly day) =>
        (HoursOf(practitioner)?.Payload.For(day) ?? clinic).On(day).Select(span => span.On(day, zone)).Where(span => span.From < span.To);   // none is left of an hour that the clocks skip

    /// <summary>The same for some days.</summary>
    public IEnumerable<Taken> Working(Guid practitioner, DateOnly first, DateOnly last)
    {
        for (var day = first; day <= last; day = day.AddDays(1))
            foreach (var span in Working(practitioner, day)) yield return span;
    }

    /// <summary>Why a practitioner is not to be booked at a time, or null.</summary>
    /// <param name="practitioner">Who.</param>
    /// <param name="time">When.</param>
    /// <param name="outsideHours">Whether somebody has said that it may lie outside working hours. Leave it never may.</param>
    public Error? Fault(Guid practitioner, Taken time, bool outsideHours)
    {
        if (LeaveOf(practitioner).Any(away => away.StartsAt < time.To && away.EndsAt > time.From)) return ScheduleErrors.OnLeave;
        if (outsideHours) return null;
        var covered = time.From;
        foreach (var span in Working(practitioner, ClinicTime.DayOf(time.From, zone), ClinicTime.DayOf(time.To, zone)))
            if (span.From <= covered && span.To > covered) covered = span.To;
        return covered >= time.To ? null : ScheduleErrors.OutsideHours;
    }
}
