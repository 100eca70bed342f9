using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Witnesses;

/// <summary>Errors of witnesses, one line per rule. What a witness says in words is never repeated.</summary>
public static class WitnessErrors
{
    /// <summary>Fields that cannot be.</summary>
    public static readonly Error Invalid = new("CHP-WITNESS-0001", "This witness cannot be entered like that.", 422, "Correct the fields.");

    /// <summary>A quorum that cannot be.</summary>
    public static readonly Error BadQuorum = new("CHP-WITNESS-0014", "So many witnesses cannot be asked for.", 422, "Choose a number from 0 to that of the clinic's own witnesses.");

    /// <summary>There are as many as may be.</summary>
    public static readonly Error TooMany = new("CHP-WITNESS-0002", "The clinic has as many witnesses as it may have.", 409, "Remove one that is not needed any more.");

    /// <summary>Nobody answers.</summary>
    public static readonly Error Unreachable = new("CHP-WITNESS-0003", "The witness cannot be reached.", 502, "Check the address, whether it runs, and whether a firewall is in the way. It is asked again by itself.");

    /// <summary>No answer in time.</summary>
    public static readonly Error Slow = new("CHP-WITNESS-0004", "The witness did not answer in time.", 504, "Check the address and whether it runs. It is asked again by itself.");

    /// <summary>The address is in a network that is closed to this.</summary>
    public static readonly Error Forbidden = new("CHP-WITNESS-0005", "A witness may not be at this address.", 422, "Witnesses answer at a public address by HTTPS. For one in the practice's own network ask whoever runs this server to allow it (Chaperone:OutsideNetworks).");

    /// <summary>The certificate is not one to believe.</summary>
    public static readonly Error Certificate = new("CHP-WITNESS-0006", "The witness's certificate is not trusted.", 502, "The certificate must be valid, have the host name you entered, and come from an authority this machine trusts.");

    /// <summary>It was not given this log's key.</summary>
    public static readonly Error UnknownLog = new("CHP-WITNESS-0007", "The witness does not know this log.", 502, "Give it the log's key, which stands under Settings > Security > Witnesses, with --log.");

    /// <summary>It was given another key for this log.</summary>
    public static readonly Error OtherKey = new("CHP-WITNESS-0008", "The witness knows another key for this log.", 502, "Compare the log's key with the one that the witness was given. If nobody changed it, find out why they differ.");

    /// <summary>It cannot at present.</summary>
    public static readonly Error Unable = new("CHP-WITNESS-0009", "The witness cannot cosign at present.", 503, "It may be out of disk space, or overloaded: ask whoever runs it. It is asked again by itself.");

    /// <summary>What answers is no witness.</summary>
    public static readonly Error NotAWitness = new("CHP-WITNESS-0010", "What answers there is not a witness.", 502, "Check the address: it is what comes before /add-checkpoint.");

    /// <summary>It signs with another key.</summary>
    public static readonly Error WrongSignature = new("CHP-WITNESS-0011", "The witness signs with another key than the one entered.", 502, "Compare the key with the one that the witness prints when it starts. If nobody changed it, somebody else answers in its place.");

    /// <summary>It saw another log.</summary>
    public static readonly Error Objects = new("CHP-WITNESS-0012", "The witness says that the log does not continue what it saw before.", 502, "The log may have been rewritten or cut. Tell whoever runs this server at once; change nothing, and keep the witness's state and the checkpoint files. See docs/operations.md.");

    /// <summary>Nothing is signed yet.</summary>
    public static readonly Error NothingSigned = new("CHP-WITNESS-0013", "Nothing of this log is signed yet.", 409, "Wait a second and try again.");

    /// <summary>The error that a fault is to people.</summary>
    public static Error Of(WitnessFault fault) => fault switch
    {
        WitnessFault.Unreachable => Unreachable,
        WitnessFault.Slow => Slow,
        WitnessFault.Forbidden => Forbidden,
        WitnessFault.Certificate => Certificate,
        WitnessFault.UnknownLog => UnknownLog,
        WitnessFault.OtherKey => OtherKey,
        WitnessFault.Unable => Unable,
        WitnessFault.NotAWitness => NotAWitness,
        WitnessFault.WrongSignature => WrongSignature,
        _ => Objects,
    };
}
