using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Notices;

/// <summary>What people are told without asking: that a patient has arrived, that their import has ended.</summary>
public static class NoticesFeature
{
    /// <summary>Adds the table.</summary>
    public static IServiceCollection AddNotices(this IServiceCollection services) => services
        .AddSingleton(new ModelPart(NoticeRow.Model))
        .AddSingleton(NavPlace.Act(80, "/notices", "See your notices", "bell", null));

    /// <summary>Maps its pages and its API.</summary>
    public static void MapNotices(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("/notices").ExcludeFromDescription();
        pages.Get("", Show).Runs(typeof(ListNotices));
        pages.Get("/bell", Bell).Runs(typeof(CountNotices)).InBackground();
        pages.Post("/read", ReadAll).Runs(typeof(MarkNoticesRead));
        pages.MapPost("/{id:guid}", Open).Runs(typeof(MarkNoticesRead));
        var api = routes.MapGroup("/api/notices").WithTags("Notices");
        api.Get("", async http => (await http.Run(new ListNotices())).Match(items => Results.Json(new { items, next = (string?)null })))
            .Runs(typeof(ListNotices)).WithSummary("One's own notices of the last thirty days, newest first. They name no patient; what they lead to does.");
        api.Post("/read", async http => (await http.Run(new MarkNoticesRead())).Match(read => Results.Json(new { marked = read.Count })))
            .Runs(typeof(MarkNoticesRead)).WithSummary("Marks all of one's own notices as read.");
        api.MapPost("/{id:guid}/read", async (HttpContext http, Guid id) => (await http.Run(new MarkNoticesRead(id))).Match(read => Results.Json(new { marked = read.Count })))
            .Runs(typeof(MarkNoticesRead)).WithSummary("Marks one of one's own notices as read.");
    }

    private static async Task<IResult> Show(HttpContext http)
    {
        var notices = await http.Run(new ListNotices());
        return notices.Error is { } error ? await http.PageError(error) : await http.Page<NoticesPage>(new { Notices = notices.Value });
    }

    private static async Task<IResult> Bell(HttpContext http)
    {
        var unread = await http.Run(new CountNotices());
        return unread.Error is { } error ? await http.PageError(error) : http.Fragment<NoticeBell>(new { Unread = unread.Value });
    }

    private static async Task<IResult> ReadAll(HttpContext http) =>
        (await http.Run(new MarkNoticesRead())).Error is { } error ? await http.PageError(error) : http.SeeOther("/notices", "All notices are marked as read.");

    private static async Task<IResult> Open(HttpContext http, Guid id)
    {
        var read = await http.Run(new MarkNoticesRead(id));
        return read.Error is { } error ? await http.PageError(error) : http.SeeOther(read.Value.Href ?? "/notices");
    }
}
