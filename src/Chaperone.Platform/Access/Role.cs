using System.Collections.Immutable;

namespace Chaperone.Platform.Access;

/// <summary>A permission as a role holds it, with the weakest relation to the resource that it needs.</summary>
public readonly record struct RoleRight(Permission Permission, Relation Needs);

/// <summary>A named set of permissions: one of <see cref="BuiltInRole"/>, or a clinic's own. Compared by reference.</summary>
/// <remarks>What a role holds and what it may assign are different things: an admin may assign doctor and yet read no note.</remarks>
public sealed class Role
{
    private readonly string[] rules;

    internal Role(string code, string displayName, string sentence, ImmutableArray<RoleRight> rights)
    {
        Code = code;
        DisplayName = displayName;
        Sentence = sentence;
        Rights = rights;
        rules = [.. rights.Select(r => $"role:{code}/{r.Permission.Code}")];
    }

    /// <summary>Stable code: <c>doctor</c>; a clinic's own role is <c>custom-</c> and its id in 32 hexadecimal digits.</summary>
    public string Code { get; }

    /// <summary>The name people read.</summary>
    public string DisplayName { get; }

    /// <summary>One sentence on what the role is for.</summary>
    public string Sentence { get; }

    /// <summary>What the role holds; each permission at most once.</summary>
    public ImmutableArray<RoleRight> Rights { get; }

    /// <summary>Whether whoever has this role must have a second factor, whatever the clinic's setting says.</summary>
    public bool AlwaysNeedsTwoFactor { get; internal init; }

    /// <summary>Whether the clinic's setting "clinicians see own, assigned and shared patients only" narrows the rights about patients (doctor and nurse).</summary>
    internal bool NarrowedBySetting { get; init; }

    /// <summary>The weakest relation that counts as one where the role holds nothing: <see cref="Relation.Own"/> for patient and employee, who have no business with anybody else.</summary>
    internal Relation BaseReach { get; init; } = Relation.SameClinic;

    /// <summary>A clinic's own role.</summary>
    /// <param name="id">The role's id; the name can change, the id stays.</param>
    /// <param name="name">The clinic's name for it.</param>
    /// <param name="permissions">What it holds, over the whole clinic. Check <see cref="Assigning.MayPutInRole"/> before storing; this constructor does not.</param>
    public static Role Custom(Guid id, string name, IEnumerable<Permission> permissions) =>
        new($"custom-{id:N}", name, "A role made by this clinic.", [.. permissions.Distinct().Select(p => new RoleRight(p, Relation.SameClinic))]);

    internal string RuleAt(int index) => rules[index];

    /// <inheritdoc/>
    public override string ToString() => Code;
}
