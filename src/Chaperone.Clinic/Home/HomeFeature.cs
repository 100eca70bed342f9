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

    /// <summary>Answers with the page.</summary>
    public static async Task<IResult> Show(HttpContext http)
    {
        var result = await http.Run(new ViewHome());
        return result.Error is { } error ? await http.PageError(error) : await http.Page<HomePage>(new { Model = result.Value });
    }
}
