using System.Text;
using Chaperone.Platform.Operations;
using CsvHelper;

namespace Chaperone.Clinic.Imports;

/// <summary>How a file is to be read.</summary>
/// <param name="Encoding"><c>utf-8</c> or <c>windows-1252</c>.</param>
/// <param name="Delimiter">Comma, semicolon or tab.</param>
/// <param name="Header">The columns' names, trimmed. An empty name stands over a column without any value.</param>
/// <param name="Rows">Rows after the header.</param>
internal sealed record CsvShape(string Encoding, char Delimiter, IReadOnlyList<string> Header, int Rows);

/// <summary>The quotation marks do not pair from this row on.</summary>
internal sealed class BrokenQuotesException(int row) : Exception($"Broken quotes in row {row}.")
{
    public int Row => row;
}

/// <summary>Reads a CSV file row by row, after RFC 4180. Rows are counted as a spreadsheet counts them: the header is row 1. Blank lines count as nothing.</summary>
internal sealed class CsvTable(Stream file, string encoding, char delimiter) : IAsyncDisposable
{
    private static readonly Encoding Windows1252 = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;

    private readonly CsvReader reader = CsvReader.Create(file, new CsvReaderOptions
    {
        Separator = delimiter,
        HasHeader = false,
        Encoding = encoding == ByteCheck.Windows1252 ? Windows1252 : null,
        MalformedData = CsvMalformedDataHandling.Throw,
        MaxRecordSize = ImportLimits.MostRowBytes,   // a longer one is a quotation mark that was never closed
        SkipEmptyLines = true,
        IncludeValuesInExceptions = false,
    });

    /// <summary>The row being looked at; 0 before the first.</summary>
    public int Row { get; private set; }

    /// <summary>Goes to the next row; false at the end.</summary>
    /// <exception cref="BrokenQuotesException">A quotation mark stands where none may, or is never closed.</exception>
    public async ValueTask<bool> ReadAsync(CancellationToken cancel)
    {
        try
        {
            if (!await reader.ReadAsync(cancel)) return false;
            Row++;
            return true;
        }
        catch (CsvFormatException)
        {
            throw new BrokenQuotesException(Row + 1);
        }
    }

    /// <summary>The cells of this row.</summary>
    public string[] Cells()
    {
        var cells = new string[reader.FieldCount];
        for (var i = 0; i < cells.Length; i++) cells[i] = reader.GetString(i);
        return cells;
    }

    public ValueTask DisposeAsync() => reader.DisposeAsync();

    /// <summary>Reads the whole file once and says how it is to be read, or why it cannot be.</summary>
    /// <param name="file">The file from its beginning.</param>
    /// <param name="encoding">What <see cref="ByteCheck"/> found.</param>
    /// <param name="head">The file's first bytes.</param>
    /// <param name="cancel">Stops reading.</param>
    public static async Task<Result<CsvShape>> ExamineAsync(Stream file, string encoding, ReadOnlyMemory<byte> head, CancellationToken cancel)
    {
        var delimiter = DelimiterOf(head.Span);
        await using var table = new CsvTable(file, encoding, delimiter);
        try
        {
            if (!await table.ReadAsync(cancel)) return ImportErrors.Empty;
            var header = table.Cells().Select(name => name.Trim()).ToArray();
            if (HeaderFault(header) is { } fault) return fault;
            var rows = 0;
            while (await table.ReadAsync(cancel))
            {
                if (++rows > ImportLimits.MostRows) return ImportErrors.TooManyRows;
                var cells = table.Cells();
                for (var i = 0; i < Math.Min(cells.Length, header.Length); i++)
                    if (header[i].Length == 0 && !string.IsNullOrWhiteSpace(cells[i])) return ImportErrors.NoHeader.AtColumn(i + 1);
            }
            return rows == 0 ? ImportErrors.Empty : new CsvShape(encoding, delimiter, header, rows);
        }
        catch (BrokenQuotesException broken)
        {
            return ImportErrors.BrokenQuotes.At(broken.Row);
        }
    }

    private static Error? HeaderFault(string[] header)
    {
        if (header.Length > ImportLimits.MostColumns || header.All(name => name.Length == 0)) return ImportErrors.NoHeader;
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < header.Length; i++)
        {
            if (header[i].Length > 200 || LooksLikeData(header[i])) return ImportErrors.NoHeader.AtColumn(i + 1);
            if (header[i].Length > 0 && !seen.Add(header[i])) return ImportErrors.DuplicateHeader.AtColumn(i + 1);
        }
        return null;
    }

    // Dates, numbers and addresses are not what columns are called: the header is missing.
    private static bool LooksLikeData(string name) => name.Length > 0
        && (!name.Any(char.IsLetter) || name.Contains('@', StringComparison.Ordinal) || Guid.TryParse(name, out _) || DateText.TryParse(name, DateText.Iso, out _) || DateText.TryParse(name, DateText.DayFirst, out _));

    /// <summary>The one of comma, semicolon and tab that stands most often outside quotes in the first line.</summary>
    internal static char DelimiterOf(ReadOnlySpan<byte> head)
    {
        Span<int> counts = stackalloc int[3];
        var quoted = false;
        foreach (var b in head)
        {
            if (b == (byte)'"') quoted = !quoted;
            if (quoted) continue;
            if (b is (byte)'\n' or (byte)'\r')
            {
                if (counts.IndexOfAnyExcept(0) >= 0) break;
                continue;
            }
            if (b == (byte)',') counts[0]++;
            else if (b == (byte)';') counts[1]++;
            else if (b == (byte)'\t') counts[2]++;
        }
        return counts[1] > counts[0] && counts[1] >= counts[2] ? ';' : counts[2] > counts[0] ? '\t' : ',';
    }
}
