using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.AuditLog;

/// <summary>What of the log the clinic's plan shows. Not of a person's access history, which is the person's right and no feature.</summary>
internal static class AuditPlan
{
    private static readonly TimeSpan StarterSees = TimeSpan.FromDays(30);

    /// <summary>From when on events are shown, or null for all.</summary>
    public static DateTimeOffset? ShownFrom(Tenant clinic, DateTimeOffset now) => clinic.Plan == ClinicPlan.Starter ? now - StarterSees : null;

    /// <summary>The filter, within what the plan shows.</summary>
    public static EventFilter Within(this EventFilter filter, OperationScope scope) =>
        ShownFrom(scope.Tenant, scope.Now) is { } from && (filter.From is null || filter.From < from) ? filter with { From = from } : filter;

    /// <summary>Why nothing can be downloaded, or null.</summary>
    public static Error? RefusesDownload(OperationScope scope) => ShownFrom(scope.Tenant, scope.Now) is null ? null : AuditErrors.NotInPlan;
}

/// <summary>Puts the clinic on a plan; the operator's.</summary>
/// <param name="Plan">A code of <see cref="ClinicPlan"/>.</param>
internal sealed record ChangeClinicPlan(string? Plan) : IOperation<string>
{
    public static Policy Policy { get; } = Policy.Changes("settings.modified").About(Resource.Clinic).ForSystem("who runs the service decides what is paid for");
}

internal sealed class ChangeClinicPlanHandler(TenantDirectory directory) : IHandler<ChangeClinicPlan, string>
{
    public async Task<Result<string>> Handle(ChangeClinicPlan request, OperationScope scope, CancellationToken cancel)
    {
        if (request.Plan is not { } plan || !ClinicPlan.All.Contains(plan)) return AuditErrors.NoSuchPlan;
        var id = scope.Tenant.Id;
        await scope.Db.Database.ExecuteSqlAsync($"UPDATE directory.tenant SET plan = {plan} WHERE id = {id}", cancel);
        scope.NoteChange("plan", scope.Tenant.Plan, plan);
        scope.AfterCommit(_ =>
        {
            directory.Forget();
            return Task.CompletedTask;
        });
        return plan;
    }
}
