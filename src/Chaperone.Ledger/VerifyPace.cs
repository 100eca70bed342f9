using System.Globalization;

namespace Chaperone.Ledger;

/// <summary>How fast a verification is and how long it will take, told on a terminal once it has taken two seconds: a short one is over before anybody would read it.</summary>
/// <param name="clock">Tells the time.</param>
/// <param name="to">Where to; nothing is told when null.</param>
public sealed class VerifyPace(TimeProvider clock, TextWriter? to)
{
    private static readonly TimeSpan Silent = TimeSpan.FromSeconds(2), Every = TimeSpan.FromMilliseconds(250);
    private readonly Lock gate = new();
    private string? subject;
    private long began = clock.GetTimestamp(), told;
    private int width;

    /// <summary>Tells how far it is.</summary>
    /// <param name="what">What is verified; another one begins anew.</param>
    /// <param name="done">Events so far.</param>
    /// <param name="total">Of so many.</param>
    public void Report(string what, long done, long total)
    {
        if (to is null) return;
        lock (gate)
        {
            if (subject != what) (subject, began, told) = (what, clock.GetTimestamp(), 0);
            var passed = clock.GetElapsedTime(began);
            if (passed < Silent || (told != 0 && clock.GetElapsedTime(told) < Every)) return;
            told = clock.GetTimestamp();
            var line = string.Create(CultureInfo.InvariantCulture, $"{what}: {done:N0} of {total:N0}{Words(passed, done, total)}");
            to.Write("\r" + line.PadRight(width));
            to.Flush();
            width = line.Length;
        }
    }

    /// <summary>Clears the line.</summary>
    public void End()
    {
        lock (gate)
        {
            if (width > 0) to?.Write("\r" + new string(' ', width) + "\r");
            width = 0;
        }
    }

    /// <summary>Rate and remaining time, as far as they can be told.</summary>
    public static string Words(TimeSpan passed, long done, long total)
    {
        if (done <= 0 || passed <= TimeSpan.Zero) return "";
        var rate = done / passed.TotalSeconds;
        return string.Create(CultureInfo.InvariantCulture, $", {rate:N0} a second, {Left(TimeSpan.FromSeconds(Math.Min((total - done) / rate, TimeSpan.FromDays(365).TotalSeconds)))} left");
    }

    private static string Left(TimeSpan time) => time.TotalSeconds < 90 ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, (int)Math.Ceiling(time.TotalSeconds))} s")
        : time.TotalMinutes < 90 ? string.Create(CultureInfo.InvariantCulture, $"{(int)Math.Round(time.TotalMinutes)} min") : string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.0} h");
}
