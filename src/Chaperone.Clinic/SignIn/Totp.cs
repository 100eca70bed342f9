using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Chaperone.Clinic.SignIn;

/// <summary>Time-based one-time passwords: RFC 6238 over RFC 4226, with what authenticator apps agree on: SHA-1, six digits, thirty seconds.</summary>
internal static class Totp
{
    /// <summary>RFC 4226 section 4: at least 128 bits, 160 recommended.</summary>
    public const int SecretLength = 20;

    public const int Digits = 6;

    private const long StepSeconds = 30;

    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(SecretLength);

    /// <summary>The time step of a moment.</summary>
    public static long StepAt(DateTimeOffset at) => at.ToUnixTimeSeconds() / StepSeconds;

    /// <summary>The code of a step.</summary>
    public static string Code(ReadOnlySpan<byte> secret, long step, int digits = Digits)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> mac = stackalloc byte[HMACSHA1.HashSizeInBytes];
#pragma warning disable CA5350 // RFC 6238: authenticator apps know SHA-1; HMAC does not rest on collision resistance
        HMACSHA1.HashData(secret, counter, mac);
#pragma warning restore CA5350
        var number = BinaryPrimitives.ReadInt32BigEndian(mac[(mac[^1] & 0x0f)..]) & int.MaxValue;
        var modulus = 1;
        for (var i = 0; i < digits; i++) modulus *= 10;
        return (number % modulus).ToString("D" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    /// <summary>The step whose code was typed: now, one before or one after (RFC 6238 section 5.2). Null when it is none of them. The caller makes sure a step counts once.</summary>
    public static long? Match(ReadOnlySpan<byte> secret, string typed, DateTimeOffset now)
    {
        Span<char> code = stackalloc char[Digits];
        if (!Clean(typed, code)) return null;
        long? matched = null;
        var middle = StepAt(now);
        for (var step = middle - 1; step <= middle + 1; step++)
            if (Equal(Code(secret, step), code)) matched = step;   // all three are compared, whatever the first said
        return matched;
    }

    /// <summary>The secret as people type it.</summary>
    public static string Text(ReadOnlySpan<byte> secret) => Base32.Encode(secret);

    /// <summary>What the QR code says (the Key URI format of Google Authenticator).</summary>
    public static string Uri(ReadOnlySpan<byte> secret, string clinic, string account)
    {
        var (issuer, name) = (System.Uri.EscapeDataString(clinic), System.Uri.EscapeDataString(account));
        return $"otpauth://totp/{issuer}:{name}?secret={Text(secret)}&issuer={issuer}&algorithm=SHA1&digits=6&period=30";
    }

    private static bool Clean(string typed, Span<char> code)
    {
        var length = 0;
        if (typed.Length > 32) return false;
        foreach (var c in typed)
        {
            if (c is ' ' or '-' or '\u00a0') continue;
            if (!char.IsAsciiDigit(c) || length == Digits) return false;
            code[length++] = c;
        }
        return length == Digits;
    }

    private static bool Equal(string expected, ReadOnlySpan<char> typed) =>
        CryptographicOperations.FixedTimeEquals(System.Runtime.InteropServices.MemoryMarshal.AsBytes(expected.AsSpan()), System.Runtime.InteropServices.MemoryMarshal.AsBytes(typed));
}

/// <summary>Base32 of RFC 4648 section 6, without padding.</summary>
internal static class Base32
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new char[(bytes.Length * 8 + 4) / 5];
        var (buffer, bits, length) = (0, 0, 0);
        foreach (var value in bytes)
        {
            buffer = (buffer << 8) | value;
            bits += 8;
            while (bits >= 5) text[length++] = Alphabet[(buffer >> (bits -= 5)) & 31];
            buffer &= (1 << bits) - 1;
        }
        if (bits > 0) text[length] = Alphabet[(buffer << (5 - bits)) & 31];
        return new(text);
    }

    /// <summary>Null when it is not base32. Lower case, spaces and hyphens are taken.</summary>
    public static byte[]? Decode(string text)
    {
        if (text.Length > 1000) return null;
        var bytes = new List<byte>(text.Length * 5 / 8);
        var (buffer, bits) = (0, 0);
        foreach (var c in text)
        {
            if (c is ' ' or '-') continue;
            var digit = Alphabet.IndexOf(char.ToUpperInvariant(c), StringComparison.Ordinal);
            if (digit < 0) return null;
            buffer = (buffer << 5) | digit;
            bits += 5;
            if (bits < 8) continue;
            bytes.Add((byte)(buffer >> (bits -= 8)));
            buffer &= (1 << bits) - 1;
        }
        return [.. bytes];
    }
}
