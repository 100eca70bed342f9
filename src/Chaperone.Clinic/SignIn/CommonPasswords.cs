using System.Collections.Frozen;
using System.Reflection;
using System.Text;

namespace Chaperone.Clinic.SignIn;

/// <summary>
/// Recognises passwords that guessing programs try first. With twelve characters as the least, those are not the famous short ones but these stretched: doubled, with
/// digits and signs around, with letters replaced by look-alikes. So the list holds words, and a password is refused when one or two of them and at most eight other
/// characters are all it is; also rows of the keyboard, counting, and few characters repeated.
/// </summary>
internal static class CommonPasswords
{
    private const int MostOthers = 8;
    private const string Replaced = "@4310$5!7+";
    private const string Meant = "aaeiossitt";

    private static readonly string[] Rows =
        ["abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qazwsxedcrfvtgbyhnujmikolp", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "123456789012345678901234567890", "azertyuiopqsdfghjklmwxcvbn"];

    private static readonly FrozenSet<string> Words = Read();
    private static readonly int Longest = Words.Max(word => word.Length);

    public static bool Contains(string password)
    {
        var lower = password.ToLowerInvariant();
        if (lower.Distinct().Count() <= 4 || IsRepeated(lower) || Rows.Any(row => Follows(row, lower))) return true;
        return IsWords(lower, replace: false) || IsWords(lower, replace: true);
    }

    private static bool IsWords(string text, bool replace)
    {
        var letters = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            var meant = replace && Replaced.IndexOf(c, StringComparison.Ordinal) is var at and >= 0 ? Meant[at] : c;
            if (char.IsLetter(meant)) letters.Append(meant);
        }
        if (letters.Length == 0 || text.Length - letters.Length > MostOthers) return false;
        // Replaced digits at an end are digits after all ("password2014"), so what is left over there may be part of neither word.
        var word = letters.ToString();
        for (var trimmed = 0; trimmed <= (replace ? 4 : 0) && trimmed < word.Length; trimmed++)
            if (IsOneOrTwo(word[..^trimmed])) return true;
        return false;
    }

    private static bool IsOneOrTwo(string letters)
    {
        if (letters.Length > 2 * Longest) return false;
        if (Words.Contains(letters)) return true;
        for (var cut = 2; cut <= letters.Length - 2; cut++)
            if (Words.Contains(letters[..cut]) && Words.Contains(letters[cut..])) return true;
        return false;
    }

    // "abcabcabcabc": a piece of up to half the length over and over.
    private static bool IsRepeated(string text)
    {
        for (var length = 1; length <= Math.Min(6, text.Length / 2); length++)
        {
            var piece = text[..length];
            if (text.Select((c, i) => c == piece[i % length]).All(same => same)) return true;
        }
        return false;
    }

    // A run along a row, forwards or backwards, with at most four other characters after it.
    private static bool Follows(string row, string text)
    {
        for (var left = 0; left <= 4 && text.Length - left >= 8; left++)
        {
            var start = text[..^left];
            if (row.Contains(start, StringComparison.Ordinal) || row.Contains(new string([.. start.Reverse()]), StringComparison.Ordinal)) return true;
        }
        return false;
    }

    private static FrozenSet<string> Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("common-passwords.txt")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.Ordinal);
    }
}
