using System.Globalization;
using Chaperone.Clinic.Settings;

namespace Chaperone.Clinic.Schedule.Rota;

/// <summary>From one clock's time to another on the same day; the end may be midnight, 24:00.</summary>
/// <param name="From">Minutes of the day.</param>
/// <param name="To">Minutes of the day.</param>
public readonly record struct ClockSpan(int From, int To)
{
    private const int Day = 24 * 60;

    /// <summary>Reads 08:00 and 24:00 and nothing between which they are not; null for anything else.</summary>
    public static ClockSpan? Read(string? from, string? to) => Minute(from) is { } start && Minute(to) is { } end && start < end ? new(start, end) : null;

    /// <summary>The beginning as 08:00.</summary>
    public string FromText => Text(From);

    /// <summary>The end as 12:00.</summary>
    public string ToText => Text(To);

    /// <summary>The span on a day in the zone. Where the clocks change within it, it is as long as the clocks make it.</summary>
    internal Taken On(DateOnly day, TimeZoneInfo zone)
    {
        var midnight = day.ToDateTime(TimeOnly.MinValue);
        return new(ClinicTime.At(midnight.AddMinutes(From), zone), ClinicTime.At(midnight.AddMinutes(To), zone));
    }

    private static int? Minute(string? text)
    {
        if (text == "24:00") return Day;
        return TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time.Hour * 60 + time.Minute : null;
    }

    private static string Text(int minute) => string.Create(CultureInfo.InvariantCulture, $"{minute / 60:00}:{minute % 60:00}");
}

/// <summary>What somebody works in a week, from a day on.</summary>
/// <param name="From">The first day it holds; null for ever before too.</param>
/// <param name="Days">Seven, Monday first: the spans of each, in order and apart.</param>
public sealed record WeekPattern(DateOnly? From, IReadOnlyList<IReadOnlyList<ClockSpan>> Days)
{
    /// <summary>What the days are called in the API and in forms.</summary>
    public static IReadOnlyList<string> DayCodes { get; } = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

    /// <summary>The clinic's own week.</summary>
    internal static WeekPattern Of(WorkingWeek clinic) =>
        new(null, [.. WorkingWeek.AllDays.Select(day => (IReadOnlyList<ClockSpan>)(clinic.On(day) is { } open ? [new(Minute(open.From), Minute(open.To))] : []))]);

    private static int Minute(TimeOnly time) => time.Hour * 60 + time.Minute;

    /// <summary>The spans of a day, by its weekday.</summary>
    public IReadOnlyList<ClockSpan> On(DateOnly day) => Days[((int)day.DayOfWeek + 6) % 7];
}
