using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Patients;

/// <summary>A patient as stored: who they are is sealed, and only whether the record is archived can be read by the database.</summary>
internal sealed class PatientRow : SealedRow<PersonDetails>
{
    public const string Active = "active", Archived = "archived";

    public string Status { get; set; } = Active;

    public DateTimeOffset RegisteredAt { get; init; }

    public DateTimeOffset? ArchivedAt { get; set; }

    public bool IsArchived => Status == Archived;

    /// <summary>A new patient; their id is also the subject whose key seals the record.</summary>
    public static PatientRow Register(PersonDetails details, Guid id, DateTimeOffset now) => new() { Id = id, SubjectId = id, RegisteredAt = now, Payload = details };

    public static void Model(ModelBuilder model) => model.Entity<PatientRow>(row =>
    {
        row.ToTable("patient");
        row.Ignore(patient => patient.IsArchived);
        row.Property(patient => patient.Status).HasAnnotation(ChaperoneDb.LoggedValue, true);
    });
}

/// <summary>A patient as shown.</summary>
/// <param name="Id">The patient's id.</param>
/// <param name="Version">Version of the record: the ETag.</param>
/// <param name="Status"><c>active</c> or <c>archived</c>.</param>
/// <param name="RegisteredAt">When they were registered here.</param>
/// <param name="ArchivedAt">When the record was archived.</param>
/// <param name="Details">Who they are.</param>
public sealed record Patient(Guid Id, long Version, string Status, DateTimeOffset RegisteredAt, DateTimeOffset? ArchivedAt, PersonDetails Details)
{
    /// <summary>Whether names and identifiers are masked; the rest then is not there at all.</summary>
    public bool Masked { get; init; }

    /// <summary>Whether the record is archived.</summary>
    public bool IsArchived => Status == PatientRow.Archived;

    internal static Patient Of(PatientRow row) => new(row.Id, row.Version, row.Status, row.RegisteredAt, row.ArchivedAt, row.Payload);
}

/// <summary>Patients as what operations are about.</summary>
internal static class PatientResource
{
    /// <summary>
    /// A patient's own account stands closest, and with it whoever has seen them as practitioner in the last twelve months or is to in the next three. Everybody else of the clinic stands to
    /// them as a colleague, until care teams and shares exist. What was cancelled relates nobody: who books and cancels must not be able to open records to somebody for good.
    /// <see cref="PatientReach"/> says the same of lists.
    /// </summary>
    public static readonly Resource Patient = Resource.Define("patient", """
        SELECT CASE WHEN p.id = $3 OR EXISTS (
            SELECT FROM clinic.appointment a
            WHERE a.practitioner_id = $2 AND a.subject_id = p.id AND a.starts_at >= $4 - interval '12 months' AND a.starts_at < $4 + interval '3 months' AND a.status <> 'cancelled') THEN 4 ELSE 1 END
        FROM clinic.patient p WHERE p.id = $1
        """);
}
