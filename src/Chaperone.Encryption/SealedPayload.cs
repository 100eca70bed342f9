using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Chaperone.Encryption;

/// <summary>Where a payload lives; bound into it, so that it opens nowhere else.</summary>
/// <param name="Tenant">The clinic; all zeros for what belongs to the installation.</param>
/// <param name="Table">The table's name, 1 to 128 bytes.</param>
/// <param name="RowId">The row.</param>
/// <param name="RowVersion">The row's version at which it was sealed. Re-sealing under another key keeps it.</param>
public readonly record struct SealContext(Guid Tenant, string Table, Guid RowId, long RowVersion);

/// <summary>
/// A row's personal data as it lies on disk: <c>0x01 || key version (4, big-endian) || IV (12, random) || ciphertext || tag (16)</c>, AES-256-GCM (NIST SP 800-38D).
/// Associated data, each field length-prefixed: format, tenant, table, row id, row version, key id.
/// </summary>
public static class SealedPayload
{
    /// <summary>Bytes a payload has more than its plain text.</summary>
    public const int Overhead = HeaderLength + DataKey.IvLength + DataKey.TagLength;

    private const byte Format = 0x01;
    private const int HeaderLength = 5;

    /// <summary>Seals; never twice the same bytes.</summary>
    /// <exception cref="ObjectDisposedException">The key was zeroed.</exception>
    /// <exception cref="InvalidOperationException">The key has sealed <see cref="DataKey.MostMessages"/>.</exception>
    public static byte[] Seal(ReadOnlySpan<byte> plain, DataKey key, in SealContext ctx)
    {
        var payload = GC.AllocateUninitializedArray<byte>(checked(Overhead + plain.Length));
        var associatedData = new AssociatedData(stackalloc byte[AssociatedData.LongestLength]);
        Describe(ref associatedData, key, ctx);
        WriteSealed(payload, plain, key, associatedData.Written);
        return payload;
    }

    /// <summary>Opens.</summary>
    /// <returns>The plain text, which may be empty only when an empty one was sealed.</returns>
    /// <exception cref="SealBrokenException">It does not open, for whatever reason.</exception>
    public static byte[] Open(ReadOnlySpan<byte> payload, DataKey key, in SealContext ctx)
    {
        var associatedData = new AssociatedData(stackalloc byte[AssociatedData.LongestLength]);
        Describe(ref associatedData, key, ctx);
        return OpenSealed(payload, key, associatedData.Written) ?? throw Broken(ctx, key);
    }

    /// <summary>The version of the key that sealed this, to find the key with. Not authenticated before <see cref="Open"/>.</summary>
    /// <exception cref="SealBrokenException">Too short or of an unknown format.</exception>
    public static int KeyVersionOf(ReadOnlySpan<byte> payload) =>
        payload.Length >= Overhead && payload[0] == Format && BinaryPrimitives.ReadInt32BigEndian(payload[1..]) is >= 0 and var version
            ? version
            : throw new SealBrokenException("Not a sealed payload of a known format.");

    internal static void WriteSealed(Span<byte> payload, ReadOnlySpan<byte> plain, DataKey key, ReadOnlySpan<byte> associatedData)
    {
        payload[0] = Format;
        BinaryPrimitives.WriteInt32BigEndian(payload[1..], key.Version);
        var iv = payload.Slice(HeaderLength, DataKey.IvLength);
        FreshIv.Fill(iv);
        key.Encrypt(iv, plain, payload.Slice(HeaderLength + DataKey.IvLength, plain.Length), payload[^DataKey.TagLength..], associatedData);
    }

    /// <returns>Null when it does not open.</returns>
    internal static byte[]? OpenSealed(ReadOnlySpan<byte> payload, DataKey key, ReadOnlySpan<byte> associatedData)
    {
        if (payload.Length < Overhead || payload[0] != Format || BinaryPrimitives.ReadInt32BigEndian(payload[1..]) != key.Version) return null;
        var plain = GC.AllocateUninitializedArray<byte>(payload.Length - Overhead);
        try
        {
            key.Decrypt(payload.Slice(HeaderLength, DataKey.IvLength), payload[(HeaderLength + DataKey.IvLength)..^DataKey.TagLength], payload[^DataKey.TagLength..], plain, associatedData);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private static void Describe(ref AssociatedData associatedData, DataKey key, in SealContext ctx)
    {
        associatedData.Add("chaperone-sealed-1"u8);
        associatedData.Add(ctx.Tenant);
        associatedData.AddName(ctx.Table);
        associatedData.Add(ctx.RowId);
        associatedData.Add(ctx.RowVersion);
        associatedData.Add(key.Id);
    }

    private static SealBrokenException Broken(in SealContext ctx, DataKey key) =>
        new($"Sealed payload did not open: clinic {ctx.Tenant}, {ctx.Table} {ctx.RowId} version {ctx.RowVersion}, key {key.Id} version {key.Version}.");
}
