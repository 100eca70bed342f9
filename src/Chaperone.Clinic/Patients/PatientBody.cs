using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Chaperone.Clinic.Patients;

/// <summary>
/// A patient as the API writes and reads them: what GET answers can be changed and sent back by PUT. Members the server keeps (id, version, status, times) are read and ignored;
/// members it does not know are refused, so that a misspelt one is not lost in silence. Dates are texts here, so that an impossible one is a fault of its field.
/// </summary>
internal sealed record PatientBody
{
    public Guid? Id { get; init; }
    public long? Version { get; init; }
    public string? Status { get; init; }
    public DateTimeOffset? RegisteredAt { get; init; }
    public DateTimeOffset? ArchivedAt { get; init; }
    public string? ArchiveReason { get; init; }
    public string? ArchiveNote { get; init; }
    public bool? Masked { get; init; }
    public string? Prefix { get; init; }
    public string? GivenNames { get; init; }
    public string? FamilyName { get; init; }
    public string? Suffix { get; init; }
    public string? PreviousName { get; init; }
    public string? DateOfBirth { get; init; }
    public bool? DateOfBirthUnknown { get; init; }
    public string? DateOfDeath { get; init; }
    public string? Gender { get; init; }
    public string? NhsNumber { get; init; }
    public IReadOnlyList<PersonIdentifier?>? Identifiers { get; init; }
    public string? Phone { get; init; }
    public string? Mobile { get; init; }
    public string? Email { get; init; }
    public PostalAddress? Address { get; init; }
    public string? MaritalStatus { get; init; }
    public string? Ethnicity { get; init; }
    public string? Race { get; init; }
    public string? BirthPlace { get; init; }
    public IReadOnlyDictionary<string, string?>? Other { get; init; }
    public bool? ConfirmedNotDuplicate { get; init; }

    public static PatientBody Of(Patient patient)
    {
        var details = patient.Details;
        return new()
        {
            Id = patient.Id,
            Version = patient.Version,
            Status = patient.Status,
            RegisteredAt = patient.RegisteredAt,
            ArchivedAt = patient.ArchivedAt,
            ArchiveReason = details.Archiving?.Reason,
            ArchiveNote = details.Archiving?.Note,
            Masked = patient.Masked ? true : null,
            Prefix = details.Prefix,
            GivenNames = details.GivenNames,
            FamilyName = details.FamilyName,
            Suffix = details.Suffix,
            PreviousName = details.PreviousName,
            DateOfBirth = Iso(details.DateOfBirth),
            DateOfBirthUnknown = details.DateOfBirthUnknown ? true : null,
            DateOfDeath = Iso(details.DateOfDeath),
            Gender = details.Gender,
            NhsNumber = details.NhsNumber,
            Identifiers = details.Identifiers.Count > 0 ? details.Identifiers : null,
            Phone = details.Phone,
            Mobile = details.Mobile,
            Email = details.Email,
            Address = details.Address,
            MaritalStatus = details.MaritalStatus,
            Ethnicity = details.Ethnicity,
            Race = details.Race,
            BirthPlace = details.BirthPlace,
            Other = details.Other.Count > 0 ? details.Other.ToDictionary(other => other.Key, other => (string?)other.Value, StringComparer.Ordinal) : null,
        };
    }

    public PersonDetails ToDetails()
    {
        var unreadable = new List<string>();
        return new()
        {
            Prefix = Prefix,
            GivenNames = GivenNames,
            FamilyName = FamilyName ?? "",
            Suffix = Suffix,
            PreviousName = PreviousName,
            DateOfBirth = Date("dateOfBirth", DateOfBirth),
            DateOfBirthUnknown = DateOfBirthUnknown == true,
            DateOfDeath = Date("dateOfDeath", DateOfDeath),
            Gender = Gender ?? "unknown",
            NhsNumber = NhsNumber,
            Identifiers = [.. (Identifiers ?? []).OfType<PersonIdentifier>()],
            Phone = Phone,
            Mobile = Mobile,
            Email = Email,
            Address = Address,
            MaritalStatus = MaritalStatus,
            Ethnicity = Ethnicity,
            Race = Race,
            BirthPlace = BirthPlace,
            Other = (Other ?? new Dictionary<string, string?>()).Where(other => other.Value is not null).ToDictionary(other => other.Key, other => other.Value!, StringComparer.Ordinal),
            Unreadable = unreadable,
        };

        DateOnly? Date(string field, string? text)
        {
            if (string.IsNullOrWhiteSpace(text)) return null;
            if (DateText.Parse(text) is { } date) return date;
            unreadable.Add(field);
            return null;
        }
    }

    private static string? Iso(DateOnly? date) => date?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}

/// <summary>A page of patients as the API writes it.</summary>
internal sealed record PatientListBody(IReadOnlyList<PatientBody> Items, string? Next, bool? More = null);

/// <summary>What is looked for.</summary>
internal sealed record FindBody(string? Text);

/// <summary>Why a patient is archived.</summary>
internal sealed record ArchiveBody(string? Reason, string? Note, bool? Confirm = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(PatientBody))]
[JsonSerializable(typeof(FindBody))]
[JsonSerializable(typeof(ArchiveBody))]
internal sealed partial class PatientBodyJson : JsonSerializerContext
{
    /// <summary>For answers: "next" is always there, so that its absence never has to be told from its null.</summary>
    public static byte[] Write(PatientListBody list)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("items");
            foreach (var item in list.Items) JsonSerializer.Serialize(json, item, Default.PatientBody);
            json.WriteEndArray();
            json.WriteString("next", list.Next);
            if (list.More is { } more) json.WriteBoolean("more", more);
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }
}
