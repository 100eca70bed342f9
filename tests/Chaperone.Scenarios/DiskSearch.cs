using System.Text;

namespace Chaperone.Scenarios;

/// <summary>Looks for words in files byte by byte, however they may be spelt there.</summary>
internal sealed class DiskSearch
{
    private const int Chunk = 4 * 1024 * 1024;

    private readonly List<(string What, byte[] Bytes)> patterns = [];
    private readonly int longest;

    public DiskSearch(IEnumerable<string> words)
    {
        foreach (var word in words)
        {
            foreach (var spelt in new[] { word, word.ToLowerInvariant(), word.ToUpperInvariant() }.Distinct())
            {
                Add($"{spelt} in UTF-8", Encoding.UTF8.GetBytes(spelt));
                Add($"{spelt} in UTF-16", Encoding.Unicode.GetBytes(spelt));
                Add($"{spelt} in big-endian UTF-16", Encoding.BigEndianUnicode.GetBytes(spelt));
                Add($"{spelt} in hexadecimal", Encoding.ASCII.GetBytes(Convert.ToHexStringLower(Encoding.UTF8.GetBytes(spelt))));
                Add($"{spelt} in capital hexadecimal", Encoding.ASCII.GetBytes(Convert.ToHexString(Encoding.UTF8.GetBytes(spelt))));
                for (var offset = 0; offset < 3; offset++) Add($"{spelt} in base64 at {offset}", Base64(spelt, offset));
            }
        }
        longest = patterns.Max(pattern => pattern.Bytes.Length);
    }

    /// <summary>Every hit: file and spelling. Files that vanish or may not be read are passed over.</summary>
    public IReadOnlyList<string> Search(IEnumerable<string> files) => [.. files.SelectMany(Search)];

    public IReadOnlyList<string> Search(string file)
    {
        var hits = new List<string>();
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var buffer = new byte[Chunk + longest];
            for (int kept = 0, read; (read = stream.ReadAtLeast(buffer.AsSpan(kept, Chunk), Chunk, throwOnEndOfStream: false)) > 0;)
            {
                var filled = buffer.AsSpan(0, kept + read);
                foreach (var (what, bytes) in patterns)
                    if (filled.IndexOf(bytes) >= 0) hits.Add($"{file}: {what}");
                kept = Math.Min(longest - 1, filled.Length);
                filled[^kept..].CopyTo(buffer);
            }
        }
        catch (Exception passed) when (passed is IOException or UnauthorizedAccessException)
        {
            // Sockets, files removed meanwhile: nothing of ours stays in them.
        }
        return [.. hits.Distinct()];
    }

    public IReadOnlyList<string> SearchText(IEnumerable<string> lines)
    {
        var text = Encoding.UTF8.GetBytes(string.Join('\n', lines));
        return [.. patterns.Where(pattern => text.AsSpan().IndexOf(pattern.Bytes) >= 0).Select(pattern => pattern.What)];
    }

    /// <summary>Regular files below a folder, links not followed, pipes (which are empty, and would wait for a writer) not opened; only those changed since <paramref name="since"/> when it is given.</summary>
    public static IEnumerable<string> Files(string folder, DateTimeOffset? since = null)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Device };
        return Directory.Exists(folder)
            ? new DirectoryInfo(folder).EnumerateFiles("*", options).Where(file => IsWanted(file, since)).Select(file => file.FullName)
            : [];
    }

    private static bool IsWanted(FileInfo file, DateTimeOffset? since)
    {
        try
        {
            return file.Length > 0 && (since is null || file.LastWriteTimeUtc >= since.Value.UtcDateTime);
        }
        catch (FileNotFoundException)
        {
            return false;   // gone since the folder was read
        }
    }

    // The letters that stand whatever comes before and after the word.
    private static byte[] Base64(string word, int offset)
    {
        var text = Convert.ToBase64String([.. new byte[offset], .. Encoding.UTF8.GetBytes(word)]).TrimEnd('=');
        var skip = offset == 0 ? 0 : offset + 1;
        return Encoding.ASCII.GetBytes(text[skip..^1]);
    }

    private void Add(string what, byte[] bytes) => patterns.Add((what, bytes));
}
