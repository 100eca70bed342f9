using Chaperone.Clinic.Mail;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.SignIn;

/// <summary>What is told by mail about signing in, queued in the transaction of what it tells. Where the clinic sends no mail it is in the log only.</summary>
internal sealed class SignInMails(MailQueue mail)
{
    private const string OwnSecurity = "/account/security", Rules = "/settings/security", Log = "/settings/audit-log";
    private static readonly TimeSpan Lately = TimeSpan.FromDays(90);

    /// <summary>The account was locked: told to its person and to who can unlock it.</summary>
    public async Task LockedAsync(OperationScope scope, Guid member, CancellationToken cancel)
    {
        // The account is not opened: whoever locked it may be a stranger.
        var subject = await scope.Db.Set<MemberRow>().Where(row => row.Id == member).Select(row => row.SubjectId).FirstOrDefaultAsync(cancel);
        if (subject is { } person) await mail.ToAndAlertAsync(scope, MailTemplates.Locked, MailTemplates.LockedElsewhere, member, person, new(At: scope.Now), new(Rules, scope.Now), cancel);
    }

    /// <summary>Somebody signed in with password and code: told to them when neither client nor network was used lately. The first time there is nothing to compare with.</summary>
    public async Task SignedInAsync(OperationScope scope, SessionRow session, CancellationToken cancel)
    {
        if (!await MailQueue.IsSetUpAsync(scope, cancel)) return;
        var (member, client, network, since) = (session.MemberId, session.Client, session.Network, scope.Now - Lately);
        var earlier = await scope.Db.Set<SessionRow>().Where(row => row.MemberId == member && row.CreatedAt > since).Select(row => row.Client == client && row.Network == network).Distinct().ToListAsync(cancel);
        if (earlier.Count == 0 || earlier.Contains(true)) return;
        await mail.ToAsync(scope, MailTemplates.NewDevice, member, session.SubjectId!.Value, new(OwnSecurity, scope.Now, client), cancel);
    }

    /// <summary>A session was ended because its cookie turned up elsewhere: told to its person and to the security contacts.</summary>
    public Task HijackedAsync(OperationScope scope, Guid member, Guid subject, CancellationToken cancel) =>
        mail.ToAndAlertAsync(
            scope, MailTemplates.Hijacked, MailTemplates.HijackedElsewhere, member, subject, new(OwnSecurity, scope.Now, scope.Caller.Source.Client), new(Log, scope.Now), cancel);
}
