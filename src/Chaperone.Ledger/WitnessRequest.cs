using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Chaperone.Ledger;

/// <summary>What a log asks a witness: to cosign a checkpoint, given a proof that it continues the one the witness cosigned last (C2SP tlog-witness, <c>add-checkpoint</c>).</summary>
/// <param name="OldSize">Size of the checkpoint that the witness is believed to have cosigned last; 0 for none.</param>
/// <param name="Proof">Consistency proof from the old size to the checkpoint's; at most <see cref="MostProofLines"/> hashes, none when either is trivial.</param>
/// <param name="Note">The signed checkpoint. Parsing proves nothing of it: ask <see cref="WitnessRules.Judge"/>.</param>
public sealed record WitnessRequest(long OldSize, IReadOnlyList<Hash256> Proof, SignedNote Note)
{
    /// <summary>No tree has a longer proof.</summary>
    public const int MostProofLines = 63;

    /// <summary>Bytes of the largest request that we make or take: far more than 63 proof lines and a checkpoint with many signatures have.</summary>
    public const int LongestBody = 64 * 1024;

    /// <summary>Reads a request's body. Strict: false for anything that is not one to the letter.</summary>
    public static bool TryParse(ReadOnlySpan<byte> body, [NotNullWhen(true)] out WitnessRequest? request)
    {
        request = null;
        if (body.Length > LongestBody) return false;
        var end = body.IndexOf("\n\n"u8);
        if (end < 0) return false;
        var lines = Encoding.Latin1.GetString(body[..end]).Split('\n', MostProofLines + 2);
        if (lines.Length > MostProofLines + 1 || !lines[0].StartsWith("old ", StringComparison.Ordinal) || !Checkpoint.TryParseNumber(lines[0].AsSpan(4), out var old)) return false;
        var proof = new Hash256[lines.Length - 1];
        for (var i = 0; i < proof.Length; i++)
            if (!Hash256.TryParseBase64(lines[i + 1], out proof[i])) return false;
        if (!SignedNote.TryParse(body[(end + 2)..], out var note)) return false;
        request = new(old, proof, note);
        return true;
    }

    /// <summary>The body as it is sent.</summary>
    public byte[] ToBytes()
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"old {OldSize}\n");
        foreach (var hash in Proof) text.Append(hash.ToBase64()).Append('\n');
        return Encoding.UTF8.GetBytes(text.Append('\n').Append(Note).ToString());
    }
}

/// <summary>What a witness makes of a request: the HTTP status that it answers.</summary>
[SuppressMessage("Design", "CA1008", Justification = "HTTP statuses: there is none of value 0")]
public enum WitnessVerdict
{
    /// <summary>The checkpoint continues the last one: to be recorded, then cosigned.</summary>
    Cosign = 200,

    /// <summary>Not a request, or its old size is above its checkpoint's.</summary>
    Malformed = 400,

    /// <summary>No key that is trusted for this origin signed it, or a signature under such a key's name is wrong.</summary>
    BadSignature = 403,

    /// <summary>The witness does not know this log.</summary>
    UnknownLog = 404,

    /// <summary>The old size is not that of the checkpoint cosigned last; the answer holds that size.</summary>
    Conflict = 409,

    /// <summary>The checkpoint is signed by the log and does not continue the last one, or the proof does not show that it does. The log forked, or lost its tail.</summary>
    Inconsistent = 422,
}

/// <summary>The rules of a witness, without storage, clock or network (C2SP tlog-witness).</summary>
public static class WitnessRules
{
    /// <summary>What is appended to a witness's submission prefix.</summary>
    public const string Path = "add-checkpoint";

    /// <summary>Content type of the answer that holds a size.</summary>
    public const string SizeType = "text/x.tlog.size";

    /// <summary>Decides. Whoever acts on <see cref="WitnessVerdict.Cosign"/> must have recorded the checkpoint for good before the cosignature leaves, and must not judge another request for this log in between.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="keys">The keys trusted for the checkpoint's origin (<see cref="OriginOf"/>); none for a log that is not known.</param>
    /// <param name="latest">The checkpoint cosigned last for this origin, or null.</param>
    public static WitnessVerdict Judge(WitnessRequest request, IReadOnlyList<VerifierKey> keys, Checkpoint? latest)
    {
        if (!Checkpoint.TryParseLines(request.Note.Text, out var origin, out var size, out var root)) return WitnessVerdict.Malformed;
        if (keys.Count == 0 || keys.Any(key => key.Name != origin)) return WitnessVerdict.UnknownLog;
        if (!IsSignedByOneOf(request.Note, keys)) return WitnessVerdict.BadSignature;
        if (request.OldSize > size) return WitnessVerdict.Malformed;
        if (request.OldSize != (latest?.Size ?? 0)) return WitnessVerdict.Conflict;
        if (size == 0 && root != Merkle.EmptyRoot) return WitnessVerdict.Inconsistent;
        return Merkle.VerifyConsistency(request.OldSize, latest?.Root ?? Merkle.EmptyRoot, size, root, [.. request.Proof]) ? WitnessVerdict.Cosign : WitnessVerdict.Inconsistent;
    }

    /// <summary>The origin that a request names: its note's first line. Nothing vouches for it.</summary>
    public static string OriginOf(WitnessRequest request) => request.Note.Text[..request.Note.Text.IndexOf('\n', StringComparison.Ordinal)];

    /// <summary>Reads the size out of the answer to a conflict: a decimal and LF, nothing else.</summary>
    public static bool TryReadSize(ReadOnlySpan<byte> body, out long size)
    {
        size = 0;
        return body.Length is > 1 and <= 20 && body[^1] == '\n' && Checkpoint.TryParseNumber(Encoding.Latin1.GetString(body[..^1]), out size);
    }

    /// <summary>Finds the witness's good cosignature over a note in what the witness answered. Lines of other keys are ignored; null when there is none that is good.</summary>
    /// <param name="body">The answer: signature lines.</param>
    /// <param name="note">What was asked to be cosigned.</param>
    /// <param name="witness">The witness's key, of type <see cref="SignatureType.CosignatureV1"/>.</param>
    public static NoteSignature? FindCosignature(ReadOnlySpan<byte> body, SignedNote note, VerifierKey witness)
    {
        // As the specification proposes: the lines under the note's text are a note, or they are no answer.
        if (body.Length > WitnessRequest.LongestBody || !SignedNote.TryParse([.. Encoding.UTF8.GetBytes(note.Text), (byte)'\n', .. body], out var answer) || answer.Text != note.Text) return null;
        return answer.IsCosignedBy(witness, out _) ? answer.Signatures.First(line => line.Name == witness.Name && line.KeyId == witness.KeyId) : null;
    }

    private static bool IsSignedByOneOf(SignedNote note, IReadOnlyList<VerifierKey> keys)
    {
        var signed = false;
        foreach (var key in keys)
        {
            if (note.IsSignedBy(key)) signed = true;
            else if (note.Signatures.Any(line => line.Name == key.Name && line.KeyId == key.KeyId)) return false;
        }
        return signed;
    }
}
