using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Mail;

/// <summary>Errors of sending mail, one line per rule. What a mail server says in words is never repeated, only its number.</summary>
public static class MailErrors
{
    /// <summary>Settings that cannot be.</summary>
    public static readonly Error Invalid = new("CHP-MAIL-0001", "These mail settings cannot be used.", 422, "Correct the fields.");

    /// <summary>No settings, or mail is turned off.</summary>
    public static readonly Error NotSetUp = new("CHP-MAIL-0002", "Mail is not set up.", 409, "Enter your mail server under Settings > Mail first.");

    /// <summary>The name of the mail server leads nowhere.</summary>
    public static readonly Error NoSuchHost = new("CHP-MAIL-0003", "The mail server's name is not known.", 502, "Check the host name under Settings > Mail for typing mistakes.");

    /// <summary>Nobody listens there.</summary>
    public static readonly Error Refused = new("CHP-MAIL-0004", "The mail server refused the connection.", 502, "Check host and port: 587 with STARTTLS and 465 with TLS are usual. A firewall may be in the way.");

    /// <summary>No answer in time.</summary>
    public static readonly Error Slow = new("CHP-MAIL-0005", "The mail server did not answer in time.", 504, "Check host and port; a firewall may swallow the connection. It is tried again by itself.");

    /// <summary>The certificate is not one to believe.</summary>
    public static readonly Error Certificate = new("CHP-MAIL-0006", "The mail server's certificate is not trusted.", 502, "The certificate must be valid, have the host name you entered, and come from an authority this machine or the setting \"certificate authority\" trusts. Nothing was sent.");

    /// <summary>No TLS where it is required.</summary>
    public static readonly Error NoTls = new("CHP-MAIL-0007", "The mail server offers no TLS in the way that is set.", 502, "Use STARTTLS with port 587, or TLS from the start with port 465. Mail is never sent without.");

    /// <summary>Account or password is wrong.</summary>
    public static readonly Error PasswordRefused = new("CHP-MAIL-0008", "The mail server refused the user name or password.", 502, "Enter both again. Some providers want a password made for applications.");

    /// <summary>No way of signing in that we know.</summary>
    public static readonly Error NoSignIn = new("CHP-MAIL-0009", "The mail server offers no sign-in by password.", 502, "Leave user name and password empty if it needs none, or use another server.");

    /// <summary>The server does not take mail from the address that is set.</summary>
    public static readonly Error SenderRefused = new("CHP-MAIL-0010", "The mail server refused the sender's address.", 502, "Use an address that the mail account may send from.");

    /// <summary>There is no such recipient, or none that can be.</summary>
    public static readonly Error RecipientRefused = new("CHP-MAIL-0011", "The mail server refused the recipient.", 422, "Check the address of the account.");

    /// <summary>The server does not take the message.</summary>
    public static readonly Error ContentRefused = new("CHP-MAIL-0012", "The mail server refused the message.", 502, "It may be too large for it, or taken for spam. Ask whoever runs it.");

    /// <summary>Not now.</summary>
    public static readonly Error Later = new("CHP-MAIL-0013", "The mail server asks to try later.", 503, "It is tried again by itself.");

    /// <summary>What answers is no mail server.</summary>
    public static readonly Error NotMail = new("CHP-MAIL-0014", "What answers there is not a mail server.", 502, "Check host and port: with port 465 choose TLS from the start.");

    /// <summary>The connection broke.</summary>
    public static readonly Error Lost = new("CHP-MAIL-0015", "The connection to the mail server broke.", 502, "It is tried again by itself. With port 465 choose TLS from the start.");

    /// <summary>It turns everybody away.</summary>
    public static readonly Error Unwilling = new("CHP-MAIL-0016", "The mail server turned us away.", 502, "It may not know this machine's address. Ask whoever runs it.");

    /// <summary>Without TLS only to this machine.</summary>
    public static readonly Error PlainElsewhere = new("CHP-MAIL-0017", "Without TLS mail is only handed to a server on this machine.", 422, "Choose STARTTLS or TLS.");

    /// <summary>It was not delivered while it was of use.</summary>
    public static readonly Error Expired = new("CHP-MAIL-0018", "The mail could not be delivered in time.", 410, "A link in it would not work any more. Make a new one.");

    /// <summary>Who it is for has no account any more.</summary>
    public static readonly Error RecipientGone = new("CHP-MAIL-0019", "The account it was for is closed.", 410, "There is nothing to do.");

    /// <summary>It was sent or discarded already.</summary>
    public static readonly Error WrongState = new("CHP-MAIL-0020", "This mail has moved on.", 409, "Look at the list as it is now.");

    /// <summary>Another node sends it.</summary>
    internal static readonly Error LeaseLost = new("CHP-MAIL-0021", "Another node sends this mail.", 409, "There is nothing to do.");

    /// <summary>Whether settings or server are at fault.</summary>
    public static IReadOnlyList<Error> All { get; } =
        [NoSuchHost, Refused, Slow, Certificate, NoTls, PasswordRefused, NoSignIn, SenderRefused, RecipientRefused, ContentRefused, Later, NotMail, Lost, Unwilling, PlainElsewhere, Expired, RecipientGone];
}
