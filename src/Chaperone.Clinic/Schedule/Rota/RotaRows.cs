using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule.Rota;

/// <summary>A practitioner's weeks, the earliest first; empty while they work when the clinic does.</summary>
/// <param name="Patterns">Their weeks.</param>
public sealed record WorkingHours(IReadOnlyList<WeekPattern> Patterns) : ISealedPayload<WorkingHours>
{
    /// <inheritdoc />
    public static JsonTypeInfo<WorkingHours> Json => RotaJson.Default.WorkingHours;

    /// <summary>The pattern that holds on a day, or null where none does and the clinic's week counts.</summary>
    public WeekPattern? For(DateOnly day) => Patterns.LastOrDefault(pattern => pattern.From is null || pattern.From <= day);
}

/// <summary>Working hours as stored, under the account's id: one row for each practitioner who has any of their own.</summary>
internal sealed class WorkingHoursRow : SealedRow<WorkingHours>;

/// <summary>Why somebody is away.</summary>
/// <param name="Kind">A code of <see cref="LeaveKinds"/>.</param>
/// <param name="Note">What was typed.</param>
internal sealed record LeaveDetails(string Kind, string? Note) : ISealedPayload<LeaveDetails>
{
    public static JsonTypeInfo<LeaveDetails> Json => RotaJson.Default.LeaveDetails;
}

/// <summary>A time in which a practitioner is away. <see cref="SealedRow.SubjectId"/> is their account.</summary>
internal sealed class LeaveRow : SealedRow<LeaveDetails>
{
    public DateTimeOffset StartsAt { get; init; }

    public DateTimeOffset EndsAt { get; init; }
}

/// <summary>The codes of leave.</summary>
internal static class LeaveKinds
{
    public static IReadOnlyList<Choice> All { get; } =
        [new("annual", "Annual leave"), new("sick", "Sick leave"), new("training", "Training"), new("parental", "Parental leave"), new("other", "Other")];
}

/// <summary>What a room is called.</summary>
internal sealed record RoomDetails(string Name) : ISealedPayload<RoomDetails>
{
    public static JsonTypeInfo<RoomDetails> Json => RotaJson.Default.RoomDetails;
}

/// <summary>A room that appointments can be in.</summary>
internal sealed class RoomRow : SealedRow<RoomDetails>
{
    public bool Active { get; set; } = true;
}

/// <summary>What a sort of appointment is like.</summary>
internal sealed record TypeDetails(string Name, int Minutes, string Colour, bool Active, int Order) : ISealedPayload<TypeDetails>
{
    public static JsonTypeInfo<TypeDetails> Json => RotaJson.Default.TypeDetails;
}

/// <summary>A sort of appointment that the clinic made, or changed of the usual ones.</summary>
internal sealed class AppointmentTypeRow : SealedRow<TypeDetails>
{
    public required string Code { get; init; }
}

/// <summary>Nothing is sealed in the schedule's settings yet.</summary>
internal sealed record ScheduleSettingsDetails : ISealedPayload<ScheduleSettingsDetails>
{
    public static JsonTypeInfo<ScheduleSettingsDetails> Json => RotaJson.Default.ScheduleSettingsDetails;
}

/// <summary>The schedule's own settings, under the clinic's id. There is none until something is changed.</summary>
internal sealed class ScheduleSettingsRow : SealedRow<ScheduleSettingsDetails>
{
    /// <summary>Whether calendar feeds say who comes.</summary>
    public bool FeedsNamePatients { get; set; }
}

/// <summary>The tables around appointments.</summary>
internal static class RotaTables
{
    public static void Model(ModelBuilder model)
    {
        model.Entity<WorkingHoursRow>(row => row.ToTable("working_hours"));
        model.Entity<LeaveRow>(row => row.ToTable("leave"));
        model.Entity<RoomRow>(row =>
        {
            row.ToTable("room");
            row.Property(room => room.Active).HasAnnotation(ChaperoneDb.LoggedValue, true);
        });
        model.Entity<AppointmentTypeRow>(row => row.ToTable("appointment_type"));
        model.Entity<ScheduleSettingsRow>(row =>
        {
            row.ToTable("schedule_settings");
            row.Property(settings => settings.FeedsNamePatients).HasAnnotation(ChaperoneDb.LoggedValue, true);
        });
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WorkingHours))]
[JsonSerializable(typeof(LeaveDetails))]
[JsonSerializable(typeof(RoomDetails))]
[JsonSerializable(typeof(TypeDetails))]
[JsonSerializable(typeof(ScheduleSettingsDetails))]
internal sealed partial class RotaJson : JsonSerializerContext;
