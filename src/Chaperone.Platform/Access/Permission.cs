using System.Diagnostics.CodeAnalysis;

namespace Chaperone.Platform.Access;

/// <summary>Whose thing a permission reaches. It decides what a refusal may give away: see <see cref="AccessRules.Decide"/>.</summary>
public enum PermissionAbout
{
    /// <summary>The clinic itself (settings, log, keys): nothing to hide by its id, a refusal is always 403.</summary>
    Clinic = 0,

    /// <summary>One patient, or something of a patient.</summary>
    Patient = 1,

    /// <summary>One member of staff, or something of theirs.</summary>
    Staff = 2,
}

/// <summary>
/// One thing that somebody may be allowed to do, <c>area.verb</c>. All of them are in Permissions.cs; there are no others, and none is made at run time.
/// Compared by reference.
/// </summary>
/// <remarks>A permission says nothing about whose record: that is the <see cref="Relation"/> a <see cref="RoleRight"/> needs.</remarks>
public sealed partial class Permission
{
    private Permission(string code, PermissionAbout about, bool isClinicalContent, string sentence)
    {
        Code = code;
        About = about;
        IsClinicalContent = isClinicalContent;
        Sentence = sentence;
        DenyRule = "deny:" + code;
        NoneRule = "none:" + code;
    }

    /// <summary>Stable code such as <c>patient.view</c>; stored in grants, events and exports. Never reused for something else.</summary>
    public string Code { get; }

    /// <summary>What the permission reaches.</summary>
    public PermissionAbout About { get; }

    /// <summary>Notes, prescriptions, results and files, and acts only clinicians do. Owner and admin never hold these by their role.</summary>
    public bool IsClinicalContent { get; }

    /// <summary>What it allows, as people read it; completes "May …".</summary>
    public string Sentence { get; }

    /// <summary>Position in <see cref="All"/>. Not stable between versions: never stored.</summary>
    internal int Index { get; private set; }

    internal string DenyRule { get; }

    internal string NoneRule { get; }

    /// <summary>Finds a permission by its exact code.</summary>
    /// <returns>False for a code this version does not know; callers must then refuse, never ignore.</returns>
    public static bool TryFind(string code, [NotNullWhen(true)] out Permission? permission) => ByCode.TryGetValue(code, out permission);

    /// <inheritdoc/>
    public override string ToString() => Code;
}
