using System.Threading.Channels;
using Chaperone.Clinic.Mail;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chaperone.Clinic.Jobs;

/// <summary>Does a job once more: hands a mail over again, or verifies now.</summary>
internal sealed record RetryJob(Guid Job) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("job.retried").Needs(Permission.SettingsEdit).About(JobResource.Job);

    public Guid ResourceId => Job;
}

internal sealed class RetryJobHandler(MailBell bell, VerifyBell verify) : IHandler<RetryJob, Done>
{
    public async Task<Result<Done>> Handle(RetryJob request, OperationScope scope, CancellationToken cancel)
    {
        var id = request.Job;
        if (await scope.Db.Set<MailMessageRow>().AnyAsync(mail => mail.Id == id, cancel))
        {
            scope.Note("kind", JobKinds.Mail);
            return await MailChange.RetryAsync(scope, id, bell, cancel);
        }
        if (await scope.Db.Set<JobRunRow>().AnyAsync(run => run.Id == id && run.Kind == JobRunRow.Verification, cancel))
        {
            scope.Note("kind", JobKinds.Verification);
            var tenant = scope.Tenant.Id;
            scope.AfterCommit(_ =>
            {
                verify.Ring(tenant);
                return Task.CompletedTask;
            });
            return default(Done);
        }
        return JobErrors.NotRetryable;
    }
}

/// <summary>Wakes the verification of one clinic. Rung twice before it is heard it is done once; what is forgotten by a restart is done by the restart.</summary>
internal sealed class VerifyBell
{
    private readonly Channel<Guid> rung = Channel.CreateBounded<Guid>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Ring(Guid tenant) => rung.Writer.TryWrite(tenant);

    public ValueTask<Guid> Heard(CancellationToken cancel) => rung.Reader.ReadAsync(cancel);
}

/// <summary>Verifies a clinic when somebody asked for it.</summary>
internal sealed class VerifyOnDemand(VerifyBell bell, IntegrityCheck integrity, TenantDirectory clinics, ILogger<VerifyOnDemand> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            var tenant = await bell.Heard(stoppingToken);
            try
            {
                if (await clinics.GetAsync(tenant, stoppingToken) is { } clinic) await integrity.VerifyAsync(clinic, stoppingToken);
            }
            catch (Exception failed) when (!stoppingToken.IsCancellationRequested)
            {
                log.LogError("Verifying clinic {Clinic} failed ({Fault}).", tenant, failed.GetType().Name);
            }
        }
    }
}
