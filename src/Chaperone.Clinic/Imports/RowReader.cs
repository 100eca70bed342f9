using Chaperone.Clinic.Shell;

namespace Chaperone.Clinic.Imports;

/// <summary>Something about a row that the report lists: where and which rule, never the value.</summary>
/// <param name="Row">Row of the file; the header is row 1.</param>
/// <param name="Column">Index of the column from 0, or -1 for the row as a whole.</param>
/// <param name="Code">A code of <see cref="FindingCodes"/>.</param>
internal readonly record struct Finding(int Row, short Column, string Code);

/// <summary>One row of the file as it was understood, or what is wrong with it.</summary>
internal abstract record ReadRow(int Row)
{
    /// <summary>The other system's id.</summary>
    public string? ExternalId { get; init; }

    public IReadOnlyList<Finding> Faults { get; init; } = [];

    // Records are printed by whoever logs them.
    public sealed override string ToString() => $"row {Row}";
}

/// <summary>Understands the cells of a row by a mapping. Reads the rows of one file in order, from the first: it remembers the ids it met.</summary>
internal abstract class RowReader
{
    private readonly (int Column, string Name, ImportField Field)[] columns;
    private readonly int width;
    private readonly HashSet<string> ids = new(StringComparer.Ordinal);

    protected RowReader(ImportFieldList fields, CsvShape shape, ColumnMapping mapping)
    {
        (Mapping, width) = (mapping, shape.Header.Count);
        columns =
        [
            .. shape.Header.Select((name, i) => (i, name, mapping.Columns.TryGetValue(name, out var code) ? fields.Find(code) : null))
                .Where(column => column.Item3 is not null).Select(column => (column.i, column.name, column.Item3!)),
        ];
    }

    protected ColumnMapping Mapping { get; }

    /// <summary>Whether cells are taken as they are, spaces included: only our own export is.</summary>
    protected virtual bool Exact => false;

    public abstract ReadRow Read(int row, string[] cells);

    /// <summary>What is wrong with the row as a whole: cells without a column, or columns without a cell, are a row that has slipped.</summary>
    protected Finding? Slipped(int row, string[] cells) =>
        cells.Length > width ? new(row, -1, FindingCodes.TooManyCells) : cells.Length < width ? new(row, -1, FindingCodes.TooFewCells) : null;

    /// <summary>Hands each value to <paramref name="take"/>, which says what is wrong with it.</summary>
    protected void Take(int row, string[] cells, List<Finding> faults, Func<ImportField, string, string, string?> take)
    {
        foreach (var (column, name, field) in columns)
        {
            var text = FormulaSafe.Read(cells[column]);
            if (!Exact) text = text.Trim();
            if (text.Length == 0) continue;
            if (text.Contains('\uFFFD', StringComparison.Ordinal)) faults.Add(new(row, (short)column, FindingCodes.Characters));
            else if (take(field, name, text) is { } code) faults.Add(new(row, (short)column, code));
        }
    }

    /// <summary>Whether an earlier row of the file has this id.</summary>
    protected bool IsRepeated(string? id) => id is not null && !ids.Add(id);

    /// <summary>The first column that holds such a field, or -1.</summary>
    protected short Locate(Func<ImportField, bool> field)
    {
        foreach (var (column, _, of) in columns)
            if (field(of)) return (short)column;
        return -1;
    }

    protected short Locate(string code) => Locate(field => field.Code == code);

    /// <summary>Text that can be stored: bounded, without control characters.</summary>
    protected static string? TextFault(string text, int longest) =>
        text.Length > longest ? FindingCodes.TooLong : text.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029') ? FindingCodes.Characters : null;
}
