namespace Chaperone.Ledger;

/// <summary>Names of the files in an export bundle.</summary>
public static class BundlePaths
{
    /// <summary>Counts, range and hashes.</summary>
    public const string Manifest = "manifest.json";

    /// <summary>The signed note over the manifest's hash.</summary>
    public const string ManifestSignature = "manifest.sig";

    /// <summary>The signed checkpoint.</summary>
    public const string Checkpoint = "checkpoint";

    /// <summary>The log's verifier key.</summary>
    public const string Key = "log.vkey";

    /// <summary>The tlog-policy: which witnesses must have cosigned.</summary>
    public const string Policy = "policy";

    /// <summary>Lines of the events whose entries are in bundle N.</summary>
    public static string Events(long tile) => $"events/{Number(tile)}.ndjson";

    /// <summary>Salts of the same events.</summary>
    public static string Salts(long tile) => $"salts/{Number(tile)}.bin";

    /// <summary>An event of expiry from outside the range: its line, its salt in base64, its inclusion proof in base64, a line each.</summary>
    public static string Expiry(long index) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"expiry/{index}.txt");

    private static string Number(long tile) => new TileAddress(Tiles.EntriesLevel, tile, Tiles.Width).Path["tile/entries/".Length..];
}
