using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Mail.Smtp;

/// <summary>How the connection to a mail server is secured.</summary>
internal enum MailTls
{
    /// <summary>Plain at first, then STARTTLS, without which nothing is said.</summary>
    StartTls,

    /// <summary>TLS from the first byte.</summary>
    Implicit,

    /// <summary>None; only to a server on this machine.</summary>
    None,
}

/// <summary>A mail server and how to talk to it.</summary>
/// <param name="Host">Its name, which its certificate must have.</param>
/// <param name="Port">Its port.</param>
/// <param name="Tls">How the connection is secured.</param>
/// <param name="User">Account, or null for none.</param>
/// <param name="Password">Its password.</param>
/// <param name="TrustedCa">The one authority (PEM) whose certificates are believed, or null for the machine's.</param>
internal sealed record SmtpServer(string Host, int Port, MailTls Tls, string? User, string? Password, string? TrustedCa)
{
    // Records are printed by whoever logs them.
    public override string ToString() => nameof(SmtpServer);
}

/// <summary>One message for one recipient, as it goes over the wire.</summary>
/// <param name="From">Where what cannot be delivered comes back to.</param>
/// <param name="To">The recipient.</param>
/// <param name="Message">Headers and body, lines ended by CR LF.</param>
internal sealed record Envelope(string From, string To, ReadOnlyMemory<byte> Message)
{
    public override string ToString() => nameof(Envelope);
}

/// <summary>How long to wait for a mail server.</summary>
/// <param name="Connect">For the connection and TLS.</param>
/// <param name="Reply">For each answer.</param>
/// <param name="Whole">For everything.</param>
internal sealed record SmtpPatience(TimeSpan Connect, TimeSpan Reply, TimeSpan Whole)
{
    public static readonly SmtpPatience Usual = new(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(90));
}

/// <summary>What came of handing a message over.</summary>
/// <param name="Error">Null when the server took it.</param>
/// <param name="Reply">The number the server answered, where it did.</param>
/// <param name="ForGood">Whether trying again is no use.</param>
/// <param name="OfServer">Whether it has nothing to do with this message: the next one would fare the same.</param>
internal sealed record SmtpOutcome(Error? Error, int? Reply = null, bool ForGood = false, bool OfServer = false)
{
    public static readonly SmtpOutcome Taken = new(Error: null);
}

/// <summary>The conversation ends here; carries what came of it.</summary>
internal sealed class SmtpEndedException(SmtpOutcome outcome) : Exception
{
    public SmtpOutcome Outcome { get; } = outcome;
}
