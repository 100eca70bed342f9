using System.Globalization;

namespace Chaperone.Clinic.SignIn;

/// <summary>Times and clients as people read them.</summary>
internal static class Shown
{
    private static readonly CultureInfo British = CultureInfo.GetCultureInfo("en-GB");

    /// <summary>Date and time in the clinic's zone, 24 hours.</summary>
    public static string Time(DateTimeOffset at, string zone) => TimeZoneInfo.ConvertTime(at, TimeZoneInfo.FindSystemTimeZoneById(zone)).ToString("d MMM yyyy, HH:mm", British);

    /// <summary>A client family (<c>blink/windows</c>) in words.</summary>
    public static string Client(string family)
    {
        var parts = family.Split('/');
        var browser = parts[0] switch { "gecko" => "Firefox", "blink" => "Chrome or Edge", "webkit" => "Safari", _ => "Other client" };
        var system = parts.ElementAtOrDefault(1) switch
        {
            "windows" => "Windows", "macos" => "macOS", "linux" => "Linux", "android" => "Android", "ios" => "iPhone or iPad", "chromeos" => "ChromeOS", _ => null,
        };
        return system is null ? browser : $"{browser} on {system}";
    }

    /// <summary>A secret in groups of four, for typing.</summary>
    public static string Grouped(string secret) => string.Join(' ', secret.Chunk(4).Select(group => new string(group)));
}
