using Chaperone.Clinic.Mail;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;

namespace Chaperone.Clinic.Witnesses;

/// <summary>Mails the newest checkpoint to the clinic's owners: at most once a week, whatever how often it is asked for.</summary>
internal sealed record MailCheckpoint : IOperation<bool>
{
    public static Policy Policy { get; } = Policy.Changes("ledger.checkpoint_mailed").ForSystem("the scheduler asks every week");
}

internal sealed class MailCheckpointHandler(ClinicLog log, MailQueue mail) : IHandler<MailCheckpoint, bool>
{
    public async Task<Result<bool>> Handle(MailCheckpoint request, OperationScope scope, CancellationToken cancel)
    {
        await log.CatchUpAsync(cancel, signed: true);
        if (await log.SignedHeadAsync(cancel) is not { } head) return WitnessErrors.NothingSigned;
        if (!await MailQueue.IsSetUpAsync(scope, cancel)) return MailErrors.NotSetUp;
        // Kept before it leaves: one that nobody got is no harm, one that cannot be found any more is.
        await log.KeepAsync(head.Head.Size, CheckpointUse.Mailed, cancel);
        scope.Note("size", head.Head.Size);
        scope.OnConflict("mail_message_group", PlatformErrors.Conflict);   // another node was faster
        var key = $"checkpoint/{System.Globalization.ISOWeek.GetYear(scope.Now.UtcDateTime)}-{System.Globalization.ISOWeek.GetWeekOfYear(scope.Now.UtcDateTime)}";
        return await mail.AlertOnceAsync(scope, LogMails.Checkpoint, null, new("/settings/audit-log/integrity", scope.Now, Text: head.Note), key, cancel) ? true : PlatformErrors.Conflict;
    }
}

/// <summary>Every clinic's checkpoint, every week.</summary>
internal sealed class CheckpointMails(ReferenceMonitor monitor, TenantDirectory clinics)
{
    public static readonly TimeSpan Every = TimeSpan.FromDays(7);

    private static readonly CallSource Source = new("job", "checkpoint-mail");

    public async Task SendAllAsync(CancellationToken cancel)
    {
        foreach (var clinic in await clinics.AllAsync(cancel))
            if ((await monitor.Run(new MailsSent(), new(clinic, Actor.System, Source), cancel)).Value) await monitor.Run(new MailCheckpoint(), new(clinic, Actor.System, Source), cancel);
    }
}

/// <summary>Whether the clinic sends mail at all: one that does not is not asked, so that its log does not fill with failures.</summary>
internal sealed record MailsSent : IOperation<bool>
{
    public static Policy Policy { get; } = Policy.Unlogged("whether mail is set up; nobody's data").ForSystem("the scheduler asks before it mails");
}

internal sealed class MailsSentHandler : IHandler<MailsSent, bool>
{
    public async Task<Result<bool>> Handle(MailsSent request, OperationScope scope, CancellationToken cancel) => await MailQueue.IsSetUpAsync(scope, cancel);
}
