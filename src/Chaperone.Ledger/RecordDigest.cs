using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Chaperone.Ledger;

/// <summary>The digest by which an event vouches for a row: SHA-256 over what the row is, its clear columns and its sealed payload.</summary>
/// <remarks>
/// Message: <c>"chaperone/record/v1\n"</c>, table, id, version (int64), the number of columns (int32), each column (name, tag, value), the sealed payload.
/// Texts and byte strings carry their length in four bytes before them; every number is big endian. Columns stand in ordinal order of their names.
/// A column that is null is left out; names are in the message, so a nullable column added later does not change the digest of older rows.
/// Tags: <c>u</c> uuid (16 bytes as written), <c>t</c> time (int64 microseconds since 1970 UTC, rounded down), <c>d</c> date (int32 days since 1970-01-01),
/// <c>i</c> integer of any width (int64), <c>b</c> boolean (one byte), <c>s</c> text (UTF-8), <c>x</c> bytes, <c>U</c> and <c>S</c> arrays of uuid and text (int32 count first).
/// </remarks>
public static class RecordDigest
{
    private static readonly DateOnly Epoch = new(1970, 1, 1);

    /// <summary>Computes the digest of one version of a row.</summary>
    /// <param name="table">Schema and table as the event's record type names it.</param>
    /// <param name="id">The row's id.</param>
    /// <param name="version">The row's version.</param>
    /// <param name="clearColumns">Every other clear column, in any order: Guid, DateTime (UTC), DateTimeOffset, DateOnly, short, int, long, bool, string, byte[], Guid[], string[] or null.</param>
    /// <param name="sealedPayload">The sealed bytes as stored; empty for a table without.</param>
    /// <exception cref="ArgumentException">A value of another type, a DateTime that is not UTC, or a name given twice.</exception>
    public static Hash256 Compute(string table, Guid id, long version, IReadOnlyList<(string Name, object? Value)> clearColumns, ReadOnlySpan<byte> sealedPayload)
    {
        var message = new ArrayBufferWriter<byte>(256 + sealedPayload.Length);
        message.Write("chaperone/record/v1\n"u8);
        Text(message, table);
        Uuid(message, id);
        Int64(message, version);
        var columns = clearColumns.Where(column => column.Value is not null).OrderBy(column => column.Name, StringComparer.Ordinal).ToArray();
        Int32(message, columns.Length);
        for (var i = 0; i < columns.Length; i++)
        {
            if (i > 0 && columns[i].Name == columns[i - 1].Name) throw new ArgumentException($"Column {columns[i].Name} is given twice.", nameof(clearColumns));
            Text(message, columns[i].Name);
            Value(message, columns[i].Name, columns[i].Value!);
        }
        Bytes(message, sealedPayload);
        return new(SHA256.HashData(message.WrittenSpan));
    }

    private static void Value(ArrayBufferWriter<byte> message, string name, object value)
    {
        switch (value)
        {
            case Guid uuid: Tag(message, 'u'); Uuid(message, uuid); break;
            case DateTime { Kind: DateTimeKind.Utc } time: Tag(message, 't'); Int64(message, Microseconds(time)); break;
            case DateTimeOffset time: Tag(message, 't'); Int64(message, Microseconds(time.UtcDateTime)); break;
            case DateOnly date: Tag(message, 'd'); Int32(message, date.DayNumber - Epoch.DayNumber); break;
            case short number: Tag(message, 'i'); Int64(message, number); break;
            case int number: Tag(message, 'i'); Int64(message, number); break;
            case long number: Tag(message, 'i'); Int64(message, number); break;
            case bool truth: Tag(message, 'b'); message.Write([truth ? (byte)1 : (byte)0]); break;
            case string text: Tag(message, 's'); Text(message, text); break;
            case byte[] bytes: Tag(message, 'x'); Bytes(message, bytes); break;
            case Guid[] uuids:
                Tag(message, 'U');
                Int32(message, uuids.Length);
                foreach (var uuid in uuids) Uuid(message, uuid);
                break;
            case string[] texts:
                Tag(message, 'S');
                Int32(message, texts.Length);
                foreach (var text in texts) Text(message, text ?? throw new ArgumentException($"Column {name} has a null in its array.", nameof(value)));
                break;
            default: throw new ArgumentException($"Column {name}: a {value.GetType().Name}{(value is DateTime ? " that is not UTC" : "")} has no place in a record digest.", nameof(value));
        }
    }

    private static long Microseconds(DateTime time) => (long)Math.Floor((decimal)(time.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond);

    private static void Tag(ArrayBufferWriter<byte> message, char tag) => message.Write([(byte)tag]);

    private static void Uuid(ArrayBufferWriter<byte> message, Guid value)
    {
        _ = value.TryWriteBytes(message.GetSpan(16), bigEndian: true, out var written);
        message.Advance(written);
    }

    private static void Int32(ArrayBufferWriter<byte> message, int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(message.GetSpan(4), value);
        message.Advance(4);
    }

    private static void Int64(ArrayBufferWriter<byte> message, long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(message.GetSpan(8), value);
        message.Advance(8);
    }

    private static void Text(ArrayBufferWriter<byte> message, string value) => Bytes(message, Encoding.UTF8.GetBytes(value));

    private static void Bytes(ArrayBufferWriter<byte> message, ReadOnlySpan<byte> value)
    {
        Int32(message, value.Length);
        message.Write(value);
    }
}
