using System.Globalization;
using System.Text.Json.Serialization;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Schedule.Waiting;

/// <summary>An entry as the API writes and reads it. Members the server keeps are read and ignored.</summary>
internal sealed record WaitingBody
{
    public Guid? Id { get; init; }
    public long? Version { get; init; }
    public string? Status { get; init; }
    public Guid? PatientId { get; init; }
    public string? PatientName { get; init; }
    public Guid? PractitionerId { get; init; }
    public string? Type { get; init; }
    public int? Minutes { get; init; }
    public string? Earliest { get; init; }
    public string? Latest { get; init; }
    public IReadOnlyList<string?>? Parts { get; init; }
    public int? Priority { get; init; }
    public string? Note { get; init; }
    public string? AddedAt { get; init; }
    public Guid? AppointmentId { get; init; }
    public string? FreeAt { get; init; }
    public Guid? FreeWith { get; init; }

    public static WaitingBody Of(WaitingEntry entry) => new()
    {
        Id = entry.Id,
        Version = entry.Version,
        Status = entry.Status,
        PatientId = entry.PatientId,
        PatientName = entry.PatientName,
        PractitionerId = entry.PractitionerId,
        Type = entry.Details.Type,
        Minutes = entry.Details.Minutes,
        Earliest = entry.Earliest.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        Latest = entry.Latest?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        Parts = entry.Details.Parts,
        Priority = entry.Priority,
        Note = entry.Details.Note,
        AddedAt = AppointmentBody.Iso(entry.AddedAt),
        AppointmentId = entry.AppointmentId,
        FreeAt = entry.FreeAt is { } free ? AppointmentBody.Iso(free) : null,
        FreeWith = entry.FreeWith,
    };

    public TypedWaiting ToTyped() => new(PractitionerId, Type, Minutes, Earliest, Latest, Parts, Priority, Note);
}

/// <summary>The waiting list in the order in which times are offered.</summary>
internal sealed record WaitingListBody(IReadOnlyList<WaitingBody> Items, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Next = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(WaitingBody))]
[JsonSerializable(typeof(WaitingListBody))]
internal sealed partial class WaitingBodyJson : JsonSerializerContext;

/// <summary>The waiting list under /api/waiting-list.</summary>
internal static class WaitingApi
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup("/api/waiting-list").WithTags("Schedule");
        api.MapGet("", List).Runs(typeof(ListWaiting)).WithSummary("Who waits, urgent ones and those who wait longest first, each with the next free time within four weeks that suits; for one practitioner or of one priority. At most 200.");
        api.Post("", Add).Runs(typeof(AddWaiting)).WithSummary("Puts a patient on the list: patientId, type, and as wanted practitionerId, minutes, earliest and latest day, parts (morning, afternoon, evening), priority (1 urgent, 2 soon, 3 routine), note.");
        api.MapGet("offers", Offers).Runs(typeof(OffersFor)).WithSummary("Who could take a time of a practitioner: practitioner, startsAt, endsAt.");
        api.MapGet("{id:guid}", async (HttpContext http, Guid id) => http.Answer(await http.Run(new ViewWaiting(id)))).Runs(typeof(ViewWaiting)).WithSummary("One entry, with ETag.");
        api.MapPut("{id:guid}", Change).Runs(typeof(ChangeWaiting)).WithSummary("Changes what somebody waits for. Needs If-Match.");
        api.MapDelete("{id:guid}", async (HttpContext http, Guid id) => (await http.Run(new RemoveWaiting(id, http.IfMatch()))).Match(_ => Results.NoContent())).Runs(typeof(RemoveWaiting))
            .WithSummary("Takes somebody off the list. Booking an entry (POST /api/appointments with waitingEntryId) does so too.");
    }

    private static IResult Answer(this HttpContext http, Result<WaitingEntry> result, int status = StatusCodes.Status200OK) => result.Match(entry =>
    {
        http.Response.Headers.ETag = JsonRequest.ETag(entry.Version);
        return Results.Json(WaitingBody.Of(entry), WaitingBodyJson.Default.WaitingBody, statusCode: status);
    });

    private static IResult Listed(Result<IReadOnlyList<WaitingEntry>> result) => result.Match(items => Results.Json(new WaitingListBody([.. items.Select(WaitingBody.Of)]), WaitingBodyJson.Default.WaitingListBody));

    private static async Task<IResult> List(HttpContext http, string? practitioner, string? priority) => Listed(await http.Run(new ListWaiting(practitioner, priority)));

    private static async Task<IResult> Offers(HttpContext http, string? practitioner, string? startsAt, string? endsAt) => Listed(await http.Run(new OffersFor(practitioner, startsAt, endsAt)));

    private static async Task<IResult> Add(HttpContext http)
    {
        var body = await http.ReadJson(WaitingBodyJson.Default.WaitingBody);
        if (body.Error is { } error) return Problem.Of(error);
        var added = await http.Run(new AddWaiting(body.Value.PatientId, body.Value.ToTyped()));
        if (added.Succeeded) http.Response.Headers.Location = $"/api/waiting-list/{added.Value.Id}";
        return http.Answer(added, StatusCodes.Status201Created);
    }

    private static async Task<IResult> Change(HttpContext http, Guid id)
    {
        var body = await http.ReadJson(WaitingBodyJson.Default.WaitingBody);
        return body.Error is { } error ? Problem.Of(error) : http.Answer(await http.Run(new ChangeWaiting(id, body.Value.ToTyped(), http.IfMatch())));
    }
}
