using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Jobs;

/// <summary>Errors of jobs, one line per rule.</summary>
public static class JobErrors
{
    /// <summary>It was running when its process died, or nobody read on.</summary>
    public static readonly Error BrokeOff = new("CHP-JOB-0001", "The job broke off.", 500, "Start it again. What had been done by then is in the log.");

    /// <summary>There is nothing to try again.</summary>
    public static readonly Error NotRetryable = new("CHP-JOB-0002", "This job cannot be tried again.", 409, "Start a new one where it was started. Mail can be tried again while it is of use, and a verification at any time.");

    /// <summary>The log or a record is not what was signed.</summary>
    public static readonly Error NotAsSigned = new("CHP-JOB-0003", "The verification found something that is not as signed.", 500, "Open the audit log and read what this means. Tell whoever runs the server at once.");

    /// <summary>It could not be looked.</summary>
    public static readonly Error CouldNotCheck = new("CHP-JOB-0004", "The verification could not be made.", 503, "Run it again. If it fails again, whoever runs the server should run the verify command.");
}
