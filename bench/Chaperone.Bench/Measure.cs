using System.Diagnostics;

namespace Chaperone.Bench;

/// <summary>Takes numbers on a machine that others use too.</summary>
internal static class Measure
{
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Each in turn, changing who goes first, after one round of each that does not count: what else runs on the machine then slows both alike.</summary>
    public static async Task<(double Ours, double Reference)> InTurn(string what, int repetitions, Func<Task<double>> ours, Func<Task<double>> reference)
    {
        await ours();
        await reference();
        var (first, second) = (new List<double>(), new List<double>());
        for (var i = 0; i < repetitions; i++)
        {
            if (i % 2 == 0) first.Add(await ours());
            second.Add(await reference());
            if (i % 2 == 1) first.Add(await ours());
        }
        Report.Note($"{what}: ours {string.Join(" ", first.Select(value => value.ToString("F0")))} / reference {string.Join(" ", second.Select(value => value.ToString("F0")))}");
        return (Median(first), Median(second));
    }

    /// <summary>How often a second some callers get through <paramref name="work"/>, each beginning again as soon as it has ended.</summary>
    public static async Task<double> Rate(int callers, TimeSpan duration, Func<int, Task> work)
    {
        var watch = Stopwatch.StartNew();
        var counts = await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            var count = 0;
            for (; watch.Elapsed < duration; count++) await work(caller);
            return count;
        })));
        return counts.Sum() / watch.Elapsed.TotalSeconds;
    }

    /// <summary>Milliseconds that something takes.</summary>
    public static async Task<double> Milliseconds(Func<Task> work)
    {
        var from = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(from).TotalMilliseconds;
    }
}
