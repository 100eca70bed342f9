using System.Buffers.Binary;

namespace Chaperone.Clinic.Settings;

/// <summary>
/// What a picture says of itself: its sort by signature and its size in pixels, read from the bytes and from nothing else. Knows PNG (W3C PNG, 5.2 and 11.2.2), JPEG (ITU-T T.81, B.2.2)
/// and WebP (RFC 9649, 2.5 to 2.7); everything else, SVG above all, which can carry script, is none. Decodes no pixels.
/// </summary>
internal sealed record ImageCheck(string ContentType, int Width, int Height)
{
    private static ReadOnlySpan<byte> Png => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    private static ReadOnlySpan<byte> JpegStart => [0xFF, 0xD8, 0xFF];

    private static ReadOnlySpan<byte> Vp8Start => [0x9D, 0x01, 0x2A];

    /// <summary>The picture, or null when these bytes are none of these.</summary>
    public static ImageCheck? Of(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith(Png)) return bytes.Length >= 33 && bytes.Slice(12, 4).SequenceEqual("IHDR"u8) ? Sized("image/png", BinaryPrimitives.ReadInt32BigEndian(bytes[16..]), BinaryPrimitives.ReadInt32BigEndian(bytes[20..])) : null;
        if (bytes.StartsWith(JpegStart)) return Jpeg(bytes);
        return bytes.Length >= 30 && bytes.StartsWith("RIFF"u8) && bytes.Slice(8, 4).SequenceEqual("WEBP"u8) ? WebP(bytes) : null;
    }

    // Segments from marker to marker until the one that begins the frame.
    private static ImageCheck? Jpeg(ReadOnlySpan<byte> bytes)
    {
        var at = 2;
        while (at + 9 < bytes.Length && bytes[at] == 0xFF)
        {
            var marker = bytes[at + 1];
            if (marker is 0xFF)
            {
                at++;   // fill before a marker
                continue;
            }
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC)) return Sized("image/jpeg", BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 7)..]), BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 5)..]));
            if (marker is 0xD9 or 0xDA) return null;
            var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]);
            if (length < 2) return null;
            at += 2 + length;
        }
        return null;
    }

    private static ImageCheck? WebP(ReadOnlySpan<byte> bytes)
    {
        var kind = bytes.Slice(12, 4);
        if (kind.SequenceEqual("VP8 "u8))
            return bytes.Slice(23, 3).SequenceEqual(Vp8Start) ? Sized("image/webp", BinaryPrimitives.ReadUInt16LittleEndian(bytes[26..]) & 0x3FFF, BinaryPrimitives.ReadUInt16LittleEndian(bytes[28..]) & 0x3FFF) : null;
        if (kind.SequenceEqual("VP8L"u8))
        {
            var sizes = BinaryPrimitives.ReadUInt32LittleEndian(bytes[21..]);
            return bytes[20] == 0x2F ? Sized("image/webp", (int)(sizes & 0x3FFF) + 1, (int)((sizes >> 14) & 0x3FFF) + 1) : null;
        }
        return kind.SequenceEqual("VP8X"u8) ? Sized("image/webp", (BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]) & 0xFFFFFF) + 1, (bytes[27] | (bytes[28] << 8) | (bytes[29] << 16)) + 1) : null;
    }

    private static ImageCheck? Sized(string type, int width, int height) => width > 0 && height > 0 ? new(type, width, height) : null;
}
