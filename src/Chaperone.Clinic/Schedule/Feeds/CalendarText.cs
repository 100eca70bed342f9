using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Chaperone.Clinic.Schedule.Feeds;

/// <summary>A calendar as RFC 5545 writes it: times in UTC, lines of 75 octets at most that end in CR LF.</summary>
internal static class CalendarText
{
    private const int LongestLine = 75;

    /// <summary>The calendar, and a tag that is the same as long as it says the same; the moment of writing is not in the tag.</summary>
    public static (string Text, string ETag) Write(IReadOnlyList<FeedItem> items, DateTimeOffset now)
    {
        var text = new StringBuilder();
        foreach (var line in Lines(items)) Fold(text, line);
        var tag = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 16));
        return (text.Replace(Stamp, $"DTSTAMP:{Time(now)}").ToString(), $"\"{tag}\"");
    }

    private const string Stamp = "DTSTAMP:now";

    private static IEnumerable<string> Lines(IReadOnlyList<FeedItem> items)
    {
        foreach (var line in (string[])["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Chaperone//Schedule//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH", "X-WR-CALNAME:Appointments"]) yield return line;
        foreach (var item in items)
        {
            yield return "BEGIN:VEVENT";
            yield return $"UID:{item.Id}";
            yield return Stamp;
            yield return string.Create(CultureInfo.InvariantCulture, $"SEQUENCE:{item.Version - 1}");
            yield return $"DTSTART:{Time(item.StartsAt)}";
            yield return $"DTEND:{Time(item.EndsAt)}";
            yield return $"SUMMARY:{Escape(item.Summary)}";
            if (item.Room is { } room) yield return $"LOCATION:{Escape(room)}";
            yield return item.Cancelled ? "STATUS:CANCELLED" : "STATUS:CONFIRMED";
            yield return item.Cancelled ? "TRANSP:TRANSPARENT" : "TRANSP:OPAQUE";
            yield return "CLASS:PRIVATE";
            yield return "END:VEVENT";
        }
        yield return "END:VCALENDAR";
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    /// <summary>A text value: what separates is escaped, what could begin a line of its own is gone.</summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length + 8);
        foreach (var c in text.ReplaceLineEndings("\n"))
        {
            if (c is '\\' or ';' or ',') escaped.Append('\\').Append(c);
            else if (c == '\n') escaped.Append("\\n");
            else if (!char.IsControl(c)) escaped.Append(c);
        }
        return escaped.ToString();
    }

    // A character is never split: a line ends before the one that would pass 75 octets.
    private static void Fold(StringBuilder text, string line)
    {
        var used = 0;
        foreach (var rune in line.EnumerateRunes())
        {
            if (used + rune.Utf8SequenceLength > LongestLine)
            {
                text.Append("\r\n ");
                used = 1;
            }
            text.Append(rune.ToString());
            used += rune.Utf8SequenceLength;
        }
        text.Append("\r\n");
    }
}
