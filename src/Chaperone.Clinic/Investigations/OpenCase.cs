using Chaperone.Clinic.Settings;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Investigations;

/// <summary>Opens a case. Whoever opens it works on it, and the privacy lead too, unless the case is about them.</summary>
/// <param name="Title">What it is called, sealed.</param>
/// <param name="Reason">Why it is opened, sealed.</param>
/// <param name="About">Patients and accounts it is about; more can be named later.</param>
/// <param name="AwareAt">Since when a breach of personal data is suspected, or null.</param>
/// <param name="Selection">The events it begins with; none is allowed.</param>
internal sealed record OpenCase(string? Title, string? Reason, IReadOnlyList<Guid> About, DateTimeOffset? AwareAt, CaseSelection Selection) : IOperation<OpenedCase>
{
    public static Policy Policy { get; } = Policy.Changes("investigation.opened").Needs(Permission.InvestigationEdit).About(CaseResource.Case);
}

/// <summary>A case that was opened.</summary>
public sealed record OpenedCase(Guid Id, int Number, int Events);

internal sealed class OpenCaseHandler(ClinicLog log) : IHandler<OpenCase, OpenedCase>
{
    public async Task<Result<OpenedCase>> Handle(OpenCase request, OperationScope scope, CancellationToken cancel)
    {
        var error = CaseErrors.DetailsInvalid;
        var (title, reason) = (CaseRules.Text(request.Title, CaseRules.LongestTitle), CaseRules.Text(request.Reason, CaseRules.LongestReason));
        if (title is null || title.Contains('\n', StringComparison.Ordinal)) error = error.With("title", CaseRules.Sentence("Enter a title", CaseRules.LongestTitle));
        if (reason is null) error = error.With("reason", CaseRules.Sentence("Say why it is opened", CaseRules.LongestReason));
        if (CaseBreach.Wrong(request.AwareAt, scope) is { } sentence) error = error.With("awareAt", sentence);
        if (error.Fields.Count > 0) return error;
        var me = scope.Actor.Id!.Value;
        if (request.About.Contains(me)) return CaseErrors.OnBothSides;

        await scope.TakeTurns([scope.Tenant.Id], cancel);
        var lead = (await ClinicSettings.ReadAsync(scope, cancel)).Payload.PrivacyLead is { } named && (await CaseRules.AbleAsync(scope, cancel)).Contains(named) && !request.About.Contains(named) ? named : me;
        var row = new CaseRow
        {
            Id = scope.NewId(), Number = (await scope.Db.Set<CaseRow>().MaxAsync(found => (int?)found.Number, cancel) ?? 0) + 1, OpenedBy = me, OpenedAt = scope.Now, Team = [.. new[] { me, lead }.Distinct()],
            AwareAt = request.AwareAt, Payload = new(title!, reason!),
        };
        scope.OnConflict("investigation_number", PlatformErrors.Conflict);
        scope.Add(row);
        scope.Concerns(CaseResource.Case.Type, row.Id);
        await scope.Flush(cancel);
        foreach (var person in request.About.Distinct())
            if (await CasePeopleHandler.NameAsync(row, person, null, scope, cancel) is { } wrong) return wrong;
        if (request.Selection.IsEmpty) return new OpenedCase(row.Id, row.Number, 0);
        await log.CatchUpAsync(cancel);
        var added = await CaseEventsHandler.AddAsync(row, request.Selection, null, log, scope, cancel);
        return added.Error is { } refused ? refused : new OpenedCase(row.Id, row.Number, added.Value.Added);
    }
}

/// <summary>Shows what was chosen of the log, before it is put into a case: whom it can be about, and which open cases it can go into.</summary>
/// <remarks>Everybody on the team is shown, to choose from. That is what its event says: one of an investigation would tell all of them that somebody is about to open one.</remarks>
/// <param name="Selection">What was chosen.</param>
internal sealed record PrepareCase(CaseSelection Selection) : IOperation<PreparedCase>
{
    public static Policy Policy { get; } = Policy.Reads("staff.listed").Needs(Permission.InvestigationEdit).About(Resource.Clinic);
}

/// <summary>What a new case could be.</summary>
/// <param name="Events">How many events were chosen.</param>
/// <param name="Problem">Why they cannot all go into a case, or null.</param>
/// <param name="Staff">Members of staff by name.</param>
/// <param name="Open">Open cases that can take more: id, number, title.</param>
public sealed record PreparedCase(int Events, Error? Problem, IReadOnlyList<(Guid Id, string Name)> Staff, IReadOnlyList<(Guid Id, int Number, string Title)> Open);

internal sealed class PrepareCaseHandler(ClinicLog log) : IHandler<PrepareCase, PreparedCase>
{
    public async Task<Result<PreparedCase>> Handle(PrepareCase request, OperationScope scope, CancellationToken cancel)
    {
        await log.CatchUpAsync(cancel);
        var events = request.Selection.IsEmpty ? Result<IReadOnlyList<Guid>>.Of([]) : await request.Selection.FindAsync(log, scope, cancel);
        if (events.Error is { Status: 404 } forged) return forged;
        var staff = await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(member => member.PatientId == null), cancel);
        var open = await scope.Open(CaseRules.Readable(scope).AsNoTracking().Where(row => row.State == CaseRow.Open), cancel);
        scope.Found(events.Error is null ? events.Value.Count : 0);
        return new PreparedCase(
            events.Error is null ? events.Value.Count : 0, events.Error,
            [.. staff.Select(member => (member.Id, member.Payload.Name)).OrderBy(member => member.Name, StringComparer.CurrentCultureIgnoreCase)],
            [.. open.OrderByDescending(row => row.Number).Select(row => (row.Id, row.Number, row.Payload.Title))]);
    }
}
