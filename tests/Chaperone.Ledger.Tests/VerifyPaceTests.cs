using Chaperone.Ledger;

namespace Chaperone.Ledger.Tests;

/// <summary>What a long verification says while it runs.</summary>
public sealed class VerifyPaceTests
{
    [Fact]
    public void It_tells_rate_and_remaining_time_once_it_has_taken_two_seconds()
    {
        var (clock, text) = (new Hands(), new StringWriter());
        var pace = new VerifyPace(clock, text);
        pace.Report("log", 10, 1000);
        clock.Now += TimeSpan.FromSeconds(1);
        pace.Report("log", 100, 1000);
        Assert.Equal("", text.ToString());
        clock.Now += TimeSpan.FromSeconds(1);
        pace.Report("log", 200, 1000);
        pace.Report("log", 201, 1000);              // at once again: not told
        Assert.Equal("\rlog: 200 of 1,000, 100 a second, 8 s left", text.ToString());
        clock.Now += TimeSpan.FromSeconds(1);
        pace.Report("another", 5, 10);              // begins anew, silent at first
        pace.End();
        Assert.EndsWith("\r" + new string(' ', "log: 200 of 1,000, 100 a second, 8 s left".Length) + "\r", text.ToString(), StringComparison.Ordinal);
        new VerifyPace(clock, null).Report("log", 1, 2);
    }

    [Theory]
    [InlineData(10, 1_000_000, 2_000_000, ", 100,000 a second, 10 s left")]
    [InlineData(10, 10_000, 1_000_000, ", 1,000 a second, 16 min left")]
    [InlineData(10, 1_000, 1_000_000, ", 100 a second, 2.8 h left")]
    [InlineData(10, 0, 100, "")]
    public void Long_times_are_told_in_minutes_and_hours(int seconds, long done, long total, string said) => Assert.Equal(said, VerifyPace.Words(TimeSpan.FromSeconds(seconds), done, total));

    private sealed class Hands : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromDays(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
