using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Chaperone.Platform.Ledger;

/// <summary>Puts the log into a container.</summary>
public static class LedgerServices
{
    /// <summary>Adds appender, sequencer and what reads and verifies the log. Needs <see cref="Databases"/>, <see cref="KeyRing"/> and <see cref="TimeProvider"/>.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="installation">The installation's id, the first part of every log's origin.</param>
    /// <param name="checkpointFolder">Where the newest signed checkpoints are kept outside the database: <c>&lt;data&gt;/checkpoints</c>.</param>
    public static IServiceCollection AddChaperoneLedger(this IServiceCollection services, Guid installation, string checkpointFolder) => services
        .AddSingleton(provider => KeysOf(provider.GetRequiredService<KeyRing>()))
        .AddSingleton(new CheckpointFile(checkpointFolder))
        .AddSingleton<LedgerAppender>()
        .AddSingleton(provider => new Sequencer(
            provider.GetRequiredService<Databases>(), provider.GetRequiredService<LogKeys>(), provider.GetRequiredService<CheckpointFile>(), installation,
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<Sequencer>>()))
        .AddHostedService(provider => provider.GetRequiredService<Sequencer>());

    /// <summary>The log's view of a key ring.</summary>
    public static LogKeys KeysOf(KeyRing ring) => new(ring.AuditKeyAsync, ring.LogSignerAsync, (tenant, cancel) => ring.BlindIndexAsync(tenant, "ip", cancel));
}
