using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Postgres;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Settings;

/// <summary>The clinic's own settings, its contacts and its sign-in rules. Part of accounts, which add and map it.</summary>
internal static class SettingsFeature
{
    /// <summary>Adds the tables and places of the settings.</summary>
    public static IServiceCollection AddClinicSettings(this IServiceCollection services) => services
        .AddSingleton(new ModelPart(ClinicSettingsRow.Model))
        .AddSingleton(new NavPlace(880, ClinicSettingsPages.Home, "Clinic", "building-hospital", Permission.SettingsEdit, "Settings"));

    /// <summary>Maps the settings' pages and API.</summary>
    public static void MapClinicSettings(IEndpointRouteBuilder routes)
    {
        ClinicSettingsApi.Map(routes);
        ClinicSettingsPages.Map(routes);
        SecuritySettings.Map(routes);
    }
}
