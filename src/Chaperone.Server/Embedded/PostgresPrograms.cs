using System.Globalization;
using System.Text.RegularExpressions;

namespace Chaperone.Server.Embedded;

/// <summary>The machine's own PostgreSQL programs: one folder with <c>initdb</c>, <c>pg_ctl</c> and <c>postgres</c> of one major version.</summary>
internal sealed partial record PostgresPrograms(string Folder, int Major)
{
    public const int OldestMajor = 15;

    /// <summary>Names the one folder to take the programs from; without it PATH and the usual places are looked through.</summary>
    public const string Setting = "Chaperone__PostgresFolder";

    private static readonly string[] Needed = ["initdb", "pg_ctl", "postgres"];

    /// <summary>Picks the newest, or for an existing cluster the ones of its own version.</summary>
    /// <exception cref="ClusterException">None, or only older ones; says what to install.</exception>
    public static async Task<PostgresPrograms> FindAsync(IReadOnlyList<string>? folders, int? clusterMajor, CancellationToken cancel)
    {
        var found = new List<PostgresPrograms>();
        foreach (var folder in (folders ?? (Named is { } named ? [named] : UsualFolders())).Distinct(StringComparer.Ordinal))
        {
            if (!Needed.All(name => File.Exists(Path.Combine(folder, name)))) continue;
            var version = Version().Match((await ClusterUser.RunAsync([Path.Combine(folder, "postgres"), "--version"], null, cancel)).Text);
            if (version.Success) found.Add(new PostgresPrograms(folder, int.Parse(version.ValueSpan, CultureInfo.InvariantCulture)));
        }

        if (clusterMajor is { } major)
            return found.Find(programs => programs.Major == major)
                ?? throw new ClusterException($"This data folder was made by PostgreSQL {major}, whose programs are not on this machine{Seen(found)}. Install postgresql-{major}.");
        return found.Where(programs => programs.Major >= OldestMajor).MaxBy(programs => programs.Major)
            ?? throw new ClusterException($"Chaperone needs the programs of PostgreSQL {OldestMajor} or newer and found none{Seen(found)}{(folders is null && Named is { } only ? $" in {only}, which {Setting} names" : "")}. On Debian or Ubuntu: apt install postgresql. Elsewhere: install PostgreSQL and put its bin folder on PATH.");
    }

    public string this[string program] => Path.Combine(Folder, program);

    private static string? Named => Environment.GetEnvironmentVariable(Setting) is { Length: > 0 } folder ? folder : null;

    private static string Seen(List<PostgresPrograms> found) =>
        found.Count == 0 ? "" : $" (seen: {string.Join(", ", found.Select(programs => $"{programs.Major} in {programs.Folder}"))})";

    private static IEnumerable<string> UsualFolders()
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        foreach (var folder in path.Split(':', StringSplitOptions.RemoveEmptyEntries)) yield return folder;
        yield return "/usr/local/pgsql/bin";
        foreach (var (root, pattern) in new[] { ("/usr/lib/postgresql", "*"), ("/usr", "pgsql-*"), ("/opt/homebrew/opt", "postgresql@*") })
        {
            if (!Directory.Exists(root)) continue;
            foreach (var version in Directory.GetDirectories(root, pattern)) yield return Path.Combine(version, "bin");
        }
    }

    [GeneratedRegex("(?<=PostgreSQL\\) )[0-9]+")]
    private static partial Regex Version();
}
