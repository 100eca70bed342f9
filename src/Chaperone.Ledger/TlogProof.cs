using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Chaperone.Ledger;

/// <summary>A <c>.tlog-proof</c> file: that an entry stands at an index of a log, with the signed checkpoint that says so (C2SP tlog-proof, https://c2sp.org/tlog-proof).
/// It holds no entry: whoever checks it must have that, or what it was made of.</summary>
/// <remarks>Reading proves nothing: ask <see cref="Shows"/>. In Chaperone's files the extra data is the event's salt (16 bytes), without which the entry cannot be made from the event; nothing
/// vouches for it but that it leads to the entry.</remarks>
public sealed class TlogProof
{
    /// <summary>What every such file begins with.</summary>
    public const string FirstLine = "c2sp.org/tlog-proof@v1";

    private const int MostHashes = 63;
    private const int LongestFile = 1_100_000;

    /// <summary>Composes a proof; it need not be right.</summary>
    /// <exception cref="ArgumentException">A negative index, or more than 63 hashes.</exception>
    public TlogProof(long index, IReadOnlyList<Hash256> hashes, SignedNote note, ReadOnlyMemory<byte> extra = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        if (hashes.Count > MostHashes) throw new ArgumentException("An inclusion proof has at most 63 hashes.", nameof(hashes));
        (Index, Hashes, Note, Extra) = (index, hashes, note, extra);
    }

    /// <summary>Where the entry stands, from 0.</summary>
    public long Index { get; }

    /// <summary>The inclusion proof, leaf side first (<see cref="Merkle.InclusionProof"/>).</summary>
    public IReadOnlyList<Hash256> Hashes { get; }

    /// <summary>The signed checkpoint, with its cosignatures.</summary>
    public SignedNote Note { get; }

    /// <summary>What the application put in beside, unauthenticated; empty when there is none.</summary>
    public ReadOnlyMemory<byte> Extra { get; }

    /// <summary>Reads a file of at most 1.1 MB. Strict: every file that is read is written again by <see cref="ToBytes"/> byte for byte. Never throws.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out TlogProof? proof)
    {
        proof = null;
        if (bytes.Length > LongestFile || bytes.IndexOf("\n\n"u8) is var split && split < 0) return false;
        if (bytes[..split].ContainsAnyExceptInRange((byte)0, (byte)0x7F) || !SignedNote.TryParse(bytes[(split + 2)..], out var note)) return false;
        var lines = Encoding.ASCII.GetString(bytes[..split]).Split('\n', MostHashes + 4);
        if (lines[0] != FirstLine) return false;
        var at = 1;
        byte[] extra = [];
        if (lines.Length > at && lines[at].StartsWith("extra ", StringComparison.Ordinal) && (!Base64Text.TryDecode(lines[at++].AsSpan(6), out extra) || extra.Length == 0)) return false;
        if (lines.Length <= at || !lines[at].StartsWith("index ", StringComparison.Ordinal) || !Checkpoint.TryParseNumber(lines[at++].AsSpan(6), out var index)) return false;
        if (lines.Length - at > MostHashes) return false;
        var hashes = new Hash256[lines.Length - at];
        for (var i = 0; i < hashes.Length; i++) if (!Hash256.TryParseBase64(lines[at + i], out hashes[i])) return false;
        proof = new(index, hashes, note, extra);
        return true;
    }

    /// <summary>Whether it shows that the leaf stands at the index of the log whose key is given, under a checkpoint that as many witnesses cosigned as the policy asks. Never throws.</summary>
    /// <param name="leaf">Hash of the entry (<see cref="Merkle.LeafHash"/>).</param>
    /// <param name="log">The log's key, from somewhere trusted. Its name is the origin.</param>
    /// <param name="policy">Null where no witness is asked for.</param>
    public bool Shows(Hash256 leaf, VerifierKey log, WitnessPolicy? policy = null) =>
        Checkpoint.TryOpen(Note, log, out var head) && Merkle.VerifyInclusion(leaf, Index, head.Size, [.. Hashes], head.Root) && policy?.IsSatisfiedBy(Note) != false;

    /// <summary>The file.</summary>
    public byte[] ToBytes() => Encoding.UTF8.GetBytes(ToString());

    /// <summary>The file as text.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(FirstLine).Append('\n');
        if (!Extra.IsEmpty) text.Append("extra ").Append(Convert.ToBase64String(Extra.Span)).Append('\n');
        text.Append(CultureInfo.InvariantCulture, $"index {Index}\n");
        foreach (var hash in Hashes) text.Append(hash.ToBase64()).Append('\n');
        return text.Append('\n').Append(Note).ToString();
    }
}
