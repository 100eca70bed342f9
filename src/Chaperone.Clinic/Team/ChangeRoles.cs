using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Team;

/// <summary>Gives somebody other roles. They hold from that person's next request; who then must have two-factor and has none can do nothing but set it up.</summary>
/// <param name="Member">Whose roles; never one's own.</param>
/// <param name="Roles">All roles they have afterwards, by code. Every one that is given or taken must be one the actor may assign.</param>
/// <param name="IfVersion">The account's version that the actor saw.</param>
internal sealed record ChangeRoles(Guid Member, IReadOnlyList<string?>? Roles, long? IfVersion) : IOperation<ChangedRoles>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("staff.role_changed").Needs(Permission.TeamManage).About(MemberRow.Resource).WithStepUp();

    public Guid ResourceId => Member;
}

/// <summary>The roles as they are now, what that gave and took, and the account's version.</summary>
internal sealed record ChangedRoles(IReadOnlyList<string> Roles, RightsDifference Difference, long Version);

internal sealed class ChangeRolesHandler : IHandler<ChangeRoles, ChangedRoles>
{
    public async Task<Result<ChangedRoles>> Handle(ChangeRoles request, OperationScope scope, CancellationToken cancel)
    {
        var wanted = TeamRoles.Read(request.Roles);
        if (wanted.Error is { } invalid) return invalid;
        var found = await MemberReader.ToChangeAsync(scope, request.Member, cancel);
        if (found.Error is { } error) return error;
        var member = found.Value;
        if (member.PatientId is not null) return PreviewRolesHandler.PatientsAccount;
        string[] roles = [.. wanted.Value.Select(role => role.Code)];
        if (TeamRoles.OutOfReach(scope, member.Roles, roles) is { } refused) return refused;
        if (OperationScope.Stale(member, request.IfVersion) is { } stale) return stale;
        if (roles.ToHashSet(StringComparer.Ordinal).SetEquals(member.Roles)) return TeamErrors.AlreadySo;
        if (!roles.Contains(BuiltInRole.Owner.Code) && await TeamRoles.IsLastOwnerAsync(scope, member, cancel)) return SignInErrors.LastOwner;

        var difference = RightsDifference.Of(Actors.Compile(member.Roles), Actors.Compile(roles), scope.Now);
        member.Roles = roles;
        member.RightsVersion++;
        await scope.Flush(cancel);
        return new ChangedRoles(roles, difference, member.Version);
    }
}

/// <summary>What other roles would give somebody and take from them. Changes nothing.</summary>
/// <param name="Member">Whose roles.</param>
/// <param name="Roles">All roles they would have, by code; null for those they have.</param>
internal sealed record PreviewRoles(Guid Member, IReadOnlyList<string?>? Roles) : IOperation<RolesPreview>, IAbout
{
    public static Policy Policy { get; } = Policy.Reads("staff.viewed").Needs(Permission.TeamManage).About(MemberRow.Resource);

    public Guid ResourceId => Member;
}

/// <summary>The roles somebody has, those they would have, and the difference that would make.</summary>
/// <param name="Id">Whose.</param>
/// <param name="Name">Their name.</param>
/// <param name="Current">The roles they have, by code.</param>
/// <param name="Wanted">Those they would have.</param>
/// <param name="Difference">What they would gain and lose.</param>
/// <param name="NeedsTwoFactorFirst">Whether they would have to set up two-factor before anything else.</param>
/// <param name="Version">The account's version, for the change.</param>
public sealed record RolesPreview(Guid Id, string Name, IReadOnlyList<string> Current, IReadOnlyList<string> Wanted, RightsDifference Difference, bool NeedsTwoFactorFirst, long Version);

internal sealed class PreviewRolesHandler(Actors actors) : IHandler<PreviewRoles, RolesPreview>
{
    public static readonly Error PatientsAccount = TeamErrors.RolesInvalid.With("roles", "A patient's account has the patient's role only.");

    public async Task<Result<RolesPreview>> Handle(PreviewRoles request, OperationScope scope, CancellationToken cancel)
    {
        var wanted = request.Roles is null ? default : TeamRoles.Read(request.Roles);
        if (wanted.Error is { } invalid) return invalid;
        var row = await scope.OpenOne(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => row.Id == request.Member), cancel);
        if (row is null) return PlatformErrors.NotFound;
        if (!MemberReader.MayChange(scope, row)) return SignInErrors.OutOfReach;
        if (row.PatientId is not null) return PatientsAccount;
        string[] roles = request.Roles is null ? row.Roles : [.. wanted.Value.Select(role => role.Code)];
        if (TeamRoles.OutOfReach(scope, row.Roles, roles) is { } refused) return refused;
        var (before, after) = (Actors.Compile(row.Roles), Actors.Compile(roles));
        var enrolled = await scope.Db.Set<CredentialRow>().AnyAsync(credential => credential.Id == row.Id && credential.TwoFactorEnabled, cancel);
        return new RolesPreview(row.Id, row.Payload.Name, row.Roles, roles, RightsDifference.Of(before, after, scope.Now), !enrolled && actors.NeedsTwoFactor(scope.Tenant, after), row.Version);
    }
}
