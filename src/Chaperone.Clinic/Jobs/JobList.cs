using System.Globalization;
using Chaperone.Clinic.Imports;
using Chaperone.Clinic.Mail;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Jobs;

/// <summary>A job as the list shows it.</summary>
/// <param name="Id">The import, mail or run.</param>
/// <param name="Kind">import, export, verification, mail or purge.</param>
/// <param name="What">Which, in words.</param>
/// <param name="State">waiting, running, finished, failed or cancelled.</param>
/// <param name="By">Who started it; null for the system.</param>
/// <param name="StartedAt">When it began, or was wanted.</param>
/// <param name="FinishedAt">When it ended.</param>
/// <param name="Done">How far it is.</param>
/// <param name="Total">Of how much, when that is known.</param>
/// <param name="Code">What failed.</param>
/// <param name="MayRetry">Whether it can be tried again from the list.</param>
/// <param name="Href">Where there is more about it.</param>
public sealed record JobView(
    Guid Id, string Kind, string What, string State, string? By, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt, long Done, long? Total, string? Code, bool MayRetry, string? Href)
{
    /// <summary>What came of it, in a sentence.</summary>
    public string Result => (State, Error) switch
    {
        (JobStates.Failed or JobStates.Waiting, { } error) => error.Title,
        (JobStates.Waiting, _) => "Waits.",
        (JobStates.Running, _) => Total is { } all ? $"{Number(Done)} of {Number(all)}" : "Runs.",
        (JobStates.Cancelled, _) => "Stopped.",
        (JobStates.Failed, _) => "Failed.",
        _ => Kind switch
        {
            JobKinds.Verification => $"{Number(Done)} {(Done == 1 ? "event" : "events")} as signed",
            JobKinds.Mail => "Handed over to the mail server",
            JobKinds.Purge => "Cleared away what was due",
            _ => $"{Number(Done)} {(Done == 1 ? "row" : "rows")}",
        },
    };

    private Error? Error => Code is null ? null : JobList.Errors.FirstOrDefault(error => error.Code == Code);

    private static string Number(long number) => number.ToString("N0", CultureInfo.GetCultureInfo("en-GB"));
}

internal static class JobStates
{
    public const string Waiting = "waiting", Running = "running", Finished = "finished", Failed = "failed", Cancelled = "cancelled";
}

internal static class JobKinds
{
    public const string Import = "import", Export = "export", Verification = "verification", Mail = "mail", Purge = "purge";

    public static readonly IReadOnlyList<string> All = [Import, Export, Verification, Mail, Purge];
}

/// <summary>Jobs as what operations are about: the clinic's.</summary>
internal static class JobResource
{
    public static readonly Resource Job = Resource.Define("job",
        "SELECT 1 FROM clinic.job_run WHERE id = $1 UNION ALL SELECT 1 FROM clinic.mail_message WHERE id = $1 UNION ALL SELECT 1 FROM clinic.import_job WHERE id = $1 LIMIT 1");
}

/// <summary>Shows the clinic's latest jobs.</summary>
/// <param name="Kind">Only this kind; null for all.</param>
internal sealed record ListJobs(string? Kind = null) : IOperation<IReadOnlyList<JobView>>
{
    public static Policy Policy { get; } = Policy.Reads("job.listed").Needs(Permission.SettingsEdit).About(Resource.Clinic);
}

internal sealed class ListJobsHandler : IHandler<ListJobs, IReadOnlyList<JobView>>
{
    public async Task<Result<IReadOnlyList<JobView>>> Handle(ListJobs request, OperationScope scope, CancellationToken cancel) =>
        Result<IReadOnlyList<JobView>>.Of(await JobList.ReadAsync(scope, null, request.Kind, cancel));
}

/// <summary>Shows the jobs that one started oneself: imports and exports.</summary>
internal sealed record ListOwnJobs : IOperation<IReadOnlyList<JobView>>
{
    public static Policy Policy { get; } = Policy.Reads("job.listed").ForSelf("one's own imports and exports");
}

internal sealed class ListOwnJobsHandler : IHandler<ListOwnJobs, IReadOnlyList<JobView>>
{
    public async Task<Result<IReadOnlyList<JobView>>> Handle(ListOwnJobs request, OperationScope scope, CancellationToken cancel) =>
        Result<IReadOnlyList<JobView>>.Of(await JobList.ReadAsync(scope, scope.Actor.Id, null, cancel));
}

/// <summary>How far the running jobs are: numbers only, asked again and again.</summary>
internal sealed record WatchJobs : IOperation<IReadOnlyList<JobView>>
{
    public static Policy Policy { get; } = Policy.Unlogged("numbers of running jobs, asked every other second; nobody is shown, and the list leaves an event").Needs(Permission.SettingsEdit).About(Resource.Clinic);
}

internal sealed class WatchJobsHandler : IHandler<WatchJobs, IReadOnlyList<JobView>>
{
    public async Task<Result<IReadOnlyList<JobView>>> Handle(WatchJobs request, OperationScope scope, CancellationToken cancel) =>
        Result<IReadOnlyList<JobView>>.Of(await JobList.RunningAsync(scope, cancel));
}

/// <summary>Puts together what several tables know of jobs.</summary>
internal static class JobList
{
    private const int MostOfAKind = 50, MostRoutine = 5;

    /// <summary>Every error a job can end with.</summary>
    public static IReadOnlyList<Error> Errors { get; } = [.. MailErrors.All, JobErrors.BrokeOff, JobErrors.NotAsSigned, JobErrors.CouldNotCheck, PlatformErrors.SealBroken, PlatformErrors.BrokenOff, PlatformErrors.Unexpected, PlatformErrors.DatabaseUnavailable];

    /// <summary>The latest of each kind, newest first. Who started them is shown and so registered; with <paramref name="starter"/> only that account's.</summary>
    public static async Task<IReadOnlyList<JobView>> ReadAsync(OperationScope scope, Guid? starter, string? kind, CancellationToken cancel)
    {
        var found = new List<(Guid? By, JobView View)>();
        if (kind is null or JobKinds.Import)
        {
            var imports = await Imports(scope, starter).OrderByDescending(job => job.CreatedAt).Take(MostOfAKind).ToListAsync(cancel);
            found.AddRange(imports.Select(job => ((Guid?)(job.StartedBy ?? job.CreatedBy), Of(job))));
        }
        foreach (var (each, most) in new[] { (JobKinds.Export, MostOfAKind), (JobKinds.Verification, MostRoutine), (JobKinds.Purge, MostRoutine) })
        {
            if (kind is not null && kind != each) continue;
            var limit = kind is null ? most : MostOfAKind;
            var runs = await scope.Db.Set<JobRunRow>().AsNoTracking().Where(run => run.Kind == each && (starter == null || run.StartedBy == starter)).OrderByDescending(run => run.StartedAt).Take(limit).ToListAsync(cancel);
            found.AddRange(runs.Select(run => (run.StartedBy, Of(run, scope.Now))));
        }
        if (starter is null && kind is null or JobKinds.Mail)
        {
            var mails = await scope.Db.Set<MailMessageRow>().AsNoTracking().Where(mail => mail.MemberId != null).OrderByDescending(mail => mail.Id).Take(MostOfAKind).ToListAsync(cancel);
            found.AddRange(mails.Select(mail => (mail.CreatedBy, Of(mail, scope.Now))));
        }
        var people = found.Select(job => job.By).OfType<Guid>().Distinct().ToArray();
        var names = (await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(member => people.Contains(member.Id)), cancel)).ToDictionary(member => member.Id, member => member.Payload.Name);
        return [.. found.OrderByDescending(job => job.View.StartedAt).Select(job => job.View with { By = job.By is { } id ? names.GetValueOrDefault(id) : null })];
    }

    /// <summary>What runs now, without who started it.</summary>
    public static async Task<IReadOnlyList<JobView>> RunningAsync(OperationScope scope, CancellationToken cancel)
    {
        var now = scope.Now;
        var imports = await Imports(scope, null).Where(job => job.State == ImportJobRow.Running).ToListAsync(cancel);
        var runs = await scope.Db.Set<JobRunRow>().AsNoTracking().Where(run => run.State == JobRunRow.Running && run.AliveUntil > now).ToListAsync(cancel);
        return [.. imports.Select(Of).Concat(runs.Select(run => Of(run, now))).OrderBy(job => job.StartedAt)];
    }

    // Not opened: a file's name is nobody's business here.
    private static IQueryable<ImportJobRow> Imports(OperationScope scope, Guid? starter) =>
        scope.Db.Set<ImportJobRow>().AsNoTracking().Where(job => starter == null || job.CreatedBy == starter || job.StartedBy == starter);

    private static JobView Of(ImportJobRow job) => new(
        job.Id, JobKinds.Import, "Import of " + ImportKind.Of(job.Kind).Words.Name.ToLowerInvariant(), job.State, null, job.CreatedAt, job.FinishedAt, job.RowsDone, job.RowsTotal, null, false, $"/patients/import/{job.Id:D}");

    private static JobView Of(JobRunRow run, DateTimeOffset now)
    {
        var broke = run.State == JobRunRow.Running && run.AliveUntil < now;
        var what = (run.Kind, run.What) switch
        {
            (JobRunRow.Export, "patients") => "Export of patients",
            (JobRunRow.Export, "access_history") => "Report on who looked",
            (JobRunRow.Export, _) => "Export of the audit log",
            (JobRunRow.Verification, _) => "Verification of log and records",
            _ => "Clearing away",
        };
        return new(
            run.Id, run.Kind, what, broke ? JobStates.Failed : run.State, null, run.StartedAt, run.FinishedAt, run.Done, run.Total, broke ? JobErrors.BrokeOff.Code : run.ResultCode,
            run.Kind == JobRunRow.Verification && (broke || run.State != JobRunRow.Running), run.Kind == JobRunRow.Verification ? "/settings/audit-log/integrity" : null);
    }

    private static JobView Of(MailMessageRow mail, DateTimeOffset now)
    {
        var state = mail.State switch
        {
            MailMessageRow.Sent => JobStates.Finished, MailMessageRow.Dead => JobStates.Failed, MailMessageRow.Discarded => JobStates.Cancelled, MailMessageRow.Sending => JobStates.Running, _ => JobStates.Waiting,
        };
        return new(
            mail.Id, JobKinds.Mail, "Mail: " + (MailTemplates.Find(mail.Template)?.Name ?? mail.Template), state, null, mail.CreatedAt, mail.FinishedAt, state == JobStates.Finished ? 1 : 0, null, mail.ResultCode,
            mail.State is MailMessageRow.Dead or MailMessageRow.Waiting && mail.ExpiresAt > now, mail.State is MailMessageRow.Dead or MailMessageRow.Waiting ? MailPages.Undelivered : null);
    }
}
