using System.Globalization;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.Schedule.Series;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Schedule;

/// <summary>One appointment's pages: what it is, moving and changing it, cancelling it, and what became of it.</summary>
internal static class AppointmentPages
{
    public static void Map(IEndpointRouteBuilder schedule)
    {
        var pages = schedule.MapGroup("appointments/{id:guid}");
        pages.MapGet("", View).Runs(typeof(ViewAppointmentSheet));
        pages.MapGet("edit", Edit).Runs(typeof(ViewAppointmentSheet), typeof(ListPractitioners), typeof(ListAppointmentTypes), typeof(ListRooms));
        pages.MapPost("edit", Change).Runs(typeof(ChangeAppointment), typeof(ChangeFollowing), typeof(ViewAppointmentSheet), typeof(ListPractitioners), typeof(ListAppointmentTypes), typeof(ListRooms));
        pages.MapPost("move", Move).Runs(typeof(MoveAppointment));
        pages.MapGet("cancel", AskCancel).Runs(typeof(ViewAppointmentSheet));
        pages.MapPost("cancel", Cancel).Runs(typeof(CancelAppointment), typeof(CancelFollowing), typeof(ViewAppointmentSheet));
        Step(pages, "arrive", "The arrival is recorded.", (id, version) => new ArriveAppointment(id, version));
        Step(pages, "start", "The appointment has started.", (id, version) => new StartAppointment(id, version));
        Step(pages, "complete", "The appointment is completed.", (id, version) => new CompleteAppointment(id, version));
        Step(pages, "no-show", "It is recorded that the patient did not come.", (id, version) => new MissAppointment(id, version));
        Step(pages, "undo", "That is undone.", (id, version) => new UndoAttendance(id, version));
    }

    private static async Task<IResult> View(HttpContext http, Guid id, string? back) => await Show(http, id, ScheduleRequest.Back(back));

    private static async Task<IResult> Show(HttpContext http, Guid id, string? back, Error? problem = null)
    {
        var sheet = await http.Run(new ViewAppointmentSheet(id));
        if (sheet.Error is { } error) return await http.PageError(error);
        var (today, now) = http.Clock();
        return await http.Page<AppointmentPage>(
            new
            {
                Sheet = sheet.Value, Today = today, Now = now, Back = back, BackHref = ScheduleRequest.BackHref(back, sheet.Value.Appointment), MayEdit = http.May(Permission.ScheduleEdit), MayBook = http.MayBook(),
                MayAttend = http.May(Permission.ScheduleAttend), IsPatient = http.Context().Actor.PatientId is not null, Problem = problem,
            }, problem?.Status ?? StatusCodes.Status200OK);
    }

    // What stands in the way of a step (somebody else was quicker, it is too early) is said with the appointment as it is now.
    private static void Step<TOperation>(IEndpointRouteBuilder pages, string verb, string said, Func<Guid, long?, TOperation> operation) where TOperation : IOperation<Appointment> =>
        pages.MapPost(verb, async (HttpContext http, Guid id) =>
        {
            if (await http.ReadForm() is not { } fields) return await http.PageError(PlatformErrors.Malformed);
            var back = ScheduleRequest.Back(fields.GetValueOrDefault("back"));
            var done = await http.Run<Appointment>(operation(id, new BookingForm(fields).Version));
            if (done.Succeeded) return http.Done(done.Value, said, back);
            return done.Error!.Status is StatusCodes.Status409Conflict or StatusCodes.Status412PreconditionFailed ? await Show(http, id, back, done.Error) : await http.PageError(done.Error);
        }).Runs(typeof(TOperation), typeof(ViewAppointmentSheet));

    private static async Task<IResult> Edit(HttpContext http, Guid id, string? back)
    {
        var sheet = await http.Run(new ViewAppointmentSheet(id));
        if ((sheet.Error ?? http.MayNot(Permission.ScheduleEdit)) is { } error) return await http.PageError(error);
        var item = sheet.Value.Appointment;
        if (item.Status is not (AppointmentStatus.Booked or AppointmentStatus.Arrived)) return http.SeeOther(DiaryText.AppointmentHref(id, ScheduleRequest.Back(back)), ScheduleErrors.WrongStatus.Title, Tone.Warning);
        return await EditPage(http, sheet.Value, BookingForm.Of(item), ScheduleRequest.Back(back));
    }

    private static async Task<IResult> Change(HttpContext http, Guid id)
    {
        if (await http.ReadForm() is not { } fields) return await http.PageError(PlatformErrors.Malformed);
        var (form, back) = (new BookingForm(fields), ScheduleRequest.Back(fields.GetValueOrDefault("back")));
        var changed = form.MeansFollowing ? await http.Run(new ChangeFollowing(id, form.ToWanted(), form.Version)) : await http.Run(new ChangeAppointment(id, form.ToWanted(), form.Version));
        if (changed.Succeeded) return http.Done(changed.Value, form.MeansFollowing ? "The appointment and those that follow are changed." : "The appointment is changed.", back);
        var error = changed.Error!;
        var stale = error.Code == PlatformErrors.Changed.Code || error.Code == PlatformErrors.PreconditionRequired.Code;
        if (!stale && !BookingForm.Concerns(error)) return await http.PageError(error);
        var now = await http.Run(new ViewAppointmentSheet(id));
        if (now.Error is { } gone) return await http.PageError(gone);
        if (now.Value.Appointment.Status is not (AppointmentStatus.Booked or AppointmentStatus.Arrived)) return await Show(http, id, back, error);
        // After a stale save the form carries the newest version: sending it again is a decision, made with what is stored in view.
        return stale
            ? await EditPage(http, now.Value, form.With(("version", now.Value.Appointment.Version.ToString(CultureInfo.InvariantCulture))), back, stale: true, status: error.Status)
            : await EditPage(http, now.Value, form, back, BookingForm.ErrorsOf(error), status: error.Status);
    }

    private static async Task<IResult> EditPage(HttpContext http, AppointmentSheet sheet, BookingForm form, string? back, FormErrors? errors = null, bool stale = false, int status = StatusCodes.Status200OK)
    {
        var practitioners = await http.Run(new ListPractitioners());
        if (practitioners.Error is { } refused) return await http.PageError(refused);
        var types = await http.Run(new ListAppointmentTypes());
        if (types.Error is { } unsorted) return await http.PageError(unsorted);
        IReadOnlyList<AppointmentType> sorts = sheet.Type is { Active: false } retired ? [.. types.Value, retired] : types.Value;   // what it is already stays a choice
        var rooms = await http.Run(new ListRooms());
        if (rooms.Error is { } unplaced) return await http.PageError(unplaced);
        // Whoever has it now stays a choice, also when nobody new can be booked with them.
        var item = sheet.Appointment;
        IReadOnlyList<Practitioner> choices = practitioners.Value.Any(one => one.Id == item.PractitionerId) ? practitioners.Value : [.. practitioners.Value, new(item.PractitionerId, sheet.Practitioner, null, [])];
        return await http.Page<AppointmentEditPage>(
            new { Item = item, Form = form, Practitioners = choices, Types = sorts, Rooms = rooms.Value, Back = back, Errors = errors, Stored = stale ? form.DifferencesFrom(item, choices, sorts, rooms.Value) : null }, status);
    }

    // What dragging sends: the schedule's script reads the problem, a form without script a page.
    private static async Task<IResult> Move(HttpContext http, Guid id)
    {
        if (await http.ReadForm() is not { } fields) return await http.PageError(PlatformErrors.Malformed);
        var form = new BookingForm(fields);
        var moved = await http.Run(new MoveAppointment(id, form.Practitioner, form.StartsAt, form.Minutes, form.ConfirmsOutsideHours, form.Version));
        if (moved.Succeeded) return http.Done(moved.Value, "The appointment is moved.", ScheduleRequest.Back(form["back"]));
        return http.IsDialog() ? Problem.Of(moved.Error!) : await http.PageError(moved.Error!);
    }

    private static async Task<IResult> AskCancel(HttpContext http, Guid id, string? back)
    {
        var sheet = await http.Run(new ViewAppointmentSheet(id));
        return (sheet.Error ?? http.MayNot(Permission.ScheduleEdit)) is { } error ? await http.PageError(error) : await http.Page<AppointmentCancelPage>(new { Sheet = sheet.Value, Back = ScheduleRequest.Back(back) });
    }

    private static async Task<IResult> Cancel(HttpContext http, Guid id)
    {
        if (await http.ReadForm() is not { } fields) return await http.PageError(PlatformErrors.Malformed);
        var (form, back) = (new BookingForm(fields), ScheduleRequest.Back(fields.GetValueOrDefault("back")));
        var cancelled = form.MeansFollowing ? await http.Run(new CancelFollowing(id, form["reason"], form["note"], form.Version)) : await http.Run(new CancelAppointment(id, form["reason"], form["note"], form.Version));
        if (cancelled.Succeeded) return http.Done(cancelled.Value, form.MeansFollowing ? "The appointment and those that follow are cancelled." : "The appointment is cancelled; its time is free.", back);
        var error = cancelled.Error!;
        if (error.Status is StatusCodes.Status409Conflict or StatusCodes.Status412PreconditionFailed) return await Show(http, id, back, error);
        if (error.Fields.Count == 0) return await http.PageError(error);
        var sheet = await http.Run(new ViewAppointmentSheet(id));
        return sheet.Error is { } gone ? await http.PageError(gone)
            : await http.Page<AppointmentCancelPage>(new { Sheet = sheet.Value, Back = back, Reason = form["reason"], Note = form["note"], Following = form.MeansFollowing, Errors = BookingForm.ErrorsOf(error) }, error.Status);
    }
}
