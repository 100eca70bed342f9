using System.Security.Cryptography;
using Chaperone.Encryption;

namespace Chaperone.Clinic.SignIn;

/// <summary>Ten codes of 80 bits that take the authenticator's place, each once. Kept as HMAC-SHA-256 under the clinic's backup-code key, shown once.</summary>
internal static class BackupCode
{
    public const int Count = 10;

    private const int Bytes = 10;

    /// <summary>New codes as people read them: four groups of four base32 letters.</summary>
    public static IReadOnlyList<string> NewCodes() =>
        [.. Enumerable.Range(0, Count).Select(_ => Base32.Encode(RandomNumberGenerator.GetBytes(Bytes))).Select(code => string.Join('-', code.Chunk(4).Select(group => new string(group))))];

    /// <summary>What is kept of a code, bound to the account; null when the typed text cannot be one.</summary>
    public static byte[]? Kept(BlindIndexKey key, Guid member, string typed) =>
        typed.Length <= 64 && Base32.Decode(typed) is { Length: Bytes } code ? key.Exact($"{member:N}/{Base32.Encode(code)}") : null;

    /// <summary>The codes left when this one is used; null when it is none of them. All are compared, whatever the first said.</summary>
    public static IReadOnlyList<byte[]>? Without(IReadOnlyList<byte[]> codes, byte[] used)
    {
        var left = new List<byte[]>(codes.Count);
        foreach (var code in codes)
            if (!CryptographicOperations.FixedTimeEquals(code, used)) left.Add(code);
        return left.Count == codes.Count ? null : left;
    }
}
