using System.Globalization;
using System.Text.RegularExpressions;

namespace Chaperone.Clinic.Patients;

/// <summary>Dates as people write them: 1980-02-29, 29/02/1980, 29.2.1980, 29 Feb 1980, 29-Feb-1980, February 29, 1980. The day before the month wherever both are numbers.</summary>
internal static partial class DateText
{
    private static readonly string[] Months = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

    /// <summary>The date a whole text says; null when it says none, or one that no calendar has. Years have four digits.</summary>
    public static DateOnly? Parse(string? text)
    {
        var trimmed = text?.Trim() ?? "";
        return Match(trimmed) is ({ Length: var length }, [var only], true) && length == trimmed.Length ? only : null;
    }

    /// <summary>The first date in a text and the text without it. Years of two digits may be of either century.</summary>
    public static (IReadOnlyList<DateOnly> Dates, string Left) Take(string text, DateOnly today)
    {
        if (Match(text) is not (var match, { Count: > 0 } dates, _)) return ([], text);
        var past = dates.Where(date => date <= today).ToArray();
        return (past.Length > 0 ? past : dates, text.Remove(match.Index, match.Length).Insert(match.Index, " "));
    }

    private static (Match Match, IReadOnlyList<DateOnly> Dates, bool FullYear)? Match(string text)
    {
        foreach (var pattern in (Regex[])[YearFirst(), Numbers(), MonthInWords(), MonthFirst()])
        {
            foreach (Match match in pattern.Matches(text))
            {
                var year = match.Groups["y"].Value;
                var month = match.Groups["m"] is { Success: true } number ? Number(number.Value) : Array.FindIndex(Months, name => name.StartsWith(match.Groups["w"].Value, StringComparison.OrdinalIgnoreCase)) + 1;
                var dates = (year.Length == 4 ? [Number(year)] : new[] { 1900 + Number(year), 2000 + Number(year) })
                    .Where(candidate => candidate is > 0 && month is >= 1 and <= 12 && Number(match.Groups["d"].Value) is >= 1 and var day && day <= DateTime.DaysInMonth(candidate, month))
                    .Select(candidate => new DateOnly(candidate, month, Number(match.Groups["d"].Value))).ToArray();
                if (dates.Length > 0) return (match, dates, year.Length == 4);
            }
        }
        return null;
    }

    private static int Number(string digits) => int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);

    private const RegexOptions Options = RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase;
    private const string Start = @"(?<![\p{L}\p{Nd}+])", End = @"(?![\p{L}\p{Nd}])", Year = "(?<y>[0-9]{4})", Month = "(?<m>[0-9]{1,2})", Day = "(?<d>[0-9]{1,2})", Word = "(?<w>[a-z]{3,9})";

    [GeneratedRegex(Start + Year + "[-/.]" + Month + "[-/.]" + Day + End, Options)]
    private static partial Regex YearFirst();

    [GeneratedRegex(Start + Day + "(?:[-/.]" + Month + "[-/.](?<y>[0-9]{4}|[0-9]{2})| " + Month + " " + Year + ")" + End, Options)]
    private static partial Regex Numbers();

    [GeneratedRegex(Start + Day + @"(?:st|nd|rd|th)?[\s.-]{0,2}" + Word + @"[\s.,-]{0,2}(?<y>[0-9]{4}|[0-9]{2})" + End, Options)]
    private static partial Regex MonthInWords();

    [GeneratedRegex(Start + Word + @"[\s.]{1,2}" + Day + @"(?:st|nd|rd|th)?[\s,]{1,2}" + Year + End, Options)]
    private static partial Regex MonthFirst();
}
