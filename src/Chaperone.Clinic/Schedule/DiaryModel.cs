using System.Globalization;
using Chaperone.Clinic.Shell;

namespace Chaperone.Clinic.Schedule;

/// <summary>One column of the schedule: a practitioner's day.</summary>
/// <param name="Practitioner">Whose.</param>
/// <param name="Day">Which.</param>
/// <param name="Heading">What stands above it.</param>
/// <param name="Sub">What stands under that.</param>
/// <param name="Href">Where its heading leads.</param>
/// <param name="Items">The appointments, by time.</param>
public sealed record DiaryColumn(Guid Practitioner, DateOnly Day, string Heading, string? Sub, string? Href, IReadOnlyList<Appointment> Items)
{
    /// <summary>The practitioner's colour; null where columns are days.</summary>
    public string? Colour { get; init; }

    /// <summary>When nobody is to be booked.</summary>
    public IReadOnlyList<DiaryShade> Shades { get; init; } = [];

    /// <summary>Unique on the page.</summary>
    public string Id => $"col-{Practitioner:N}-{Day:yyyyMMdd}";
}

/// <summary>What a page of the schedule shows.</summary>
public sealed record DiaryModel
{
    /// <summary>The appointments and what belongs to them.</summary>
    public required ScheduleView View { get; init; }

    /// <summary>The day shown, or of which the week is shown.</summary>
    public required DateOnly Day { get; init; }

    /// <summary>The first day shown.</summary>
    public required DateOnly First { get; init; }

    /// <summary>The last day shown.</summary>
    public required DateOnly Last { get; init; }

    /// <summary>Today in the clinic's zone.</summary>
    public required DateOnly Today { get; init; }

    /// <summary>The moment, on the clinic's clock.</summary>
    public required DateTime Now { get; init; }

    /// <summary>Whose appointments are shown; null for everybody's.</summary>
    public Guid? Practitioner { get; init; }

    /// <summary>What is drawn, from left to right.</summary>
    public required IReadOnlyList<DiaryColumn> Columns { get; init; }

    /// <summary>Whether columns are one practitioner's days.</summary>
    public bool IsWeek { get; init; }

    /// <summary>Days of the week shown, five or seven.</summary>
    public int Days { get; init; } = 1;

    /// <summary>Whether cancelled appointments are shown.</summary>
    public bool ShowsCancelled { get; init; }

    /// <summary>Whether moving and cancelling are offered.</summary>
    public bool MayEdit { get; init; }

    /// <summary>Whether patients can be looked for here, and so be booked.</summary>
    public bool MayBook { get; init; }

    /// <summary>The practitioner who looks, for "My day".</summary>
    public bool IsPractitioner { get; init; }

    /// <summary>Which step of the calendar's grid is drawn first and last, in minutes from midnight.</summary>
    public (int From, int To) Hours
    {
        get
        {
            // From the first to the last of what is worked or booked, and most of a day at least.
            const int opens = 9 * 60, closes = 17 * 60;
            var spans = Columns.SelectMany(column => column.Items.Select(item => DiaryText.Span(item, column.Day))).ToList();
            foreach (var shades in Columns.Select(column => column.Shades.Where(shade => !shade.IsLeave).ToList()).Where(shades => shades.Count > 0 && shades[0] is not { From: 0, To: 1440 }))
                spans.Add((shades[0].From == 0 ? shades[0].To : 0, shades[^1].To == 1440 ? shades[^1].From : 1440));
            return (spans.Select(span => span.From / 60 * 60).Append(opens).Min(), spans.Select(span => (span.To + 59) / 60 * 60).Append(closes).Max());
        }
    }

    /// <summary>The same view at another day.</summary>
    public string At(DateOnly day) => IsWeek ? DiaryText.WeekHref(Practitioner!.Value, day, Days) : DiaryText.DayHref(day, Practitioner, ShowsCancelled);
}

/// <summary>How the schedule is written.</summary>
internal static class DiaryText
{
    public static string Iso(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    public static string Long(DateOnly day) => day.ToString("dddd d MMMM yyyy", CultureInfo.InvariantCulture);

    public static string Short(DateOnly day) => day.ToString("ddd d MMM yyyy", CultureInfo.InvariantCulture);

    public static string Clock(DateTimeOffset time) => time.ToString("HH:mm", CultureInfo.InvariantCulture);

    public static string Clock(int minutes) => string.Create(CultureInfo.InvariantCulture, $"{minutes / 60:00}:{minutes % 60:00}");

    /// <summary>The same, with the date where it is not on this day: imported history may last for days.</summary>
    public static string Clock(DateTimeOffset time, DateOnly day) => DateOnly.FromDateTime(time.DateTime) == day ? Clock(time) : time.ToString("d MMM HH:mm", CultureInfo.InvariantCulture);

    /// <summary>How long something lasts.</summary>
    public static string Length(TimeSpan time) => time > Diary.Longest ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0} hours") : $"{Minutes(time)} minutes";

    public static string Minutes(TimeSpan time) => ((int)time.TotalMinutes).ToString(CultureInfo.InvariantCulture);

    public static string DayHref(DateOnly day, Guid? practitioner = null, bool cancelled = false) =>
        $"/schedule?day={Iso(day)}{(practitioner is { } id ? $"&practitioner={id}" : "")}{(cancelled ? "&cancelled=true" : "")}";

    public static string WeekHref(Guid practitioner, DateOnly day, int days = 5) => $"/schedule/week?practitioner={practitioner}&day={Iso(day)}{(days == 7 ? "&days=7" : "")}";

    public static string AppointmentHref(Guid id, string? back = null) => $"/schedule/appointments/{id}{(back is null ? "" : $"?back={back}")}";

    /// <summary>From when to when an appointment stands in a day, in minutes of the clinic's clock from midnight.</summary>
    public static (int From, int To) Span(Appointment item, DateOnly day)
    {
        var from = (int)(item.StartsAt.DateTime - day.ToDateTime(TimeOnly.MinValue)).TotalMinutes;
        return (Math.Max(0, from), Math.Min(24 * 60, from + (int)(item.EndsAt - item.StartsAt).TotalMinutes));
    }

    /// <summary>The word for a status, with its icon and tone.</summary>
    public static (string Word, string Icon, Tone Tone) Status(string status) => status switch
    {
        AppointmentStatus.Arrived => ("Arrived", "door-enter", Tone.Info),
        AppointmentStatus.Started => ("Started", "stethoscope", Tone.Success),
        AppointmentStatus.Completed => ("Completed", "circle-check", Tone.Neutral),
        AppointmentStatus.Cancelled => ("Cancelled", "ban", Tone.Neutral),
        AppointmentStatus.NoShow => ("Did not come", "user-off", Tone.Warning),
        _ => ("Booked", "calendar-event", Tone.Neutral),
    };

    /// <summary>The name of a type, its own code for one that is not known any more.</summary>
    public static string TypeName(this IEnumerable<AppointmentType> types, string code) => types.FirstOrDefault(type => type.Code == code)?.Name ?? code;

    /// <summary>The palette's colour of a type.</summary>
    public static string TypeColour(this IEnumerable<AppointmentType> types, string code) => types.FirstOrDefault(type => type.Code == code)?.Colour ?? "none";

    public static string PatientName(Appointment appointment) => appointment.PatientName ?? "Patient";
}
