using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Schedule.Feeds;

/// <summary>Guesses of calendars' addresses, counted apart from guesses of passwords, so that neither locks the other out.</summary>
internal sealed class FeedLimit(TimeProvider clock)
{
    public NetworkLimit Guesses { get; } = new(clock);
}

/// <summary>A practitioner's calendar by its secret address, and making and ending that.</summary>
internal static class FeedEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(CalendarFeeds.Path + "{token}.ics", Read).Runs(typeof(ReadFeed), typeof(NoteNetworkLimited)).WithMetadata(new AskedAgain()).ExcludeFromDescription();
        var api = endpoints.MapGroup("/api/practitioners/me/feed").WithTags("Schedule");
        api.Post("", async http => (await http.Run(new MakeOwnFeed())).Match(path => Results.Json(new { url = Url(http, path) }, statusCode: StatusCodes.Status201Created))).Runs(typeof(MakeOwnFeed))
            .WithSummary("Makes the secret address of your own calendar (iCalendar), shown once; an earlier one ends.");
        endpoints.MapGroup("").WithTags("Schedule").MapDelete("/api/practitioners/{id:guid}/feed", async (HttpContext http, Guid id) => (await Revoke(http, id)).Match(_ => Results.NoContent()))
            .Runs(typeof(RevokeFeed), typeof(RevokeOwnFeed)).WithSummary("Ends the secret address of a practitioner's calendar.");
        var pages = endpoints.MapGroup(HoursPages.Home).ExcludeFromDescription();
        pages.Post("feed", async http =>
        {
            var made = await http.Run(new MakeOwnFeed());
            return made.Error is { } error ? await AccountPages.Failed(http, error, HoursPages.Home) : await http.Page<FeedPage>(new { Url = Url(http, made.Value) });
        }).Runs(typeof(MakeOwnFeed));
        pages.MapPost("{id:guid}/feed/revoke", async (HttpContext http, Guid id) => (await Revoke(http, id)).Error is { } error
            ? await AccountPages.Failed(http, error, HoursPages.PathOf(id)) : http.SeeOther(HoursPages.PathOf(id), "The calendar’s address has ended.")).Runs(typeof(RevokeFeed), typeof(RevokeOwnFeed));
    }

    private static string Url(HttpContext http, string path) => $"{http.Request.Scheme}://{http.Request.Host}{path}";

    private static async Task<Result<Done>> Revoke(HttpContext http, Guid id) => http.IsMe(id) ? await http.Run(new RevokeOwnFeed()) : await http.Run(new RevokeFeed(id));

    // Counted before it is looked at and given back when it was right: 256 bits are not guessed, and a flood is told of once.
    private static async Task<IResult> Read(HttpContext http, string token)
    {
        var (services, tenant) = (http.RequestServices, http.Context().Tenant!);
        var guesses = services.GetRequiredService<FeedLimit>().Guesses;
        if (guesses.Enter(tenant.Id, http.Context().ClientIp) is { } refusal) return Problem.Of(await refusal.TellAsync(http, services.GetRequiredService<ReferenceMonitor>(), http.Caller()));
        var read = await http.Run(new ReadFeed(SecretToken.HashOf(token)));
        if (read.Error is { } error) return Problem.Of(error);
        guesses.GiveBack(tenant.Id, http.Context().ClientIp);
        var (text, tag) = CalendarText.Write(read.Value, services.GetRequiredService<TimeProvider>().GetUtcNow());
        http.Response.Headers.ETag = tag;
        http.Response.Headers.ContentDisposition = "attachment; filename=\"appointments.ics\"";
        return http.Request.Headers.IfNoneMatch.ToString() == tag ? Results.StatusCode(StatusCodes.Status304NotModified) : Results.Text(text, "text/calendar; charset=utf-8");
    }
}
