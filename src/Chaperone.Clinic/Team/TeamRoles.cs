using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Team;

/// <summary>A role as it can be chosen for somebody.</summary>
/// <param name="Code">Its code.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Sentence">What it is for.</param>
/// <param name="MayGive">Whether the one who chooses may give it and take it.</param>
public sealed record RoleChoice(string Code, string Name, string Sentence, bool MayGive);

/// <summary>The rules about which roles somebody on the team may have and who may give them.</summary>
internal static class TeamRoles
{
    /// <summary>What members of staff can be, in the order people read it: every built-in role but the patient's.</summary>
    public static IReadOnlyList<Role> All { get; } = [.. BuiltInRole.All.Where(role => role != BuiltInRole.Patient)];

    /// <summary>Whether these are the roles of a patient's account.</summary>
    public static bool IsPatient(IReadOnlyCollection<string> roles) => roles.Contains(BuiltInRole.Patient.Code);

    /// <summary>The roles as this actor may choose them.</summary>
    public static IReadOnlyList<RoleChoice> ChoicesOf(Actor actor, DateTimeOffset now) =>
        [.. All.Select(role => new RoleChoice(role.Code, role.DisplayName, role.Sentence, Assigning.MayAssign(actor.Rights, role, now)))];

    /// <summary>The roles of these codes, each once, in the order of <see cref="All"/>; or what is wrong with them.</summary>
    public static Result<IReadOnlyList<Role>> Read(IReadOnlyList<string?>? codes)
    {
        if (codes is not { Count: > 0 }) return Invalid("Choose at least one role.");
        if (codes.Contains(BuiltInRole.Patient.Code, StringComparer.Ordinal)) return Invalid("A patient's role belongs to the account of a patient.");
        if (codes.Any(code => !All.Any(role => role.Code == code))) return Invalid("One of these is no role of this clinic.");
        return Result<IReadOnlyList<Role>>.Of([.. All.Where(role => codes.Contains(role.Code, StringComparer.Ordinal))]);
    }

    /// <summary>Why the actor may not bring somebody from some roles to others: every role that is given or taken must be one they may assign.</summary>
    public static Error? OutOfReach(OperationScope scope, IReadOnlyCollection<string> before, IReadOnlyCollection<string> after)
    {
        var refused = All.Where(role => before.Contains(role.Code) != after.Contains(role.Code) && !Assigning.MayAssign(scope.Actor.Rights, role, scope.Now)).Select(role => role.Code).ToArray();
        return refused.Length == 0 ? null : TeamErrors.RoleOutOfReach with { Facts = new Dictionary<string, object> { ["roles"] = refused } };
    }

    /// <summary>
    /// Whether the clinic would be without an active owner if this account were none any more. Who was invited and has not come yet does not count: a link that is never opened must
    /// not be a clinic's only way in. Locks the owners' rows until the commit: of two owners who take the role from each other at once, the second waits, and then sees what the first
    /// has done.
    /// </summary>
    public static async Task<bool> IsLastOwnerAsync(OperationScope scope, MemberRow member, CancellationToken cancel)
    {
        var (owner, active) = (BuiltInRole.Owner.Code, MemberRow.Active);
        if (member.Status != active || !member.Roles.Contains(owner)) return false;
        var owners = await scope.Db.Database.SqlQuery<Guid>(
            $"""
            SELECT m.id AS "Value" FROM clinic.member m JOIN clinic.credential c ON c.tenant_id = m.tenant_id AND c.id = m.id
            WHERE m.status = {active} AND {owner} = ANY (m.roles) AND c.password_changed_at IS NOT NULL ORDER BY m.id FOR UPDATE OF m
            """).ToListAsync(cancel);
        return owners.All(id => id == member.Id);
    }

    private static Error Invalid(string sentence) => TeamErrors.RolesInvalid.With("roles", sentence);
}
