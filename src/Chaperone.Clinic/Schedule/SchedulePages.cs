using System.Globalization;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Schedule;

/// <summary>The schedule's pages to look at: the day, a practitioner's week, one's own day. What is done to appointments is in <see cref="BookingPages"/> and <see cref="AppointmentPages"/>.</summary>
internal static class SchedulePages
{
    /// <summary>How many days a patient sees ahead.</summary>
    private const int DaysAhead = 61;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var pages = endpoints.MapGroup("/schedule").ExcludeFromDescription();
        pages.MapGet("", Day).Runs(typeof(ViewSchedule));
        pages.MapGet("week", Week).Runs(typeof(ViewSchedule));
        pages.MapGet("mine", Mine).Runs(typeof(ViewSchedule));
        pages.MapGet("stamp", Stamp).Runs(typeof(WatchSchedule)).InBackground();
        BookingPages.Map(pages);
        AppointmentPages.Map(pages);
    }

    private static async Task<IResult> Day(HttpContext http, string? day, string? practitioner, string? cancelled)
    {
        if (http.Context().Actor.PatientId is not null) return http.SeeOther("/schedule/mine");
        if (Read(http, day, practitioner) is not var (shown, who)) return await http.PageError(ScheduleErrors.BadSpan);
        var view = await http.Run(new ViewSchedule(shown, shown, who));
        if (view.Error is { } error) return await http.PageError(error);
        var items = Visible(view.Value.Appointments, cancelled == "true").ToLookup(item => item.PractitionerId);
        var columns = view.Value.Practitioners
            .Where(one => (who is null || one.Id == who) && (items[one.Id].Any() || view.Value.Bookable.Contains(one.Id)))
            .Select(one => new DiaryColumn(one.Id, shown, one.Name, one.Title, DiaryText.WeekHref(one.Id, shown), [.. items[one.Id]]) { Shades = view.Value.Shades.GetValueOrDefault((one.Id, shown), []), Colour = one.Colour });
        return await http.Page<DiaryPage>(new { Model = Model(http, view.Value, shown, shown, shown, who, [.. columns]) with { ShowsCancelled = cancelled == "true" } });
    }

    private static async Task<IResult> Week(HttpContext http, string? day, string? practitioner, string? days)
    {
        if (http.Context().Actor.PatientId is not null) return http.SeeOther("/schedule/mine");
        if (Read(http, day, practitioner) is not var (shown, who)) return await http.PageError(ScheduleErrors.BadSpan);
        var whose = who ?? http.Context().Actor.Id ?? Guid.Empty;
        var length = days == "7" ? 7 : 5;
        var first = shown.AddDays(-(((int)shown.DayOfWeek + 6) % 7));
        if (length == 5 && shown.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday) length = 7;
        var view = await http.Run(new ViewSchedule(first, first.AddDays(length - 1), whose));
        if (view.Error is { } error) return await http.PageError(error);
        if (view.Value.Practitioners.All(one => one.Id != whose))
            return who is null && view.Value.Practitioners is [var one, ..] ? http.SeeOther(DiaryText.WeekHref(one.Id, shown, length)) : await http.PageError(PlatformErrors.NotFound);
        var items = Visible(view.Value.Appointments, false).ToLookup(item => DateOnly.FromDateTime(item.StartsAt.DateTime) is var begins && begins < first ? first : begins);   // what began before reaches in
        var columns = Enumerable.Range(0, length).Select(first.AddDays)
            .Select(date => new DiaryColumn(whose, date, date.ToString("ddd d MMM", CultureInfo.InvariantCulture), null, DiaryText.DayHref(date), [.. items[date]]) { Shades = view.Value.Shades.GetValueOrDefault((whose, date), []) });
        return await http.Page<DiaryPage>(new { Model = Model(http, view.Value, shown, first, first.AddDays(length - 1), whose, [.. columns]) with { IsWeek = true, Days = length } });
    }

    private static async Task<IResult> Mine(HttpContext http, string? day)
    {
        if (Read(http, day, null) is not var (shown, _)) return await http.PageError(ScheduleErrors.BadSpan);
        var (actor, today, now) = (http.Context().Actor, http.Clock().Today, http.Clock().Now);
        if (actor.PatientId is not null)
        {
            var own = await http.Run(new ViewSchedule(today, today.AddDays(DaysAhead)));
            return own.Error is { } refused ? await http.PageError(refused) : await http.Page<OwnAppointmentsPage>(new { View = own.Value, Last = today.AddDays(DaysAhead) });
        }
        var view = await http.Run(new ViewSchedule(shown, shown, actor.Id));
        if (view.Error is { } error) return await http.PageError(error);
        return await http.Page<MinePage>(new { View = view.Value, Day = shown, Today = today, Now = now, Me = actor.Id!.Value, MayAttend = http.May(Permission.ScheduleAttend) });
    }

    private static async Task<IResult> Stamp(HttpContext http, string? first, string? last, string? practitioner)
    {
        if (Read(http, first, practitioner) is not var (from, whose) || Read(http, last, null) is not var (to, _)) return await http.PageError(ScheduleErrors.BadSpan);
        var stamp = await http.Run(new WatchSchedule(from, to, whose));
        return stamp.Error is { } error ? await http.PageError(error) : Results.Json(new { stamp = stamp.Value });
    }

    private static DiaryModel Model(HttpContext http, ScheduleView view, DateOnly day, DateOnly first, DateOnly last, Guid? practitioner, IReadOnlyList<DiaryColumn> columns)
    {
        var (today, now) = http.Clock();
        return new()
        {
            View = view,
            Day = day,
            First = first,
            Last = last,
            Today = today,
            Now = now,
            Practitioner = practitioner,
            Columns = columns,
            MayEdit = http.May(Permission.ScheduleEdit),
            MayBook = http.MayBook(),
            IsPractitioner = view.Practitioners.Any(one => one.Id == http.Context().Actor.Id),
        };
    }

    private static IEnumerable<Appointment> Visible(IEnumerable<Appointment> all, bool cancelled) => all.Where(item => cancelled || item.Status != AppointmentStatus.Cancelled);

    // The day asked for, today where none is; the practitioner where one is. Null for what is neither.
    private static (DateOnly Day, Guid? Practitioner)? Read(HttpContext http, string? day, string? practitioner)
    {
        var shown = string.IsNullOrEmpty(day) ? http.Clock().Today : ClinicTime.ParseDay(day);
        if (shown is not { } date) return null;
        if (string.IsNullOrEmpty(practitioner)) return (date, null);
        return Guid.TryParse(practitioner, out var id) ? (date, id) : null;
    }
}

/// <summary>What the schedule's pages ask of a request.</summary>
internal static class ScheduleRequest
{
    /// <summary>Today and now on the clinic's clock.</summary>
    public static (DateOnly Today, DateTime Now) Clock(this HttpContext http)
    {
        var now = TimeZoneInfo.ConvertTime(http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow(), ClinicTime.ZoneOf(http.Context().Tenant!)).DateTime;
        return (DateOnly.FromDateTime(now), now);
    }

    /// <summary>Whether booking is offered: a patient must be found for it.</summary>
    public static bool MayBook(this HttpContext http) => http.May(Permission.ScheduleEdit) && http.May(Permission.PatientView);

    /// <summary>What was asked is done: a dialog is told what to say and which appointment it was, a form without script is sent on.</summary>
    public static IResult Done(this HttpContext http, Appointment appointment, string said, string? back)
    {
        var waiting = http.May(Permission.ScheduleEdit) && http.May(Permission.PatientView) ? appointment.WaitingFits ?? 0 : 0;
        if (waiting > 0) said += waiting == 1 ? " Somebody on the waiting list could take the time." : $" {waiting} on the waiting list could take the time.";
        var day = DateOnly.FromDateTime(appointment.StartsAt.DateTime);
        if (http.IsDialog())
            return Results.Json(new { id = appointment.Id, version = appointment.Version, day = DiaryText.Iso(day), said, waiting, practitioner = appointment.PractitionerId, from = AppointmentBody.Iso(appointment.StartsAt), to = AppointmentBody.Iso(appointment.EndsAt), status = appointment.Status });
        return http.SeeOther(BackHref(back, appointment), said);
    }

    public static bool IsDialog(this HttpContext http) => http.Request.Headers.ContainsKey(PageResults.DialogHeader);

    /// <summary>Where an appointment's page leads back to.</summary>
    public static string BackHref(string? back, Appointment appointment)
    {
        var day = DateOnly.FromDateTime(appointment.StartsAt.DateTime);
        return back switch
        {
            "mine" => $"/schedule/mine?day={DiaryText.Iso(day)}",
            "week" => DiaryText.WeekHref(appointment.PractitionerId, day),
            _ => DiaryText.DayHref(day),
        };
    }

    /// <summary>One of the places an appointment can be opened from; null for the day and for anything else that was sent.</summary>
    public static string? Back(string? sent) => sent is "mine" or "week" ? sent : null;
}
