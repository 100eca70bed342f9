using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Imports;

/// <summary>An import with a stretch of its report.</summary>
/// <param name="State">How it stands.</param>
/// <param name="Lines">Findings in the order of the rows.</param>
/// <param name="Next">Row after which the next stretch begins, or null.</param>
public sealed record ImportReport(ImportState State, IReadOnlyList<ReportLine> Lines, int? Next);

/// <summary>Shows how an import stands, and its report row by row.</summary>
/// <param name="ImportId">The import.</param>
/// <param name="After">Show what comes after this row; 0 from the beginning.</param>
/// <param name="Limit">Rows to show, at most 200,000 (the report as a file); a row's findings are never parted.</param>
public sealed record ViewImport(Guid ImportId, int After = 0, int Limit = 100) : IOperation<ImportReport>, IAbout
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Reads("import.viewed").Needs(Permission.PatientImport).About(ImportResource.Import);

    Guid IAbout.ResourceId => ImportId;
}

internal sealed class ViewImportHandler : IHandler<ViewImport, ImportReport>
{
    public async Task<Result<ImportReport>> Handle(ViewImport request, OperationScope scope, CancellationToken cancel)
    {
        var found = await ImportReading.JobAsync(scope, request.ImportId, cancel);
        if (found.Error is { } refused) return refused;
        var job = found.Value;
        var (id, after) = (job.Id, Math.Max(0, request.After));
        var limit = Math.Clamp(request.Limit, 1, ImportLimits.MostRows);
        var findings = scope.Db.Set<ImportFindingRow>().AsNoTracking().Where(finding => finding.JobId == id && finding.RowNumber > after);
        // The row the stretch ends with is shown with all its findings.
        var last = await findings.OrderBy(finding => finding.RowNumber).Skip(limit - 1).Select(finding => (int?)finding.RowNumber).FirstOrDefaultAsync(cancel);
        var rows = await findings.Where(finding => last == null || finding.RowNumber <= last).OrderBy(finding => finding.RowNumber).ThenBy(finding => finding.ColumnNumber).ToListAsync(cancel);
        var more = last is not null && await findings.AnyAsync(finding => finding.RowNumber > last, cancel);
        return new ImportReport(ImportState.Of(job), [.. rows.Select(row => ReportLine.Of(new(row.RowNumber, row.ColumnNumber, row.Code), job.Payload.Header))], more ? last : null);
    }
}

/// <summary>How far an import is: numbers only, asked again and again while it runs.</summary>
/// <param name="ImportId">The import.</param>
public sealed record WatchImport(Guid ImportId) : IOperation<ImportState>, IAbout
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Unlogged("counts of a running import, asked every second; nobody is shown, and the page and the report leave events").Needs(Permission.PatientImport).About(ImportResource.Import);

    Guid IAbout.ResourceId => ImportId;
}

internal sealed class WatchImportHandler : IHandler<WatchImport, ImportState>
{
    public async Task<Result<ImportState>> Handle(WatchImport request, OperationScope scope, CancellationToken cancel)
    {
        var found = await ImportReading.JobAsync(scope, request.ImportId, cancel);
        return found.Error is { } refused ? refused : ImportState.Of(found.Value);
    }
}

/// <summary>Shows the clinic's latest imports, of the kinds that the actor may import.</summary>
/// <param name="Kind">Only of this kind; null for all.</param>
public sealed record ListImports(string? Kind = null) : IOperation<IReadOnlyList<ImportState>>
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Reads("import.viewed").Needs(Permission.PatientImport).About(Resource.Clinic);
}

internal sealed class ListImportsHandler : IHandler<ListImports, IReadOnlyList<ImportState>>
{
    public async Task<Result<IReadOnlyList<ImportState>>> Handle(ListImports request, OperationScope scope, CancellationToken cancel)
    {
        string[] kinds = [.. ImportKind.All.Where(kind => request.Kind is null || kind.Code == request.Kind).Where(kind => kind.Refusal(scope) is null).Select(kind => kind.Code)];
        var jobs = await scope.Open(scope.Db.Set<ImportJobRow>().AsNoTracking().Where(job => kinds.Contains(job.Kind)).OrderByDescending(job => job.Id).Take(20), cancel);
        return Result<IReadOnlyList<ImportState>>.Of([.. jobs.OrderByDescending(job => job.CreatedAt).Select(ImportState.Of)]);
    }
}
