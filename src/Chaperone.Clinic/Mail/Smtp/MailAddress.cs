using System.Globalization;
using System.Text;

namespace Chaperone.Clinic.Mail.Smtp;

/// <summary>Addresses as they may stand in a command: a dot-atom, an @ and a host name (RFC 5321, 4.1.2), letters of any script (RFC 6531). Quoted local parts are not taken.</summary>
internal static class MailAddress
{
    private const int MostLocal = 64, Most = 254;
    private const string Marks = "!#$%&'*+-/=?^_`{|}~";

    /// <summary>The address with its host in ASCII, or null when it is none that can be sent to.</summary>
    public static string? Read(string? text)
    {
        if (text?.Trim() is not { Length: > 2 and <= Most } address || address.LastIndexOf('@') is not (> 0 and var at) || at == address.Length - 1) return null;
        var (local, host) = (address[..at], address[(at + 1)..]);
        if (local.Length > MostLocal || local.Split('.').Any(atom => atom.Length == 0 || !atom.EnumerateRunes().All(IsAtom))) return null;
        return Host(host) is { } ascii ? $"{local}@{ascii}" : null;
    }

    /// <summary>A host name in ASCII, or null when it is none.</summary>
    public static string? Host(string host)
    {
        try
        {
            var ascii = new IdnMapping { UseStd3AsciiRules = true }.GetAscii(host.Trim());
            return ascii.Length <= 253 && ascii.Split('.').All(label => label.Length is > 0 and <= 63) ? ascii.ToLowerInvariant() : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static bool IsAtom(Rune rune) => rune.IsAscii
        ? char.IsAsciiLetterOrDigit((char)rune.Value) || Marks.Contains((char)rune.Value, StringComparison.Ordinal)
        : !Rune.IsControl(rune) && !Rune.IsWhiteSpace(rune) && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
}
