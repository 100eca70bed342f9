using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;

namespace Chaperone.Clinic.Schedule;

/// <summary>A sort of appointment.</summary>
/// <param name="Code">Stored; never changes its meaning.</param>
/// <param name="Name">What people read.</param>
/// <param name="Minutes">How long one lasts unless somebody says otherwise.</param>
/// <param name="Colour">How the schedule paints it: a colour of the design's palette, with the name always written beside it.</param>
/// <param name="Active">Whether it can be chosen for new appointments.</param>
/// <param name="Order">Where it stands among the others.</param>
/// <param name="Version">0 while it is as the program has it; see the ETag of other records.</param>
public sealed record AppointmentType(string Code, string Name, int Minutes, string Colour, bool Active = true, int Order = 0, long Version = 0);

/// <summary>The codes of the schedule, each with the words people read.</summary>
internal static class ScheduleCodes
{
    /// <summary>The reason that comes with a typed text.</summary>
    public const string OtherReason = "other";

    /// <summary>What every clinic has until it changes them (<see cref="AppointmentTypes"/>).</summary>
    public static IReadOnlyList<AppointmentType> UsualTypes { get; } =
    [
        new("consultation", "Consultation", 15, "blue", Order: 10), new("new_patient", "New patient", 30, "indigo", Order: 20), new("follow_up", "Follow-up", 10, "azure", Order: 30),
        new("telephone", "Telephone", 10, "teal", Order: 40), new("video", "Video", 15, "cyan", Order: 50), new("nurse", "Nurse appointment", 20, "green", Order: 60),
        new("procedure", "Procedure", 40, "orange", Order: 70), new("home_visit", "Home visit", 60, "purple", Order: 80),
    ];

    /// <summary>The colours a sort of appointment can have.</summary>
    public static IReadOnlyList<Choice> Colours { get; } =
    [
        new("blue", "Blue"), new("azure", "Azure"), new("indigo", "Indigo"), new("purple", "Purple"), new("pink", "Pink"), new("red", "Red"), new("orange", "Orange"), new("yellow", "Yellow"),
        new("lime", "Lime"), new("green", "Green"), new("teal", "Teal"), new("cyan", "Cyan"),
    ];

    /// <summary>Why an appointment is cancelled; the code stands in the event, what is typed with <see cref="OtherReason"/> is sealed with the record.</summary>
    public static IReadOnlyList<Choice> CancelReasons { get; } =
    [
        new("patient", "The patient cancelled"), new("clinic", "The clinic cancelled"), new("practitioner_absent", "The practitioner is absent"),
        new("booked_in_error", "Booked in error"), new(OtherReason, "Other reason"),
    ];

    /// <summary>What of a series of repeats somebody means.</summary>
    public static IReadOnlyList<Choice> SeriesScopes { get; } = [new("one", "Only this appointment"), new("following", "This one and those that follow")];

    /// <summary>Roles whose holders see patients by appointment.</summary>
    public static string[] PractitionerRoles { get; } = [BuiltInRole.Doctor.Code, BuiltInRole.Nurse.Code, BuiltInRole.Clinical.Code];
}
