using System.Text;
using System.Text.RegularExpressions;

namespace Chaperone.Ledger;

/// <summary>Finds the checkpoint in what people kept of it: the note itself, a text or mail around it, or a whole mail as it was sent.</summary>
/// <remarks>Forgiving on purpose: quote marks, indents, other line ends and lines around it are passed over. It vouches for nothing, so whoever uses what it finds checks the signature.</remarks>
public static partial class CheckpointInText
{
    private const int Longest = 10_000_000;

    /// <summary>The first checkpoint in it, as a note; the bytes as they are where none is found.</summary>
    public static ReadOnlyMemory<byte> Find(ReadOnlyMemory<byte> kept)
    {
        if (kept.Length > Longest || (SignedNote.TryParse(kept.Span, out var whole) && Checkpoint.TryParse(whole.Text, out _))) return kept;
        var text = Encoding.UTF8.GetString(kept.Span);
        if (InText(text) is { } note) return note;
        foreach (Match part in Base64Part().Matches(text))
            if (TryDecode(part.Groups["body"].Value) is { } body && InText(body) is { } inside) return inside;
        return InText(Unquote(text)) ?? kept;
    }

    private static byte[]? InText(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n').Select(line => line.Trim(' ', '\t', '>', '\u00a0', '\ufeff')).ToArray();
        for (var i = 0; i + 3 < lines.Length; i++)
        {
            if (!Checkpoint.TryParseNumber(lines[i + 1], out _) || !Hash256.TryParseBase64(lines[i + 2], out _) || lines[i].Length == 0) continue;
            var at = i + 3;
            while (at < lines.Length && lines[at].Length == 0) at++;
            var signatures = lines.Skip(at).TakeWhile(line => line.StartsWith("\u2014 ", StringComparison.Ordinal)).ToArray();
            if (signatures.Length == 0) continue;
            var note = Encoding.UTF8.GetBytes($"{lines[i]}\n{lines[i + 1]}\n{lines[i + 2]}\n\n{string.Concat(signatures.Select(line => line + "\n"))}");
            if (SignedNote.TryParse(note, out _)) return note;
        }
        return null;
    }

    private static string? TryDecode(string base64)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(base64));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    // Quoted-printable (RFC 2045 section 6.7), which some mail programs make of a mail they forward.
    private static string Unquote(string text)
    {
        var joined = SoftBreak().Replace(text, "");
        return QuotedRun().Replace(joined, run => Encoding.UTF8.GetString(Convert.FromHexString(run.Value.Replace("=", "", StringComparison.Ordinal))));
    }

    [GeneratedRegex(@"Content-Transfer-Encoding:\s*base64.*?\r?\n\r?\n(?<body>[A-Za-z0-9+/=\r\n]+)", RegexOptions.IgnoreCase | RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Base64Part();

    [GeneratedRegex(@"=[ \t]*\r?\n", RegexOptions.None, 1000)]
    private static partial Regex SoftBreak();

    [GeneratedRegex("(=[0-9A-F]{2})+", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex QuotedRun();
}
