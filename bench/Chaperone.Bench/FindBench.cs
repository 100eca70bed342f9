using System.Globalization;
using Chaperone.Clinic.Patients;

namespace Chaperone.Bench;

/// <summary>
/// Finding patients among 100,000 through the monitor: begin, decide, look up blind indexes, open and confirm the candidates, write the event. Every one of them was registered through
/// the monitor too, in batches of 500: each row really sealed under its own key, each token really made.
/// </summary>
internal static class FindBench
{
    public static async Task<IReadOnlyList<Row>> RunAsync(bool quick)
    {
        var (count, times) = quick ? (5_000, 15) : (100_000, 41);
        await using var server = await BenchServer.StartAsync();
        var people = new List<PersonDetails>();
        var filling = await Measure.Milliseconds(async () =>
        {
            foreach (var some in People.Make(count, 3).Chunk(5000))
            {
                await server.AddAsync(some);
                people.AddRange(some.Where((_, i) => i % 20 == 0));     // whom to look for
            }
        });
        await server.Database.ExecuteAsync("VACUUM ANALYZE");
        Report.Note($"find: {count} patients registered in {filling / 1000:F0} s");

        var random = new Random(4);
        var kinds = new (string Name, Func<PersonDetails, string> Text)[]
        {
            ("name prefix", person => Start(person.FamilyName!, 4)),
            ("two names", person => $"{Start(person.GivenNames!, 3)} {person.FamilyName}"),
            ("date of birth", person => person.DateOfBirth!.Value.ToString("dd/MM/yyyy", CultureInfo.InvariantCulture)),
            ("NHS number", person => person.NhsNumber!),
            ("telephone", person => person.Mobile!),
        };
        var caller = server.AsDoctor;
        var taken = kinds.Select(_ => new List<double>()).ToArray();
        var hits = new int[kinds.Length];
        for (var i = -5; i < times; i++)      // the first few only warm up
        {
            for (var kind = 0; kind < kinds.Length; kind++)
            {
                var text = kinds[kind].Text(people[random.Next(people.Count)]);
                var found = 0;
                var milliseconds = await Measure.Milliseconds(async () => found = (await server.Monitor.Run(new FindPatients(text), caller, CancellationToken.None)).Value.Patients.Count);
                if (found == 0) throw new InvalidOperationException($"Looking by {kinds[kind].Name} found nobody, though there is somebody.");
                if (i < 0) continue;
                taken[kind].Add(milliseconds);
                hits[kind] += found;
            }
        }
        for (var kind = 0; kind < kinds.Length; kind++)
            Report.Note($"find by {kinds[kind].Name}: {hits[kind] / times} found on average, from {taken[kind].Min():F1} to {taken[kind].Max():F1} ms");
        return
        [
            Row.Below($"find among {count}, median ms", Measure.Median(taken.SelectMany(some => some)), 50),
            .. kinds.Select((kind, i) => Row.Below($"find by {kind.Name}, median ms", Measure.Median(taken[i]), 50)),
        ];
    }

    private static string Start(string name, int letters) => name.Length <= letters ? name : name[..letters];
}
