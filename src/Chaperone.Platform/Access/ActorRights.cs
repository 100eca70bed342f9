using System.Collections.Immutable;

namespace Chaperone.Platform.Access;

/// <summary>Where a single grant comes from.</summary>
public enum GrantSource
{
    /// <summary>Given to the person, with or without an end.</summary>
    Grant = 0,

    /// <summary>From an approved elevation or emergency access: counts only while <see cref="ActorState.Elevated"/>.</summary>
    Elevation = 1,
}

/// <summary>A role somebody has.</summary>
/// <param name="Role">The role.</param>
/// <param name="Until">First moment at which it no longer counts; null for no end.</param>
public readonly record struct RoleAssignment(Role Role, DateTimeOffset? Until = null);

/// <summary>A single permission granted to somebody beside their roles.</summary>
/// <param name="Permission">What is granted.</param>
/// <param name="Until">First moment at which it no longer counts; null for no end.</param>
/// <param name="Needs">The weakest relation it needs.</param>
/// <param name="Source">Plain grant, or an elevation.</param>
public readonly record struct PermissionGrant(
    Permission Permission, DateTimeOffset? Until = null, Relation Needs = Relation.SameClinic, GrantSource Source = GrantSource.Grant);

/// <summary>A single permission denied to somebody: wins over every role, grant and elevation.</summary>
/// <param name="Permission">What is denied.</param>
/// <param name="Until">First moment at which it no longer counts; null for no end.</param>
public readonly record struct PermissionDenial(Permission Permission, DateTimeOffset? Until = null);

/// <summary>
/// Everything one person may do, compiled from roles, grants and denials for fast decisions. Immutable and safe to share between threads; cache it by user and
/// rights version only. Ends are kept and compared at each decision, so a cached value never outlives an end date.
/// </summary>
public sealed class ActorRights
{
    private readonly Right[][] byPermission;
    private readonly DateTimeOffset[] deniedUntil;
    private readonly Right[][] reach;

    private ActorRights(ImmutableArray<RoleAssignment> roles, Right[][] byPermission, DateTimeOffset[] deniedUntil, Right[][] reach)
    {
        Roles = roles;
        this.byPermission = byPermission;
        this.deniedUntil = deniedUntil;
        this.reach = reach;
    }

    /// <summary>Somebody with no rights at all.</summary>
    public static ActorRights Nothing { get; } = Compile([], [], []);

    /// <summary>The roles this was compiled from, ended ones included.</summary>
    public ImmutableArray<RoleAssignment> Roles { get; }

    /// <summary>Compiles a person's rights.</summary>
    /// <param name="roles">Their roles.</param>
    /// <param name="grants">Single grants and elevations.</param>
    /// <param name="denials">Single denials.</param>
    /// <param name="cliniciansSeeAllPatients">The clinic's setting; false narrows what doctor and nurse may do with patients to own, assigned and shared ones.</param>
    public static ActorRights Compile(
        IEnumerable<RoleAssignment> roles, IEnumerable<PermissionGrant> grants, IEnumerable<PermissionDenial> denials, bool cliniciansSeeAllPatients = true)
    {
        var assigned = roles.ToImmutableArray();
        var rights = Lists(Permission.All.Length);
        var reaches = Lists(3);
        foreach (var (role, until) in assigned)
        {
            var end = until ?? DateTimeOffset.MaxValue;
            for (var i = 0; i < role.Rights.Length; i++)
            {
                var (permission, needs) = role.Rights[i];
                if (!cliniciansSeeAllPatients && role.NarrowedBySetting && permission.About == PermissionAbout.Patient && needs < Relation.Shared) needs = Relation.Shared;
                var right = new Right(needs, end, false, role.RuleAt(i));
                Add(rights[permission.Index], right);
                Add(reaches[(int)permission.About], right);
            }
        }
        foreach (var (permission, until, needs, source) in grants)
        {
            var rule = source == GrantSource.Elevation ? "elevation:" + permission.Code : "grant:" + permission.Code;
            var right = new Right(needs, until ?? DateTimeOffset.MaxValue, source == GrantSource.Elevation, rule);
            Add(rights[permission.Index], right);
            Add(reaches[(int)permission.About], right);
        }
        // Somebody who holds nothing about patients (or staff) is still a colleague in the same clinic, unless all their roles are about themselves only.
        foreach (var about in reaches.Where(list => list.Count == 0))
            foreach (var (role, until) in assigned)
                Add(about, new(role.BaseReach, until ?? DateTimeOffset.MaxValue, false, ""));

        var denied = new DateTimeOffset[Permission.All.Length];
        foreach (var (permission, until) in denials)
        {
            var end = until ?? DateTimeOffset.MaxValue;
            if (end > denied[permission.Index]) denied[permission.Index] = end;
        }
        return new(assigned, [.. rights.Select(r => r.ToArray())], denied, [.. reaches.Select(r => r.ToArray())]);

        static List<Right>[] Lists(int count) => [.. Enumerable.Range(0, count).Select(_ => new List<Right>())];
    }

    /// <summary>Whether any role that counts now always needs a second factor.</summary>
    public bool AlwaysNeedsTwoFactor(DateTimeOffset now)
    {
        foreach (var (role, until) in Roles)
            if (role.AlwaysNeedsTwoFactor && (until is not { } end || now < end)) return true;
        return false;
    }

    /// <summary>
    /// The weakest relation with which the person holds the permission now; null when not held or denied. For lists (the relation goes into the SQL before any limit)
    /// and for hiding controls; not a decision about one resource.
    /// </summary>
    public Relation? WeakestRelation(Permission permission, bool elevated, DateTimeOffset now) =>
        IsDenied(permission, now) ? null : Weakest(byPermission[permission.Index], elevated, now);

    /// <summary>Whether the person holds the permission now for anything at all.</summary>
    public bool Holds(Permission permission, bool elevated, DateTimeOffset now) => WeakestRelation(permission, elevated, now) is not null;

    /// <summary>Whether a denial of the permission counts now.</summary>
    public bool IsDenied(Permission permission, DateTimeOffset now) => now < deniedUntil[permission.Index];

    /// <summary>The rule that gives the permission at this relation; null when none does.</summary>
    internal string? FindRule(Permission permission, Relation relation, bool elevated, DateTimeOffset now)
    {
        foreach (ref readonly var right in byPermission[permission.Index].AsSpan())
            if (right.Needs <= relation && right.Counts(elevated, now)) return right.Rule;
        return null;
    }

    /// <summary>Whether this relation is one at all for the person. What they could not even see by any right must look as if it did not exist.</summary>
    internal bool Reaches(PermissionAbout about, Relation relation, bool elevated, DateTimeOffset now) =>
        about == PermissionAbout.Clinic || (Weakest(reach[(int)about], elevated, now) ?? Relation.SameClinic) <= relation;

    private static Relation? Weakest(Right[] rights, bool elevated, DateTimeOffset now)
    {
        Relation? weakest = null;
        foreach (ref readonly var right in rights.AsSpan())
            if (right.Counts(elevated, now) && (weakest is not { } w || right.Needs < w)) weakest = right.Needs;
        return weakest;
    }

    // Keeps only rights that no other one covers: at most one per relation and source with growing ends, so a decision stays short whatever the number of roles.
    private static void Add(List<Right> rights, Right right)
    {
        if (rights.Exists(r => r.Covers(right))) return;
        rights.RemoveAll(right.Covers);
        rights.Add(right);
    }

    private readonly record struct Right(Relation Needs, DateTimeOffset Until, bool Elevation, string Rule)
    {
        public bool Counts(bool elevated, DateTimeOffset now) => now < Until && (elevated || !Elevation);

        public bool Covers(Right other) => Needs <= other.Needs && Until >= other.Until && (!Elevation || other.Elevation);
    }
}
