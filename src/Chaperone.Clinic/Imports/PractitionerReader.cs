using System.Globalization;
using Chaperone.Platform.Access;

namespace Chaperone.Clinic.Imports;

/// <summary>One row of the file as a practitioner, or what is wrong with it.</summary>
internal sealed record ReadPractitioner(int Row) : ReadRow(Row)
{
    /// <summary>As people read it; empty when the row is at fault.</summary>
    public string Name { get; init; } = "";

    public string? Title { get; init; }

    /// <summary>Code of a clinical role.</summary>
    public string Role { get; init; } = BuiltInRole.Clinical.Code;
}

/// <summary>Turns the cells of a row into a practitioner.</summary>
internal sealed class PractitionerReader(ImportFieldList fields, CsvShape shape, ColumnMapping mapping) : RowReader(fields, shape, mapping)
{
    private const int LongestName = 200, LongestTitle = 100;
    private static readonly string[] Physicians =
    [
        "general practi", "family practice", "medicine", "physician", "doctor", "surgeon", "surgery", "psychiatr", "paediatric", "pediatric", "anaesthe", "anesthe", "cardiolog", "dermatolog", "radiolog", "oncolog",
        "neurolog", "gynaecolog", "gynecolog", "obstetric", "urolog", "ophthalmolog", "patholog", "gastroenterolog", "endocrinolog", "rheumatolog", "nephrolog", "haematolog", "hematolog", "geriatric",
    ];

    private static readonly string[] NotPhysicians = ["assistant", "associate", "speech"];

    public override ReadPractitioner Read(int row, string[] cells)
    {
        if (Slipped(row, cells) is { } slipped) return new(row) { Faults = [slipped] };
        var (faults, values) = (new List<Finding>(), new Dictionary<string, string>(StringComparer.Ordinal));
        Take(row, cells, faults, (field, _, text) =>
        {
            if (TextFault(text, field.Code == PractitionerKind.Speciality ? LongestTitle : LongestName) is { } fault) return fault;
            if (field.Code == PractitionerKind.Role && RoleOf(text) is null) return FindingCodes.UnknownWord;
            values[field.Code] = text;
            return null;
        });
        var id = Value(PractitionerKind.ExternalId);
        var name = NameOf(Value(PractitionerKind.Name) ?? string.Join(' ', new[] { Value(PractitionerKind.Prefix), Value(PractitionerKind.GivenNames), Value(PractitionerKind.FamilyName) }.OfType<string>()));
        if (faults.Count == 0 && name.Length == 0) faults.Add(new(row, Locate(field => field.Code is PractitionerKind.Name or PractitionerKind.FamilyName), FindingCodes.Missing));
        if (faults.Count == 0 && name.Length > LongestName) faults.Add(new(row, -1, FindingCodes.TooLong));
        if (IsRepeated(id)) faults.Add(new(row, Locate(PractitionerKind.ExternalId), FindingCodes.Repeated));
        if (faults.Count > 0) return new(row) { ExternalId = id, Faults = faults };
        var speciality = Value(PractitionerKind.Speciality);
        return new(row) { ExternalId = id, Name = name, Title = TitleOf(speciality), Role = RoleOf(Value(PractitionerKind.Role)) ?? RoleBy(speciality) };

        string? Value(string field) => values.GetValueOrDefault(field);
    }

    /// <summary>The clinical role for a speciality: doctors and nurses by what theirs are called, everybody else the least.</summary>
    internal static string RoleBy(string? speciality)
    {
        if (speciality is null) return BuiltInRole.Clinical.Code;
        if (Has("nurs") || Has("midwi")) return BuiltInRole.Nurse.Code;
        return (Physicians.Any(Has) && !NotPhysicians.Any(Has)) || speciality.Trim().Equals("GP", StringComparison.OrdinalIgnoreCase) ? BuiltInRole.Doctor.Code : BuiltInRole.Clinical.Code;

        bool Has(string part) => speciality.Contains(part, StringComparison.OrdinalIgnoreCase);
    }

    private static string? RoleOf(string? text) => text?.Trim().ToLowerInvariant() switch
    {
        "doctor" or "physician" or "dr" => BuiltInRole.Doctor.Code,
        "nurse" => BuiltInRole.Nurse.Code,
        "clinical" or "clinician" or "other clinician" or "therapist" => BuiltInRole.Clinical.Code,
        _ => null,
    };

    // Synthea numbers its names so that nobody takes them for people: Ludivina884 Steuber698.
    private string NameOf(string name)
    {
        var words = name.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).AsEnumerable();
        if (Mapping.Source == KnownFiles.SyntheaSource) words = words.Select(word => word.TrimEnd("0123456789".ToCharArray())).Where(word => word.Length > 0);
        return string.Join(' ', words);
    }

    // GENERAL PRACTICE is shouted.
    private static string? TitleOf(string? speciality) =>
        speciality is { Length: > 3 } && !speciality.Any(char.IsLower) ? char.ToUpper(speciality[0], CultureInfo.InvariantCulture) + speciality[1..].ToLowerInvariant() : speciality;
}
