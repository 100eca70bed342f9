using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Shell;

/// <summary>A place of the product. Each feature adds its own; people see those they hold the permission for. Seeing a place is no right: the monitor decides.</summary>
/// <param name="Order">Where it stands, lowest first.</param>
/// <param name="Href">Path.</param>
/// <param name="Label">What it is called.</param>
/// <param name="Icon">Name of an icon.</param>
/// <param name="Needs">The permission of what is behind it; null for everybody signed in.</param>
/// <param name="Group">Heading it stands under.</param>
/// <param name="Except">Roles it makes no sense for.</param>
/// <param name="IsAct">Something to do rather than a place to be: the command palette offers it, the navigation does not list it.</param>
public sealed record NavPlace(int Order, string Href, string Label, string Icon, Permission? Needs, string? Group = null, IReadOnlyList<string>? Except = null, bool IsAct = false)
{
    /// <summary>Heading over what concerns signing in, the team's accounts and the log; the pages say it too.</summary>
    public const string Security = "Settings › Security";

    /// <summary>Something to do, for the command palette.</summary>
    public static NavPlace Act(int order, string href, string label, string icon, Permission? needs) => new(order, href, label, icon, needs, IsAct: true);

    /// <summary>The places this actor is shown.</summary>
    public static IReadOnlyList<NavItem> For(IReadOnlyCollection<NavPlace> places, Actor actor, string path, DateTimeOffset now)
    {
        if (actor.Id is null || !actor.State.Enrolled) return [];
        var shown = new List<NavItem>();
        string? group = null;
        var active = places.Where(place => !place.IsAct).Where(place => path == place.Href || (place.Href != "/" && path.StartsWith(place.Href + "/", StringComparison.Ordinal))).MaxBy(place => place.Href.Length);
        foreach (var place in places.OrderBy(place => place.Order))
        {
            if (place.Needs is not null && !actor.Rights.Holds(place.Needs, actor.State.Elevated, now)) continue;
            if (shown.Exists(known => known.Href == place.Href)) continue;   // two permissions may lead to one place
            if (place.Except is not null && actor.Role is not null && place.Except.Contains(actor.Role)) continue;
            shown.Add(new(place.Href, place.Label, place.Icon, place == active, place.Group == group ? null : place.Group, place.IsAct));
            if (!place.IsAct) group = place.Group;
        }
        return shown;
    }
}
