using Chaperone.Clinic.Mail.Smtp;
using Chaperone.Clinic.Settings;
using Chaperone.Clinic.SignIn;
using Chaperone.Encryption;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Mail;

/// <summary>A mail that a process has taken to send.</summary>
/// <param name="Id">The mail.</param>
/// <param name="Server">Where to; null when there is nothing to send, for the reason in <paramref name="Refusal"/>.</param>
/// <param name="Envelope">What.</param>
/// <param name="Refusal">Why it is not even tried.</param>
internal sealed record MailWork(Guid Id, SmtpServer? Server, Envelope? Envelope, Error? Refusal)
{
    // Records are printed by whoever logs them.
    public override string ToString() => nameof(MailWork);
}

/// <summary>What there is to do in a clinic.</summary>
/// <param name="Work">A mail to send, or null.</param>
/// <param name="Again">Whether to ask again at once: an alert was spread to its recipients.</param>
/// <param name="Broken">A mail that does not open, out of the way now; telling of it leaves the event.</param>
internal sealed record MailToDo(MailWork? Work, bool Again = false, Guid? Broken = null);

/// <summary>Takes the mail that has been due longest and that no living process holds.</summary>
/// <param name="Holder">Which process asks.</param>
internal sealed record ClaimMail(Guid Holder) : IOperation<MailToDo>
{
    public static Policy Policy { get; } = Policy.Unlogged("takes a lease on a mail that is due; what came of sending it is an event").ForSystem("the mail runner asks");
}

internal sealed class ClaimMailHandler(ClinicAddress address) : IHandler<ClaimMail, MailToDo>
{
    public async Task<Result<MailToDo>> Handle(ClaimMail request, OperationScope scope, CancellationToken cancel)
    {
        if ((await scope.OpenCandidates(scope.Db.Set<MailSettingsRow>().AsNoTracking().Where(row => row.Enabled), cancel)).FirstOrDefault() is not { } settings) return new MailToDo(null);
        var now = scope.Now;
        var due = await scope.Db.Database.SqlQuery<Guid>(
            $"""
            SELECT id AS "Value" FROM clinic.mail_message WHERE (state = 'waiting' AND due_at <= {now}) OR (state = 'sending' AND lease_until < {now})
            ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
            """).ToListAsync(cancel);
        if (due.Count == 0) return new MailToDo(null);
        var id = due[0];
        if (await OpenAsync(scope, id, cancel) is not { } mail) return new MailToDo(null, Broken: id);
        if (mail.MemberId is not { } member)
        {
            await SpreadAsync(scope, mail, cancel);
            return new MailToDo(null, Again: true);
        }

        (mail.State, mail.LeaseHolder, mail.LeaseUntil) = (MailMessageRow.Sending, request.Holder, now + MailLimits.Lease);
        if (mail.ExpiresAt <= now) return new MailToDo(new(id, null, null, MailErrors.Expired));
        var recipient = (await scope.OpenCandidates(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => row.Id == member && row.Status == MemberRow.Active), cancel)).FirstOrDefault();
        if (recipient is null || MailTemplates.Find(mail.Template) is not { } template) return new MailToDo(new(id, null, null, MailErrors.RecipientGone));
        return new MailToDo(new(id, settings.Payload.Server, Write(scope, settings.Payload, id, mail.Payload, template, recipient.Payload.Email), null));
    }

    // One mail that somebody put there or altered keeps no other one waiting.
    private static async Task<MailMessageRow?> OpenAsync(OperationScope scope, Guid id, CancellationToken cancel)
    {
        try
        {
            return (await scope.OpenCandidates(scope.Db.Set<MailMessageRow>().Where(row => row.Id == id), cancel))[0];
        }
        catch (SealBrokenException)
        {
            scope.Db.ChangeTracker.Clear();
            await scope.Db.Set<MailMessageRow>().Where(row => row.Id == id).ExecuteUpdateAsync(set => set
                .SetProperty(row => row.State, MailMessageRow.Dead).SetProperty(row => row.FinishedAt, scope.Now).SetProperty(row => row.ResultCode, PlatformErrors.SealBroken.Code)
                .SetProperty(row => row.LeaseHolder, (Guid?)null).SetProperty(row => row.LeaseUntil, (DateTimeOffset?)null), cancel);
            return null;
        }
    }

    private Envelope Write(OperationScope scope, MailServerSettings settings, Guid id, MailFacts facts, MailTemplate template, string to)
    {
        var tenant = scope.Tenant;
        if (MailAddress.Read(to) is not { } recipient) return new(settings.FromAddress, to, default);   // refused before it is sent
        var content = template.Words(facts, tenant.Zone).Of(tenant.Name, tenant.Host, facts.Path is { } path ? address.Of(tenant) + path : null);
        return new(settings.FromAddress, recipient, MessageText.Write(new($"{id:N}@{tenant.Host}", settings.FromName, settings.FromAddress, recipient, scope.Now, content)));
    }

    /// <summary>Active accounts whose roles let them manage sign-in rules and locked accounts.</summary>
    private static async Task<IEnumerable<Guid>> AdministratorsAsync(OperationScope scope, CancellationToken cancel)
    {
        var members = await scope.Db.Set<MemberRow>().AsNoTracking().Where(member => member.PatientId == null && member.Status == MemberRow.Active)
            .Join(scope.Db.Set<CredentialRow>().Where(credential => credential.PasswordChangedAt != null), member => member.Id, credential => credential.Id, (member, _) => new { member.Id, member.Roles }).ToListAsync(cancel);
        return members.Where(member => Actors.Compile(member.Roles).Holds(Permission.SecurityManage, false, scope.Now)).Select(member => member.Id);
    }

    /// <summary>One row for each who gets the clinic's alerts, in the same transaction that ends the one it stood for.</summary>
    private static async Task SpreadAsync(OperationScope scope, MailMessageRow alert, CancellationToken cancel)
    {
        var template = MailTemplates.Find(alert.Template);
        var recipients = (await ClinicContacts.RecipientsAsync(scope, cancel)).Security;   // staff, whose data is their account's own
        if (template is { ForOwners: true }) recipients = [.. (await ClinicContacts.AbleAsync(scope, cancel)).Where(member => member.IsOwner).Select(member => member.Id)];
        if (template is { ForAdministrators: true }) recipients = [.. recipients.Union(await AdministratorsAsync(scope, cancel)).Where(member => member != alert.AboutId)];
        if (template is not null) await scope.Writer.Insert([.. recipients.Select(member => MailQueue.Row(scope, template, alert.Payload, member, member, alert.AboutId, null))], cancel);
        alert.End(MailMessageRow.Sent, scope.Now);
    }
}

/// <summary>Says what came of sending a mail: it is done with, tried again later, or given up.</summary>
/// <param name="Mail">The mail.</param>
/// <param name="Holder">Which process had it.</param>
/// <param name="Outcome">What came of it.</param>
internal sealed record FinishMail(Guid Mail, Guid Holder, SmtpOutcome Outcome) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("mail.sent").Or("mail.failed", "mail.dead").ForSystem("the mail runner tells what came of a mail that somebody's act or an alert wanted");
}

internal sealed class FinishMailHandler : IHandler<FinishMail, Done>
{
    public async Task<Result<Done>> Handle(FinishMail request, OperationScope scope, CancellationToken cancel)
    {
        var id = request.Mail;
        if ((await scope.OpenCandidates(scope.Db.Set<MailMessageRow>().Where(row => row.Id == id), cancel)).FirstOrDefault() is not { } mail) return PlatformErrors.NotFound;
        scope.Concerns(MailResource.Mail.Type, id);
        if (mail.State != MailMessageRow.Sending || mail.LeaseHolder != request.Holder) return MailErrors.LeaseLost;
        var (outcome, now) = (request.Outcome, scope.Now);
        mail.Attempts++;
        (mail.ResultCode, mail.Reply) = (outcome.Error?.Code, outcome.Reply);
        if (mail.SubjectId is { } recipient) scope.Show(recipient);
        scope.Note("template", mail.Template);
        scope.Note("attempt", mail.Attempts);
        if (outcome.Reply is { } reply) scope.Note("reply", reply);
        if (outcome.Error is not { } error)
        {
            mail.End(MailMessageRow.Sent, now);
            return default(Done);
        }
        scope.Because(error.Code);
        var again = now + MailLimits.WaitAfter(mail.Attempts);
        if (outcome.ForGood || mail.Attempts >= MailLimits.Attempts || again >= mail.ExpiresAt)
        {
            mail.End(MailMessageRow.Dead, now);
            scope.RecordAs("mail.dead", EventOutcome.Failure);
        }
        else
        {
            (mail.State, mail.DueAt, mail.LeaseHolder, mail.LeaseUntil) = (MailMessageRow.Waiting, again, null, null);
            scope.RecordAs("mail.failed", EventOutcome.Failure);
        }
        return default(Done);
    }
}
