using System.Globalization;
using Chaperone.Platform.Tenancy;

namespace Chaperone.Clinic.Schedule;

/// <summary>Times as people write them, in the clinic's zone.</summary>
internal static class ClinicTime
{
    private static readonly string[] Local = ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss"];
    private static readonly string[] WithOffset = ["yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    // Far from the ends of the calendar, where offsets overflow.
    private const int FirstYear = 1900, LastYear = 2199;

    public static TimeZoneInfo ZoneOf(Tenant clinic) => TimeZoneInfo.FindSystemTimeZoneById(clinic.Zone);

    /// <summary>A time in ISO 8601: with an offset, or a clock's time in the clinic, which must have been or come exactly once. Whole minutes.</summary>
    /// <returns>The time, or a sentence that says what is wrong with it and quotes nothing.</returns>
    public static (DateTimeOffset? Time, string? Fault) Parse(string? text, TimeZoneInfo zone)
    {
        var trimmed = text?.Trim() ?? "";
        DateTimeOffset time;
        if (DateTime.TryParseExact(trimmed, Local, CultureInfo.InvariantCulture, DateTimeStyles.None, out var clock))
        {
            if (clock.Year is < FirstYear or > LastYear) return (null, "Enter a date of this century.");
            if (zone.IsInvalidTime(clock)) return (null, "The clocks go forward then: there is no such time that day.");
            if (zone.IsAmbiguousTime(clock)) return (null, "The clocks go back then: that time comes twice. Say which with its offset, such as +01:00.");
            time = new(clock, zone.GetUtcOffset(clock));
        }
        else if (!DateTimeOffset.TryParseExact(trimmed, WithOffset, CultureInfo.InvariantCulture, DateTimeStyles.None, out time))
        {
            return (null, "Enter a date and time such as 2026-11-21T10:30 or 2026-11-21T10:30+00:00.");
        }
        if (time.Year is < FirstYear or > LastYear) return (null, "Enter a date of this century.");
        return time.Ticks % TimeSpan.TicksPerMinute == 0 ? (time.ToUniversalTime(), null) : (null, "Enter whole minutes.");
    }

    /// <summary>A date such as 2026-11-21; null for anything else.</summary>
    public static DateOnly? ParseDay(string? text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day.Year is >= FirstYear and <= LastYear ? day : null;

    /// <summary>The first moment of a day. Not always midnight: where the clocks go forward at midnight the day begins at one.</summary>
    public static DateTimeOffset StartOf(DateOnly day, TimeZoneInfo zone) => At(day.ToDateTime(TimeOnly.MinValue), zone);

    /// <summary>A clock's time in the zone; the next that exists where the clocks go forward over it, the first of the two where they go back.</summary>
    public static DateTimeOffset At(DateTime clock, TimeZoneInfo zone)
    {
        while (zone.IsInvalidTime(clock)) clock = clock.AddMinutes(1);
        var offset = zone.IsAmbiguousTime(clock) ? zone.GetAmbiguousTimeOffsets(clock).Max() : zone.GetUtcOffset(clock);
        return new DateTimeOffset(clock, offset).ToUniversalTime();
    }

    public static DateOnly DayOf(DateTimeOffset time, TimeZoneInfo zone) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time, zone).DateTime);
}
