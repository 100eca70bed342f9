using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Chaperone.Platform.Ledger;

/// <summary>Puts the log into a container.</summary>
public static class LedgerServices
{
    /// <summary>Adds appender, sequencer, the hourly check, and what reads and verifies the log. Needs <see cref="Databases"/>, <see cref="KeyRing"/>, <see cref="TenantDirectory"/> and <see cref="TimeProvider"/>.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="installation">The installation's id, the first part of every log's origin.</param>
    /// <param name="checkpointFolder">Where the newest signed checkpoints are kept outside the database: <c>&lt;data&gt;/checkpoints</c>.</param>
    public static IServiceCollection AddChaperoneLedger(this IServiceCollection services, Guid installation, string checkpointFolder) => services
        .AddSingleton(provider => KeysOf(provider.GetRequiredService<KeyRing>()))
        .AddSingleton(new CheckpointFile(checkpointFolder))
        .AddSingleton<LedgerAppender>()
        .AddSingleton<GroupAppender>()
        .AddSingleton(provider => new Sequencer(
            provider.GetRequiredService<Databases>(), provider.GetRequiredService<LogKeys>(), provider.GetRequiredService<CheckpointFile>(), installation,
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<Sequencer>>()))
        .AddHostedService(provider => provider.GetRequiredService<Sequencer>())
        .AddSingleton(provider => new DatabaseVerifier(
            provider.GetRequiredService<Databases>(), provider.GetRequiredService<LogKeys>(), provider.GetRequiredService<CheckpointFile>(), installation, provider.GetRequiredService<TimeProvider>()))
        .AddSingleton<LedgerReader>()
        .AddSingleton(provider => new LedgerBundle(
            provider.GetRequiredService<LogKeys>(), provider.GetRequiredService<Sequencer>(), installation, provider.GetRequiredService<TimeProvider>()))
        .AddSingleton(provider => new LedgerEvidence(provider.GetRequiredService<LogKeys>(), provider.GetRequiredService<Sequencer>(), installation))
        .AddSingleton<LedgerSlices>()
        .AddSingleton(provider => new LedgerSelection(provider.GetRequiredService<LogKeys>(), provider.GetRequiredService<LedgerEvidence>(), installation))
        .AddSingleton<Witnessing>()
        .AddSingleton<LogRetention>()
        .AddSingleton<IntegrityCheck>()
        .AddHostedService(provider => provider.GetRequiredService<IntegrityCheck>());

    /// <summary>The log's view of a key ring.</summary>
    public static LogKeys KeysOf(KeyRing ring) => new(ring.AuditKeyAsync, ring.LogSignerAsync, (tenant, cancel) => ring.BlindIndexAsync(tenant, "ip", cancel));
}
