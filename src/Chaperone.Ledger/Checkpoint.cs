using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Chaperone.Ledger;

/// <summary>A tree head: which log, how many entries, which root (C2SP tlog-checkpoint). The origin is also the name of the log's key.</summary>
/// <param name="Origin">The log's name; a key name.</param>
/// <param name="Size">Number of entries, from 0.</param>
/// <param name="Root">Root of the tree of that size; <see cref="Merkle.EmptyRoot"/> for size 0.</param>
public sealed record Checkpoint(string Origin, long Size, Hash256 Root)
{
    /// <summary>The three lines that are signed. Extension lines are never written.</summary>
    public string ToText() => string.Create(CultureInfo.InvariantCulture, $"{Origin}\n{Size}\n{Root.ToBase64()}\n");

    /// <summary>Reads the text of a checkpoint. Extension lines of other logs are accepted and ignored; they must not be empty.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Checkpoint? checkpoint)
    {
        checkpoint = TryParseLines(text, out var origin, out var size, out var root) && (size != 0 || root == Merkle.EmptyRoot) ? new(origin, size, root) : null;
        return checkpoint is not null;
    }

    /// <summary>Signs the checkpoint. The signer's name must be the origin. Whoever calls this must have stored the tree first and must never sign two trees
    /// of which neither is a prefix of the other.</summary>
    /// <exception cref="ArgumentException">The signer has another name.</exception>
    public SignedNote Sign(NoteSigner signer)
    {
        if (signer.Key.Name != Origin) throw new ArgumentException("A checkpoint is signed by the key named as its origin.", nameof(signer));
        var text = ToText();
        return new(text, signer.Sign(text));
    }

    /// <summary>Reads a signed checkpoint that the key signed and whose origin is the key's name.</summary>
    /// <returns>False for a malformed note, a missing or wrong signature, another origin or a malformed text.</returns>
    public static bool TryOpen(ReadOnlySpan<byte> note, VerifierKey key, [NotNullWhen(true)] out Checkpoint? checkpoint)
    {
        checkpoint = null;
        return SignedNote.TryParse(note, out var signed) && TryOpen(signed, key, out checkpoint);
    }

    /// <summary>The same of a note that has been read.</summary>
    public static bool TryOpen(SignedNote note, VerifierKey key, [NotNullWhen(true)] out Checkpoint? checkpoint)
    {
        checkpoint = null;
        return note.IsSignedBy(key) && TryParse(note.Text, out checkpoint) && checkpoint.Origin == key.Name;
    }

    // Decimal without sign or leading zeros, as the specifications ask.
    internal static bool TryParseNumber(ReadOnlySpan<char> text, out long number)
    {
        number = 0;
        if (text.ContainsAnyExceptInRange('0', '9')) return false;   // the BCL forgives NULs at the end
        return !(text.Length > 1 && text[0] == '0') && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    // What the lines say, also where a tree of size 0 has a root that it cannot have: a witness answers that differently.
    internal static bool TryParseLines(string text, out string origin, out long size, out Hash256 root)
    {
        (origin, size, root) = ("", 0, default);
        if (!text.EndsWith('\n')) return false;
        var lines = text[..^1].Split('\n');
        if (lines.Length < 3 || Array.Exists(lines, line => line.Length == 0)) return false;
        origin = lines[0];
        return TryParseNumber(lines[1], out size) && Hash256.TryParseBase64(lines[2], out root);
    }
}
