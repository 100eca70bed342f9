using Chaperone.Clinic.AuditLog;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Investigations;

/// <summary>Writes a note in an open case. It can never be changed or taken away; a wrong one is put right by another.</summary>
/// <param name="CaseId">Which case.</param>
/// <param name="Text">The note, sealed.</param>
internal sealed record AddCaseNote(Guid CaseId, string? Text) : IOperation<Guid>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("investigation.note_added").Needs(Permission.InvestigationEdit).About(CaseResource.Case);

    Guid IAbout.ResourceId => CaseId;
}

/// <summary>Gives a case to somebody, who joins its team, or to nobody.</summary>
/// <param name="CaseId">Which case.</param>
/// <param name="Member">An account, or null.</param>
/// <param name="IfVersion">The version the caller saw; null is refused.</param>
internal sealed record AssignCase(Guid CaseId, Guid? Member, long? IfVersion) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("investigation.assigned").Needs(Permission.InvestigationEdit).About(CaseResource.Case);

    Guid IAbout.ResourceId => CaseId;
}

/// <summary>Lets somebody read a case and work on it, or no longer.</summary>
/// <param name="CaseId">Which case.</param>
/// <param name="Member">An account.</param>
/// <param name="Joins">Whether they join, else they leave.</param>
/// <param name="IfVersion">The version the caller saw; null is refused.</param>
internal sealed record ChangeCaseTeam(Guid CaseId, Guid? Member, bool Joins, long? IfVersion) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("investigation.team_changed").Needs(Permission.InvestigationEdit).About(CaseResource.Case);

    Guid IAbout.ResourceId => CaseId;
}

/// <summary>Shows who could work on a case and whom it could name: the staff, to choose from.</summary>
/// <param name="CaseId">Which case.</param>
internal sealed record ChooseForCase(Guid CaseId) : IOperation<CaseChoices>, IAbout
{
    public static Policy Policy { get; } = Policy.Reads("staff.listed").Needs(Permission.InvestigationEdit).About(CaseResource.Case);

    Guid IAbout.ResourceId => CaseId;
}

/// <summary>Who could work on a case, and whom it could name.</summary>
/// <param name="Id">The case.</param>
/// <param name="Version">Its version.</param>
/// <param name="Number">Its number.</param>
/// <param name="OpenedBy">Account of who opened it.</param>
/// <param name="AssignedTo">Account of who it is given to.</param>
/// <param name="Team">Accounts on its team.</param>
/// <param name="Named">Whom it names.</param>
/// <param name="Able">Accounts that may work on cases and are neither on the team nor named.</param>
/// <param name="Members">Staff by account.</param>
public sealed record CaseChoices(
    Guid Id, long Version, int Number, Guid OpenedBy, Guid? AssignedTo, IReadOnlyList<Guid> Team, IReadOnlyList<Guid> Named, IReadOnlyList<Guid> Able, IReadOnlyDictionary<Guid, AuditMember> Members);

/// <summary>Says since when a breach of personal data is suspected, or that none is.</summary>
/// <param name="CaseId">Which case.</param>
/// <param name="AwareAt">When the clinic became aware, or null.</param>
/// <param name="IfVersion">The version the caller saw; null is refused.</param>
internal sealed record MarkCaseBreach(Guid CaseId, DateTimeOffset? AwareAt, long? IfVersion) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("investigation.breach_marked").Needs(Permission.InvestigationEdit).About(CaseResource.Case);

    Guid IAbout.ResourceId => CaseId;
}

/// <summary>The clock of GDPR Article 33.</summary>
internal static class CaseBreach
{
    /// <summary>Within this the supervisory authority is told, where a breach is likely to be a risk to people.</summary>
    public static readonly TimeSpan ToReport = TimeSpan.FromHours(72);

    /// <summary>What is wrong with the time, or null.</summary>
    public static string? Wrong(DateTimeOffset? awareAt, OperationScope scope) =>
        awareAt > scope.Now ? "Enter a time that is not in the future." : awareAt < scope.Now.AddYears(-10) ? "Enter a time within the last ten years." : null;
}

internal sealed class CaseWorkHandler : IHandler<ChooseForCase, CaseChoices>, IHandler<AddCaseNote, Guid>, IHandler<AssignCase, Done>, IHandler<ChangeCaseTeam, Done>, IHandler<MarkCaseBreach, Done>
{
    public async Task<Result<CaseChoices>> Handle(ChooseForCase request, OperationScope scope, CancellationToken cancel)
    {
        var found = await CaseRules.OpenAsync(scope, request.CaseId, cancel);
        if (found.Error is { } notNow) return notNow;
        var (row, named) = (found.Value, await CaseRules.NamedAsync(scope, request.CaseId, cancel));
        return new CaseChoices(row.Id, row.Version, row.Number, row.OpenedBy, row.AssignedTo, row.Team, named, [.. (await CaseRules.AbleAsync(scope, cancel)).Except(row.Team).Except(named)], await scope.OpenStaff(cancel));
    }

    public async Task<Result<Guid>> Handle(AddCaseNote request, OperationScope scope, CancellationToken cancel)
    {
        if (CaseRules.Text(request.Text, CaseRules.LongestNote) is not { } text) return CaseErrors.DetailsInvalid.With("text", CaseRules.Sentence("Write the note", CaseRules.LongestNote));
        var found = await CaseRules.OpenAsync(scope, request.CaseId, cancel);
        return found.Error is { } notNow ? notNow : Write(found.Value, CaseNoteRow.Note, text, null, scope);
    }

    public async Task<Result<Done>> Handle(AssignCase request, OperationScope scope, CancellationToken cancel)
    {
        var found = await ChangeAsync(request.CaseId, request.IfVersion, scope, cancel);
        if (found.Error is { } wrong) return wrong;
        if (request.Member is { } member)
        {
            if (await WrongAsync(found.Value, member, scope, cancel) is { } refused) return refused;
            scope.Show(member);
            if (!found.Value.Team.Contains(member)) found.Value.Team = [.. found.Value.Team, member];
        }
        found.Value.AssignedTo = request.Member;
        return default(Done);
    }

    public async Task<Result<Done>> Handle(ChangeCaseTeam request, OperationScope scope, CancellationToken cancel)
    {
        if (request.Member is not { } member) return CaseErrors.DetailsInvalid.With("member", "Choose somebody.");
        var found = await ChangeAsync(request.CaseId, request.IfVersion, scope, cancel);
        if (found.Error is { } wrong) return wrong;
        var row = found.Value;
        if (request.Joins == row.Team.Contains(member)) return request.Joins ? CaseErrors.AlreadyIn : PlatformErrors.NotFound;
        if (request.Joins && await WrongAsync(row, member, scope, cancel) is { } refused) return refused;
        if (!request.Joins && (member == row.OpenedBy || member == row.AssignedTo)) return CaseErrors.OnBothSides;
        scope.Show(member);
        scope.Because(request.Joins ? "joined" : "left");
        row.Team = request.Joins ? [.. row.Team, member] : [.. row.Team.Where(other => other != member)];
        return default(Done);
    }

    public async Task<Result<Done>> Handle(MarkCaseBreach request, OperationScope scope, CancellationToken cancel)
    {
        if (CaseBreach.Wrong(request.AwareAt, scope) is { } sentence) return CaseErrors.DetailsInvalid.With("awareAt", sentence);
        var found = await ChangeAsync(request.CaseId, request.IfVersion, scope, cancel);
        if (found.Error is { } wrong) return wrong;
        found.Value.AwareAt = request.AwareAt;
        scope.Because(request.AwareAt is null ? "not_suspected" : "suspected");
        return default(Done);
    }

    /// <summary>Adds a note of some kind.</summary>
    public static Guid Write(CaseRow row, string kind, string text, string? outcome, OperationScope scope)
    {
        var note = new CaseNoteRow { Id = scope.NewId(), InvestigationId = row.Id, Kind = kind, Outcome = outcome, WrittenBy = scope.Actor.Id!.Value, WrittenAt = scope.Now, Payload = new(text) };
        scope.Add(note);
        return note.Id;
    }

    private static async Task<Result<CaseRow>> ChangeAsync(Guid id, long? ifVersion, OperationScope scope, CancellationToken cancel)
    {
        var found = await CaseRules.OpenAsync(scope, id, cancel);
        return found.Error is null && OperationScope.Stale(found.Value, ifVersion) is { } stale ? stale : found;
    }

    private static async Task<Error?> WrongAsync(CaseRow row, Guid member, OperationScope scope, CancellationToken cancel)
    {
        if ((await CaseRules.NamedAsync(scope, row.Id, cancel)).Contains(member)) return CaseErrors.OnBothSides;
        return (await CaseRules.AbleAsync(scope, cancel)).Contains(member) ? null : CaseErrors.DetailsInvalid.With("member", "Choose somebody whose role includes investigations: an owner or an administrator.");
    }
}
