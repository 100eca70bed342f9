using Chaperone.Clinic.Schedule.Feeds;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.Schedule.Series;
using Chaperone.Clinic.Schedule.Waiting;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Postgres;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Schedule;

/// <summary>Appointments: who sees whom, when, and what became of it. Needs accounts and the register of patients.</summary>
public static class ScheduleFeature
{
    /// <summary>Adds the schedule's table and places.</summary>
    public static IServiceCollection AddSchedule(this IServiceCollection services) => services
        .AddSingleton(new ModelPart(AppointmentRow.Model)).AddSingleton(new ModelPart(RotaTables.Model)).AddScoped<Diary>().AddScoped<RotaBook>().AddScoped<FreeTimes>().AddScoped<Clashes>().AddSingleton<CalendarFeeds>().AddSingleton<FeedLimit>().AddSingleton(new ModelPart(CalendarFeedRow.Model)).AddScoped<WaitingList>().AddSingleton(new ModelPart(WaitingRow.Model))
        .AddSingleton(new NavPlace(10, "/schedule", "Schedule", "calendar", Permission.ScheduleView, Except: [BuiltInRole.Patient.Code]))
        .AddSingleton(new NavPlace(11, "/schedule/mine", "My day", "stethoscope", Permission.ScheduleAttend, Except: [BuiltInRole.Owner.Code, BuiltInRole.Manager.Code, BuiltInRole.Reception.Code]))
        .AddSingleton(new NavPlace(11, "/schedule/mine", "My appointments", "calendar", Permission.ScheduleView, Except: [.. BuiltInRole.All.Select(role => role.Code).Where(code => code != BuiltInRole.Patient.Code)]))
        .AddSingleton(new NavPlace(12, WaitingPages.Home, "Waiting list", "hourglass", Permission.ScheduleEdit))
        .AddSingleton(new NavPlace(13, HoursPages.Home, "Hours and leave", "clock", Permission.ScheduleAttend))
        .AddSingleton(new NavPlace(885, ScheduleSettingsPages.Home, "Schedule settings", "calendar", Permission.SettingsEdit, "Settings"));

    /// <summary>Maps the schedule's pages and its API.</summary>
    public static IEndpointRouteBuilder MapSchedule(this IEndpointRouteBuilder endpoints)
    {
        ScheduleApi.Map(endpoints);
        RotaApi.Map(endpoints);
        SchedulePages.Map(endpoints);
        WaitingApi.Map(endpoints);
        WaitingPages.Map(endpoints);
        HoursPages.Map(endpoints);
        FeedEndpoints.Map(endpoints);
        ScheduleSettingsPages.Map(endpoints);
        return endpoints;
    }
}
