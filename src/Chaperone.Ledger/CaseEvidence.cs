using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Chaperone.Ledger;

/// <summary>An event of a case with its place in the log and the hashes that prove it there.</summary>
/// <param name="Index">Its place.</param>
/// <param name="Salt">Its 16 bytes.</param>
/// <param name="Line">The event's bytes as written, without LF.</param>
/// <param name="Hashes">The inclusion proof under the case's checkpoint.</param>
public sealed record CaseProof(long Index, ReadOnlyMemory<byte> Salt, ReadOnlyMemory<byte> Line, IReadOnlyList<Hash256> Hashes);

/// <summary>What a case's evidence is made of.</summary>
public sealed record CaseContents
{
    /// <summary>The one checkpoint that every proof is under, with its cosignatures.</summary>
    public required SignedNote CheckpointNote { get; init; }

    /// <summary>Signs the manifest: the log's own key, which also signed the checkpoint.</summary>
    public required NoteSigner Signer { get; init; }

    /// <summary>The tlog-policy, or null for a log without witnesses.</summary>
    public string? Policy { get; init; }

    /// <summary>When it is made.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>The chosen events whose bodies are there.</summary>
    public required IReadOnlyList<CaseProof> Events { get; init; }

    /// <summary>Chosen events whose bodies ended, and the event of expiry that names each.</summary>
    public IReadOnlyList<(long Index, long By)> Expired { get; init; } = [];

    /// <summary>Those events of expiry.</summary>
    public IReadOnlyList<CaseProof> Expiries { get; init; } = [];

    /// <summary>What people wrote about them: <see cref="CaseEvidence.Report"/> and <see cref="CaseEvidence.Data"/>. The manifest vouches for these files, not the tree.</summary>
    public required IReadOnlyList<(string Path, ReadOnlyMemory<byte> Bytes)> Papers { get; init; }
}

/// <summary>The evidence of an investigation: chosen events with their proofs under one checkpoint, and what people wrote about them, in one zip. <see cref="Verifier"/> checks it.</summary>
public static class CaseEvidence
{
    /// <summary>Which events, which files; <see cref="ManifestSignature"/> is the signed note over its hash.</summary>
    public const string Manifest = "evidence.json";

    /// <summary>Signed by the log's key.</summary>
    public const string ManifestSignature = "evidence.sig";

    /// <summary>The report for people.</summary>
    public const string Report = "report.pdf";

    /// <summary>The same for programs.</summary>
    public const string Data = "case.json";

    /// <summary>An event's line.</summary>
    public static string Event(long index) => string.Create(CultureInfo.InvariantCulture, $"events/{index}.json");

    /// <summary>Its proof, with the salt.</summary>
    public static string Proof(long index) => string.Create(CultureInfo.InvariantCulture, $"events/{index}.tlog-proof");

    /// <summary>The zip.</summary>
    public static byte[] Write(CaseContents contents)
    {
        var key = contents.Signer.Key;
        if (!Checkpoint.TryOpen(contents.CheckpointNote, key, out var head)) throw new InvalidDataException("The checkpoint is not signed by the key that is to sign the evidence.");
        (string Path, ReadOnlyMemory<byte> Bytes)[] listed =
        [
            (BundlePaths.Checkpoint, contents.CheckpointNote.ToBytes()), (BundlePaths.Key, Encoding.UTF8.GetBytes(key + "\n")), (BundlePaths.Policy, Encoding.UTF8.GetBytes(contents.Policy ?? WitnessPolicy.TextFor(key))),
            .. contents.Papers,
        ];
        var manifest = new CaseManifest(
            head, contents.Created, [.. contents.Events.Select(each => each.Index).Order()], [.. contents.Expired.OrderBy(each => each.Index)], [.. contents.Expiries.Select(each => each.Index).Order()],
            listed.ToDictionary(file => file.Path, file => Hash256.Of(file.Bytes.Span), StringComparer.Ordinal)).ToBytes();
        var text = CaseManifest.SignedText(head.Origin, manifest);
        var proofs = contents.Events.Concat(contents.Expiries).DistinctBy(each => each.Index).OrderBy(each => each.Index).SelectMany(each => new (string, ReadOnlyMemory<byte>)[]
        {
            (Event(each.Index), each.Line), (Proof(each.Index), new TlogProof(each.Index, each.Hashes, contents.CheckpointNote, each.Salt).ToBytes()),
        });
        return Evidence.Zip(contents.Created, [(Manifest, manifest), (ManifestSignature, new SignedNote(text, contents.Signer.Sign(text)).ToBytes()), .. listed, .. proofs]);
    }
}

/// <summary>What a case's evidence says of itself.</summary>
internal sealed record CaseManifest(
    Checkpoint Head, DateTimeOffset Created, IReadOnlyList<long> Events, IReadOnlyList<(long Index, long By)> Expired, IReadOnlyList<long> Expiries, IReadOnlyDictionary<string, Hash256> Files)
{
    private const string Format = "chaperone/case/v1";

    /// <summary>The files that the manifest must vouch for, as the tree does not.</summary>
    public static readonly string[] Listed = [BundlePaths.Checkpoint, BundlePaths.Key, BundlePaths.Policy, CaseEvidence.Report, CaseEvidence.Data];

    /// <summary>The text that is signed as a note. Its first line is no log's origin, and no bundle's, so it can pass for neither.</summary>
    public static string SignedText(string origin, ReadOnlySpan<byte> manifest) => $"chaperone/case-manifest/v1\n{origin}\n{Hash256.Of(manifest)}\n";

    public byte[] ToBytes() =>
    [
        .. JsonSerializer.SerializeToUtf8Bytes(new
        {
            format = Format, origin = Head.Origin, size = Head.Size, root = Head.Root.ToBase64(), created = Created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            events = Events, expired = Expired.Select(each => new { index = each.Index, by = each.By }), expiries = Expiries, sha256 = Files.ToDictionary(file => file.Key, file => file.Value.ToString()),
        }, Indented),
        (byte)'\n',
    ];

    /// <exception cref="FormatException">Not a manifest.</exception>
    public static CaseManifest Read(byte[] bytes)
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
                new(json.GetProperty("origin").GetString() ?? "", json.GetProperty("size").GetInt64(), root), json.GetProperty("created").GetDateTimeOffset(), Numbers(json.GetProperty("events")),
                [.. json.GetProperty("expired").EnumerateArray().Select(each => (each.GetProperty("index").GetInt64(), each.GetProperty("by").GetInt64()))], Numbers(json.GetProperty("expiries")), files);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException(broken.Message, broken);
        }
    }

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static long[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(number => number.GetInt64())];
}
