using System.Collections.Concurrent;
using Chaperone.Clinic.Mail.Smtp;
using Chaperone.Platform;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chaperone.Clinic.Mail;

/// <summary>Where people reach a clinic: scheme, its host, and the port where that is not the usual one.</summary>
internal sealed record ClinicAddress(Func<Tenant, string> Of);

/// <summary>
/// Sends what is queued: woken when an operation queued something, and by the scheduler for what is to be tried again. Several processes may run it: a lease in the row gives each mail to
/// one of them.
/// </summary>
/// <remarks>
/// A process that dies between the server's yes and its own note of it leaves the mail leased; when the lease ends another process sends it again, with the same Message-ID. So a mail
/// arrives at least once, and at most once more for each such death.
/// </remarks>
internal sealed class MailRunner(ReferenceMonitor monitor, TenantDirectory clinics, SmtpDelivery delivery, MailBell bell, TimeProvider clock, ILogger<MailRunner> log) : BackgroundService
{
    // So many clinics at once: a server that does not answer keeps its own clinic's mail waiting and nobody else's.
    private const int AtOnce = 4;
    private static readonly CallSource Source = new("job", "mail");
    private readonly Guid holder = Ids.New(clock.GetUtcNow());
    private readonly ConcurrentDictionary<Guid, bool> busy = new();

    /// <summary>Rings for every clinic; the scheduler's minute.</summary>
    public async Task SweepAsync(CancellationToken cancel)
    {
        foreach (var clinic in await clinics.AllAsync(cancel)) bell.Ring(clinic.Id);
    }

    /// <summary>Sends what is due in one clinic, until nothing is or its mail server fails.</summary>
    internal async Task RunClinicAsync(Tenant clinic, CancellationToken cancel)
    {
        var caller = new Caller(clinic, Actor.System, Source);
        while (true)
        {
            var claimed = await monitor.Run(new ClaimMail(holder), caller, cancel);
            if (claimed.Error is not null) return;   // somebody was faster, or the database is away
            if (claimed.Value.Again) continue;
            if (claimed.Value.Broken is { } broken)
            {
                await monitor.Run(new FinishMail(broken, holder, SmtpOutcome.Taken), caller, CancellationToken.None);   // finds it broken, and says so in the log
                continue;
            }
            if (claimed.Value.Work is not { } work) return;
            var outcome = work.Refusal is { } refusal ? new SmtpOutcome(refusal, ForGood: true) : await delivery.SendAsync(work.Server!, work.Envelope!, clinic.Host, cancel);
            // Told although the process is asked to stop: what was handed over must not be handed over again.
            var told = await monitor.Run(new FinishMail(work.Id, holder, outcome), caller, CancellationToken.None);
            if (told.Error is not null || outcome.OfServer) return;
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll([AtStartAsync(stoppingToken), .. Enumerable.Range(0, AtOnce).Select(_ => ListenAsync(stoppingToken))]);

    // What a process before this one left is not kept waiting for the scheduler's next minute.
    private async Task AtStartAsync(CancellationToken cancel)
    {
        try
        {
            await SweepAsync(cancel);
        }
        catch (Exception away) when (!cancel.IsCancellationRequested)
        {
            log.LogWarning("Looking for mail to send failed ({Fault}); the scheduler tries again.", away.GetType().Name);
        }
    }

    private async Task ListenAsync(CancellationToken cancel)
    {
        while (true)
        {
            var tenant = await bell.Heard(cancel);
            if (!busy.TryAdd(tenant, true))
            {
                // Whoever is at it looks once more; if they have just left, somebody else does.
                if (!busy.TryUpdate(tenant, false, true) && !busy.ContainsKey(tenant)) bell.Ring(tenant);
                continue;
            }
            try
            {
                do
                {
                    busy[tenant] = true;
                    if (await clinics.GetAsync(tenant, cancel) is { } clinic) await RunClinicAsync(clinic, cancel);
                }
                while (!busy.TryRemove(new KeyValuePair<Guid, bool>(tenant, true)));
            }
            catch (Exception failed) when (!cancel.IsCancellationRequested)
            {
                busy.TryRemove(tenant, out _);
                if (!failed.IsDatabaseLoss()) log.LogError("Mail of clinic {Clinic} failed: {Fault}{NewLine}{Stack}", tenant, failed.GetType().Name, Environment.NewLine, failed.StackTrace);
            }
        }
    }
}
