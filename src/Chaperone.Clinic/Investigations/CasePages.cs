using System.Globalization;
using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using static Chaperone.Clinic.Schedule.Rota.ScheduleSettingsPages;

namespace Chaperone.Clinic.Investigations;

/// <summary>Settings › Security › Investigations.</summary>
internal static class CasePages
{
    /// <summary>Names in addresses and forms: chosen events, and all that the filter beside finds.</summary>
    public const string Event = "e", All = "all";

    private const string Root = InvestigationsFeature.Path;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("").ExcludeFromDescription();
        pages.MapGet(Root, async (HttpContext http, string? state, string? cursor) =>
        {
            var wanted = state is CaseRow.Open or CaseRow.Concluding or CaseRow.Concluded ? state : null;
            var list = await http.Run(new ListCases(wanted, int.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var below) ? below : null));
            return list.Error is { } error ? await http.PageError(error) : await http.Page<CasesPage>(new { List = list.Value, State = wanted, Now = http.Now(), Zone = http.Zone() });
        }).Runs(typeof(ListCases));
        pages.Get(InvestigationsFeature.New, http =>
        {
            var query = http.Request.Query;
            return New(http, string.Join(' ', query[Event].Select(id => id)), query[All] == "true" ? AuditQuery.Of(query).FiltersOnly : null);
        }).Runs(typeof(PrepareCase));
        pages.Post(Root, Open).Runs(typeof(OpenCase), typeof(PrepareCase));
        pages.Post(Root + "/add", async http =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            var (ids, filter) = Chosen(form);
            var id = Guid.TryParse(form.GetValueOrDefault("case"), out var chosen) ? chosen : Guid.Empty;
            var added = await http.Run(new AddCaseEvents(id, Selection(ids, filter), form.GetValueOrDefault("why")));
            if (added.Error is { Status: 422 } wrong) return await New(http, ids, filter, form, Summary(wrong, []));
            return added.Error is { } error ? await http.PageError(error, AuditLogFeature.Path) : http.SeeOther(InvestigationsFeature.PathOf(id), Said(added.Value));
        }).Runs(typeof(AddCaseEvents), typeof(PrepareCase));
        pages.MapGet(Root + "/{id:guid}", (HttpContext http, Guid id) => Show(http, id)).Runs(typeof(ViewCase));
        pages.MapGet(Root + "/{id:guid}/people", (HttpContext http, Guid id) => People(http, id)).Runs(typeof(ChooseForCase));
        PostPeople(pages, "people", (id, form) => new AddCasePerson(id, Id(form, "person") ?? Id(form, "patient"), form.GetValueOrDefault("personWhy")), "The investigation names them now.", ("why", "personWhy"));
        Post(pages, "records", (id, form) => new AddCaseRecord(id, Id(form, "record"), form.GetValueOrDefault("recordWhy")), "The record is in the investigation.", ("why", "recordWhy"));
        pages.MapPost(Root + "/{id:guid}/notes", async (HttpContext http, Guid id) =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            return await After(http, id, form, await http.Run(new AddCaseNote(id, form.GetValueOrDefault("text"))), "The note is written.", []);
        }).Runs(typeof(AddCaseNote), typeof(ViewCase));
        PostPeople(pages, "assign", (id, form) => new AssignCase(id, Id(form, "assignee"), Version(form)), "It is assigned.", ("member", "assignee"));
        PostPeople(pages, "team", (id, form) => new ChangeCaseTeam(id, Id(form, "joins") ?? Id(form, "leaves"), Id(form, "joins") is not null, Version(form)), "The team is changed.", ("member", "joins"));
        Post(pages, "conclusion", (id, form) => new ConcludeCase(id, form.GetValueOrDefault("outcome"), form.GetValueOrDefault("conclusion"), Version(form)), "The conclusion is proposed. A second person must agree.", ("text", "conclusion"));
        Post(pages, "confirm", (id, form) => new SettleConclusion(id, true, Version(form)), "The investigation is concluded.");
        Post(pages, "withdraw", (id, form) => new SettleConclusion(id, false, Version(form)), "The investigation goes on.");
        Post(pages, "reopen", (id, form) => new ReopenCase(id, form.GetValueOrDefault("why"), Version(form)), "The investigation is open again.");
        pages.MapPost(Root + "/{id:guid}/breach", async (HttpContext http, Guid id) =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            var none = form.GetValueOrDefault("none") == "true";
            var aware = none ? null : Aware(http, form);
            if (!none && aware is null && http.MayNot(Chaperone.Platform.Access.Permission.InvestigationEdit) is null) return await Show(http, id, form, new() { { "awareDate", "Enter the day and the time when it became known." } });
            return await After(http, id, form, await http.Run(new MarkCaseBreach(id, aware, Version(form))), none ? "No breach is suspected." : "The clock of 72 hours runs.", [("awareAt", "awareDate")]);
        }).Runs(typeof(MarkCaseBreach), typeof(ViewCase));
        // Posted, so that neither a link nor another site makes one.
        pages.MapPost(Root + "/{id:guid}/evidence", async (HttpContext http, Guid id) =>
        {
            var made = await http.Run(new ExportCase(id));
            return made.Error is { } error ? await AccountPages.Failed(http, error, InvestigationsFeature.PathOf(id)) : CaseApi.Send(http, made.Value);
        }).Runs(typeof(ExportCase));
        pages.MapPost(Root + "/{id:guid}/items/{item:guid}/remove", async (HttpContext http, Guid id, Guid item) =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            return await After(http, id, form, await http.Run(new RemoveCaseItem(id, item, form.GetValueOrDefault("because"))), "It is taken out, and stands under “Taken out”.", [("because", "")]);
        }).Runs(typeof(RemoveCaseItem), typeof(ViewCase));
    }

    private static void Post<TOperation>(RouteGroupBuilder pages, string what, Func<Guid, IReadOnlyDictionary<string, string>, TOperation> operation, string said, params (string Field, string Name)[] names)
        where TOperation : IOperation<Done>
    {
        pages.MapPost($"{Root}/{{id:guid}}/{what}", async (HttpContext http, Guid id) =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            return await After(http, id, form, await http.Run(operation(id, form)), said, names);
        }).Runs(typeof(TOperation), typeof(ViewCase));
    }

    private static void PostPeople<TOperation>(RouteGroupBuilder pages, string what, Func<Guid, IReadOnlyDictionary<string, string>, TOperation> operation, string said, params (string Field, string Name)[] names)
        where TOperation : IOperation<Done>
    {
        pages.MapPost($"{Root}/{{id:guid}}/{what}", async (HttpContext http, Guid id) =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            var done = await http.Run(operation(id, form));
            if (done.Error is not { } error) return http.SeeOther(InvestigationsFeature.PathOf(id), said);
            return error.Status is 412 or 422 || error.Code == CaseErrors.OnBothSides.Code ? await People(http, id, form, Summary(error, names)) : await http.PageError(error, InvestigationsFeature.PathOf(id));
        }).Runs(typeof(TOperation), typeof(ChooseForCase));
    }

    private static async Task<IResult> People(HttpContext http, Guid id, IReadOnlyDictionary<string, string>? form = null, FormErrors? errors = null)
    {
        var choices = await http.Run(new ChooseForCase(id));
        return choices.Error is { } error ? await http.PageError(error, InvestigationsFeature.PathOf(id))
            : await http.Page<CasePeoplePage>(new { Choices = choices.Value, Form = form ?? new Dictionary<string, string>(), Errors = errors }, errors is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    // What is wrong is told on the case's page, at the field where there is one.
    private static async Task<IResult> After<T>(HttpContext http, Guid id, IReadOnlyDictionary<string, string> form, Result<T> done, string said, (string Field, string Name)[] names)
    {
        if (done.Error is not { } error) return http.SeeOther(InvestigationsFeature.PathOf(id), said);
        return error.Status is 409 or 412 or 422 ? await Show(http, id, form, Summary(error, names)) : await http.PageError(error, InvestigationsFeature.PathOf(id));
    }

    private static FormErrors Summary(Error error, (string Field, string Name)[] names)
    {
        var errors = new FormErrors();
        foreach (var (field, sentence) in error.Fields) errors.Add(names.FirstOrDefault(name => name.Field == field) is { Field: not null } named ? named.Name : field, sentence);
        if (errors.IsEmpty) errors.Add("", $"{error.Title} {error.Next}");
        return errors;
    }

    private static async Task<IResult> Show(HttpContext http, Guid id, IReadOnlyDictionary<string, string>? form = null, FormErrors? errors = null)
    {
        var view = await http.Run(new ViewCase(id));
        return view.Error is { } error ? await http.PageError(error, Root)
            : await http.Page<CasePage>(new { View = view.Value, Me = http.Context().Actor.Id, Form = form ?? new Dictionary<string, string>(), Errors = errors, Now = http.Now(), Zone = http.Zone() },
                errors is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> New(HttpContext http, string ids, AuditQuery? filter, IReadOnlyDictionary<string, string>? form = null, FormErrors? errors = null)
    {
        var selection = Selection(ids, filter);
        var prepared = await http.Run(new PrepareCase(selection));
        return prepared.Error is { } error ? await http.PageError(error, AuditLogFeature.Path)
            : await http.Page<NewCasePage>(new { Prepared = prepared.Value, Ids = ids, Filter = filter, IsEmpty = selection.IsEmpty, Form = form ?? new Dictionary<string, string>(), Errors = errors, Me = http.Context().Actor.Id },
                errors is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> Open(HttpContext http)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var (ids, filter) = Chosen(form);
        var about = new[] { Id(form, "person"), Id(form, "patient") }.OfType<Guid>().ToArray();
        var opened = await http.Run(new OpenCase(form.GetValueOrDefault("title"), form.GetValueOrDefault("reason"), about, Aware(http, form), Selection(ids, filter)));
        if (opened.Error is { Status: 409 or 422 } wrong) return await New(http, ids, filter, form, Summary(wrong, [("awareAt", "awareDate")]));
        return opened.Error is { } error ? await http.PageError(error, AuditLogFeature.Path)
            : http.SeeOther(InvestigationsFeature.PathOf(opened.Value.Id), $"Investigation {opened.Value.Number} is open. Its events are kept until it is concluded.");
    }

    private static string Said(CaseAddition added) => (added.Added, added.AlreadyIn) switch
    {
        (0, _) => "They were all in it already.",
        (var fresh, 0) => $"{Events(fresh)} added.",
        var (fresh, known) => $"{Events(fresh)} added; {Events(known)} in it already.",
    };

    /// <summary>A number of events in words.</summary>
    public static string Events(int count) => count == 1 ? "1 event" : $"{AuditText.Number(count)} events";

    private static (string Ids, AuditQuery? Filter) Chosen(IReadOnlyDictionary<string, string> form) => (form.GetValueOrDefault("events") ?? "", form.GetValueOrDefault(All) == "true" ? AuditQuery.Of(form).FiltersOnly : null);

    // What is no id becomes one that no event has, so that nothing of a forged list passes silently.
    private static CaseSelection Selection(string ids, AuditQuery? filter) =>
        new(filter is not null ? [] : [.. ids.Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(CaseRules.MostEvents + 1).Select(id => Guid.TryParse(id, out var parsed) ? parsed : Guid.Empty)], filter);

    private static Guid? Id(IReadOnlyDictionary<string, string> form, string name) => form.GetValueOrDefault(name) is { Length: > 0 } text ? Guid.TryParse(text.Trim(), out var id) ? id : Guid.Empty : null;

    // As the clinic's clock shows it; null when nothing, or no day and time, was entered.
    private static DateTimeOffset? Aware(HttpContext http, IReadOnlyDictionary<string, string> form)
    {
        if (!DateOnly.TryParseExact(form.GetValueOrDefault("awareDate"), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)) return null;
        if (!TimeOnly.TryParseExact(form.GetValueOrDefault("awareTime"), ["HH:mm", "HH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)) time = TimeOnly.MinValue;
        var (local, zone) = (day.ToDateTime(time), http.Zone());
        return new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
    }

    private static DateTimeOffset Now(this HttpContext http) => ((TimeProvider)http.RequestServices.GetService(typeof(TimeProvider))!).GetUtcNow();
}
