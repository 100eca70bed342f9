using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Mail;

/// <summary>One mail to one account, from the act that wanted it to the server that took it.</summary>
internal sealed class MailMessageRow : SealedRow<MailFacts>
{
    public const string Waiting = "waiting", Sending = "sending", Sent = "sent", Dead = "dead", Discarded = "discarded";

    public required string Template { get; init; }

    /// <summary>The recipient; null for those the clinic's alerts go to, found when it is due.</summary>
    public Guid? MemberId { get; init; }

    /// <summary>The account it speaks about.</summary>
    public Guid? AboutId { get; init; }

    /// <summary>At most one mail of a key.</summary>
    public string? GroupKey { get; init; }

    public string State { get; set; } = Waiting;

    public Guid? CreatedBy { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset DueAt { get; set; }

    public DateTimeOffset ExpiresAt { get; init; }

    public int Attempts { get; set; }

    public string? ResultCode { get; set; }

    public int? Reply { get; set; }

    public DateTimeOffset? FinishedAt { get; set; }

    public Guid? LeaseHolder { get; set; }

    public DateTimeOffset? LeaseUntil { get; set; }

    /// <summary>Ends it: nothing of its words stays.</summary>
    public void End(string state, DateTimeOffset now)
    {
        (State, FinishedAt, LeaseHolder, LeaseUntil) = (state, now, null, null);
        if (state != Dead) Payload = new();
    }

    public static void Model(ModelBuilder model)
    {
        model.Entity<MailMessageRow>(row => row.ToTable("mail_message").HasAnnotation(RowWriter.Untracked, "a mail on its way out: what came of it is an event"));
        model.Entity<MailSettingsRow>(row =>
        {
            row.ToTable("mail_settings");
            row.Property(settings => settings.Enabled).HasAnnotation(ChaperoneDb.LoggedValue, true);
        });
    }
}

/// <summary>Mails as what operations are about: the clinic's.</summary>
internal static class MailResource
{
    public static readonly Resource Mail = Resource.Define("mail", "SELECT 1 FROM clinic.mail_message WHERE id = $1");
}

/// <summary>How hard a mail is tried.</summary>
internal static class MailLimits
{
    /// <summary>Attempts before it is given up.</summary>
    public const int Attempts = 12;

    /// <summary>How long one process may be silent before another one takes its mail over; longer than any attempt.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(3);

    /// <summary>Mail that says nothing new after it is not sent any more.</summary>
    public static readonly TimeSpan KeepTrying = TimeSpan.FromHours(24);

    /// <summary>How long what was sent, discarded or given up stays in the list.</summary>
    public static readonly TimeSpan KeepRecord = TimeSpan.FromDays(90);

    private static readonly TimeSpan Longest = TimeSpan.FromHours(4);

    /// <summary>How long to wait after so many attempts: one minute, doubled each time up to four hours, a fifth more or less so that many do not come back at once.</summary>
    public static TimeSpan WaitAfter(int attempts)
    {
        var minutes = Math.Min(Math.Pow(2, Math.Max(0, attempts - 1)), Longest.TotalMinutes);
        return TimeSpan.FromMinutes(minutes * (0.8 + (System.Security.Cryptography.RandomNumberGenerator.GetInt32(0, 401) / 1000.0)));
    }
}
