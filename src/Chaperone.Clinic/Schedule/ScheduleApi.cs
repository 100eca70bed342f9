using System.Globalization;
using Chaperone.Clinic.Schedule.Series;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Schedule;

/// <summary>The schedule under /api/appointments and /api/practitioners.</summary>
internal static class ScheduleApi
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup("/api/appointments").WithTags("Schedule");
        api.MapGet("", List).Runs(typeof(ListAppointments))
            .WithSummary("The schedule by time: of day, or from and to (dates, both included, at most 62 days), or of today; of everybody or of one practitioner. Cancelled appointments too.");
        api.MapPost("", (Delegate)Book).Runs(typeof(BookAppointment), typeof(BookRepeats))
            .WithSummary("Books a patient with a practitioner: patientId, practitionerId, type, startsAt, and endsAt or minutes where the type's length is not wanted. Times are ISO 8601, with an offset or as the clinic's clocks show. 409 when the time or the room (roomId) was just taken, when the practitioner is on leave, and outside their working hours unless confirmOutsideHours. With repeat (every, unit day, week or month, and count or until) books up to 52 at the same time of day, all or, with skipClashes, those that do not clash. waitingEntryId closes an entry of the waiting list in the same commit.");
        api.MapGet("free", Free).Runs(typeof(FindFreeSlots)).WithSummary("The next ten free times within four weeks: for a type or minutes, from a time on, with one practitioner or anybody, in a room or anywhere; within working hours, and not on leave.");
        api.MapGet("{id:guid}", View).Runs(typeof(ViewAppointment)).WithSummary("One appointment, with ETag.");
        api.MapPut("{id:guid}", Change).Runs(typeof(ChangeAppointment), typeof(ChangeFollowing)).WithSummary("Moves an appointment, changes its length or practitioner, or what is written about it; with following those of its series too that come after it, each by as much. Needs If-Match.");
        api.MapPost("{id:guid}/cancel", Cancel).Runs(typeof(CancelAppointment), typeof(CancelFollowing)).WithSummary("Cancels an appointment for a reason (patient, clinic, practitioner_absent, booked_in_error, other with {note}); its time is free again. With following those of its series too that come after it.");
        Step(api, "arrive", "The patient is here.", (id, version) => new ArriveAppointment(id, version));
        Step(api, "start", "The practitioner begins to see the patient.", (id, version) => new StartAppointment(id, version));
        Step(api, "complete", "The patient has been seen.", (id, version) => new CompleteAppointment(id, version));
        Step(api, "no-show", "The patient did not come.", (id, version) => new MissAppointment(id, version));
        Step(api, "undo", "Takes back an arrival, a start or a no-show.", (id, version) => new UndoAttendance(id, version));
        endpoints.MapGroup("").WithTags("Schedule").Get("/api/practitioners", Practitioners).Runs(typeof(ListPractitioners)).WithSummary("With whom patients can be booked, by name.");
    }

    private static void Step<TOperation>(RouteGroupBuilder api, string verb, string summary, Func<Guid, long?, TOperation> operation) where TOperation : IOperation<Appointment> =>
        api.MapPost("{id:guid}/" + verb, async (HttpContext http, Guid id) => http.Answer(await http.Run<Appointment>(operation(id, http.IfMatch())))).Runs(typeof(TOperation)).WithSummary(summary);

    private static async Task<IResult> List(HttpContext http, string? day, string? from, string? to, string? practitioner) =>
        (await http.Run(new ListAppointments(day, from, to, practitioner))).Match(items => Results.Json(new AppointmentListBody([.. items.Select(AppointmentBody.Of)]), AppointmentBodyJson.Default.AppointmentListBody));

    private static async Task<IResult> Book(HttpContext http)
    {
        var body = await http.ReadJson(AppointmentBodyJson.Default.AppointmentBody);
        if (body.Error is { } error) return Problem.Of(error);
        if (body.Value.Repeat is { } repeat)
        {
            return (await http.Run(new BookRepeats(body.Value.PatientId, body.Value.ToWanted(), repeat.ToRepeat(), body.Value.SkipClashes is true)))
                .Match(series => Results.Json(SeriesBody.Of(series), AppointmentBodyJson.Default.SeriesBody, statusCode: StatusCodes.Status201Created));
        }
        var booked = await http.Run(new BookAppointment(body.Value.PatientId, body.Value.ToWanted(), body.Value.WaitingEntryId));
        if (booked.Succeeded) http.Response.Headers.Location = $"/api/appointments/{booked.Value.Id}";
        return http.Answer(booked, StatusCodes.Status201Created);
    }

    private static async Task<IResult> Free(HttpContext http, string? practitioner, string? type, string? minutes, string? from, string? room)
    {
        int? length = minutes is null ? null : int.TryParse(minutes, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
        return (await http.Run(new FindFreeSlots(practitioner, type, length, from, room)))
            .Match(free => Results.Json(new { items = free.Select(slot => new FreeSlotBody(slot.PractitionerId, AppointmentBody.Iso(slot.StartsAt), AppointmentBody.Iso(slot.EndsAt))), next = (string?)null }));
    }

    private static async Task<IResult> View(HttpContext http, Guid id) => http.Answer(await http.Run(new ViewAppointment(id)));

    private static async Task<IResult> Change(HttpContext http, Guid id)
    {
        var body = await http.ReadJson(AppointmentBodyJson.Default.AppointmentBody);
        if (body.Error is { } error) return Problem.Of(error);
        if (body.Value.Following is true) return http.Answer(await http.Run(new ChangeFollowing(id, body.Value.ToWanted(), http.IfMatch())));
        return http.Answer(await http.Run(new ChangeAppointment(id, body.Value.ToWanted(), http.IfMatch(), body.Value.PatientId)));
    }

    private static async Task<IResult> Cancel(HttpContext http, Guid id)
    {
        var body = await http.ReadJson(AppointmentBodyJson.Default.CancelBody);
        if (body.Error is { } error) return Problem.Of(error);
        if (body.Value.Following is true) return http.Answer(await http.Run(new CancelFollowing(id, body.Value.Reason, body.Value.Note, http.IfMatch())));
        return http.Answer(await http.Run(new CancelAppointment(id, body.Value.Reason, body.Value.Note, http.IfMatch())));
    }

    private static async Task<IResult> Practitioners(HttpContext http) => (await http.Run(new ListPractitioners())).Match(items => Results.Json(new { items, next = (string?)null }));

    private static IResult Answer(this HttpContext http, Result<Appointment> result, int status = StatusCodes.Status200OK) => result.Match(appointment =>
    {
        http.Response.Headers.ETag = JsonRequest.ETag(appointment.Version);
        return Results.Json(AppointmentBody.Of(appointment), AppointmentBodyJson.Default.AppointmentBody, statusCode: status);
    });
}
