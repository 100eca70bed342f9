using Chaperone.Clinic.Jobs;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Patients.Export;

/// <summary>Exporting patients as CSV.</summary>
public static class ExportEndpoints
{
    /// <summary>Maps the page, the download behind its button, and the API's.</summary>
    public static IEndpointRouteBuilder MapPatientExport(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/patients/export", (Delegate)Page).Runs(typeof(PreparePatientExport)).ExcludeFromDescription();
        endpoints.MapPost("/patients/export", (Delegate)Download).Runs(typeof(StartPatientExport), typeof(BeginExportRun), typeof(ExportPatients), typeof(EndExportRun)).ExcludeFromDescription();
        endpoints.MapGet("/api/patients/export.csv", (Delegate)Api).Runs(typeof(StartPatientExport), typeof(BeginExportRun), typeof(ExportPatients), typeof(EndExportRun)).WithTags("Patients")
            .WithSummary("All patients, archived ones too, as CSV: demographic and contact data with every identifier. Needs a code younger than five minutes.");
        return endpoints;
    }

    private static async Task<IResult> Page(HttpContext http)
    {
        var prepared = await http.Run(new PreparePatientExport());
        return prepared.Error is { } error ? await http.PageError(error) : await http.Page<ExportPage>(new { Count = prepared.Value });
    }

    private static async Task<IResult> Download(HttpContext http)
    {
        var started = await http.Run(new StartPatientExport());
        if (started.Error is not { } error) return await StreamAsync(http, started.Value);
        return error.Code == PlatformErrors.StepUpRequired.Code ? http.SeeOther("/step-up?to=%2Fpatients%2Fexport") : await http.PageError(error);
    }

    private static async Task<IResult> Api(HttpContext http)
    {
        var started = await http.Run(new StartPatientExport());
        return started.Error is { } error ? Problem.Of(error) : await StreamAsync(http, started.Value);
    }

    private static async Task<IResult> StreamAsync(HttpContext http, Guid id)
    {
        http.Response.ContentType = "text/csv; charset=utf-8";
        http.Response.Headers.ContentDisposition = "attachment; filename=\"patients.csv\"";
        var exported = await http.ExportAsync(id, "patients", new ExportPatients(id, http.Response.Body), rows => rows);
        if (exported.Error is not { } error) return Results.Empty;
        if (!http.Response.HasStarted)
        {
            http.Response.Clear();
            return Problem.Of(error);
        }
        http.Abort();   // a file cut short must not look like a whole one
        return Results.Empty;
    }
}
