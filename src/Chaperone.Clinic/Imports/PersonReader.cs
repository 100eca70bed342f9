using System.Globalization;
using System.Text.Json;
using Chaperone.Clinic.Patients;

namespace Chaperone.Clinic.Imports;

/// <summary>One row of the file as a patient, or what is wrong with it.</summary>
internal sealed record ReadPerson(int Row) : ReadRow(Row)
{
    /// <summary>Tidied and valid; null when the row is at fault.</summary>
    public PersonDetails? Details { get; init; }

    /// <summary>The record's own dates, from our own export.</summary>
    public DateTimeOffset? RegisteredAt { get; init; }

    public DateTimeOffset? ArchivedAt { get; init; }
}

/// <summary>Turns the cells of a row into a patient's details.</summary>
internal sealed class PersonReader(CsvShape shape, ColumnMapping mapping, DateOnly today) : RowReader(ImportFields.List, shape, mapping)
{
    private readonly bool isOwn = KnownFiles.IsOwn(shape.Header);

    protected override bool Exact => isOwn;

    public override ReadPerson Read(int row, string[] cells)
    {
        if (Slipped(row, cells) is { } slipped) return new(row) { Faults = [slipped] };
        var draft = new Draft();
        var faults = new List<Finding>();
        Take(row, cells, faults, (field, column, text) => Take(draft, field.Code, column, text));
        var details = draft.Build(Mapping.Source).Tidied();
        // One fault for each column: the rules below would only say again that the value is missing.
        if (details.Validate(today) is { } invalid)
            foreach (var field in invalid.Fields.Keys)
                if (LocateDetail(field) is var column && !faults.Exists(fault => fault.Column == column)) faults.Add(new(row, column, CodeOf(field, column < 0 ? "" : cells[column])));
        if (IsRepeated(draft.ExternalId)) faults.Add(new(row, LocateDetail("externalIds"), FindingCodes.Repeated));
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
                if (!DateText.TryParse(text, Mapping.DateFormat, out var born)) return FindingCodes.Date;
                draft.Details = person with { DateOfBirth = born };
                break;
            case "date_of_death":
                if (!DateText.TryParse(text, Mapping.DateFormat, out var died)) return FindingCodes.Date;
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

    private short LocateDetail(string field) => Locate(of => field == of.DetailsField || (of.DetailsField == "identifiers" && field.StartsWith("identifiers", StringComparison.Ordinal)));

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
