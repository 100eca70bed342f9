namespace Chaperone.Platform.Access;

/// <summary>What a decision must know about the actor and the session beside rights.</summary>
/// <param name="Enrolled">Second factor set up, or not required of this person.</param>
/// <param name="Elevated">An approved elevation or emergency access is running; only then do rights of <see cref="GrantSource.Elevation"/> count.</param>
/// <param name="SteppedUpAt">When the second factor was last given in this session; null when never.</param>
/// <param name="Suspended">Deactivated, locked out by offboarding or by the security lead; nothing is allowed.</param>
/// <remarks>The default value is not enrolled and not stepped up, so that a forgotten state refuses.</remarks>
public readonly record struct ActorState(bool Enrolled, bool Elevated, DateTimeOffset? SteppedUpAt, bool Suspended)
{
    /// <summary>Enrolled, nothing else.</summary>
    public static ActorState Normal => new(Enrolled: true, Elevated: false, SteppedUpAt: null, Suspended: false);

    /// <summary>Whether the second factor is younger than <see cref="AccessRules.StepUpFor"/>. A time up to one minute ahead (another node's clock) counts as now.</summary>
    public bool IsSteppedUp(DateTimeOffset now) =>
        SteppedUpAt is { } at && now - at is var age && age < AccessRules.StepUpFor && age >= -TimeSpan.FromMinutes(1);
}

/// <summary>What an operation's policy asks beyond its permission.</summary>
/// <param name="StepUp">The second factor must have been given in the last five minutes.</param>
public readonly record struct PolicyRequirements(bool StepUp);

/// <summary>Why something was refused, and so what the answer may say.</summary>
public enum Refusal
{
    /// <summary>Not refused.</summary>
    None = 0,

    /// <summary>Answer as if it did not exist (404).</summary>
    NoRelation = 1,

    /// <summary>The actor may know that it exists but not do this (403).</summary>
    NoPermission = 2,

    /// <summary>The second factor has to be set up first.</summary>
    EnrolmentRequired = 3,

    /// <summary>The second factor has to be given again (403 with its own code).</summary>
    StepUpRequired = 4,

    /// <summary>The account is suspended.</summary>
    Suspended = 5,
}

/// <summary>The outcome of a decision.</summary>
/// <param name="Allowed">Whether it may go ahead.</param>
/// <param name="Rule">Stable id of the rule that decided, for the event: <c>role:doctor/patient.view</c>, <c>grant:…</c>, <c>elevation:…</c>, <c>deny:…</c>, <c>none:…</c>, <c>relation:…</c>, <c>state:…</c>.</param>
/// <param name="Refusal"><see cref="Refusal.None"/> exactly when allowed.</param>
public readonly record struct Decision(bool Allowed, string Rule, Refusal Refusal);
