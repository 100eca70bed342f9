using System.Globalization;
using System.Text;

namespace Chaperone.Clinic.Shell.Pdf;

/// <summary>A column of a table in a report.</summary>
/// <param name="Title">Over it, on every page.</param>
/// <param name="Share">Of the width, beside the other columns.</param>
internal sealed record PdfColumn(string Title, double Share);

/// <summary>
/// Writes a report as PDF 1.7 while it is made: A4 pages of text and tables, one after the other, in constant memory but for the pages' places. The cover is written last, when the counts are known,
/// and stands first. Fonts are the standard ones, which are not embedded; see <see cref="PdfFont.Shown"/> for letters they lack.
/// </summary>
/// <remarks>Not for layouts, pictures or forms. The stream is only written to and left open. Whoever does not call <see cref="FinishAsync"/> leaves a file that no reader opens.</remarks>
/// <param name="to">Where to.</param>
/// <param name="title">In the document's properties and at the foot of each page; names no patient.</param>
internal sealed class PdfReport(Stream to, string title)
{
    private const double Wide = 595, High = 842, Margin = 50, Foot = 46;
    private readonly List<long> places = [0, 0, 0, 0];      // by object number less one; 1 catalogue, 2 pages, 3 and 4 fonts
    private readonly List<int> front = [], body = [];
    private readonly StringBuilder page = new();
    private IReadOnlyList<PdfColumn>? table;
    private bool isFront, isOpen;
    private double y;
    private long at;

    /// <summary>Pages so far.</summary>
    public int Pages => front.Count + body.Count + (isOpen ? 1 : 0);

    /// <summary>From here on it is the cover, which stands before everything.</summary>
    public async ValueTask BeginCoverAsync(CancellationToken cancel)
    {
        EndTable();
        await EndPageAsync(cancel);
        isFront = true;
    }

    public ValueTask TitleAsync(string text, CancellationToken cancel) => TextAsync(text, PdfFont.Bold, 20, 10, cancel);

    public async ValueTask HeadingAsync(string text, CancellationToken cancel)
    {
        if (isOpen && y < Foot + 90) await EndPageAsync(cancel);      // no heading alone at the foot
        if (isOpen) y -= 10;
        await TextAsync(text, PdfFont.Bold, 12.5, 5, cancel);
    }

    public ValueTask ParagraphAsync(string text, CancellationToken cancel) => TextAsync(text, PdfFont.Regular, 10, 6, cancel);

    /// <summary>A label and what stands beside it.</summary>
    public async ValueTask FactAsync(string label, string value, CancellationToken cancel)
    {
        const double Label = 130, Size = 10;
        var lines = Wrap(value, PdfFont.Regular, Size, Wide - (2 * Margin) - Label);
        await RoomAsync(14 * Math.Min(lines.Count, 20), cancel);
        Put(PdfFont.Bold, Size, Margin, y - Size, PdfFont.Shown(label));
        foreach (var line in lines)
        {
            await RoomAsync(14, cancel);
            Put(PdfFont.Regular, Size, Margin + Label, y - Size, line);
            y -= 14;
        }
    }

    /// <summary>Begins a table; its titles are repeated on each page.</summary>
    public async ValueTask BeginTableAsync(IReadOnlyList<PdfColumn> columns, CancellationToken cancel)
    {
        EndTable();
        await RoomAsync(60, cancel);
        table = columns;
        PutTitles();
    }

    /// <summary>A row; a cell takes as many lines as it needs, up to a dozen.</summary>
    public async ValueTask RowAsync(IReadOnlyList<string> cells, CancellationToken cancel)
    {
        const double Size = 8, Line = 10;
        var columns = table ?? throw new InvalidOperationException("There is no table.");
        var (width, shares) = (Wide - (2 * Margin), columns.Sum(column => column.Share));
        var lines = columns.Select((column, i) => Wrap(cells[i], PdfFont.Regular, Size, (width * column.Share / shares) - 6).Take(12).ToList()).ToList();
        var height = (lines.Max(cell => cell.Count) * Line) + 5;
        await RoomAsync(height, cancel);
        var x = Margin;
        for (var i = 0; i < columns.Count; i++)
        {
            for (var n = 0; n < lines[i].Count; n++) Put(PdfFont.Regular, Size, x, y - Size - (n * Line), lines[i][n]);
            x += width * columns[i].Share / shares;
        }
        y -= height;
        Rule(0.85, 0.4, y + 1);
    }

    public void EndTable() => table = null;

    /// <summary>Ends the document: the cover first, then the rest.</summary>
    public async ValueTask FinishAsync(CancellationToken cancel)
    {
        await EndPageAsync(cancel);
        if (front.Count + body.Count == 0) throw new InvalidOperationException("The report has no page.");
        await ObjectAsync(3, FontOf(PdfFont.Regular), cancel);
        await ObjectAsync(4, FontOf(PdfFont.Bold), cancel);
        await ObjectAsync(2, $"<< /Type /Pages /Count {front.Count + body.Count} /Kids [{string.Join(' ', front.Concat(body).Select(id => $"{id} 0 R"))}] >>", cancel);
        await ObjectAsync(1, "<< /Type /Catalog /Pages 2 0 R /Lang (en-GB) /ViewerPreferences << /DisplayDocTitle true >> >>", cancel);
        var info = NewObject();
        var name = new StringBuilder();
        PdfFont.Write(name, PdfFont.Shown(title));
        await ObjectAsync(info, $"<< /Title {name} /Producer (Chaperone) >>", cancel);
        var start = at;
        var end = new StringBuilder($"xref\n0 {places.Count + 1}\n0000000000 65535 f \n");
        foreach (var place in places) end.Append(CultureInfo.InvariantCulture, $"{place:D10} 00000 n \n");
        end.Append(CultureInfo.InvariantCulture, $"trailer\n<< /Size {places.Count + 1} /Root 1 0 R /Info {info} 0 R >>\nstartxref\n{start}\n%%EOF\n");
        await WriteAsync(end.ToString(), cancel);
        await to.FlushAsync(cancel);
    }

    private static string FontOf(PdfFont font) => $"<< /Type /Font /Subtype /Type1 /BaseFont /{font.Name} /Encoding /WinAnsiEncoding >>";

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private async ValueTask TextAsync(string text, PdfFont font, double size, double after, CancellationToken cancel)
    {
        EndTable();
        foreach (var line in Wrap(text, font, size, Wide - (2 * Margin)))
        {
            await RoomAsync(size * 1.35, cancel);
            Put(font, size, Margin, y - size, line);
            y -= size * 1.35;
        }
        y -= after;
    }

    // Words are kept whole; one that is wider than its column is cut.
    private static List<string> Wrap(string text, PdfFont font, double size, double width)
    {
        var (lines, line) = (new List<string>(), new StringBuilder());
        foreach (var word in PdfFont.Shown(text).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var rest = word;
            if (line.Length > 0 && font.Width(line + " " + rest, size) <= width)
            {
                line.Append(' ').Append(rest);
                continue;
            }
            if (line.Length > 0) lines.Add(line.ToString());
            line.Clear();
            while (rest.Length > 1 && font.Width(rest, size) > width)
            {
                var fits = rest.Length;
                while (fits > 1 && font.Width(rest[..fits], size) > width) fits--;
                lines.Add(rest[..fits]);
                rest = rest[fits..];
            }
            line.Append(rest);
        }
        lines.Add(line.ToString());
        return lines;
    }

    private async ValueTask RoomAsync(double height, CancellationToken cancel)
    {
        if (isOpen && y - height < Foot) await EndPageAsync(cancel);
        if (isOpen) return;
        (isOpen, y) = (true, High - Margin);
        if (table is not null) PutTitles();
    }

    private void PutTitles()
    {
        var (width, shares, x) = (Wide - (2 * Margin), table!.Sum(column => column.Share), Margin);
        foreach (var column in table!)
        {
            Put(PdfFont.Bold, 8, x, y - 8, PdfFont.Shown(column.Title));
            x += width * column.Share / shares;
        }
        y -= 14;
        Rule(0.3, 0.8, y + 2);
    }

    private void Put(PdfFont font, double size, double x, double baseline, string shown)
    {
        if (shown.Length == 0) return;
        page.Append(CultureInfo.InvariantCulture, $"BT /{font.Key} {Number(size)} Tf {Number(x)} {Number(baseline)} Td ");
        PdfFont.Write(page, shown);
        page.Append(" Tj ET\n");
    }

    private void Rule(double grey, double thick, double at) => page.Append(CultureInfo.InvariantCulture, $"{Number(grey)} G {Number(thick)} w {Number(Margin)} {Number(at)} m {Number(Wide - Margin)} {Number(at)} l S 0 G\n");

    private async ValueTask EndPageAsync(CancellationToken cancel)
    {
        if (!isOpen) return;
        var number = isFront ? "Cover" : $"Page {body.Count + 1}";
        Put(PdfFont.Regular, 8, Margin, 28, PdfFont.Shown(title));
        Put(PdfFont.Regular, 8, Wide - Margin - PdfFont.Regular.Width(number, 8), 28, number);
        var (content, id) = (NewObject(), NewObject());
        await ObjectAsync(content, $"<< /Length {page.Length} >>\nstream\n{page}endstream", cancel);
        await ObjectAsync(id, $"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {Number(Wide)} {Number(High)}] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents {content} 0 R >>", cancel);
        (isFront ? front : body).Add(id);
        page.Clear();
        isOpen = false;
    }

    private int NewObject()
    {
        places.Add(0);
        return places.Count;
    }

    private async ValueTask ObjectAsync(int number, string text, CancellationToken cancel)
    {
        if (at == 0) await WriteAsync("%PDF-1.7\n", cancel);
        places[number - 1] = at;
        await WriteAsync($"{number} 0 obj\n{text}\nendobj\n", cancel);
    }

    // Everything written is ASCII: other letters are escaped.
    private async ValueTask WriteAsync(string text, CancellationToken cancel)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        await to.WriteAsync(bytes, cancel);
        at += bytes.Length;
    }
}
