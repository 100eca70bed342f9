using System.Globalization;
using System.Text.Json;
using Chaperone.Clinic.Shell;

namespace Chaperone.Clinic.Patients.Import;

/// <summary>Something about a row that the report lists: where and which rule, never the value.</summary>
/// <param name="Row">Row of the file; the header is row 1.</param>
/// <param name="Column">Index of the column from 0, or -1 for the row as a whole.</param>
/// <param name="Code">A code of <see cref="FindingCodes"/>.</param>
internal readonly record struct Finding(int Row, short Column, string Code);

/// <summary>One row of the file as a patient, or what is wrong with it.</summary>
internal sealed record ReadPerson(int Row)
{
    /// <summary>Tidied and valid; null when the row is at fault.</summary>
    public PersonDetails? Details { get; init; }

    /// <summary>The other system's id, which is also among the details' ids.</summary>
    public string? ExternalId { get; init; }

    /// <summary>The record's own dates, from our own export.</summary>
    public DateTimeOffset? RegisteredAt { get; init; }

    public DateTimeOffset? ArchivedAt { get; init; }

    public IReadOnlyList<Finding> Faults { get; init; } = [];
}

/// <summary>Turns the cells of a row into a patient's details, by a mapping. Reads the rows of one file in order, from the first: it remembers the ids it met.</summary>
internal sealed class PersonReader
{
    private readonly (int Column, string Name, ImportField Field)[] columns;
    private readonly ColumnMapping mapping;
    private readonly int width;
    private readonly bool isOwn;
    private readonly DateOnly today;
    private readonly HashSet<string> ids = new(StringComparer.Ordinal);

    public PersonReader(CsvShape shape, ColumnMapping mapping, DateOnly today)
    {
        (this.mapping, this.today, width, isOwn) = (mapping, today, shape.Header.Count, KnownFiles.IsOwn(shape.Header));
        columns =
        [
            .. shape.Header.Select((name, i) => (i, name, mapping.Columns.TryGetValue(name, out var code) ? ImportFields.Find(code) : null))
                .Where(column => column.Item3 is not null).Select(column => (column.i, column.name, column.Item3!)),
        ];
    }

    public ReadPerson Read(int row, string[] cells)
    {
        // Cells that are missing at the end are empty; cells without a column are a row that has slipped.
        if (cells.Length > width) return new(row) { Faults = [new(row, -1, FindingCodes.TooManyCells)] };
        if (cells.Length < width) return new(row) { Faults = [new(row, -1, FindingCodes.TooFewCells)] };
        var draft = new Draft();
        var faults = new List<Finding>();
        foreach (var (column, name, field) in columns)
        {
            var text = FormulaSafe.Read(cells[column]);
            if (!isOwn) text = text.Trim();
            if (text.Length == 0) continue;
            if (text.Contains('\uFFFD', StringComparison.Ordinal)) faults.Add(new(row, (short)column, FindingCodes.Characters));
            else if (Take(draft, field.Code, name, text) is { } code) faults.Add(new(row, (short)column, code));
        }
        var details = draft.Build(mapping.Source).Tidied();
        // One fault for each column: the rules below would only say again that the value is missing.
        if (details.Validate(today) is { } invalid)
            foreach (var field in invalid.Fields.Keys)
                if (Locate(field) is var column && !faults.Exists(fault => fault.Column == column)) faults.Add(new(row, column, CodeOf(field, column < 0 ? "" : cells[column])));
        if (draft.ExternalId is { } id && !ids.Add(id)) faults.Add(new(row, Locate("externalIds"), FindingCodes.Repeated));
        return faults.Count > 0
            ? new(row) { ExternalId = draft.ExternalId, Faults = faults }
            : new(row) { Details = details, ExternalId = draft.ExternalId, RegisteredAt = draft.RegisteredAt, ArchivedAt = draft.ArchivedAt };
    }

    private string? Take(Draft draft, string code, string column, string text)
    {
        var person = draft.Details;
        switch (code)
        {
            case ImportFields.ExternalId or ImportFields.Id: draft.ExternalId = text; break;
            case "prefix": draft.Details = person with { Prefix = text }; break;
            case "given_names": draft.Details = person with { GivenNames = text }; break;
            case "family_name": draft.Details = person with { FamilyName = text }; break;
            case "suffix": draft.Details = person with { Suffix = text }; break;
            case "previous_name": draft.Details = person with { PreviousName = text }; break;
            case "date_of_birth":
                if (!DateText.TryParse(text, mapping.DateFormat, out var born)) return FindingCodes.Date;
                draft.Details = person with { DateOfBirth = born };
                break;
            case "date_of_death":
                if (!DateText.TryParse(text, mapping.DateFormat, out var died)) return FindingCodes.Date;
                draft.Details = person with { DateOfDeath = died };
                break;
            case "gender":
                if (CodeText.Gender(text) is not { } gender) return FindingCodes.UnknownWord;
                draft.Details = person with { Gender = gender };
                break;
            case "marital_status":
                if (CodeText.MaritalStatus(text) is not { } marital) return FindingCodes.UnknownWord;
                draft.Details = person with { MaritalStatus = marital };
                break;
            case "ethnicity": draft.Details = person with { Ethnicity = text }; break;
            case "race": draft.Details = person with { Race = text }; break;
            case "birth_place": draft.Details = person with { BirthPlace = text }; break;
            case "nhs_number": draft.Details = person with { NhsNumber = text }; break;
            case "phone": draft.Details = person with { Phone = text }; break;
            case "mobile": draft.Details = person with { Mobile = text }; break;
            case "email": draft.Details = person with { Email = text }; break;
            case "address_line_1" or "address_line_2" or "address_line_3" or "address_line_4" or "address_line_5": draft.Lines[code[^1] - '1'] = text; break;
            case "city": draft.Address = draft.Address with { City = text }; break;
            case "county": draft.Address = draft.Address with { County = text }; break;
            case "state": draft.Address = draft.Address with { State = text }; break;
            case "postcode": draft.Address = draft.Address with { Postcode = text }; break;
            case "country": draft.Address = draft.Address with { Country = text }; break;
            case ImportFields.Other: draft.Other[column.Length > 100 ? column[..100] : column] = text; break;
            default:
                if (!code.StartsWith(ImportFields.IdentifierPrefix, StringComparison.Ordinal)) return TakeOwn(draft, code, text);
                var type = code[ImportFields.IdentifierPrefix.Length..];
                // Our own export puts several numbers of a sort into one cell, a line each.
                foreach (var number in isOwn ? text.Split('\n') : [text]) draft.Identifiers.Add(new(type, number));
                break;
        }
        return null;
    }

    private static string? TakeOwn(Draft draft, string code, string text)
    {
        switch (code)
        {
            case ImportFields.Status when text is PatientRow.Active or PatientRow.Archived: draft.IsArchived = text == PatientRow.Archived; return null;
            case ImportFields.RegisteredAt when Time(text) is { } at: draft.RegisteredAt = at; return null;
            case ImportFields.ArchivedAt when Time(text) is { } at: draft.ArchivedAt = at; return null;
            case ImportFields.ArchiveReason when PersonCodes.ArchiveReasons.Has(text): draft.ArchiveReason = text; return null;
            case ImportFields.ArchiveNote: draft.ArchiveNote = text; return null;
            case ImportFields.BirthUnknown: draft.Details = draft.Details with { DateOfBirthUnknown = text == "true" }; return null;
            case ImportFields.OtherJson: return FromJson<Dictionary<string, string>>(text, ImportJson.Default.DictionaryStringString, found => draft.Other = found);
            case ImportFields.ExternalIdsJson: return FromJson<List<ExternalId>>(text, ImportJson.Default.ListExternalId, found => draft.ExternalIds = found);
            default: return FindingCodes.UnknownWord;
        }
    }

    private static string? FromJson<T>(string text, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, Action<T> take)
    {
        try
        {
            if (JsonSerializer.Deserialize(text, type) is { } found) take(found);
            return null;
        }
        catch (JsonException)
        {
            return FindingCodes.UnknownWord;
        }
    }

    private static DateTimeOffset? Time(string text) =>
        DateTimeOffset.TryParseExact(text, "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) ? at : null;

    private short Locate(string field)
    {
        foreach (var (column, _, of) in columns)
            if (field == of.DetailsField || (of.DetailsField == "identifiers" && field.StartsWith("identifiers", StringComparison.Ordinal))) return (short)column;
        return -1;
    }

    private static string CodeOf(string field, string cell) => field switch
    {
        "dateOfBirth" or "dateOfDeath" or "familyName" when string.IsNullOrWhiteSpace(cell) => FindingCodes.Missing,
        _ when cell.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029') => FindingCodes.Characters,
        "dateOfBirth" or "dateOfDeath" => FindingCodes.DateRange,
        "nhsNumber" => FindingCodes.NhsNumber,
        "phone" or "mobile" => FindingCodes.Phone,
        "email" => FindingCodes.Email,
        "gender" or "maritalStatus" => FindingCodes.UnknownWord,
        _ => FindingCodes.TooLong,
    };

    private sealed class Draft
    {
        public PersonDetails Details { get; set; } = new();

        public string?[] Lines { get; } = new string?[5];

        public PostalAddress Address { get; set; } = new();

        public List<PersonIdentifier> Identifiers { get; } = [];

        public Dictionary<string, string> Other { get; set; } = new(StringComparer.Ordinal);

        public List<ExternalId> ExternalIds { get; set; } = [];

        public string? ExternalId { get; set; }

        public bool IsArchived { get; set; }

        public DateTimeOffset? RegisteredAt { get; set; }

        public DateTimeOffset? ArchivedAt { get; set; }

        public string? ArchiveReason { get; set; }

        public string? ArchiveNote { get; set; }

        public PersonDetails Build(string source)
        {
            // A record without the moment it was archived is active: the database asks for both or neither.
            if (!IsArchived) ArchivedAt = null;
            return Details with
            {
                Address = Address with { Lines = [.. Lines.OfType<string>()] },
                Identifiers = Identifiers,
                Other = Other,
                ExternalIds = ExternalId is { } id ? [new(source, id), .. ExternalIds.Where(other => other.Source != source)] : ExternalIds,
                Archiving = ArchivedAt is null ? null : new(ArchiveReason ?? PersonCodes.OtherReason, ArchiveNote),
            };
        }
    }
}
