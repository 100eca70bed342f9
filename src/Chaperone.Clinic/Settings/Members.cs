using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Settings;

/// <summary>An account as who manages accounts sees it in the list.</summary>
public sealed record MemberView(
    Guid Id, string Name, string Email, string? Title, IReadOnlyList<string> Roles, string Status, bool TwoFactorEnabled, bool TwoFactorRequired, bool HasPassword, DateTimeOffset? LockedUntil);

/// <summary>The accounts of the clinic, patients' excepted, by name.</summary>
internal sealed record ListMembers : IOperation<IReadOnlyList<MemberView>>
{
    public static Policy Policy { get; } = Policy.Reads("staff.listed").Needs(Permission.TeamManage).About(Resource.Clinic);
}

internal sealed class ListMembersHandler(MemberReader members) : IHandler<ListMembers, IReadOnlyList<MemberView>>
{
    public const int Most = 2000;

    public async Task<Result<IReadOnlyList<MemberView>>> Handle(ListMembers request, OperationScope scope, CancellationToken cancel)
    {
        var rows = await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => row.PatientId == null).Take(Most), cancel);
        var views = await members.ViewsAsync(scope, rows, cancel);
        return Result<IReadOnlyList<MemberView>>.Of([.. views.OrderBy(view => view.Name, StringComparer.CurrentCultureIgnoreCase)]);
    }
}

/// <summary>One account, with its sessions and devices where the viewer manages security.</summary>
internal sealed record ViewMember(Guid Member) : IOperation<MemberPageModel>, IAbout
{
    public static Policy Policy { get; } = Policy.Reads("staff.viewed").Needs(Permission.TeamManage).About(MemberRow.Resource);

    public Guid ResourceId => Member;
}

/// <summary>What the page of an account shows; what may be done there by this viewer.</summary>
internal sealed record MemberPageModel(MemberView Member, IReadOnlyList<SessionView> Sessions, IReadOnlyList<DeviceView> Devices, bool MayChange, bool ManagesSecurity);

internal sealed class ViewMemberHandler(MemberReader members) : IHandler<ViewMember, MemberPageModel>
{
    public async Task<Result<MemberPageModel>> Handle(ViewMember request, OperationScope scope, CancellationToken cancel)
    {
        var rows = await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => row.Id == request.Member), cancel);
        if (rows is not [var row]) return PlatformErrors.NotFound;
        var view = (await members.ViewsAsync(scope, rows, cancel))[0];
        var security = scope.Actor.Rights.Holds(Permission.SecurityManage, scope.Actor.State.Elevated, scope.Now);
        return new MemberPageModel(
            view,
            security ? await AccountLists.SessionsAsync(scope, row.Id, cancel) : [],
            security ? await AccountLists.DevicesAsync(scope, row.Id, cancel) : [],
            MemberReader.MayChange(scope, row),
            security);
    }
}

/// <summary>Reads accounts with what stands beside them.</summary>
internal sealed class MemberReader(Actors actors)
{
    public async Task<IReadOnlyList<MemberView>> ViewsAsync(OperationScope scope, IReadOnlyList<MemberRow> rows, CancellationToken cancel)
    {
        var ids = rows.Select(row => row.Id).ToArray();
        var credentials = await scope.Db.Set<CredentialRow>().Where(row => ids.Contains(row.Id)).Select(row => new { row.Id, row.TwoFactorEnabled, row.PasswordChangedAt }).ToDictionaryAsync(row => row.Id, cancel);
        var locked = new Dictionary<Guid, DateTimeOffset>();
        var inSession = ids.ToDictionary(Attempts.InSession);
        Guid[] counters = [.. ids, .. inSession.Keys];
        foreach (var row in await scope.Db.Set<SignInCounterRow>().Where(row => counters.Contains(row.Id) && row.LockedUntil > scope.Now).Select(row => new { row.Id, row.LockedUntil }).ToListAsync(cancel))
        {
            var member = inSession.GetValueOrDefault(row.Id, row.Id);
            if (!locked.TryGetValue(member, out var until) || until < row.LockedUntil) locked[member] = row.LockedUntil!.Value;
        }
        return
        [
            .. rows.Select(row => new MemberView(
                row.Id, row.Payload.Name, row.Payload.Email, row.Payload.Title, row.Roles, row.Status,
                credentials[row.Id].TwoFactorEnabled, actors.NeedsTwoFactor(scope.Tenant, Actors.Compile(row.Roles)), credentials[row.Id].PasswordChangedAt is not null,
                locked.TryGetValue(row.Id, out var until) ? until : null)),
        ];
    }

    /// <summary>Whether the actor may act on this account at all: only who could have given all its roles, and nobody on their own.</summary>
    public static bool MayChange(OperationScope scope, MemberRow row) =>
        scope.Actor.Id is { } actor && Assigning.MayChange(actor, scope.Actor.Rights, row.Id, Actors.Compile(row.Roles), scope.Now);

    /// <summary>The account to act on, opened; or why not.</summary>
    public static async Task<Result<MemberRow>> ToChangeAsync(OperationScope scope, Guid id, CancellationToken cancel)
    {
        var row = await scope.OpenOne(scope.Db.Set<MemberRow>().Where(row => row.Id == id), cancel);
        return row is null ? PlatformErrors.NotFound : MayChange(scope, row) ? row : SignInErrors.OutOfReach;
    }
}
