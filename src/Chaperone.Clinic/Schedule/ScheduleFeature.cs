using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Platform.Postgres;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Schedule;

/// <summary>Appointments: who sees whom, when, and what became of it. Needs accounts and the register of patients.</summary>
public static class ScheduleFeature
{
    /// <summary>Adds the schedule's table.</summary>
    public static IServiceCollection AddSchedule(this IServiceCollection services) => services
        .AddSingleton(new ModelPart(AppointmentRow.Model)).AddSingleton(new ModelPart(RotaTables.Model)).AddScoped<Diary>().AddScoped<RotaBook>().AddScoped<FreeTimes>();

    /// <summary>Maps the schedule's API.</summary>
    public static IEndpointRouteBuilder MapSchedule(this IEndpointRouteBuilder endpoints)
    {
        ScheduleApi.Map(endpoints);
        RotaApi.Map(endpoints);
        return endpoints;
    }
}
