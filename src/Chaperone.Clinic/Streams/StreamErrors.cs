using Chaperone.Clinic.Streams.Receivers;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Streams;

/// <summary>Errors of streams, one line per rule. What a receiver says in words is never repeated.</summary>
public static class StreamErrors
{
    /// <summary>Fields that cannot be.</summary>
    public static readonly Error Invalid = new("CHP-STREAM-0001", "This stream cannot be saved like that.", 422, "Correct the fields.");

    /// <summary>There are as many as may be.</summary>
    public static readonly Error TooMany = new("CHP-STREAM-0002", "The clinic has as many streams as it may have.", 409, "Delete one that is not needed any more.");

    /// <summary>Nobody answers.</summary>
    public static readonly Error Unreachable = new("CHP-STREAM-0003", "The receiver cannot be reached.", 502, "Check the address, whether it runs, and whether a firewall is in the way. It is tried again by itself.");

    /// <summary>No answer in time.</summary>
    public static readonly Error Slow = new("CHP-STREAM-0004", "The receiver did not answer in time.", 504, "Check whether it keeps up. It is tried again by itself.");

    /// <summary>The address is in a network that is closed to this.</summary>
    public static readonly Error Forbidden = new("CHP-STREAM-0005", "A receiver may not be at this address.", 422, "Receivers are at public addresses. For one in the practice's own network ask whoever runs this server to allow it (Chaperone:OutsideNetworks).");

    /// <summary>The certificate is not one to believe.</summary>
    public static readonly Error Certificate = new("CHP-STREAM-0006", "The receiver's certificate is not trusted.", 502, "It must be valid, have the host name you entered, and come from an authority this machine trusts, or from the one entered for the stream.");

    /// <summary>No TLS there, or the receiver does not take ours.</summary>
    public static readonly Error NoTls = new("CHP-STREAM-0007", "The receiver did not agree on TLS.", 502, "Check the port, whether it speaks TLS 1.2 or 1.3 there, and whether it asks for a certificate of yours.");

    /// <summary>The connection ended before it was certain that all was read.</summary>
    public static readonly Error Lost = new("CHP-STREAM-0008", "The receiver ended the connection before it had read everything.", 502, "Everything of that connection is sent again by itself.");

    /// <summary>It answered with a redirect.</summary>
    public static readonly Error Redirects = new("CHP-STREAM-0009", "The receiver leads to another address.", 502, "Redirects are not followed: enter the address itself.");

    /// <summary>It wants no sender like us.</summary>
    public static readonly Error Closed = new("CHP-STREAM-0010", "The receiver does not let this server in.", 502, "Check the path and what the receiver asks of senders, such as a certificate. It is tried again by itself.");

    /// <summary>Too much at once.</summary>
    public static readonly Error Busy = new("CHP-STREAM-0011", "The receiver wants to be left alone for a while.", 503, "It is tried again when the receiver says, or by itself.");

    /// <summary>It has a fault.</summary>
    public static readonly Error Failing = new("CHP-STREAM-0012", "The receiver has a fault.", 502, "Ask whoever runs it. It is tried again by itself.");

    /// <summary>It refuses what it was given.</summary>
    public static readonly Error Refused = new("CHP-STREAM-0013", "The receiver refuses this message.", 502, "See what it cannot take, such as the size or the shape, and send it again or skip it under undelivered messages.");

    /// <summary>It wants nothing more.</summary>
    public static readonly Error Gone = new("CHP-STREAM-0014", "The receiver says that it is gone for good.", 502, "The stream is paused. Resume it when the receiver is there again, or enter another address.");

    /// <summary>The log is not what was signed.</summary>
    public static readonly Error NotAsSigned = new("CHP-STREAM-0015", "The log is not what was signed, so nothing of it is passed on.", 503, "See what the integrity page says, and tell whoever runs this server at once.");

    /// <summary>There is nothing to decide any more.</summary>
    public static readonly Error Decided = new("CHP-STREAM-0016", "It was decided about this message already.", 409, "Load the page again.");

    /// <summary>Only webhooks have one.</summary>
    public static readonly Error NoSecret = new("CHP-STREAM-0017", "Only webhooks have a secret.", 409, "Syslog is protected by TLS, and by a certificate of yours if the receiver asks for one.");

    /// <summary>An open investigation is not for whoever asks.</summary>
    public static readonly Error Withheld = new("CHP-STREAM-0018", "The stream would carry events that are not for you to read.", 403, "While an investigation is open, its own events are for those who work on it and for owners. Ask an owner to enter or change the stream.");

    /// <summary>The error that a fault is to people.</summary>
    internal static Error Of(StreamFault fault) => fault switch
    {
        StreamFault.Unreachable => Unreachable,
        StreamFault.Slow => Slow,
        StreamFault.Forbidden => Forbidden,
        StreamFault.Certificate => Certificate,
        StreamFault.NoTls => NoTls,
        StreamFault.Lost => Lost,
        StreamFault.Redirects => Redirects,
        StreamFault.Closed => Closed,
        StreamFault.Busy => Busy,
        StreamFault.Failing => Failing,
        StreamFault.Refused => Refused,
        StreamFault.Gone => Gone,
        _ => NotAsSigned,
    };
}
