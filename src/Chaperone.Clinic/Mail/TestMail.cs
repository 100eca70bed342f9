using Chaperone.Clinic.Mail.Smtp;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Mail;

/// <summary>Writes a test mail to the one who asks, with the settings as they are kept.</summary>
internal sealed record PrepareTestMail : IOperation<MailWork>
{
    public static Policy Policy { get; } = Policy.Unlogged("makes ready a mail to oneself; what came of it is the event of NoteTestMail").Needs(Permission.SettingsEdit).About(Resource.Clinic);
}

internal sealed class PrepareTestMailHandler(ClinicAddress address) : IHandler<PrepareTestMail, MailWork>
{
    public async Task<Result<MailWork>> Handle(PrepareTestMail request, OperationScope scope, CancellationToken cancel)
    {
        var id = scope.Actor.Id;
        if ((await scope.OpenCandidates(scope.Db.Set<MailSettingsRow>().AsNoTracking(), cancel)).FirstOrDefault() is not { Payload: var settings }) return MailErrors.NotSetUp;
        var me = await scope.OpenOne(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => row.Id == id), cancel);
        if (me is null) return PlatformErrors.NotFound;
        if (MailAddress.Read(me.Payload.Email) is not { } to) return MailErrors.RecipientRefused;
        var (tenant, mail) = (scope.Tenant, scope.NewId());
        var content = MailTemplates.Test.Words(new(), tenant.Zone).Of(tenant.Name, tenant.Host, address.Of(tenant));
        return new MailWork(mail, settings.Server, new(settings.FromAddress, to, MessageText.Write(new($"{mail:N}@{tenant.Host}", settings.FromName, settings.FromAddress, to, scope.Now, content))), null);
    }
}

/// <summary>Says what came of a test mail.</summary>
internal sealed record NoteTestMail(Guid Mail, SmtpOutcome Outcome) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("mail.tested").Needs(Permission.SettingsEdit).About(Resource.Clinic);
}

internal sealed class NoteTestMailHandler : IHandler<NoteTestMail, Done>
{
    public Task<Result<Done>> Handle(NoteTestMail request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns(MailResource.Mail.Type, request.Mail);
        if (request.Outcome.Reply is { } reply) scope.Note("reply", reply);
        if (request.Outcome.Error is { } error)
        {
            scope.Because(error.Code);
            scope.RecordAs("mail.tested", EventOutcome.Failure);
        }
        return Task.FromResult<Result<Done>>(default(Done));
    }
}
