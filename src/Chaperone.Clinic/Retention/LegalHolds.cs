using Chaperone.Clinic.Patients;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Retention;

/// <summary>A legal hold as shown.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Version">Version of the record: the ETag.</param>
/// <param name="Person">Whose events are kept; null for all of the clinic.</param>
/// <param name="IsPatient">Whether that person is a patient, else a member of staff.</param>
/// <param name="State"><c>proposed</c>, <c>placed</c>, <c>releasing</c>, <c>released</c> or <c>withdrawn</c>; events are kept in the first three.</param>
/// <param name="Why">The reason typed.</param>
/// <param name="ProposedBy">Account of who proposed it.</param>
/// <param name="ProposedAt">When.</param>
/// <param name="PlacedBy">Account of the second person.</param>
/// <param name="ReleaseBy">Account of who wants it released.</param>
/// <param name="EndedAt">When it ended.</param>
public sealed record LegalHold(Guid Id, long Version, Guid? Person, bool IsPatient, string State, string? Why, Guid ProposedBy, DateTimeOffset ProposedAt, Guid? PlacedBy, Guid? ReleaseBy, DateTimeOffset? EndedAt);

/// <summary>Keeps everything in the log about one person, or without a person all of it, beyond its term. It holds at once; a second person confirms it.</summary>
/// <param name="Person">A patient or a member of staff; null for the whole clinic.</param>
/// <param name="Why">Why, 3 to 500 characters; sealed.</param>
internal sealed record ProposeHold(Guid? Person, string? Why) : IOperation<LegalHold>
{
    public static Policy Policy { get; } = Policy.Changes("ledger.held").Needs(Permission.RetentionRun).About(Resource.Clinic);
}

/// <summary>Moves a hold on.</summary>
/// <param name="HoldId">Which.</param>
/// <param name="Step">One of <see cref="HoldSteps"/>.</param>
/// <param name="IfVersion">The version the caller saw; null is refused.</param>
internal sealed record StepHold(Guid HoldId, string? Step, long? IfVersion) : IOperation<LegalHold>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("ledger.held").Needs(Permission.RetentionRun).About(HoldResource.Hold);

    Guid IAbout.ResourceId => HoldId;
}

/// <summary>Holds as what operations are about.</summary>
internal static class HoldResource
{
    public static readonly Resource Hold = Resource.Define("legal_hold", "SELECT 1 FROM clinic.legal_hold WHERE id = $1");
}

/// <summary>What can be done with a hold.</summary>
internal static class HoldSteps
{
    /// <summary>A second person agrees to what was proposed: to placing or to releasing it.</summary>
    public const string Confirm = "confirm";

    /// <summary>What was proposed is not done: the hold is not placed, or not released.</summary>
    public const string Withdraw = "withdraw";

    /// <summary>Its release is proposed.</summary>
    public const string Release = "release";
}

internal sealed class LegalHoldHandler : IHandler<ProposeHold, LegalHold>, IHandler<StepHold, LegalHold>
{
    private const int Shortest = 3, Longest = 500;

    public async Task<Result<LegalHold>> Handle(ProposeHold request, OperationScope scope, CancellationToken cancel)
    {
        var why = PersonDetails.Tidy(request.Why);
        if (why is not { Length: >= Shortest and <= Longest }) return RetentionErrors.DetailsInvalid.With("why", $"Say why, in {Shortest} to {Longest} characters.");
        if (request.Person is { } person)
        {
            if (!await IsPatient(scope, person, cancel) && !await scope.Db.Set<MemberRow>().AnyAsync(row => row.Id == person, cancel)) return PlatformErrors.NotFound;
            scope.Show(person);
        }
        var row = new LegalHoldRow { Id = scope.NewId(), SubjectId = request.Person, ProposedBy = scope.Actor.Id!.Value, ProposedAt = scope.Now, Payload = new(why) };
        scope.Add(row);
        return await Shown(row, "proposed", scope, cancel);
    }

    public async Task<Result<LegalHold>> Handle(StepHold request, OperationScope scope, CancellationToken cancel)
    {
        if (await scope.OpenOne(scope.Db.Set<LegalHoldRow>().Where(hold => hold.Id == request.HoldId), cancel) is not { } row) return PlatformErrors.NotFound;
        if (OperationScope.Stale(row, request.IfVersion) is { } stale) return stale;
        var me = scope.Actor.Id!.Value;
        switch (row.State, request.Step)
        {
            case (LegalHoldRow.Proposed, HoldSteps.Confirm) when row.ProposedBy == me: return RetentionErrors.NeedsSecondPerson;
            case (LegalHoldRow.Releasing, HoldSteps.Confirm) when row.ReleaseBy == me: return RetentionErrors.NeedsSecondPerson;
            case (LegalHoldRow.Proposed, HoldSteps.Confirm): (row.State, row.PlacedBy) = (LegalHoldRow.Placed, me); break;
            case (LegalHoldRow.Proposed, HoldSteps.Withdraw): (row.State, row.EndedAt) = (LegalHoldRow.Withdrawn, scope.Now); break;
            case (LegalHoldRow.Placed, HoldSteps.Release): (row.State, row.ReleaseBy) = (LegalHoldRow.Releasing, me); break;
            case (LegalHoldRow.Releasing, HoldSteps.Confirm): (row.State, row.EndedAt) = (LegalHoldRow.Released, scope.Now); break;
            case (LegalHoldRow.Releasing, HoldSteps.Withdraw): (row.State, row.ReleaseBy) = (LegalHoldRow.Placed, null); break;
            default: return RetentionErrors.NotNow;
        }
        return await Shown(row, row.State, scope, cancel);
    }

    /// <summary>All holds, those that hold first.</summary>
    public static async Task<IReadOnlyList<LegalHold>> All(OperationScope scope, CancellationToken cancel)
    {
        var rows = await scope.Open(scope.Db.Set<LegalHoldRow>().AsNoTracking(), cancel);
        var held = rows.Select(row => row.SubjectId).OfType<Guid>().ToArray();
        var patients = (await scope.Db.Set<PatientRow>().Where(row => held.Contains(row.Id)).Select(row => row.Id).ToListAsync(cancel)).ToHashSet();
        return [.. rows.OrderBy(row => row.EndedAt is not null).ThenByDescending(row => row.Id).Select(row => Of(row, row.SubjectId is { } person && patients.Contains(person)))];
    }

    private static Task<bool> IsPatient(OperationScope scope, Guid person, CancellationToken cancel) => scope.Db.Set<PatientRow>().AnyAsync(row => row.Id == person, cancel);

    private static async Task<Result<LegalHold>> Shown(LegalHoldRow row, string because, OperationScope scope, CancellationToken cancel)
    {
        scope.Because(because);
        scope.Concerns(HoldResource.Hold.Type, row.Id);
        await scope.Flush(cancel);
        return Of(row, row.SubjectId is { } person && await IsPatient(scope, person, cancel));
    }

    private static LegalHold Of(LegalHoldRow row, bool isPatient) =>
        new(row.Id, row.Version, row.SubjectId, isPatient, row.State, row.Payload.Why, row.ProposedBy, row.ProposedAt, row.PlacedBy, row.ReleaseBy, row.EndedAt);
}
