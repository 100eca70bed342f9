using Chaperone.Bench;

if (args is [LoadGenerator.Verb]) return await LoadGenerator.RunAsync();

var benches = new Dictionary<string, Func<bool, Task<IReadOnlyList<Row>>>>(StringComparer.Ordinal)
{
    ["seal"] = SealBench.RunAsync,
    ["append"] = AppendBench.RunAsync,
    ["ledger"] = LedgerBench.RunAsync,
    ["view"] = ViewBench.RunAsync,
    ["import"] = ImportBench.RunAsync,
    ["find"] = FindBench.RunAsync,
    ["start"] = StartBench.RunAsync,
    ["desk"] = DeskBench.RunAsync,
};
var quick = args.Contains("--quick");
var json = args.Contains("--json");
var names = args.Where(argument => argument is not ("--quick" or "--json")).ToArray();
if (names.FirstOrDefault(name => !benches.ContainsKey(name)) is { } unknown)
{
    await Console.Error.WriteLineAsync($"There is no bench \"{unknown}\". There are: {string.Join(", ", benches.Keys)}; and --quick, --json.");
    return 2;
}

var failed = false;
foreach (var name in names.Length > 0 ? names : [.. benches.Keys])
{
    try
    {
        var rows = await benches[name](quick);
        await Report.WriteAsync(name, rows, quick, json);
    }
    catch (Exception broken)
    {
        // The others are still worth running; the exit code says that one broke.
        await Console.Error.WriteLineAsync($"{name} broke: {broken}");
        failed = true;
    }
}
return failed ? 1 : 0;
