using Chaperone.Platform.Access;

namespace Chaperone.Platform.Operations;

/// <summary>What is asked of the system. A record with a static policy; the type is the name.</summary>
public interface IOperation<TResult>
{
    /// <summary>Who may, about what, and under which event. Built once; an operation whose policy is incomplete does not register.</summary>
    static abstract Policy Policy { get; }
}

/// <summary>An operation about one resource, named by its id.</summary>
public interface IAbout
{
    /// <summary>The id of the resource the policy speaks about.</summary>
    Guid ResourceId { get; }
}

/// <summary>Does what an operation asks. Runs inside the monitor's transaction, after the decision; never commits, never writes events.</summary>
public interface IHandler<in TOperation, TResult> where TOperation : IOperation<TResult>
{
    /// <summary>Does it. An error result rolls everything back and is logged as a failure.</summary>
    Task<Result<TResult>> Handle(TOperation request, OperationScope scope, CancellationToken cancel);
}

/// <summary>Whether an operation leaves an event, and of which sort.</summary>
public enum PolicyKind
{
    /// <summary>Shows something; changes nothing.</summary>
    Reads,

    /// <summary>Changes something.</summary>
    Changes,

    /// <summary>Leaves no event: only one's own session, navigation and health.</summary>
    Unlogged,
}

/// <summary>Who may run an operation at all, before permissions.</summary>
public enum Audience
{
    /// <summary>Signed-in people who hold the permission.</summary>
    Holders,

    /// <summary>Everybody signed in, about their own account.</summary>
    SelfEnrolled,

    /// <summary>Everybody signed in, about their own account, also before the second factor is enrolled.</summary>
    Self,

    /// <summary>Anybody: signing in, and what comes before.</summary>
    Anybody,

    /// <summary>The operator's own commands and the system's jobs; never a request.</summary>
    System,
}

/// <summary>
/// The rule an operation stands under: immutable, declared once as a static property.
/// Every policy has an event or a reason for having none, and a permission or an audience that needs none.
/// </summary>
public sealed record Policy
{
    private Policy(PolicyKind kind, string? action, string? unloggedBecause) => (Kind, Action, UnloggedBecause) = (kind, action, unloggedBecause);

    /// <summary>Whether it reads, changes, or leaves no event.</summary>
    public PolicyKind Kind { get; }

    /// <summary>The event's action, such as <c>patient.viewed</c>; in the catalogue.</summary>
    public string? Action { get; }

    /// <summary>Why there is no event.</summary>
    public string? UnloggedBecause { get; }

    /// <summary>Further actions a handler may choose instead of <see cref="Action"/> (a refused sign-in is an event of its own).</summary>
    public IReadOnlyList<string> Alternatives { get; private init; } = [];

    /// <summary>The permission needed; null only for audiences that need none.</summary>
    public Permission? Permission { get; private init; }

    /// <summary>Who may run it at all.</summary>
    public Audience Audience { get; private init; } = Audience.Holders;

    /// <summary>Why this audience needs no permission.</summary>
    public string? AudienceBecause { get; private init; }

    /// <summary>What it is about; its entity type in the event.</summary>
    public Resource? Resource { get; private init; }

    /// <summary>Whether it shows many of the resource: the relation goes into the query (<see cref="OperationScope.Reach"/>).</summary>
    public bool IsList { get; private init; }

    /// <summary>The entity it shows one row of, the resource itself, and nothing else; null when the handler asks the database itself.</summary>
    internal Type? Row { get; private init; }

    /// <summary>Whether the second factor must be younger than five minutes.</summary>
    public bool StepUp { get; private init; }

    /// <summary>Whether the answer leaves while the operation runs: then what was shown before it broke off stands in the event of the failure.</summary>
    public bool Streams { get; private init; }

    /// <summary>The answer leaves while the operation runs.</summary>
    public Policy WhileStreaming() => this with { Streams = true };

    /// <summary>A read that leaves <paramref name="action"/>.</summary>
    public static Policy Reads(string action) => new(PolicyKind.Reads, action, null);

    /// <summary>A change that leaves <paramref name="action"/>.</summary>
    public static Policy Changes(string action) => new(PolicyKind.Changes, action, null);

    /// <summary>No event; only for one's own session, navigation and health.</summary>
    public static Policy Unlogged(string because) => new(PolicyKind.Unlogged, null, because);

    /// <summary>Allows the handler to name one of these events instead.</summary>
    public Policy Or(params string[] actions) => this with { Alternatives = actions };

    /// <summary>Needs this permission.</summary>
    public Policy Needs(Permission permission) => this with { Permission = permission };

    /// <summary>Is about one resource; the operation must be <see cref="IAbout"/> unless it brings the resource into being.</summary>
    public Policy About(Resource resource) => this with { Resource = resource };

    /// <summary>Shows many of a resource; the handler narrows its query to <see cref="OperationScope.Reach"/>.</summary>
    public Policy Lists(Resource resource) => this with { Resource = resource, IsList = true };

    /// <summary>
    /// Shows the resource's row and nothing else (<see cref="OperationScope.OpenResource"/>). Relation, row and key then come in one round trip, and no transaction
    /// stays open: for what is opened all day.
    /// </summary>
    public Policy Showing<TRow>() where TRow : Sealing.SealedRow => this with { Row = typeof(TRow) };

    /// <summary>Needs a fresh second factor.</summary>
    public Policy WithStepUp() => this with { StepUp = true };

    /// <summary>For everybody signed in, about their own account.</summary>
    public Policy ForSelf(string because, bool beforeEnrolment = false) =>
        this with { Audience = beforeEnrolment ? Audience.Self : Audience.SelfEnrolled, AudienceBecause = because };

    /// <summary>For anybody.</summary>
    public Policy ForAnybody(string because) => this with { Audience = Audience.Anybody, AudienceBecause = because };

    /// <summary>For the operator's commands and the system's jobs.</summary>
    public Policy ForSystem(string because) => this with { Audience = Audience.System, AudienceBecause = because };

    /// <summary>What is missing, as a sentence, or null when the policy is complete for this operation type.</summary>
    internal string? Incomplete(Type operation, Func<string, bool> knownAction)
    {
        if (Kind == PolicyKind.Unlogged ? string.IsNullOrWhiteSpace(UnloggedBecause) : string.IsNullOrWhiteSpace(Action)) return "it names neither an event nor a reason for none";
        if (Action is not null && !knownAction(Action)) return $"its event {Action} is not in the catalogue";
        if (Alternatives.FirstOrDefault(action => !knownAction(action)) is { } unknown) return $"its event {unknown} is not in the catalogue";
        if (Audience == Audience.Holders && Permission is null) return "it names no permission";
        if (Audience != Audience.Holders && string.IsNullOrWhiteSpace(AudienceBecause)) return "it needs no permission and gives no reason";
        if (Audience == Audience.Holders && Resource is null) return "it does not say what it is about";
        if (typeof(IAbout).IsAssignableFrom(operation) && (Resource?.RelationSql is null || IsList)) return "it names a resource id that no relation is looked up for";
        if (Row is not null && (Kind != PolicyKind.Reads || !typeof(IAbout).IsAssignableFrom(operation))) return "it shows a row, yet is no read of one resource";
        return null;
    }
}
