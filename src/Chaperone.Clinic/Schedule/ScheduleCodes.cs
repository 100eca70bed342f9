using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;

namespace Chaperone.Clinic.Schedule;

/// <summary>A sort of appointment.</summary>
/// <param name="Code">Stored; never changes its meaning.</param>
/// <param name="Name">What people read.</param>
/// <param name="Minutes">How long one lasts unless somebody says otherwise.</param>
/// <param name="Colour">How the schedule paints it: a colour of the design's palette, with the name always written beside it.</param>
internal sealed record AppointmentType(string Code, string Name, int Minutes, string Colour);

/// <summary>The codes of the schedule, each with the words people read.</summary>
internal static class ScheduleCodes
{
    /// <summary>The reason that comes with a typed text.</summary>
    public const string OtherReason = "other";

    /// <summary>The same for every clinic until clinics can make their own.</summary>
    public static IReadOnlyList<AppointmentType> Types { get; } =
    [
        new("consultation", "Consultation", 15, "blue"), new("new_patient", "New patient", 30, "indigo"), new("follow_up", "Follow-up", 10, "azure"), new("telephone", "Telephone", 10, "teal"),
        new("video", "Video", 15, "cyan"), new("nurse", "Nurse appointment", 20, "green"), new("procedure", "Procedure", 40, "orange"), new("home_visit", "Home visit", 60, "purple"),
    ];

    /// <summary>Why an appointment is cancelled; the code stands in the event, what is typed with <see cref="OtherReason"/> is sealed with the record.</summary>
    public static IReadOnlyList<Choice> CancelReasons { get; } =
    [
        new("patient", "The patient cancelled"), new("clinic", "The clinic cancelled"), new("practitioner_absent", "The practitioner is absent"),
        new("booked_in_error", "Booked in error"), new(OtherReason, "Other reason"),
    ];

    /// <summary>Roles whose holders see patients by appointment.</summary>
    public static string[] PractitionerRoles { get; } = [BuiltInRole.Doctor.Code, BuiltInRole.Nurse.Code, BuiltInRole.Clinical.Code];

    public static AppointmentType? TypeOf(string? code) => Types.FirstOrDefault(type => type.Code == code);
}
