using System.Globalization;

namespace Chaperone.Platform.Tenancy;

/// <summary>Host names by which clinics are found. Pure; whether another clinic has one, only the directory knows.</summary>
public static class HostName
{
    /// <summary>Most characters (RFC 1035, section 2.3.4, without the final dot).</summary>
    public const int Longest = 253;

    private const int LongestLabel = 63;

    /// <summary>
    /// A name as browsers send it: lower case, letters of other alphabets as punycode (RFC 5890). Null for what is no host name of a clinic: with a port or a path, an address in numbers,
    /// or <c>localhost</c>, where the installation itself answers.
    /// </summary>
    public static string? Read(string? typed)
    {
        if (typed?.Trim() is not { Length: > 0 and <= Longest } text) return null;
        string name;
        try
        {
            name = new IdnMapping().GetAscii(text).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return null;
        }
        if (name is "localhost" || name.Length > Longest) return null;
        var labels = name.Split('.');
        return labels.All(IsLabel) && !labels[^1].All(char.IsAsciiDigit) ? name : null;
    }

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= LongestLabel && label[0] != '-' && label[^1] != '-' && label.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-');
}
