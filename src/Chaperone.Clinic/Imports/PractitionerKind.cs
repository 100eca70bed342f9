using Chaperone.Clinic.Team;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;

namespace Chaperone.Clinic.Imports;

/// <summary>Files of those who saw patients somewhere else or long ago. They become members of the team with whom nobody signs in: what they did can be theirs, and nothing can be booked with them.</summary>
internal sealed class PractitionerKind : ImportKind
{
    public const string ExternalId = "external_id", Name = "name", Prefix = "prefix", GivenNames = "given_names", FamilyName = "family_name", Speciality = "speciality", Role = "role";

    private static readonly Role[] given = [BuiltInRole.Doctor, BuiltInRole.Nurse, BuiltInRole.Clinical];
    private static readonly string[] SyntheaColumns = ["Id", "ORGANIZATION", "NAME", "SPECIALITY"];

    public override string Code => "practitioners";

    public override Permission Also => Permission.TeamManage;

    public override ImportWords Words { get; } = new(
        "Practitioners", "practitioner", "practitioners", "would be added to the team as past practitioners, with whom nobody signs in or is booked", "A name is needed, in one column or in two.",
        "Practitioners already added stay.", "Rows with the name of somebody on the team", ["Name", "Title", "Role"]);

    public override ImportFieldList Fields { get; } = new(
    [
        new(ExternalId, "Id in the other system", "The record", ExternalId, ["externalid", "id", "uuid", "providerid", "practitionerid", "clinicianid", "staffid", "doctorid"]),
        new(Name, "Whole name", "Name", Name, ["name", "fullname", "provider", "providername", "practitioner", "practitionername", "clinician", "clinicianname", "doctor", "doctorname"]),
        new(Prefix, "Form of address", "Name", Prefix, ["prefix", "salutation"]),
        new(GivenNames, "Given names", "Name", GivenNames, ["givennames", "givenname", "firstname", "first", "forename", "forenames", "vorname"]),
        new(FamilyName, "Family name", "Name", FamilyName, ["familyname", "lastname", "last", "surname", "nachname"]),
        new(Speciality, "Speciality or job title", "Work", Speciality, ["speciality", "specialty", "title", "jobtitle", "profession", "discipline"]),
        new(Role, "Role: doctor, nurse or clinical", "Work", Role, ["role", "type", "kind"]),
    ]);

    /// <summary>They do not sign in, but their roles would hold if they did one day: only who could have given the roles may import them.</summary>
    public override Error? Refusal(Actor actor, DateTimeOffset now) =>
        base.Refusal(actor, now) ?? (given.All(role => Assigning.MayAssign(actor.Rights, role, now)) ? null : TeamErrors.RoleOutOfReach);

    public override ColumnMapping? Known(IReadOnlyList<string> header) => !SyntheaColumns.All(header.Contains) ? null : new()
    {
        Kind = Code,
        Source = KnownFiles.SyntheaSource,
        Duplicates = ColumnMapping.ImportThem,   // everybody in it is invented
        Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["Id"] = ExternalId, ["NAME"] = Name, ["SPECIALITY"] = Speciality },
    };

    public override bool Resembles(IReadOnlySet<string> fields) => Missing(fields) is null && (fields.Contains(Speciality) || fields.Contains(Role));

    public override string? Missing(IReadOnlySet<string> fields) => fields.Contains(Name) || fields.Contains(FamilyName) ? null : "Choose the column that holds the name, or the family name.";

    public override RowReader Reader(CsvShape shape, ColumnMapping mapping, Tenant clinic, DateTimeOffset now) => new PractitionerReader(Fields, shape, mapping);

    public override RowKeeper Keeper(OperationScope scope, ColumnMapping mapping) => new PractitionerKeeper(scope, mapping);

    public override Task<Result<ImportState>> RunBatch(ReferenceMonitor monitor, Caller caller, ImportBatch batch, CancellationToken cancel) =>
        monitor.Run(new ImportPractitionersBatch(batch.ImportId, batch.Holder, batch.After, [.. batch.Rows.Cast<ReadPractitioner>()]), caller, cancel);
}

/// <summary>Adds the next rows of a running import of practitioners: <see cref="ImportBatch"/>.</summary>
internal sealed record ImportPractitionersBatch(Guid ImportId, Guid Holder, int After, IReadOnlyList<ReadPractitioner> Rows) : IOperation<ImportState>
{
    public static Policy Policy { get; } = Policy.Changes("staff.created").Or("import.continued").About(ImportResource.Import).ForSystem(ImportBatch.ForSystem);
}

internal sealed class ImportPractitionersBatchHandler : IHandler<ImportPractitionersBatch, ImportState>
{
    public Task<Result<ImportState>> Handle(ImportPractitionersBatch request, OperationScope scope, CancellationToken cancel) =>
        new ImportBatch(request.ImportId, request.Holder, request.After, request.Rows).KeepAsync(scope, ImportKind.Practitioners, cancel);
}
