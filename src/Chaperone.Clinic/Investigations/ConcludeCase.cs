using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Investigations;

/// <summary>Writes the conclusion of a case. It counts, and the hold on the events ends, when a second person agrees.</summary>
/// <param name="CaseId">Which case.</param>
/// <param name="Outcome">One of <see cref="CaseOutcomes"/>.</param>
/// <param name="Text">The conclusion, sealed.</param>
/// <param name="IfVersion">The version the caller saw; null is refused.</param>
internal sealed record ConcludeCase(Guid CaseId, string? Outcome, string? Text, long? IfVersion) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("investigation.conclusion_proposed").Needs(Permission.InvestigationEdit).About(CaseResource.Case);

    Guid IAbout.ResourceId => CaseId;
}

/// <summary>A second person agrees to a conclusion, or anybody on the case takes it back.</summary>
/// <param name="CaseId">Which case.</param>
/// <param name="Agrees">Whether the conclusion counts, else the case goes on.</param>
/// <param name="IfVersion">The version the caller saw; null is refused.</param>
internal sealed record SettleConclusion(Guid CaseId, bool Agrees, long? IfVersion) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("investigation.concluded").Or("investigation.conclusion_withdrawn").Needs(Permission.InvestigationEdit).About(CaseResource.Case);

    Guid IAbout.ResourceId => CaseId;
}

/// <summary>Opens a concluded case again. What ended of its events meanwhile stays ended; the rest is held once more.</summary>
/// <param name="CaseId">Which case.</param>
/// <param name="Why">Why, sealed.</param>
/// <param name="IfVersion">The version the caller saw; null is refused.</param>
internal sealed record ReopenCase(Guid CaseId, string? Why, long? IfVersion) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("investigation.reopened").Needs(Permission.InvestigationEdit).About(CaseResource.Case);

    Guid IAbout.ResourceId => CaseId;
}

internal sealed class ConclusionHandler : IHandler<ConcludeCase, Done>, IHandler<SettleConclusion, Done>, IHandler<ReopenCase, Done>
{
    public async Task<Result<Done>> Handle(ConcludeCase request, OperationScope scope, CancellationToken cancel)
    {
        var error = CaseErrors.DetailsInvalid;
        if (!CaseOutcomes.All.Any(outcome => outcome.Code == request.Outcome)) error = error.With("outcome", "Choose how it ended.");
        var text = CaseRules.Text(request.Text, CaseRules.LongestNote);
        if (text is null) error = error.With("text", CaseRules.Sentence("Write the conclusion", CaseRules.LongestNote));
        if (error.Fields.Count > 0) return error;
        var found = await At(CaseRow.Open, request.CaseId, request.IfVersion, scope, cancel);
        if (found.Error is { } wrong) return wrong;
        CaseWorkHandler.Write(found.Value, CaseNoteRow.Conclusion, text!, request.Outcome, scope);
        (found.Value.State, found.Value.ConcludedBy) = (CaseRow.Concluding, scope.Actor.Id);
        scope.Because(request.Outcome!);
        return default(Done);
    }

    public async Task<Result<Done>> Handle(SettleConclusion request, OperationScope scope, CancellationToken cancel)
    {
        var found = await At(CaseRow.Concluding, request.CaseId, request.IfVersion, scope, cancel);
        if (found.Error is { } wrong) return wrong;
        var row = found.Value;
        if (!request.Agrees)
        {
            (row.State, row.ConcludedBy) = (CaseRow.Open, null);
            scope.RecordAs("investigation.conclusion_withdrawn");
            return default(Done);
        }
        if (row.ConcludedBy == scope.Actor.Id) return CaseErrors.NeedsSecondPerson;
        (row.State, row.ConfirmedBy, row.EndedAt) = (CaseRow.Concluded, scope.Actor.Id, scope.Now);
        return default(Done);
    }

    public async Task<Result<Done>> Handle(ReopenCase request, OperationScope scope, CancellationToken cancel)
    {
        if (CaseRules.Text(request.Why, CaseRules.LongestReason) is not { } why) return CaseErrors.DetailsInvalid.With("why", CaseRules.Sentence("Say why", CaseRules.LongestReason));
        var found = await At(CaseRow.Concluded, request.CaseId, request.IfVersion, scope, cancel);
        if (found.Error is { } wrong) return wrong;
        var row = found.Value;
        (row.State, row.ReopenedAt, row.EndedAt, row.ConcludedBy, row.ConfirmedBy) = (CaseRow.Open, scope.Now, null, null, null);
        CaseWorkHandler.Write(row, CaseNoteRow.Reopened, why, null, scope);
        return default(Done);
    }

    private static async Task<Result<CaseRow>> At(string state, Guid id, long? ifVersion, OperationScope scope, CancellationToken cancel)
    {
        var found = await CaseRules.OpenAsync(scope, id, cancel, state);
        return found.Error is null && OperationScope.Stale(found.Value, ifVersion) is { } stale ? stale : found;
    }
}
