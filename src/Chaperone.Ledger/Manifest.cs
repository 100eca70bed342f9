using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Chaperone.Ledger;

/// <summary>What a bundle says of itself. Events, salts, entries and tiles need no hashes here: the tree proves each of them.</summary>
/// <param name="Head">The signed tree head that everything is proved against.</param>
/// <param name="From">First index in the bundle.</param>
/// <param name="To">End of the range, itself not in it.</param>
/// <param name="Created">When it was written.</param>
/// <param name="Events">Events present.</param>
/// <param name="Expired">Events whose bodies ended.</param>
/// <param name="Expiries">Indexes of the events of expiry that are added from outside the range.</param>
/// <param name="Files">Hashes of the files that the tree does not prove.</param>
internal sealed record Manifest(
    Checkpoint Head, long From, long To, DateTimeOffset Created, long Events, long Expired, IReadOnlyList<long> Expiries, IReadOnlyDictionary<string, Hash256> Files)
{
    private const string Format = "chaperone/bundle/v1";
    public static readonly string[] Listed = [BundlePaths.Checkpoint, BundlePaths.Key, BundlePaths.Policy];

    public byte[] ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("format", Format);
            json.WriteString("origin", Head.Origin);
            json.WriteNumber("size", Head.Size);
            json.WriteString("root", Head.Root.ToBase64());
            json.WriteNumber("from", From);
            json.WriteNumber("to", To);
            json.WriteString("created", Created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
            json.WriteNumber("events", Events);
            json.WriteNumber("expired", Expired);
            json.WriteStartArray("expiries");
            foreach (var index in Expiries) json.WriteNumberValue(index);
            json.WriteEndArray();
            json.WriteStartObject("sha256");
            foreach (var (path, hash) in Files) json.WriteString(path, hash.ToString());
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    /// <summary>The text that is signed as a note. Its first line is no log's origin, so it can never pass for a checkpoint.</summary>
    public static string SignedText(string origin, ReadOnlySpan<byte> manifest) => $"chaperone/bundle-manifest/v1\n{origin}\n{Hash256.Of(manifest)}\n";

    /// <exception cref="FormatException">Not a manifest.</exception>
    public static Manifest Read(byte[] bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var json = document.RootElement;
            if (json.GetProperty("format").GetString() != Format) throw new FormatException("its format is not " + Format);
            if (!Hash256.TryParseBase64(json.GetProperty("root").GetString(), out var root)) throw new FormatException("its root is not a hash");
            var files = new Dictionary<string, Hash256>(StringComparer.Ordinal);
            foreach (var file in json.GetProperty("sha256").EnumerateObject())
                files[file.Name] = Hash256.TryParseHex(file.Value.GetString(), out var hash) ? hash : throw new FormatException("a hash of it is none");
            return new(
                new(json.GetProperty("origin").GetString() ?? "", json.GetProperty("size").GetInt64(), root),
                json.GetProperty("from").GetInt64(), json.GetProperty("to").GetInt64(), json.GetProperty("created").GetDateTimeOffset(),
                json.GetProperty("events").GetInt64(), json.GetProperty("expired").GetInt64(),
                [.. json.GetProperty("expiries").EnumerateArray().Select(index => index.GetInt64())], files);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException(broken.Message, broken);
        }
    }
}
