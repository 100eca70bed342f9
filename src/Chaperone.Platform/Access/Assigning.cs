namespace Chaperone.Platform.Access;

/// <summary>
/// Who may change whose rights, beyond holding <c>team.manage</c> or <c>roles.manage</c> (which <see cref="AccessRules.Decide"/> checks first). Pure.
/// Not here: that at least one owner always remains, which the change's transaction checks.
/// </summary>
public static class Assigning
{
    /// <summary>Whether a change to somebody's rights (role given or taken, grant, denial, end of any of them) may be made at all.</summary>
    /// <param name="assigner">Who makes the change.</param>
    /// <param name="assignerRights">Their rights.</param>
    /// <param name="target">Whose rights change. Never one's own, not even to lessen them.</param>
    /// <param name="targetRights">Rights of the target before the change: only somebody who could have given all the target's roles may change anything.</param>
    /// <param name="now">The moment of the change.</param>
    public static bool MayChange(Guid assigner, ActorRights assignerRights, Guid target, ActorRights targetRights, DateTimeOffset now)
    {
        if (assigner == target) return false;
        foreach (var (role, until) in targetRights.Roles)
            if (Counts(until, now) && !MayAssign(assignerRights, role, now)) return false;
        return true;
    }

    /// <summary>Whether the assigner may give this role to, or take it from, somebody else. Check <see cref="MayChange"/> too.</summary>
    /// <remarks>Built-in roles by the table (owner any; admin any but owner and admin; manager reception, clinical, employee); a clinic's own role when every permission in it could be put into a role.</remarks>
    public static bool MayAssign(ActorRights assigner, Role role, DateTimeOffset now)
    {
        if (!BuiltInRole.TryFind(role.Code, out var builtIn) || builtIn != role) return role.Rights.All(r => MayPutInRole(assigner, r.Permission, now));
        foreach (var (own, until) in assigner.Roles)
            if (Counts(until, now) && BuiltInRole.AssignableBy(own).Contains(role)) return true;
        return false;
    }

    /// <summary>Whether the assigner may grant this single permission to, or end its denial for, somebody else. Check <see cref="MayChange"/> too.</summary>
    public static bool MayAssign(ActorRights assigner, Permission permission, DateTimeOffset now) => MayPutInRole(assigner, permission, now);

    /// <summary>Whether the assigner may put this permission into a role of the clinic: only what they hold over the whole clinic, or may give through a built-in role. What is denied to them they cannot pass on.</summary>
    public static bool MayPutInRole(ActorRights assigner, Permission permission, DateTimeOffset now)
    {
        if (assigner.IsDenied(permission, now)) return false;
        if (assigner.WeakestRelation(permission, elevated: false, now) is Relation.SameClinic) return true;
        foreach (var (own, until) in assigner.Roles)
        {
            if (!Counts(until, now)) continue;
            foreach (var role in BuiltInRole.AssignableBy(own))
                foreach (var right in role.Rights)
                    if (right.Permission == permission && right.Needs == Relation.SameClinic) return true;
        }
        return false;
    }

    private static bool Counts(DateTimeOffset? until, DateTimeOffset now) => until is not { } end || now < end;
}
