namespace Chaperone.Clinic.Schedule.Series;

/// <summary>How an appointment is repeated, as typed.</summary>
/// <param name="Every">Each so many units; null for one.</param>
/// <param name="Unit"><c>day</c>, <c>week</c> or <c>month</c>.</param>
/// <param name="Count">How many there are to be, the first included.</param>
/// <param name="Until">Or the last day on which there may be one.</param>
internal sealed record Repeat(int? Every, string? Unit, int? Count = null, string? Until = null)
{
    /// <summary>Appointments at most.</summary>
    public const int Most = 52;

    /// <summary>When the repeats begin, the first included, by the same time of the clinic's clocks; or what is wrong, field by field.</summary>
    /// <remarks>A month's day that a shorter month lacks is its last. A time that the clocks skip is the next that exists; of a time that comes twice it is the first.</remarks>
    public Platform.Operations.Result<IReadOnlyList<DateTimeOffset>> Starts(DateTimeOffset first, TimeZoneInfo zone)
    {
        var error = ScheduleErrors.Invalid;
        if (Every is < 1 or > 365) error = error.With("repeat.every", "Enter a number from 1 to 365.");
        if (Unit is not ("day" or "week" or "month")) error = error.With("repeat.unit", "Choose day, week or month.");
        if (Count is null == Until is null) error = error.With("repeat.count", $"Say how many, at most {Most}, or until which day.");
        if (Count is < 2 or > Most) error = error.With("repeat.count", $"From 2 to {Most}.");
        var until = ClinicTime.ParseDay(Until);
        if (Until is not null && until is null) error = error.With("repeat.until", "Enter a date such as 2026-11-21.");
        var clock = TimeZoneInfo.ConvertTime(first, zone).DateTime;
        if (until < DateOnly.FromDateTime(clock)) error = error.With("repeat.until", "That is before the first.");
        if (error.Fields.Count > 0) return error;

        var starts = new List<DateTimeOffset> { first };
        for (var n = 1; n < (Count ?? int.MaxValue); n++)
        {
            var next = n * (Every ?? 1) is var step && Unit == "month" ? clock.AddMonths(step) : clock.AddDays(Unit == "week" ? 7 * step : step);
            if (until is not null && DateOnly.FromDateTime(next) > until) break;
            if (starts.Count == Most) return error.With("repeat.until", $"That makes more than {Most} appointments.");
            starts.Add(ClinicTime.At(next, zone));
        }
        return Platform.Operations.Result<IReadOnlyList<DateTimeOffset>>.Of(starts);
    }
}

/// <summary>A repeat that cannot be where it would be.</summary>
/// <param name="StartsAt">When it would begin, in the clinic's zone, as the API writes times.</param>
/// <param name="Reason"><c>on_leave</c>, <c>outside_hours</c>, <c>time_taken</c> or <c>room_taken</c>.</param>
public sealed record Clash(string StartsAt, string Reason);
