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
}
