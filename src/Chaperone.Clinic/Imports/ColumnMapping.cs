using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Clinic.Patients;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;

namespace Chaperone.Clinic.Imports;

/// <summary>What the columns of a sort of file mean.</summary>
public sealed record ColumnMapping : ISealedPayload<ColumnMapping>
{
    /// <summary>What the file holds: <c>patients</c>, <c>practitioners</c> or <c>appointments</c>. Null is patients.</summary>
    public string? Kind { get; init; }

    /// <summary>Where the file comes from, such as <c>synthea</c>: ids in it are told from another system's by this. Lower-case letters, digits, dot, hyphen, underscore.</summary>
    public string Source { get; init; } = "file";

    /// <summary>How dates are written: <c>iso</c> (2024-05-31), <c>dmy</c> (31/05/2024) or <c>mdy</c> (05/31/2024).</summary>
    public string DateFormat { get; init; } = DateText.Iso;

    /// <summary>Column name to field code. A column that is not here is not imported.</summary>
    public IReadOnlyDictionary<string, string> Columns { get; init; } = new Dictionary<string, string>();

    /// <summary>What becomes of a row that looks like somebody registered (same name and date of birth): <c>skip</c> it, or <c>import</c> it. Either way it is listed.</summary>
    public string Duplicates { get; init; } = SkipThem;

    internal const string SkipThem = "skip", ImportThem = "import";

    /// <inheritdoc />
    public static JsonTypeInfo<ColumnMapping> Json => ImportJson.Default.ColumnMapping;

    /// <summary>The columns of the header that nothing is taken from, in order.</summary>
    internal IReadOnlyList<string> Unmapped(IReadOnlyList<string> header) => [.. header.Where(name => name.Length > 0 && !Columns.ContainsKey(name))];

    /// <summary>The kind's code.</summary>
    internal string KindCode => Kind ?? ImportKind.Patients.Code;

    /// <summary>What does not fit, or null.</summary>
    internal Error? Fault(IReadOnlyList<string> header)
    {
        var error = ImportErrors.BadMapping;
        var known = header.ToHashSet(StringComparer.Ordinal);
        var column = 0;
        if (ImportKind.Find(KindCode) is not { } kind) return error.With("kind", "Choose patients, practitioners or appointments.");
        if (Source.Length is 0 or > 50 || !Source.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '-' or '_')) return error.With("source", "Use up to 50 lower-case letters, digits, dots and hyphens.");
        if (!DateText.IsKnown(DateFormat)) return error.With("dateFormat", "Choose iso, dmy or mdy.");
        if (Duplicates is not (SkipThem or ImportThem)) return error.With("duplicates", "Choose skip or import.");
        var isOwn = KnownFiles.IsOwn(header);
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, code) in Columns)
        {
            column++;
            if (!known.Contains(name) || name.Length == 0) return error.With("columns", "A column named is not in the file.").AtColumn(column);
            if (kind.Fields.Find(code) is not { } field || (field.OwnFormat && !isOwn)) return error.With("columns", "A field named does not exist.").AtColumn(column);
            if (!taken.Add(code) && !kind.MayRepeat(code))
                return error.With("columns", $"Two columns are mapped to \"{field.Label}\".").AtColumn(column);
        }
        return kind.Missing(taken) is { } missing ? error.With("columns", missing) : null;
    }

    /// <summary>A first proposal by the columns' names, for somebody to look over.</summary>
    internal static ColumnMapping Guess(ImportKind kind, IReadOnlyList<string> header)
    {
        var columns = new Dictionary<string, string>(StringComparer.Ordinal);
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in header)
            if (kind.Fields.Guess(name) is { } field && taken.Add(field.Code)) columns[name] = field.Code;
        return new() { Kind = kind.Code, Columns = columns };
    }
}

/// <summary>Files of patients whose columns are known beforehand.</summary>
internal static class KnownFiles
{
    public const string OwnSource = "chaperone", SyntheaSource = "synthea";

    // Position and costs have no place in a register of contact data: they are left out and listed, unless somebody maps them as further details.
    private static readonly ColumnMapping Synthea = new()
    {
        Source = SyntheaSource,
        Columns = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Id"] = ImportFields.ExternalId, ["BIRTHDATE"] = "date_of_birth", ["DEATHDATE"] = "date_of_death", ["SSN"] = "identifier.ssn", ["DRIVERS"] = "identifier.driving_licence",
            ["PASSPORT"] = "identifier.passport", ["PREFIX"] = "prefix", ["FIRST"] = "given_names", ["LAST"] = "family_name", ["SUFFIX"] = "suffix", ["MAIDEN"] = "previous_name",
            ["MARITAL"] = "marital_status", ["RACE"] = "race", ["ETHNICITY"] = "ethnicity", ["GENDER"] = "gender", ["BIRTHPLACE"] = "birth_place", ["ADDRESS"] = "address_line_1",
            ["CITY"] = "city", ["STATE"] = "state", ["COUNTY"] = "county", ["ZIP"] = "postcode",
        },
    };

    private static readonly string[] SyntheaHeader =
    [
        "Id", "BIRTHDATE", "DEATHDATE", "SSN", "DRIVERS", "PASSPORT", "PREFIX", "FIRST", "LAST", "SUFFIX", "MAIDEN", "MARITAL", "RACE", "ETHNICITY", "GENDER", "BIRTHPLACE", "ADDRESS",
        "CITY", "STATE", "COUNTY", "ZIP", "LAT", "LON", "HEALTHCARE_EXPENSES", "HEALTHCARE_COVERAGE",
    ];

    /// <summary>The columns of our own export, in order; each is a field's code.</summary>
    public static IReadOnlyList<string> OwnHeader { get; } =
    [
        ImportFields.Id, ImportFields.Status, ImportFields.RegisteredAt, ImportFields.ArchivedAt, ImportFields.ArchiveReason, ImportFields.ArchiveNote,
        "prefix", "given_names", "family_name", "suffix", "previous_name", "date_of_birth", ImportFields.BirthUnknown, "date_of_death", "gender", "marital_status", "ethnicity", "race", "birth_place",
        "nhs_number", .. PersonCodes.IdentifierTypes.Select(type => ImportFields.IdentifierPrefix + type.Value), "phone", "mobile", "email",
        "address_line_1", "address_line_2", "address_line_3", "address_line_4", "address_line_5", "city", "county", "state", "postcode", "country", ImportFields.OtherJson, ImportFields.ExternalIdsJson,
    ];

    public static bool IsOwn(IReadOnlyList<string> header) => header.SequenceEqual(OwnHeader, StringComparer.Ordinal);

    public static ColumnMapping? Find(IReadOnlyList<string> header)
    {
        if (IsOwn(header)) return new() { Source = OwnSource, Columns = OwnHeader.ToDictionary(code => code, StringComparer.Ordinal), Duplicates = ColumnMapping.ImportThem };
        return header.SequenceEqual(SyntheaHeader, StringComparer.Ordinal) ? Synthea : null;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ColumnMapping))]
[JsonSerializable(typeof(ImportDetails))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(List<ExternalId>))]
internal sealed partial class ImportJson : JsonSerializerContext;
