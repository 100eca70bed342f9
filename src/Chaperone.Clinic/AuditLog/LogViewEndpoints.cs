using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.AuditLog;

/// <summary>What people keep of the log's pages: saved filters, the page that follows, the numbers.</summary>
internal static class LogViewEndpoints
{
    public const string Views = AuditLogFeature.Path + "/filters", Live = AuditLogFeature.Path + "/live", Charts = AuditLogFeature.Path + "/charts";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/audit").WithTags("Audit log");
        api.Get("filters", async http => (await http.Run(new ListLogViews())).Match(views => Results.Json(new { items = views.Select(view => new { view.Id, view.Name, filter = view.Query.Values }), next = (string?)null })))
            .Runs(typeof(ListLogViews)).WithSummary("One's own saved filters.");
        api.Post("filters", async http =>
        {
            var body = await http.ReadJson(AuditJson.Default.SavedFilterBody);
            return body.Error is { } unreadable ? Problem.Of(unreadable)
                : (await http.Run(new SaveLogView(body.Value.Name, AuditQuery.Of(body.Value.Filter ?? new Dictionary<string, string>())))).Match(id => Results.Json(new { id }, statusCode: StatusCodes.Status201Created));
        }).Runs(typeof(SaveLogView)).WithSummary("Keeps a filter under a name, for oneself.");
        api.MapPut("filters/{id:guid}", async (HttpContext http, Guid id) =>
        {
            var body = await http.ReadJson(AuditJson.Default.SavedFilterBody);
            return body.Error is { } unreadable ? Problem.Of(unreadable) : (await http.Run(new RenameLogView(id, body.Value.Name))).Match(_ => Results.NoContent());
        }).Runs(typeof(RenameLogView)).WithSummary("Gives a saved filter of one's own another name.");
        api.MapDelete("filters/{id:guid}", async (HttpContext http, Guid id) => (await http.Run(new RemoveLogView(id))).Match(_ => Results.NoContent()))
            .Runs(typeof(RemoveLogView)).WithSummary("Removes a saved filter of one's own.");
        api.Get("charts", async http => (await http.Run(new ViewLogCharts(AuditQuery.Of(http.Request.Query)))).Match(charts =>
            Results.Json(new { charts.ByDay, charts.FailedByDay, charts.ByHour, charts.ByAction, charts.ByUser, charts.Newest, charts.Since })))
            .Runs(typeof(ViewLogCharts)).WithSummary("The filtered log in numbers: the last fourteen days of its time, and of its newest 10,000 events hours, actions and users.");

        var pages = routes.MapGroup("").ExcludeFromDescription();
        pages.Get(Views, http => ShowViews(http)).Runs(typeof(ListLogViews));
        pages.Post(Views, Save).Runs(typeof(SaveLogView), typeof(ListLogViews));
        pages.MapPost(Views + "/{id:guid}", Rename).Runs(typeof(RenameLogView), typeof(ListLogViews));
        pages.MapPost(Views + "/{id:guid}/remove", async (HttpContext http, Guid id) =>
            (await http.Run(new RemoveLogView(id))).Error is { } error ? await http.PageError(error, Views) : http.SeeOther(Views, "The saved filter is removed.")).Runs(typeof(RemoveLogView));
        pages.Get(Charts, async http =>
        {
            var query = AuditQuery.Of(http.Request.Query).FiltersOnly;
            var charts = await http.Run(new ViewLogCharts(query));
            return charts.Error is { } error ? await http.PageError(error) : await http.Page<LogChartsPage>(new { Charts = charts.Value, Query = query, Zone = http.Zone() });
        }).Runs(typeof(ViewLogCharts));
        pages.Post(Live, async http =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            var started = await http.Run(new StartLogTail(AuditQuery.Of(form).FiltersOnly));
            return started.Error is { } error ? await http.PageError(error, AuditLogFeature.Path) : http.SeeOther($"{Live}/{started.Value:D}");
        }).Runs(typeof(StartLogTail));
        pages.MapGet(Live + "/{id:guid}", async (HttpContext http, Guid id) =>
        {
            var view = await http.Run(new WatchLog(id));
            if (view.Error is { } error) return await http.PageError(error);
            await http.TellAsync(view.Value.Untold);
            return await http.Page<LogTailPage>(new { Id = id, View = view.Value, Zone = http.Zone() });
        }).Runs(typeof(WatchLog), typeof(NoteUnreadableEvent)).InBackground();
        pages.MapGet(Live + "/{id:guid}/new", async (HttpContext http, Guid id, string? after) =>
        {
            if (!Guid.TryParse(after, out var known)) known = Guid.Empty;
            var view = await http.Run(new WatchLog(id, known == Guid.Empty ? null : known));
            if (view.Error is { } error) return await http.PageError(error);
            await http.TellAsync(view.Value.Untold);
            return http.Fragment<LogTailRows>(new { View = view.Value, Zone = http.Zone() });
        }).Runs(typeof(WatchLog), typeof(NoteUnreadableEvent)).InBackground();
        pages.MapPost(Live + "/{id:guid}/stop", async (HttpContext http, Guid id) =>
        {
            var ended = await http.Run(new EndLogTail(id));
            return ended.Error is { } error ? await http.PageError(error, AuditLogFeature.Path) : http.SeeOther(AuditLogFeature.Path, "The page no longer follows the log.");
        }).Runs(typeof(EndLogTail)).InBackground();
    }

    private static async Task<IResult> ShowViews(HttpContext http, FormErrors? errors = null, Guid? at = null)
    {
        var views = await http.Run(new ListLogViews());
        return views.Error is { } error ? await http.PageError(error)
            : await http.Page<LogViewsPage>(new { Views = views.Value, Errors = errors ?? [], At = at }, errors is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> Save(HttpContext http)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var query = AuditQuery.Of(form).FiltersOnly;
        var saved = await http.Run(new SaveLogView(form.GetValueOrDefault(LogViewRules.Name), query));
        if (saved.Error is not { } error) return http.SeeOther(AuditLogFeature.Path + query.ToQueryString(), "The filter is saved, for you alone.");
        return ErrorsOf(error) is { } errors ? await ShowViews(http, errors) : await http.PageError(error, AuditLogFeature.Path);
    }

    private static async Task<IResult> Rename(HttpContext http, Guid id)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var renamed = await http.Run(new RenameLogView(id, form.GetValueOrDefault(LogViewRules.Name)));
        if (renamed.Error is not { } error) return http.SeeOther(Views, "The saved filter has its new name.");
        return ErrorsOf(error) is { } errors ? await ShowViews(http, errors, id) : await http.PageError(error, Views);
    }

    private static FormErrors? ErrorsOf(Error error)
    {
        if (error.Code == AuditErrors.TooManyFilters.Code) return new() { { LogViewRules.Name, $"{error.Title} {error.Next}" } };
        return error.Code == AuditErrors.BadFilterName.Code ? new() { { LogViewRules.Name, error.Fields[LogViewRules.Name] } } : null;
    }
}
