using System.Security.Cryptography;

namespace Chaperone.Encryption;

/// <summary>Random IVs, drawn from the generator 64 at a time by each thread: one draw costs as much as sealing a row.</summary>
/// <remarks>
/// Every IV is given out once. A virtual machine restored from a snapshot of its memory draws the same numbers again, here as from OpenSSL's own generator: operators
/// restore from backups, not from memory snapshots.
/// </remarks>
internal static class FreshIv
{
    [ThreadStatic]
    private static byte[]? drawn;

    [ThreadStatic]
    private static int used;

    public static void Fill(Span<byte> iv)
    {
        var ivs = drawn;
        if (ivs is null || used == ivs.Length)
        {
            ivs ??= new byte[64 * DataKey.IvLength];
            drawn = null; // should the draw fail, nothing old is given out
            RandomNumberGenerator.Fill(ivs);
            (drawn, used) = (ivs, 0);
        }
        ivs.AsSpan(used, DataKey.IvLength).CopyTo(iv);
        used += DataKey.IvLength;
    }
}
