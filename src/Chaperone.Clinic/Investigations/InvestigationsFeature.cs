using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Investigations;

/// <summary>Investigations: cases of events, people and records of the log, worked on by few and concluded by two. Needs the audit log, patients, accounts and settings.</summary>
public static class InvestigationsFeature
{
    internal const string Path = "/settings/investigations", New = Path + "/new";

    /// <summary>Adds its tables, its place in the navigation, and what of the log is withheld while a case is open.</summary>
    public static IServiceCollection AddInvestigations(this IServiceCollection services) => services
        .AddSingleton(new ModelPart(CaseTables.Model))
        .AddScoped<CaseReading>()
        .AddSingleton(new WithheldEvents(CaseRules.WithheldAsync))
        .AddSingleton(new NavPlace(911, Path, "Investigations", "zoom-exclamation", Permission.InvestigationView, NavPlace.Security));

    /// <summary>Maps pages and API.</summary>
    public static void MapInvestigations(this IEndpointRouteBuilder routes)
    {
        CaseApi.Map(routes);
        CasePages.Map(routes);
    }

    internal static string PathOf(Guid id) => $"{Path}/{id:D}";
}
