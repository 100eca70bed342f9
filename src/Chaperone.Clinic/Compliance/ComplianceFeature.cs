using System.Globalization;
using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Compliance;

/// <summary>Settings › Security › Compliance: what is done about the rules a clinic is held to, and what shows it. Needs the log, and a <see cref="TestPasses"/>.</summary>
public static class ComplianceFeature
{
    internal const string Path = "/settings/compliance";

    /// <summary>Adds its place in the navigation.</summary>
    public static IServiceCollection AddCompliance(this IServiceCollection services) =>
        services.AddSingleton(new NavPlace(918, Path, "Compliance", "certificate", Permission.AuditView, NavPlace.Security));

    /// <summary>Maps pages and API.</summary>
    public static void MapCompliance(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/compliance").WithTags("Compliance");
        api.MapGet("", async (HttpContext http, string? framework) => (await http.Run(new ViewCompliance(framework))).Match(view => Results.Json(Shape(view))))
            .Runs(typeof(ViewCompliance)).WithSummary("What is done about each control (framework=gdpr, hipaa, soc2 or pci-dss), how many events of the last 30 days show it, and when its tests last passed; tests is null where they have not run beside this program.");
        api.MapGet("/report", async (HttpContext http, string? framework) => (await http.Run(new ExportCompliance(framework))).Match(pdf => Pdf(http, pdf)))
            .Runs(typeof(ExportCompliance)).WithSummary("The same as a PDF to hand over.");
        var pages = routes.MapGroup(Path).ExcludeFromDescription();
        pages.Get("", http => Show<CompliancePage>(http, null)).Runs(typeof(ViewCompliance));
        pages.MapGet("/{framework:regex(^[a-z0-9-]+$)}", (HttpContext http, string framework) => Show<FrameworkPage>(http, framework)).Runs(typeof(ViewCompliance));
        pages.Post("/report", async http =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            var report = await http.Run(new ExportCompliance(form.GetValueOrDefault("framework") is { Length: > 0 } framework ? framework : null));
            return report.Error is { } error ? await http.PageError(error, Path) : Pdf(http, report.Value);
        }).Runs(typeof(ExportCompliance));
    }

    private static async Task<IResult> Show<TPage>(HttpContext http, string? framework) where TPage : Microsoft.AspNetCore.Components.IComponent
    {
        var view = await http.Run(new ViewCompliance(framework));
        return view.Error is { } error ? await http.PageError(error) : await http.Page<TPage>(new { View = view.Value, Zone = http.Zone() });
    }

    private static IResult Pdf(HttpContext http, byte[] report)
    {
        var day = http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return Results.File(report, "application/pdf", $"compliance-{day}.pdf");
    }

    private static object Shape(ComplianceView view) => new
    {
        since = view.Since,
        tests = view.Tests.Runs is { } runs ? new { runs.Run.At, runs.Run.Commit, runs.Run.Changed, runs.Passed, runs.Failed, onTheseSources = view.Tests.Sources is null ? (bool?)null : !view.Tests.IsOfOtherSources(runs.Run) } : null,
        items = view.Frameworks.Select(framework => new
        {
            framework.Code, framework.Name, framework.Title,
            controls = framework.Controls.Select(control => new
            {
                control.Number, control.Asks, coverage = control.Coverage.ToString().ToLowerInvariant(), control.Does, control.Missing, control.Yours,
                events = view.ShownFor(control).Select(shown => new { filter = shown.Field, value = shown.Value, count = shown.Count, countIsExact = !shown.OrMore }),
                tests = control.Tests.Select(test => new { name = test, passed = view.Tests.Of(test)?.Passed, failed = view.Tests.Of(test)?.Failed }),
            }),
        }),
    };
}
