using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Patients;

/// <summary>The register of patients.</summary>
public static class PatientsFeature
{
    /// <summary>Adds the register's table and stores.</summary>
    public static IServiceCollection AddPatients(this IServiceCollection services) =>
        services.AddSingleton(new ModelPart(PatientRow.Model)).AddScoped<PatientRegister>();

    /// <summary>Today where the clinic is.</summary>
    internal static DateOnly Today(this OperationScope scope) =>
        DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(scope.Now, TimeZoneInfo.FindSystemTimeZoneById(scope.Tenant.Zone)).DateTime);
}
