using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Imports;

/// <summary>Registers the next rows of a running import of patients: <see cref="ImportBatch"/>.</summary>
internal sealed record ImportPatientsBatch(Guid ImportId, Guid Holder, int After, IReadOnlyList<ReadPerson> Rows) : IOperation<ImportState>
{
    public static Policy Policy { get; } = Policy.Changes("patient.created").Or("import.continued").About(ImportResource.Import).ForSystem(ImportBatch.ForSystem);
}

internal sealed class ImportPatientsBatchHandler : IHandler<ImportPatientsBatch, ImportState>
{
    public Task<Result<ImportState>> Handle(ImportPatientsBatch request, OperationScope scope, CancellationToken cancel) =>
        new ImportBatch(request.ImportId, request.Holder, request.After, request.Rows).KeepAsync(scope, ImportKind.Patients, cancel);
}
