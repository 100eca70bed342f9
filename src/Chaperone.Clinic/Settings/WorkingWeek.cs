using System.Globalization;

namespace Chaperone.Clinic.Settings;

/// <summary>A day on which the clinic is open, from and to by the clinic's clocks.</summary>
public sealed record WorkingDay(DayOfWeek Day, TimeOnly From, TimeOnly To);

/// <summary>
/// The days and hours a clinic is usually open: one span on each of them, at least one day a week. Whoever has no working hours of their own is thought to work then. Not a promise
/// that somebody is there, and no limit to booking.
/// </summary>
/// <param name="Days">By weekday, Monday first, each at most once.</param>
public sealed record WorkingWeek(IReadOnlyList<WorkingDay> Days)
{
    /// <summary>The days of the week as people here count them.</summary>
    public static IReadOnlyList<DayOfWeek> AllDays { get; } = [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday, DayOfWeek.Saturday, DayOfWeek.Sunday];

    /// <summary>Of a clinic that has not said otherwise: Monday to Friday, 8 to 18.</summary>
    public static WorkingWeek Usual { get; } = new([.. AllDays.Take(5).Select(day => new WorkingDay(day, new(8, 0), new(18, 0)))]);

    /// <summary>When the clinic opens and closes on this day, or null when it stays closed.</summary>
    public WorkingDay? On(DayOfWeek day) => Days.FirstOrDefault(open => open.Day == day);

    /// <summary>What is called <paramref name="day"/> in the API and in forms: <c>monday</c>.</summary>
    public static string CodeOf(DayOfWeek day) => day.ToString().ToLowerInvariant();

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="FormatException">Somebody else wrote it.</exception>
    public static WorkingWeek Parse(string stored) => new([.. stored.Split(", ").Select(text =>
        text.Split(' ', '-') is [var code, var from, var to] && AllDays.Where(day => CodeOf(day) == code).ToList() is [var day]
            ? new WorkingDay(day, TimeOnly.ParseExact(from, "HH:mm", CultureInfo.InvariantCulture), TimeOnly.ParseExact(to, "HH:mm", CultureInfo.InvariantCulture))
            : throw new FormatException("This is no working week."))]);

    /// <inheritdoc/>
    /// <remarks>As it is stored and stands in the log: <c>monday 08:00-18:00, tuesday 08:00-18:00</c>.</remarks>
    public override string ToString() => string.Join(", ", Days.Select(open => string.Create(CultureInfo.InvariantCulture, $"{CodeOf(open.Day)} {open.From:HH:mm}-{open.To:HH:mm}")));
}
