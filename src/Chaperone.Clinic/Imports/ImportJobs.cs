using Chaperone.Clinic.Notices;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Imports;

/// <summary>A running import that a process has taken over.</summary>
internal sealed record ImportWork(Guid ImportId, ImportKind Kind, CsvShape Shape, ColumnMapping Mapping, int RowsDone, Guid FileKeyId, byte[] FileKey);

/// <summary>What there is to do in a clinic.</summary>
/// <param name="Work">An import to carry on with, or null.</param>
/// <param name="Expired">Files that nobody imported within a day, and reports past their term.</param>
/// <param name="OthersWork">Whether another process works on an import here: to be looked at again, in case it dies.</param>
internal sealed record ImportsToDo(ImportWork? Work, IReadOnlyList<Guid> Expired, bool OthersWork);

/// <summary>Takes over the oldest running import of the clinic that no living process holds.</summary>
/// <param name="Holder">Which process asks.</param>
internal sealed record ClaimImport(Guid Holder) : IOperation<ImportsToDo>
{
    public static Policy Policy { get; } = Policy.Unlogged("looks for unfinished jobs and takes a lease; what the job does leaves events").ForSystem("the job runner asks");
}

internal sealed class ClaimImportHandler : IHandler<ClaimImport, ImportsToDo>
{
    public async Task<Result<ImportsToDo>> Handle(ClaimImport request, OperationScope scope, CancellationToken cancel)
    {
        var (now, holder) = (scope.Now, request.Holder);
        var (uploadedBefore, endedBefore) = (now - ImportLimits.KeepUpload, now - ImportLimits.KeepReport);
        var jobs = scope.Db.Set<ImportJobRow>();
        var expired = await jobs.AsNoTracking()
            .Where(job => (job.State == ImportJobRow.Waiting && job.CreatedAt < uploadedBefore) || (job.FinishedAt != null && job.FinishedAt < endedBefore))
            .OrderBy(job => job.Id).Take(100).Select(job => job.Id).ToListAsync(cancel);
        var running = jobs.Where(job => job.State == ImportJobRow.Running);
        var work = await scope.OpenOne(running.Where(job => job.LeaseUntil == null || job.LeaseUntil < now || job.LeaseHolder == holder).OrderBy(job => job.Id), cancel);
        if (work is not { Payload.Mapping: { } mapping, FileKey: { } key }) return new ImportsToDo(null, expired, await running.AnyAsync(cancel));
        (work.LeaseHolder, work.LeaseUntil) = (holder, now + ImportLimits.Lease);
        return new ImportsToDo(new(work.Id, ImportKind.Of(work.Kind), work.Shape, mapping, work.RowsDone, work.FileKeyId, key), expired, false);
    }
}

/// <summary>Reads a stretch of the sealed file of an import, still sealed.</summary>
internal sealed record ReadImportChunks(Guid ImportId, int From) : IOperation<List<byte[]>>
{
    public static Policy Policy { get; } = Policy.Unlogged("hands sealed chunks of a file to the job that imports it; what is taken from them leaves events").ForSystem("the job runner asks");
}

internal sealed class ReadImportChunksHandler : IHandler<ReadImportChunks, List<byte[]>>
{
    public async Task<Result<List<byte[]>>> Handle(ReadImportChunks request, OperationScope scope, CancellationToken cancel) =>
        await ImportFile.ReadAsync(scope.Db, request.ImportId, request.From, cancel);
}

/// <summary>Ends an import that is done, was asked to stop, or whose file does not open.</summary>
internal sealed record FinishImport(Guid ImportId, Guid Holder, bool FileBroken = false) : IOperation<ImportState>
{
    public static Policy Policy { get; } = Policy.Changes("import.finished").About(ImportResource.Import).ForSystem("ends an import that somebody with patient.import started; the event names them");
}

internal sealed class FinishImportHandler : IHandler<FinishImport, ImportState>
{
    public async Task<Result<ImportState>> Handle(FinishImport request, OperationScope scope, CancellationToken cancel)
    {
        if (await ImportReading.FindAsync(scope, request.ImportId, cancel) is not { State: ImportJobRow.Running } job) return ImportErrors.WrongState;
        if (job.LeaseHolder != request.Holder) return ImportErrors.LeaseLost;
        await EndImport.End(scope, job, request.FileBroken ? ImportJobRow.Failed : job.RowsDone == job.RowsTotal ? ImportJobRow.Finished : ImportJobRow.Cancelled, cancel);
        scope.Concerns(ImportResource.Import.Type, job.Id);
        scope.Because(job.State);
        scope.Tell(job.StartedBy ?? job.CreatedBy, new(NoticeKind.ImportEnded, job.Id));
        scope.Note("initiator", (job.StartedBy ?? job.CreatedBy).ToString("D"));
        scope.Note("rows", job.RowsTotal);
        scope.Note("done", job.RowsDone);
        scope.Note("created", job.Created);
        scope.Note("unchanged", job.Unchanged);
        scope.Note("differing", job.Differing);
        scope.Note("skipped", job.Skipped);
        return ImportState.Of(job);
    }
}

/// <summary>Throws away a file that nobody imported within a day, or a report past its term.</summary>
internal sealed record ExpireImport(Guid ImportId) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("import.cancelled").About(ImportResource.Import).ForSystem("uploads are kept for a day, reports for 90");
}

internal sealed class ExpireImportHandler : IHandler<ExpireImport, Done>
{
    public async Task<Result<Done>> Handle(ExpireImport request, OperationScope scope, CancellationToken cancel)
    {
        if (await ImportReading.FindAsync(scope, request.ImportId, cancel) is not { } job) return PlatformErrors.NotFound;
        if (job.State == ImportJobRow.Running) return ImportErrors.WrongState;
        scope.Concerns(ImportResource.Import.Type, job.Id);
        scope.Because("expired");
        if (job.State == ImportJobRow.Waiting)
        {
            await EndImport.End(scope, job, ImportJobRow.Cancelled, cancel);
            return default(Done);
        }
        var id = job.Id;
        await scope.Db.Set<ImportJobRow>().Where(row => row.Id == id).ExecuteDeleteAsync(cancel);   // its findings go with it
        return default(Done);
    }
}
