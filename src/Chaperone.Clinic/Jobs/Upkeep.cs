using Chaperone.Clinic.Mail;
using Chaperone.Platform;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;

namespace Chaperone.Clinic.Jobs;

/// <summary>What recurs for every clinic: verifying, and clearing away what is done with. Each run stands in the list of jobs.</summary>
internal sealed class Upkeep(ReferenceMonitor monitor, TenantDirectory clinics, IntegrityCheck integrity, LogRetention retention, TimeProvider clock)
{
    private static readonly CallSource Source = new("job", "upkeep");

    /// <summary>Verifies every clinic's log and records: whole where that is quick, else what is new.</summary>
    public Task VerifyAllAsync(CancellationToken cancel) => VerifyAsync(whole: false, cancel);

    /// <summary>Verifies the whole of every clinic's log and all records.</summary>
    public Task VerifyWholeAsync(CancellationToken cancel) => VerifyAsync(whole: true, cancel);

    private async Task VerifyAsync(bool whole, CancellationToken cancel)
    {
        foreach (var clinic in await clinics.AllAsync(cancel)) await integrity.VerifyAsync(clinic, cancel, whole);
    }

    /// <summary>Ends the bodies of events whose term is over. Days on which nothing was due leave nothing in the list of jobs.</summary>
    public async Task RetainAsync(CancellationToken cancel)
    {
        var ran = await retention.RunAsync(cancel);
        foreach (var clinic in await clinics.AllAsync(cancel))
        {
            var ended = ran.Ended.GetValueOrDefault(clinic.Id);
            if (ended == 0 && ran.Refused != clinic.Id) continue;
            var (caller, run) = (new Caller(clinic, Actor.System, Source), Ids.New(clock.GetUtcNow()));
            await monitor.Run(new NoteRun(run, (JobRunRow.Purge, "log")), caller, cancel);
            await monitor.Run(new NoteRun(run, Done: ended, Ends: true, Error: ran.Refused == clinic.Id ? JobErrors.NotAsSigned : null), caller, cancel);
        }
    }

    /// <summary>Forgets what was done with long ago, and ends what broke off.</summary>
    public async Task PurgeAllAsync(CancellationToken cancel)
    {
        foreach (var clinic in await clinics.AllAsync(cancel))
        {
            var (caller, run) = (new Caller(clinic, Actor.System, Source), Ids.New(clock.GetUtcNow()));
            await monitor.Run(new NoteRun(run, (JobRunRow.Purge, "old")), caller, cancel);
            var mails = await monitor.Run(new PurgeMail(), caller, cancel);
            var runs = await monitor.Run(new PurgeRuns(), caller, cancel);
            var error = mails.Error ?? runs.Error;
            await monitor.Run(new NoteRun(run, Done: error is null ? mails.Value + runs.Value : 0, Ends: true, Error: error), caller, cancel);
        }
    }
}

/// <summary>Keeps the runs of verifications, whoever asked for them.</summary>
internal sealed class VerificationRuns(ReferenceMonitor monitor, TimeProvider clock)
{
    private static readonly CallSource Source = new("job", "verification");

    public async Task<VerificationRun> BeginAsync(Tenant clinic, CancellationToken cancel)
    {
        var (caller, run) = (new Caller(clinic, Actor.System, Source), Ids.New(clock.GetUtcNow()));
        await monitor.Run(new NoteRun(run, (JobRunRow.Verification, "log")), caller, cancel);
        var progress = new Teller(monitor, clock, caller, run);
        return new(progress, async report =>
        {
            await progress.Told;
            await monitor.Run(
                new NoteRun(run, Done: report.Verified, Ends: true, Error: report.ExitCode switch { 0 => null, 1 => JobErrors.NotAsSigned, _ => JobErrors.CouldNotCheck }), caller, CancellationToken.None);
        });
    }

    /// <summary>Writes down at most once a second how far it is, and never two at a time.</summary>
    private sealed class Teller(ReferenceMonitor monitor, TimeProvider clock, Caller caller, Guid run) : IProgress<VerifyProgress>
    {
        private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
        private readonly Lock gate = new();
        private long toldAt = clock.GetTimestamp();

        public Task Told { get; private set; } = Task.CompletedTask;

        public void Report(VerifyProgress value)
        {
            lock (gate)
            {
                if (clock.GetElapsedTime(toldAt) < Every || !Told.IsCompleted) return;
                toldAt = clock.GetTimestamp();
                Told = Task.Run(() => monitor.Run(new NoteRun(run, Done: value.Done, Total: value.Total), caller, CancellationToken.None));
            }
        }
    }
}
