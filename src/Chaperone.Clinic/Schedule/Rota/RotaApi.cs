using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Schedule.Rota;

/// <summary>Working hours, leave and availability of practitioners, rooms, and sorts of appointment.</summary>
internal static class RotaApi
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup("/api").WithTags("Schedule");
        api.MapGet("schedule/availability", Availability).Runs(typeof(ViewAvailability))
            .WithSummary("When practitioners work and when they are away: of day, or from and to (dates, both included, at most 62 days), or of today; of everybody or of one practitioner. Why somebody is away is told to those who plan the rota.");
        api.MapGet("practitioners/{id:guid}/hours", Hours).Runs(typeof(ViewRota), typeof(ViewOwnRota)).WithSummary("A practitioner's weekly working hours, with ETag; no patterns where they work when the clinic does.");
        api.MapPut("practitioners/{id:guid}/hours", ChangeHours).Runs(typeof(ChangeHours), typeof(ChangeOwnHours))
            .WithSummary("Replaces a practitioner's working hours: patterns, each with the day it holds from (or none) and times by day (monday to sunday, several a day). Needs If-Match; \"0\" where there were none.");
        api.MapGet("practitioners/{id:guid}/leave", Leave).Runs(typeof(ViewRota), typeof(ViewOwnRota)).WithSummary("A practitioner's leave: what has not ended a month ago.");
        api.MapPost("practitioners/{id:guid}/leave", EnterLeave).Runs(typeof(EnterLeave), typeof(EnterOwnLeave))
            .WithSummary("Enters leave: from and to as days, both included, or as times; kind (annual, sick, training, parental, other). 409 with the appointments in that time unless {confirm}; they stay as they are.");
        api.MapDelete("practitioners/{id:guid}/leave/{leave:guid}", RemoveLeave).Runs(typeof(RemoveLeave), typeof(RemoveOwnLeave)).WithSummary("Takes leave back.");
        api.MapGet("rooms", Rooms).Runs(typeof(ListRooms)).WithSummary("The clinic's rooms by name; with retired=true those too that are out of use.");
        api.Post("rooms", AddRoom).Runs(typeof(AddRoom)).WithSummary("Adds a room.");
        api.MapPut("rooms/{id:guid}", ChangeRoom).Runs(typeof(ChangeRoom)).WithSummary("Renames a room, or takes it out of use (active false) or back. Needs If-Match.");
        api.MapGet("appointments/types", Types).Runs(typeof(ListAppointmentTypes)).WithSummary("Sorts of appointment in the clinic's order, each with its usual length and its colour; with retired=true those too that cannot be chosen.");
        api.Post("appointments/types", AddType).Runs(typeof(AddAppointmentType)).WithSummary("Adds a sort of appointment; its code is made of its name.");
        api.MapPut("appointments/types/{code}", ChangeType).Runs(typeof(ChangeAppointmentType)).WithSummary("Changes a sort of appointment, or retires it (active false). Needs If-Match; \"0\" for one that was never changed.");
    }

    /// <summary>Whether the address names the caller themselves, whom other rules hold for.</summary>
    public static bool IsMe(this HttpContext http, Guid id) => http.Context().Actor.Id == id;

    private static async Task<IResult> Availability(HttpContext http, string? day, string? from, string? to, string? practitioner) =>
        (await http.Run(new ViewAvailability(day, from, to, practitioner))).Match(days => Results.Json(new AvailabilityBody([.. days.Select(PractitionerDayBody.Of)]), RotaBodyJson.Default.AvailabilityBody));

    private static async Task<IResult> Hours(HttpContext http, Guid id) => http.AnswerHours(http.IsMe(id) ? await http.Run(new ViewOwnRota()) : await http.Run(new ViewRota(id)));

    private static async Task<IResult> ChangeHours(HttpContext http, Guid id)
    {
        var body = await http.ReadJson(RotaBodyJson.Default.HoursBody);
        if (body.Error is { } error) return Problem.Of(error);
        var (typed, version) = (body.Value.ToTyped(), http.IfMatch());
        return http.AnswerHours(http.IsMe(id) ? await http.Run(new ChangeOwnHours(typed, version)) : await http.Run(new ChangeHours(id, typed, version)));
    }

    private static IResult AnswerHours(this HttpContext http, Result<PractitionerRota> result) => result.Match(rota =>
    {
        http.Response.Headers.ETag = JsonRequest.ETag(rota.Version);
        return Results.Json(HoursBody.Of(rota), RotaBodyJson.Default.HoursBody);
    });

    private static async Task<IResult> Leave(HttpContext http, Guid id) => (http.IsMe(id) ? await http.Run(new ViewOwnRota()) : await http.Run(new ViewRota(id)))
        .Match(rota => Results.Json(new LeaveListBody([.. rota.Leave.Select(LeaveBody.Of)]), RotaBodyJson.Default.LeaveListBody));

    private static async Task<IResult> EnterLeave(HttpContext http, Guid id)
    {
        var body = await http.ReadJson(RotaBodyJson.Default.LeaveBody);
        if (body.Error is { } error) return Problem.Of(error);
        var typed = new TypedLeave(body.Value.From ?? body.Value.StartsAt, body.Value.To ?? body.Value.EndsAt, body.Value.Kind, body.Value.Note, body.Value.Confirm is true);
        return (http.IsMe(id) ? await http.Run(new EnterOwnLeave(typed)) : await http.Run(new EnterLeave(id, typed)))
            .Match(leave => Results.Json(LeaveBody.Of(leave), RotaBodyJson.Default.LeaveBody, statusCode: StatusCodes.Status201Created));
    }

    private static async Task<IResult> RemoveLeave(HttpContext http, Guid id, Guid leave) =>
        (http.IsMe(id) ? await http.Run(new RemoveOwnLeave(leave)) : await http.Run(new RemoveLeave(id, leave))).Match(_ => Results.NoContent());

    private static async Task<IResult> Rooms(HttpContext http, string? retired) =>
        (await http.Run(new ListRooms(retired == "true"))).Match(rooms => Results.Json(new RoomListBody([.. rooms.Select(RoomBody.Of)]), RotaBodyJson.Default.RoomListBody));

    private static async Task<IResult> AddRoom(HttpContext http)
    {
        var body = await http.ReadJson(RotaBodyJson.Default.RoomBody);
        return body.Error is { } error ? Problem.Of(error) : http.AnswerRoom(await http.Run(new AddRoom(body.Value.Name)), StatusCodes.Status201Created);
    }

    private static async Task<IResult> ChangeRoom(HttpContext http, Guid id)
    {
        var body = await http.ReadJson(RotaBodyJson.Default.RoomBody);
        return body.Error is { } error ? Problem.Of(error) : http.AnswerRoom(await http.Run(new ChangeRoom(id, body.Value.Name, body.Value.Active ?? true, http.IfMatch())));
    }

    private static IResult AnswerRoom(this HttpContext http, Result<Room> result, int status = StatusCodes.Status200OK) => result.Match(room =>
    {
        http.Response.Headers.ETag = JsonRequest.ETag(room.Version);
        return Results.Json(RoomBody.Of(room), RotaBodyJson.Default.RoomBody, statusCode: status);
    });

    private static async Task<IResult> Types(HttpContext http, string? retired) =>
        (await http.Run(new ListAppointmentTypes(retired == "true"))).Match(types => Results.Json(new TypeListBody([.. types.Select(TypeBody.Of)]), RotaBodyJson.Default.TypeListBody));

    private static async Task<IResult> AddType(HttpContext http)
    {
        var body = await http.ReadJson(RotaBodyJson.Default.TypeBody);
        return body.Error is { } error ? Problem.Of(error) : http.AnswerType(await http.Run(new AddAppointmentType(body.Value.ToTyped())), StatusCodes.Status201Created);
    }

    private static async Task<IResult> ChangeType(HttpContext http, string code)
    {
        var body = await http.ReadJson(RotaBodyJson.Default.TypeBody);
        return body.Error is { } error ? Problem.Of(error) : http.AnswerType(await http.Run(new ChangeAppointmentType(code, body.Value.ToTyped(), http.IfMatch())));
    }

    private static IResult AnswerType(this HttpContext http, Result<AppointmentType> result, int status = StatusCodes.Status200OK) => result.Match(type =>
    {
        http.Response.Headers.ETag = JsonRequest.ETag(type.Version);
        return Results.Json(TypeBody.Of(type), RotaBodyJson.Default.TypeBody, statusCode: status);
    });
}
