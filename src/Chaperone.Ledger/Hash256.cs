using System.Runtime.InteropServices;

namespace Chaperone.Ledger;

/// <summary>A SHA-256 value: a leaf, a node, a root or a record digest. 32 bytes, compared byte by byte.</summary>
/// <remarks>A value, not a secret: equality is not constant-time. The default value is 32 zero bytes, which is no hash of anything.</remarks>
[StructLayout(LayoutKind.Sequential)]
public readonly struct Hash256 : IEquatable<Hash256>
{
    /// <summary>Bytes in a hash.</summary>
    public const int Size = 32;

    private readonly ulong a, b, c, d;

    /// <summary>Takes the 32 bytes as they are.</summary>
    /// <exception cref="ArgumentException">Not exactly 32 bytes.</exception>
    public Hash256(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size) throw new ArgumentException("A SHA-256 value has 32 bytes.", nameof(bytes));
        this = MemoryMarshal.Read<Hash256>(bytes);
    }

    /// <summary>SHA-256 of the bytes, without any prefix.</summary>
    public static Hash256 Of(ReadOnlySpan<byte> data)
    {
        Span<byte> hash = stackalloc byte[Size];
        Sha256.Hash(data, hash);
        return new(hash);
    }

    /// <summary>Reads 64 hexadecimal digits of either case.</summary>
    public static bool TryParseHex(ReadOnlySpan<char> hex, out Hash256 hash)
    {
        Span<byte> bytes = stackalloc byte[Size];
        var good = hex.Length == 2 * Size && Convert.FromHexString(hex, bytes, out _, out var written) == System.Buffers.OperationStatus.Done && written == Size;
        hash = good ? new(bytes) : default;
        return good;
    }

    /// <summary>Reads canonical base64 of 32 bytes, as checkpoints and proofs carry it.</summary>
    public static bool TryParseBase64(ReadOnlySpan<char> base64, out Hash256 hash)
    {
        hash = default;
        if (!Base64Text.TryDecode(base64, out var bytes) || bytes.Length != Size) return false;
        hash = new(bytes);
        return true;
    }

    /// <summary>Writes the 32 bytes at the start of <paramref name="destination"/>, which must be long enough.</summary>
    public void CopyTo(Span<byte> destination) => MemoryMarshal.Write(destination, in this);

    /// <summary>The 32 bytes as a new array.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>Base64 with padding, the form of checkpoints and proofs.</summary>
    public string ToBase64() => Convert.ToBase64String(ToArray());

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(ToArray());

    /// <inheritdoc/>
    public bool Equals(Hash256 other) => a == other.a && b == other.b && c == other.c && d == other.d;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Hash256 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => a.GetHashCode();

    /// <summary>Same 32 bytes.</summary>
    public static bool operator ==(Hash256 left, Hash256 right) => left.Equals(right);

    /// <summary>Different bytes.</summary>
    public static bool operator !=(Hash256 left, Hash256 right) => !left.Equals(right);
}
