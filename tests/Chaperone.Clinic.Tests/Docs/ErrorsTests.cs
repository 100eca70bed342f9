using System.Text.RegularExpressions;

namespace Chaperone.Clinic.Tests.Docs;

/// <summary>Holds the documents against the sources: error codes and their page, the map and its paths, the threat model and the tests it names.</summary>
public sealed partial class ErrorsTests
{
    private static readonly string root = Root();

    /// <summary>Every error that the sources declare, in the order found.</summary>
    private static readonly (string Code, string Title, string Status)[] declared = [.. Sources("src").SelectMany(file => Declaration().Matches(File.ReadAllText(file)))
        .Select(found => (found.Groups["code"].Value, Regex.Unescape(found.Groups["title"].Value), found.Groups["status"].Value))];

    private static string Page => File.ReadAllText(Path.Combine(root, "docs/errors.md"));

    [Fact]
    public void Every_code_is_declared_once()
    {
        Assert.True(declared.Length > 30);
        Assert.Empty(declared.GroupBy(error => error.Code).Where(same => same.Count() > 1).Select(same => same.Key));
        // A code built or written in another way would be missed above.
        var mentioned = Sources("src").SelectMany(file => Quoted().Matches(File.ReadAllText(file))).Select(found => found.Groups["code"].Value);
        Assert.Empty(mentioned.Except(declared.Select(error => error.Code)));
    }

    [Fact]
    public void Every_code_has_its_heading_and_every_heading_its_code()
    {
        var headings = Heading().Matches(Page).Select(found => found.Groups["code"].Value).ToArray();
        Assert.Empty(declared.Select(error => error.Code).Except(headings));
        Assert.Empty(headings.Except(declared.Select(error => error.Code)));
        Assert.Empty(headings.GroupBy(code => code).Where(same => same.Count() > 1).Select(same => same.Key));
    }

    [Fact]
    public void Headings_are_followed_by_the_title_and_status_of_the_program()
    {
        foreach (var (code, title, status) in declared) Assert.Contains($"## {code}\n**{title}** ({status})\n", Page, StringComparison.Ordinal);
    }

    [Fact]
    public void Retired_codes_are_not_used_again() =>
        Assert.Empty(AnyCode().Matches(Page[Page.IndexOf("## Retired codes", StringComparison.Ordinal)..]).Select(found => found.Value).Intersect(declared.Select(error => error.Code)));

    [Fact]
    public void The_map_names_only_what_exists()
    {
        var paths = MapLine().Matches(File.ReadAllText(Path.Combine(root, "docs/map.md"))).Select(found => found.Groups["path"].Value).ToArray();
        Assert.True(paths.Length > 50);
        var gone = paths.Where(path => !Path.Exists(Path.Combine(root, path))).ToArray();
        Assert.Empty(gone);
    }

    [Fact]
    public void The_map_names_every_project_and_room()
    {
        var map = File.ReadAllText(Path.Combine(root, "docs/map.md"));
        var folders = new[] { "src", "tests", "bench" }.SelectMany(area => Directory.EnumerateFiles(Path.Combine(root, area), "*.csproj", SearchOption.AllDirectories)).Select(project => Path.GetDirectoryName(project)!);
        var unnamed = folders.Select(folder => Path.GetRelativePath(root, folder)).Where(folder => !map.Contains($"`{folder}`", StringComparison.Ordinal)).ToArray();
        Assert.Empty(unnamed);
    }

    [Fact]
    public void The_threat_model_names_only_tests_that_exist()
    {
        var classes = Sources("tests").SelectMany(file => ClassName().Matches(File.ReadAllText(file))).Select(found => found.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);
        var named = TestName().Matches(File.ReadAllText(Path.Combine(root, "docs/threat-model.md"))).Select(found => found.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);
        Assert.True(named.Count > 5);
        Assert.Empty(named.Except(classes));
    }

    private static IEnumerable<string> Sources(string area) => Directory.EnumerateFiles(Path.Combine(root, area), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Chaperone.slnx"))) folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("This program does not run inside the repository.");
        return folder;
    }

    [GeneratedRegex("""new\(\s*"(?<code>CHP-[A-Z]+-[0-9]{4})",\s*"(?<title>(?:[^"\\]|\\.)*)",\s*(?<status>[0-9]{3}),""")]
    private static partial Regex Declaration();

    [GeneratedRegex("\"(?<code>CHP-[A-Z]+-[0-9]{4})\"")]
    private static partial Regex Quoted();

    [GeneratedRegex("^## (?<code>CHP-[A-Z]+-[0-9]{4})$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("CHP-[A-Z]+-[0-9]{4}")]
    private static partial Regex AnyCode();

    [GeneratedRegex("^ *- `(?<path>[^`]+)`", RegexOptions.Multiline)]
    private static partial Regex MapLine();

    [GeneratedRegex("class (?<name>[A-Za-z]+Tests)\\b")]
    private static partial Regex ClassName();

    [GeneratedRegex("`(?<name>[A-Z][A-Za-z]+Tests)`")]
    private static partial Regex TestName();
}
