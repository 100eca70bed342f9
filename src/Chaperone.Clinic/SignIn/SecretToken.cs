using System.Buffers.Text;
using System.Security.Cryptography;

namespace Chaperone.Clinic.SignIn;

/// <summary>A random value whose holder is believed: cookies and one-time links. The database keeps its SHA-256 only, and a proof (<see cref="Proofs"/>) that the server put it there.</summary>
/// <param name="Text">32 random bytes in base64url: for the cookie or link, never for a log.</param>
/// <param name="Hash">SHA-256 of the bytes.</param>
internal sealed record SecretToken(string Text, byte[] Hash)
{
    private const int Length = 32;
    private const int TextLength = 43;

    public static SecretToken New()
    {
        var bytes = RandomNumberGenerator.GetBytes(Length);
        return new(Base64Url.EncodeToString(bytes), SHA256.HashData(bytes));
    }

    /// <summary>The hash to look for; null when the text cannot be a token.</summary>
    public static byte[]? HashOf(string? text)
    {
        if (text is not { Length: TextLength }) return null;
        Span<byte> bytes = stackalloc byte[Length];
        return Base64Url.TryDecodeFromChars(text, bytes, out var written) && written == Length ? SHA256.HashData(bytes) : null;
    }

    /// <summary>Not the text: records are printed by whoever logs them.</summary>
    public override string ToString() => nameof(SecretToken);
}
