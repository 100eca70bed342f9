using Chaperone.Clinic.AuditLog;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;

namespace Chaperone.Clinic.AccessHistory;

/// <summary>One time that somebody saw or changed a person's data. Says nothing of anybody else whom the same event showed.</summary>
/// <param name="Id">The event.</param>
/// <param name="Index">Its place in the log, or null while it has none.</param>
/// <param name="At">When.</param>
/// <param name="Account">Whose account; null for the system, the operator and who is not signed in.</param>
/// <param name="Who">A name, or what acted.</param>
/// <param name="Role">In which role.</param>
/// <param name="Action">The event's action; see docs/events.md.</param>
/// <param name="Why">As part of what: an appointment, a search, an export.</param>
/// <param name="What">What happened, in a sentence.</param>
/// <param name="Changed">Names of the fields that were changed.</param>
/// <param name="Refused">Whether it was refused or failed.</param>
/// <param name="IsReadable">False when the event does not open; then nothing vouches for what is said of it.</param>
public sealed record AccessLook(
    Guid Id, long? Index, DateTimeOffset At, Guid? Account, string Who, string? Role, string Action, string Why, string What, IReadOnlyList<string> Changed, bool Refused, bool IsReadable)
{
    /// <summary>The look that an event tells of.</summary>
    internal static AccessLook Of(ReadEvent read, IReadOnlyDictionary<Guid, AuditMember> members)
    {
        var happened = read.Event;
        var name = happened.Actor.Id is { } id && members.GetValueOrDefault(id) is { } member ? member.Name : read.IsReadable ? AuditText.Who(happened.Actor) : "Not to be told";
        return new(
            happened.Id, read.Index, happened.At, happened.Actor.Id, name, read.IsReadable ? AuditText.Role(happened.Actor) : null, happened.Action,
            read.IsReadable ? WhyOf(happened) : "Not to be told", read.IsReadable ? AuditText.What(happened) : UnreadableEvents.Sentence,
            [.. happened.Changes.Select(change => change.Field)], happened.Outcome != EventOutcome.Success, read.IsReadable);
    }

    /// <summary>As part of what somebody saw or changed the data, from action and decision.</summary>
    internal static string WhyOf(LedgerEvent happened)
    {
        var part = happened.Action switch
        {
            "patient.viewed" when happened.Details.TryGetValue("view", out var view) && view.Code == "masked" => "Opened the record, names masked",
            "patient.viewed" => "Opened the record",
            "patient.searched" or "staff.searched" => "Found in a search",
            "patient.listed" or "staff.listed" or "practitioner.listed" => "In a list",
            "schedule.viewed" => "In the schedule",
            "calendar.read" => "In a calendar program",
            "home.viewed" => "On the start page",
            "data.export_started" or "data.exported" => "In an export",
            "audit.viewed" or "audit.tail_started" or "audit.tail_ended" => "Reading the audit log",
            "audit.access_history_viewed" => "Looking at who looked",
            "settings.viewed" => "In the settings",
            _ when happened.Action.StartsWith("appointment.", StringComparison.Ordinal) => "For an appointment",
            _ when happened.Action.StartsWith("waiting.", StringComparison.Ordinal) => "For the waiting list",
            _ when happened.Action.StartsWith("investigation.", StringComparison.Ordinal) => "In an investigation",
            _ when happened.Action.StartsWith("import.", StringComparison.Ordinal) => "In an import",
            _ when happened.Action.StartsWith("mail.", StringComparison.Ordinal) => "For a mail",
            _ when happened.Category == EventCategory.DataChange => "Changed the record",
            _ when happened.Category == EventCategory.Authentication => "Signing in",
            _ when happened.Category == EventCategory.Security => "A security event",
            _ when happened.Category == EventCategory.Administration => "Looking after the account",
            _ => "Other",
        };
        return happened.Decision.StartsWith("elevation:", StringComparison.Ordinal) ? $"{part}, with temporary elevated access"
            : happened.Decision.StartsWith("emergency:", StringComparison.Ordinal) ? $"{part}, as an emergency" : part;
    }
}

/// <summary>Which part of a history is wanted.</summary>
/// <param name="Cursor">Older than this.</param>
/// <param name="Newer">Newer than this.</param>
/// <param name="WithOwn">Whether what the person did themselves is shown too.</param>
internal sealed record AccessQuery(string? Cursor = null, string? Newer = null, bool WithOwn = false);

/// <summary>Who saw or changed one person's data.</summary>
/// <param name="Looks">Newest first.</param>
/// <param name="Next">The cursor of the next older ones, or null.</param>
/// <param name="Previous">The cursor of the next newer ones, or null.</param>
/// <param name="Count">How many there are, counted to a number.</param>
/// <param name="Integrity">What the last verification of the log found.</param>
public sealed record AccessHistoryPage(IReadOnlyList<AccessLook> Looks, string? Next, string? Previous, EventCount Count, LogIntegrity Integrity);
