using Chaperone.Clinic.Mail;
using Chaperone.Clinic.Shell;
using Chaperone.Platform;
using Chaperone.Platform.Access;
using Chaperone.Platform.Jobs;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Postgres;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Chaperone.Clinic.Witnesses;

/// <summary>Who outside the installation guards the clinic's log, and the checkpoints that go to its owners. Needs mail and the ledger's services.</summary>
public static class WitnessFeature
{
    /// <summary>Adds tables, runner, recurring work, and its place in the navigation. What the operator has set comes as <see cref="WitnessSettings"/>; without it nothing is.</summary>
    public static IServiceCollection AddWitnesses(this IServiceCollection services)
    {
        services.TryAddSingleton(WitnessSettings.None);
        services.TryAddSingleton(provider => new OutsideNetworks(provider.GetRequiredService<WitnessSettings>().Networks));
        return services
            .AddSingleton(new ModelPart(WitnessRow.Model)).AddSingleton(new ModelPart(WitnessQuorumRow.Model))
            .AddSingleton(provider => new WitnessClient(provider.GetRequiredService<OutsideNetworks>()))
            .AddSingleton<WitnessBell>().AddSingleton<WitnessRunner>().AddHostedService(provider => provider.GetRequiredService<WitnessRunner>())
            .AddSingleton(provider => new WitnessTestTurns(new TestMailTurns(provider.GetRequiredService<TimeProvider>())))
            .AddSingleton<LogAlarms>().AddHostedService(provider => provider.GetRequiredService<LogAlarms>())
            .AddScoped<Guards>()
            .AddSingleton(new NavPlace(905, WitnessPages.Home, "Witnesses", "shield-check", Permission.SecurityManage, NavPlace.Security))
            .AddSingleton(provider => new RecurringWork("witness", TimeSpan.FromMinutes(1), provider.GetRequiredService<WitnessRunner>().SweepAsync))
            .AddSingleton<CheckpointMails>().AddSingleton(provider => new RecurringWork("checkpoint-mail", CheckpointMails.Every, provider.GetRequiredService<CheckpointMails>().SendAllAsync));
    }

    /// <summary>Maps its API and pages.</summary>
    public static IEndpointRouteBuilder MapWitnesses(this IEndpointRouteBuilder routes)
    {
        WitnessApi.Map(routes);
        WitnessPages.Map(routes);
        return routes;
    }
}
