using System.Buffers;
using System.Text;

namespace Chaperone.Clinic.Shell;

/// <summary>Writes rows of CSV after RFC 4180, in UTF-8, each cell safe from being taken for a formula.</summary>
internal static class CsvText
{
    private static readonly SearchValues<char> NeedQuotes = SearchValues.Create(",\"\r\n;\t");

    /// <summary>So that spreadsheets read it as UTF-8.</summary>
    public static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    public static void Write(IBufferWriter<byte> to, params ReadOnlySpan<string?> cells)
    {
        for (var i = 0; i < cells.Length; i++)
        {
            if (i > 0) to.Write(","u8);
            var cell = FormulaSafe.Write(cells[i] ?? "");
            if (cell.Length == 0) continue;
            if (cell.AsSpan().ContainsAny(NeedQuotes) || char.IsWhiteSpace(cell[0]) || char.IsWhiteSpace(cell[^1])) cell = "\"" + cell.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
            Encoding.UTF8.GetBytes(cell, to);
        }
        to.Write("\r\n"u8);
    }
}
