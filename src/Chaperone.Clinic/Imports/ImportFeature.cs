using Chaperone.Platform.Postgres;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Imports;

/// <summary>Importing patients from files.</summary>
public static class ImportFeature
{
    /// <summary>Adds tables, stores and the job runner.</summary>
    public static IServiceCollection AddPatientImport(this IServiceCollection services) => services
        .AddSingleton(new ModelPart(ImportJobRow.Model)).AddSingleton<UploadPlaces>().AddSingleton<ImportReading>().AddSingleton<ImportBell>()
        .AddSingleton<ImportRunner>().AddHostedService(provider => provider.GetRequiredService<ImportRunner>());

    /// <summary>Maps the pages and the API.</summary>
    public static IEndpointRouteBuilder MapPatientImport(this IEndpointRouteBuilder endpoints)
    {
        ImportApi.Map(endpoints);
        ImportPages.Map(endpoints);
        return endpoints;
    }
}
