using System.Buffers.Binary;
using System.Text;

namespace Chaperone.Encryption;

/// <summary>Writes associated data: each field preceded by its length in four bytes, big-endian, so that no two lists of fields give the same bytes.</summary>
internal ref struct AssociatedData(Span<byte> buffer)
{
    /// <summary>Longest name of a table or kind, in UTF-8 bytes.</summary>
    public const int LongestName = 128;

    /// <summary>Enough for any associated data made here.</summary>
    public const int LongestLength = 6 * 4 + 32 + 16 + LongestName + 16 + 8 + 16;

    private readonly Span<byte> buffer = buffer;
    private int length;

    public readonly ReadOnlySpan<byte> Written => buffer[..length];

    public void Add(ReadOnlySpan<byte> field)
    {
        field.CopyTo(Next(field.Length));
    }

    public void Add(Guid field) => field.TryWriteBytes(Next(16), bigEndian: true, out _);

    public void Add(long field) => BinaryPrimitives.WriteInt64BigEndian(Next(8), field);

    public void Add(int field) => BinaryPrimitives.WriteInt32BigEndian(Next(4), field);

    public void AddName(string name)
    {
        var room = buffer.Slice(length + 4, LongestName);
        if (name.Length == 0 || !Encoding.UTF8.TryGetBytes(name, room, out var bytes))
            throw new ArgumentException($"A name in associated data has 1 to {LongestName} bytes.", nameof(name));
        Next(bytes);
    }

    private Span<byte> Next(int bytes)
    {
        BinaryPrimitives.WriteInt32BigEndian(buffer[length..], bytes);
        var field = buffer.Slice(length + 4, bytes);
        length += 4 + bytes;
        return field;
    }
}
