using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Chaperone.Ledger;

/// <summary>What a signature line of a note is: the type byte that goes into the key id (C2SP signed-note).</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1027", Justification = "type bytes of the specification, not flags")]
public enum SignatureType : byte
{
    /// <summary>Ed25519 over the note's text.</summary>
    Ed25519 = 0x01,

    /// <summary>A witness's timestamped cosignature/v1 (C2SP tlog-cosignature).</summary>
    CosignatureV1 = 0x04,
}

/// <summary>A public key with a name, in the vkey form <c>name+hexid+base64(type || key)</c> (C2SP signed-note). For a log the name is its origin.</summary>
public sealed class VerifierKey : IEquatable<VerifierKey>
{
    private readonly byte[] publicKey;

    /// <summary>Names a key.</summary>
    /// <exception cref="ArgumentException">The name is empty or has white space or <c>+</c>, or the key has not 32 bytes.</exception>
    public VerifierKey(string name, ReadOnlySpan<byte> publicKey, SignatureType type = SignatureType.Ed25519)
    {
        if (!SignedNote.IsKeyName(name)) throw new ArgumentException("A key name has no white space and no '+'.", nameof(name));
        if (publicKey.Length != Ed25519.PublicKeySize) throw new ArgumentException("An Ed25519 public key has 32 bytes.", nameof(publicKey));
        Name = name;
        Type = type;
        this.publicKey = publicKey.ToArray();
        KeyId = ComputeKeyId(name, type, publicKey);
    }

    /// <summary>The key's name as it stands on signature lines.</summary>
    public string Name { get; }

    /// <summary>Which kind of signature the key makes.</summary>
    public SignatureType Type { get; }

    /// <summary>First four bytes, big endian, of SHA-256(name || 0x0A || type || key).</summary>
    public uint KeyId { get; }

    /// <summary>The 32 bytes of the public key.</summary>
    public ReadOnlySpan<byte> PublicKey => publicKey;

    /// <summary>Reads a vkey; one LF or CRLF after it is forgiven, as key files end in one.</summary>
    /// <returns>False for anything else than a well-formed Ed25519 or cosignature/v1 key whose id is right.</returns>
    public static bool TryParse(string? text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out VerifierKey? key)
    {
        key = null;
        if (text is null) return false;
        if (text.EndsWith('\n')) text = text[..^1];
        if (text.EndsWith('\r')) text = text[..^1];
        var parts = text.Split('+', 3);   // base64 may hold '+' itself
        if (parts.Length != 3 || !SignedNote.IsKeyName(parts[0])) return false;
        if (parts[1].Length != 8 || !uint.TryParse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id)) return false;
        if (!Base64Text.TryDecode(parts[2], out var bytes) || bytes.Length != 1 + Ed25519.PublicKeySize) return false;
        var type = (SignatureType)bytes[0];
        if (type is not (SignatureType.Ed25519 or SignatureType.CosignatureV1)) return false;
        if (ComputeKeyId(parts[0], type, bytes.AsSpan(1)) != id) return false;
        key = new(parts[0], bytes.AsSpan(1), type);
        return true;
    }

    /// <summary>Reads a vkey.</summary>
    /// <exception cref="FormatException">It is not one.</exception>
    public static VerifierKey Parse(string text) =>
        TryParse(text, out var key) ? key : throw new FormatException("Not a verifier key: expected name+8 hex digits+base64 of an Ed25519 key, with the right key id.");

    /// <summary>The vkey form.</summary>
    public override string ToString() => $"{Name}+{KeyId:x8}+{Convert.ToBase64String([(byte)Type, .. publicKey])}";

    /// <inheritdoc/>
    public bool Equals(VerifierKey? other) => other is not null && Name == other.Name && Type == other.Type && PublicKey.SequenceEqual(other.PublicKey);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as VerifierKey);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)KeyId;

    internal static uint ComputeKeyId(string name, SignatureType type, ReadOnlySpan<byte> publicKey)
    {
        Span<byte> hash = stackalloc byte[Hash256.Size];
        Sha256.Hash(Encoding.UTF8.GetBytes(name), [(byte)'\n', (byte)type], publicKey, hash);
        return BinaryPrimitives.ReadUInt32BigEndian(hash);
    }
}
