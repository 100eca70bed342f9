using System.Reflection;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;

namespace Chaperone.Server.Hosting;

/// <summary>Says that the server began to serve a clinic. A start without a stop before it: the process was killed or the machine fell.</summary>
internal sealed record NoteStarted : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Reads("system.started").About(Resource.Clinic).ForSystem("the process tells of itself");
}

/// <summary>Says that the server is about to stop in order.</summary>
internal sealed record NoteStopped : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Reads("system.stopped").About(Resource.Clinic).ForSystem("the process tells of itself");
}

internal sealed class NoteServerHandler : IHandler<NoteStarted, Done>, IHandler<NoteStopped, Done>
{
    private static readonly string Version = typeof(NoteServerHandler).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";

    public Task<Result<Done>> Handle(NoteStarted request, OperationScope scope, CancellationToken cancel) => Note(scope);

    public Task<Result<Done>> Handle(NoteStopped request, OperationScope scope, CancellationToken cancel) => Note(scope);

    private static Task<Result<Done>> Note(OperationScope scope)
    {
        scope.Note("version", Version);
        return Task.FromResult<Result<Done>>(default(Done));
    }
}

/// <summary>Writes both into every clinic's log: when the first request can be answered, and after the last one was.</summary>
internal sealed partial class ServerEvents(ReferenceMonitor monitor, TenantDirectory clinics, IHostApplicationLifetime lifetime, ILogger<ServerEvents> logger) : IHostedService
{
    private static readonly CallSource Source = new("job", "server");

    private Task started = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancel)
    {
        lifetime.ApplicationStarted.Register(() => started = TellAsync(new NoteStarted(), lifetime.ApplicationStopping));
        return Task.CompletedTask;
    }

    // Services stop in the reverse order of their registration: the web server first, then this, while sequencer and database are still there.
    public async Task StopAsync(CancellationToken cancel)
    {
        await started;
        await TellAsync(new NoteStopped(), cancel);
    }

    private async Task TellAsync(IOperation<Done> what, CancellationToken cancel)
    {
        try
        {
            foreach (var clinic in await clinics.AllAsync(cancel))
                if ((await monitor.Run(what, new Caller(clinic, Actor.System, Source), cancel)).Error is { } error) Untold(what.GetType().Name, error.Title);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // it stops before it had told everybody
        }
        catch (Exception lost)
        {
            Untold(what.GetType().Name, lost.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{What} could not be written into a clinic's log: {Why}")]
    private partial void Untold(string what, string why);
}
