using System.Text.RegularExpressions;

namespace Chaperone.Clinic.Tests.House;

/// <summary>Rules of the house that read the code.</summary>
public sealed class SourceTests
{
    private const int MostLines = 400;
    private static readonly string Root = Find(AppContext.BaseDirectory);

    [Fact]
    public void Source_files_stay_under_400_lines() =>
        Assert.Empty(Sources("src", "tests", "bench").Where(file => File.ReadLines(file).Count() > MostLines).Select(Name));

    [Fact]
    public void Nothing_is_left_for_later_or_skipped() =>
        Assert.Empty(Sources("src", "tests", "bench").Where(file => Path.GetFileName(file) != "SourceTests.cs")
            .Where(file => Regex.IsMatch(File.ReadAllText(file), @"\bTODO\b|\bFIXME\b|NotImplementedException|Skip\s*=\s*""", RegexOptions.None, TimeSpan.FromSeconds(5))).Select(Name));

    [Fact]
    public void Features_hold_no_sql_but_the_relation_and_session_queries()
    {
        // Where a feature speaks SQL itself, and why it may.
        var allowed = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Sessions.cs"] = "the one indexed query of every request",
            ["ClinicCreation.cs"] = "the clinic's row and keys, before any operation can run in it",
            ["SetUpPages.cs"] = "the operator's one-time link, before there is a clinic whose rows and log it could be in",
        };
        var speaking = Sources("src/Chaperone.Clinic").Where(file => Regex.IsMatch(File.ReadAllText(file), @"\.Command\(|new NpgsqlCommand|CreateCommand\(|new NpgsqlBatch", RegexOptions.None, TimeSpan.FromSeconds(5))).Select(file => Path.GetFileName(file)).ToList();
        Assert.Equal(allowed.Keys.Order(StringComparer.Ordinal), speaking.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Rooms_use_only_what_the_architecture_allows()
    {
        var allowed = new Dictionary<string, string[]>(StringComparer.Ordinal)
        {
            ["Chaperone.Ledger"] = [],
            ["Chaperone.Encryption"] = [],
            ["Chaperone.Platform"] = ["Chaperone.Ledger", "Chaperone.Encryption"],
            ["Chaperone.Clinic"] = ["Chaperone.Platform"],
            ["Chaperone.Server"] = ["Chaperone.Clinic"],
            ["Chaperone.Verify"] = ["Chaperone.Ledger"],
            ["Chaperone.Witness"] = ["Chaperone.Ledger"],
        };
        foreach (var project in Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories))
        {
            var used = Regex.Matches(File.ReadAllText(project), @"ProjectReference Include=""[^""]*/([^/""]+)\.csproj""", RegexOptions.None, TimeSpan.FromSeconds(5)).Select(match => match.Groups[1].Value);
            Assert.Equal(allowed[Path.GetFileNameWithoutExtension(project)].Order(StringComparer.Ordinal), used.Order(StringComparer.Ordinal));
        }
    }

    private static IEnumerable<string> Sources(params string[] folders) => folders
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*", SearchOption.AllDirectories))
        .Where(file => file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".razor", StringComparison.Ordinal) || file.EndsWith(".ts", StringComparison.Ordinal))
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal) && !file.Contains("/node_modules/", StringComparison.Ordinal));

    private static string Name(string file) => Path.GetRelativePath(Root, file);

    private static string Find(string from)
    {
        var folder = new DirectoryInfo(from);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Chaperone.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("The repository's root was not found above " + from);
    }
}
