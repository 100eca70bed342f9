using System.Globalization;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Patients;

/// <summary>The register under /api/patients.</summary>
internal static class PatientApi
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup("/api/patients").WithTags("Patients");
        api.MapGet("", List).Runs(typeof(ListPatients), typeof(ListPatientsMasked), typeof(FindPatients))
            .WithSummary("Patients, latest registration first; with find those it finds (for scripts: words in an address end up in logs, so prefer POST /api/patients/find).");
        api.MapPost("find", (Delegate)Find).Runs(typeof(FindPatients)).WithSummary("Finds patients by parts of names, date of birth, NHS number, telephone or email, or several of these.");
        api.MapPost("", (Delegate)Register).Runs(typeof(RegisterPatient)).WithSummary("Registers a patient. 409 with the ids of likely duplicates unless confirmedNotDuplicate.");
        api.MapGet("{id:guid}", View).Runs(typeof(ViewPatient), typeof(ViewPatientMasked)).WithSummary("One patient, with ETag.");
        api.MapPut("{id:guid}", Change).Runs(typeof(ChangePatient)).WithSummary("Replaces a patient's details. Needs If-Match.");
        api.MapDelete("{id:guid}", Archive).Runs(typeof(ArchivePatient)).WithSummary("Archives a patient for a reason (moved_away, deceased, duplicate, registered_in_error, other with {note} as body). Needs If-Match. Nothing is erased. 409 with the appointments still to come unless confirm=true; they stay as they are.");
        api.MapPost("{id:guid}/restore", Restore).Runs(typeof(RestorePatient)).WithSummary("Brings an archived patient back.");
    }

    /// <summary>Whether the actor may see patients masked and not otherwise.</summary>
    public static bool SeesMasked(this HttpContext http)
    {
        var (actor, now) = (http.Context().Actor, http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow());
        return !actor.Rights.Holds(Permission.PatientView, actor.State.Elevated, now) && actor.Rights.Holds(Permission.PatientViewMasked, actor.State.Elevated, now);
    }

    private static async Task<IResult> List(HttpContext http, string? find, string? status, string? limit, string? cursor)
    {
        if (find is not null) return Found(await http.Run(new FindPatients(find)));
        var most = limit is null ? 50 : int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
        var list = http.SeesMasked() ? await http.Run(new ListPatientsMasked(status ?? "active", most, cursor)) : await http.Run(new ListPatients(status ?? "active", most, cursor));
        return list.Match(page => Results.Bytes(PatientBodyJson.Write(new([.. page.Items.Select(PatientBody.Of)], page.Next)), "application/json"));
    }

    private static async Task<IResult> Find(HttpContext http)
    {
        var body = await http.ReadJson(PatientBodyJson.Default.FindBody);
        return body.Error is { } error ? Problem.Of(error) : Found(await http.Run(new FindPatients(body.Value.Text ?? "")));
    }

    private static async Task<IResult> Register(HttpContext http)
    {
        var body = await http.ReadJson(PatientBodyJson.Default.PatientBody);
        if (body.Error is { } error) return Problem.Of(error);
        var registered = await http.Run(new RegisterPatient(body.Value.ToDetails(), body.Value.ConfirmedNotDuplicate == true));
        if (registered.Succeeded) http.Response.Headers.Location = $"/api/patients/{registered.Value.Id}";
        return http.Answer(registered, StatusCodes.Status201Created);
    }

    private static async Task<IResult> View(HttpContext http, Guid id) =>
        http.Answer(http.SeesMasked() ? await http.Run(new ViewPatientMasked(id)) : await http.Run(new ViewPatient(id)));

    private static async Task<IResult> Change(HttpContext http, Guid id)
    {
        var body = await http.ReadJson(PatientBodyJson.Default.PatientBody);
        return body.Error is { } error ? Problem.Of(error)
            : http.Answer(await http.Run(new ChangePatient(id, body.Value.ToDetails(), http.IfMatch(), body.Value.ConfirmedNotDuplicate == true)));
    }

    // The code may stand in the address, what somebody typed may not.
    private static async Task<IResult> Archive(HttpContext http, Guid id, string? reason)
    {
        var body = http.Request.ContentLength > 0 ? await http.ReadJson(PatientBodyJson.Default.ArchiveBody) : new ArchiveBody(null, null);
        return body.Error is { } error ? Problem.Of(error) : http.Answer(await http.Run(new ArchivePatient(id, reason ?? body.Value.Reason, body.Value.Note, http.IfMatch(), body.Value.Confirm is true || http.Request.Query["confirm"] == "true")));
    }

    private static async Task<IResult> Restore(HttpContext http, Guid id) => http.Answer(await http.Run(new RestorePatient(id, http.IfMatch())));

    private static IResult Found(Result<FoundPatients> found) =>
        found.Match(page => Results.Bytes(PatientBodyJson.Write(new([.. page.Patients.Select(PatientBody.Of)], null, page.More)), "application/json"));

    private static IResult Answer(this HttpContext http, Result<Patient> result, int status = StatusCodes.Status200OK) => result.Match(patient =>
    {
        http.Response.Headers.ETag = JsonRequest.ETag(patient.Version);
        return Results.Json(PatientBody.Of(patient), PatientBodyJson.Default.PatientBody, statusCode: status);
    });
}
