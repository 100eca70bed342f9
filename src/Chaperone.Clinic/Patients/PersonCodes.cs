using Chaperone.Clinic.Shell;

namespace Chaperone.Clinic.Patients;

/// <summary>The codes of the register, each with the words people read. Codes are stored and never change their meaning; words may.</summary>
public static class PersonCodes
{
    /// <summary>Administrative gender, after FHIR's value set of that name.</summary>
    public static IReadOnlyList<Choice> Genders { get; } = [new("female", "Female"), new("male", "Male"), new("other", "Other"), new("unknown", "Not known")];

    /// <summary>Marital status.</summary>
    public static IReadOnlyList<Choice> MaritalStatuses { get; } =
    [
        new("single", "Single"), new("married", "Married"), new("civil_partnership", "In a civil partnership"), new("separated", "Separated"),
        new("divorced", "Divorced"), new("widowed", "Widowed"), new("unknown", "Not known"),
    ];

    /// <summary>Sorts of numbers people are known by besides the NHS number.</summary>
    public static IReadOnlyList<Choice> IdentifierTypes { get; } =
    [
        new("passport", "Passport"), new("driving_licence", "Driving licence"), new("ssn", "Social security number (US)"), new("ni_number", "National Insurance number"),
        new("national_id", "National identity card"), new("hospital_number", "Hospital number"), new("insurance", "Insurance number"), new("other", "Other number"),
    ];

    /// <summary>Why a record is archived; the code stands in the event, what is typed with <see cref="OtherReason"/> is sealed with the record.</summary>
    public static IReadOnlyList<Choice> ArchiveReasons { get; } =
    [
        new("moved_away", "Moved away"), new("deceased", "Deceased"), new("duplicate", "Duplicate of another record"),
        new("registered_in_error", "Registered in error"), new(OtherReason, "Other reason"),
    ];

    /// <summary>The reason that comes with a typed text.</summary>
    public const string OtherReason = "other";

    /// <summary>Whether the list has the code.</summary>
    public static bool Has(this IReadOnlyList<Choice> codes, string? code) => code is not null && codes.Any(choice => choice.Value == code);

    /// <summary>The words for a code; the code itself when an older version knew it, null for none.</summary>
    public static string? Words(this IReadOnlyList<Choice> codes, string? code) => codes.FirstOrDefault(choice => choice.Value == code)?.Label ?? code;
}
