using Chaperone.Clinic.AccessHistory;
using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Compliance;
using Chaperone.Clinic.Home;
using Chaperone.Clinic.Investigations;
using Chaperone.Clinic.Jobs;
using Chaperone.Clinic.Mail;
using Chaperone.Clinic.Notices;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Retention;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.SignIn;
using Chaperone.Clinic.Streams;
using Chaperone.Clinic.Witnesses;
using Chaperone.Platform.Tenancy;
using Chaperone.Platform.Web;
using Chaperone.Clinic.Shell;

namespace Chaperone.Server.Hosting;

/// <summary>Which features this program has. A feature is added here and nowhere else.</summary>
internal static class Features
{
    public static void Add(IServiceCollection services)
    {
        services.AddHome();
        services.AddNotices();
        services.AddSignIn();
        services.AddPatients();
        services.AddSchedule();
        services.AddAuditLog();
        services.AddAccessHistory();
        services.AddMail();
        services.AddJobs();
        services.AddWitnesses();
        services.AddRetention();
        services.AddCompliance();
        services.AddInvestigations();
        services.AddStreams();
    }

    /// <summary>The middleware that finds out who acts.</summary>
    public static void UseActor(IApplicationBuilder app) => app.UseSessions();

    public static void Map(IEndpointRouteBuilder routes)
    {
        // The start page, or on loopback names, where there is no clinic, the list of clinics.
        routes.Get("/", http => http.Context().Tenant is null ? Landing(http) : HomeFeature.Show(http))
            .Runs(HomeFeature.Operations).WithMetadata(new NeedsNoClinic()).ExcludeFromDescription();
        SignInFeature.MapSignIn(routes);
        routes.MapPatients();
        routes.MapSchedule();
        routes.MapNotices();
        SetUpPages.MapSetUp(routes).WithMetadata(new NeedsNoClinic()).ExcludeFromDescription();
        AuditLogFeature.MapAuditLog(routes);
        routes.MapAccessHistory();
        routes.MapMail();
        routes.MapJobs();
        routes.MapWitnesses();
        routes.MapRetention();
        routes.MapCompliance();
        routes.MapInvestigations();
        routes.MapStreams();
    }

    private static async Task<IResult> Landing(HttpContext http)
    {
        var clinics = await http.RequestServices.GetRequiredService<TenantDirectory>().AllAsync(http.RequestAborted);
        var port = http.Request.Host.Port is { } number ? $":{number}" : "";
        return await http.Page<LandingPage>(new { Clinics = clinics.Select(clinic => new LandingPage.LandingClinic(clinic.Name, clinic.Host, $"{http.Request.Scheme}://{clinic.Host}{port}/")).ToList() });
    }
}
