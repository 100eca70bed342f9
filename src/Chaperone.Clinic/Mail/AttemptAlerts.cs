using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chaperone.Clinic.Mail;

/// <summary>Warns the security contacts that an account asked for what its role does not include. Once an account and hour, however many attempts and nodes.</summary>
internal sealed record AlertAttempts(Guid Member, DateTimeOffset At) : IOperation<bool>
{
    public static Policy Policy { get; } = Policy.Unlogged("queues a warning; each refusal it is about is an event, and so is what came of the mail").ForSystem("refusals are watched by the system");
}

internal sealed class AlertAttemptsHandler(MailQueue mail) : IHandler<AlertAttempts, bool>
{
    public async Task<Result<bool>> Handle(AlertAttempts request, OperationScope scope, CancellationToken cancel)
    {
        scope.OnConflict("mail_message_group", PlatformErrors.Conflict);   // another node was faster
        var key = $"attempts/{request.Member:N}/{request.At.UtcDateTime.ToString("yyyyMMddHH", CultureInfo.InvariantCulture)}";
        return await mail.AlertOnceAsync(scope, MailTemplates.Attempts, request.Member, new("/settings/audit-log", request.At), key, cancel);
    }
}

/// <summary>Looks whether the log says of this hour that the account asked for what its role does not include.</summary>
internal sealed record FindAttempts(Guid Member, DateTimeOffset At) : IOperation<bool>
{
    public static Policy Policy { get; } = Policy.Unlogged("looks whether an event is there; nobody is shown").ForSystem("refusals are watched by the system");
}

/// <summary>Writes that an account asked for what its role does not include: one critical event an account and hour. The refusals themselves are events of their own.</summary>
internal sealed record NoteAttempts(Guid Member) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Reads("security.unauthorised_attempt").About(Resource.Clinic).ForSystem("refusals are watched by the system");
}

internal sealed class NoteAttemptsHandler(ClinicLog log) : IHandler<FindAttempts, bool>, IHandler<NoteAttempts, Done>
{
    public async Task<Result<bool>> Handle(FindAttempts request, OperationScope scope, CancellationToken cancel)
    {
        var hour = new DateTimeOffset(request.At.UtcTicks - (request.At.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero);
        return (await log.CountAsync(new() { Actions = ["security.unauthorised_attempt"], Entity = request.Member, From = hour }, 1, cancel)).Found > 0;
    }

    public Task<Result<Done>> Handle(NoteAttempts request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("member", request.Member);
        scope.Show(request.Member);
        return Task.FromResult<Result<Done>>(default(Done));
    }
}

/// <summary>Hears of refusals from the monitor and passes each account's first of an hour on, after the request has its answer.</summary>
internal sealed class AttemptAlerts(TimeProvider clock, IServiceProvider services, ILogger<AttemptAlerts> log) : BackgroundService
{
    private const int MostKnown = 10_000, MostWaiting = 500;
    private static readonly CallSource Source = new("job", "attempts");
    private readonly Channel<(Tenant Clinic, Guid Member, DateTimeOffset At)> waiting = Channel.CreateBounded<(Tenant, Guid, DateTimeOffset)>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ConcurrentDictionary<(Guid, Guid, long), bool> told = new();

    public void Raise(Caller caller)
    {
        if (caller.Actor.Id is not { } member) return;
        var now = clock.GetUtcNow();
        if (told.Count >= MostKnown) told.Clear();
        if (told.TryAdd((caller.Tenant.Id, member, now.UtcTicks / TimeSpan.TicksPerHour), true)) waiting.Writer.TryWrite((caller.Tenant, member, now));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var (clinic, member, at) in waiting.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                // Asked for late: the monitor itself is made with what raises this.
                var monitor = (ReferenceMonitor)services.GetService(typeof(ReferenceMonitor))!;
                var caller = new Caller(clinic, Actor.System, Source);
                // Told by another node or before a restart: once an account and hour it is.
                if (await monitor.Run(new FindAttempts(member, at), caller, stoppingToken) is { Succeeded: true, Value: false }) await monitor.Run(new NoteAttempts(member), caller, stoppingToken);
                await monitor.Run(new AlertAttempts(member, at), caller, stoppingToken);
            }
            catch (Exception failed) when (!stoppingToken.IsCancellationRequested)
            {
                log.LogWarning("A warning about refused attempts could not be queued ({Fault}).", failed.GetType().Name);
            }
        }
    }
}
