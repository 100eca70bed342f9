using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Jobs;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Jobs;

/// <summary>What the program does by itself or takes a while over: imports, exports, verifications, mail. The list, and what recurs.</summary>
public static class JobsFeature
{
    internal const string Home = "/settings/jobs", Own = "/account/jobs";

    /// <summary>Adds table, recurring work and places in the navigation.</summary>
    public static IServiceCollection AddJobs(this IServiceCollection services) => services
        .AddSingleton(new ModelPart(JobRunRow.Model))
        .AddSingleton<VerifyBell>().AddHostedService<VerifyOnDemand>().AddSingleton<Upkeep>().AddSingleton<VerificationRuns>()
        .AddSingleton(provider => new VerificationRecorder((clinic, cancel) => provider.GetRequiredService<VerificationRuns>().BeginAsync(clinic, cancel)))
        .AddSingleton(provider => new RecurringWork("verify", IntegrityCheck.Every, provider.GetRequiredService<Upkeep>().VerifyAllAsync))
        .AddSingleton(provider => new RecurringWork("verify-whole", IntegrityCheck.WholeEvery, provider.GetRequiredService<Upkeep>().VerifyWholeAsync))
        .AddSingleton(provider => new RecurringWork("retention", LogRetention.Every, provider.GetRequiredService<Upkeep>().RetainAsync))
        .AddSingleton(provider => new RecurringWork("purge", TimeSpan.FromHours(1), provider.GetRequiredService<Upkeep>().PurgeAllAsync))
        .AddSingleton(new NavPlace(898, Home, "Jobs", "list-details", Permission.SettingsEdit, "Settings"))
        .AddSingleton(NavPlace.Act(82, Own, "See your imports and exports", "list-details", null));

    /// <summary>Maps its API and pages.</summary>
    public static IEndpointRouteBuilder MapJobs(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").WithTags("Jobs");
        api.MapGet("/jobs", async (HttpContext http, string? kind) => Kind(kind) is { } asked ? Items(await http.Run(new ListJobs(asked.Value))) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(ListJobs)).WithSummary("The latest jobs of the clinic, newest first; kind (import, export, verification, mail, purge) narrows.");
        api.Get("/me/jobs", async http => Items(await http.Run(new ListOwnJobs()))).Runs(typeof(ListOwnJobs)).WithSummary("One's own imports and exports.");
        api.MapPost("/jobs/{id:guid}/retry", async (HttpContext http, Guid id) => (await http.Run(new RetryJob(id))).Match(_ => Results.Accepted())).Runs(typeof(RetryJob))
            .WithSummary("Hands a mail over again that was not delivered, or verifies now.");

        var pages = routes.MapGroup("").ExcludeFromDescription();
        pages.MapGet(Home, (HttpContext http, string? kind) => Show(http, kind)).Runs(typeof(ListJobs), typeof(WatchJobs));
        pages.Get(Home + "/running", async http =>
        {
            var running = await http.Run(new WatchJobs());
            return running.Error is { } error ? await http.PageError(error) : http.Fragment<JobsRunning>(new { Jobs = running.Value });
        }).Runs(typeof(WatchJobs)).InBackground();
        pages.MapPost(Home + "/{id:guid}/retry", async (HttpContext http, Guid id) =>
        {
            var done = await http.Run(new RetryJob(id));
            if (done.Error is not { } error) return http.SeeOther(Home, "It is done once more now.");
            return error.Status == StatusCodes.Status404NotFound ? await http.PageError(error) : error.Status is 409 or 410 ? http.SeeOther(Home, $"{error.Title} {error.Next}", Tone.Warning) : await AccountPages.Failed(http, error, Home);
        }).Runs(typeof(RetryJob));
        pages.Get(Own, async http =>
        {
            var jobs = await http.Run(new ListOwnJobs());
            return jobs.Error is { } error ? await http.PageError(error) : await http.Page<OwnJobsPage>(new { Jobs = jobs.Value, http.Context().Tenant!.Zone });
        }).Runs(typeof(ListOwnJobs));
        return routes;
    }

    private static async Task<IResult> Show(HttpContext http, string? kind)
    {
        if (Kind(kind) is not { } asked) return await http.PageError(PlatformErrors.Malformed);
        var (jobs, running) = (await http.Run(new ListJobs(asked.Value)), await http.Run(new WatchJobs()));
        return (jobs.Error ?? running.Error) is { } error ? await http.PageError(error) : await http.Page<JobsPage>(new { Jobs = jobs.Value, Running = running.Value, Kind = asked.Value, http.Context().Tenant!.Zone });
    }

    private static IResult Items(Result<IReadOnlyList<JobView>> jobs) => jobs.Match(items => Results.Json(new { items, next = (string?)null }));

    // Null when it says nothing that can be.
    private static Asked? Kind(string? kind) => string.IsNullOrEmpty(kind) ? new(null) : JobKinds.All.Contains(kind) ? new(kind) : null;

    private sealed record Asked(string? Value);
}
