using System.Text.Json;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Patients.Import;

/// <summary>Registers the next rows of a running import. Patients, findings, the job's counts and the event are durable together, so a broken import goes on exactly after its last batch.</summary>
/// <param name="ImportId">The import.</param>
/// <param name="Holder">Which process works on it.</param>
/// <param name="After">How many rows of the file were done before.</param>
/// <param name="Rows">The rows that follow.</param>
/// <remarks>
/// Runs as the system: the person who started the import may have signed out, and half a file is no safer than all of it; whoever may import can stop it.
/// Each event names who started it (<c>initiator</c>) and the import.
/// </remarks>
internal sealed record ImportPatientsBatch(Guid ImportId, Guid Holder, int After, IReadOnlyList<ReadPerson> Rows) : IOperation<ImportState>
{
    public static Policy Policy { get; } = Policy.Changes("patient.created").Or("import.continued").About(ImportResource.Import)
        .ForSystem("carries on with an import that somebody with patient.import started; the event names them");
}

internal sealed class ImportPatientsBatchHandler(PatientRegister register) : IHandler<ImportPatientsBatch, ImportState>
{
    public async Task<Result<ImportState>> Handle(ImportPatientsBatch request, OperationScope scope, CancellationToken cancel)
    {
        if (await ImportReading.JobAsync(scope, request.ImportId, cancel) is not { State: ImportJobRow.Running, Payload.Mapping: { } mapping } job) return ImportErrors.WrongState;
        if (job.LeaseHolder != request.Holder || job.RowsDone != request.After) return ImportErrors.LeaseLost;
        if (job.StopAsked) return ImportErrors.WrongState;

        var sorted = await new RowSorter(scope, register, mapping).SortAsync(request.Rows, cancel);
        var findings = new List<Finding>(sorted.SelectMany(row => row.Findings));
        await RegisterAsync(scope, [.. sorted.Where(row => row.IsNew).Select(row => row.Person)], cancel);
        await CompareAsync(scope, job, [.. sorted.Where(row => row.Existing is not null)], findings, cancel);
        await scope.Writer.Insert(findings.ConvertAll(finding => new ImportFindingRow { TenantId = scope.Tenant.Id, JobId = job.Id, RowNumber = finding.Row, ColumnNumber = finding.Column, Code = finding.Code }), cancel);

        var created = sorted.Count(row => row.IsNew);
        job.RowsDone += request.Rows.Count;
        job.Created += created;
        job.LikelyDuplicates += sorted.Count(row => row.IsLikelyDuplicate);
        job.Skipped += sorted.Count(row => row.IsFaulty || (row.IsLikelyDuplicate && !row.IsNew));
        job.LeaseUntil = scope.Now + ImportLimits.Lease;

        if (created == 0) scope.RecordAs("import.continued");
        scope.Concerns(ImportResource.Import.Type, job.Id);
        scope.Because("import");
        scope.Note("initiator", (job.StartedBy ?? job.CreatedBy).ToString("D"));
        scope.Note("first_row", request.Rows[0].Row);
        scope.Note("last_row", request.Rows[^1].Row);
        scope.Note("created", created);
        return ImportState.Of(job);
    }

    private async Task RegisterAsync(OperationScope scope, ReadPerson[] people, CancellationToken cancel)
    {
        if (people.Length == 0) return;
        // In the order of the file, so that an export of what was imported has it too.
        var ids = people.Select(_ => scope.NewId()).Order().ToArray();
        await register.AddRows([.. people.Select((person, i) => new PatientRow
        {
            Id = ids[i],
            SubjectId = ids[i],
            RegisteredAt = person.RegisteredAt ?? scope.Now,
            ArchivedAt = person.ArchivedAt,
            Status = person.ArchivedAt is null ? PatientRow.Active : PatientRow.Archived,
            Payload = person.Details!,
        })], cancel);
    }

    /// <summary>Whether who is here already is as the file says. They are opened for that only, and nobody is shown anything of them.</summary>
    private static async Task CompareAsync(OperationScope scope, ImportJobRow job, SortedRow[] rows, List<Finding> findings, CancellationToken cancel)
    {
        if (rows.Length == 0) return;
        var ids = rows.Select(row => row.Existing!.Value).ToArray();
        var here = (await scope.OpenCandidates(scope.Db.Set<PatientRow>().AsNoTracking().Where(patient => ids.Contains(patient.Id)), cancel)).ToDictionary(patient => patient.Id, patient => patient.Payload);
        foreach (var row in rows)
        {
            var same = here.TryGetValue(row.Existing!.Value, out var known) && Comparable(known).AsSpan().SequenceEqual(Comparable(row.Person.Details!));
            if (same) job.Unchanged++;
            else job.Differing++;
            findings.Add(new(row.Person.Row, -1, same ? FindingCodes.AlreadyHere : FindingCodes.Differs));
        }
    }

    // Ids of other systems and the archive are the register's own affair.
    private static byte[] Comparable(PersonDetails details) => JsonSerializer.SerializeToUtf8Bytes(
        details with { Schema = 0, ExternalIds = [], Archiving = null, Other = new SortedDictionary<string, string>(details.Other.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal) }, PersonDetails.Json);
}
