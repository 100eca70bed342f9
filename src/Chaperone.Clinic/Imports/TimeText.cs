using System.Globalization;
using Chaperone.Clinic.Schedule;

namespace Chaperone.Clinic.Imports;

/// <summary>Times as files write them. What has an offset is an instant; what has none is a clock's time where the clinic is, which must have been exactly once.</summary>
internal static class TimeText
{
    private static readonly string[] Instants =
        ["yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mmK", "yyyy-MM-dd HH:mm:ssK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ss K"];

    private static readonly string[] IsoClocks = ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss"];
    private static readonly string[] DayFirstClocks = ["d/M/yyyy H:mm", "d/M/yyyy H:mm:ss", "d.M.yyyy H:mm", "d.M.yyyy H:mm:ss", "d-M-yyyy H:mm", "d/M/yyyy h:mm tt"];
    private static readonly string[] MonthFirstClocks = ["M/d/yyyy H:mm", "M/d/yyyy H:mm:ss", "M-d-yyyy H:mm", "M/d/yyyy h:mm tt"];
    private static readonly string[] TimesOfDay = ["H:mm", "H:mm:ss", "h:mm tt", "h:mmtt", "H'.'mm", "HHmm"];

    // Far from the ends of the calendar, where offsets overflow.
    private const int FirstYear = 1900, LastYear = 2199;

    /// <summary>Date and time in one cell: the moment, or what is wrong.</summary>
    public static (DateTimeOffset? At, string? Fault) Moment(string text, string format, TimeZoneInfo zone)
    {
        var clocks = format switch { DateText.DayFirst => DayFirstClocks, DateText.MonthFirst => MonthFirstClocks, _ => IsoClocks };
        // An ISO time is one in any file.
        if (DateTime.TryParseExact(text, clocks, CultureInfo.InvariantCulture, DateTimeStyles.AllowWhiteSpaces, out var clock)
            || (format != DateText.Iso && DateTime.TryParseExact(text, IsoClocks, CultureInfo.InvariantCulture, DateTimeStyles.None, out clock))) return Clock(clock, zone);
        if (!DateTimeOffset.TryParseExact(text, Instants, CultureInfo.InvariantCulture, DateTimeStyles.None, out var at)) return (null, FindingCodes.Time);
        return at.Year is < FirstYear or > LastYear ? (null, FindingCodes.TimeRange) : (at.ToUniversalTime(), null);
    }

    public static bool TryTimeOfDay(string text, out TimeOnly time) => TimeOnly.TryParseExact(text, TimesOfDay, CultureInfo.InvariantCulture, DateTimeStyles.AllowWhiteSpaces, out time);

    /// <summary>A clock's time where the clinic is: the moment, or what is wrong.</summary>
    public static (DateTimeOffset? At, string? Fault) Clock(DateTime clock, TimeZoneInfo zone)
    {
        if (clock.Year is < FirstYear or > LastYear) return (null, FindingCodes.TimeRange);
        if (zone.IsInvalidTime(clock)) return (null, FindingCodes.TimeSkipped);
        return zone.IsAmbiguousTime(clock) ? (null, FindingCodes.TimeTwice) : (ClinicTime.At(clock, zone), null);
    }
}

/// <summary>The words with which files write the codes of appointments. Null for a word nobody knows: it is never guessed.</summary>
internal static class AppointmentText
{
    /// <summary>One of <see cref="AppointmentStatus"/>; an arrival or a start somewhere else is history: the patient was seen.</summary>
    public static string? Status(string text) => Word(text) switch
    {
        "completed" or "complete" or "attended" or "seen" or "done" or "finished" or "fulfilled" or "closed" or "left" or "checkedout" or "arrived" or "started" or "checkedin" or "inprogress" => AppointmentStatus.Completed,
        "cancelled" or "canceled" or "rescheduled" => AppointmentStatus.Cancelled,
        "noshow" or "dna" or "didnotattend" or "missed" or "notattended" or "failedtoattend" => AppointmentStatus.NoShow,
        "booked" or "scheduled" or "confirmed" or "planned" or "pending" or "upcoming" => AppointmentStatus.Booked,
        _ => null,
    };

    /// <summary>The sort of appointment for a class of encounter, and the class in words: the schedule knows when and with whom somebody came, not what for.</summary>
    public static (string Type, string Words)? Class(string text) => Word(text) switch
    {
        "ambulatory" or "amb" => ("consultation", "Ambulatory visit"),
        "outpatient" => ("consultation", "Outpatient visit"),
        "wellness" => ("consultation", "Wellness visit"),
        "urgentcare" => ("consultation", "Urgent care"),
        "emergency" or "emer" => ("consultation", "Emergency"),
        "inpatient" or "imp" or "acute" or "nonac" => ("consultation", "Inpatient stay"),
        "observation" or "obsenc" or "ss" or "shortstay" => ("consultation", "Short stay"),
        "preadmission" or "prenc" => ("consultation", "Before admission"),
        "snf" => ("consultation", "Nursing facility"),
        "hospice" => ("home_visit", "Hospice care"),
        "home" or "hh" => ("home_visit", "Visit at home"),
        "virtual" or "vr" => ("video", "Virtual visit"),
        _ => null,
    };

    /// <summary>A status as people read it.</summary>
    public static string Words(string status) => status switch { AppointmentStatus.NoShow => "Did not attend", "" => "", _ => char.ToUpperInvariant(status[0]) + status[1..] };

    /// <summary>A word as words are compared.</summary>
    public static string Word(string text) => string.Concat(text.Where(char.IsLetterOrDigit)).ToLowerInvariant();
}
