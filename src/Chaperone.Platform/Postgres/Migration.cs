using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Chaperone.Platform.Postgres;

/// <summary>One numbered SQL file of <c>db/</c>, compiled into this assembly so that program and schema cannot part.</summary>
internal sealed partial record Migration(int Number, string Name, string Sql, byte[] Sha256)
{
    private const string Folder = "db/";

    public string File => string.Create(CultureInfo.InvariantCulture, $"{Number:0000}_{Name}.sql");

    /// <summary>The migrations this program knows, in order.</summary>
    public static IReadOnlyList<Migration> Known { get; } = Read(typeof(Migration).Assembly);

    /// <summary>Reads one file. Its name must be <c>NNNN_words.sql</c>.</summary>
    public static Migration Parse(string fileName, byte[] content)
    {
        var match = FileName().Match(fileName);
        if (!match.Success) throw new FormatException($"The migration {fileName} is not named NNNN_words.sql.");
        return new Migration(
            int.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture), match.Groups["name"].Value,
            System.Text.Encoding.UTF8.GetString(content), SHA256.HashData(content));
    }

    private static List<Migration> Read(Assembly assembly)
    {
        var found = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
            .Select(name =>
            {
                using var stream = assembly.GetManifestResourceStream(name)!;
                var content = new byte[stream.Length];
                stream.ReadExactly(content);
                return Parse(name[Folder.Length..], content);
            })
            .OrderBy(migration => migration.Number)
            .ToList();
        var twice = found.GroupBy(migration => migration.Number).FirstOrDefault(group => group.Count() > 1);
        return twice is null ? found : throw new FormatException($"Two migrations have the number {twice.Key:0000}: {string.Join(", ", twice.Select(m => m.File))}.");
    }

    [GeneratedRegex("^(?<number>[0-9]{4})_(?<name>[a-z0-9_]+)\\.sql$", RegexOptions.ExplicitCapture)]
    private static partial Regex FileName();
}
