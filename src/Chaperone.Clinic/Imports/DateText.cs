using System.Globalization;

namespace Chaperone.Clinic.Imports;

/// <summary>Dates as files write them. The order of day and month is never guessed from a value.</summary>
internal static class DateText
{
    public const string Iso = "iso", DayFirst = "dmy", MonthFirst = "mdy";

    private static readonly string[] IsoFormats = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd HH:mm:ss", "yyyyMMdd", "yyyy/MM/dd"];
    private static readonly string[] DayFirstFormats = ["d/M/yyyy", "d.M.yyyy", "d-M-yyyy", "d/M/yyyy HH:mm", "d/M/yyyy HH:mm:ss"];
    private static readonly string[] MonthFirstFormats = ["M/d/yyyy", "M-d-yyyy", "M/d/yyyy HH:mm", "M/d/yyyy HH:mm:ss"];

    public static bool IsKnown(string format) => format is Iso or DayFirst or MonthFirst;

    public static bool TryParse(string text, string format, out DateOnly date)
    {
        var formats = format switch { DayFirst => DayFirstFormats, MonthFirst => MonthFirstFormats, _ => IsoFormats };
        // An ISO date is one in any file.
        var found = DateTime.TryParseExact(text, formats, CultureInfo.InvariantCulture, DateTimeStyles.AllowWhiteSpaces, out var parsed)
            || (format != Iso && DateTime.TryParseExact(text, IsoFormats[0], CultureInfo.InvariantCulture, DateTimeStyles.None, out parsed));
        date = found ? DateOnly.FromDateTime(parsed) : default;
        return found;
    }
}
