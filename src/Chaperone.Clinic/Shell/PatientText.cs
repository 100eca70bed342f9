using System.Globalization;

namespace Chaperone.Clinic.Shell;

/// <summary>How a patient's details are written on screen, after the NHS common user interface: one way everywhere, so that nobody misreads.</summary>
public static class PatientText
{
    /// <summary>SURNAME, First (Title); parts that are missing are left out.</summary>
    public static string Name(string? family, string? given, string? title = null)
    {
        var name = string.Join(", ", new[] { family?.Trim().ToUpper(CultureInfo.GetCultureInfo("en-GB")), given?.Trim() }.Where(part => !string.IsNullOrEmpty(part)));
        return string.IsNullOrWhiteSpace(title) ? name : $"{name} ({title.Trim()})";
    }

    /// <summary>dd-Mmm-yyyy with the English month, which no country reads as another date.</summary>
    public static string Date(DateOnly date) => date.ToString("dd-MMM-yyyy", CultureInfo.InvariantCulture);

    /// <summary>Ten digits as 3-3-4; anything else as it is.</summary>
    public static string NhsNumber(string number)
    {
        var digits = string.Concat(number.Where(char.IsAsciiDigit));
        return digits.Length == 10 ? $"{digits[..3]} {digits[3..6]} {digits[6..]}" : number;
    }

    /// <summary>Age on a day: days under 4 weeks, weeks and days under 1 year, months under 2 years, years and months under 18, then years. Empty before birth.</summary>
    public static string Age(DateOnly born, DateOnly on)
    {
        if (on < born) return "";
        var days = on.DayNumber - born.DayNumber;
        var months = (on.Year - born.Year) * 12 + on.Month - born.Month;
        if (born.AddMonths(months) > on) months--;
        var years = months / 12;
        return years switch
        {
            _ when days < 28 => $"{days}d",
            0 => Two(days / 7, "w", days % 7, "d"),
            1 => $"{months}m",
            < 18 => Two(years, "y", months % 12, "m"),
            _ => $"{years}y"
        };

        static string Two(int large, string unit, int small, string smallUnit) => small == 0 ? $"{large}{unit}" : $"{large}{unit} {small}{smallUnit}";
    }
}
