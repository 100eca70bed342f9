using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Jobs;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.AccessHistory;

/// <summary>Who saw or changed one person's data: on a patient's page, and about oneself.</summary>
public static class AccessHistoryFeature
{
    /// <summary>One's own.</summary>
    internal const string Own = "/account/access-history";

    /// <summary>A patient's.</summary>
    internal static string PathOf(Guid patient) => $"/patients/{patient:D}/access-history";

    /// <summary>Adds its readers and its place.</summary>
    public static IServiceCollection AddAccessHistory(this IServiceCollection services) => services
        .AddScoped<AccessReading>().AddScoped<AccessReportWriter>()
        .AddSingleton(NavPlace.Act(81, Own, "See who looked at your data", "eye", null));

    /// <summary>Maps its API and pages.</summary>
    public static void MapAccessHistory(this IEndpointRouteBuilder routes)
    {
        AccessApi.Map(routes);
        var pages = routes.MapGroup("").ExcludeFromDescription();
        pages.MapGet("/patients/{id:guid}/access-history", async (HttpContext http, Guid id) =>
        {
            if (http.Context().Actor.PatientId == id) return http.SeeOther(Own);
            return await Show(http, await http.Run(new ViewAccessHistory(id, AccessApi.Query(http))), id);
        }).Runs(typeof(ViewAccessHistory));
        pages.MapPost("/patients/{id:guid}/access-history/report", (HttpContext http, Guid id) => Report(http, PathOf(id), format => AccessApi.Report(http, id, format.Value, format.Refuse)))
            .Runs(typeof(StartAccessReport), typeof(BeginExportRun), typeof(WriteAccessReport), typeof(EndExportRun));
        pages.Get(Own, async http => await Show(http, await http.Run(new ViewOwnAccessHistory(AccessApi.Query(http))), null)).Runs(typeof(ViewOwnAccessHistory));
        pages.Post(Own + "/report", http => Report(http, Own, format => AccessApi.OwnReport(http, format.Value, format.Refuse)))
            .Runs(typeof(StartOwnAccessReport), typeof(BeginExportRun), typeof(WriteOwnAccessReport), typeof(EndExportRun));
    }

    private static async Task<IResult> Show(HttpContext http, Result<AccessHistoryPage> history, Guid? patient) => history.Error is { } error ? await http.PageError(error)
        : await http.Page<AccessHistoryPageView>(new { History = history.Value, Patient = patient, WithOwn = AccessApi.Query(http).WithOwn, IsPatient = http.Context().Actor.PatientId is not null, MayReadLog = MayReadLog(http), Zone = TimeZoneInfo.FindSystemTimeZoneById(http.Context().Tenant!.Zone) });

    private static bool MayReadLog(HttpContext http) => http.Context().Actor is var actor && actor.Rights.Holds(Permission.AuditView, actor.State.Elevated, http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow());

    // What is sent is no page, so a refusal comes back through the delegate and is made a page here.
    private static async Task<IResult> Report(HttpContext http, string back, Func<(string? Value, Func<Error, IResult> Refuse), Task<IResult>> send)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        Error? refused = null;
        var sent = await send((form.GetValueOrDefault("format"), error =>
        {
            refused = error;
            return Results.Empty;
        }));
        if (refused is null) return sent;
        return refused.Code == PlatformErrors.StepUpRequired.Code ? http.SeeOther("/step-up?to=" + Uri.EscapeDataString(back), "Confirm that it is you, then make the report again.", Tone.Info) : await http.PageError(refused, back);
    }
}
