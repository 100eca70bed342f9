using System.Buffers;
using System.Globalization;
using System.Text;
using Chaperone.Clinic.Streams.Shapes;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;

namespace Chaperone.Clinic.Streams.Receivers;

/// <summary>Messages of RFC 5424, each behind its length (RFC 5425).</summary>
internal static class SyslogFrame
{
    /// <summary>The structured data's name. 32473 is the enterprise number that RFC 5612 keeps for those who have none.</summary>
    public const string Element = "chaperone@32473";

    public const string TestAction = "stream.test";

    private const int LongestHost = 255, LongestMessageId = 32;

    private enum Facility
    {
        SecurityPrivate = 10,
        LogAudit = 13,
    }

    private enum Level
    {
        Critical = 2,
        Warning = 4,
        Notice = 5,
        Informational = 6,
    }

    /// <summary>An event, or the marker that stands for one.</summary>
    public static void Write(IBufferWriter<byte> to, SliceEvent each, ReadOnlySpan<byte> text, ShapeContext context)
    {
        var (facility, level) = (Facility.LogAudit, Level.Informational);
        if (each.Event is { } happened)
        {
            if (happened.Category is EventCategory.Authentication or EventCategory.Security) facility = Facility.SecurityPrivate;
            level = happened.Severity switch { EventSeverity.Critical => Level.Critical, EventSeverity.Warning => Level.Warning, _ => Level.Informational };
        }
        else if (each.State != SliceState.Expired)
        {
            level = Level.Critical;
        }
        var data = new StringBuilder().Append('[').Append(Element);
        Add(data, "log", context.Origin);
        Add(data, "index", each.Index.ToString(CultureInfo.InvariantCulture));
        Add(data, "id", each.Id.ToString("D"));
        if (each.Event is { } known)
        {
            Add(data, "category", EventJson.Name(known.Category));
            Add(data, "severity", EventJson.Name(known.Severity));
            Add(data, "outcome", EventJson.Name(known.Outcome));
        }
        else
        {
            Add(data, "marker", StreamShapes.Marker(each.State));
        }
        Frame(to, facility, level, each.At, context.Host, each.Event?.Action ?? "log." + StreamShapes.Marker(each.State), data.Append(']').ToString(), text);
    }

    /// <summary>A message that says that it is a test.</summary>
    public static void WriteTest(IBufferWriter<byte> to, DateTimeOffset now, ShapeContext context) =>
        Frame(to, Facility.LogAudit, Level.Notice, now, context.Host, TestAction, $"[{Element} test=\"true\"]", "A test of a stream of Chaperone's audit log."u8);

    // MSG-ANY of RFC 5424: the octets as they are. With a byte order mark before them they would not be the event's bytes any more.
    private static void Frame(IBufferWriter<byte> to, Facility facility, Level level, DateTimeOffset at, string host, string id, string data, ReadOnlySpan<byte> text)
    {
        var time = at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        var head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"<{((int)facility * 8) + (int)level}>1 {time} {Printable(host, LongestHost)} chaperone - {Printable(id, LongestMessageId)} {data} "));
        to.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{head.Length + text.Length} ")));
        to.Write(head);
        to.Write(text);
    }

    private static void Add(StringBuilder data, string name, string value)
    {
        data.Append(' ').Append(name).Append("=\"");
        foreach (var letter in value)
        {
            if (letter is '"' or '\\' or ']') data.Append('\\');
            data.Append(letter);
        }
        data.Append('"');
    }

    private static string Printable(string text, int most)
    {
        var kept = string.Concat(text.Where(letter => letter is > ' ' and <= '~'));
        return kept.Length == 0 ? "-" : kept.Length <= most ? kept : kept[..most];
    }
}
