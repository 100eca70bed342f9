using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Settings;

/// <summary>Requires a second factor of everybody, or only of those whose role always needs one. Who has none enrols at their next request and can do nothing else before.</summary>
internal sealed record RequireTwoFactor(bool OfEverybody) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("settings.modified").Needs(Permission.SecurityManage).About(Resource.Clinic).WithStepUp();
}

internal sealed class RequireTwoFactorHandler(TenantDirectory directory) : IHandler<RequireTwoFactor, Done>
{
    public async Task<Result<Done>> Handle(RequireTwoFactor request, OperationScope scope, CancellationToken cancel)
    {
        var (tenant, wanted) = (scope.Tenant.Id, request.OfEverybody);
        await scope.Db.Database.ExecuteSqlAsync($"UPDATE directory.tenant SET require_two_factor = {wanted} WHERE id = {tenant}", cancel);
        scope.NoteChange("require_two_factor", scope.Tenant.RequireTwoFactor ? "true" : "false", wanted ? "true" : "false");
        scope.AfterCommit(_ =>
        {
            directory.Forget();
            return Task.CompletedTask;
        });
        return default(Done);
    }
}
