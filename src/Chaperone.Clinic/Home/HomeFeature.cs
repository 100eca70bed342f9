using Chaperone.Clinic.Shell;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Home;

/// <summary>The start page of everybody signed in.</summary>
public static class HomeFeature
{
    /// <summary>Adds its place in the navigation.</summary>
    public static IServiceCollection AddHome(this IServiceCollection services) => services.AddSingleton(new NavPlace(0, "/", "Home", "home", null));

    /// <summary>What the page runs.</summary>
    public static Type[] Operations => [typeof(ViewHome), typeof(ViewToday)];

    /// <summary>Answers with the page.</summary>
    public static async Task<IResult> Show(HttpContext http)
    {
        var home = await http.Run(new ViewHome());
        if (home.Error is { } error) return await http.PageError(error);
        var zone = TimeZoneInfo.FindSystemTimeZoneById(http.Context().Tenant!.Zone);
        if (home.Value.Day == HomeDay.None) return await http.Page<HomePage>(new { Model = home.Value, Zone = zone });
        var today = await http.Run(new ViewToday(Own: home.Value.Day == HomeDay.Own));
        return today.Error is { } refused ? await http.PageError(refused) : await http.Page<HomePage>(new { Model = home.Value, Today = today.Value, Zone = zone });
    }
}
