using System.Globalization;
using System.Text;

namespace Chaperone.Encryption;

/// <summary>
/// Values as blind indexes take them, so that the same thing written differently gives the same token. Never for display and never a check that the value is valid.
/// An empty result means that there is nothing to index or to look for.
/// </summary>
public static class Normaliser
{
    private const int Longest = 512;

    /// <summary>
    /// A telephone number in international digits without plus: <c>07700 900123</c>, <c>+44 (0)7700 900123</c> and <c>0044 7700 900123</c> all give <c>447700900123</c>.
    /// A national number (one leading zero) counts as British. Without plus or zeros the digits stay as they are. An extension (x, ext, #) is left out.
    /// </summary>
    public static string Phone(string phone)
    {
        var digits = new StringBuilder();
        var international = false;
        foreach (var rune in Bounded(phone))
        {
            if (Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber) digits.Append((char)('0' + (int)Rune.GetNumericValue(rune)));
            else if (digits.Length == 0) international |= rune.Value is '+' or '＋';
            else if (Rune.IsLetter(rune) || rune.Value is '#' or ';' or ',') break;
        }
        var number = digits.ToString();
        if (!international && number.StartsWith("00", StringComparison.Ordinal)) (international, number) = (true, number[2..]);
        else if (!international && number.Length > 1 && number[0] == '0') return "44" + number[1..];
        return international && number.StartsWith("440", StringComparison.Ordinal) ? "44" + number[3..] : number;
    }

    /// <summary>An email address: without spaces around, composed, lower case. The part before the @ is not interpreted.</summary>
    public static string Email(string email)
    {
        var valid = new StringBuilder(email.Length);
        foreach (var rune in Bounded(email.Trim())) valid.Append(rune.ToString()); // Normalize throws on lone surrogates
        return valid.ToString().Normalize(NormalizationForm.FormKC).ToLowerInvariant();
    }

    /// <summary>An NHS number or another number of digits only: the digits.</summary>
    public static string Digits(string number)
    {
        var digits = new StringBuilder();
        foreach (var rune in Bounded(number))
            if (Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber) digits.Append((char)('0' + (int)Rune.GetNumericValue(rune)));
        return digits.ToString();
    }

    /// <summary>A date: <c>1987-03-09</c>.</summary>
    public static string Date(DateOnly date) => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>A name as one text, for finding the same name again (with the date of birth: likely duplicates): words joined by one space, apostrophes and hyphens left out.</summary>
    public static string Name(string name) => string.Join(' ', NameText.Words(name).Take(NameText.MostTokens).Select(parts => NameText.Join(parts, 0)));

    private static StringRuneEnumerator Bounded(string text) => (text.Length > Longest ? text[..Longest] : text).EnumerateRunes();
}

/// <summary>Confirms after opening what a blind index found.</summary>
public static class NameMatch
{
    /// <summary>
    /// Whether every word typed begins some word of the name, both normalised. Words with apostrophe or hyphen match joined or part by part. Typed text without letters
    /// or digits matches nothing.
    /// </summary>
    public static bool Matches(string name, string typed)
    {
        var words = NameText.Words(typed);
        if (words.Count == 0) return false;
        var tokens = NameText.Tokens(name);
        return words.Take(NameText.MostTokens).All(parts =>
            Begins(NameText.Join(parts, 0)) || (parts.Count > 1 && parts.All(part => Begins(NameText.First(part, NameText.LongestToken)))));

        bool Begins(string word) => tokens.Exists(token => token.StartsWith(word, StringComparison.Ordinal));
    }
}
