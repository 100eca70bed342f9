using System.Globalization;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.Schedule.Series;
using Chaperone.Clinic.Schedule.Waiting;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Schedule;

/// <summary>Booking: the page, finding the patient, finding a free time.</summary>
internal static class BookingPages
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.Get("book", Show).Runs(typeof(ListPractitioners), typeof(ListAppointmentTypes), typeof(ListRooms), typeof(ViewPatient));
        pages.Post("book", Book).Runs(typeof(BookAppointment), typeof(BookRepeats), typeof(ListPractitioners), typeof(ListAppointmentTypes), typeof(ListRooms));
        pages.Post("book/find", Find).Runs(typeof(FindPatients));
        pages.MapGet("offers", Offers).Runs(typeof(OffersFor), typeof(ListAppointmentTypes));
        pages.Post("book/free", Free).Runs(typeof(FindFreeSlots), typeof(ListPractitioners), typeof(ListAppointmentTypes), typeof(ListRooms));
    }

    private static async Task<IResult> Show(HttpContext http)
    {
        if ((http.MayNot(Permission.ScheduleEdit) ?? http.MayNot(Permission.PatientView)) is { } refused) return await http.PageError(refused);
        var form = OfQuery(http);
        if (form["date"].Length == 0) form = form.With(("date", DiaryText.Iso(http.Clock().Today)));
        if (form.Patient is not { } chosen) return await Page(http, form);
        var patient = await http.Run(new ViewPatient(chosen));
        if (patient.Error is { } error) return await http.PageError(error);
        if (patient.Value.IsArchived) return await Page(http, form.With(("patientId", null)), archived: chosen);
        return await Page(http, form.With(("patientLabel", Label(patient.Value))));
    }

    private static async Task<IResult> Book(HttpContext http)
    {
        if (await http.ReadForm() is not { } fields) return await http.PageError(PlatformErrors.Malformed);
        var form = new BookingForm(fields);
        Error error;
        if (form.Repeats)
        {
            var series = await http.Run(new BookRepeats(form.Patient, form.ToWanted(), form.ToRepeat(), form["skipClashes"] == "true"));
            if (series.Succeeded) return http.Done(series.Value.Appointments[0], Said(series.Value), null);
            error = series.Error!;
        }
        else
        {
            var booked = await http.Run(new BookAppointment(form.Patient, form.ToWanted()));
            if (booked.Succeeded) return http.Done(booked.Value, "The appointment is booked.", null);
            error = booked.Error!;
        }
        if (!BookingForm.Concerns(error)) return await http.PageError(error);
        if (error.Code == ScheduleErrors.PatientArchived.Code) return await Page(http, form.With(("patientId", null)), archived: form.Patient, status: error.Status);
        return await Page(http, form, BookingForm.ErrorsOf(error, skips: true), status: error.Status);
    }

    private static string Said(BookedSeries series) =>
        $"{series.Appointments.Count} {(series.Appointments.Count == 1 ? "appointment is" : "appointments are")} booked{(series.Skipped.Count > 0 ? $", {series.Skipped.Count} left out" : "")}.";

    private static async Task<IResult> Find(HttpContext http)
    {
        if (await http.ReadForm() is not { } fields) return await http.PageError(PlatformErrors.Malformed);
        if (http.MayNot(Permission.ScheduleEdit) is { } refused) return await http.PageError(refused);
        var text = fields.GetValueOrDefault("text", "");
        var found = await http.Run(new FindPatients(text));
        if (found.Error is { } error && error.Code != PatientErrors.NothingToFind.Code) return await http.PageError(error);
        return await http.Page<BookFindPage>(new { Form = OfQuery(http), Found = found.Succeeded ? found.Value : null, Text = text, Problem = found.Error?.Next });
    }

    // Looks for free times; or takes over the one that was picked, which books nothing yet.
    private static async Task<IResult> Free(HttpContext http)
    {
        if (await http.ReadForm() is not { } fields) return await http.PageError(PlatformErrors.Malformed);
        if (http.MayNot(Permission.ScheduleEdit) is { } refused) return await http.PageError(refused);
        var form = new BookingForm(fields);
        if (form["slot"].Split('|') is [var who, var when] && when.Split('T') is [var day, var clock])
            return await Page(http, form.With(("practitionerId", who), ("date", day), ("time", clock)));
        // From what was typed on, where that is a time; a day alone is looked through from its beginning.
        var from = form["date"].Length == 0 ? null : form["time"].Length > 0 ? form.StartsAt : $"{form["date"]}T00:00";
        var free = await http.Run(new FindFreeSlots(form.Practitioner?.ToString(), form["type"] is { Length: > 0 } type ? type : null, form.Minutes, from, form.Room?.ToString()));
        if (free.Error is { } error) return BookingForm.Concerns(error) ? await Page(http, form, BookingForm.ErrorsOf(error), status: error.Status) : await http.PageError(error);
        return await Page(http, form, slots: free.Value);
    }

    // Who on the waiting list could take a time that is free now.
    private static async Task<IResult> Offers(HttpContext http, string? practitioner, string? startsAt, string? endsAt)
    {
        var offers = await http.Run(new OffersFor(practitioner, startsAt, endsAt));
        if (offers.Error is { } error) return await http.PageError(error);
        var types = await http.Run(new ListAppointmentTypes(Retired: true));
        return types.Error is { } unsorted ? await http.PageError(unsorted) : await http.Page<OffersPage>(new { Entries = offers.Value, Types = types.Value });
    }

    private static async Task<IResult> Page(HttpContext http, BookingForm form, FormErrors? errors = null, IReadOnlyList<FreeSlot>? slots = null, Guid? archived = null, int status = StatusCodes.Status200OK)
    {
        var practitioners = await http.Run(new ListPractitioners());
        if (practitioners.Error is { } refused) return await http.PageError(refused);
        var types = await http.Run(new ListAppointmentTypes());
        if (types.Error is { } unsorted) return await http.PageError(unsorted);
        var rooms = await http.Run(new ListRooms());
        if (rooms.Error is { } unplaced) return await http.PageError(unplaced);
        return await http.Page<BookPage>(new { Form = form, Practitioners = practitioners.Value, Types = types.Value, Rooms = rooms.Value, Slots = slots, Errors = errors, Archived = archived }, status);
    }

    private static BookingForm OfQuery(HttpContext http)
    {
        string Asked(string name) => http.Request.Query[name].LastOrDefault() is { Length: <= 64 } text ? text : "";
        return new BookingForm(new Dictionary<string, string>()).With(
            ("patientId", Guid.TryParse(Asked("patient"), out var patient) ? patient.ToString() : null), ("practitionerId", Guid.TryParse(Asked("practitioner"), out var who) ? who.ToString() : null),
            ("type", Asked("type")), ("date", ClinicTime.ParseDay(Asked("date")) is { } day ? DiaryText.Iso(day) : null),
            ("time", TimeOnly.TryParseExact(Asked("time"), "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? Asked("time") : null),
            ("minutes", int.TryParse(Asked("minutes"), NumberStyles.None, CultureInfo.InvariantCulture, out _) ? Asked("minutes") : null));
    }

    internal static string Label(Patient patient)
    {
        var name = PatientText.Name(patient.Details.FamilyName, patient.Details.GivenNames, patient.Details.Prefix);
        return patient.Details.DateOfBirth is { } born ? $"{name}, {PatientText.Date(born)}" : name;
    }
}
