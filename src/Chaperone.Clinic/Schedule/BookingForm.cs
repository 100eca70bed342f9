using System.Globalization;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.Schedule.Series;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Schedule;

/// <summary>What stands in the form of an appointment, as typed.</summary>
/// <param name="Values">Field to text.</param>
public sealed record BookingForm(IReadOnlyDictionary<string, string> Values)
{
    /// <summary>The form's fields in the order they stand, with their labels.</summary>
    private static readonly (string Name, string Label)[] Labels =
    [
        ("patientId", "Patient"), ("practitionerId", "Practitioner"), ("type", "Type"), ("date", "Date"), ("time", "Time"), ("minutes", "Minutes"), ("roomId", "Room"), ("reason", "Reason"), ("note", "Note"), ("repeatUnit", "Repeat"), ("repeatEvery", "Every"), ("repeatCount", "How many"), ("scope", "Which"),
    ];

    /// <summary>What is typed in a field; empty when nothing is.</summary>
    public string this[string name] => Values.GetValueOrDefault(name, "");

    /// <summary>The patient chosen.</summary>
    public Guid? Patient => Guid.TryParse(this["patientId"], out var id) ? id : null;

    /// <summary>The practitioner chosen.</summary>
    public Guid? Practitioner => Guid.TryParse(this["practitionerId"], out var id) ? id : null;

    /// <summary>The room chosen.</summary>
    public Guid? Room => Guid.TryParse(this["roomId"], out var id) ? id : null;

    /// <summary>Whether somebody confirmed that it lies outside working hours.</summary>
    public bool ConfirmsOutsideHours => this["confirmOutsideHours"] == "true";

    /// <summary>Whether it is to be repeated.</summary>
    public bool Repeats => this["repeatUnit"].Length > 0;

    /// <summary>Whether those of the series that follow are meant too.</summary>
    public bool MeansFollowing => this["scope"] == "following";

    /// <summary>The version of the record that the form was filled from.</summary>
    public long? Version => long.TryParse(this["version"], NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : null;

    /// <summary>Date and time as one text, as the operations read it.</summary>
    public string? StartsAt => this["date"].Length + this["time"].Length == 0 ? null : $"{this["date"]}T{this["time"]}";

    /// <summary>The length typed; null for the type's own, and one that nothing has for what is no number.</summary>
    public int? Minutes => this["minutes"].Trim() is not { Length: > 0 } typed ? null : int.TryParse(typed, NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) ? minutes : 0;

    internal Wanted ToWanted() => new(Practitioner, this["type"], StartsAt, null, Minutes, this["reason"], this["note"], Room, ConfirmsOutsideHours);

    internal Repeat ToRepeat() => new(Number("repeatEvery"), this["repeatUnit"], Number("repeatCount") ?? 0);

    private int? Number(string field) => this[field].Trim() is not { Length: > 0 } typed ? null : int.TryParse(typed, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    /// <summary>The same form with some fields set.</summary>
    public BookingForm With(params IEnumerable<(string Name, string? Value)> fields)
    {
        var values = new Dictionary<string, string>(Values, StringComparer.Ordinal);
        foreach (var (name, value) in fields) values[name] = value ?? "";
        return new(values);
    }

    /// <summary>A form of what is stored.</summary>
    public static BookingForm Of(Appointment appointment) => new BookingForm(new Dictionary<string, string>()).With(
        ("patientId", appointment.PatientId.ToString()), ("practitionerId", appointment.PractitionerId.ToString()), ("type", appointment.Type),
        ("date", DiaryText.Iso(DateOnly.FromDateTime(appointment.StartsAt.DateTime))), ("time", DiaryText.Clock(appointment.StartsAt)), ("minutes", DiaryText.Minutes(appointment.EndsAt - appointment.StartsAt)),
        ("roomId", appointment.RoomId?.ToString()), ("reason", appointment.Details.Reason), ("note", appointment.Details.Note), ("version", appointment.Version.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The state of a form that may stand in an address: who is booked with whom and when, and nothing anybody typed.</summary>
    public string Query(Guid? patient) => string.Join('&', new[] { ("patient", patient?.ToString() ?? ""), ("practitioner", Practitioner?.ToString() ?? ""), ("type", this["type"]), ("date", this["date"]), ("time", this["time"]), ("minutes", this["minutes"]) }
        .Where(field => field.Item2.Length > 0).Select(field => $"{field.Item1}={Uri.EscapeDataString(field.Item2)}"));

    /// <summary>What is wrong, beside the fields of the form.</summary>
    /// <param name="error">The refusal.</param>
    /// <param name="skips">Whether the form can leave out repeats that clash.</param>
    internal static FormErrors ErrorsOf(Error error, bool skips = false)
    {
        var errors = new FormErrors();
        foreach (var (name, _) in Labels)
            foreach (var (field, sentence) in error.Fields)
                if (NameOf(field) == name) errors.Add(name, sentence);
        if (error.Code == ScheduleErrors.TimeTaken.Code) errors.Add("time", "That time was just taken. Choose another time, or find the next free one; everything you entered is still here.");
        else if (error.Code == ScheduleErrors.OnLeave.Code) errors.Add("time", "The practitioner is on leave then. Choose another time or another practitioner; everything you entered is still here.");
        else if (error.Code == ScheduleErrors.OutsideHours.Code) errors.Add("confirmOutsideHours", "That is outside the practitioner's working hours. Tick the box if it is meant, or choose another time.");
        else if (error.Code == ScheduleErrors.SomeClash.Code) errors.Add(skips ? "skipClashes" : "", $"Some of the repeats cannot be there: {ClashText(error)}.");
        else if (error.Code == ScheduleErrors.RoomTaken.Code) errors.Add("roomId", "That room is in use then. Choose another, none, or another time.");
        else if (error.Code == ScheduleErrors.NotPractitioner.Code) errors.Add("practitionerId", $"{error.Title} {error.Next}");
        else if (errors.IsEmpty) errors.Add("", $"{error.Title} {error.Next}");
        return errors;
    }

    private static readonly string[] OfForm =
    [
        ScheduleErrors.TimeTaken.Code, ScheduleErrors.PatientArchived.Code, ScheduleErrors.NotPractitioner.Code, ScheduleErrors.WrongStatus.Code, ScheduleErrors.OnLeave.Code, ScheduleErrors.OutsideHours.Code, ScheduleErrors.RoomTaken.Code, ScheduleErrors.SomeClash.Code,
    ];

    /// <summary>Whether whoever fills in the form can do something about it there.</summary>
    internal static bool Concerns(Error error) =>
        error.Fields.Count > 0 || OfForm.Contains(error.Code);

    /// <summary>Where what is stored says something else than the form: the label, and what is stored in words.</summary>
    public IReadOnlyList<(string Label, string Stored)> DifferencesFrom(Appointment now, IReadOnlyList<Practitioner> practitioners, IReadOnlyList<AppointmentType> types, IReadOnlyList<Room> rooms)
    {
        var stored = Of(now);
        return [.. Labels.Where(label => label.Name is not ("patientId" or "repeatUnit" or "repeatEvery" or "repeatCount" or "scope") && Tidy(this[label.Name]) != Tidy(stored[label.Name])).Select(label => (label.Label, label.Name switch
        {
            "practitionerId" => practitioners.FirstOrDefault(practitioner => practitioner.Id == now.PractitionerId)?.Name ?? "somebody else",
            "type" => types.TypeName(now.Type),
            "roomId" => rooms.FirstOrDefault(room => room.Id == now.RoomId)?.Name ?? "",
            "date" => PatientText.Date(DateOnly.FromDateTime(now.StartsAt.DateTime)),
            _ => stored[label.Name],
        }))];

        static string Tidy(string text) => text.Trim().ReplaceLineEndings("\n");
    }

    private static string ClashText(Error error) => string.Join(", ", ((error.Facts.GetValueOrDefault("clashes") as IReadOnlyList<Clash>) ?? []).Select(clash =>
    {
        var why = clash.Reason switch { "on_leave" => "on leave", "outside_hours" => "outside working hours", "room_taken" => "the room is in use", _ => "taken" };
        return DateTimeOffset.TryParse(clash.StartsAt, CultureInfo.InvariantCulture, out var start) ? $"{start.ToString("ddd d MMM yyyy HH:mm", CultureInfo.InvariantCulture)} ({why})" : why;
    }));

    private static string NameOf(string field) => field switch { "startsAt" or "from" => "time", "endsAt" => "minutes", "practitioner" => "practitionerId", "room" => "roomId", "repeat.unit" => "repeatUnit", "repeat.every" => "repeatEvery", "repeat.count" or "repeat.until" => "repeatCount", _ => field };
}
