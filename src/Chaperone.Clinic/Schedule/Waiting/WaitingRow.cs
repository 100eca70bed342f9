using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule.Waiting;

/// <summary>What somebody waits for.</summary>
/// <param name="Type">A code of the clinic's types.</param>
/// <param name="Minutes">How long it takes.</param>
/// <param name="Parts">Parts of the day that suit, of <see cref="WaitingCodes.Parts"/>; empty for any.</param>
/// <param name="Note">What was typed, for colleagues.</param>
public sealed record WaitingDetails(string Type, int Minutes, IReadOnlyList<string> Parts, string? Note) : ISealedPayload<WaitingDetails>
{
    /// <inheritdoc />
    public static JsonTypeInfo<WaitingDetails> Json => WaitingJson.Default.WaitingDetails;
}

/// <summary>Somebody on the waiting list. <see cref="SealedRow.SubjectId"/> is the patient.</summary>
internal sealed class WaitingRow : SealedRow<WaitingDetails>
{
    public const string Waiting = "waiting", Booked = "booked", Removed = "removed";

    /// <summary>With whom; null for anybody.</summary>
    public Guid? PractitionerId { get; set; }

    public string Status { get; set; } = Waiting;

    /// <summary>1 is first; see <see cref="WaitingCodes.Priorities"/>.</summary>
    public short Priority { get; set; }

    public DateOnly Earliest { get; set; }

    public DateOnly? Latest { get; set; }

    public DateTimeOffset AddedAt { get; init; }

    /// <summary>What it was booked into.</summary>
    public Guid? AppointmentId { get; set; }

    public Guid PatientId => SubjectId!.Value;

    /// <summary>The first start in this free time that suits, or null.</summary>
    public DateTimeOffset? FirstFit(Guid practitioner, Taken free, TimeZoneInfo zone)
    {
        if (PractitionerId is { } wanted && wanted != practitioner) return null;
        var length = TimeSpan.FromMinutes(Payload.Minutes);
        for (var start = free.From; start + length <= free.To; start += TimeSpan.FromMinutes(5))
            if (Suits(start, zone)) return start;
        return null;
    }

    /// <summary>Whether a day and its part suit.</summary>
    public bool Suits(DateTimeOffset start, TimeZoneInfo zone)
    {
        var clock = TimeZoneInfo.ConvertTime(start, zone);
        var day = DateOnly.FromDateTime(clock.DateTime);
        if (day < Earliest || day > Latest) return false;
        return Payload.Parts.Count == 0 || Payload.Parts.Contains(clock.Hour < 12 ? "morning" : clock.Hour < 17 ? "afternoon" : "evening");
    }

    public static void Model(ModelBuilder model) => model.Entity<WaitingRow>(row =>
    {
        row.ToTable("waiting_entry");
        row.Ignore(entry => entry.PatientId);
        row.Property(entry => entry.Status).HasAnnotation(ChaperoneDb.LoggedValue, true);
    });
}

/// <summary>The codes of the waiting list.</summary>
internal static class WaitingCodes
{
    /// <summary>First come those that cannot wait.</summary>
    public static IReadOnlyList<Choice> Priorities { get; } = [new("1", "Urgent"), new("2", "Soon"), new("3", "Routine")];

    public static IReadOnlyList<Choice> Parts { get; } = [new("morning", "Mornings, until 12"), new("afternoon", "Afternoons, 12 to 17"), new("evening", "Evenings, from 17")];
}

/// <summary>The waiting list as what operations are about.</summary>
internal static class WaitingResource
{
    public static readonly Resource Entry = Resource.Define("waiting_entry", "SELECT CASE WHEN practitioner_id = $2 THEN 4 ELSE 1 END FROM clinic.waiting_entry WHERE id = $1");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WaitingDetails))]
internal sealed partial class WaitingJson : JsonSerializerContext;
