using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Investigations;

/// <summary>Investigations as what operations are about.</summary>
internal static class CaseResource
{
    /// <summary>
    /// Within reach of its team and of owners; of nobody whom it names, whatever their role. Everybody else has nothing to do with it: for them it does not exist.
    /// </summary>
    public static readonly Resource Case = Resource.Define(
        "investigation",
        """
        SELECT 1 FROM clinic.investigation c
        WHERE c.id = $1 AND ($2 = ANY (c.team) OR EXISTS (SELECT FROM clinic.member m WHERE m.id = $2 AND 'owner' = ANY (m.roles)))
          AND NOT EXISTS (SELECT FROM clinic.investigation_item p WHERE p.investigation_id = c.id AND p.kind = 'person' AND p.removed_at IS NULL AND p.ref_id IN ($2, $3))
        """);
}

/// <summary>How a case can end. Codes are stored; the words may change.</summary>
internal static class CaseOutcomes
{
    public static readonly IReadOnlyList<(string Code, string Words)> All =
    [
        ("no_breach", "No breach"),
        ("policy_breach", "Breach of the clinic’s rules"),
        ("data_breach_not_reportable", "Breach of personal data, not to be reported"),
        ("data_breach_reportable", "Breach of personal data, to be reported"),
        ("inconclusive", "Inconclusive"),
    ];

    public static string Words(string? code) => All.FirstOrDefault(outcome => outcome.Code == code).Words ?? "Not known";
}

/// <summary>Why something is taken out of a case.</summary>
internal static class CaseRemovals
{
    public static readonly IReadOnlyList<(string Code, string Words)> All =
    [
        ("chosen_by_mistake", "Chosen by mistake"),
        ("not_related", "Turned out to have nothing to do with it"),
        ("other_case", "Belongs to another investigation"),
    ];

    public static string Words(string? code) => All.FirstOrDefault(reason => reason.Code == code).Words ?? "Not known";
}

/// <summary>What the operations on cases share.</summary>
internal static class CaseRules
{
    /// <summary>So many events a case holds at once.</summary>
    public const int MostEvents = 500;

    public const int ShortestText = 3, LongestTitle = 120, LongestReason = 2000, LongestNote = 5000, LongestWhy = 500;

    /// <summary>What was typed, with its line breaks, or null when it is too short, too long or no text.</summary>
    public static string? Text(string? typed, int longest) =>
        typed?.Replace("\r\n", "\n", StringComparison.Ordinal).Trim() is { Length: >= ShortestText } text && text.Length <= longest && !text.Any(letter => char.IsControl(letter) && letter is not ('\n' or '\t')) ? text : null;

    public static string Sentence(string what, int longest) => $"{what}, in {ShortestText} to {longest:N0} characters.";

    /// <summary>The cases that who asks may read: the resource's rule as a query.</summary>
    public static IQueryable<CaseRow> Readable(OperationScope scope)
    {
        var (me, patient) = (scope.Actor.Id, scope.Actor.PatientId);
        var (cases, items) = (scope.Db.Set<CaseRow>(), scope.Db.Set<CaseItemRow>());
        var owners = scope.Db.Set<MemberRow>().Where(member => member.Id == me && member.Roles.Contains(BuiltInRole.Owner.Code));
        return cases.Where(found => (found.Team.Contains(me!.Value) || owners.Any())
            && !items.Any(item => item.InvestigationId == found.Id && item.Kind == CaseItemRow.Person && item.RemovedAt == null && (item.RefId == me || item.RefId == patient)));
    }

    /// <summary>The cases whose own events are withheld: while a case is open from whoever may not read it; from everybody where a person's history is told.</summary>
    public static async Task<IReadOnlyList<Guid>> WithheldAsync(OperationScope scope, bool fromEverybody, CancellationToken cancel)
    {
        var open = scope.Db.Set<CaseRow>().Where(found => found.State != CaseRow.Concluded);
        if (fromEverybody) return await open.Select(found => found.Id).ToListAsync(cancel);
        if (!scope.Actor.Rights.Holds(Permission.InvestigationView, scope.Actor.State.Elevated, scope.Now)) return await open.Select(found => found.Id).ToListAsync(cancel);
        var readable = Readable(scope).Select(found => found.Id);
        return await open.Where(found => !readable.Contains(found.Id)).Select(found => found.Id).ToListAsync(cancel);
    }

    /// <summary>The cases that an event is in, of those that who asks may read: their numbers, nothing that is sealed.</summary>
    public static async Task<IReadOnlyList<(Guid Id, int Number)>> OfEventAsync(OperationScope scope, Guid id, CancellationToken cancel)
    {
        if (!scope.Actor.Rights.Holds(Permission.InvestigationView, scope.Actor.State.Elevated, scope.Now)) return [];
        var items = scope.Db.Set<CaseItemRow>().Where(item => item.RefId == id && item.Kind == CaseItemRow.Event && item.RemovedAt == null);
        var found = await Readable(scope).Where(row => items.Any(item => item.InvestigationId == row.Id)).OrderBy(row => row.Number).Select(row => new { row.Id, row.Number }).ToListAsync(cancel);
        return [.. found.Select(row => (row.Id, row.Number))];
    }

    /// <summary>The case, for a change that only an open one takes.</summary>
    public static async Task<Result<CaseRow>> OpenAsync(OperationScope scope, Guid id, CancellationToken cancel, string state = CaseRow.Open)
    {
        if (await scope.OpenOne(scope.Db.Set<CaseRow>().Where(row => row.Id == id), cancel) is not { } found) return PlatformErrors.NotFound;
        return found.State == state ? found : CaseErrors.NotNow;
    }

    /// <summary>Whom an open case names.</summary>
    public static async Task<IReadOnlyList<Guid>> NamedAsync(OperationScope scope, Guid id, CancellationToken cancel) =>
        await scope.Db.Set<CaseItemRow>().Where(item => item.InvestigationId == id && item.Kind == CaseItemRow.Person && item.RemovedAt == null).Select(item => item.RefId).ToListAsync(cancel);

    /// <summary>Accounts that may work on cases: active, with a role that includes it.</summary>
    public static async Task<IReadOnlyList<Guid>> AbleAsync(OperationScope scope, CancellationToken cancel)
    {
        var roles = BuiltInRole.All.Where(role => role.Rights.Any(right => right.Permission == Permission.InvestigationView)).Select(role => role.Code).ToArray();
        var rows = await scope.Db.Set<MemberRow>().Where(member => member.PatientId == null && member.Status == MemberRow.Active).Select(member => new { member.Id, member.Roles }).ToListAsync(cancel);
        return [.. rows.Where(member => member.Roles.Intersect(roles).Any()).Select(member => member.Id)];
    }
}
