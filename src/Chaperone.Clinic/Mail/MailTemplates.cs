using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Sealing;

namespace Chaperone.Clinic.Mail;

/// <summary>What one mail says besides its template. Sealed until it is sent, then wiped.</summary>
/// <param name="Path">Where its link leads on the clinic's host; with a one-time token for some templates.</param>
/// <param name="At">When what it tells of happened.</param>
/// <param name="Client">The client it came from: browser engine and operating system.</param>
/// <param name="Until">Until when the link works.</param>
/// <param name="Text">Lines that it holds as they are.</param>
internal sealed record MailFacts(string? Path = null, DateTimeOffset? At = null, string? Client = null, DateTimeOffset? Until = null, string? Text = null) : ISealedPayload<MailFacts>
{
    public static JsonTypeInfo<MailFacts> Json => MailJson.Default.MailFacts;

    // Records are printed by whoever logs them.
    public override string ToString() => nameof(MailFacts);
}

/// <summary>A sort of mail: what it is for, and its words. They name nobody, neither the reader nor whom it is about, and say nothing of any patient.</summary>
/// <param name="Code">Stable, in the database and the log.</param>
/// <param name="Name">What the lists call it.</param>
/// <param name="Words">The words, of its facts and the clinic's time zone.</param>
internal sealed record MailTemplate(string Code, string Name, Func<MailFacts, string, MailWords> Words)
{
    /// <summary>Whether its link holds a one-time token: then it is of no use later, and its words are gone once it is sent.</summary>
    public bool HoldsToken { get; init; }

    /// <summary>Whether, without a recipient, it is for all who can unlock accounts and not only for the security contacts.</summary>
    public bool ForAdministrators { get; init; }

    /// <summary>Whether, without a recipient, it is for the owners and not for the security contacts.</summary>
    public bool ForOwners { get; init; }
}

/// <summary>Every mail there is.</summary>
internal static class MailTemplates
{
    public static readonly MailTemplate Invite = new("invite", "Invitation", (facts, zone) => new(
        "You are invited",
        ["You have been given an account. Open the link to choose your password."],
        "Choose your password",
        [$"The link works once{Until(facts, zone)}. If you did not expect this, you need do nothing: without the link nobody can use the account."])) { HoldsToken = true };

    public static readonly MailTemplate Reset = new("password_reset", "Link to set a new password", (facts, zone) => new(
        "Set a new password",
        ["Somebody asked for a link to set a new password for your account."],
        "Set a new password",
        [$"The link works once{Until(facts, zone)}. All sessions of the account end when it is used, and the code of your authenticator app is still asked. If it was not you, you need do nothing; your password stays as it is."])) { HoldsToken = true };

    public static readonly MailTemplate Locked = new("account_locked", "Account locked", (facts, zone) => new(
        "Your account is locked for 30 minutes",
        [$"Five sign-ins to your account failed, the last{At(facts, zone)}. It is locked for 30 minutes. A device that you have told Chaperone to remember still works."],
        null,
        ["If it was you, wait, or ask an administrator of your clinic to unlock it. If it was not you, tell them."]));

    public static readonly MailTemplate LockedElsewhere = new("account_locked_notice", "Account locked, for administrators", (facts, zone) => new(
        "An account is locked",
        [$"Five sign-ins to an account of your clinic failed, the last{At(facts, zone)}. It is locked for 30 minutes."],
        "See locked accounts",
        ["There you can unlock it. Whether it was its owner, you can ask them; the audit log has the rest."])) { ForAdministrators = true };

    public static readonly MailTemplate NewDevice = new("new_device", "Sign-in from a new device", (facts, zone) => new(
        "A sign-in from a new device",
        [$"Your account was signed in to{At(facts, zone)} from {Client(facts)}, on a device or network that it was not used from lately."],
        "See your sessions and devices",
        ["If it was you, you need do nothing. If it was not, end that session, change your password, and tell an administrator of your clinic."]));

    public static readonly MailTemplate Hijacked = new("session_hijacked", "Session ended", (facts, zone) => new(
        "Your session was ended",
        [$"A session of your account turned up in another browser or system ({Client(facts)}){At(facts, zone)}. That happens when somebody copies its cookie, so it was ended at once."],
        "See your sessions and devices",
        ["Sign in again and change your password. Tell an administrator of your clinic, also if you can explain it."]));

    public static readonly MailTemplate HijackedElsewhere = new("session_hijacked_notice", "Session ended, for the clinic's contacts", (facts, zone) => new(
        "A session was ended because its cookie turned up elsewhere",
        [$"A session of an account of your clinic turned up in another browser or system{At(facts, zone)}, as happens when somebody copies its cookie. It was ended at once, and its owner was told."],
        "See it in the audit log",
        ["Ask whose account it is whether they can explain it, and whether their computer is safe."]));

    public static readonly MailTemplate Attempts = new("unauthorised_attempts", "Refused attempts", (facts, zone) => new(
        "Something was asked for that is not allowed",
        [$"An account of your clinic asked{At(facts, zone)} for something its role does not include, in a way that Chaperone's pages do not offer. It was refused."],
        "See it in the audit log",
        ["Further attempts of the same account within the hour are in the log without another mail."]));

    public static readonly MailTemplate Test = new("test", "Test mail", (_, _) => new(
        "A test mail", ["Your clinic's mail works: this is the test you asked for under Settings › Mail."], null, []));

    /// <summary>All of them.</summary>
    public static IReadOnlyList<MailTemplate> All { get; } = [Invite, Reset, Locked, LockedElsewhere, NewDevice, Hijacked, HijackedElsewhere, Attempts, Test, .. Witnesses.LogMails.All];

    /// <summary>The template of that code, or null of another version's.</summary>
    public static MailTemplate? Find(string code) => All.FirstOrDefault(template => template.Code == code);

    private static string Until(MailFacts facts, string zone) => facts.Until is { } until ? $", until {Shown.Time(until, zone)}" : "";

    private static string At(MailFacts facts, string zone) => facts.At is { } at ? $" on {Shown.Time(at, zone)}" : "";

    private static string Client(MailFacts facts) => Shown.Client(facts.Client ?? "other/other");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MailFacts))]
[JsonSerializable(typeof(MailServerSettings))]
[JsonSerializable(typeof(MailSettingsInput))]
internal sealed partial class MailJson : JsonSerializerContext;
