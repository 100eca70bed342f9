using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Imports;
using Chaperone.Clinic.Jobs;
using Chaperone.Clinic.Mail;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Schedule.Waiting;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Home;

/// <summary>What the start page shows the person who signed in: counts of their clinic and their own account, nobody's data.</summary>
public sealed record ViewHome : IOperation<HomeModel>
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Unlogged("counts and one's own account; no record is opened").ForSelf("everybody signed in has a start page");
}

/// <summary>The start page's facts. A null stands for what this person may not know.</summary>
/// <param name="OwnRecord">The patient's own record, for a patient's account.</param>
/// <param name="OwnTwoFactor">Whether one's own second factor is set up.</param>
/// <param name="OwnSessions">One's own open sessions.</param>
/// <param name="Day">Whose appointments of today the page goes on to list.</param>
public sealed record HomeModel(Guid? OwnRecord, bool OwnTwoFactor, int OwnSessions, HomeDay Day)
{
    /// <summary>Patients that are not archived.</summary>
    public int? PatientsActive { get; init; }

    /// <summary>Registrations of the last fourteen days, oldest first.</summary>
    public IReadOnlyList<DayCount>? RegisteredByDay { get; init; }

    /// <summary>The clinic's appointments of the last fourteen days, today included, oldest first.</summary>
    public IReadOnlyList<DayOutcome>? AppointmentsByDay { get; init; }

    /// <summary>Accounts and locks of the team.</summary>
    public TeamCounts? Team { get; init; }

    /// <summary>What the last verification of the log found.</summary>
    public LogIntegrity? Log { get; init; }

    /// <summary>Room on the disk that the installation lies on.</summary>
    public DiskRoom? Disk { get; init; }

    /// <summary>What takes a while or happens by itself.</summary>
    public JobCounts? Jobs { get; init; }

    /// <summary>Patients on the waiting list, where one books.</summary>
    public int? OnWaitingList { get; init; }
}

/// <summary>Jobs at a look.</summary>
/// <param name="Running">Imports, exports and verifications that run now.</param>
/// <param name="Failed">Of the last seven days, those that failed.</param>
/// <param name="Undelivered">Mails given up and not discarded.</param>
public sealed record JobCounts(int Running, int Failed, int Undelivered);

/// <summary>Whose appointments a start page lists.</summary>
public enum HomeDay
{
    /// <summary>Nobody's.</summary>
    None,

    /// <summary>One's own, for who sees patients.</summary>
    Own,

    /// <summary>The clinic's, for who receives them.</summary>
    Clinic,
}

/// <summary>How many on a day of the clinic's calendar.</summary>
public sealed record DayCount(DateOnly Day, int Count);

/// <summary>What became of a day's appointments.</summary>
/// <param name="Day">Of the clinic's calendar.</param>
/// <param name="Seen">Completed, or begun.</param>
/// <param name="Open">Still booked, or arrived.</param>
/// <param name="Missed">The patient did not come.</param>
/// <param name="Cancelled">Cancelled.</param>
public sealed record DayOutcome(DateOnly Day, int Seen, int Open, int Missed, int Cancelled)
{
    /// <summary>All of them.</summary>
    public int All => Seen + Open + Missed + Cancelled;
}

/// <summary>Accounts of staff in use; patients' own accounts are not the team's.</summary>
/// <param name="Members">How many.</param>
/// <param name="WithTwoFactor">Of them, those with two-factor.</param>
/// <param name="Locked">Of them, those that are locked now.</param>
public sealed record TeamCounts(int Members, int WithTwoFactor, int Locked);

internal sealed class ViewHomeHandler(ClinicLog log, DataFolder folder) : IHandler<ViewHome, HomeModel>
{
    private const int Days = 14;

    public async Task<Result<HomeModel>> Handle(ViewHome request, OperationScope scope, CancellationToken cancel)
    {
        var (db, actor, now) = (scope.Db, scope.Actor, scope.Now);
        bool May(Permission permission) => actor.PatientId is null && actor.Rights.Holds(permission, actor.State.Elevated, now);

        var twoFactor = await db.Set<CredentialRow>().AnyAsync(credential => credential.Id == actor.Id && credential.TwoFactorEnabled, cancel);
        var sessions = await db.Set<SessionRow>().CountAsync(session => session.MemberId == actor.Id && session.EndedAt == null && session.IdleEndsAt > now && session.AbsoluteEndsAt > now, cancel);
        var oversees = May(Permission.SecurityManage);
        var seesPatients = May(Permission.ScheduleView) && await SeesPatients(scope, cancel);
        var model = new HomeModel(actor.PatientId, twoFactor, sessions, seesPatients ? HomeDay.Own : May(Permission.ScheduleAttend) && May(Permission.PatientView) && !oversees ? HomeDay.Clinic : HomeDay.None);
        if (May(Permission.PatientView))
        {
            model = model with
            {
                PatientsActive = await Known(scope).CountAsync(patient => patient.Status == PatientRow.Active, cancel),
                RegisteredByDay = oversees ? await RegisteredAsync(scope, cancel) : null,
            };
        }
        if (oversees || (May(Permission.ScheduleView) && May(Permission.ReportView))) model = model with { AppointmentsByDay = await OutcomesAsync(scope, cancel) };
        if (oversees) model = model with { Team = await TeamAsync(scope, cancel), Disk = folder.Room() };
        if (May(Permission.SettingsEdit)) model = model with { Jobs = await JobsAsync(scope, cancel) };
        if (May(Permission.ScheduleEdit)) model = model with { OnWaitingList = await db.Set<WaitingRow>().CountAsync(entry => entry.Status == WaitingRow.Waiting, cancel) };
        return May(Permission.AuditView) ? model with { Log = LogIntegrity.Of(log) } : model;
    }

    // A number tells too: whoever sees their own patients only is told how many those are.
    private static IQueryable<PatientRow> Known(OperationScope scope)
    {
        var rows = scope.Db.Set<PatientRow>().AsQueryable();
        var reach = scope.Actor.Rights.WeakestRelation(Permission.PatientView, scope.Actor.State.Elevated, scope.Now) ?? Relation.Own;
        return PatientReach.Of(scope, reach) is { } within ? rows.Where(patient => within.Contains(patient.Id)) : rows;
    }

    private static Task<bool> SeesPatients(OperationScope scope, CancellationToken cancel)
    {
        var (me, roles) = (scope.Actor.Id, ScheduleCodes.PractitionerRoles);
        return scope.Db.Set<MemberRow>().AnyAsync(member => member.Id == me && member.Roles.Any(role => roles.Contains(role)), cancel);
    }

    private static async Task<IReadOnlyList<DayCount>> RegisteredAsync(OperationScope scope, CancellationToken cancel)
    {
        var (zone, since) = (ClinicTime.ZoneOf(scope.Tenant), scope.Now.AddDays(-Days));
        var times = await scope.Db.Set<PatientRow>().Where(patient => patient.RegisteredAt >= since).Select(patient => patient.RegisteredAt).Take(100_000).ToListAsync(cancel);
        var counts = times.CountBy(time => ClinicTime.DayOf(time, zone)).ToDictionary();
        return [.. LastDays(scope).Select(day => new DayCount(day, counts.GetValueOrDefault(day)))];
    }

    private static async Task<IReadOnlyList<DayOutcome>> OutcomesAsync(OperationScope scope, CancellationToken cancel)
    {
        var zone = ClinicTime.ZoneOf(scope.Tenant);
        var days = LastDays(scope).ToArray();
        var (from, to) = (ClinicTime.StartOf(days[0], zone), ClinicTime.StartOf(days[^1].AddDays(1), zone));
        var rows = await scope.Db.Set<AppointmentRow>().Where(row => row.StartsAt >= from && row.StartsAt < to).Select(row => new { row.StartsAt, row.Status }).Take(100_000).ToListAsync(cancel);
        var counts = rows.CountBy(row => (ClinicTime.DayOf(row.StartsAt, zone), row.Status)).ToDictionary();
        int Of(DateOnly day, params string[] statuses) => statuses.Sum(status => counts.GetValueOrDefault((day, status)));
        return
        [
            .. days.Select(day => new DayOutcome(
                day, Of(day, AppointmentStatus.Completed, AppointmentStatus.Started), Of(day, AppointmentStatus.Booked, AppointmentStatus.Arrived), Of(day, AppointmentStatus.NoShow), Of(day, AppointmentStatus.Cancelled))),
        ];
    }

    private static async Task<TeamCounts> TeamAsync(OperationScope scope, CancellationToken cancel)
    {
        var (db, now) = (scope.Db, scope.Now);
        var staff = db.Set<MemberRow>().Where(member => member.Status == MemberRow.Active && member.PatientId == null);
        return new(
            await staff.CountAsync(cancel),
            await staff.Join(db.Set<CredentialRow>().Where(credential => credential.TwoFactorEnabled), member => member.Id, credential => credential.Id, (member, _) => member.Id).CountAsync(cancel),
            await db.Set<SignInCounterRow>().Join(db.Set<MemberRow>().Where(member => member.PatientId == null), counter => counter.Id, member => member.Id, (counter, _) => counter).CountAsync(counter => counter.LockedUntil > now, cancel));
    }

    private static async Task<JobCounts> JobsAsync(OperationScope scope, CancellationToken cancel)
    {
        var (db, now, since) = (scope.Db, scope.Now, scope.Now.AddDays(-7));
        var (runs, imports) = (db.Set<JobRunRow>(), db.Set<ImportJobRow>());
        return new(
            await runs.CountAsync(run => run.State == JobRunRow.Running && run.AliveUntil > now, cancel) + await imports.CountAsync(import => import.State == ImportJobRow.Running, cancel),
            await runs.CountAsync(run => run.State == JobRunRow.Failed && run.FinishedAt > since, cancel) + await imports.CountAsync(import => import.State == ImportJobRow.Failed && import.FinishedAt > since, cancel),
            await db.Set<MailMessageRow>().CountAsync(mail => mail.State == MailMessageRow.Dead, cancel));
    }

    private static IEnumerable<DateOnly> LastDays(OperationScope scope) => Enumerable.Range(0, Days).Select(n => scope.Today().AddDays(n - Days + 1));
}
