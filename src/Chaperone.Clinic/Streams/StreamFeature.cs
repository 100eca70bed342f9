using Chaperone.Clinic.Mail;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.Streams.Receivers;
using Chaperone.Platform.Access;
using Chaperone.Platform.Jobs;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Chaperone.Clinic.Streams;

/// <summary>The clinic's log on its way to receivers outside. Needs the log's pages, mail, and what witnesses bring about networks.</summary>
public static class StreamFeature
{
    /// <summary>Adds tables, runner, recurring work, and its place in the navigation.</summary>
    public static IServiceCollection AddStreams(this IServiceCollection services)
    {
        services.TryAddSingleton(ReceiverPatience.Usual);
        return services
            .AddSingleton(new ModelPart(StreamRow.Model))
            .AddScoped<ClinicSlices>()
            .AddSingleton<NodeTurns>().AddSingleton<ReceiverMaker>()
            .AddSingleton<StreamBell>().AddSingleton<StreamRunner>().AddHostedService(provider => provider.GetRequiredService<StreamRunner>())
            .AddSingleton(provider => new StreamTestTurns(new TestMailTurns(provider.GetRequiredService<TimeProvider>())))
            .AddSingleton(new NavPlace(915, StreamPages.Home, "Log streams", "broadcast", Permission.AuditStream, NavPlace.Security))
            .AddSingleton(provider => new RecurringWork("streams", TimeSpan.FromMinutes(1), provider.GetRequiredService<StreamRunner>().SweepAsync));
    }

    /// <summary>Maps its API and pages.</summary>
    public static IEndpointRouteBuilder MapStreams(this IEndpointRouteBuilder routes)
    {
        StreamApi.Map(routes);
        StreamPages.Map(routes);
        return routes;
    }
}
