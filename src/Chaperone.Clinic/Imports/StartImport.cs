using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Imports;

/// <summary>Begins the import of a file whose columns are mapped. The work goes on by itself, through restarts too.</summary>
/// <param name="ImportId">The import.</param>
public sealed record StartImport(Guid ImportId) : IOperation<ImportState>, IAbout
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Changes("import.started").Needs(Permission.PatientImport).About(ImportResource.Import);

    Guid IAbout.ResourceId => ImportId;
}

internal sealed class StartImportHandler(ImportBell bell) : IHandler<StartImport, ImportState>
{
    public async Task<Result<ImportState>> Handle(StartImport request, OperationScope scope, CancellationToken cancel)
    {
        var found = await ImportReading.JobAsync(scope, request.ImportId, cancel);
        if (found.Error is { } refused) return refused;
        var job = found.Value;
        if (job.State != ImportJobRow.Waiting) return ImportErrors.WrongState;
        if (job.Payload.Mapping is null) return ImportErrors.NeedsMapping;
        (job.State, job.StartedBy) = (ImportJobRow.Running, scope.Actor.Id);
        scope.Note("rows", job.RowsTotal);
        var tenant = scope.Tenant.Id;
        scope.AfterCommit(_ =>
        {
            bell.Ring(tenant);
            return Task.CompletedTask;
        });
        return ImportState.Of(job);
    }
}

/// <summary>Throws away a file that was not imported, or stops an import that runs: what is registered by then stays.</summary>
/// <param name="ImportId">The import.</param>
public sealed record CancelImport(Guid ImportId) : IOperation<ImportState>, IAbout
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Changes("import.cancelled").Needs(Permission.PatientImport).About(ImportResource.Import);

    Guid IAbout.ResourceId => ImportId;
}

internal sealed class CancelImportHandler : IHandler<CancelImport, ImportState>
{
    public async Task<Result<ImportState>> Handle(CancelImport request, OperationScope scope, CancellationToken cancel)
    {
        var found = await ImportReading.JobAsync(scope, request.ImportId, cancel);
        if (found.Error is { } refused) return refused;
        var job = found.Value;
        if (job.HasEnded) return ImportErrors.WrongState;
        scope.Note("done", job.RowsDone);
        if (job.State == ImportJobRow.Running) job.StopAsked = true;   // whoever works on it sees that before its next batch
        else await EndImport.End(scope, job, ImportJobRow.Cancelled, cancel);
        return ImportState.Of(job);
    }
}

/// <summary>How imports end: the state is set, and the file and its key go.</summary>
internal static class EndImport
{
    public static async Task End(OperationScope scope, ImportJobRow job, string state, CancellationToken cancel)
    {
        (job.State, job.FinishedAt, job.FileKey, job.LeaseHolder, job.LeaseUntil) = (state, scope.Now, null, null, null);
        var id = job.Id;
        await scope.Db.Set<UploadChunkRow>().Where(chunk => chunk.JobId == id).ExecuteDeleteAsync(cancel);
    }
}
