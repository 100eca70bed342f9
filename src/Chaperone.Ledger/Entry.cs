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

    internal static void Write(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> eventBytes, Span<byte> entry)
    {
        if (salt.Length != SaltSize) throw new ArgumentException("A salt has 16 bytes.", nameof(salt));
        entry[0] = Version;
        Sha256.Hash("chaperone/event/v1\n"u8, salt, eventBytes, entry[1..]);
    }
}
