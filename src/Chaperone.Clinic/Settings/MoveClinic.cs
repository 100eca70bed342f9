using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Settings;

/// <summary>Gives a clinic another host name, for the operator: the way back when somebody typed one that leads nowhere and nobody can reach the settings any more.</summary>
/// <param name="Host">The name, as typed.</param>
internal sealed record MoveClinic(string? Host) : IOperation<string>
{
    public static Policy Policy { get; } = Policy.Changes("settings.modified").About(Resource.Clinic).ForSystem("the operator helps who cannot reach the settings any more");
}

internal sealed class MoveClinicHandler(TenantDirectory directory) : IHandler<MoveClinic, string>
{
    public async Task<Result<string>> Handle(MoveClinic request, OperationScope scope, CancellationToken cancel)
    {
        if (HostName.Read(request.Host) is not { } host) return SettingsErrors.Invalid.With("host", "Enter a host name without port, such as clinic.example.org.");
        var id = scope.Tenant.Id;
        scope.OnConflict("tenant_host_key", SettingsErrors.HostTaken);
        await scope.Db.Database.ExecuteSqlAsync($"UPDATE directory.tenant SET host = {host} WHERE id = {id}", cancel);
        scope.NoteChange("host", scope.Tenant.Host, host);
        scope.AfterCommit(_ =>
        {
            directory.Forget();
            return Task.CompletedTask;
        });
        return host;
    }
}
