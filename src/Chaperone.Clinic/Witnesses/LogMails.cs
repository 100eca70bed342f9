using Chaperone.Clinic.Mail;
using Chaperone.Clinic.SignIn;

namespace Chaperone.Clinic.Witnesses;

/// <summary>The mails about the log itself.</summary>
internal static class LogMails
{
    public static readonly MailTemplate WitnessSilent = new("witness_silent", "A witness is silent", (facts, zone) => new(
        "A witness of your audit log is silent",
        [$"A witness that guards your clinic's audit log has not signed it{Since(facts, zone)}. The log itself goes on and nothing is lost, but while the witness is silent it guards nothing new."],
        "See who guards the log",
        ["See to it that the witness runs and can be reached. You get no further mail about this until it has signed again."]));

    public static readonly MailTemplate WitnessObjects = new("witness_objects", "A witness objects", (facts, zone) => new(
        "A witness says that your audit log was rewritten",
        [
            $"A witness that guards your clinic's audit log refuses to sign it{Since(facts, zone)}: the log does not continue what the witness saw before. Either the log was rewritten or cut, or an old copy of the database was brought back, or the witness is wrong.",
            "Tell whoever runs your server at once. They should run \"./chaperone verify\", change nothing, and keep the checkpoint files and the witness's own state: they are the evidence.",
        ],
        "See who guards the log",
        ["Use what the pages show with care until it is explained."]));

    public static readonly MailTemplate NotAsSigned = new("log_failed", "The log does not verify", (facts, zone) => new(
        "Your audit log or records are not what was signed",
        [
            $"The server read your clinic's audit log and records again{On(facts, zone)} and found something that is not what was signed: it was altered in the database, or taken out of it.",
            "Tell whoever runs your server at once. They should run \"./chaperone verify\", which names the place, change nothing, and keep the checkpoint files: they are the evidence.",
        ],
        "See what was found",
        ["Use what the pages show with care until it is explained. You get this mail once a day at most while it is so."]));

    public static readonly MailTemplate Checkpoint = new("checkpoint", "Checkpoint of the log", (facts, zone) => new(
        "Keep this: the weekly seal of your audit log",
        [$"The lines below stand for everything that was in your clinic's audit log{On(facts, zone)}. Keep this mail, and do nothing else: should the log ever be rewritten, this mail proves it, for no other log fits these lines. They hold nothing about any person."],
        "See whether the log is intact",
        ["To check the log against them, save them to a file and have whoever runs your server run \"./chaperone verify --checkpoint FILE\"; the whole mail, saved as text, will do too."])
    {
        Block = facts.Text,
    })
    { ForOwners = true };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<MailTemplate> All { get; } = [WitnessSilent, WitnessObjects, NotAsSigned, Checkpoint];

    private static string Since(MailFacts facts, string zone) => facts.At is { } at ? $" since {Shown.Time(at, zone)}" : "";

    private static string On(MailFacts facts, string zone) => facts.At is { } at ? $" on {Shown.Time(at, zone)}" : "";
}
