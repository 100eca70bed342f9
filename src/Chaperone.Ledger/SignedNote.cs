using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Chaperone.Ledger;

/// <summary>One signature line: who, which key, and the bytes after the key id (64 for Ed25519; 8 of time and 64 for cosignature/v1).</summary>
public sealed record NoteSignature(string Name, uint KeyId, ReadOnlyMemory<byte> Signature)
{
    /// <summary>The line with its em dash, without LF.</summary>
    public override string ToString()
    {
        var bytes = new byte[4 + Signature.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, KeyId);
        Signature.Span.CopyTo(bytes.AsSpan(4));
        return $"\u2014 {Name} {Convert.ToBase64String(bytes)}";
    }

    /// <summary>Reads one signature line without LF, as witnesses answer it.</summary>
    public static bool TryParse(string line, [NotNullWhen(true)] out NoteSignature? signature)
    {
        signature = null;
        if (!line.StartsWith("\u2014 ", StringComparison.Ordinal)) return false;
        var space = line.IndexOf(' ', 2);
        if (space < 0 || !SignedNote.IsKeyName(line[2..space])) return false;
        if (!Base64Text.TryDecode(line.AsSpan(space + 1), out var bytes) || bytes.Length < 5) return false;
        signature = new(line[2..space], BinaryPrimitives.ReadUInt32BigEndian(bytes), bytes.AsMemory(4));
        return true;
    }
}

/// <summary>A text with signature lines under it (C2SP signed-note). Parsing proves nothing: ask <see cref="IsSignedBy"/>.</summary>
public sealed class SignedNote
{
    private const int MostSignatures = 100;
    private const int LongestNote = 1_000_000;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Composes a note.</summary>
    /// <exception cref="ArgumentException">The text does not end in LF or has control characters, or there is no signature.</exception>
    public SignedNote(string text, params IReadOnlyList<NoteSignature> signatures)
    {
        if (!IsNoteText(text)) throw new ArgumentException("A note's text ends in LF and has no other control characters.", nameof(text));
        if (signatures.Count is 0 or > MostSignatures) throw new ArgumentException("A note has 1 to 100 signatures.", nameof(signatures));
        Text = text;
        Signatures = signatures;
    }

    /// <summary>The signed text, with its last LF.</summary>
    public string Text { get; }

    /// <summary>Every signature line in order, of known keys and unknown.</summary>
    public IReadOnlyList<NoteSignature> Signatures { get; }

    /// <summary>Reads a note of at most 1 MB and 100 signatures. Strict: false for anything that is not a note to the letter.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out SignedNote? note)
    {
        note = null;
        if (bytes.Length > LongestNote) return false;
        var split = bytes.LastIndexOf("\n\n"u8);
        if (split < 0 || bytes[^1] != '\n' || split + 2 >= bytes.Length) return false;
        string text, rest;
        try
        {
            text = StrictUtf8.GetString(bytes[..(split + 1)]);
            rest = StrictUtf8.GetString(bytes[(split + 2)..^1]);
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
        if (!IsNoteText(text)) return false;
        var lines = rest.Split('\n', MostSignatures + 1);
        if (lines.Length > MostSignatures) return false;
        var signatures = new NoteSignature[lines.Length];
        for (var i = 0; i < lines.Length; i++)
        {
            if (!NoteSignature.TryParse(lines[i], out var signature)) return false;
            signatures[i] = signature;
        }
        note = new(text, signatures);
        return true;
    }

    /// <summary>The same text with more signatures under it.</summary>
    public SignedNote With(params IEnumerable<NoteSignature> more) => new(Text, [.. Signatures, .. more]);

    /// <summary>Whether the note carries the key's good Ed25519 signature. A bad signature under the key's name and id makes it false even beside a good one.</summary>
    public bool IsSignedBy(VerifierKey key)
    {
        var found = false;
        foreach (var signature in Signatures)
        {
            if (key.Type != SignatureType.Ed25519 || signature.Name != key.Name || signature.KeyId != key.KeyId) continue;
            if (!Ed25519.Verify(key.PublicKey, Encoding.UTF8.GetBytes(Text), signature.Signature.Span)) return false;
            found = true;
        }
        return found;
    }

    /// <summary>Whether the note carries a good cosignature/v1 of the witness's key (type 0x04), and the latest time at which it was made.</summary>
    public bool IsCosignedBy(VerifierKey witness, out DateTimeOffset time)
    {
        time = default;
        var found = false;
        foreach (var signature in Signatures)
        {
            if (witness.Type != SignatureType.CosignatureV1 || signature.Name != witness.Name || signature.KeyId != witness.KeyId) continue;
            var payload = signature.Signature.Span;
            if (payload.Length != 8 + Ed25519.SignatureSize) return false;
            var seconds = BinaryPrimitives.ReadInt64BigEndian(payload);
            if (seconds < 0 || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds()) return false;
            if (!Ed25519.Verify(witness.PublicKey, CosignatureMessage(seconds, Text), payload[8..])) return false;
            var made = DateTimeOffset.FromUnixTimeSeconds(seconds);
            if (!found || made > time) time = made;
            found = true;
        }
        return found;
    }

    /// <summary>The note as UTF-8, as it is published and parsed.</summary>
    public byte[] ToBytes() => Encoding.UTF8.GetBytes(ToString());

    /// <summary>The note as text.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Text).Append('\n');
        foreach (var signature in Signatures) text.Append(signature).Append('\n');
        return text.ToString();
    }

    internal static byte[] CosignatureMessage(long seconds, string text) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"cosignature/v1\ntime {seconds}\n{text}"));

    internal static bool IsNoteText(string text)
    {
        if (!text.EndsWith('\n')) return false;
        foreach (var c in text) if (c < ' ' && c != '\n') return false;
        return IsWellFormed(text);
    }

    internal static bool IsKeyName(string name)
    {
        if (name.Length == 0) return false;
        foreach (var c in name) if (c == '+' || c < ' ' || char.IsWhiteSpace(c)) return false;
        return IsWellFormed(name);
    }

    private static bool IsWellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 >= text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return false;
            i++;
        }
        return true;
    }
}
