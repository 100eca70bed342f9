using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Jobs;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.AccessHistory;

/// <summary>Who looked, for programs, and the reports to hand over.</summary>
internal static class AccessApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").WithTags("Access history");
        api.MapGet("/patients/{id:guid}/access-history", async (HttpContext http, Guid id) => (await http.Run(new ViewAccessHistory(id, Query(http)))).Match(Json))
            .Runs(typeof(ViewAccessHistory)).WithSummary("Who saw or changed a patient's data, newest first. cursor (next) for older, newer (previous) for newer; own=true also what the patient's own account did.");
        api.MapGet("/patients/{id:guid}/access-history/report", (HttpContext http, Guid id, string? format) => Report(http, id, format, Problem.Of))
            .Runs(typeof(StartAccessReport), typeof(BeginExportRun), typeof(WriteAccessReport), typeof(EndExportRun)).WithSummary("The whole history to hand over: format=pdf, or json with a proof for each event (docs/formats.md). Needs a code younger than five minutes.");
        api.Get("/me/access-history", async http => (await http.Run(new ViewOwnAccessHistory(Query(http)))).Match(Json))
            .Runs(typeof(ViewOwnAccessHistory)).WithSummary("Who saw or changed data about oneself: a patient's record, a member of staff's account.");
        api.MapGet("/me/access-history/report", (HttpContext http, string? format) => OwnReport(http, format, Problem.Of))
            .Runs(typeof(StartOwnAccessReport), typeof(BeginExportRun), typeof(WriteOwnAccessReport), typeof(EndExportRun)).WithSummary("The whole of it to keep: format=pdf or json.");
    }

    public static AccessQuery Query(HttpContext http)
    {
        var query = http.Request.Query;
        return new(query["cursor"].LastOrDefault(), query["newer"].LastOrDefault(), query["own"].LastOrDefault() == "true");
    }

    /// <summary>Announces a patient's report and sends it.</summary>
    public static async Task<IResult> Report(HttpContext http, Guid id, string? format, Func<Error, IResult> refuse)
    {
        var started = await http.Run(new StartAccessReport(id, format));
        return started.Error is { } error ? refuse(error) : await Send(http, started.Value, new WriteAccessReport(id, started.Value, http.Response.Body));
    }

    /// <summary>Announces one's own report and sends it.</summary>
    public static async Task<IResult> OwnReport(HttpContext http, string? format, Func<Error, IResult> refuse)
    {
        var started = await http.Run(new StartOwnAccessReport(format));
        return started.Error is { } error ? refuse(error) : await Send(http, started.Value, new WriteOwnAccessReport(started.Value, http.Response.Body));
    }

    public static void Write(Utf8JsonWriter json, AccessLook look, Action? more = null)
    {
        json.WriteStartObject();
        json.WriteString("id", look.Id);
        if (look.Index is { } index) json.WriteNumber("index", index);
        else json.WriteNull("index");
        json.WriteString("at", look.At);
        if (look.Account is { } account) json.WriteString("account", account);
        else json.WriteNull("account");
        json.WriteString("who", look.Who);
        json.WriteString("role", look.Role);
        json.WriteString("action", look.Action);
        json.WriteString("why", look.Why);
        json.WriteString("what", look.What);
        json.WriteStartArray("changed");
        foreach (var field in look.Changed) json.WriteStringValue(field);
        json.WriteEndArray();
        json.WriteBoolean("refused", look.Refused);
        json.WriteBoolean("readable", look.IsReadable);
        more?.Invoke();
        json.WriteEndObject();
    }

    private static IResult Json(AccessHistoryPage page)
    {
        var buffer = new ArrayBufferWriter<byte>(16 * 1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("items");
            foreach (var look in page.Looks) Write(json, look);
            json.WriteEndArray();
            json.WriteString("next", page.Next);
            json.WriteString("previous", page.Previous);
            json.WriteNumber("count", page.Count.Found);
            json.WriteBoolean("countIsExact", page.Count.IsExact);
            json.WriteEndObject();
        }
        return Results.Bytes(buffer.WrittenMemory, "application/json");
    }

    private static Task<IResult> Send(HttpContext http, AccessReport report, IOperation<WrittenExport> operation) =>
        AuditApi.Send(http, report.Id, "access_history", report.IsPdf ? AuditExportFormat.Pdf : AuditExportFormat.Json, "access-history", operation);
}
