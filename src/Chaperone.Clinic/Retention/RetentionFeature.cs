using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using static Chaperone.Clinic.Schedule.Rota.ScheduleSettingsPages;

namespace Chaperone.Clinic.Retention;

/// <summary>Settings › Security › Retention: how long the log's events are kept, and legal holds.</summary>
public static class RetentionFeature
{
    internal const string Path = "/settings/retention", NewHold = Path + "/hold";

    private sealed record HoldBody(Guid? Person, string? Why);

    private sealed record TermBody(int? Years, string? Why);

    /// <summary>Adds its tables, handlers and its place in the navigation.</summary>
    public static IServiceCollection AddRetention(this IServiceCollection services) => services
        .AddSingleton(new ModelPart(RetentionTables.Model))
        .AddSingleton(new NavPlace(912, Path, "Retention", "archive", Permission.RetentionRun, NavPlace.Security));

    /// <summary>Maps pages and API.</summary>
    public static void MapRetention(this IEndpointRouteBuilder routes)
    {
        MapApi(routes.MapGroup("/api/retention").WithTags("Retention"));
        var pages = routes.MapGroup("").ExcludeFromDescription();
        pages.Get(Path, http => Show(http)).Runs(typeof(ViewRetention));
        pages.MapGet(NewHold, (HttpContext http, Guid? person) => HoldPage(http, person)).RunsNothing("an empty form; what it sends runs an operation");
        pages.Post(NewHold, async http =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            Guid? person = Guid.TryParse(form.GetValueOrDefault("person"), out var id) ? id : null;
            if (person is null && form.GetValueOrDefault("whole") != "true") return await HoldPage(http, null, form, new() { { "whole", "Confirm that everything is to be kept, or go to the person’s page and start there." } });
            var placed = await http.Run(new ProposeHold(person, form.GetValueOrDefault("why")));
            if (placed.Error is not { } error) return http.SeeOther(Path, "The hold holds from now on. A second person must confirm it.");
            return ErrorsOf(error, ["why"]) is { } errors ? await HoldPage(http, person, form, errors) : await AccountPages.Failed(http, error, Path);
        }).Runs(typeof(ProposeHold));
        pages.MapPost(Path + "/holds/{id:guid}/{step}", async (HttpContext http, Guid id, string step) =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            var moved = await http.Run(new StepHold(id, step, Version(form)));
            return moved.Error is { } error ? await AccountPages.Failed(http, error, Path) : http.SeeOther(Path, Said(moved.Value.State, step));
        }).Runs(typeof(StepHold));
        pages.MapPost(Path + "/terms/{category}", async (HttpContext http, string category) =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            int? years = form.GetValueOrDefault("years") is { Length: > 0 } text ? int.TryParse(text, out var number) ? number : -1 : null;
            var changed = await http.Run(new ChangeLogTerm(category, years, form.GetValueOrDefault("why"), Version(form)));
            if (changed.Error is not { } error) return http.SeeOther(Path, "The term is saved.");
            return error.Code == RetentionErrors.DetailsInvalid.Code ? await Show(http, category, form, ErrorsOf(error, ["years", "why", "category"])) : await AccountPages.Failed(http, error, Path);
        }).Runs(typeof(ChangeLogTerm), typeof(ViewRetention));
    }

    private static void MapApi(RouteGroupBuilder api)
    {
        api.Get("", async http => Problem.Json(await http.Run(new ViewRetention()))).Runs(typeof(ViewRetention)).WithSummary("How long each category's events are kept, and legal holds, those that hold first.");
        api.Post("holds", async http => await AuthApi.Body<HoldBody>(http) is { } body ? Problem.Json(await http.Run(new ProposeHold(body.Person, body.Why))) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(ProposeHold)).WithSummary("Proposes a hold on everything about a person (a patient's or an account's id), or without one on the whole log. It holds at once; a second person confirms it.");
        api.MapPost("holds/{id:guid}/{step}", async (HttpContext http, Guid id, string step) => Problem.Json(await http.Run(new StepHold(id, step, http.IfMatch()))))
            .Runs(typeof(StepHold)).WithSummary("confirm (a second person), withdraw (what was proposed is not done) or release (proposes the end). Needs If-Match with the version.");
        api.MapPut("terms/{category}", async (HttpContext http, string category) =>
                await AuthApi.Body<TermBody>(http) is { } body ? Problem.Json(await http.Run(new ChangeLogTerm(category, body.Years, body.Why, http.IfMatch()))) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(ChangeLogTerm)).WithSummary("Lengthens the term of a category's events to so many years (3, 5, 7, 8, 10, 15, 20, 25 or 30), or without years takes it back to the standard. Needs If-Match; \"0\" where there was none.");
    }

    private static string Said(string state, string step) => state switch
    {
        LegalHoldRow.Placed when step == HoldSteps.Withdraw => "The hold stays.",
        LegalHoldRow.Placed => "The hold is confirmed.",
        LegalHoldRow.Releasing => "A second person must confirm the release. Until then the hold holds.",
        LegalHoldRow.Released => "The hold is released. What it alone held ends with the next run of retention.",
        _ => "The hold is withdrawn.",
    };

    private static async Task<IResult> Show(HttpContext http, string? category = null, IReadOnlyDictionary<string, string>? form = null, FormErrors? errors = null)
    {
        var rules = await http.Run(new ViewRetention());
        if (rules.Error is { } error) return await http.PageError(error);
        return await http.Page<RetentionPage>(
            new { Rules = rules.Value, Me = http.Context().Actor.Id, http.Context().Tenant!.Zone, Category = category, Form = form, Errors = errors },
            errors is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> HoldPage(HttpContext http, Guid? person, IReadOnlyDictionary<string, string>? form = null, FormErrors? errors = null)
    {
        if (http.MayNot(Permission.RetentionRun) is { } refused) return await http.PageError(refused);
        return await http.Page<LegalHoldPage>(new { Person = person, Form = form ?? new Dictionary<string, string>(), Errors = errors }, errors is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }
}
