using Chaperone.Clinic.AuditLog.Auditors;
using Chaperone.Clinic.AuditLog.Proving;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.Witnesses;
using Chaperone.Platform.Access;
using Chaperone.Platform.Jobs;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.AuditLog;

/// <summary>Reading and exporting the clinic's log. Needs the accounts of <see cref="SignIn.SignInFeature"/> and the ledger's services.</summary>
public static class AuditLogFeature
{
    /// <summary>Where the page is.</summary>
    internal const string Path = "/settings/audit-log";

    /// <summary>Adds its place in the navigation, and what every page says when the log does not verify.</summary>
    public static IServiceCollection AddAuditLog(this IServiceCollection services) => services
        .AddSingleton(new ModelPart(LogViewRow.Model)).AddSingleton(new ModelPart(LogTailRow.Model))
        .AddSingleton<SilentTails>().AddSingleton(provider => new RecurringWork("tails", SilentTails.Every, provider.GetRequiredService<SilentTails>().EndAllAsync))
        .AddScoped<ClinicLog>()
        .AddScoped<ClinicEvidence>()
        .AddScoped<LogReaders>()
        .AddSingleton<LogReadings>()
        .AddSingleton(new ModelPart(LogPublicationRow.Model))
        .AddSingleton(new NavPlace(910, Path, "Audit log", "history", Permission.AuditView, NavPlace.Security))
        .AddSingleton(provider => new IntegrityOfRequest(clinic => Notice(
            provider.GetRequiredService<IntegrityCheck>().StateOf(clinic.Id), provider.GetRequiredService<Sequencer>().RefusalOf(clinic.Id),
            provider.GetService<WitnessRunner>()?.HasObjection(clinic.Id) == true)));

    /// <summary>Maps its API and pages.</summary>
    public static void MapAuditLog(IEndpointRouteBuilder routes)
    {
        AuditApi.Map(routes);
        AuditPages.Map(routes);
        LogViewEndpoints.Map(routes);
        ProofEndpoints.Map(routes);
        AuditorsEndpoints.Map(routes);
        LogAddress.Map(routes);
    }

    private static IntegrityNotice? Notice(IntegrityState? state, string? refusal, bool objection) => (state, refusal) switch
    {
        ({ Good: false, What: var what }, _) => new(what ?? "The last verification failed.", Path + "/integrity"),
        (_, { } why) => new(why, Path + "/integrity"),
        _ when objection => new(WitnessErrors.Objects.Title, Path + "/integrity"),
        _ => null,
    };
}
