using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.SignIn;

/// <summary>Errors of signing in and of the account's security, one line per rule.</summary>
public static class SignInErrors
{
    /// <summary>Unknown address, wrong password, locked, suspended, wrong code: the same words on purpose.</summary>
    public static readonly Error Refused = new("CHP-SIGNIN-0001", "That did not work.", 401, "Check address, password and code. After five failures an account is locked for 30 minutes; an administrator of your clinic can unlock it or give you a link to set a new password.");

    /// <summary>Too many failures from one network.</summary>
    public static readonly Error NetworkLimited = new("CHP-SIGNIN-0002", "Too many failed sign-ins came from your network.", 429, "Wait for the time Retry-After says, then try again.");

    /// <summary>More passwords are being checked than the machine can do.</summary>
    public static readonly Error Busy = new("CHP-SIGNIN-0003", "Many people are signing in at this moment.", 429, "Try again in a few seconds.");

    /// <summary>A new password is too short, too long or too common.</summary>
    public static readonly Error PasswordRefused = new("CHP-SIGNIN-0004", "This password cannot be used.", 422, "Choose another: at least 12 characters, not made of common words and numbers.");

    /// <summary>A code of an authenticator or backup code is wrong, used before, or comes too often.</summary>
    public static readonly Error CodeRefused = new("CHP-SIGNIN-0005", "This code did not work.", 422, "Wait for the next code in your app and enter that; each code works once. After five failures the account is locked for 30 minutes.");

    /// <summary>Two-factor is not set up, so there is nothing to confirm with.</summary>
    public static readonly Error NotEnrolled = new("CHP-SIGNIN-0006", "Set up two-factor sign-in first.", 409, "This step asks for a code. Enrol an authenticator app under Your account > Security.");

    /// <summary>Confirming an enrolment that was not begun, or was begun elsewhere since.</summary>
    public static readonly Error NothingToConfirm = new("CHP-SIGNIN-0007", "There is no enrolment to confirm.", 409, "Start again: show the QR code and scan it.");

    /// <summary>Two-factor may not be turned off where it is required.</summary>
    public static readonly Error TwoFactorRequired = new("CHP-SIGNIN-0009", "Your role or your clinic requires two-factor sign-in.", 409, "It cannot be turned off. Ask the owner of your clinic.");

    /// <summary>The current password is wrong.</summary>
    public static readonly Error PasswordWrong = new("CHP-SIGNIN-0010", "The current password is not right.", 422, "Try again. If you forgot it, ask an administrator for a link to set a new one.");

    /// <summary>A one-time link is unknown, used or expired.</summary>
    public static readonly Error LinkEnded = new("CHP-SIGNIN-0011", "This link does not work any more.", 410, "Links work once and for a limited time. Ask for a new one.");

    /// <summary>Somebody has this sign-in address.</summary>
    public static readonly Error EmailTaken = new("CHP-SIGNIN-0012", "There is an account with this address already.", 409, "Use another address, or open the account that has it.");

    /// <summary>An account's input is incomplete.</summary>
    public static readonly Error MemberInvalid = new("CHP-SIGNIN-0013", "This account cannot be made.", 422, "Correct the fields.");

    /// <summary>Only somebody who may assign all the other's roles may act on their account, and nobody on their own.</summary>
    public static readonly Error OutOfReach = new("CHP-SIGNIN-0014", "You may not do this to this account.", 403, "Ask an administrator or the owner of your clinic.");

    /// <summary>The last active owner stays.</summary>
    public static readonly Error LastOwner = new("CHP-SIGNIN-0015", "A clinic keeps at least one active owner.", 409, "Make somebody else an owner first.");

    /// <summary>A host name is taken or cannot be one.</summary>
    public static readonly Error HostRefused = new("CHP-SIGNIN-0016", "This host name cannot be used.", 409, "Choose another; it must be a host name without port that no other clinic has.");
}
