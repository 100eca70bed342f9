using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Patients;

/// <summary>What can go wrong in the register of patients, one line per rule.</summary>
public static class PatientErrors
{
    /// <summary>Fields are at fault; they are named with a sentence each.</summary>
    public static readonly Error Invalid = new("CHP-PATIENT-0001", "Some details need correcting.", 422, "Correct the fields named and send it again. Nothing was stored.");

    /// <summary>Somebody with the same name and date of birth, or the same NHS number, is registered.</summary>
    public static readonly Error LikelyDuplicate = new("CHP-PATIENT-0002", "This looks like somebody who is already registered.", 409, "Open the record that exists. If it is another person, confirm it (API: confirmedNotDuplicate).");

    /// <summary>Another patient has the NHS number; confirming does not help, as no two people share one.</summary>
    public static readonly Error NhsNumberTaken = new("CHP-PATIENT-0003", "Another patient of this clinic has this NHS number.", 409, "Compare the number with the letter or card, or open the record that has it.");

    /// <summary>An archived record is not edited.</summary>
    public static readonly Error IsArchived = new("CHP-PATIENT-0004", "This record is archived.", 409, "Restore it first.");

    /// <summary>Only archived records can be restored.</summary>
    public static readonly Error NotArchived = new("CHP-PATIENT-0005", "This record is not archived.", 409, "There is nothing to undo.");

    /// <summary>A page's cursor or filter that is none of ours.</summary>
    public static readonly Error BadList = new("CHP-PATIENT-0006", "This list cannot be shown as asked.", 422, "Use status active, archived or all, a limit from 1 to 200, and a cursor as it was given in next.");

    /// <summary>Nothing to look for.</summary>
    public static readonly Error NothingToFind = new("CHP-PATIENT-0007", "There is nothing to look for in that.", 422, "Type part of a name, a date of birth, an NHS number, a phone number or an email address; at most 200 characters.");

    internal static Error Of(this Error error, IReadOnlyList<Twin> twins) => twins.Count == 0 ? error : error with
    {
        Facts = new Dictionary<string, object>(StringComparer.Ordinal) { ["twins"] = twins.Select(twin => twin.Id).ToArray() },
        Shown = [.. twins.Select(twin => twin.Id)],
    };
}
