using System.Text;

namespace Chaperone.Ledger;

/// <summary>Files that go with what is verified; each may be null.</summary>
/// <param name="Key">The log's vkey. Without it the key in the log is believed, then <c>&lt;path&gt;.vkey</c> beside it; the report says so.</param>
/// <param name="Checkpoint">An older signed checkpoint that the log must continue.</param>
/// <param name="Event">For a single <c>.tlog-proof</c>: the event's exact line; without it the file of that name that ends in <c>.json</c>.</param>
/// <param name="Token">For an address: what is sent as bearer token, on the file's first line.</param>
public sealed record VerifyFiles(string? Key = null, string? Checkpoint = null, string? Event = null, string? Token = null);

public static partial class Verifier
{
    /// <summary>Verifies what stands at a place: a folder, the zip of a bundle or of evidence, a <c>.tlog-proof</c>, the <c>.json</c> of a report on who looked, or an http(s) address. What both commands do.</summary>
    /// <param name="location">A path or an address.</param>
    /// <param name="files">What to hold it against.</param>
    /// <param name="cancel">Stops between batches.</param>
    /// <param name="progress">Is told how far it is: entries done, of so many.</param>
    public static VerificationReport VerifyAt(string location, VerifyFiles files, Action<long, long>? progress = null, CancellationToken cancel = default)
    {
        try
        {
            var options = new VerifyOptions
            {
                Key = files.Key is null ? null : ReadKey(files.Key),
                FoundKey = files.Key is null && File.Exists(Beside(location)) ? ReadKey(Beside(location)) : null,
                Older = files.Checkpoint is null ? (ReadOnlyMemory<byte>?)null : CheckpointInText.Find(File.ReadAllBytes(files.Checkpoint)),
                Progress = progress,
            };
            if (Uri.TryCreate(location, UriKind.Absolute, out var address) && address.Scheme is "http" or "https")
            {
                using var handler = new SocketsHttpHandler { AllowAutoRedirect = files.Token is null };   // a token is for this address alone
                using var client = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(30) };
                if (files.Token is not null) client.DefaultRequestHeaders.Authorization = new("Bearer", ReadToken(files.Token));
                using var server = new HttpLogSource(client, address);
                return Verify(server, location, options, cancel);
            }
            if (!Directory.Exists(location) && !File.Exists(location)) return Unread(location, "There is no such file or folder.");
            if (location.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && File.Exists(location))
            {
                var report = new VerificationReport { Subject = location };
                AccessReportFile.Verify(File.ReadAllBytes(location), report, options);
                return report;
            }
            using var source = Directory.Exists(location) ? LogSource.Folder(location)
                : location.EndsWith(Evidence.ProofExtension, StringComparison.Ordinal) ? ProofAndEvent(location, files.Event)
                : LogSource.Zip(File.OpenRead(location));
            return Verify(source, location, options, cancel);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or InvalidDataException or FormatException)
        {
            return Unread(location, unreadable.Message);
        }
    }

    // As evidence is unpacked: the key lies beside the proof, and is read as part of it.
    private static LogSource ProofAndEvent(string proof, string? line)
    {
        var found = new Dictionary<string, byte[]>(StringComparer.Ordinal) { [Evidence.Proof] = ReadSmall(proof) };
        line ??= Path.ChangeExtension(proof, ".json");
        if (File.Exists(line)) found[Evidence.Event] = ReadSmall(line);
        foreach (var name in (string[])[BundlePaths.Key, BundlePaths.Policy])
            if (Path.Combine(Path.GetDirectoryName(Path.GetFullPath(proof))!, name) is var beside && File.Exists(beside)) found[name] = ReadSmall(beside);
        return LogSource.Of(found);
    }

    private static byte[] ReadSmall(string file) => new FileInfo(file).Length <= 16 * 1024 * 1024 ? File.ReadAllBytes(file) : throw new InvalidDataException($"{file} is too large to be evidence.");

    private static string ReadToken(string file)
    {
        var token = (File.ReadLines(file).FirstOrDefault() ?? "").Trim();
        return token.Length > 0 && !token.AsSpan().ContainsAnyExceptInRange('!', '~') ? token : throw new FormatException($"{file} holds no token.");
    }

    private static string Beside(string location) => location.TrimEnd('/') + ".vkey";

    private static VerifierKey ReadKey(string file) =>
        VerifierKey.TryParse(Encoding.UTF8.GetString(File.ReadAllBytes(file)), out var key) ? key : throw new FormatException($"{file} is not a verifier key.");

    private static VerificationReport Unread(string location, string why)
    {
        var report = new VerificationReport { Subject = location };
        report.CannotCheck(why);
        return report;
    }
}
