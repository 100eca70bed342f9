using System.Globalization;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Team;

/// <summary>What stands beside an account, without whose it is.</summary>
/// <param name="HasAccount">Whether anybody can ever sign in: not to practitioners who were imported.</param>
/// <param name="TwoFactorEnabled">Whether a second factor is set up.</param>
/// <param name="HasPassword">Whether the invitation was accepted.</param>
/// <param name="LockedUntil">Until when failures keep them from signing in, or null.</param>
/// <param name="LastSignInAt">When they last signed in, or null for never.</param>
/// <param name="InvitationEndsAt">Until when the link of an invitation works, or null when there is none that does.</param>
internal sealed record MemberFacts(bool HasAccount, bool TwoFactorEnabled, bool HasPassword, DateTimeOffset? LockedUntil, DateTimeOffset? LastSignInAt, DateTimeOffset? InvitationEndsAt)
{
    /// <summary>One of <see cref="MemberStates"/>.</summary>
    public string StateOf(string status) => !HasAccount ? MemberStates.Past : status == MemberRow.Suspended ? MemberStates.Deactivated : !HasPassword ? MemberStates.Invited : LockedUntil is not null ? MemberStates.Locked : MemberStates.Active;
}

/// <summary>What an account can be.</summary>
internal static class MemberStates
{
    public const string Active = "active";
    public const string Invited = "invited";
    public const string Locked = "locked";
    public const string Deactivated = "deactivated";

    /// <summary>A practitioner who was imported, for what they did: there is no account to sign in to.</summary>
    public const string Past = "past";

    public static IReadOnlyList<string> All { get; } = [Active, Invited, Locked, Deactivated, Past];
}

/// <summary>An account as who manages accounts sees it.</summary>
public sealed record MemberView(
    Guid Id, string Name, string Email, string? Title, IReadOnlyList<string> Roles, string State, bool TwoFactorEnabled, bool TwoFactorRequired, bool HasPassword, DateTimeOffset? LockedUntil,
    DateTimeOffset? LastSignInAt, DateTimeOffset? InvitationEndsAt, Registration? Registration, string? Colour, long Version);

/// <summary>The accounts of the clinic, patients' excepted, by name.</summary>
/// <param name="Role">Only those with this role.</param>
/// <param name="State">Only those in this state; without it everybody but past practitioners, of whom there may be hundreds.</param>
/// <param name="TwoFactor">Only those with, or only those without a second factor.</param>
/// <param name="SignedIn">Only those who have, or only those who have never signed in.</param>
/// <param name="Text">Only those in whose name or address each of these words stands.</param>
internal sealed record ListMembers(string? Role = null, string? State = null, bool? TwoFactor = null, bool? SignedIn = null, string? Text = null) : IOperation<IReadOnlyList<MemberView>>
{
    public static Policy Policy { get; } = Policy.Reads("staff.listed").Needs(Permission.TeamManage).About(Resource.Clinic);

    public override string ToString() => nameof(ListMembers);
}

internal sealed class ListMembersHandler(MemberReader members) : IHandler<ListMembers, IReadOnlyList<MemberView>>
{
    public const int Most = 2000;
    private const CompareOptions Alike = CompareOptions.IgnoreCase | CompareOptions.IgnoreNonSpace;

    public async Task<Result<IReadOnlyList<MemberView>>> Handle(ListMembers request, OperationScope scope, CancellationToken cancel)
    {
        if (request.State is { } state && !MemberStates.All.Contains(state)) return PlatformErrors.Malformed;
        if (request.Role is { } role && !TeamRoles.All.Any(known => known.Code == role)) return PlatformErrors.Malformed;

        // Filtered before anything is opened: the event names who was shown.
        var staff = scope.Db.Set<MemberRow>().AsNoTracking().Where(row => row.PatientId == null && (request.Role == null || row.Roles.Contains(request.Role)));
        var known = await staff.OrderBy(row => row.Id).Take(Most).Select(row => new { row.Id, row.Status }).ToListAsync(cancel);
        var facts = await MemberReader.FactsAsync(scope, [.. known.Select(row => row.Id)], cancel);
        Guid[] shown =
        [
            .. known.Where(row => (request.State is null ? facts[row.Id].HasAccount : facts[row.Id].StateOf(row.Status) == request.State) && (request.TwoFactor is null || facts[row.Id].TwoFactorEnabled == request.TwoFactor)
                && (request.SignedIn is null || facts[row.Id].LastSignInAt is not null == request.SignedIn)).Select(row => row.Id),
        ];
        var words = request.Text?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) ?? [];
        var rows = (await scope.OpenCandidates(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => shown.Contains(row.Id)), cancel)).Where(row => words.All(word => Has(row.Payload, word))).ToList();
        foreach (var row in rows) scope.Show(row);
        if (words.Length > 0) scope.Found(rows.Count, "name", "email");
        return Result<IReadOnlyList<MemberView>>.Of([.. rows.Select(row => members.View(scope, row, facts[row.Id])).OrderBy(view => view.Name, StringComparer.CurrentCultureIgnoreCase)]);
    }

    private static bool Has(MemberDetails details, string word)
    {
        var compare = CultureInfo.InvariantCulture.CompareInfo;
        return compare.IndexOf(details.Name, word, Alike) >= 0 || compare.IndexOf(details.Email, word, Alike) >= 0;
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
        var row = await scope.OpenOne(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => row.Id == request.Member), cancel);
        if (row is null) return PlatformErrors.NotFound;
        var facts = await MemberReader.FactsAsync(scope, [row.Id], cancel);
        var security = scope.Actor.Rights.Holds(Permission.SecurityManage, scope.Actor.State.Elevated, scope.Now);
        return new MemberPageModel(
            members.View(scope, row, facts[row.Id]),
            security ? await AccountLists.SessionsAsync(scope, row.Id, cancel) : [],
            security ? await AccountLists.DevicesAsync(scope, row.Id, cancel) : [],
            MemberReader.MayChange(scope, row),
            security);
    }
}

/// <summary>Reads accounts with what stands beside them.</summary>
internal sealed class MemberReader(Actors actors)
{
    public MemberView View(OperationScope scope, MemberRow row, MemberFacts facts) => new(
        row.Id, row.Payload.Name, row.Payload.Email, row.Payload.Title, row.Roles, facts.StateOf(row.Status),
        facts.TwoFactorEnabled, actors.NeedsTwoFactor(scope.Tenant, Actors.Compile(row.Roles)), facts.HasPassword, facts.LockedUntil, facts.LastSignInAt, facts.InvitationEndsAt,
        row.Payload.Registration, row.Payload.Colour, row.Version);

    /// <summary>What stands beside these accounts; nothing of it is sealed.</summary>
    public static async Task<IReadOnlyDictionary<Guid, MemberFacts>> FactsAsync(OperationScope scope, Guid[] ids, CancellationToken cancel)
    {
        var credentials = await scope.Db.Set<CredentialRow>().Where(row => ids.Contains(row.Id)).Select(row => new { row.Id, row.TwoFactorEnabled, row.PasswordChangedAt }).ToDictionaryAsync(row => row.Id, cancel);
        var locked = new Dictionary<Guid, DateTimeOffset>();
        var inSession = ids.ToDictionary(Attempts.InSession);
        Guid[] counters = [.. ids, .. inSession.Keys];
        foreach (var row in await scope.Db.Set<SignInCounterRow>().Where(row => counters.Contains(row.Id) && row.LockedUntil > scope.Now).Select(row => new { row.Id, row.LockedUntil }).ToListAsync(cancel))
            Later(locked, inSession.GetValueOrDefault(row.Id, row.Id), row.LockedUntil!.Value);
        var signedIn = await scope.Db.Set<SessionRow>().Where(row => ids.Contains(row.MemberId)).GroupBy(row => row.MemberId).Select(of => new { Member = of.Key, At = of.Max(row => row.CreatedAt) })
            .ToDictionaryAsync(row => row.Member, row => row.At, cancel);
        var invited = new Dictionary<Guid, DateTimeOffset>();
        foreach (var row in await scope.Db.Set<OneTimeLinkRow>().Where(row => ids.Contains(row.MemberId) && row.UsedAt == null && row.Purpose == OneTimeLinkRow.Invite && row.ExpiresAt > scope.Now).Select(row => new { row.MemberId, row.ExpiresAt }).ToListAsync(cancel))
            Later(invited, row.MemberId, row.ExpiresAt);
        return ids.ToDictionary(id => id, id => new MemberFacts(credentials.ContainsKey(id), credentials.GetValueOrDefault(id)?.TwoFactorEnabled == true, credentials.GetValueOrDefault(id)?.PasswordChangedAt is not null, Of(locked, id), Of(signedIn, id), Of(invited, id)));

        static void Later(Dictionary<Guid, DateTimeOffset> known, Guid id, DateTimeOffset at)
        {
            if (!known.TryGetValue(id, out var until) || until < at) known[id] = at;
        }

        static DateTimeOffset? Of(Dictionary<Guid, DateTimeOffset> known, Guid id) => known.TryGetValue(id, out var at) ? at : null;
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

    /// <summary>The same for what ends in somebody signing in: there must be an address to sign in with.</summary>
    public static async Task<Result<MemberRow>> ToLetInAsync(OperationScope scope, Guid id, CancellationToken cancel)
    {
        var found = await ToChangeAsync(scope, id, cancel);
        return found is { Succeeded: true, Value.Payload.Email: MemberDetails.NoAddress } ? TeamErrors.NoAddress : found;
    }
}
