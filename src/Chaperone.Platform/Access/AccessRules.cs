namespace Chaperone.Platform.Access;

/// <summary>The decision: pure, without clock, database or allocation, and small enough to enumerate.</summary>
public static class AccessRules
{
    /// <summary>How long a second factor counts for operations that need step-up.</summary>
    public static readonly TimeSpan StepUpFor = TimeSpan.FromMinutes(5);

    /// <summary>Whether the actor may use a permission on a resource.</summary>
    /// <param name="rights">What the actor holds.</param>
    /// <param name="needed">The permission the operation needs.</param>
    /// <param name="relation">How the actor stands to the resource; for the clinic's own things <see cref="Relation.SameClinic"/>.</param>
    /// <param name="state">The actor's and the session's state.</param>
    /// <param name="requirements">What the policy asks besides.</param>
    /// <param name="now">The moment of the decision.</param>
    /// <remarks>
    /// In this order: suspended; not enrolled; no relation; denied; not held, or held for a closer relation only; step-up. A refusal tells no more than the actor could
    /// know: with a relation that none of their rights about such a person reaches, it is <see cref="Refusal.NoRelation"/> (404) even when the permission is missing too,
    /// because 403 would tell that the record exists.
    /// </remarks>
    public static Decision Decide(ActorRights rights, Permission needed, Relation relation, ActorState state, PolicyRequirements requirements, DateTimeOffset now)
    {
        if (state.Suspended) return new(false, "state:suspended", Refusal.Suspended);
        if (!state.Enrolled) return new(false, "state:not-enrolled", Refusal.EnrolmentRequired);
        if (relation == Relation.None) return new(false, "relation:none", Refusal.NoRelation);

        var reaches = rights.Reaches(needed.About, relation, state.Elevated, now);
        if (rights.IsDenied(needed, now)) return new(false, needed.DenyRule, reaches ? Refusal.NoPermission : Refusal.NoRelation);
        if (rights.FindRule(needed, relation, state.Elevated, now) is not { } rule)
        {
            if (!rights.Holds(needed, state.Elevated, now)) return new(false, needed.NoneRule, reaches ? Refusal.NoPermission : Refusal.NoRelation);
            return new(false, "relation:too-far", Refusal.NoRelation);
        }
        if (requirements.StepUp && !state.IsSteppedUp(now)) return new(false, "state:step-up", Refusal.StepUpRequired);
        return new(true, rule, Refusal.None);
    }
}
