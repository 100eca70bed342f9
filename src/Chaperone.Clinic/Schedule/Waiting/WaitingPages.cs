using System.Globalization;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Schedule.Waiting;

/// <summary>Schedule › Waiting list: who waits with the next free time that suits, booking it, putting people on the list and taking them off.</summary>
internal static class WaitingPages
{
    public const string Home = "/schedule/waiting-list";
    private static readonly string[] Fields = ["patientId", "practitionerId", "type", "minutes", "earliest", "latest", "parts", "priority", "note"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup(Home).ExcludeFromDescription();
        pages.MapGet("", List).Runs(typeof(ListWaiting), typeof(ListPractitioners), typeof(ListAppointmentTypes));
        pages.Post("find", Find).Runs(typeof(FindPatients));
        pages.MapGet("add", (HttpContext http, string? patient) => Guid.TryParse(patient, out var id) ? Form(http, null, id) : Chooser(http)).Runs(typeof(ListPractitioners), typeof(ListAppointmentTypes), typeof(ViewPatient));
        pages.Post("add", http => Save(http, null)).Runs(typeof(AddWaiting), typeof(ListPractitioners), typeof(ListAppointmentTypes), typeof(ViewPatient));
        pages.MapGet("{id:guid}", async (HttpContext http, Guid id) =>
        {
            var entry = await http.Run(new ViewWaiting(id));
            return entry.Error is { } error ? await http.PageError(error) : await Form(http, entry.Value, entry.Value.PatientId);
        }).Runs(typeof(ViewWaiting), typeof(ListPractitioners), typeof(ListAppointmentTypes));
        pages.MapPost("{id:guid}", (HttpContext http, Guid id) => Save(http, id)).Runs(typeof(ChangeWaiting), typeof(ViewWaiting), typeof(ListPractitioners), typeof(ListAppointmentTypes));
        pages.MapPost("{id:guid}/remove", async (HttpContext http, Guid id) =>
            (await http.Run(new RemoveWaiting(id))).Error is { } error ? await AccountPages.Failed(http, error, Home) : http.SeeOther(Home, "Taken off the list.")).Runs(typeof(RemoveWaiting));
        pages.MapPost("{id:guid}/book", Book).Runs(typeof(BookAppointment), typeof(ViewWaiting));
    }

    private static async Task<IResult> List(HttpContext http, string? practitioner, string? priority)
    {
        var entries = await http.Run(new ListWaiting(practitioner, priority));
        if (entries.Error is { } error) return await http.PageError(error);
        if (await Choices(http) is not var (practitioners, types)) return await http.PageError(PlatformErrors.Forbidden);
        return await http.Page<WaitingListPage>(new { Entries = entries.Value, Practitioners = practitioners, Types = types, Practitioner = practitioner, Priority = priority });
    }

    private static async Task<(IReadOnlyList<Practitioner> Practitioners, IReadOnlyList<AppointmentType> Types)?> Choices(HttpContext http)
    {
        var (practitioners, types) = (await http.Run(new ListPractitioners()), await http.Run(new ListAppointmentTypes(Retired: true)));
        return practitioners.Succeeded && types.Succeeded ? (practitioners.Value, types.Value) : null;
    }

    private static async Task<IResult> Chooser(HttpContext http)
    {
        var practitioners = await http.Run(new ListPractitioners());   // asks who is there before anything is typed
        return practitioners.Error is { } error ? await http.PageError(error) : await http.Page<WaitingFindPage>();
    }

    private static async Task<IResult> Find(HttpContext http)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var text = form.GetValueOrDefault("text") ?? "";
        var found = await http.Run(new FindPatients(text));
        if (found.Error is { } error && error.Code != PatientErrors.NothingToFind.Code) return await http.PageError(error);
        return await http.Page<WaitingFindPage>(new { Text = text, Found = found.Succeeded ? found.Value : null, Problem = found.Error?.Next });
    }

    private static async Task<IResult> Form(HttpContext http, WaitingEntry? entry, Guid patient, IReadOnlyDictionary<string, string>? form = null, FormErrors? errors = null)
    {
        if (await Choices(http) is not var (practitioners, types)) return await http.PageError(http.Context().Actor.Id is null ? PlatformErrors.SignInRequired : PlatformErrors.Forbidden);
        var name = entry?.PatientName;
        if (entry is null)
        {
            // Whoever puts somebody on the list sees whom.
            var chosen = await http.Run(new ViewPatient(patient));
            if (chosen.Error is { } error) return await http.PageError(error);
            name = BookingPages.Label(chosen.Value);
        }
        return await http.Page<WaitingFormPage>(new { Entry = entry, Patient = patient, Name = name, Practitioners = practitioners, Types = types, Form = form ?? FormOf(entry), Errors = errors }, errors is null ? 200 : StatusCodes.Status422UnprocessableEntity);
    }

    private static Dictionary<string, string> FormOf(WaitingEntry? entry)
    {
        var form = new Dictionary<string, string>(StringComparer.Ordinal) { ["priority"] = "3" };
        if (entry is null) return form;
        (form["practitionerId"], form["type"], form["minutes"]) = (entry.PractitionerId?.ToString() ?? "", entry.Details.Type, entry.Details.Minutes.ToString(CultureInfo.InvariantCulture));
        (form["earliest"], form["latest"]) = (entry.Earliest.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), entry.Latest?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "");
        (form["priority"], form["note"], form["version"]) = (entry.Priority.ToString(CultureInfo.InvariantCulture), entry.Details.Note ?? "", entry.Version.ToString(CultureInfo.InvariantCulture));
        foreach (var part in entry.Details.Parts) form["part." + part] = "true";
        return form;
    }

    private static async Task<IResult> Save(HttpContext http, Guid? id)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var wanted = new TypedWaiting(
            Guid.TryParse(form.GetValueOrDefault("practitionerId"), out var practitioner) ? practitioner : null, form.GetValueOrDefault("type"),
            form.GetValueOrDefault("minutes") is { Length: > 0 } text ? int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) ? minutes : 0 : null,
            form.GetValueOrDefault("earliest") is { Length: > 0 } earliest ? earliest : null, form.GetValueOrDefault("latest") is { Length: > 0 } latest ? latest : null,
            [.. WaitingCodes.Parts.Select(part => part.Value).Where(part => form.GetValueOrDefault("part." + part) == "true")],
            int.TryParse(form.GetValueOrDefault("priority"), NumberStyles.None, CultureInfo.InvariantCulture, out var priority) ? priority : 0, form.GetValueOrDefault("note"));
        Guid? patient = Guid.TryParse(form.GetValueOrDefault("patientId"), out var known) ? known : null;
        var saved = id is null ? await http.Run(new AddWaiting(patient, wanted)) : await http.Run(new ChangeWaiting(id.Value, wanted, ScheduleSettingsPages.Version(form)));
        if (saved.Error is not { } error) return http.SeeOther(Home, id is null ? "Put on the waiting list." : "The entry is saved.");
        if (ScheduleSettingsPages.ErrorsOf(error, Fields) is not { } errors) return await AccountPages.Failed(http, error, Home);
        WaitingEntry? entry = null;
        if (id is not null)
        {
            var now = await http.Run(new ViewWaiting(id.Value));
            if (now.Error is { } gone) return await http.PageError(gone);
            entry = now.Value;
        }
        return await Form(http, entry, entry?.PatientId ?? patient ?? default, form, errors);
    }

    private static async Task<IResult> Book(HttpContext http, Guid id)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var entry = await http.Run(new ViewWaiting(id));
        if (entry.Error is { } gone) return await AccountPages.Failed(http, gone, Home);
        Guid? practitioner = Guid.TryParse(form.GetValueOrDefault("practitionerId"), out var known) ? known : null;
        var booked = await http.Run(new BookAppointment(entry.Value.PatientId, new(practitioner, entry.Value.Details.Type, form.GetValueOrDefault("startsAt"), Minutes: entry.Value.Details.Minutes), id));
        if (http.IsDialog()) return booked.Error is { } refused ? await http.PageError(refused) : http.Done(booked.Value, "Booked, and taken off the waiting list.", null);
        return booked.Error is { } error ? await AccountPages.Failed(http, error, Home) : http.SeeOther(Home, "Booked, and taken off the list.");
    }
}
