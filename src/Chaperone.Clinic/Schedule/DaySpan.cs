namespace Chaperone.Clinic.Schedule;

/// <summary>Days of the schedule, both ends included.</summary>
internal readonly record struct DaySpan(DateOnly First, DateOnly Last)
{
    /// <summary>Days at most.</summary>
    public const int Most = 62;

    public int Count => Last.DayNumber - First.DayNumber + 1;

    public IEnumerable<DateOnly> All
    {
        get
        {
            var first = First;
            return Enumerable.Range(0, Count).Select(first.AddDays);
        }
    }

    public DateTimeOffset From(TimeZoneInfo zone) => ClinicTime.StartOf(First, zone);

    public DateTimeOffset Until(TimeZoneInfo zone) => ClinicTime.StartOf(Last.AddDays(1), zone);

    /// <summary>One day, or from and to, or today when nothing is given; null for what is no such span or a longer one.</summary>
    public static DaySpan? Read(string? day, string? from, string? to, DateOnly today)
    {
        if (day is null && from is null && to is null) return new(today, today);
        if (day is not null) return from is null && to is null && ClinicTime.ParseDay(day) is { } one ? new(one, one) : null;
        if (ClinicTime.ParseDay(from) is not { } first || ClinicTime.ParseDay(to) is not { } last) return null;
        return last >= first && last.DayNumber - first.DayNumber < Most ? new(first, last) : null;
    }
}
