using System.Globalization;
using Chaperone.Encryption;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Microsoft.AspNetCore.Http;

namespace Chaperone.Clinic.AuditLog;

/// <summary>Which events are wanted. Ids, codes and times only, so that it may stand in an address.</summary>
internal sealed record AuditFilter
{
    public string? Action { get; init; }

    public Guid? Actor { get; init; }

    public Guid? Entity { get; init; }

    public Guid? Subject { get; init; }

    public EventCategory? Category { get; init; }

    public EventSeverity? Severity { get; init; }

    public EventOutcome? Outcome { get; init; }

    public DateTimeOffset? From { get; init; }

    /// <summary>Not included.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Blind index of the client's address: who reads a link learns no address from it.</summary>
    public byte[]? Ip { get; init; }

    /// <summary>The names of the fields in use, for the event: never what stands in them.</summary>
    public string[] Fields =>
    [
        .. new (string Name, bool Used)[]
        {
            (AuditQuery.Action, Action is not null), (AuditQuery.Actor, Actor is not null), (AuditQuery.Category, Category is not null), (AuditQuery.Entity, Entity is not null), (AuditQuery.From, From is not null), (AuditQuery.Ip, Ip is not null),
            (AuditQuery.Outcome, Outcome is not null), (AuditQuery.Severity, Severity is not null), (AuditQuery.Subject, Subject is not null), (AuditQuery.To, To is not null),
        }.Where(part => part.Used).Select(part => part.Name),
    ];

    public EventFilter ToEvents() => new()
    {
        Actions = (Action, Category) switch
        {
            (null, null) => null,
            (null, { } category) => EventCatalogue.ActionsOf(category),
            ({ } action, null) => [action],
            ({ } action, { } category) => EventCatalogue.Find(action).Category == category ? [action] : [],
        },
        Actor = Actor, Entity = Entity, Subject = Subject, Severity = Severity, Outcome = Outcome, From = From, To = To, IpIndex = Ip,
    };

    /// <summary>Who is looked at: the log of one person's data, or of one person's acts, is data about them.</summary>
    public IEnumerable<Guid> People => new[] { Subject, Actor }.OfType<Guid>();
}

/// <summary>Which part of what is found is wanted.</summary>
/// <param name="Limit">So many events.</param>
/// <param name="Before">Older than this one, or</param>
/// <param name="After">newer than this one; the newest of all when neither is given.</param>
/// <param name="Count">Whether the events found are counted.</param>
internal readonly record struct AuditPaging(int Limit, Guid? Before, Guid? After, bool Count);

/// <summary>What was asked for, field by field and unchecked. The handler checks it, after the decision.</summary>
/// <param name="Values">Field name to text; fields left empty are not in it.</param>
public sealed record AuditQuery(IReadOnlyDictionary<string, string> Values)
{
    internal const string Action = "action", Actor = "actor", Category = "category", Entity = "entity", Subject = "subject", Severity = "severity", Outcome = "outcome", From = "from", To = "to", Ip = "ip";
    internal const string Limit = "limit", Cursor = "cursor", Newer = "newer", Count = "count", Format = "format", Address = "address";
    internal const int MostEvents = 200;
    private const int UsualEvents = 50;

    private static readonly string[] Filters = [Action, Actor, Category, Entity, Subject, Severity, Outcome, From, To, Ip];
    private static readonly string[] Times = ["yyyy-MM-dd'T'HH:mmzzz", "yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", "yyyy-MM-dd'T'HH:mm'Z'", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"];

    internal static AuditQuery None { get; } = new(new Dictionary<string, string>());

    /// <summary>The fields of an address. A form sends those that were left empty too: they count as not there.</summary>
    internal static AuditQuery Of(IQueryCollection query) => Of(query.Select(field => KeyValuePair.Create(field.Key, field.Value.LastOrDefault() ?? "")));

    internal static AuditQuery Of(IEnumerable<KeyValuePair<string, string>> fields) =>
        new(fields.Where(field => field.Value.Length > 0).ToDictionary(field => field.Key, field => field.Value.Trim(), StringComparer.Ordinal));

    internal string? this[string name] => Values.GetValueOrDefault(name);

    /// <summary>The filters alone, such as for a link back to the page.</summary>
    internal AuditQuery FiltersOnly => new(Values.Where(pair => Filters.Contains(pair.Key)).ToDictionary(StringComparer.Ordinal));

    internal AuditQuery Without(params IEnumerable<string> names) => new(Values.Where(field => !names.Contains(field.Key)).ToDictionary(StringComparer.Ordinal));

    internal AuditQuery With(string name, string value) => new(new Dictionary<string, string>(Values, StringComparer.Ordinal) { [name] = value });

    /// <summary>As a query string, with its question mark; empty for none.</summary>
    internal string ToQueryString() => Values.Count == 0 ? "" : QueryString.Create(Values.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => KeyValuePair.Create<string, string?>(field.Key, field.Value))).Value!;

    /// <summary>The filter, or which fields are wrong. A field nobody knows is wrong too: passing over a mistyped filter would show more than was asked for.</summary>
    /// <param name="zone">The clinic's time zone, in which dates without a time are meant.</param>
    /// <param name="besides">Names that are no filter and yet belong here.</param>
    internal Result<AuditFilter> Read(string zone, params string[] besides)
    {
        var error = AuditErrors.BadFilter;
        foreach (var name in Values.Keys.Where(name => !Filters.Contains(name) && !besides.Contains(name)).Order(StringComparer.Ordinal).Take(10))
            error = error.With(name.Length <= 40 && name.All(char.IsAsciiLetterOrDigit) ? name : "", "There is no such filter.");
        var filter = new AuditFilter
        {
            Action = this[Action] is { } action ? EventCatalogue.Knows(action) ? action : Wrong<string?>(Action, "Use an action of the event catalogue, such as patient.viewed.", null) : null,
            Actor = Id(Actor), Entity = Id(Entity), Subject = Id(Subject),
            Category = Named<EventCategory>(Category, EventJson.Name), Severity = Named<EventSeverity>(Severity, EventJson.Name), Outcome = Named<EventOutcome>(Outcome, EventJson.Name),
            From = Time(From, 0), To = Time(To, 1), Ip = Token(Ip),
        };
        if (filter is { From: { } from, To: { } to } && from >= to) error = error.With(To, "Use a time after from.");
        return error.Fields.Count > 0 ? error : filter;

        T Wrong<T>(string name, string sentence, T nothing)
        {
            error = error.With(name, sentence);
            return nothing;
        }

        Guid? Id(string name) => this[name] is not { } text ? null : Guid.TryParseExact(text, "D", out var id) ? id : Wrong<Guid?>(name, "Use an id: 32 hexadecimal digits in five groups.", null);

        byte[]? Token(string name) => this[name] is not { } text ? null : text.Length == 2 * BlindIndexKey.ExactLength && text.All(char.IsAsciiHexDigitLower) ? Convert.FromHexString(text)
            : Wrong<byte[]?>(name, "Use what stands for the address in links; POST /api/audit/addresses gives it.", null);

        T? Named<T>(string name, Func<T, string> nameOf) where T : struct, Enum
        {
            if (this[name] is not { } text) return null;
            foreach (var value in Enum.GetValues<T>())
                if (nameOf(value) == text) return value;
            return Wrong<T?>(name, "Use one of: " + string.Join(", ", Enum.GetValues<T>().Select(nameOf)) + ".", null);
        }

        // A date as "to" means to its end.
        DateTimeOffset? Time(string name, int days)
        {
            if (this[name] is not { } text) return null;
            if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) && date.Year is >= 1970 and < 9000) return StartOf(date.AddDays(days), zone);
            // A plus that was not escaped in the address has become a space.
            return DateTimeOffset.TryParseExact(text.Replace(' ', '+'), Times, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && time.Year is >= 1970 and < 9000
                ? time.ToUniversalTime()
                : Wrong<DateTimeOffset?>(name, "Use a date (2026-11-21) or a time with its zone (2026-11-21T09:30:00Z).", null);
        }
    }

    /// <summary>How many events, from where on, and whether they are counted.</summary>
    internal Result<AuditPaging> ReadPaging()
    {
        var error = AuditErrors.BadFilter;
        var limit = this[Limit] is not { } number ? UsualEvents : int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) && parsed is >= 1 and <= MostEvents ? parsed : 0;
        if (limit == 0) error = error.With(Limit, $"Use a number from 1 to {MostEvents}.");
        var (before, after) = (Id(Cursor), Id(Newer));
        if (before is not null && after is not null) error = error.With(Newer, "Use a cursor for older events or one for newer, not both.");
        if (this[Count] is not (null or "true" or "false")) error = error.With(Count, "Use true or false.");
        return error.Fields.Count > 0 ? error : new AuditPaging(limit, before, after, this[Count] == "true");

        Guid? Id(string name)
        {
            if (this[name] is not { } cursor) return null;
            if (Guid.TryParseExact(cursor, "N", out var id) && id != Guid.Empty) return id;
            error = error.With(name, "Use a cursor as it was given.");
            return null;
        }
    }

    private static DateTimeOffset StartOf(DateOnly date, string zone)
    {
        var (local, clinic) = (date.ToDateTime(TimeOnly.MinValue), TimeZoneInfo.FindSystemTimeZoneById(zone));
        while (clinic.IsInvalidTime(local)) local = local.AddMinutes(15);   // where clocks go forward at midnight, the day begins later
        return new DateTimeOffset(local, clinic.GetUtcOffset(local)).ToUniversalTime();
    }
}
