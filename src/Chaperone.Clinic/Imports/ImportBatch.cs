using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;

namespace Chaperone.Clinic.Imports;

/// <summary>The next rows of a running import.</summary>
/// <param name="ImportId">The import.</param>
/// <param name="Holder">Which process works on it.</param>
/// <param name="After">How many rows of the file were done before.</param>
/// <param name="Rows">The rows that follow.</param>
/// <remarks>
/// What is new, the findings, the job's counts and the event are durable together, so a broken import goes on exactly after its last batch. Batches run as the system: the person who
/// started the import may have signed out, and half a file is no safer than all of it; whoever may import can stop it. Each event names who started it (<c>initiator</c>) and the import.
/// </remarks>
internal sealed record ImportBatch(Guid ImportId, Guid Holder, int After, IReadOnlyList<ReadRow> Rows)
{
    public const string ForSystem = "carries on with an import that somebody with patient.import started; the event names them";

    public async Task<Result<ImportState>> KeepAsync(OperationScope scope, ImportKind kind, CancellationToken cancel)
    {
        if (await ImportReading.FindAsync(scope, ImportId, cancel) is not { State: ImportJobRow.Running, Payload.Mapping: { } mapping } job || job.Kind != kind.Code) return ImportErrors.WrongState;
        if (job.LeaseHolder != Holder || job.RowsDone != After) return ImportErrors.LeaseLost;
        if (job.StopAsked) return ImportErrors.WrongState;

        var keeper = kind.Keeper(scope, mapping);
        await keeper.PrepareAsync(Rows, cancel);
        var sorted = await keeper.SortAsync(Rows, cancel);
        var findings = new List<Finding>(sorted.SelectMany(row => row.Findings));
        SortedRow[] fresh = [.. sorted.Where(row => row.IsNew)], here = [.. sorted.Where(row => row.Existing is not null)];
        if (fresh.Length > 0) await keeper.AddAsync(fresh, cancel);
        await keeper.LinkAsync([.. sorted.Where(row => row is { IsLikelyDuplicate: true, IsNew: false })], cancel);
        var same = here.Length == 0 ? new HashSet<int>() : await keeper.SameAsync(here, cancel);
        findings.AddRange(here.Select(row => new Finding(row.Read.Row, -1, same.Contains(row.Read.Row) ? FindingCodes.AlreadyHere : FindingCodes.Differs)));
        await scope.Writer.Insert(findings.ConvertAll(finding => new ImportFindingRow { TenantId = scope.Tenant.Id, JobId = job.Id, RowNumber = finding.Row, ColumnNumber = finding.Column, Code = finding.Code }), cancel);

        job.RowsDone += Rows.Count;
        job.Created += fresh.Length;
        job.Unchanged += same.Count;
        job.Differing += here.Length - same.Count;
        job.LikelyDuplicates += sorted.Count(row => row.IsLikelyDuplicate);
        job.Skipped += sorted.Count(row => row.IsFaulty || (row.IsLikelyDuplicate && !row.IsNew));
        job.LeaseUntil = scope.Now + ImportLimits.Lease;

        if (fresh.Length == 0) scope.RecordAs("import.continued");
        scope.Concerns(ImportResource.Import.Type, job.Id);
        scope.Because("import");
        scope.Note("initiator", (job.StartedBy ?? job.CreatedBy).ToString("D"));
        scope.Note("first_row", Rows[0].Row);
        scope.Note("last_row", Rows[^1].Row);
        scope.Note("created", fresh.Length);
        return ImportState.Of(job);
    }
}
