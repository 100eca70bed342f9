using System.Globalization;
using System.Text.RegularExpressions;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;

namespace Chaperone.Clinic.AuditLog;

/// <summary>How the log is put into words.</summary>
internal static partial class AuditText
{
    private static readonly CultureInfo British = CultureInfo.GetCultureInfo("en-GB");

    /// <summary>What happened, as the catalogue says it; of what was refused, that it did not.</summary>
    public static string What(LedgerEvent happened) => (EventCatalogue.Knows(happened.Action) ? EventCatalogue.Find(happened.Action).Sentence : "An event of a later version.") is var sentence
        && happened.Outcome == EventOutcome.Denied && happened.Category != EventCategory.Security ? $"Tried and refused: {sentence}" : sentence;

    /// <summary>Who, without a name.</summary>
    public static string Who(EventActor actor) => actor.Kind switch
    {
        ActorKind.User when actor.Role == BuiltInRole.Patient.Code => "A patient's own account",
        ActorKind.User => $"Account {Short(actor.Id)}",
        ActorKind.System => "The system",
        ActorKind.Operator => "The operator",
        _ => "Nobody signed in",
    };

    /// <summary>The role as people know it; for the system the job.</summary>
    public static string? Role(EventActor actor) => actor switch
    {
        { Role: null } => null,
        { Kind: ActorKind.System } => $"job {actor.Role}",
        _ => SignInFeature.DisplayName(actor.Role),
    };

    /// <summary>By which path.</summary>
    public static string Channel(EventSource source) => source.Channel switch { "web" => "Page", "api" => "API", "job" => "Job", "cli" => "Command line", var other => other };

    /// <summary>The client's family in words.</summary>
    public static string? Client(EventSource source) => source.Client is { } family ? Shown.Client(family) : null;

    /// <summary>The route without what only the program needs: how its parts are checked.</summary>
    public static string? Route(EventSource source) => source.Route is { } route ? Constraint().Replace(route, "}").TrimEnd('/') : null;

    public static string Category(EventCategory category) => category switch
    {
        EventCategory.DataAccess => "Data access",
        EventCategory.DataChange => "Data change",
        _ => category.ToString(),
    };

    public static Tone Tone(EventSeverity severity) => severity switch { EventSeverity.Critical => Shell.Tone.Danger, EventSeverity.Warning => Shell.Tone.Warning, _ => Shell.Tone.Neutral };

    public static Tone Tone(EventOutcome outcome) => outcome switch { EventOutcome.Success => Shell.Tone.Success, EventOutcome.Denied => Shell.Tone.Danger, _ => Shell.Tone.Warning };

    public static string Outcome(EventOutcome outcome) => outcome switch { EventOutcome.Success => "Done", EventOutcome.Denied => "Refused", _ => "Failed" };

    public static readonly Choice[] Categories = [.. Enum.GetValues<EventCategory>().Select(category => new Choice(EventJson.Name(category), Category(category)))];
    public static readonly Choice[] Severities = [.. Enum.GetValues<EventSeverity>().Select(severity => new Choice(EventJson.Name(severity), severity.ToString()))];
    public static readonly Choice[] Outcomes = [.. Enum.GetValues<EventOutcome>().Select(outcome => new Choice(EventJson.Name(outcome), Outcome(outcome)))];

    /// <summary>A filter in use, for people.</summary>
    /// <param name="name">The field.</param>
    /// <param name="value">As it stands in the address.</param>
    /// <param name="members">Staff by account.</param>
    /// <param name="address">What the token of an address stands for, where that is known.</param>
    public static string Filter(string name, string value, IReadOnlyDictionary<Guid, AuditMember> members, string? address) => name switch
    {
        AuditQuery.Actor => "By " + (Guid.TryParse(value, out var id) && members.GetValueOrDefault(id) is { } member ? member.Name : "account " + value),
        AuditQuery.Subject => "About person " + value,
        AuditQuery.Entity => "Record " + value,
        AuditQuery.From => "From " + value,
        AuditQuery.To => "To " + value,
        AuditQuery.Ip => address is null ? "From one address" : "From " + address,
        _ => $"{char.ToUpperInvariant(name[0])}{name[1..]}: {(name switch { AuditQuery.Category => Categories, AuditQuery.Severity => Severities, AuditQuery.Outcome => Outcomes, _ => [] }).FirstOrDefault(choice => choice.Value == value)?.Label ?? value}",
    };

    /// <summary>How many, and whether there may be more.</summary>
    public static string Count(EventCount count) => count switch
    {
        { IsExact: true, Found: 1 } => "1 event",
        { IsExact: true } => $"{Number(count.Found)} events",
        { Found: AuditPage.MostCounted } => $"more than {Number(count.Found)} events",
        _ => $"at least {Number(count.Found)} events",
    };

    public static string Number(long number) => number.ToString("N0", British);

    /// <summary>The whole event in a sentence or three: who, in which role, from where, what, and why it was allowed or refused.</summary>
    public static string Sentence(LedgerEvent happened, string? name)
    {
        var who = name ?? Who(happened.Actor);
        var role = Role(happened.Actor) is { } known && happened.Actor.Kind == ActorKind.User ? $", signed in as {known}" : "";
        var where = happened.Source.Ip is { } ip ? $", from {ip}" : "";
        var people = happened.Subjects.Count switch { 0 => "", 1 => " One person's data was shown or changed.", var many => $" {Number(many)} people's data was shown or changed." };
        return $"{who}{role}{where}: {What(happened)}{people} {Decision(happened.Decision)}";
    }

    /// <summary>The rule that allowed or refused, as a sentence.</summary>
    public static string Decision(string rule)
    {
        var (kind, rest) = rule.IndexOf(':', StringComparison.Ordinal) is var at and > 0 ? (rule[..at], rule[(at + 1)..]) : (rule, "");
        return (kind, rest) switch
        {
            ("role", _) when rest.Split('/') is [var role, var permission] => $"Allowed: the role {SignInFeature.DisplayName(role)} may {May(permission)}{Whose(role, permission)}.",
            ("grant", _) => $"Allowed: this person was granted by name that they may {May(rest)}.",
            ("elevation", _) => $"Allowed for a time: an elevation lets this person {May(rest)}.",
            ("deny", _) => $"Refused: it is denied to this person that they {May(rest)}. A denial wins over every role.",
            ("none", "system-only") => "Refused: only the system itself does this.",
            ("none", "no-relation") => "Refused: this person has nothing to do with it.",
            ("none", _) => $"Refused: none of this person's roles lets them {May(rest)}.",
            ("relation", "none") => "Refused: there is nothing of that id in this clinic.",
            ("relation", _) => "Refused: this person's role reaches closer records only.",
            ("audience", "self") => "Allowed: it is about one's own account.",
            ("audience", "anybody") => "Allowed: anybody may ask this, as signing in begins with nobody.",
            ("audience", "operator") => "Allowed: the operator of the machine.",
            ("audience", "system") => "Allowed: the system's own work.",
            ("system", _) => "The system's own work.",
            ("state", "suspended") => "Refused: the account was suspended.",
            ("state", "not-enrolled") => "Refused: two-factor had to be set up first.",
            ("state", "not-signed-in") => "Refused: nobody was signed in.",
            ("state", "step-up") => "Refused: it asks for a code younger than five minutes.",
            _ => $"By the rule {rule}.",
        };
    }

    /// <summary>A change in one line; before and after are there for fields that are not personal.</summary>
    public static string Change(FieldChange change) => change.Change is { } how ? $"{change.Field}:{how}" : $"{change.Field}:{change.Before}→{change.After}";

    /// <summary>A time as the clinic's clock shows it.</summary>
    public static string Time(DateTimeOffset at, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(at, zone).ToString("dd-MMM-yyyy HH:mm:ss", CultureInfo.InvariantCulture);

    public static string Short(Guid? id) => id?.ToString("N")[^8..] ?? "";

    [GeneratedRegex(@":[^}]+\}", RegexOptions.None, 1000)]
    private static partial Regex Constraint();

    // How close somebody must be for the role to reach the record.
    private static string Whose(string code, string permission) =>
        !BuiltInRole.TryFind(code, out var role) || role.Rights.FirstOrDefault(right => right.Permission.Code == permission) is not { Permission: { About: not PermissionAbout.Clinic } } right ? "" : right.Needs switch
        {
            Relation.SameClinic => ", of anybody in the clinic",
            Relation.Own => ", their own",
            _ => ", of those who are theirs, assigned to or shared with them",
        };

    private static string May(string permission) => Permission.TryFind(permission, out var known) ? known.Sentence : permission;
}
