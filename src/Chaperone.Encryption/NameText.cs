using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Chaperone.Encryption;

/// <summary>
/// Names as they are compared: NFKD, marks removed, case folded, letters that do not decompose mapped (ß ł ø æ …), digits of all scripts as 0-9. Anything but letters
/// and digits separates words; apostrophes and hyphens separate parts of a word, which then counts both joined and split. Work is bounded whatever the input.
/// </summary>
/// <remarks>In scripts whose vowel signs are marks (Devanagari, Thai) names that differ only by them compare as equal: more is found than was meant, never less.</remarks>
internal static class NameText
{
    /// <summary>Characters of a name that count; the rest is ignored when storing and when finding.</summary>
    public const int LongestInput = 512;

    /// <summary>Letters of a token that count.</summary>
    public const int LongestToken = 64;

    /// <summary>Tokens per name that count.</summary>
    public const int MostTokens = 64;

    private static readonly FrozenDictionary<int, string> Mapped = new Dictionary<int, string>
    {
        ['ß'] = "ss", ['ł'] = "l", ['ø'] = "o", ['æ'] = "ae", ['œ'] = "oe", ['đ'] = "d", ['ð'] = "d", ['þ'] = "th", ['ħ'] = "h", ['ŧ'] = "t", ['ŋ'] = "n", ['ı'] = "i",
        ['ĸ'] = "k", ['ƀ'] = "b", ['ɨ'] = "i", ['ʉ'] = "u", ['ɓ'] = "b", ['ɗ'] = "d", ['ƙ'] = "k", ['ƴ'] = "y", ['ə'] = "a",
    }.ToFrozenDictionary();

    // Acute accent, grave and primes stand for apostrophes; the letters at U+02B9.. are written so in Ukrainian, Hawaiian and transliterated Arabic and Hebrew names.
    private const string Apostrophes = "'’‘‛´`ʹʻʼʽʾʿˈ′＇׳״";
    private const string Hyphens = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uFE58\uFE63\uFF0D\u05BE·";

    /// <summary>The words of a text, each as its parts; parts are never empty.</summary>
    public static List<List<string>> Words(string text)
    {
        var words = new List<List<string>>();
        var parts = new List<string>();
        var part = new StringBuilder();
        foreach (var rune in Decompose(text).EnumerateRunes())
        {
            if (IsJoiner(rune)) EndPart();
            else if (Letter(rune) is { } letter) part.Append(letter);
            else if (!IsIgnored(rune)) EndWord();
        }
        EndWord();
        return words;

        void EndPart()
        {
            if (part.Length > 0) parts.Add(part.ToString());
            part.Clear();
        }

        void EndWord()
        {
            EndPart();
            if (parts.Count == 0) return;
            words.Add(parts);
            parts = [];
        }
    }

    /// <summary>
    /// Every token by which a name is found: each part of each word, and each part joined with those after it (so that o'brien is found as obrien, and in
    /// smith-o'brien too).
    /// </summary>
    public static List<string> Tokens(string name)
    {
        var tokens = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var parts in Words(name))
        {
            for (var i = 0; i < parts.Count && tokens.Count < MostTokens; i++)
            {
                Keep(Join(parts, i));
                Keep(First(parts[i], LongestToken));
            }
        }
        return tokens;

        void Keep(string token)
        {
            if (tokens.Count < MostTokens && seen.Add(token)) tokens.Add(token);
        }
    }

    /// <summary>The parts from <paramref name="start"/> on as one token.</summary>
    public static string Join(List<string> parts, int start)
    {
        if (start == parts.Count - 1) return First(parts[start], LongestToken);
        var joined = new StringBuilder();
        for (var i = start; i < parts.Count && joined.Length < 2 * LongestToken; i++) joined.Append(parts[i]);
        return First(joined.ToString(), LongestToken);
    }

    /// <summary>The first <paramref name="letters"/> letters (code points, not UTF-16 units).</summary>
    public static string First(string token, int letters)
    {
        if (token.Length <= letters) return token;
        var length = 0;
        foreach (var rune in token.EnumerateRunes())
        {
            if (letters-- == 0) break;
            length += rune.Utf16SequenceLength;
        }
        return token[..length];
    }

    /// <summary>Letters (code points) of a token.</summary>
    public static int Count(string token)
    {
        var count = 0;
        foreach (var _ in token.EnumerateRunes()) count++;
        return count;
    }

    // Lone surrogates would make Normalize throw; they become separators. The acute accent would decompose into a space.
    private static string Decompose(string text)
    {
        var clean = new StringBuilder(Math.Min(text.Length, LongestInput));
        foreach (var rune in text.EnumerateRunes())
        {
            if (clean.Length + rune.Utf16SequenceLength > LongestInput) break;
            if (IsJoiner(rune)) clean.Append(Apostrophes.Contains((char)rune.Value, StringComparison.Ordinal) ? '\'' : '-');
            else clean.Append(rune == Rune.ReplacementChar ? " " : rune.ToString());
        }
        return clean.ToString().Normalize(NormalizationForm.FormKD);
    }

    private static string? Letter(Rune rune)
    {
        switch (Rune.GetUnicodeCategory(rune))
        {
            case UnicodeCategory.DecimalDigitNumber:
                return ((int)Rune.GetNumericValue(rune)).ToString(CultureInfo.InvariantCulture);
            case UnicodeCategory.ModifierLetter when IsIgnored(rune):
                return null;
            case UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter
                or UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber or UnicodeCategory.SpacingCombiningMark:
                // Up and down again: final sigma and other letters with two small forms meet in one.
                var folded = Rune.ToLowerInvariant(Rune.ToUpperInvariant(rune));
                return Mapped.TryGetValue(folded.Value, out var mapped) ? mapped : folded.ToString();
            default:
                return null;
        }
    }

    private static bool IsJoiner(Rune rune) =>
        rune.IsBmp && (Apostrophes.Contains((char)rune.Value, StringComparison.Ordinal) || Hyphens.Contains((char)rune.Value, StringComparison.Ordinal));

    // Marks, direction and joining controls, and the Arabic tatweel, which only stretches.
    private static bool IsIgnored(Rune rune) =>
        rune.Value == 0x0640 || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format;
}
