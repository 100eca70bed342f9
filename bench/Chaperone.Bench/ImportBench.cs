namespace Chaperone.Bench;

/// <summary>Patients a second in batches of 500, one after the other as an import does it: sealed under their own new keys, indexed, each with its digest in the event of its batch.</summary>
internal static class ImportBench
{
    public static async Task<IReadOnlyList<Row>> RunAsync(bool quick)
    {
        var (repetitions, each) = quick ? (3, 1000) : (9, 2000);
        await using var server = await BenchServer.StartAsync();
        var people = People.Make(each * (repetitions + 1), 2).ToList();
        await server.AddAsync(people[..each]);
        var rates = new List<double>();
        for (var i = 1; i <= repetitions; i++)
        {
            var some = people.GetRange(i * each, each);
            rates.Add(each / (await Measure.Milliseconds(() => server.AddAsync(some))) * 1000);
        }
        Report.Note("import: " + string.Join(" ", rates.Select(rate => rate.ToString("F0"))));
        return [Row.Above("import, patients a second", Measure.Median(rates), 1000)];
    }
}
