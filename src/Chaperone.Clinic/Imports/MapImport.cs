using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Imports;

/// <summary>What somebody needs to see to say what the columns mean: their names, a few values, and a proposal.</summary>
/// <param name="State">The import.</param>
/// <param name="Header">The columns.</param>
/// <param name="Samples">The first value of each column in the file's first rows, shown to who uploaded the file or may import it.</param>
/// <param name="Proposal">What is mapped already, or guessed by the columns' names; its kind is the one asked for.</param>
public sealed record MappingQuestion(ImportState State, IReadOnlyList<string> Header, IReadOnlyList<string> Samples, ColumnMapping Proposal);

/// <summary>Shows an uploaded file's columns, so that they can be mapped.</summary>
/// <param name="ImportId">The import.</param>
/// <param name="Kind">What the file is to be taken for; null for what it is taken for so far.</param>
public sealed record ViewImportColumns(Guid ImportId, string? Kind = null) : IOperation<MappingQuestion>, IAbout
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Reads("import.previewed").Needs(Permission.PatientImport).About(ImportResource.Import);

    Guid IAbout.ResourceId => ImportId;
}

internal sealed class ViewImportColumnsHandler(ImportReading reading) : IHandler<ViewImportColumns, MappingQuestion>
{
    public async Task<Result<MappingQuestion>> Handle(ViewImportColumns request, OperationScope scope, CancellationToken cancel)
    {
        var found = await ImportReading.JobAsync(scope, request.ImportId, cancel);
        if (found.Error is { } refused) return refused;
        var job = found.Value;
        if (job.State != ImportJobRow.Waiting) return ImportErrors.WrongState;
        if (ImportKind.Find(request.Kind ?? job.Kind) is not { } kind) return ImportErrors.UnknownKind;
        if (kind.Refusal(scope) is { } notThis) return notThis;
        var header = job.Payload.Header;
        var samples = new string[header.Count];
        await using (var file = await reading.OpenAsync(scope, job, cancel))
        {
            for (var row = 0; row < 20 && await file.Table.ReadAsync(cancel); row++)
            {
                var cells = file.Table.Cells();
                for (var i = 0; i < Math.Min(cells.Length, samples.Length); i++)
                    if (string.IsNullOrEmpty(samples[i]) && cells[i].Length > 0) samples[i] = cells[i].Length > 60 ? cells[i][..60] + "…" : cells[i];
            }
        }
        return new MappingQuestion(ImportState.Of(job), header, samples, job.Payload.Mapping is { } mapping && mapping.KindCode == kind.Code ? mapping : ColumnMapping.Guess(kind, header));
    }
}

/// <summary>Says what the columns of an uploaded file mean. Remembered for files with the same columns.</summary>
/// <param name="ImportId">The import.</param>
/// <param name="Mapping">What they mean.</param>
public sealed record MapImport(Guid ImportId, ColumnMapping Mapping) : IOperation<ImportState>, IAbout
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Changes("import.mapped").Needs(Permission.PatientImport).About(ImportResource.Import);

    Guid IAbout.ResourceId => ImportId;
}

internal sealed class MapImportHandler : IHandler<MapImport, ImportState>
{
    public async Task<Result<ImportState>> Handle(MapImport request, OperationScope scope, CancellationToken cancel)
    {
        var found = await ImportReading.JobAsync(scope, request.ImportId, cancel);
        if (found.Error is { } refused) return refused;
        var job = found.Value;
        if (job.State != ImportJobRow.Waiting) return ImportErrors.WrongState;
        if (request.Mapping.Fault(job.Payload.Header) is { } fault) return fault;
        if (ImportKind.Of(request.Mapping.KindCode).Refusal(scope) is { } notThis) return notThis;
        job.Kind = request.Mapping.KindCode;
        job.Payload = job.Payload with { Mapping = request.Mapping };
        await RememberedMappings.KeepAsync(scope, job.Payload.Header, request.Mapping, cancel);
        return ImportState.Of(job);
    }
}

/// <summary>Opens imports and their files within operations.</summary>
internal sealed class ImportReading(Platform.Sealing.KeyRing keys)
{
    /// <summary>The job, tracked, for somebody who may import what it holds.</summary>
    public static async Task<Result<ImportJobRow>> JobAsync(OperationScope scope, Guid id, CancellationToken cancel) =>
        await FindAsync(scope, id, cancel) is not { } job ? PlatformErrors.NotFound : ImportKind.Of(job.Kind).Refusal(scope) is { } refused ? refused : job;

    /// <summary>The job, tracked; about nobody.</summary>
    public static Task<ImportJobRow?> FindAsync(OperationScope scope, Guid id, CancellationToken cancel) =>
        scope.OpenOne(scope.Db.Set<ImportJobRow>().Where(job => job.Id == id), cancel);

    /// <summary>The job's file, standing before its first row.</summary>
    public async Task<OpenedImport> OpenAsync(OperationScope scope, ImportJobRow job, CancellationToken cancel)
    {
        var key = await ImportFile.OpenKeyAsync(keys, scope.Tenant.Id, job.FileKeyId, job.FileKey ?? throw new InvalidOperationException("The file is gone."), cancel);
        var table = new CsvTable(ImportFile.Open(scope, job.Id, key, cancel), job.Payload.Encoding, job.Payload.Delimiter);
        var opened = new OpenedImport(table, key);
        await table.ReadAsync(cancel);   // the header
        return opened;
    }
}

/// <summary>A file being read.</summary>
internal sealed class OpenedImport(CsvTable table, Encryption.DataKey key) : IAsyncDisposable
{
    public CsvTable Table => table;

    public async ValueTask DisposeAsync()
    {
        await table.DisposeAsync();
        key.Dispose();
    }
}
