using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Chaperone.Bench;

/// <summary>One number beside what it is held against: another program's in the same run, or a limit.</summary>
/// <param name="Name">What was measured, with its unit.</param>
/// <param name="Ours">The median of ours.</param>
/// <param name="Reference">The median of the other's, or the limit.</param>
/// <param name="Must">The ratio must reach this.</param>
/// <param name="LessIsBetter">For times and sizes, where the ratio is turned round: two is always twice as good as the reference.</param>
internal sealed record Row(string Name, double Ours, double Reference, double Must, bool LessIsBetter = false)
{
    public double Ratio => LessIsBetter ? Reference / Ours : Ours / Reference;

    public bool Holds => Ratio >= Must;

    /// <summary>A time or size under a limit.</summary>
    public static Row Below(string name, double ours, double limit) => new(name, ours, limit, 1, LessIsBetter: true);

    /// <summary>A rate above a limit.</summary>
    public static Row Above(string name, double ours, double limit) => new(name, ours, limit, 1);
}

/// <summary>Rows as a table for people, or a line of JSON each; and the file under bench/results.</summary>
internal static class Report
{
    public static async Task WriteAsync(string bench, IReadOnlyList<Row> rows, bool quick, bool json)
    {
        var lines = rows.Select(Json).ToList();
        if (json)
        {
            foreach (var line in lines) await Console.Out.WriteLineAsync(line);
        }
        else
        {
            await Console.Out.WriteLineAsync($"{bench,-44} {"ours",12} {"reference",12} {"ratio",8} {"must",6}  holds");
            foreach (var row in rows)
                await Console.Out.WriteLineAsync($"{row.Name,-44} {Text(row.Ours),12} {Text(row.Reference),12} {Text(row.Ratio),8} {Text(row.Must),6}  {(row.Holds ? "yes" : "NO")}");
        }
        // Smaller sizes are for trying; only full runs are kept.
        if (!quick && ResultsFolder() is { } folder) await File.WriteAllLinesAsync(Path.Combine(folder, bench + ".jsonl"), lines);
    }

    /// <summary>Says something to whoever watches; never part of the results.</summary>
    public static void Note(string text) => Console.Error.WriteLine("  " + text);

    private static string Json(Row row) => JsonSerializer.Serialize(
        new JsonRow(row.Name, Round(row.Ours), Round(row.Reference), Round(row.Ratio), row.Must, row.Holds), ReportJson.Default.JsonRow);

    // The program lies in .build or in bin, both below the repository's root.
    private static string? ResultsFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Path.Combine(folder.FullName, "bench", "results") is var results && Directory.Exists(results)) return results;
        return null;
    }

    private static string Text(double value) => Round(value).ToString(CultureInfo.InvariantCulture);

    // Four digits say all that a median of such runs can.
    private static double Round(double value) => double.Parse(value.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}

internal sealed record JsonRow(string Name, double Ours, double Reference, double Ratio, double Must, bool Holds);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(JsonRow))]
internal sealed partial class ReportJson : JsonSerializerContext;
