using System.Threading.Channels;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Mail;

/// <summary>Wakes the runner when a clinic has something to send.</summary>
internal sealed class MailBell
{
    private readonly Channel<Guid> rung = Channel.CreateUnbounded<Guid>();

    public void Ring(Guid tenant) => rung.Writer.TryWrite(tenant);

    /// <summary>Rings once the operation is durable.</summary>
    public void RingAfter(OperationScope scope)
    {
        var tenant = scope.Tenant.Id;
        scope.AfterCommit(_ =>
        {
            Ring(tenant);
            return Task.CompletedTask;
        });
    }

    public ValueTask<Guid> Heard(CancellationToken cancel) => rung.Reader.ReadAsync(cancel);
}

/// <summary>Where operations put the mails they want sent: in their own transaction, so that a mail is sent if and only if what it tells of happened.</summary>
internal sealed class MailQueue(MailBell bell)
{
    /// <summary>Whether the clinic sends mail.</summary>
    public static Task<bool> IsSetUpAsync(OperationScope scope, CancellationToken cancel) => scope.Db.Set<MailSettingsRow>().AnyAsync(row => row.Enabled, cancel);

    /// <summary>Queues a mail to an account. False, and nothing is queued, where the clinic sends none.</summary>
    /// <param name="scope">The operation that wants it.</param>
    /// <param name="template">Which.</param>
    /// <param name="member">The account.</param>
    /// <param name="subject">Whose data the account is.</param>
    /// <param name="facts">What it says.</param>
    /// <param name="cancel">Cancels.</param>
    public Task<bool> ToAsync(OperationScope scope, MailTemplate template, Guid member, Guid subject, MailFacts facts, CancellationToken cancel) =>
        AddAsync(scope, [Row(scope, template, facts, member, subject, member, null)], cancel);

    /// <summary>Queues a mail to whoever the clinic's alerts go to (its security contacts: <see cref="Settings.ClinicContacts"/>), who are found when it is due.</summary>
    /// <param name="scope">The operation that wants it.</param>
    /// <param name="template">Which.</param>
    /// <param name="about">The account it speaks about.</param>
    /// <param name="facts">What it says.</param>
    /// <param name="cancel">Cancels.</param>
    public Task<bool> AlertAsync(OperationScope scope, MailTemplate template, Guid? about, MailFacts facts, CancellationToken cancel) =>
        AddAsync(scope, [Row(scope, template, facts, null, null, about, null)], cancel);

    /// <summary>The same, at most once for one key: the database decides which of several at once it is.</summary>
    public async Task<bool> AlertOnceAsync(OperationScope scope, MailTemplate template, Guid? about, MailFacts facts, string key, CancellationToken cancel)
    {
        if (await scope.Db.Set<MailMessageRow>().AnyAsync(row => row.GroupKey == key, cancel)) return false;
        return await AddAsync(scope, [Row(scope, template, facts, null, null, about, key)], cancel);
    }

    /// <summary>Queues a mail to the account, and another about it to whoever the clinic's alerts go to.</summary>
    public Task<bool> ToAndAlertAsync(OperationScope scope, MailTemplate template, MailTemplate alert, Guid member, Guid subject, MailFacts facts, MailFacts alertFacts, CancellationToken cancel) =>
        AddAsync(scope, [Row(scope, template, facts, member, subject, member, null), Row(scope, alert, alertFacts, null, null, member, null)], cancel);

    private async Task<bool> AddAsync(OperationScope scope, IReadOnlyList<MailMessageRow> rows, CancellationToken cancel)
    {
        if (!await IsSetUpAsync(scope, cancel)) return false;
        await scope.Writer.Insert(rows, cancel);   // not through the scope: nobody is shown anything of the recipients
        bell.RingAfter(scope);
        return true;
    }

    /// <summary>A row as it begins.</summary>
    public static MailMessageRow Row(OperationScope scope, MailTemplate template, MailFacts facts, Guid? member, Guid? subject, Guid? about, string? key) => new()
    {
        Id = scope.NewId(),
        SubjectId = subject,
        Template = template.Code,
        MemberId = member,
        AboutId = about,
        GroupKey = key,
        CreatedBy = scope.Actor.Id,
        CreatedAt = scope.Now,
        DueAt = scope.Now,
        ExpiresAt = template.HoldsToken && facts.Until is { } until ? until : scope.Now + MailLimits.KeepTrying,
        Payload = facts,
    };
}
