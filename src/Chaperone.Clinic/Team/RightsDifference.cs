using Chaperone.Platform.Access;

namespace Chaperone.Clinic.Team;

/// <summary>A permission that somebody would gain or lose.</summary>
/// <param name="Permission">Its code.</param>
/// <param name="Sentence">What it allows and how far it reaches; completes "May …" or "May no longer …".</param>
public sealed record RightChange(string Permission, string Sentence);

/// <summary>What another set of roles would give somebody and take from them, permission by permission. Pure.</summary>
/// <param name="Gained">What they could do then and cannot now, or for more people than now.</param>
/// <param name="Lost">What they can do now and could not then, or for fewer people.</param>
public sealed record RightsDifference(IReadOnlyList<RightChange> Gained, IReadOnlyList<RightChange> Lost)
{
    /// <summary>Compares; grants and denials that stand beside roles must be in both.</summary>
    public static RightsDifference Of(ActorRights before, ActorRights after, DateTimeOffset now)
    {
        var (gained, lost) = (new List<RightChange>(), new List<RightChange>());
        foreach (var permission in Permission.All)
        {
            var (had, has) = (before.WeakestRelation(permission, elevated: false, now), after.WeakestRelation(permission, elevated: false, now));
            if (had == has) continue;
            // The weaker the relation that is needed, the more people it reaches.
            if (has is { } reach && (had is null || reach < had)) gained.Add(new(permission.Code, permission.Sentence + Reach(reach)));
            else lost.Add(new(permission.Code, permission.Sentence + (has is { } rest ? $" beyond those{Reach(rest)}" : "")));
        }
        return new(gained, lost);
    }

    private static string Reach(Relation needs) => needs switch
    {
        Relation.Own => " (their own)",
        Relation.Assigned => " (their own and those assigned to them)",
        Relation.Shared => " (their own, and those assigned to or shared with them)",
        _ => "",
    };
}
