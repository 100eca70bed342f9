using System.Globalization;
using System.Text;

namespace Chaperone.Clinic.Shell.Pdf;

/// <summary>One of the fonts that every PDF reader brings (ISO 32000-1, 9.6.2.2), with the widths of its letters (Adobe's font metrics), in WinAnsiEncoding.</summary>
internal sealed class PdfFont
{
    private const char Unknown = '?';
    private static readonly int[] Plain =
    [
        278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
        1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
        333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
    ];
    private static readonly int[] Heavy =
    [
        278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
        975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
        333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
    ];

    // Where WinAnsi differs from Latin-1: what typography needs.
    private static readonly Dictionary<char, byte> Special = new()
    {
        ['€'] = 0x80, ['‚'] = 0x82, ['ƒ'] = 0x83, ['„'] = 0x84, ['…'] = 0x85, ['†'] = 0x86, ['‡'] = 0x87, ['ˆ'] = 0x88, ['‰'] = 0x89, ['Š'] = 0x8A, ['‹'] = 0x8B, ['Œ'] = 0x8C, ['Ž'] = 0x8E,
        ['‘'] = 0x91, ['’'] = 0x92, ['“'] = 0x93, ['”'] = 0x94, ['•'] = 0x95, ['–'] = 0x96, ['—'] = 0x97, ['˜'] = 0x98, ['™'] = 0x99, ['š'] = 0x9A, ['›'] = 0x9B, ['œ'] = 0x9C, ['ž'] = 0x9E, ['Ÿ'] = 0x9F,
    };

    // Letters whose marks are part of them, and signs that have a plain twin.
    private static readonly Dictionary<char, string> Twins = new()
    {
        ['ł'] = "l", ['Ł'] = "L", ['đ'] = "d", ['Đ'] = "D", ['ı'] = "i", ['ħ'] = "h", ['Ħ'] = "H", ['→'] = "->", ['\u2010'] = "-", ['\u2011'] = "-", ['\u2212'] = "-", ['\u2009'] = " ", ['\u202f'] = " ",
    };

    private readonly int[] widths;

    private PdfFont(string key, string name, int[] widths) => (Key, Name, this.widths) = (key, name, widths);

    public static PdfFont Regular { get; } = new("F1", "Helvetica", Plain);

    public static PdfFont Bold { get; } = new("F2", "Helvetica-Bold", Heavy);

    /// <summary>By which pages call it.</summary>
    public string Key { get; }

    /// <summary>The standard name.</summary>
    public string Name { get; }

    /// <summary>
    /// The text in letters that the font has: marks that it lacks are dropped (ő becomes o), and a letter of another script becomes a question mark, one for each.
    /// Control and direction characters go.
    /// </summary>
    public static string Shown(string text)
    {
        if (text.All(letter => letter is >= ' ' and <= '~')) return text;
        var shown = new StringBuilder(text.Length);
        foreach (var rune in text.Normalize(NormalizationForm.FormC).EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.NonSpacingMark) shown.Append(rune.Value is '\n' or '\t' ? " " : "");
            else if (rune.IsBmp && Code((char)rune.Value) is not null) shown.Append((char)rune.Value);
            else if (rune.IsBmp && Twins.TryGetValue((char)rune.Value, out var twin)) shown.Append(twin);
            else
            {
                var plain = new string([.. rune.ToString().Normalize(NormalizationForm.FormKD).Where(letter => Code(letter) is not null && CharUnicodeInfo.GetUnicodeCategory(letter) != UnicodeCategory.NonSpacingMark)]);
                shown.Append(plain.Length > 0 ? plain : Unknown);
            }
        }
        return shown.ToString();
    }

    /// <summary>Width at a size, in points; of a text that <see cref="Shown"/> gave.</summary>
    public double Width(string shown, double size)
    {
        var total = 0;
        foreach (var letter in shown) total += Width(letter);
        return total * size / 1000;
    }

    /// <summary>The text as a string of a page's content.</summary>
    public static void Write(StringBuilder content, string shown)
    {
        content.Append('(');
        foreach (var letter in shown)
        {
            var code = Code(letter) ?? (byte)Unknown;
            if (code is (byte)'(' or (byte)')' or (byte)'\\') content.Append('\\').Append((char)code);
            else if (code is >= 0x20 and < 0x7f) content.Append((char)code);
            else content.Append('\\').Append(Convert.ToString(code, 8).PadLeft(3, '0'));
        }
        content.Append(')');
    }

    private static byte? Code(char letter) => letter is (>= ' ' and <= '~') or (>= '\u00a0' and <= '\u00ff' and not '\u00ad') ? (byte)letter : Special.TryGetValue(letter, out var code) ? code : null;

    // Letters with marks are as wide as those without; of what has none, as wide as most.
    private int Width(char letter)
    {
        if (letter is >= ' ' and <= '~') return widths[letter - ' '];
        var plain = letter.ToString().Normalize(NormalizationForm.FormKD)[0];
        return plain is >= ' ' and <= '~' ? widths[plain - ' '] : letter is '—' or '…' or 'Æ' or 'Œ' or '™' ? 1000 : 611;
    }
}
