using System.Buffers.Binary;
using System.Text;

namespace Chaperone.Ledger;

/// <summary>Signs notes with one named Ed25519 key. Holds the seed in memory: dispose it, which zeroes its copy.</summary>
public sealed class NoteSigner : IDisposable
{
    private readonly byte[] seed;

    /// <summary>Takes a copy of the seed.</summary>
    /// <exception cref="ArgumentException">The name is not a key name (see <see cref="VerifierKey"/>), or the seed has not 32 bytes.</exception>
    public NoteSigner(string name, ReadOnlySpan<byte> seed)
    {
        Key = new(name, Ed25519.PublicKey(seed));
        this.seed = seed.ToArray();
    }

    /// <summary>The public half.</summary>
    public VerifierKey Key { get; }

    /// <summary>The signature line over a note's text.</summary>
    /// <exception cref="ArgumentException">The text is not the text of a note: it must end in LF and hold no control characters but LF.</exception>
    public NoteSignature Sign(string text)
    {
        if (!SignedNote.IsNoteText(text)) throw new ArgumentException("A note's text ends in LF and has no other control characters.", nameof(text));
        return new(Key.Name, Key.KeyId, Ed25519.Sign(seed, Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>A witness's cosignature/v1 line over a note's text, at a time in whole seconds. The key id is that of the type 0x04 key.</summary>
    /// <exception cref="ArgumentException">The text is not the text of a note.</exception>
    public NoteSignature Cosign(string text, DateTimeOffset time)
    {
        if (!SignedNote.IsNoteText(text)) throw new ArgumentException("A note's text ends in LF and has no other control characters.", nameof(text));
        var seconds = time.ToUnixTimeSeconds();
        var payload = new byte[8 + Ed25519.SignatureSize];
        BinaryPrimitives.WriteInt64BigEndian(payload, seconds);
        Ed25519.Sign(seed, SignedNote.CosignatureMessage(seconds, text)).CopyTo(payload, 8);
        return new(Key.Name, VerifierKey.ComputeKeyId(Key.Name, SignatureType.CosignatureV1, Key.PublicKey), payload);
    }

    /// <summary>Zeroes the seed.</summary>
    public void Dispose() => System.Security.Cryptography.CryptographicOperations.ZeroMemory(seed);
}
