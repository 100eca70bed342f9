using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Retention;

/// <summary>Errors of retention, one line per rule.</summary>
public static class RetentionErrors
{
    /// <summary>Fields are wrong.</summary>
    public static readonly Error DetailsInvalid = new("CHP-RETENTION-0001", "Some details need correcting.", 422, "Correct the fields named and send it again. Nothing was stored.");

    /// <summary>Whoever proposed it cannot agree to it too.</summary>
    public static readonly Error NeedsSecondPerson = new("CHP-RETENTION-0002", "A second person must agree.", 409, "Ask somebody else who may run retention, an owner or an administrator, to confirm it. Until then it is as it was: what is held stays held.");

    /// <summary>The hold is not in a state from which this can be done.</summary>
    public static readonly Error NotNow = new("CHP-RETENTION-0003", "The hold is not as it was.", 409, "Somebody acted on it in the meantime. Open the page again and look at it as it is now.");
}
