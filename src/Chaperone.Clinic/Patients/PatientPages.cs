using System.Globalization;
using Chaperone.Clinic.AccessHistory;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Chaperone.Ledger;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Patients;

/// <summary>The register's pages under /patients. No address carries a name: finding posts.</summary>
internal static class PatientPages
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var pages = endpoints.MapGroup("/patients").ExcludeFromDescription();
        pages.MapGet("", List).Runs(typeof(ListPatients), typeof(ListPatientsMasked));
        pages.MapPost("", (Delegate)Find).Runs(typeof(FindPatients));
        pages.MapPost("palette", (Delegate)FindInPalette).Runs(typeof(FindPatients));
        pages.MapGet("new", (Delegate)New).RunsNothing("an empty form; what it sends runs an operation");
        pages.MapPost("new", (Delegate)Register).Runs(typeof(RegisterPatient));
        pages.MapGet("{id:guid}", View).Runs(typeof(ViewPatient), typeof(ViewPatientMasked));
        pages.MapGet("{id:guid}/edit", Edit).Runs(typeof(ViewPatient));
        pages.MapPost("{id:guid}/edit", Change).Runs(typeof(ChangePatient), typeof(ViewPatient));
        pages.MapGet("{id:guid}/archive", AskArchive).Runs(typeof(ViewPatient));
        pages.MapPost("{id:guid}/archive", Archive).Runs(typeof(ArchivePatient), typeof(ViewPatient));
        pages.MapPost("{id:guid}/restore", Restore).Runs(typeof(RestorePatient));
    }

    private static async Task<IResult> List(HttpContext http, string? status, string? cursor)
    {
        if (http.Context().Actor.PatientId is { } own) return http.SeeOther($"/patients/{own}");
        var masked = http.SeesMasked();
        var list = masked ? await http.Run(new ListPatientsMasked(status ?? "active", 50, cursor)) : await http.Run(new ListPatients(status ?? "active", 50, cursor));
        if (list.Error is { } error) return await http.PageError(error);
        return await http.Page<PatientsPage>(new { List = list.Value, Status = status ?? "active", FirstPage = cursor is null, MayFind = !masked, MayRegister = http.May(Permission.PatientEdit), MayImport = http.May(Permission.PatientImport), MayExport = http.May(Permission.PatientExport) });
    }

    private static async Task<IResult> Find(HttpContext http)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var text = form.GetValueOrDefault("text", "");
        var found = await http.Run(new FindPatients(text));
        if (found.Error is { } error && error.Code != PatientErrors.NothingToFind.Code) return await http.PageError(error);
        return await http.Page<PatientsPage>(new { Found = found.Succeeded ? found.Value : null, Text = text, Problem = found.Error?.Next, MayFind = true, MayRegister = http.May(Permission.PatientEdit), MayImport = http.May(Permission.PatientImport), MayExport = http.May(Permission.PatientExport) });
    }

    private static async Task<IResult> FindInPalette(HttpContext http)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var found = await http.Run(new FindPatients(form.GetValueOrDefault("text", ""), PaletteFound.Most));
        if (found.Error is { } error && error.Code != PatientErrors.NothingToFind.Code) return await http.PageError(error);
        return http.Fragment<PaletteFound>(new { Found = found.Succeeded ? found.Value : null, Problem = found.Error?.Next });
    }

    private static async Task<IResult> New(HttpContext http) =>
        http.MayNot(Permission.PatientEdit) is { } refused ? await http.PageError(refused) : await http.Page<PatientFormPage>(new { Form = PatientForm.Empty, To = Booking(http.Request.Query["to"]) });

    private static async Task<IResult> Register(HttpContext http)
    {
        if (await http.ReadForm() is not { } fields) return await http.PageError(PlatformErrors.Malformed);
        var form = new PatientForm { Values = fields };
        var registered = await http.Run(new RegisterPatient(form.ToDetails(), form["confirmedNotDuplicate"] == "true"));
        var to = Booking(form["to"]);
        if (registered.Succeeded) return http.SeeOther(to is null ? $"/patients/{registered.Value.Id}" : $"{to}&patient={registered.Value.Id}", "The patient was registered.");
        return registered.Error!.IsOfForm() ? await http.Page<PatientFormPage>(new { Form = form, To = to, Errors = PatientForm.Errors(registered.Error!), Twins = Twins(registered.Error!) }, registered.Error!.Status)
            : await http.PageError(registered.Error!);
    }

    private static async Task<IResult> View(HttpContext http, Guid id)
    {
        var patient = http.SeesMasked() ? await http.Run(new ViewPatientMasked(id)) : await http.Run(new ViewPatient(id));
        if (patient.Error is { } error) return await http.PageError(error);
        return await http.Page<PatientPage>(new { Patient = patient.Value, Today = http.Today(), MayEdit = http.May(Permission.PatientEdit), MayArchive = http.May(Permission.PatientDelete), MayReadAccess = AccessReading.Reaches(http, id), MayBook = http.May(Permission.ScheduleEdit), MayHold = http.May(Permission.RetentionRun), Own = http.Context().Actor.PatientId == id });
    }

    private static async Task<IResult> Edit(HttpContext http, Guid id)
    {
        if (http.MayNot(Permission.PatientEdit) is { } refused) return await http.PageError(refused);
        var patient = await http.Run(new ViewPatient(id));
        if (patient.Error is { } error) return await http.PageError(error);
        if (patient.Value.IsArchived) return http.SeeOther($"/patients/{id}", PatientErrors.IsArchived.Title + " " + PatientErrors.IsArchived.Next, Tone.Warning);
        return await http.Page<PatientFormPage>(new { Form = PatientForm.Of(patient.Value.Details), Patient = patient.Value, Today = http.Today() });
    }

    private static async Task<IResult> Change(HttpContext http, Guid id)
    {
        if (await http.ReadForm() is not { } fields) return await http.PageError(PlatformErrors.Malformed);
        var form = new PatientForm { Values = fields };
        var changed = await http.Run(new ChangePatient(id, form.ToDetails(), Version(fields), form["confirmedNotDuplicate"] == "true"));
        if (changed.Succeeded) return http.SeeOther($"/patients/{id}", "The changes were saved.");
        var error = changed.Error!;
        var stale = error.Code == PlatformErrors.Changed.Code || error.Code == PlatformErrors.PreconditionRequired.Code;
        if (!stale && !error.IsOfForm()) return await http.PageError(error);
        var now = await http.Run(new ViewPatient(id));
        if (now.Error is { } gone) return await http.PageError(gone);
        // After a stale save the form carries the newest version: sending it again is a decision, made with the stored values in view.
        var shown = stale ? now.Value : now.Value with { Version = Version(fields) ?? now.Value.Version };
        return await http.Page<PatientFormPage>(
            new { Form = form, Patient = shown, Today = http.Today(), Errors = stale ? null : PatientForm.Errors(error), Twins = Twins(error), Stored = stale ? form.DifferencesFrom(now.Value.Details) : null }, error.Status);
    }

    private static async Task<IResult> AskArchive(HttpContext http, Guid id)
    {
        if (http.MayNot(Permission.PatientDelete) is { } refused) return await http.PageError(refused);
        var patient = await http.Run(new ViewPatient(id));
        return patient.Error is { } error ? await http.PageError(error) : await http.Page<ArchivePatientPage>(new { Patient = patient.Value, Today = http.Today() });
    }

    private static async Task<IResult> Archive(HttpContext http, Guid id)
    {
        if (await http.ReadForm() is not { } fields) return await http.PageError(PlatformErrors.Malformed);
        var (reason, note) = (fields.GetValueOrDefault("reason"), fields.GetValueOrDefault("note"));
        var archived = await http.Run(new ArchivePatient(id, reason, note, Version(fields), fields.GetValueOrDefault("confirm") == "true"));
        if (archived.Succeeded) return http.SeeOther($"/patients/{id}", "The record was archived. It can be restored at any time.");
        var error = archived.Error!;
        var toCome = error.Code == ScheduleErrors.StillToCome.Code;
        if (!toCome && !error.IsOfForm() && error.Code != PlatformErrors.Changed.Code) return await http.PageError(error);
        var now = await http.Run(new ViewPatient(id));
        return now.Error is { } gone ? await http.PageError(gone)
            : await http.Page<ArchivePatientPage>(new { Patient = now.Value, http.Context().Tenant!.Zone, Today = http.Today(), Reason = reason, Note = note, ToCome = toCome ? error.Facts : null, Errors = toCome ? new FormErrors { { "confirm", "Something is still to come for this patient. Look below, then confirm or cancel it first." } } : PatientForm.Errors(error) }, toCome ? StatusCodes.Status422UnprocessableEntity : error.Status);
    }

    private static async Task<IResult> Restore(HttpContext http, Guid id)
    {
        var restored = await http.Run(new RestorePatient(id));
        return restored.Error is { } error ? await http.PageError(error) : http.SeeOther($"/patients/{id}", "The record was restored.");
    }

    // A booking that waits for its new patient: the one place outside the register that registering leads back to.
    private static string? Booking(string? to) =>
        to is { Length: < 400 } && to.StartsWith("/schedule/book?", StringComparison.Ordinal) && to.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '?' or '=' or '&' or '-' or '_' or '%') ? to : null;

    private static bool IsOfForm(this Error error) =>
        error.Fields.Count > 0 || error.Code == PatientErrors.LikelyDuplicate.Code || error.Code == PatientErrors.NhsNumberTaken.Code;

    private static IReadOnlyList<Guid>? Twins(Error error) =>
        error.Code == PatientErrors.LikelyDuplicate.Code || error.Code == PatientErrors.NhsNumberTaken.Code ? error.Facts.GetValueOrDefault("twins") as Guid[] ?? [] : null;

    private static long? Version(IReadOnlyDictionary<string, string> form) =>
        long.TryParse(form.GetValueOrDefault("version"), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : null;

    private static DateOnly Today(this HttpContext http) => PatientsFeature.Today(http.Context().Tenant!, http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow());
}
