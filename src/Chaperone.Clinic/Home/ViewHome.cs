using Chaperone.Clinic.Patients;
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
/// <param name="PatientsActive">Patients that are not archived.</param>
/// <param name="RegisteredByDay">Registrations of the last fourteen days, oldest first.</param>
/// <param name="Members">Accounts of staff in use; patients' own accounts are not the team's.</param>
/// <param name="MembersWithTwoFactor">Of them, those with two-factor.</param>
/// <param name="Locked">Accounts that are locked now.</param>
/// <param name="OwnRecord">The patient's own record, for a patient's account.</param>
/// <param name="OwnTwoFactor">Whether one's own second factor is set up.</param>
/// <param name="OwnSessions">One's own open sessions.</param>
public sealed record HomeModel(
    int? PatientsActive, IReadOnlyList<DayCount>? RegisteredByDay, int? Members, int? MembersWithTwoFactor, int? Locked, Guid? OwnRecord, bool OwnTwoFactor, int OwnSessions);

/// <summary>How many on a day of the clinic's calendar.</summary>
public sealed record DayCount(DateOnly Day, int Count);

internal sealed class ViewHomeHandler : IHandler<ViewHome, HomeModel>
{
    private const int Days = 14;

    public async Task<Result<HomeModel>> Handle(ViewHome request, OperationScope scope, CancellationToken cancel)
    {
        var (db, actor, now) = (scope.Db, scope.Actor, scope.Now);
        bool May(Permission permission) => actor.PatientId is null && actor.Rights.Holds(permission, actor.State.Elevated, now);

        int? patients = null, members = null, secured = null, locked = null;
        IReadOnlyList<DayCount>? byDay = null;
        if (May(Permission.PatientView))
        {
            patients = await db.Set<PatientRow>().CountAsync(patient => patient.Status == PatientRow.Active, cancel);
            var zone = TimeZoneInfo.FindSystemTimeZoneById(scope.Tenant.Zone);
            var today = scope.Today();
            var times = await db.Set<PatientRow>().Where(patient => patient.RegisteredAt >= now.AddDays(-Days)).Select(patient => patient.RegisteredAt).Take(100_000).ToListAsync(cancel);
            var counts = times.CountBy(time => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time, zone).DateTime)).ToDictionary();
            byDay = [.. Enumerable.Range(0, Days).Select(back => today.AddDays(back - Days + 1)).Select(day => new DayCount(day, counts.GetValueOrDefault(day)))];
        }
        if (May(Permission.SecurityManage))
        {
            members = await db.Set<MemberRow>().CountAsync(member => member.Status == MemberRow.Active && member.PatientId == null, cancel);
            secured = await db.Set<MemberRow>().Where(member => member.Status == MemberRow.Active && member.PatientId == null)
                .Join(db.Set<CredentialRow>().Where(credential => credential.TwoFactorEnabled), member => member.Id, credential => credential.Id, (member, _) => member.Id).CountAsync(cancel);
            locked = await db.Set<SignInCounterRow>().Join(db.Set<MemberRow>().Where(member => member.PatientId == null), counter => counter.Id, member => member.Id, (counter, _) => counter).CountAsync(counter => counter.LockedUntil > now, cancel);
        }
        var twoFactor = await db.Set<CredentialRow>().AnyAsync(credential => credential.Id == actor.Id && credential.TwoFactorEnabled, cancel);
        var sessions = await db.Set<SessionRow>().CountAsync(session => session.MemberId == actor.Id && session.EndedAt == null && session.IdleEndsAt > now && session.AbsoluteEndsAt > now, cancel);
        return new HomeModel(patients, byDay, members, secured, locked, actor.PatientId, twoFactor, sessions);
    }
}
