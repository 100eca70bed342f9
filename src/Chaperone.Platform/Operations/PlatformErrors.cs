namespace Chaperone.Platform.Operations;

/// <summary>Errors of the reference monitor itself, one line per rule.</summary>
public static class PlatformErrors
{
    /// <summary>No such record, or none this person has anything to do with: the two look the same on purpose.</summary>
    public static readonly Error NotFound = new("CHP-ACCESS-0001", "There is nothing here.", 404, "Check the address. If somebody gave it to you, ask them whether you should have access.");

    /// <summary>A relation but no permission.</summary>
    public static readonly Error Forbidden = new("CHP-ACCESS-0002", "Your role does not include this.", 403, "Ask the owner or an administrator of your clinic if you need it for your work.");

    /// <summary>Nobody is signed in.</summary>
    public static readonly Error SignInRequired = new("CHP-ACCESS-0003", "Please sign in first.", 401, "Sign in and try again.");

    /// <summary>Two-factor is required and not yet set up.</summary>
    public static readonly Error EnrolmentRequired = new("CHP-ACCESS-0004", "Set up two-factor sign-in first.", 403, "Enrol an authenticator app under Settings > Security > Two-factor.");

    /// <summary>The second factor is older than five minutes.</summary>
    public static readonly Error StepUpRequired = new("CHP-ACCESS-0005", "Please confirm it is you.", 403, "Enter a code from your authenticator app (API: POST /api/auth/step-up), then try again within five minutes.");

    /// <summary>The account is suspended.</summary>
    public static readonly Error Suspended = new("CHP-ACCESS-0006", "This account is not active.", 403, "Ask an administrator of your clinic.");

    /// <summary>If-Match is missing.</summary>
    public static readonly Error PreconditionRequired = new("CHP-PLATFORM-0001", "Say which version you are changing.", 428, "Send the ETag you were given in If-Match.");

    /// <summary>Somebody else changed the record.</summary>
    public static readonly Error Changed = new("CHP-PLATFORM-0002", "Somebody changed this in the meantime.", 412, "Look at the record as it is now, then make your change again. What you typed is kept on the form.");

    /// <summary>A sealed payload did not open.</summary>
    public static readonly Error SealBroken = new("CHP-PLATFORM-0003", "A stored record does not open.", 500, "The record was altered or its key is missing. Your administrator has been alerted; nothing was shown.");

    /// <summary>The commit's outcome is unknown because the connection was lost.</summary>
    public static readonly Error DatabaseUnavailable = new("CHP-PLATFORM-0004", "The database did not answer.", 503, "Try again in a moment. If you were saving, check first whether it was stored.");

    /// <summary>Input that cannot be read at all.</summary>
    public static readonly Error Malformed = new("CHP-PLATFORM-0005", "The request could not be read.", 400, "Send what the API's documentation at /api/docs describes.");

    /// <summary>Too much input.</summary>
    public static readonly Error TooLarge = new("CHP-PLATFORM-0006", "That is more than can be taken at once.", 413, "Send less, or split it.");

    /// <summary>Unknown host.</summary>
    public static readonly Error UnknownHost = new("CHP-PLATFORM-0007", "There is no clinic at this address.", 421, "Check the address your clinic gave you.");

    /// <summary>A form without a valid token, or a call from another site.</summary>
    public static readonly Error CrossSite = new("CHP-PLATFORM-0008", "This form has expired or came from another site.", 400, "Reload the page and send it again.");

    /// <summary>Something unforeseen.</summary>
    public static readonly Error Unexpected = new("CHP-PLATFORM-0009", "Something went wrong on our side.", 500, "Nothing was changed. Try again; if it happens again, tell your administrator the time it happened.");

    /// <summary>A unique value is already taken.</summary>
    public static readonly Error Conflict = new("CHP-PLATFORM-0010", "That is already taken.", 409, "Use another value, or open the record that has it.");

    /// <summary>The receiver of a download went away.</summary>
    public static readonly Error BrokenOff = new("CHP-PLATFORM-0012", "The download broke off.", 499, "Start it again; what had left by then is in the log.");

    /// <summary>Too many requests.</summary>
    public static readonly Error TooMany = new("CHP-PLATFORM-0011", "Too many attempts from here.", 429, "Wait for the time Retry-After says, then try again.");
}
