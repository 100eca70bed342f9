using Chaperone.Clinic.Patients;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Schedule;

/// <summary>An appointment as somebody wants it, as typed.</summary>
/// <param name="PractitionerId">With whom.</param>
/// <param name="Type">A code of the clinic's <see cref="AppointmentTypes"/>.</param>
/// <param name="StartsAt">When; see <see cref="ClinicTime.Parse"/>.</param>
/// <param name="EndsAt">Until when; null to go by <paramref name="Minutes"/>.</param>
/// <param name="Minutes">How long; null for as long as its type lasts.</param>
/// <param name="Reason">Why the patient comes.</param>
/// <param name="Note">For colleagues.</param>
/// <param name="RoomId">Where; null for no room of the list.</param>
/// <param name="ConfirmOutsideHours">That it may lie outside the practitioner's working hours: somebody has been told and wants it so.</param>
internal sealed record Wanted(
    Guid? PractitionerId, string? Type, string? StartsAt, string? EndsAt = null, int? Minutes = null, string? Reason = null, string? Note = null, Guid? RoomId = null, bool ConfirmOutsideHours = false)
{
    private const int LongestReason = 200, LongestNote = 2000;
    /// <summary>How far ahead an appointment can begin.</summary>
    public static readonly TimeSpan FarthestAhead = TimeSpan.FromDays(3 * 366);

    /// <summary>How late an appointment may still be booked: whoever walks in gets the slot that has just begun.</summary>
    private static readonly TimeSpan Begun = TimeSpan.FromMinutes(15);

    /// <summary>An appointment as it is, wanted again.</summary>
    public static Wanted Of(AppointmentRow row, TimeZoneInfo zone) =>
        new(row.PractitionerId, row.Type, AppointmentBody.Iso(TimeZoneInfo.ConvertTime(row.StartsAt, zone)), AppointmentBody.Iso(TimeZoneInfo.ConvertTime(row.EndsAt, zone)), null, row.Payload.Reason, row.Payload.Note, row.RoomId);

    // Records are printed by whoever logs them.
    public override string ToString() => nameof(Wanted);

    /// <summary>What was typed as a slot and what is written about it, or what is wrong with it, field by field.</summary>
    /// <param name="types">The clinic's sorts of appointment.</param>
    /// <param name="zone">The clinic's.</param>
    /// <param name="now">The moment.</param>
    /// <param name="stands">The appointment as it is so far: its time may lie in the past, its type may be retired.</param>
    public Result<Slot> Read(AppointmentTypes types, TimeZoneInfo zone, DateTimeOffset now, AppointmentRow? stands = null)
    {
        var error = ScheduleErrors.Invalid;
        if (PractitionerId is null) error = error.With("practitionerId", "Choose a practitioner.");
        var type = types.Find(Type) is { } known && (known.Active || known.Code == stands?.Type) ? known : null;
        if (type is null) error = error.With("type", "Choose a type of appointment.");
        if (Fault(Reason, LongestReason) is { } reasonFault) error = error.With("reason", reasonFault);
        if (Fault(Note, LongestNote) is { } noteFault) error = error.With("note", noteFault);

        var (from, fault) = ClinicTime.Parse(StartsAt, zone);
        if (from is not { } start) return error.With("startsAt", fault!);
        if (start != stands?.StartsAt && start < now - Begun) error = error.With("startsAt", "That time is past.");
        if (start - now > FarthestAhead) error = error.With("startsAt", "That is more than three years ahead.");

        var end = start + TimeSpan.FromMinutes(type?.Minutes ?? 1);
        if (Minutes is { } minutes)
        {
            if (minutes is < 1 or > 720) error = error.With("minutes", "An appointment lasts from one minute to twelve hours.");
            else end = start + TimeSpan.FromMinutes(minutes);
        }
        if (EndsAt is not null)
        {
            var (to, endFault) = ClinicTime.Parse(EndsAt, zone);
            if (to is null) error = error.With("endsAt", endFault!);
            else if (to <= start) error = error.With("endsAt", "It must end after it begins.");
            else if (to - start > Diary.Longest) error = error.With("endsAt", "An appointment lasts twelve hours at most.");
            else if (Minutes is not null && to != end) error = error.With("minutes", "Give the end or the minutes, not both.");
            end = to ?? end;
        }
        return error.Fields.Count > 0 ? error : new Slot(PractitionerId!.Value, type!.Code, start, end, PersonDetails.Tidy(Reason), PersonDetails.Tidy(Note), RoomId);
    }

    /// <summary>What is wrong with a text, or null.</summary>
    public static string? Fault(string? text, int longest)
    {
        if (text is null) return null;
        if (text.Length > longest) return $"At most {longest} characters.";
        if (text.Any(c => (char.IsControl(c) && c is not ('\r' or '\n' or '\t')) || c is '\u2028' or '\u2029')) return "It must not contain control characters.";
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) i++;
            else if (char.IsSurrogate(text[i])) return "It contains half a character that cannot be stored.";
        }
        return null;
    }
}

/// <summary>An appointment as it can be put into the schedule, once nobody else has the time.</summary>
internal sealed record Slot(Guid PractitionerId, string Type, DateTimeOffset StartsAt, DateTimeOffset EndsAt, string? Reason, string? Note, Guid? RoomId)
{
    /// <summary>A new appointment of this patient there.</summary>
    public AppointmentRow For(Guid patient, Guid id, Guid? series = null) => new()
    {
        Id = id,
        SubjectId = patient,
        PractitionerId = PractitionerId,
        StartsAt = StartsAt,
        EndsAt = EndsAt,
        Type = Type,
        RoomId = RoomId,
        SeriesId = series,
        Payload = new() { Reason = Reason, Note = Note },
    };

    public override string ToString() => nameof(Slot);
}
