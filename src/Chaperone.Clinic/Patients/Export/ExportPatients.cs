using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Chaperone.Clinic.Imports;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Patients.Export;

/// <summary>Asks for the page from which an export is begun, so that the code is asked for before and not after.</summary>
public sealed record PreparePatientExport : IOperation<int>
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Unlogged("navigation: says how many records an export would hold; the export itself leaves two events").Needs(Permission.PatientExport).About(Resource.Clinic).WithStepUp();
}

internal sealed class PreparePatientExportHandler : IHandler<PreparePatientExport, int>
{
    public async Task<Result<int>> Handle(PreparePatientExport request, OperationScope scope, CancellationToken cancel) => await scope.Db.Set<PatientRow>().CountAsync(cancel);
}

/// <summary>Announces an export of all patients. Durable before the first byte leaves.</summary>
public sealed record StartPatientExport : IOperation<Guid>
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Reads("data.export_started").Needs(Permission.PatientExport).About(Resource.Clinic).WithStepUp();
}

internal sealed class StartPatientExportHandler : IHandler<StartPatientExport, Guid>
{
    public async Task<Result<Guid>> Handle(StartPatientExport request, OperationScope scope, CancellationToken cancel)
    {
        var id = scope.NewId();
        scope.Concerns("export", id);
        scope.Note("what", "patients");
        scope.Note("rows", await scope.Db.Set<PatientRow>().CountAsync(cancel));
        return id;
    }
}

/// <summary>Writes all patients, archived ones too, as CSV while it reads them, in constant memory but for the list of who was shown.</summary>
/// <param name="ExportId">What <see cref="StartPatientExport"/> answered.</param>
/// <param name="To">Where to; when it throws, the event says the export broke off and names who was shown by then.</param>
public sealed record ExportPatients(Guid ExportId, Stream To) : IOperation<int>
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Reads("data.exported").Needs(Permission.PatientExport).Lists(PatientResource.Patient).WithStepUp().WhileStreaming();
}

internal sealed class ExportPatientsHandler : IHandler<ExportPatients, int>
{
    private const int Stretch = 500;

    public async Task<Result<int>> Handle(ExportPatients request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("export", request.ExportId);
        scope.Note("what", "patients");
        scope.Note("complete", "no");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new ArrayBufferWriter<byte>(256 * 1024);
        buffer.Write(CsvText.ByteOrderMark);
        CsvText.Write(buffer, [.. KnownFiles.OwnHeader]);
        var (rows, after) = (0, Guid.Empty);
        // Whoever reaches the clinic's patients reaches all of them; a closer reach has no export.
        while (scope.Reach <= Relation.SameClinic)
        {
            var stretch = await scope.Open(scope.Db.Set<PatientRow>().AsNoTracking().Where(patient => patient.Id > after).OrderBy(patient => patient.Id).Take(Stretch), cancel);
            stretch.Sort((one, other) => one.Id.CompareTo(other.Id));
            foreach (var patient in stretch) CsvText.Write(buffer, Cells(patient));
            rows += stretch.Count;
            scope.Note("rows", rows);
            hash.AppendData(buffer.WrittenSpan);
            await request.To.WriteAsync(buffer.WrittenMemory, cancel);
            buffer.ResetWrittenCount();
            if (stretch.Count < Stretch) break;
            after = stretch[^1].Id;
        }
        await request.To.FlushAsync(cancel);
        scope.Note("complete", "yes");
        scope.Note("sha256", Convert.ToHexStringLower(hash.GetHashAndReset()));
        return rows;
    }

    internal static string?[] Cells(PatientRow row)
    {
        var person = row.Payload;
        var address = person.Address;
        // A record that came from another Chaperone keeps the id it had there.
        var id = person.ExternalIds.FirstOrDefault(external => external.Source == KnownFiles.OwnSource)?.Value ?? row.Id.ToString("D");
        var others = person.ExternalIds.Where(external => external.Source != KnownFiles.OwnSource).ToList();
        return
        [
            id, row.Status, Time(row.RegisteredAt), Time(row.ArchivedAt), person.Archiving?.Reason, person.Archiving?.Note,
            person.Prefix, person.GivenNames, person.FamilyName, person.Suffix, person.PreviousName, Date(person.DateOfBirth), person.DateOfBirthUnknown ? "true" : null, Date(person.DateOfDeath), person.Gender,
            person.MaritalStatus, person.Ethnicity, person.Race, person.BirthPlace, person.NhsNumber,
            .. PersonCodes.IdentifierTypes.Select(type => string.Join('\n', person.Identifiers.Where(identifier => identifier.Type == type.Value).Select(identifier => identifier.Value))),
            person.Phone, person.Mobile, person.Email,
            .. Enumerable.Range(0, 5).Select(line => address?.Lines.ElementAtOrDefault(line)),
            address?.City, address?.County, address?.State, address?.Postcode, address?.Country,
            person.Other.Count == 0 ? null : JsonSerializer.Serialize(new Dictionary<string, string>(person.Other, StringComparer.Ordinal), ImportJson.Default.DictionaryStringString),
            others.Count == 0 ? null : JsonSerializer.Serialize(others, ImportJson.Default.ListExternalId),
        ];
    }

    private static string? Time(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private static string? Date(DateOnly? date) => date?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
