using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Investigations;

/// <summary>What can go wrong with investigations, one line per rule.</summary>
public static class CaseErrors
{
    /// <summary>Fields are wrong.</summary>
    public static readonly Error DetailsInvalid = new("CHP-CASE-0001", "Some details need correcting.", 422, "Correct the fields named and send it again. Nothing was stored.");

    /// <summary>Nothing was chosen, or an event that is not in this clinic's log.</summary>
    public static readonly Error NothingChosen = new("CHP-CASE-0002", "No events were chosen.", 422, "Choose events of the audit log, or a filter that finds some.");

    /// <summary>More events than one case holds.</summary>
    public static readonly Error TooManyEvents = new("CHP-CASE-0003", "That is more than an investigation holds.", 422, "An investigation holds 500 events. Narrow the filter, choose fewer, or open a second investigation.");

    /// <summary>The case is not in a state in which this can be done.</summary>
    public static readonly Error NotNow = new("CHP-CASE-0004", "The investigation is not as it was.", 409, "Somebody concluded or reopened it in the meantime. Open it again and look at it as it is now.");

    /// <summary>Whoever wrote the conclusion cannot agree to it too.</summary>
    public static readonly Error NeedsSecondPerson = new("CHP-CASE-0005", "A second person must agree.", 409, "Ask somebody else who works on the investigation, or an owner, to confirm the conclusion. Until then its events stay held.");

    /// <summary>Somebody who works on the case cannot be whom it is about, nor the other way round.</summary>
    public static readonly Error OnBothSides = new("CHP-CASE-0006", "Nobody can be on both sides of an investigation.", 409, "Take the person off the team first, or choose somebody else. Whoever opened it and whoever it is assigned to stay on the team.");

    /// <summary>Already in the case.</summary>
    public static readonly Error AlreadyIn = new("CHP-CASE-0007", "That is in the investigation already.", 409, "Nothing had to be done.");

    /// <summary>Evidence needs a signed checkpoint over every event, and events that open.</summary>
    public static readonly Error NothingSigned = new("CHP-CASE-0008", "Not every event of it can be proved yet.", 409, "Wait a second and try again. If it stays so, look at Integrity: the log may not be signed, or an event was changed in the database.");
}
