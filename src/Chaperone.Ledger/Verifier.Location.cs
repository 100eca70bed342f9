using System.Text;

namespace Chaperone.Ledger;

public static partial class Verifier
{
    /// <summary>Verifies what stands at a place: a folder, a bundle's zip or an http(s) address. What both commands do.</summary>
    /// <param name="location">A path or an address.</param>
    /// <param name="keyFile">A file with the log's vkey, or null. Without it the key in the log is believed, then <c>&lt;path&gt;.vkey</c> beside it; the report says so.</param>
    /// <param name="checkpointFile">A file with an older signed checkpoint, or null.</param>
    /// <param name="cancel">Stops between batches.</param>
    public static VerificationReport VerifyAt(string location, string? keyFile, string? checkpointFile, CancellationToken cancel = default)
    {
        try
        {
            var options = new VerifyOptions
            {
                Key = keyFile is null ? null : ReadKey(keyFile),
                FoundKey = keyFile is null && File.Exists(Beside(location)) ? ReadKey(Beside(location)) : null,
                Older = checkpointFile is null ? (ReadOnlyMemory<byte>?)null : File.ReadAllBytes(checkpointFile),
            };
            if (Uri.TryCreate(location, UriKind.Absolute, out var address) && address.Scheme is "http" or "https")
            {
                using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
                using var server = new HttpLogSource(client, address);
                return Verify(server, location, options, cancel);
            }
            if (!Directory.Exists(location) && !File.Exists(location)) return Unread(location, "There is no such file or folder.");
            using var source = Directory.Exists(location) ? LogSource.Folder(location) : LogSource.Zip(File.OpenRead(location));
            return Verify(source, location, options, cancel);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or InvalidDataException or FormatException)
        {
            return Unread(location, unreadable.Message);
        }
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
