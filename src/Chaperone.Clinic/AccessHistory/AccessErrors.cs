using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.AccessHistory;

/// <summary>What can go wrong in reading who looked, one line per rule.</summary>
public static class AccessErrors
{
    /// <summary>A cursor that was not given by a page before.</summary>
    public static readonly Error BadCursor = new("CHP-ACCESSLOG-0001", "That page of the history does not exist.", 400, "Begin at the newest page, and use the cursors it gives, one at a time.");

    /// <summary>A report that is not to be had as asked.</summary>
    public static readonly Error BadFormat = new("CHP-ACCESSLOG-0002", "The report cannot be made like that.", 400, "Ask for pdf or json.");
}
