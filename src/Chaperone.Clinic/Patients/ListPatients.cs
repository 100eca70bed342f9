using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Patients;

/// <summary>Shows patients, the latest registrations first, page by page.</summary>
/// <param name="Status"><c>active</c>, <c>archived</c> or <c>all</c>.</param>
/// <param name="Limit">Patients on a page, 1 to 200.</param>
/// <param name="Cursor">As given in <see cref="PatientList.Next"/>; null for the first page.</param>
public sealed record ListPatients(string Status = "active", int Limit = 50, string? Cursor = null) : IOperation<PatientList>
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Reads("patient.listed").Needs(Permission.PatientView).Lists(PatientResource.Patient);
}

/// <summary>The same for somebody who may see patients masked only.</summary>
/// <param name="Status"><c>active</c>, <c>archived</c> or <c>all</c>.</param>
/// <param name="Limit">Patients on a page, 1 to 200.</param>
/// <param name="Cursor">As given in <see cref="PatientList.Next"/>; null for the first page.</param>
public sealed record ListPatientsMasked(string Status = "active", int Limit = 50, string? Cursor = null) : IOperation<PatientList>
{
    /// <inheritdoc />
    public static Policy Policy { get; } = Policy.Reads("patient.listed").Needs(Permission.PatientViewMasked).Lists(PatientResource.Patient);
}

/// <summary>A page of patients.</summary>
/// <param name="Items">The patients, latest registration first.</param>
/// <param name="Next">Cursor of the next page; null on the last.</param>
public sealed record PatientList(IReadOnlyList<Patient> Items, string? Next);

internal sealed class ListPatientsHandler : IHandler<ListPatients, PatientList>, IHandler<ListPatientsMasked, PatientList>
{
    private const int MostAtOnce = 200;

    public Task<Result<PatientList>> Handle(ListPatients request, OperationScope scope, CancellationToken cancel) =>
        Page(request, scope, patient => patient, cancel);

    public Task<Result<PatientList>> Handle(ListPatientsMasked request, OperationScope scope, CancellationToken cancel)
    {
        scope.Note("view", "masked");
        return Page(new(request.Status, request.Limit, request.Cursor), scope, Masking.Mask, cancel);
    }

    private static async Task<Result<PatientList>> Page(ListPatients request, OperationScope scope, Func<Patient, Patient> shown, CancellationToken cancel)
    {
        var (status, before) = (request.Status, Guid.Empty);
        if (request.Limit is < 1 or > MostAtOnce || status is not (PatientRow.Active or PatientRow.Archived or "all") || (request.Cursor is { } cursor && !Guid.TryParse(cursor, out before)))
            return PatientErrors.BadList;

        var rows = scope.Db.Set<PatientRow>().AsNoTracking();
        if (status != "all") rows = rows.Where(row => row.Status == status);
        if (request.Cursor is not null) rows = rows.Where(row => row.Id < before);
        if (PatientReach.Of(scope) is { } within) rows = rows.Where(row => within.Contains(row.Id));
        var page = await scope.OpenCandidates(rows.OrderByDescending(row => row.Id).Take(request.Limit + 1), cancel);
        var items = page.OrderByDescending(row => row.Id).Take(request.Limit).ToArray();
        foreach (var row in items) scope.Show(row);
        return new PatientList([.. items.Select(row => shown(Patient.Of(row)))], page.Count > request.Limit ? items[^1].Id.ToString() : null);
    }
}
