using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.SignIn;

/// <summary>One's own account as the pages and <c>GET /api/me</c> show it.</summary>
internal sealed record ViewMe : IOperation<Me>
{
    public static Policy Policy { get; } = Policy.Unlogged("one's own name and roles, on every page").ForSelf("one's own account", beforeEnrolment: true);
}

/// <summary>Oneself.</summary>
public sealed record Me(
    Guid Id, string Name, string Email, string? Title, IReadOnlyList<string> Roles, Guid? PatientId, IReadOnlyList<string> Permissions,
    bool TwoFactorEnabled, bool TwoFactorRequired, bool EnrolmentRequired, int BackupCodesLeft, DateTimeOffset? PasswordChangedAt, Registration? Registration, string? Colour, long Version);

internal sealed class ViewMeHandler(Actors actors) : IHandler<ViewMe, Me>
{
    public async Task<Result<Me>> Handle(ViewMe request, OperationScope scope, CancellationToken cancel)
    {
        var (id, state) = (scope.Actor.Id, scope.Actor.State);
        var member = await scope.OpenOne(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => row.Id == id), cancel);
        var credential = await scope.OpenOne(scope.Db.Set<CredentialRow>().AsNoTracking().Where(row => row.Id == id), cancel);
        if (member is null || credential is null) return PlatformErrors.NotFound;
        var permissions = Permission.All.Where(permission => scope.Actor.Rights.Holds(permission, state.Elevated, scope.Now)).Select(permission => permission.Code);
        return new Me(
            member.Id, member.Payload.Name, member.Payload.Email, member.Payload.Title, member.Roles, member.PatientId, [.. permissions],
            credential.TwoFactorEnabled, actors.NeedsTwoFactor(scope.Tenant, scope.Actor.Rights), !state.Enrolled, credential.Payload.BackupCodes.Count, credential.PasswordChangedAt,
            member.Payload.Registration, member.Payload.Colour, member.Version);
    }
}
