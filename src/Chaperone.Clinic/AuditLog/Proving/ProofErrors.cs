using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.AuditLog.Proving;

/// <summary>What can go wrong in proving the log to somebody outside, one line per rule.</summary>
public static class ProofErrors
{
    /// <summary>The event's body does not open, so there is nothing a proof could be about.</summary>
    public static readonly Error NothingToProve = new("CHP-PROOF-0001", "This event cannot be opened, so it cannot be proved.", 409, "Have the log verified: the event was changed in the database, or its key is gone.");

    /// <summary>One of the two sizes is of no kept checkpoint.</summary>
    public static readonly Error NoSuchCheckpoint = new("CHP-PROOF-0002", "No checkpoint of that size is kept.", 404, "Choose two from the list of kept checkpoints.");

    /// <summary>The same checkpoint twice.</summary>
    public static readonly Error OneCheckpoint = new("CHP-PROOF-0003", "A proof needs two different checkpoints.", 400, "Choose an older one and a newer one.");

    /// <summary>No token, or one that opens nothing: unknown, ended, revoked, another clinic's.</summary>
    public static readonly Error NoReader = new("CHP-PROOF-0004", "This log is not open to you.", 401, "Send a token that works as Authorization: Bearer. Ask the clinic for one.");

    /// <summary>A token that cannot be made as asked; the fields are named with a sentence each.</summary>
    public static readonly Error BadToken = new("CHP-PROOF-0005", "The token cannot be made like that.", 422, "Correct the fields named.");
}
