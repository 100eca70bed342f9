using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule;

/// <summary>What is written about an appointment.</summary>
public sealed record AppointmentDetails : ISealedPayload<AppointmentDetails>
{
    /// <inheritdoc />
    public static JsonTypeInfo<AppointmentDetails> Json => AppointmentJson.Default.AppointmentDetails;

    /// <summary>Why the patient comes. The patient sees it.</summary>
    public string? Reason { get; init; }

    /// <summary>For colleagues; a patient's account is never shown it.</summary>
    public string? Note { get; init; }

    /// <summary>When the patient came; null before, and where nobody noted it.</summary>
    public DateTimeOffset? ArrivedAt { get; init; }

    /// <summary>Why it was cancelled; null while it stands.</summary>
    public Cancellation? Cancellation { get; init; }
}

/// <summary>Why an appointment was cancelled.</summary>
/// <param name="Reason">A code of <see cref="ScheduleCodes.CancelReasons"/>.</param>
/// <param name="Note">What was typed with the reason "other".</param>
public sealed record Cancellation(string Reason, string? Note);

/// <summary>An appointment as stored. <see cref="SealedRow.SubjectId"/> is the patient, whose key seals what is written about it.</summary>
internal sealed class AppointmentRow : SealedRow<AppointmentDetails>
{
    /// <summary>The account of who sees the patient.</summary>
    public required Guid PractitionerId { get; set; }

    public required DateTimeOffset StartsAt { get; set; }

    public required DateTimeOffset EndsAt { get; set; }

    /// <summary>The end of what was longer than <see cref="Diary.Longest"/>, which only imported history can have been; null for everything else.</summary>
    public DateTimeOffset? LongUntil { get; init; }

    /// <summary>A code of the clinic's <see cref="AppointmentTypes"/>.</summary>
    public required string Type { get; set; }

    /// <summary>Where; null for no room of the clinic's list.</summary>
    public Guid? RoomId { get; set; }

    /// <summary>What it has in common with the appointments booked together with it, as repeats of one another; null for one of its own.</summary>
    public Guid? SeriesId { get; init; }

    /// <summary>One of <see cref="AppointmentStatus"/>.</summary>
    public string Status { get; set; } = AppointmentStatus.Booked;

    public Guid PatientId => SubjectId!.Value;

    public static void Model(ModelBuilder model) => model.Entity<AppointmentRow>(row =>
    {
        row.ToTable("appointment");
        row.Ignore(appointment => appointment.PatientId);
        row.Property(appointment => appointment.Status).HasAnnotation(ChaperoneDb.LoggedValue, true);
    });
}

/// <summary>What becomes of an appointment. Booked, arrived and started ones take their practitioner's time; the constraint in the schema lists the same three.</summary>
internal static class AppointmentStatus
{
    public const string Booked = "booked", Arrived = "arrived", Started = "started", Completed = "completed", Cancelled = "cancelled", NoShow = "no_show";

    /// <summary>Every step forward. What is completed or cancelled stays so.</summary>
    private static readonly HashSet<(string From, string To)> Steps =
    [
        (Booked, Arrived), (Booked, Started), (Booked, Cancelled), (Booked, NoShow),
        (Arrived, Started), (Arrived, Cancelled),
        (Started, Completed),
    ];

    public static IReadOnlyList<string> All { get; } = [Booked, Arrived, Started, Completed, Cancelled, NoShow];

    public static bool MayBecome(string from, string to) => Steps.Contains((from, to));

    /// <summary>The state before the last step forward, or null where nothing can be undone.</summary>
    public static string? Before(string status) => status switch { Arrived or NoShow => Booked, Started => Arrived, _ => null };
}

/// <summary>An appointment as shown.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Version">Version of the record: the ETag.</param>
/// <param name="Status">One of <see cref="AppointmentStatus"/>.</param>
/// <param name="PatientId">The patient.</param>
/// <param name="PatientName">Their name; null for somebody who may not see patients' names.</param>
/// <param name="PractitionerId">Who sees them.</param>
/// <param name="Type">A code of the clinic's list of types.</param>
/// <param name="StartsAt">When it begins, in the clinic's zone.</param>
/// <param name="EndsAt">The first moment after it.</param>
/// <param name="Details">What is written about it; empty for somebody who may not see patients' names.</param>
public sealed record Appointment(
    Guid Id, long Version, string Status, Guid PatientId, string? PatientName, Guid PractitionerId, string Type, DateTimeOffset StartsAt, DateTimeOffset EndsAt, AppointmentDetails Details)
{
    /// <summary>Where, or null.</summary>
    public Guid? RoomId { get; init; }

    /// <summary>The series of repeats it belongs to, or null.</summary>
    public Guid? SeriesId { get; init; }

    /// <summary>After it was moved or cancelled: how many on the waiting list could take the time that is free now; null otherwise.</summary>
    public int? WaitingFits { get; init; }
}

/// <summary>Appointments as what operations are about.</summary>
internal static class AppointmentResource
{
    /// <summary>The named practitioner's and the patient's own; everybody else of the clinic stands to it as a colleague.</summary>
    public static readonly Resource Appointment = Resource.Define("appointment", "SELECT CASE WHEN practitioner_id = $2 OR subject_id = $3 THEN 4 ELSE 1 END FROM clinic.appointment WHERE id = $1");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AppointmentDetails))]
internal sealed partial class AppointmentJson : JsonSerializerContext;
