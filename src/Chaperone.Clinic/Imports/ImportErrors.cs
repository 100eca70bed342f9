using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Imports;

/// <summary>Why a file as a whole cannot be imported, one line per rule. After each of these nothing was imported and nothing is kept of the file.</summary>
public static class ImportErrors
{
    /// <summary>It is no text, or another kind of text than CSV.</summary>
    public static readonly Error NotCsv = new("CHP-IMPORT-0001", "This is not a CSV file.", 415, "In the program it comes from, save or export it as CSV (comma-separated values), then upload that. Excel and ZIP files are not read.");

    /// <summary>UTF-16, which Excel calls Unicode text.</summary>
    public static readonly Error Encoding = new("CHP-IMPORT-0002", "This file's text encoding is not supported.", 415, "Save it as \"CSV UTF-8\". UTF-8 (with or without a byte order mark) and Windows-1252 are read.");

    /// <summary>No header, or one that names no columns.</summary>
    public static readonly Error NoHeader = new("CHP-IMPORT-0003", "The first line does not name the columns.", 422, "Put a header line first: one name for each column, no data in it.");

    /// <summary>Two columns of one name.</summary>
    public static readonly Error DuplicateHeader = new("CHP-IMPORT-0004", "Two columns have the same name.", 422, "Give each column a name of its own. The column's number is in the answer.");

    /// <summary>Quotes that do not pair.</summary>
    public static readonly Error BrokenQuotes = new("CHP-IMPORT-0005", "The quotation marks in this file do not pair.", 422, "In a quoted cell each quotation mark is doubled. Look at the row named, or export the file again.");

    /// <summary>Over 200,000 rows.</summary>
    public static readonly Error TooManyRows = new("CHP-IMPORT-0006", "The file has more than 200,000 rows.", 422, "Split it into several files.");

    /// <summary>Over 200 MB.</summary>
    public static readonly Error TooLarge = new("CHP-IMPORT-0007", "The file is larger than 200 MB.", 413, "Split it into several files.");

    /// <summary>Nothing in it.</summary>
    public static readonly Error Empty = new("CHP-IMPORT-0008", "There are no rows in this file.", 422, "Choose a file that has a header and at least one row.");

    /// <summary>No part named file.</summary>
    public static readonly Error NoFile = new("CHP-IMPORT-0009", "No file was sent.", 400, "Choose a file (API: multipart/form-data with a part named file).");

    /// <summary>The columns are not those of a known file, and nobody said what they mean.</summary>
    public static readonly Error NeedsMapping = new("CHP-IMPORT-0010", "Say what the columns of this file mean.", 422, "Map them on the import page, or send a part named mapping. The file's columns are remembered from then on.");

    /// <summary>A mapping that does not fit.</summary>
    public static readonly Error BadMapping = new("CHP-IMPORT-0011", "This mapping does not fit the file.", 422, "Correct what is named. Each field but \"further detail\" may come from one column; the page and the answer say which are needed.");

    /// <summary>Started, finished or thrown away already.</summary>
    public static readonly Error WrongState = new("CHP-IMPORT-0012", "This import has moved on.", 409, "Look at it as it is now.");

    /// <summary>Another node took the job over.</summary>
    internal static readonly Error LeaseLost = new("CHP-IMPORT-0013", "Another node carries on with this import.", 409, "There is nothing to do.");

    /// <summary>More than this node reads at once.</summary>
    public static readonly Error TooManyUploads = new("CHP-IMPORT-0014", "Several files are being uploaded at this moment.", 429, "Try again in a minute.");

    /// <summary>A kind that there is not.</summary>
    public static readonly Error UnknownKind = new("CHP-IMPORT-0015", "There is no such kind of import.", 422, "Choose patients, practitioners or appointments, or leave it out: known files are recognised by their columns.");

    internal static Error At(this Error error, int row) => error with { Facts = new Dictionary<string, object>(StringComparer.Ordinal) { ["row"] = row } };

    internal static Error AtColumn(this Error error, int column) => error with { Facts = new Dictionary<string, object>(StringComparer.Ordinal) { ["column"] = column } };
}
