namespace Chaperone.Ledger;

/// <summary>What part of the clinic's life an event belongs to; decides nothing by itself.</summary>
public enum EventCategory
{
    /// <summary>Signing in and out, passwords, second factors, devices.</summary>
    Authentication,
    /// <summary>Somebody saw, searched or exported.</summary>
    DataAccess,
    /// <summary>Somebody changed records.</summary>
    DataChange,
    /// <summary>Settings, team, roles, keys.</summary>
    Administration,
    /// <summary>Money.</summary>
    Payment,
    /// <summary>Suspicion, refusal, lock.</summary>
    Security,
    /// <summary>The system itself: jobs, backups, the ledger.</summary>
    System,
}

/// <summary>How much an event matters to whoever watches.</summary>
public enum EventSeverity
{
    /// <summary>The ordinary.</summary>
    Info,
    /// <summary>To be looked at.</summary>
    Warning,
    /// <summary>To be acted on now.</summary>
    Critical,
}

/// <summary>How the operation ended.</summary>
public enum EventOutcome
{
    /// <summary>It was done.</summary>
    Success,
    /// <summary>It was allowed and did not succeed.</summary>
    Failure,
    /// <summary>It was refused.</summary>
    Denied,
}

/// <summary>Who acts.</summary>
public enum ActorKind
{
    /// <summary>A signed-in person.</summary>
    User,
    /// <summary>A job.</summary>
    System,
    /// <summary>Somebody at the machine's command line.</summary>
    Operator,
    /// <summary>Nobody known yet.</summary>
    Anonymous,
}

/// <summary>Who did it. Never a name.</summary>
/// <param name="Kind">What kind of actor.</param>
/// <param name="Id">The account, for a user.</param>
/// <param name="Role">The role under which it was done; for a system actor the job's name.</param>
/// <param name="Session">The session.</param>
public sealed record EventActor(ActorKind Kind, Guid? Id = null, string? Role = null, Guid? Session = null);

/// <summary>What it was done to.</summary>
public sealed record EventEntity(string Type, Guid Id);

/// <summary>From where and by which path.</summary>
/// <param name="Channel"><c>web</c>, <c>api</c>, <c>job</c> or <c>cli</c>.</param>
/// <param name="Route">Method and route template, a job's or a command's name; never a real path or query.</param>
/// <param name="Ip">The client's address.</param>
/// <param name="Client">Browser and system in short.</param>
public sealed record EventSource(string Channel, string? Route = null, string? Ip = null, string? Client = null);

/// <summary>A field that changed: either only that (<paramref name="Change"/>: <c>set</c>, <c>changed</c>, <c>cleared</c>), or before and after, for columns on the allow-list alone.</summary>
public sealed record FieldChange(string Field, string? Change = null, string? Before = null, string? After = null);

/// <summary>A row vouched for: its digest at that version, or null for a row that was deleted at that version.</summary>
public sealed record EventRecord(string Type, Guid Id, long Version, Hash256? Digest);

/// <summary>Log indexes, both ends included.</summary>
public readonly record struct IndexRange(long First, long Last);

/// <summary>A fact that is no personal data: a whole number, or a code of at most 100 characters from <c>A-Z a-z 0-9 . _ : / -</c>.</summary>
public readonly record struct EventFact
{
    /// <summary>A number.</summary>
    public EventFact(long number) => Number = number;

    /// <summary>A code.</summary>
    /// <exception cref="ArgumentException">Longer, empty, or with other characters: typed text does not belong in an event.</exception>
    public EventFact(string code)
    {
        if (!IsCode(code)) throw new ArgumentException("A fact is a number or a short code, never text.", nameof(code));
        Code = code;
    }

    /// <summary>The number, or null for a code.</summary>
    public long? Number { get; }

    /// <summary>The code, or null for a number.</summary>
    public string? Code { get; }

    /// <summary>A number.</summary>
    public static implicit operator EventFact(long number) => new(number);

    /// <summary>A code.</summary>
    public static implicit operator EventFact(string code) => new(code);

    /// <summary>Number or code as text.</summary>
    public override string ToString() => Code ?? (Number ?? 0).ToString(System.Globalization.CultureInfo.InvariantCulture);

    internal static bool IsCode(string code)
    {
        if (code.Length is 0 or > 100) return false;
        foreach (var c in code) if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or ':' or '/' or '-')) return false;
        return true;
    }
}

/// <summary>One event of the ledger: who did what to what, when, from where, under which decision, with what outcome. Never a name, never content.</summary>
/// <remarks>Written once with <see cref="EventJson.Write(LedgerEvent)"/>; the bytes are what is hashed, kept and exported. Members that are null or empty are left out of them.</remarks>
public sealed record LedgerEvent
{
    /// <summary>UUIDv7.</summary>
    public required Guid Id { get; init; }

    /// <summary>When, to the microsecond; written in UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Dotted name from the event catalogue, such as <c>patient.viewed</c>.</summary>
    public required string Action { get; init; }

    /// <summary>Category.</summary>
    public required EventCategory Category { get; init; }

    /// <summary>Severity.</summary>
    public EventSeverity Severity { get; init; }

    /// <summary>Outcome.</summary>
    public EventOutcome Outcome { get; init; }

    /// <summary>Who.</summary>
    public required EventActor Actor { get; init; }

    /// <summary>To what, when it is about one thing.</summary>
    public EventEntity? Entity { get; init; }

    /// <summary>Everybody whose personal data the answer showed or the operation changed.</summary>
    public IReadOnlyList<Guid> Subjects { get; init; } = [];

    /// <summary>From where.</summary>
    public required EventSource Source { get; init; }

    /// <summary>The rule that allowed or refused, such as <c>role:doctor/patient.view</c>.</summary>
    public required string Decision { get; init; }

    /// <summary>A code from the action's list; typed text goes sealed into the record.</summary>
    public string? Reason { get; init; }

    /// <summary>Which fields changed.</summary>
    public IReadOnlyList<FieldChange> Changes { get; init; } = [];

    /// <summary>Which rows changed, with their digests.</summary>
    public IReadOnlyList<EventRecord> Records { get; init; } = [];

    /// <summary>How many a search found.</summary>
    public long? Hits { get; init; }

    /// <summary>Which fields a search used; never the words.</summary>
    public IReadOnlyList<string> Fields { get; init; } = [];

    /// <summary>Counts and codes of jobs, imports and exports.</summary>
    public IReadOnlyDictionary<string, EventFact> Details { get; init; } = new Dictionary<string, EventFact>(StringComparer.Ordinal);

    /// <summary>Blind index, in hexadecimal, of what was typed at a failed sign-in.</summary>
    public string? Typed { get; init; }

    /// <summary>For <c>ledger.expired</c>: the indexes, before this event's own, whose bodies ended.</summary>
    public IReadOnlyList<IndexRange> Expired { get; init; } = [];
}
