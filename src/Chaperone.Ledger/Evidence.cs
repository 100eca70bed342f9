using System.IO.Compression;
using System.Text;

namespace Chaperone.Ledger;

/// <summary>Files to hand to somebody outside: that one event stands in the log, or that the log continues an older checkpoint. A zip, or the same files in a folder; each is verified by <see cref="Verifier"/>.</summary>
/// <remarks>An event's evidence is <see cref="Event"/> (the exact line, without LF) and <see cref="Proof"/> (with the salt as extra data); evidence of consistency is <see cref="Older"/> and
/// <see cref="Consistency"/>. Both have <see cref="BundlePaths.Key"/>, the first also <see cref="BundlePaths.Policy"/>: for whoever has neither from elsewhere, and believed as far as the report says.</remarks>
public static class Evidence
{
    /// <summary>The event's bytes as written.</summary>
    public const string Event = "event.json";

    /// <summary>The proof; see <see cref="TlogProof"/>.</summary>
    public const string Proof = "event" + ProofExtension;

    /// <summary>The older signed checkpoint.</summary>
    public const string Older = "checkpoint.old";

    /// <summary>The newer one and what shows that it continues the older: as a witness would be asked (<see cref="WitnessRequest"/>).</summary>
    public const string Consistency = "checkpoint.consistency";

    internal const string ProofExtension = ".tlog-proof";

    /// <summary>The zip for one event.</summary>
    /// <param name="proof">With the salt as its extra data.</param>
    /// <param name="line">The event's bytes as written, without LF.</param>
    /// <param name="log">The log's key.</param>
    /// <param name="policy">The tlog-policy, or null for a log without witnesses.</param>
    /// <param name="made">When.</param>
    public static byte[] OfEvent(TlogProof proof, ReadOnlyMemory<byte> line, VerifierKey log, string? policy, DateTimeOffset made) => Zip(
        made, (Event, line), (Proof, proof.ToBytes()), (BundlePaths.Key, Encoding.UTF8.GetBytes(log + "\n")), (BundlePaths.Policy, Encoding.UTF8.GetBytes(policy ?? WitnessPolicy.TextFor(log))));

    /// <summary>The zip for two checkpoints.</summary>
    /// <param name="older">The older one, as it was signed.</param>
    /// <param name="proof">From it to the newer.</param>
    /// <param name="log">The log's key.</param>
    /// <param name="made">When.</param>
    public static byte[] OfConsistency(SignedNote older, WitnessRequest proof, VerifierKey log, DateTimeOffset made) => Zip(
        made, (Older, older.ToBytes()), (Consistency, proof.ToBytes()), (BundlePaths.Key, Encoding.UTF8.GetBytes(log + "\n")));

    /// <summary>Whether the proof shows that the log of this key, as its newer checkpoint has it, begins with the older tree. Never throws. Whether the older checkpoint is signed is for the caller to see to.</summary>
    public static bool Continues(WitnessRequest proof, Checkpoint older, VerifierKey log) =>
        older.Size == proof.OldSize && older.Origin == log.Name && Checkpoint.TryOpen(proof.Note, log, out var head)
        && Merkle.VerifyConsistency(older.Size, older.Root, head.Size, head.Root, [.. proof.Proof]);

    internal static byte[] Zip(DateTimeOffset made, params ReadOnlySpan<(string Path, ReadOnlyMemory<byte> Bytes)> files)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (path, content) in files)
            {
                var entry = zip.CreateEntry(path, CompressionLevel.Fastest);
                entry.LastWriteTime = made;
                using var file = entry.Open();
                file.Write(content.Span);
            }
        }
        return bytes.ToArray();
    }
}
