using System.Globalization;
using System.Text.Json;
using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Investigations;

/// <summary>Investigations under /api/investigations.</summary>
internal static class CaseApi
{
    private sealed record SelectionBody(Guid[]? Events, Dictionary<string, string>? Filter, string? Why);

    private sealed record OpenBody(string? Title, string? Reason, Guid[]? About, DateTimeOffset? AwareAt, Guid[]? Events, Dictionary<string, string>? Filter);

    private sealed record PersonBody(Guid? Person, string? Why);

    private sealed record RecordBody(Guid? Record, string? Why);

    private sealed record TextBody(string? Text);

    private sealed record MemberBody(Guid? Member);

    private sealed record BreachBody(DateTimeOffset? AwareAt);

    private sealed record ConclusionBody(string? Outcome, string? Text);

    private sealed record WhyBody(string? Why);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/investigations").WithTags("Investigations");
        api.MapGet("", async (HttpContext http, string? state, string? limit, string? cursor) =>
                Number(limit, 50) is { } most && Number(cursor, int.MaxValue) is { } below ? (await http.Run(new ListCases(state, below, most))).Match(list => Results.Json(new { items = list.Items, next = list.Next })) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(ListCases)).WithSummary("The investigations one may read, newest first: those one works on, all for owners, none that names oneself. state=open, concluding or concluded; limit (1 to 200) and cursor.");
        api.Post("", async http => await AuthApi.Body<OpenBody>(http) is { } body
                ? (await http.Run(new OpenCase(body.Title, body.Reason, body.About ?? [], body.AwareAt?.ToUniversalTime(), Selection(body.Events, body.Filter)))).Match(opened => Results.Json(opened, statusCode: StatusCodes.Status201Created))
                : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(OpenCase)).WithSummary("Opens an investigation with title and reason; about names patients and accounts, awareAt when a breach of personal data became known; events by id, or filter as for /api/audit/events, up to 500. Its events are held from now on.");
        api.MapGet("{id:guid}", async (HttpContext http, Guid id) =>
        {
            var view = await http.Run(new ViewCase(id));
            if (view.Succeeded) http.Response.Headers.ETag = JsonRequest.ETag(view.Value.Version);
            return view.Match(found => Results.Json(Shape(found)));
        }).Runs(typeof(ViewCase)).WithSummary("One investigation with its events, people, records, notes, conclusion and history, with ETag. To whom it names it does not exist.");
        api.MapPost("{id:guid}/events", async (HttpContext http, Guid id) => await AuthApi.Body<SelectionBody>(http) is { } body
                ? Problem.Json(await http.Run(new AddCaseEvents(id, Selection(body.Events, body.Filter), body.Why))) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(AddCaseEvents)).WithSummary("Puts events into an open investigation, by id or by filter; they are held until it is concluded.");
        api.MapDelete("{id:guid}/items/{item:guid}", async (HttpContext http, Guid id, Guid item, string? reason) => Nothing(await http.Run(new RemoveCaseItem(id, item, reason))))
            .Runs(typeof(RemoveCaseItem)).WithSummary("Takes an event, person or record out; reason=chosen_by_mistake, not_related or other_case. It stays visible as taken out, and an event stays held.");
        api.MapPost("{id:guid}/people", async (HttpContext http, Guid id) => await AuthApi.Body<PersonBody>(http) is { } body ? Nothing(await http.Run(new AddCasePerson(id, body.Person, body.Why))) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(AddCasePerson)).WithSummary("Names a patient or a member of staff whom the investigation is about. A member of staff so named cannot read it.");
        api.MapPost("{id:guid}/records", async (HttpContext http, Guid id) => await AuthApi.Body<RecordBody>(http) is { } body ? Nothing(await http.Run(new AddCaseRecord(id, body.Record, body.Why))) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(AddCaseRecord)).WithSummary("Puts a record into the investigation: the id of anything that an event of the log is about.");
        api.MapPost("{id:guid}/notes", async (HttpContext http, Guid id) => await AuthApi.Body<TextBody>(http) is { } body
                ? (await http.Run(new AddCaseNote(id, body.Text))).Match(note => Results.Json(new { id = note }, statusCode: StatusCodes.Status201Created)) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(AddCaseNote)).WithSummary("Writes a note. Notes are only added, never changed.");
        api.MapPut("{id:guid}/assignee", async (HttpContext http, Guid id) => await AuthApi.Body<MemberBody>(http) is { } body ? Nothing(await http.Run(new AssignCase(id, body.Member, http.IfMatch()))) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(AssignCase)).WithSummary("Gives the investigation to an owner or administrator, who joins its team; without member to nobody. Needs If-Match.");
        api.MapPut("{id:guid}/team/{member:guid}", async (HttpContext http, Guid id, Guid member) => Nothing(await http.Run(new ChangeCaseTeam(id, member, true, http.IfMatch()))))
            .Runs(typeof(ChangeCaseTeam)).WithSummary("Lets somebody read the investigation and work on it. Needs If-Match.");
        api.MapDelete("{id:guid}/team/{member:guid}", async (HttpContext http, Guid id, Guid member) => Nothing(await http.Run(new ChangeCaseTeam(id, member, false, http.IfMatch()))))
            .Runs(typeof(ChangeCaseTeam)).WithSummary("Takes somebody off the team; neither who opened it nor who it is assigned to. Needs If-Match.");
        api.MapPut("{id:guid}/breach", async (HttpContext http, Guid id) => await AuthApi.Body<BreachBody>(http) is { } body ? Nothing(await http.Run(new MarkCaseBreach(id, body.AwareAt?.ToUniversalTime(), http.IfMatch()))) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(MarkCaseBreach)).WithSummary("Says when a suspected breach of personal data became known, from which 72 hours run; without awareAt that none is suspected. Needs If-Match.");
        api.MapPost("{id:guid}/conclusion", async (HttpContext http, Guid id) => await AuthApi.Body<ConclusionBody>(http) is { } body ? Nothing(await http.Run(new ConcludeCase(id, body.Outcome, body.Text, http.IfMatch()))) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(ConcludeCase)).WithSummary("Proposes the conclusion: outcome no_breach, policy_breach, data_breach_not_reportable, data_breach_reportable or inconclusive, and text. Needs If-Match.");
        api.MapPost("{id:guid}/conclusion/confirm", async (HttpContext http, Guid id) => Nothing(await http.Run(new SettleConclusion(id, true, http.IfMatch()))))
            .Runs(typeof(SettleConclusion)).WithSummary("A second person agrees; the investigation is concluded and holds its events no longer. Needs If-Match.");
        api.MapPost("{id:guid}/conclusion/withdraw", async (HttpContext http, Guid id) => Nothing(await http.Run(new SettleConclusion(id, false, http.IfMatch()))))
            .Runs(typeof(SettleConclusion)).WithSummary("Takes a proposed conclusion back. Needs If-Match.");
        api.MapPost("{id:guid}/reopen", async (HttpContext http, Guid id) => await AuthApi.Body<WhyBody>(http) is { } body ? Nothing(await http.Run(new ReopenCase(id, body.Why, http.IfMatch()))) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(ReopenCase)).WithSummary("Opens a concluded investigation again, with a reason. Needs If-Match.");
        api.MapGet("{id:guid}/evidence", async (HttpContext http, Guid id) => (await http.Run(new ExportCase(id))).Match(made => Send(http, made)))
            .Runs(typeof(ExportCase)).WithSummary("The investigation as a zip that proves itself: each event with its tlog-proof under one checkpoint, a report and the case as data. chaperone-verify checks it. Needs audit.export and a code younger than five minutes.");
    }

    /// <summary>The evidence as a download; its name says nothing of the case but its number.</summary>
    public static IResult Send(HttpContext http, CaseFile made)
    {
        http.Response.Headers.ContentDisposition = string.Create(CultureInfo.InvariantCulture, $"attachment; filename=\"investigation-{made.Number}.zip\"");
        return Results.Bytes(made.Zip, "application/zip");
    }

    /// <summary>Some events, or all that a filter finds.</summary>
    public static CaseSelection Selection(Guid[]? events, Dictionary<string, string>? filter) => new(events ?? [], filter is null ? null : AuditQuery.Of(filter));

    private static IResult Nothing(Result<Done> done) => done.Match(_ => Results.NoContent());

    private static int? Number(string? text, int otherwise) => string.IsNullOrEmpty(text) ? otherwise : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>A case for programs: ids of people, names of nobody.</summary>
    public static object Shape(CaseView found) => new
    {
        found.Id, found.Version, found.Number, found.Title, found.Reason, found.State, found.OpenedBy, found.OpenedAt, found.ReopenedAt, found.AssignedTo, found.Team, found.AwareAt, found.ReportBy,
        found.ConcludedBy, found.ConfirmedBy, found.EndedAt,
        events = found.Events.Select(each => new { item = each.ItemId, id = each.EventId, each.Index, ended = each.Read is null && !each.IsWithheld, withheld = each.IsWithheld, readable = each.Read?.IsReadable == true, @event = Line(each), each.Item.AddedBy, each.Item.AddedAt, each.Item.Why }),
        people = found.People.Select(Shape), records = found.Records.Select(Shape),
        removed = found.Removed.Select(item => new { item = item.Id, item.Kind, id = item.RefId, item.RemovedBy, item.RemovedAt, reason = item.RemovedBecause }),
        found.Notes, found.Conclusion,
        history = found.History.Where(read => read.IsReadable).Select(read => new { read.Event.Id, read.Index, read.Event.At, read.Event.Action, outcome = EventJson.Name(read.Event.Outcome), actor = read.Event.Actor.Id, read.Event.Reason }),
    };

    private static JsonElement? Line(CaseEvent each)
    {
        if (each.Read is not { IsReadable: true } read) return null;
        using var line = JsonDocument.Parse(EventJson.Write(read.Event));
        return line.RootElement.Clone();
    }

    private static object Shape(CaseItem item) => new { item = item.Id, id = item.RefId, type = item.RefType, item.Why, item.AddedBy, item.AddedAt };
}
