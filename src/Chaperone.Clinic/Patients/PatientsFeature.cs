using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Chaperone.Clinic.Patients.Export;
using Chaperone.Clinic.Imports;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Patients;

/// <summary>The register of patients.</summary>
public static class PatientsFeature
{
    /// <summary>Adds the register's table, stores and places.</summary>
    public static IServiceCollection AddPatients(this IServiceCollection services) => services
        .AddSingleton(new ModelPart(PatientRow.Model)).AddScoped<PatientRegister>().AddPatientImport()
        .AddSingleton(new NavPlace(20, "/patients", "Patients", "users", Permission.PatientView, Except: ["patient"]))
        .AddSingleton(new NavPlace(21, "/patients", "Patients", "users", Permission.PatientViewMasked))
        .AddSingleton(NavPlace.Act(22, "/patients/new", "Register a patient", "user-plus", Permission.PatientEdit))
        .AddSingleton(NavPlace.Act(23, "/patients/import", "Import patients from a file", "file-import", Permission.PatientImport))
        .AddSingleton(NavPlace.Act(24, "/patients/export", "Export all patients", "file-export", Permission.PatientExport));

    /// <summary>Maps the register's pages and its API.</summary>
    public static IEndpointRouteBuilder MapPatients(this IEndpointRouteBuilder endpoints)
    {
        PatientApi.Map(endpoints);
        PatientPages.Map(endpoints);
        return endpoints.MapPatientImport().MapPatientExport();
    }

    /// <summary>Today where the clinic is.</summary>
    internal static DateOnly Today(this OperationScope scope) => Today(scope.Tenant, scope.Now);

    internal static DateOnly Today(Tenant clinic, DateTimeOffset now) =>
        DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, TimeZoneInfo.FindSystemTimeZoneById(clinic.Zone)).DateTime);
}
