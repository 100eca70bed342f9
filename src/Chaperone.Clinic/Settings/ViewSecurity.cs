using Chaperone.Clinic.SignIn;
using Chaperone.Clinic.Team;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Settings;

/// <summary>How safely people sign in here: the rules as they are, and whom they concern now. Names only those who are missing something or locked out.</summary>
internal sealed record ViewSecurity : IOperation<SecurityView>
{
    public static Policy Policy { get; } = Policy.Reads("settings.viewed").Needs(Permission.SecurityManage).About(Resource.Clinic);
}

/// <summary>The state of signing in.</summary>
/// <param name="RequireTwoFactor">Whether a second factor is required of everybody, and not only where a role asks for it.</param>
/// <param name="Accounts">Open accounts of staff.</param>
/// <param name="WithTwoFactor">So many of them have a second factor.</param>
/// <param name="MissingTwoFactor">Those who have none, by name; of each is said whether it is required.</param>
/// <param name="Locked">Who is locked out at this moment, patients too.</param>
/// <param name="WithoutPassword">Open accounts of staff that never had a password: invited and not come yet.</param>
/// <param name="Sessions">Sessions that work at this moment.</param>
/// <param name="Devices">Devices that are remembered.</param>
/// <param name="Password">The rules for passwords. They are the same in every clinic.</param>
public sealed record SecurityView(
    bool RequireTwoFactor, int Accounts, int WithTwoFactor, IReadOnlyList<MemberView> MissingTwoFactor, IReadOnlyList<MemberView> Locked, IReadOnlyList<MemberView> WithoutPassword, int Sessions, int Devices,
    PasswordRules Password);

/// <summary>What a password must be, and what failures lead to.</summary>
/// <param name="ShortestLength">Characters at least.</param>
/// <param name="LongestLength">Characters at most.</param>
/// <param name="FailuresBeforeLock">Failures in a row that lock an account.</param>
/// <param name="LockMinutes">For how long.</param>
public sealed record PasswordRules(int ShortestLength, int LongestLength, int FailuresBeforeLock, int LockMinutes)
{
    /// <summary>As the program has them.</summary>
    public static PasswordRules Current { get; } = new(Passwords.ShortestLength, Passwords.LongestLength, Attempts.Most, (int)Attempts.LockFor.TotalMinutes);
}

internal sealed class ViewSecurityHandler(MemberReader members) : IHandler<ViewSecurity, SecurityView>
{
    public async Task<Result<SecurityView>> Handle(ViewSecurity request, OperationScope scope, CancellationToken cancel)
    {
        var known = await scope.Db.Set<MemberRow>().Where(row => row.Status == MemberRow.Active).OrderBy(row => row.Id).Take(ListMembersHandler.Most).Select(row => new { row.Id, IsStaff = row.PatientId == null }).ToListAsync(cancel);
        var facts = await MemberReader.FactsAsync(scope, [.. known.Select(row => row.Id)], cancel);
        Guid[] staff = [.. known.Where(row => row.IsStaff && facts[row.Id].HasAccount).Select(row => row.Id)];
        Guid[] missing = [.. staff.Where(id => !facts[id].TwoFactorEnabled)];
        Guid[] locked = [.. known.Where(row => facts[row.Id].LockedUntil is not null).Select(row => row.Id)];
        Guid[] without = [.. staff.Where(id => !facts[id].HasPassword)];

        // Only who is missing something is opened: the event names who was shown.
        Guid[] shown = [.. missing.Union(locked).Union(without)];
        var rows = await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => shown.Contains(row.Id)), cancel);
        var views = rows.Select(row => members.View(scope, row, facts[row.Id])).OrderBy(view => view.Name, StringComparer.CurrentCultureIgnoreCase).ToList();
        return new SecurityView(
            scope.Tenant.RequireTwoFactor, staff.Length, staff.Length - missing.Length, Of(missing), Of(locked), Of(without),
            await AccountLists.Working(scope).CountAsync(cancel), await AccountLists.Remembered(scope).CountAsync(cancel), PasswordRules.Current);

        IReadOnlyList<MemberView> Of(Guid[] ids) => [.. views.Where(view => ids.Contains(view.Id))];
    }
}
