using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Schedule;

/// <summary>What can go wrong in the schedule, one line per rule.</summary>
internal static class ScheduleErrors
{
    /// <summary>Fields are at fault; they are named with a sentence each.</summary>
    public static readonly Error Invalid = new("CHP-SCHEDULE-0001", "Some details of the appointment need correcting.", 422, "Correct the fields named and send it again. Nothing was stored.");

    /// <summary>The practitioner has another appointment then; the database decides, so nobody else can have got in between.</summary>
    public static readonly Error TimeTaken = new("CHP-SCHEDULE-0002", "That time was just taken.", 409, "Look at the day as it is now and choose another time or another practitioner. Nothing was stored.");

    /// <summary>The account exists, but is none that patients are booked with.</summary>
    public static readonly Error NotPractitioner = new("CHP-SCHEDULE-0003", "Nobody can be booked with this person.", 422, "Choose somebody of the list of practitioners: their account must be active and have a clinical role.");

    /// <summary>An archived patient is not booked.</summary>
    public static readonly Error PatientArchived = new("CHP-SCHEDULE-0004", "This patient's record is archived.", 409, "Restore the record first, or book somebody else.");

    /// <summary>The appointment is not in a state from which this can be done.</summary>
    public static readonly Error WrongStatus = new("CHP-SCHEDULE-0005", "The appointment's status does not allow that.", 409, "Look at the appointment as it is now; its status is named. Book a new one where it is completed or cancelled.");

    /// <summary>Arrivals and starts are of the day, no-shows of what should have begun.</summary>
    public static readonly Error TooEarly = new("CHP-SCHEDULE-0006", "It is too early for that.", 409, "Arrivals and starts are recorded from the day of the appointment on, a no-show from its beginning on.");

    /// <summary>A span of days that cannot be shown.</summary>
    public static readonly Error BadSpan = new("CHP-SCHEDULE-0007", "The schedule cannot be shown as asked.", 422, "Give one day, or from and to with at most 62 days between them, as dates such as 2026-11-21; a practitioner by id. Where there is too much to show, ask for fewer days or one practitioner.");

    /// <summary>The practitioner is away then.</summary>
    public static readonly Error OnLeave = new("CHP-SCHEDULE-0008", "The practitioner is on leave then.", 409, "Choose another time or another practitioner. Nothing was stored.");

    /// <summary>Not refused for good: receptions do book outside hours when somebody has agreed to it.</summary>
    public static readonly Error OutsideHours = new("CHP-SCHEDULE-0009", "That is outside the practitioner's working hours.", 409, "Choose another time, or confirm that it is meant (API: confirmOutsideHours). Nothing was stored.");

    /// <summary>The room is in use then; the database decides, as about practitioners.</summary>
    public static readonly Error RoomTaken = new("CHP-SCHEDULE-0010", "That room is in use then.", 409, "Choose another room, none, or another time. Nothing was stored.");

    /// <summary>Fields of something around appointments (hours, leave, rooms, types) are at fault; they are named with a sentence each.</summary>
    public static readonly Error DetailsInvalid = new("CHP-SCHEDULE-0011", "Some details need correcting.", 422, "Correct the fields named and send it again. Nothing was stored.");

    /// <summary>Leave lies over appointments, which stay as they are.</summary>
    public static readonly Error LeaveOverAppointments = new("CHP-SCHEDULE-0012", "There are appointments in that time.", 409, "Move or cancel them first, or confirm that the leave is entered over them (API: confirm); they stay as they are until somebody moves them.");

    /// <summary>Of repeats that are booked or moved together some cannot be where they would be; each is listed with its reason.</summary>
    public static readonly Error SomeClash = new("CHP-SCHEDULE-0013", "Some of the repeats cannot be there.", 409, "Look at the list, then choose another time, or have those left out that clash (API: skipClashes). Nothing was stored.");

    /// <summary>The entry of the waiting list was booked or removed; two who take the same one at once get here, all but the first.</summary>
    public static readonly Error NotWaiting = new("CHP-SCHEDULE-0014", "This entry of the waiting list is closed.", 409, "Look at the list as it is now: somebody else has booked or removed it. Nothing was stored.");

    /// <summary>Somebody who is about to leave still has appointments to come.</summary>
    public static readonly Error StillToCome = new("CHP-SCHEDULE-0015", "There are appointments still to come.", 409, "Move or cancel them first, or confirm (API: confirm=true): they stay as they are until somebody cancels them.");

    /// <summary>The error with the appointments that stand in the way: how many, and of the first hundred ids and when they begin (UTC).</summary>
    public static Error Over(this Error error, IReadOnlyList<AppointmentRow> appointments) => error with
    {
        Facts = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["appointmentCount"] = appointments.Count,
            ["appointmentIds"] = appointments.Take(100).Select(row => row.Id).ToArray(),
            ["appointmentTimes"] = appointments.Take(100).Select(row => row.StartsAt).ToArray(),
        },
    };

    /// <summary>The error with the status that stands in the way.</summary>
    public static Error Is(this Error error, string status) => error with { Facts = new Dictionary<string, object>(StringComparer.Ordinal) { ["appointmentStatus"] = status } };
}
