using System.Globalization;
using System.Threading.Channels;
using Chaperone.Clinic.Mail;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chaperone.Clinic.Witnesses;

/// <summary>Has the security contacts told that the log or records are not what was signed: once a day at most, however often it is found and by however many nodes.</summary>
internal sealed record AlertOfLog : IOperation<bool>
{
    public static Policy Policy { get; } = Policy.Unlogged("queues a warning; what was found is an event, and so is what came of the mail").ForSystem("the log is verified by the system");
}

internal sealed class AlertOfLogHandler(MailQueue mail) : IHandler<AlertOfLog, bool>
{
    public async Task<Result<bool>> Handle(AlertOfLog request, OperationScope scope, CancellationToken cancel)
    {
        scope.OnConflict("mail_message_group", PlatformErrors.Conflict);   // another node was faster
        return await mail.AlertOnceAsync(scope, LogMails.NotAsSigned, null, new("/settings/audit-log/integrity", scope.Now), $"log/{scope.Now.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture)}", cancel);
    }
}

/// <summary>Hears of logs that do not verify, or whose tree does not continue what was signed, and passes it on.</summary>
internal sealed class LogAlarms(ReferenceMonitor monitor, TenantDirectory clinics, IntegrityCheck integrity, Sequencer sequencer, ILogger<LogAlarms> log) : BackgroundService
{
    private static readonly CallSource Source = new("job", "log-alarms");
    private readonly Channel<Guid> raised = Channel.CreateBounded<Guid>(new BoundedChannelOptions(1000) { FullMode = BoundedChannelFullMode.DropWrite });

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        integrity.Alarm = (tenant, _) => raised.Writer.TryWrite(tenant);
        sequencer.Alarm = (tenant, _) => raised.Writer.TryWrite(tenant);
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var tenant in raised.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                if (await clinics.GetAsync(tenant, stoppingToken) is { } clinic) await monitor.Run(new AlertOfLog(), new(clinic, Actor.System, Source), stoppingToken);
            }
            catch (Exception failed) when (!stoppingToken.IsCancellationRequested)
            {
                log.LogWarning("A warning about a log could not be queued ({Fault}); the next verification comes by itself.", failed.GetType().Name);
            }
        }
    }
}
