using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Mail;

/// <summary>A mail that was not delivered, or not yet.</summary>
/// <param name="Id">The mail.</param>
/// <param name="Template">What it is, by code.</param>
/// <param name="Name">What it is, in words.</param>
/// <param name="State">waiting, sending or dead.</param>
/// <param name="To">Whom it is for, by name; null when it is for the clinic's contacts, who are found when it is sent.</param>
/// <param name="CreatedAt">When it was wanted.</param>
/// <param name="NextAt">When it is tried again; null when it is not.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="Code">What failed, an error's code.</param>
/// <param name="Reply">The mail server's number.</param>
/// <param name="MayRetry">Whether it may be tried once more.</param>
public sealed record UndeliveredMail(
    Guid Id, string Template, string Name, string State, string? To, DateTimeOffset CreatedAt, DateTimeOffset? NextAt, int Attempts, string? Code, int? Reply, bool MayRetry)
{
    /// <summary>What failed, in a sentence, and what to do.</summary>
    public string? Reason => MailErrors.All.FirstOrDefault(error => error.Code == Code) is { } error ? $"{error.Title}{(Reply is { } number ? $" It answered {number}." : "")} {error.Next}" : null;
}

/// <summary>Shows what was given up, and what waits to be tried again.</summary>
internal sealed record ListUndelivered : IOperation<IReadOnlyList<UndeliveredMail>>
{
    public static Policy Policy { get; } = Policy.Reads("mail.listed").Needs(Permission.SettingsEdit).About(Resource.Clinic);
}

internal sealed class ListUndeliveredHandler : IHandler<ListUndelivered, IReadOnlyList<UndeliveredMail>>
{
    private const int Most = 200;

    public async Task<Result<IReadOnlyList<UndeliveredMail>>> Handle(ListUndelivered request, OperationScope scope, CancellationToken cancel)
    {
        var mails = await scope.Db.Set<MailMessageRow>().AsNoTracking()
            .Where(mail => mail.State == MailMessageRow.Dead || mail.State == MailMessageRow.Waiting || mail.State == MailMessageRow.Sending)
            .OrderByDescending(mail => mail.Id).Take(Most).ToListAsync(cancel);
        var ids = mails.Select(mail => mail.MemberId).OfType<Guid>().Distinct().ToArray();
        var names = (await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(member => ids.Contains(member.Id)), cancel)).ToDictionary(member => member.Id, member => member.Payload.Name);
        scope.Note("mails", mails.Count);
        return Result<IReadOnlyList<UndeliveredMail>>.Of([.. mails.OrderByDescending(mail => mail.State == MailMessageRow.Dead).ThenByDescending(mail => mail.CreatedAt).Select(mail => new UndeliveredMail(
            mail.Id, mail.Template, MailTemplates.Find(mail.Template)?.Name ?? mail.Template, mail.State, mail.MemberId is { } id ? names.GetValueOrDefault(id) : null, mail.CreatedAt,
            mail.State == MailMessageRow.Waiting ? mail.DueAt : null, mail.Attempts, mail.ResultCode, mail.Reply, mail.State != MailMessageRow.Sending && mail.ExpiresAt > scope.Now))]);
    }
}

/// <summary>Tries a mail again now that was given up or waits. What a one-time link is for must still be of use.</summary>
internal sealed record RetryMail(Guid Mail) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("mail.retried").Needs(Permission.SettingsEdit).About(MailResource.Mail);

    public Guid ResourceId => Mail;
}

internal sealed class RetryMailHandler(MailBell bell) : IHandler<RetryMail, Done>
{
    public Task<Result<Done>> Handle(RetryMail request, OperationScope scope, CancellationToken cancel) => MailChange.RetryAsync(scope, request.Mail, bell, cancel);
}

/// <summary>Gives a mail up for good; nothing of its words stays.</summary>
internal sealed record DiscardMail(Guid Mail) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("mail.discarded").Needs(Permission.SettingsEdit).About(MailResource.Mail);

    public Guid ResourceId => Mail;
}

internal sealed class DiscardMailHandler : IHandler<DiscardMail, Done>
{
    public async Task<Result<Done>> Handle(DiscardMail request, OperationScope scope, CancellationToken cancel)
    {
        var found = await MailChange.FindAsync(scope, request.Mail, cancel);
        if (found.Error is { } error) return error;
        found.Value.End(MailMessageRow.Discarded, scope.Now);
        return default(Done);
    }
}

/// <summary>Mails as people act on them.</summary>
internal static class MailChange
{
    /// <summary>The mail, opened, unless it is being sent or done with.</summary>
    public static async Task<Result<MailMessageRow>> FindAsync(OperationScope scope, Guid id, CancellationToken cancel)
    {
        if ((await scope.OpenCandidates(scope.Db.Set<MailMessageRow>().Where(row => row.Id == id), cancel)).FirstOrDefault() is not { } mail) return PlatformErrors.NotFound;
        if (mail.State is not (MailMessageRow.Dead or MailMessageRow.Waiting)) return MailErrors.WrongState;
        if (mail.SubjectId is { } recipient) scope.Show(recipient);
        scope.Note("template", mail.Template);
        return mail;
    }

    /// <summary>Has it tried once more, from the beginning.</summary>
    public static async Task<Result<Done>> RetryAsync(OperationScope scope, Guid id, MailBell bell, CancellationToken cancel)
    {
        var found = await FindAsync(scope, id, cancel);
        if (found.Error is { } error) return error;
        var mail = found.Value;
        if (mail.ExpiresAt <= scope.Now) return MailErrors.Expired;
        if (!await MailQueue.IsSetUpAsync(scope, cancel)) return MailErrors.NotSetUp;
        (mail.State, mail.DueAt, mail.FinishedAt, mail.Attempts) = (MailMessageRow.Waiting, scope.Now, null, 0);
        bell.RingAfter(scope);
        return default(Done);
    }
}

/// <summary>How many mails were given up, for the warning that administrators see.</summary>
internal sealed record CountUndelivered : IOperation<int>
{
    public static Policy Policy { get; } = Policy.Unlogged("navigation: a number beside a menu entry; nobody is shown").Needs(Permission.SettingsEdit).About(Resource.Clinic);
}

internal sealed class CountUndeliveredHandler : IHandler<CountUndelivered, int>
{
    public async Task<Result<int>> Handle(CountUndelivered request, OperationScope scope, CancellationToken cancel) =>
        await scope.Db.Set<MailMessageRow>().CountAsync(mail => mail.State == MailMessageRow.Dead, cancel);
}

/// <summary>Ends mail whose time is over and forgets what was done with long ago.</summary>
internal sealed record PurgeMail : IOperation<int>
{
    public static Policy Policy { get; } = Policy.Unlogged("forgets ids and codes of mails done with 90 days ago; what came of each is an event").ForSystem("the scheduler's work");
}

internal sealed class PurgeMailHandler : IHandler<PurgeMail, int>
{
    public async Task<Result<int>> Handle(PurgeMail request, OperationScope scope, CancellationToken cancel)
    {
        var (before, now) = (scope.Now - MailLimits.KeepRecord, scope.Now);
        // Given up, and its link works no more: the token goes although nobody has looked.
        foreach (var mail in await scope.OpenCandidates(scope.Db.Set<MailMessageRow>().Where(mail => mail.State == MailMessageRow.Dead && mail.ExpiresAt < now), cancel))
            if (mail.Payload.Path is not null) mail.Payload = new();
        return await scope.Db.Set<MailMessageRow>().Where(mail => mail.FinishedAt != null && mail.FinishedAt < before).ExecuteDeleteAsync(cancel);
    }
}
