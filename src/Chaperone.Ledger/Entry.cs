namespace Chaperone.Ledger;

/// <summary>What stands in the log for an event: <c>0x01 || SHA-256("chaperone/event/v1\n" || salt || event)</c>. It carries no personal data, and without the salt nobody can guess the event from it.</summary>
public static class Entry
{
    /// <summary>Bytes in an entry.</summary>
    public const int Size = 1 + Hash256.Size;

    /// <summary>Bytes in a salt.</summary>
    public const int SaltSize = 16;

    /// <summary>The first byte of every entry.</summary>
    public const byte Version = 0x01;

    /// <summary>The entry of an event.</summary>
    /// <param name="salt">16 random bytes, for this event alone.</param>
    /// <param name="eventBytes">The event's line as written, without LF.</param>
    /// <exception cref="ArgumentException">The salt has not 16 bytes.</exception>
    public static byte[] Bytes(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> eventBytes)
    {
        var entry = new byte[Size];
        Write(salt, eventBytes, entry);
        return entry;
    }

    /// <summary>The leaf hashes over entries that are kept without their first byte.</summary>
    /// <param name="hashes">32 bytes an entry.</param>
    /// <param name="leaves">32 bytes each.</param>
    public static void LeavesOf(ReadOnlySpan<byte> hashes, Span<byte> leaves) => Sha256.HashEach([0, Version], hashes, Hash256.Size, Hash256.Size, leaves);

    /// <summary>The entries' hashes (without their first byte) of many events, several at once where the processor can.</summary>
    /// <param name="salts">16 bytes an event.</param>
    /// <param name="text">The events' bytes, with whatever is between them.</param>
    /// <param name="events">Where in it each event stands; an empty one has no hash.</param>
    /// <param name="hashes">32 bytes an event.</param>
    internal static void HashEach(ReadOnlySpan<byte> salts, ReadOnlySpan<byte> text, ReadOnlySpan<Range> events, Span<byte> hashes)
    {
        const int Stride = 20 * Sha256Lanes.Block;
        Span<byte> padded = stackalloc byte[Sha256Lanes.Count * Stride];
        Span<int> blocks = stackalloc int[Sha256Lanes.Count];
        Span<byte> made = stackalloc byte[Sha256Lanes.Count * Hash256.Size];
        for (var done = 0; done < events.Length; done += Sha256Lanes.Count)
        {
            var some = Math.Min(Sha256Lanes.Count, events.Length - done);
            blocks.Clear();
            var inLanes = 0;
            for (var i = 0; i < some; i++)
            {
                var salt = salts.Slice((done + i) * SaltSize, SaltSize);
                var line = text[events[done + i]];
                var length = Domain.Length + SaltSize + line.Length;
                if (line.IsEmpty) continue;
                var size = Sha256Lanes.Blocks(length) * Sha256Lanes.Block;
                if (!Sha256Lanes.IsSupported || size > Stride)
                {
                    Sha256.Hash(Domain, salt, line, hashes.Slice((done + i) * Hash256.Size, Hash256.Size));
                    continue;
                }
                var place = padded.Slice(i * Stride, size);
                Domain.CopyTo(place);
                salt.CopyTo(place[Domain.Length..]);
                line.CopyTo(place[(Domain.Length + SaltSize)..]);
                Sha256Lanes.Pad(place, length);
                blocks[i] = size / Sha256Lanes.Block;
                inLanes++;
            }
            if (inLanes == 0) continue;
            Sha256Lanes.Hash(padded, Stride, blocks, made);
            for (var i = 0; i < some; i++) if (blocks[i] != 0) made.Slice(i * Hash256.Size, Hash256.Size).CopyTo(hashes[((done + i) * Hash256.Size)..]);
        }
    }

    private static ReadOnlySpan<byte> Domain => "chaperone/event/v1\n"u8;

    internal static void Write(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> eventBytes, Span<byte> entry)
    {
        if (salt.Length != SaltSize) throw new ArgumentException("A salt has 16 bytes.", nameof(salt));
        entry[0] = Version;
        Sha256.Hash(Domain, salt, eventBytes, entry[1..]);
    }
}
