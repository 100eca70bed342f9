using Chaperone.Clinic.Mail.Smtp;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Jobs;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Mail;

/// <summary>The clinic's mail: settings, queue, sending. Needs a <see cref="ClinicAddress"/>.</summary>
public static class MailFeature
{
    /// <summary>Adds tables, queue, runner, and its place in the navigation.</summary>
    public static IServiceCollection AddMail(this IServiceCollection services) => services
        .AddSingleton(new ModelPart(MailMessageRow.Model))
        .AddSingleton<MailBell>().AddSingleton<MailQueue>().AddSingleton<TestMailTurns>().AddSingleton(SmtpPatience.Usual).AddSingleton<SmtpDelivery>()
        .AddSingleton<MailRunner>().AddHostedService(provider => provider.GetRequiredService<MailRunner>())
        .AddSingleton<AttemptAlerts>().AddHostedService(provider => provider.GetRequiredService<AttemptAlerts>())
        .AddSingleton(provider => new DenialAlarm(provider.GetRequiredService<AttemptAlerts>().Raise))
        .AddSingleton(new NavPlace(896, MailPages.Home, "Mail", "mail", Permission.SettingsEdit, "Settings"))
        .AddSingleton(provider => new RecurringWork("mail", TimeSpan.FromMinutes(1), provider.GetRequiredService<MailRunner>().SweepAsync));

    /// <summary>Maps its API and pages.</summary>
    public static IEndpointRouteBuilder MapMail(this IEndpointRouteBuilder routes)
    {
        MailApi.Map(routes);
        MailPages.Map(routes);
        return routes;
    }
}
