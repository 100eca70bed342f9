using System.Globalization;
using System.Text.Json.Serialization;
using Chaperone.Clinic.Schedule.Series;

namespace Chaperone.Clinic.Schedule;

/// <summary>
/// An appointment as the API writes and reads it: what GET answers can be changed and sent back by PUT. Members the server keeps (id, version, status, name, series, cancellation) are read and
/// ignored; members it does not know are refused. Times are texts here, so that an impossible one is a fault of its field.
/// </summary>
internal sealed record AppointmentBody
{
    public Guid? Id { get; init; }
    public long? Version { get; init; }
    public string? Status { get; init; }
    public Guid? PatientId { get; init; }
    public string? PatientName { get; init; }
    public Guid? PractitionerId { get; init; }
    public string? Type { get; init; }
    public string? StartsAt { get; init; }
    public string? EndsAt { get; init; }
    public int? Minutes { get; init; }
    public string? Reason { get; init; }
    public string? Note { get; init; }
    public Guid? RoomId { get; init; }
    public Guid? SeriesId { get; init; }
    public bool? ConfirmOutsideHours { get; init; }

    /// <summary>Booking: how it is repeated.</summary>
    public RepeatBody? Repeat { get; init; }

    /// <summary>Booking with repeats: whether those that clash are left out.</summary>
    public bool? SkipClashes { get; init; }

    /// <summary>Booking: the entry of the waiting list that it closes.</summary>
    public Guid? WaitingEntryId { get; init; }

    /// <summary>After moving or cancelling: how many on the waiting list could take the time that is free now.</summary>
    public int? WaitingFits { get; init; }

    /// <summary>Changing: whether those of its series that come after it are changed too.</summary>
    public bool? Following { get; init; }
    public string? CancelReason { get; init; }
    public string? CancelNote { get; init; }

    public static AppointmentBody Of(Appointment appointment) => new()
    {
        Id = appointment.Id,
        Version = appointment.Version,
        Status = appointment.Status,
        PatientId = appointment.PatientId,
        PatientName = appointment.PatientName,
        PractitionerId = appointment.PractitionerId,
        Type = appointment.Type,
        StartsAt = Iso(appointment.StartsAt),
        EndsAt = Iso(appointment.EndsAt),
        Reason = appointment.Details.Reason,
        Note = appointment.Details.Note,
        RoomId = appointment.RoomId,
        SeriesId = appointment.SeriesId,
        WaitingFits = appointment.WaitingFits,
        CancelReason = appointment.Details.Cancellation?.Reason,
        CancelNote = appointment.Details.Cancellation?.Note,
    };

    public Wanted ToWanted() => new(PractitionerId, Type, StartsAt, EndsAt, Minutes, Reason, Note, RoomId, ConfirmOutsideHours is true);

    public static string Iso(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);
}

/// <summary>Appointments by time. There is no next page: a span that has too many is refused.</summary>
internal sealed record AppointmentListBody(IReadOnlyList<AppointmentBody> Items, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Next = null);

/// <summary>Why an appointment is cancelled, and whether those of its series that come after it are too.</summary>
internal sealed record CancelBody(string? Reason, string? Note, bool? Following = null);

/// <summary>How an appointment is repeated.</summary>
internal sealed record RepeatBody(int? Every, string? Unit, int? Count, string? Until)
{
    public Repeat ToRepeat() => new(Every, Unit, Count, Until);
}

/// <summary>Repeats that were booked, and those that were left out.</summary>
internal sealed record SeriesBody(Guid SeriesId, IReadOnlyList<AppointmentBody> Items, IReadOnlyList<Clash> Skipped, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Next = null)
{
    public static SeriesBody Of(BookedSeries series) => new(series.SeriesId, [.. series.Appointments.Select(AppointmentBody.Of)], series.Skipped);
}

/// <summary>A free time.</summary>
internal sealed record FreeSlotBody(Guid PractitionerId, string StartsAt, string EndsAt);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(AppointmentBody))]
[JsonSerializable(typeof(AppointmentListBody))]
[JsonSerializable(typeof(CancelBody))]
[JsonSerializable(typeof(SeriesBody))]
internal sealed partial class AppointmentBodyJson : JsonSerializerContext;
