namespace Chaperone.Clinic.Shell;

/// <summary>
/// Cells that a spreadsheet would take for a formula carry an apostrophe in front, which it hides. The other way gives back exactly what was there, so an export that is
/// imported again is the same.
/// </summary>
internal static class FormulaSafe
{
    public static string Write(string text) => IsDangerous(text) ? "'" + text : text;

    public static string Read(string cell) => cell.Length > 1 && cell[0] == '\'' && IsDangerous(cell.AsSpan(1)) ? cell[1..] : cell;

    // Apostrophes are looked through, so that one that was there before is told from ours; spaces, because some programs trim them.
    private static bool IsDangerous(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (c is '=' or '+' or '-' or '@' or '＝' or '＋' or '－' or '＠' or '\t' or '\r' or '\n') return true;
            if (c != '\'' && !char.IsWhiteSpace(c)) return false;
        }
        return false;
    }
}
