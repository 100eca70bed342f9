using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Notices;

/// <summary>What somebody is told.</summary>
/// <param name="Kind">A code of <see cref="NoticeKind"/>.</param>
/// <param name="About">What it leads to: an appointment, an import, an account.</param>
/// <param name="At">A time the sentence names, such as the appointment's.</param>
internal sealed record NoticeDetails(string Kind, Guid? About = null, DateTimeOffset? At = null) : ISealedPayload<NoticeDetails>
{
    public static JsonTypeInfo<NoticeDetails> Json => NoticeJson.Default.NoticeDetails;
}

/// <summary>A notice as stored. <see cref="SealedRow.SubjectId"/> is whom it tells, whose key seals it. It names no patient: what it leads to does, and is logged.</summary>
internal sealed class NoticeRow : SealedRow<NoticeDetails>
{
    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? ReadAt { get; set; }

    public static void Model(ModelBuilder model) => model.Entity<NoticeRow>(row => row.ToTable("notice").HasAnnotation(RowWriter.Untracked, "tells one person of what other events say"));
}

/// <summary>A sort of notice: what it says, and where it leads.</summary>
/// <param name="Code">Stored; never changes its meaning.</param>
/// <param name="Icon">Name of an icon.</param>
/// <param name="Says">The sentence; the argument is the time, in the clinic's zone, or empty.</param>
/// <param name="Path">Where it leads, by what it is about.</param>
internal sealed record NoticeKind(string Code, string Icon, Func<string, string> Says, Func<Guid?, string> Path)
{
    public const string Arrived = "appointment.arrived", Booked = "appointment.booked", Moved = "appointment.moved", Cancelled = "appointment.cancelled";
    public const string ImportEnded = "import.ended";

    public static IReadOnlyDictionary<string, NoticeKind> All { get; } = new NoticeKind[]
    {
        new(Arrived, "user-circle", at => $"Your patient for {at} is here.", Appointment),
        new(Booked, "calendar-event", at => $"A new appointment with you: {at}.", Appointment),
        new(Moved, "calendar-event", at => $"An appointment of yours was moved; it is now {at}.", Appointment),
        new(Cancelled, "calendar-event", at => $"Your appointment at {at} was cancelled.", Appointment),
        new(ImportEnded, "file-import", _ => "An import of yours has ended.", id => $"/patients/import/{id:D}"),
    }.ToDictionary(kind => kind.Code, StringComparer.Ordinal);

    private static string Appointment(Guid? id) => $"/schedule/appointments/{id:D}";
}

/// <summary>Telling somebody something, in the transaction of what is told.</summary>
internal static class Telling
{
    /// <summary>How long notices are kept, read or not.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <summary>Tells somebody, unless they did it themselves. Not part of what the operation shows or changes: the event does not name them for it.</summary>
    /// <param name="scope">The operation that did it.</param>
    /// <param name="reader">Whom: the subject of their account.</param>
    /// <param name="what">What.</param>
    public static void Tell(this OperationScope scope, Guid reader, NoticeDetails what)
    {
        if (reader == scope.Actor.Id) return;
        scope.AddUnseen(new NoticeRow { Id = scope.NewId(), SubjectId = reader, CreatedAt = scope.Now, Payload = what });
    }

    /// <summary>The actor's own.</summary>
    public static IQueryable<NoticeRow> OwnNotices(this OperationScope scope)
    {
        var (reader, since) = (scope.Actor.PatientId ?? scope.Actor.Id, scope.Now - Kept);
        return scope.Db.Set<NoticeRow>().Where(row => row.SubjectId == reader && row.CreatedAt > since);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(NoticeDetails))]
internal sealed partial class NoticeJson : JsonSerializerContext;
