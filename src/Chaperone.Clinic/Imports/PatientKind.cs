using Chaperone.Clinic.Patients;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;

namespace Chaperone.Clinic.Imports;

/// <summary>Files of patients.</summary>
internal sealed class PatientKind : ImportKind
{
    public override string Code => "patients";

    public override ImportWords Words { get; } = new(
        "Patients", "patient", "patients", "would be registered", "Family name and date of birth are needed.", "Patients already registered stay.", "Rows that look like somebody registered",
        ["Family name", "Given names", "Born", "Gender", "NHS number", "Other numbers", "Address"]);

    public override ImportFieldList Fields => ImportFields.List;

    public override ColumnMapping? Known(IReadOnlyList<string> header) => KnownFiles.Find(header);

    public override bool Resembles(IReadOnlySet<string> fields) => fields.Contains("family_name") && fields.Contains("date_of_birth");

    public override bool MayRepeat(string field) => field == ImportFields.Other || field.StartsWith(ImportFields.IdentifierPrefix, StringComparison.Ordinal);

    public override string? Missing(IReadOnlySet<string> fields) =>
        !fields.Contains("family_name") ? "Choose the column that holds the family name." : !fields.Contains("date_of_birth") ? "Choose the column that holds the date of birth." : null;

    public override RowReader Reader(CsvShape shape, ColumnMapping mapping, Tenant clinic, DateTimeOffset now) => new PersonReader(shape, mapping, PatientsFeature.Today(clinic, now));

    public override RowKeeper Keeper(OperationScope scope, ColumnMapping mapping) => new PatientKeeper(scope, mapping);

    public override Task<Result<ImportState>> RunBatch(ReferenceMonitor monitor, Caller caller, ImportBatch batch, CancellationToken cancel) =>
        monitor.Run(new ImportPatientsBatch(batch.ImportId, batch.Holder, batch.After, [.. batch.Rows.Cast<ReadPerson>()]), caller, cancel);
}
