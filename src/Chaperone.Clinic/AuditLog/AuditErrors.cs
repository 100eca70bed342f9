using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.AuditLog;

/// <summary>What can go wrong in reading the audit log, one line per rule.</summary>
public static class AuditErrors
{
    /// <summary>A filter, limit or cursor that does not read as one; the fields are named with a sentence each.</summary>
    public static readonly Error BadFilter = new("CHP-AUDIT-0001", "The log cannot be filtered like that.", 400, "Correct the fields named. Nothing was shown.");

    /// <summary>An export that is not to be had as asked.</summary>
    public static readonly Error BadExport = new("CHP-AUDIT-0002", "The log cannot be exported like that.", 400, "Correct the fields named. A bundle is a span of time and takes from and to only; csv, json and pdf take every filter.");

    /// <summary>There is no signed checkpoint yet.</summary>
    public static readonly Error NothingSigned = new("CHP-AUDIT-0003", "Nothing of this log is signed yet.", 409, "Wait a second and try again. If it stays so, ask the operator to look at the server's messages.");

    /// <summary>A saved filter without a name that can be shown, or without a filter.</summary>
    public static readonly Error BadFilterName = new("CHP-AUDIT-0004", "The filter cannot be kept like that.", 422, "Choose a filter, and a name of at most 80 letters.");

    /// <summary>More saved filters than anybody finds again.</summary>
    public static readonly Error TooManyFilters = new("CHP-AUDIT-0005", "You have fifty saved filters.", 409, "Remove one that you no longer use.");

    /// <summary>The clinic's plan shows the last thirty days and lets nothing be downloaded.</summary>
    public static readonly Error NotInPlan = new("CHP-AUDIT-0006", "Your clinic's plan does not include this.", 403, "The plan Starter shows the last thirty days of the log and downloads nothing of it. The log itself is whole; on Pro and Team all of it is there, from the first day.");

    /// <summary>A plan that does not exist.</summary>
    public static readonly Error NoSuchPlan = new("CHP-AUDIT-0007", "There is no such plan.", 400, "Use self_hosted, starter, pro or team.");

    /// <summary>A bundle and evidence cannot leave events out, and some are not for this person while an investigation is open.</summary>
    public static readonly Error NotWhole = new("CHP-AUDIT-0008", "The file would hold events that are not for you to read.", 403, "While an investigation is open, its own events are for those who work on it and for owners. Ask an owner to make it, or export the log as a table, data or report, which leave them out.");
}
