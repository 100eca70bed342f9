using System.Globalization;
using System.Text.Json.Serialization;

namespace Chaperone.Clinic.Schedule.Rota;

/// <summary>A practitioner's working hours as the API writes and reads them: what GET answers can be changed and sent back by PUT.</summary>
internal sealed record HoursBody
{
    public Guid? PractitionerId { get; init; }
    public IReadOnlyList<WeekBody>? Patterns { get; init; }

    /// <summary>When the clinic works; read and ignored.</summary>
    public WeekBody? Clinic { get; init; }

    public static HoursBody Of(PractitionerRota rota) => new() { PractitionerId = rota.PractitionerId, Patterns = [.. rota.Hours.Patterns.Select(WeekBody.Of)], Clinic = WeekBody.Of(rota.ClinicWeek) };

    public IReadOnlyList<TypedWeek> ToTyped() => [.. (Patterns ?? []).Select(week => new TypedWeek(week?.From, (week?.Days ?? []).ToDictionary(
        day => day.Key, day => (IReadOnlyList<TypedSpan>)[.. (day.Value ?? []).Select(span => new TypedSpan(span?.From, span?.To))], StringComparer.Ordinal)))];
}

/// <summary>A week.</summary>
internal sealed record WeekBody
{
    public string? From { get; init; }
    public Dictionary<string, IReadOnlyList<SpanBody>>? Days { get; init; }

    public static WeekBody Of(WeekPattern week) => new()
    {
        From = week.From?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        Days = WeekPattern.DayCodes.Zip(week.Days).ToDictionary(day => day.First, day => (IReadOnlyList<SpanBody>)[.. day.Second.Select(span => new SpanBody(span.FromText, span.ToText))], StringComparer.Ordinal),
    };
}

/// <summary>From one clock's time to another.</summary>
internal sealed record SpanBody(string? From, string? To);

/// <summary>Leave as the API writes and reads it.</summary>
internal sealed record LeaveBody
{
    public Guid? Id { get; init; }
    public string? From { get; init; }
    public string? To { get; init; }
    public string? StartsAt { get; init; }
    public string? EndsAt { get; init; }
    public string? Kind { get; init; }
    public string? Note { get; init; }
    public bool? Confirm { get; init; }

    public static LeaveBody Of(Leave leave) => new() { Id = leave.Id, StartsAt = AppointmentBody.Iso(leave.StartsAt), EndsAt = AppointmentBody.Iso(leave.EndsAt), Kind = leave.Kind, Note = leave.Note };
}

/// <summary>A practitioner's leave by time.</summary>
internal sealed record LeaveListBody(IReadOnlyList<LeaveBody> Items, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Next = null);

/// <summary>A room as the API writes and reads it.</summary>
internal sealed record RoomBody
{
    public Guid? Id { get; init; }
    public long? Version { get; init; }
    public string? Name { get; init; }
    public bool? Active { get; init; }

    public static RoomBody Of(Room room) => new() { Id = room.Id, Version = room.Version, Name = room.Name, Active = room.Active };
}

/// <summary>The clinic's rooms by name.</summary>
internal sealed record RoomListBody(IReadOnlyList<RoomBody> Items, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Next = null);

/// <summary>A sort of appointment as the API writes and reads it.</summary>
internal sealed record TypeBody
{
    public string? Code { get; init; }
    public long? Version { get; init; }
    public string? Name { get; init; }
    public int? Minutes { get; init; }
    public string? Colour { get; init; }
    public bool? Active { get; init; }
    public int? Order { get; init; }

    public static TypeBody Of(AppointmentType type) =>
        new() { Code = type.Code, Version = type.Version, Name = type.Name, Minutes = type.Minutes, Colour = type.Colour, Active = type.Active, Order = type.Order };

    public TypedType ToTyped() => new(Name, Minutes, Colour, Active ?? true, Order);
}

/// <summary>The clinic's sorts of appointment in its order.</summary>
internal sealed record TypeListBody(IReadOnlyList<TypeBody> Items, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Next = null);

/// <summary>A practitioner's day.</summary>
internal sealed record PractitionerDayBody(Guid PractitionerId, string Day, IReadOnlyList<TimesBody> Working, IReadOnlyList<TimesBody> Leave)
{
    public static PractitionerDayBody Of(PractitionerDay day) => new(
        day.PractitionerId, day.Day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        [.. day.Working.Select(span => new TimesBody(AppointmentBody.Iso(span.StartsAt), AppointmentBody.Iso(span.EndsAt), null))],
        [.. day.Leave.Select(away => new TimesBody(AppointmentBody.Iso(away.StartsAt), AppointmentBody.Iso(away.EndsAt), away.Kind))]);
}

/// <summary>From one time to another.</summary>
internal sealed record TimesBody(string StartsAt, string EndsAt, string? Kind);

/// <summary>Practitioners' days.</summary>
internal sealed record AvailabilityBody(IReadOnlyList<PractitionerDayBody> Items, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Next = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(HoursBody))]
[JsonSerializable(typeof(LeaveBody))]
[JsonSerializable(typeof(LeaveListBody))]
[JsonSerializable(typeof(RoomBody))]
[JsonSerializable(typeof(RoomListBody))]
[JsonSerializable(typeof(TypeBody))]
[JsonSerializable(typeof(TypeListBody))]
[JsonSerializable(typeof(AvailabilityBody))]
internal sealed partial class RotaBodyJson : JsonSerializerContext;
