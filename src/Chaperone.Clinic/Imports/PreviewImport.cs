using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Imports;

/// <summary>What an import would do.</summary>
/// <param name="State">The import.</param>
/// <param name="Columns">Column to field label, in order.</param>
/// <param name="Sample">The first rows as they would be kept, cell by cell.</param>
/// <param name="Good">Rows that would be kept.</param>
/// <param name="AlreadyHere">Rows that are here already.</param>
/// <param name="LikelyDuplicates">Rows that look like somebody who is here, or like an earlier row.</param>
/// <param name="Faulty">Rows that would be skipped for a fault.</param>
/// <param name="Faults">Faults by code.</param>
/// <param name="FirstFindings">The first of them, row by row.</param>
/// <param name="SkipsDuplicates">Whether likely duplicates would be skipped.</param>
public sealed record ImportPreview(
    ImportState State, IReadOnlyList<KeyValuePair<string, string>> Columns, IReadOnlyList<IReadOnlyList<string>> Sample, int Good, int AlreadyHere, int LikelyDuplicates, int Faulty,
    IReadOnlyList<KeyValuePair<string, int>> Faults, IReadOnlyList<ReportLine> FirstFindings, bool SkipsDuplicates);

/// <summary>A line of a report: where, and which rule.</summary>
/// <param name="Row">Row of the file; the header is row 1.</param>
/// <param name="Column">Name of the column, or null for the row as a whole.</param>
/// <param name="Code">Stable code.</param>
/// <param name="Sentence">What it means.</param>
public sealed record ReportLine(int Row, string? Column, string Code, string Sentence)
{
    internal static ReportLine Of(Finding finding, IReadOnlyList<string> header) =>
        new(finding.Row, finding.Column >= 0 && finding.Column < header.Count ? header[finding.Column] : null, finding.Code, FindingCodes.Sentence(finding.Code));
}

/// <summary>Reads the whole file without keeping anything, and says what would become of it.</summary>
/// <param name="ImportId">The import.</param>
public sealed record PreviewImport(Guid ImportId) : IOperation<ImportPreview>, IAbout
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Reads("import.previewed").Needs(Permission.PatientImport).About(ImportResource.Import);

    Guid IAbout.ResourceId => ImportId;
}

internal sealed class PreviewImportHandler(ImportReading reading) : IHandler<PreviewImport, ImportPreview>
{
    private const int LookUpAtOnce = 2000, FindingsShown = 100, RowsShown = 5;

    public async Task<Result<ImportPreview>> Handle(PreviewImport request, OperationScope scope, CancellationToken cancel)
    {
        var found = await ImportReading.JobAsync(scope, request.ImportId, cancel);
        if (found.Error is { } refused) return refused;
        var job = found.Value;
        if (job.State != ImportJobRow.Waiting) return ImportErrors.WrongState;
        if (job.Payload.Mapping is not { } mapping) return ImportErrors.NeedsMapping;
        var header = job.Payload.Header;
        var (sample, shown, faults) = (new List<SortedRow>(), new List<Finding>(), new SortedDictionary<string, int>(StringComparer.Ordinal));
        var (good, here, duplicates, faulty) = (0, 0, 0, 0);
        var kind = ImportKind.Of(job.Kind);
        var keeper = kind.Keeper(scope, mapping);
        var reader = kind.Reader(job.Shape, mapping, scope.Tenant, scope.Now);
        var batch = new List<ReadRow>(LookUpAtOnce);
        await using var file = await reading.OpenAsync(scope, job, cancel);
        for (var more = true; more;)
        {
            if (more = await file.Table.ReadAsync(cancel)) batch.Add(reader.Read(file.Table.Row, file.Table.Cells()));
            if (batch.Count == 0 || (more && batch.Count < LookUpAtOnce)) continue;
            foreach (var row in await keeper.SortAsync(batch, cancel))
            {
                if (row.IsNew)
                {
                    good++;
                    if (sample.Count < RowsShown) sample.Add(row);
                }
                if (row.Existing is not null) here++;
                if (row.IsLikelyDuplicate) duplicates++;
                if (row.IsFaulty) faulty++;
                foreach (var finding in row.Findings)
                {
                    if (!FindingCodes.IsFault(finding.Code)) continue;
                    faults[finding.Code] = faults.GetValueOrDefault(finding.Code) + 1;
                    if (shown.Count < FindingsShown) shown.Add(finding);
                }
            }
            batch.Clear();
        }
        scope.Note("rows", job.RowsTotal);
        return new ImportPreview(
            ImportState.Of(job), [.. header.Where(mapping.Columns.ContainsKey).Select(name => KeyValuePair.Create(name, kind.Fields.Find(mapping.Columns[name])!.Label))],
            await keeper.SampleAsync(sample, cancel), good, here, duplicates, faulty, [.. faults], [.. shown.Select(finding => ReportLine.Of(finding, header))], mapping.Duplicates == ColumnMapping.SkipThem);
    }
}
