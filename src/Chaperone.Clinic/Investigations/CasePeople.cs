using Chaperone.Clinic.Patients;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Investigations;

/// <summary>Names somebody in a case: a patient whose data it is about, or a member of staff whose acts. A member of staff who is named can no longer read it, nor learn of it while it is open.</summary>
/// <param name="CaseId">Which case.</param>
/// <param name="Person">A patient's or an account's id.</param>
/// <param name="Why">Why, sealed; may be left out.</param>
internal sealed record AddCasePerson(Guid CaseId, Guid? Person, string? Why) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("investigation.person_added").Needs(Permission.InvestigationEdit).About(CaseResource.Case);

    Guid IAbout.ResourceId => CaseId;
}

/// <summary>Puts a record into a case: anything that an event of the log is about.</summary>
/// <param name="CaseId">Which case.</param>
/// <param name="Record">The record's id.</param>
/// <param name="Why">Why, sealed; may be left out.</param>
internal sealed record AddCaseRecord(Guid CaseId, Guid? Record, string? Why) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("investigation.record_added").Needs(Permission.InvestigationEdit).About(CaseResource.Case);

    Guid IAbout.ResourceId => CaseId;
}

internal sealed class CasePeopleHandler(ClinicLog log) : IHandler<AddCasePerson, Done>, IHandler<AddCaseRecord, Done>
{
    public async Task<Result<Done>> Handle(AddCasePerson request, OperationScope scope, CancellationToken cancel)
    {
        if (request.Person is not { } person) return CaseErrors.DetailsInvalid.With("person", "Choose somebody, or enter a patient’s id: 32 hexadecimal digits in five groups.");
        var found = await CaseRules.OpenAsync(scope, request.CaseId, cancel);
        if (found.Error is { } notNow) return notNow;
        return await NameAsync(found.Value, person, request.Why, scope, cancel) is { } wrong ? wrong : default(Done);
    }

    public async Task<Result<Done>> Handle(AddCaseRecord request, OperationScope scope, CancellationToken cancel)
    {
        if (request.Record is not { } id) return CaseErrors.DetailsInvalid.With("record", "Enter a record’s id: 32 hexadecimal digits in five groups.");
        if (!TryWhy(request.Why, out var why)) return WrongWhy;
        var found = await CaseRules.OpenAsync(scope, request.CaseId, cancel);
        if (found.Error is { } notNow) return notNow;
        await log.CatchUpAsync(cancel);
        var told = await log.PageAsync(new EventFilter { Entity = id }, null, 1, cancel);
        if (told.Events is not [{ Event.Entity: { } entity }]) return PlatformErrors.NotFound;
        Add(found.Value, CaseItemRow.Record, id, entity.Type, null, why, scope);
        await scope.Flush(cancel);
        scope.Note("record", id.ToString("D"));
        return default(Done);
    }

    /// <summary>Names somebody; the error, or null when done. They are registered as shown.</summary>
    public static async Task<Error?> NameAsync(CaseRow row, Guid person, string? typed, OperationScope scope, CancellationToken cancel)
    {
        if (!TryWhy(typed, out var why)) return WrongWhy;
        if (row.Team.Contains(person)) return CaseErrors.OnBothSides;
        var isPatient = await scope.Db.Set<PatientRow>().AnyAsync(patient => patient.Id == person, cancel);
        if (!isPatient && !await scope.Db.Set<MemberRow>().AnyAsync(member => member.Id == person && member.PatientId == null, cancel)) return PlatformErrors.NotFound;
        Add(row, CaseItemRow.Person, person, isPatient ? "patient" : "member", person, why, scope);
        await scope.Flush(cancel);
        return null;
    }

    private static Error WrongWhy => CaseErrors.DetailsInvalid.With("why", CaseRules.Sentence("Say why, or nothing", CaseRules.LongestWhy));

    private static bool TryWhy(string? typed, out string? why) => (why = string.IsNullOrWhiteSpace(typed) ? null : CaseRules.Text(typed, CaseRules.LongestWhy)) is not null || string.IsNullOrWhiteSpace(typed);

    private static void Add(CaseRow row, string kind, Guid id, string type, Guid? subject, string? why, OperationScope scope)
    {
        scope.OnConflict("investigation_item_once", CaseErrors.AlreadyIn);
        scope.Add(new CaseItemRow
        {
            Id = scope.NewId(), SubjectId = subject, InvestigationId = row.Id, Kind = kind, RefId = id, RefType = type, AddedBy = scope.Actor.Id!.Value, AddedAt = scope.Now, Payload = new(why),
        });
    }
}
