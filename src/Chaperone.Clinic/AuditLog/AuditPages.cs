using Chaperone.Clinic.Jobs;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.AuditLog;

/// <summary>The log's pages.</summary>
internal static class AuditPages
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.Get(AuditLogFeature.Path, Log).Runs(typeof(ViewAuditLog), typeof(ListLogViews), typeof(NoteUnreadableEvent)).ExcludeFromDescription();
        routes.Post(AuditLogFeature.Path + "/filter", Filter).Runs(typeof(TokenOfAddress), typeof(ViewAuditLog), typeof(ListLogViews), typeof(NoteUnreadableEvent)).ExcludeFromDescription();
        routes.Get(AuditLogFeature.Path + "/{id:guid}", async http =>
        {
            var entry = await http.Run(new ViewAuditEvent(http.IdOfRoute(), WithNames: true));
            if (entry.Succeeded) await http.TellAsync(entry.Value.Untold);
            return entry.Error is { } error ? await http.PageError(error) : await http.Page<AuditEventPage>(new
            {
                Entry = entry.Value, Zone = http.Zone(), Link = $"{http.Request.Scheme}://{http.Request.Host}{http.Request.Path}", InDrawer = http.Request.Headers["Turbo-Frame"] == AuditEventPage.Frame,
            });
        }).Runs(typeof(ViewAuditEvent), typeof(NoteUnreadableEvent)).ExcludeFromDescription();
        routes.Get(AuditLogFeature.Path + "/integrity", async http =>
        {
            var report = await http.Run(new ViewIntegrity());
            return report.Error is { } error ? await http.PageError(error) : await http.Page<IntegrityPage>(new { Report = report.Value, Zone = http.Zone() });
        }).Runs(typeof(ViewIntegrity)).ExcludeFromDescription();
        routes.Get(AuditLogFeature.Path + "/integrity/running", async http =>
        {
            var watched = await http.Run(new WatchIntegrity());
            return watched.Error is { } error ? await http.PageError(error) : http.Fragment<VerificationRunning>(new { watched.Value.Running, WasRunning = true });
        }).Runs(typeof(WatchIntegrity)).InBackground().ExcludeFromDescription();
        routes.Post(AuditLogFeature.Path + "/export", Export).Runs(typeof(StartAuditExport), typeof(BeginExportRun), typeof(ExportAuditLog), typeof(EndExportRun), typeof(NoteUnreadableEvent)).ExcludeFromDescription();
    }

    // A wrong field is told at the field, and the log is shown without it.
    private static async Task<IResult> Log(HttpContext http)
    {
        var query = AuditQuery.Of(http.Request.Query);
        var page = await http.Run(new ViewAuditLog(query, WithNames: true));
        var errors = new FormErrors();
        if (page.Error is { } error && error.Code == AuditErrors.BadFilter.Code)
        {
            foreach (var (field, sentence) in error.Fields) errors.Add(field, sentence);
            page = await http.Run(new ViewAuditLog(query.FiltersOnly.Without(error.Fields.Keys), WithNames: true));
        }
        if (page.Error is { } still) return await http.PageError(still);
        await http.TellAsync(page.Value.Untold);
        return await http.Page<AuditLogPage>(new { Model = page.Value, Query = query, Errors = errors, Views = await ViewsAsync(http), IsNarrow = IsNarrow(http), Zone = http.Zone() }, errors.IsEmpty ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    // Posted, because an address that is typed is personal data and must not stand in the page's address: there a token stands for it.
    private static async Task<IResult> Filter(HttpContext http)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var query = AuditQuery.Of(form).FiltersOnly;
        var typed = form.GetValueOrDefault(AuditQuery.Address) is { Length: > 0 } text ? text : null;
        var token = await http.Run(new TokenOfAddress(typed));
        if (token.Succeeded) return http.SeeOther(AuditLogFeature.Path + (typed is null ? query : query.With(AuditQuery.Ip, token.Value)).ToQueryString());
        if (token.Error!.Code != AuditErrors.BadFilter.Code) return await http.PageError(token.Error, AuditLogFeature.Path);
        var page = await http.Run(new ViewAuditLog(AuditQuery.None, WithNames: true));
        if (page.Error is { } error) return await http.PageError(error);
        await http.TellAsync(page.Value.Untold);
        var errors = new FormErrors { { AuditQuery.Address, token.Error.Fields[AuditQuery.Address] } };
        return await http.Page<AuditLogPage>(new { Model = page.Value, Query = query, Errors = errors, Typed = typed, Views = await ViewsAsync(http), IsNarrow = IsNarrow(http), Zone = http.Zone() }, StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IReadOnlyList<LogView>> ViewsAsync(HttpContext http) => (await http.Run(new ListLogViews())) is { Succeeded: true, Value: var views } ? views : [];

    private static bool IsNarrow(HttpContext http) => AuditPlan.ShownFrom(http.Context().Tenant!, DateTimeOffset.MaxValue) is not null;

    // Posted, so that neither a link nor another site begins an export.
    private static async Task<IResult> Export(HttpContext http)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var query = AuditQuery.Of(form.Where(field => field.Key != Token.FieldName));
        var started = await http.Run(new StartAuditExport(query));
        if (started.Error is not { } error) return await AuditApi.Send(http, started.Value);
        var back = AuditLogFeature.Path + query.FiltersOnly.ToQueryString();
        return error.Code == PlatformErrors.StepUpRequired.Code ? http.SeeOther("/step-up?to=" + Uri.EscapeDataString(back), "Confirm that it is you, then export again.", Tone.Info) : await http.PageError(error);
    }

    public static TimeZoneInfo Zone(this HttpContext http) => TimeZoneInfo.FindSystemTimeZoneById(http.Context().Tenant!.Zone);
}
