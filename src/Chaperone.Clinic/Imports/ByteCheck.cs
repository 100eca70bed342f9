using System.Security.Cryptography;
using System.Text;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Imports;

/// <summary>What the bytes of a file say before any of it is parsed: whether it is text at all, and in which encoding. Fed as the file comes in.</summary>
/// <remarks>The name and the declared type of an upload say nothing: only its content is believed.</remarks>
internal sealed class ByteCheck : IDisposable
{
    public const string Utf8 = "utf-8", Windows1252 = "windows-1252";
    private const int HeadLength = 64 * 1024;

    private static readonly byte[][] Binaries =
    [
        [0x50, 0x4B, 0x03, 0x04], [0x50, 0x4B, 0x05, 0x06],            // zip, xlsx, ods
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1],              // xls
        [0x25, 0x50, 0x44, 0x46], [0x1F, 0x8B], [0x42, 0x5A, 0x68],    // pdf, gzip, bzip2
        [0x37, 0x7A, 0xBC, 0xAF], [0xFD, 0x37, 0x7A, 0x58], [0x28, 0xB5, 0x2F, 0xFD], [0x52, 0x61, 0x72, 0x21],   // 7z, xz, zstd, rar
        [0x89, 0x50, 0x4E, 0x47], [0xFF, 0xD8, 0xFF], [0x47, 0x49, 0x46, 0x38],   // png, jpeg, gif
        [0x7F, 0x45, 0x4C, 0x46], [0x4D, 0x5A, 0x90],                  // programs
    ];

    private readonly Decoder decoder = new UTF8Encoding(false, throwOnInvalidBytes: true).GetDecoder();
    private readonly char[] chars = new char[8192 + 4];
    private readonly byte[] head = new byte[HeadLength];
    private int headLength;
    private bool isUtf8 = true;
    private bool hasNul;

    public long Length { get; private set; }

    /// <summary>The first 64 KiB.</summary>
    public ReadOnlySpan<byte> Head => head.AsSpan(0, headLength);

    public void Add(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        if (headLength < HeadLength)
        {
            var part = bytes[..Math.Min(bytes.Length, HeadLength - headLength)];
            part.CopyTo(head.AsSpan(headLength));
            headLength += part.Length;
        }
        hasNul |= bytes.Contains((byte)0);
        for (; isUtf8 && bytes.Length > 0; bytes = bytes[Math.Min(8192, bytes.Length)..]) Decode(bytes[..Math.Min(8192, bytes.Length)], flush: false);
    }

    /// <summary>The verdict once everything was added.</summary>
    public (Error? Fault, string Encoding) Finish()
    {
        if (isUtf8) Decode([], flush: true);
        if (Head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || Head.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF])) return (ImportErrors.Encoding, "");
        if (hasNul) return (LooksUtf16() ? ImportErrors.Encoding : ImportErrors.NotCsv, "");
        foreach (var magic in Binaries)
            if (Head.StartsWith(magic)) return (ImportErrors.NotCsv, "");
        var text = Head.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? Head[3..] : Head;
        text = text.TrimStart(" \t\r\n"u8);
        if (text.IsEmpty) return (ImportErrors.Empty, "");
        if (text[0] is (byte)'<' or (byte)'{' or (byte)'[') return (ImportErrors.NotCsv, "");   // HTML and XML, JSON
        // Control characters other than tab and line breaks do not come in text.
        var controls = 0;
        foreach (var b in text) if (b < 0x20 && b is not (9 or 10 or 13)) controls++;
        if (controls > 8 && controls * 50 > text.Length) return (ImportErrors.NotCsv, "");
        return (null, isUtf8 ? Utf8 : Windows1252);
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(head);
        Array.Clear(chars);
    }

    private void Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        try
        {
            decoder.GetChars(bytes, chars, flush);
        }
        catch (DecoderFallbackException)
        {
            isUtf8 = false;
        }
    }

    private bool LooksUtf16()
    {
        if (headLength < 8) return false;
        var (even, odd) = (0, 0);
        for (var i = 0; i < headLength; i++)
            if (head[i] == 0 && i % 2 == 0) even++;
            else if (head[i] == 0) odd++;
        return Math.Max(even, odd) * 3 > headLength && Math.Min(even, odd) * 20 < headLength;
    }
}
