using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Team;

/// <summary>Errors of inviting people and changing their roles, one line per rule.</summary>
public static class TeamErrors
{
    /// <summary>No role, one that there is not, or one that members of staff cannot have.</summary>
    public static readonly Error RolesInvalid = new("CHP-TEAM-0001", "These roles cannot be given.", 422, "Choose at least one of the roles that members of staff have.");

    /// <summary>A role is given or taken that the actor may neither give nor take.</summary>
    public static readonly Error RoleOutOfReach = new("CHP-TEAM-0002", "You may not give or take this role.", 403, "Ask an administrator or the owner of your clinic.");

    /// <summary>The account has a password: there is no invitation any more to repeat or to withdraw.</summary>
    public static readonly Error NotInvited = new("CHP-TEAM-0003", "This invitation has been accepted already.", 409, "Make a link to set a new password, or deactivate the account.");

    /// <summary>The account is in the wanted state already.</summary>
    public static readonly Error AlreadySo = new("CHP-TEAM-0004", "The account is like that already.", 409, "Nothing was changed. Look at the account as it is now.");

    /// <summary>A practitioner who was imported, without an address: there is no account behind the record.</summary>
    public static readonly Error NoAddress = new("CHP-TEAM-0005", "Nobody can sign in with this record.", 409, "It came out of a file of past practitioners and has no email address. Invite the person as a new member; what they did before stays with this record.");

    /// <summary>Details of somebody cannot be as they were sent.</summary>
    public static readonly Error ProfileInvalid = new("CHP-TEAM-0006", "These details cannot be saved.", 422, "Correct the fields that are named.");
}
