using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.AccessHistory;

/// <summary>Reads the events in which one person's data was shown or changed, in the operation that asks. Opening them is itself an event, which names the person.</summary>
internal sealed class AccessReading(ClinicLog log, OperationScope scope, WithheldEvents? withheld = null)
{
    private const int Limit = 50;
    private readonly Dictionary<Guid, AuditMember> members = [];

    /// <summary>A page of the history; an error for a cursor that is none.</summary>
    public async Task<Result<AccessHistoryPage>> PageAsync(Guid person, AccessQuery query, CancellationToken cancel)
    {
        if (!TryCursor(query.Cursor, out var before) || !TryCursor(query.Newer, out var after) || (before is not null && after is not null)) return AccessErrors.BadCursor;
        await log.CatchUpAsync(cancel);
        var filter = await FilterAsync(person, query.WithOwn, cancel);
        var page = after is { } cursor && await log.NewerAsync(filter, cursor, Limit, cancel) is { Previous: not null } newer ? newer : await log.PageAsync(filter, before, Limit, cancel);
        scope.Show(person);
        scope.Found(page.Events.Count, "subject");
        return new AccessHistoryPage(
            await LooksAsync(page.Events, cancel), page.Next?.ToString("N"), page.Previous?.ToString("N"), await log.CountAsync(filter, AuditPage.MostCounted, cancel), LogIntegrity.Of(log));
    }

    /// <summary>The whole history, newest first, some at a time.</summary>
    public async IAsyncEnumerable<IReadOnlyList<(ReadEvent Read, AccessLook Look)>> AllAsync(Guid person, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        const int Stretch = 500;
        var filter = await FilterAsync(person, withOwn: true, cancel);
        for (Guid? before = null; ;)
        {
            var page = await log.PageAsync(filter, before, Stretch, cancel);
            yield return [.. page.Events.Zip(await LooksAsync(page.Events, cancel))];
            if (page.Next is null) yield break;
            before = page.Next;
        }
    }

    /// <summary>
    /// Who holds the permission about themselves only reads their own history: a practitioner stands as close to a patient as the patient does, which is not what is meant here.
    /// </summary>
    public static Error? TooFar(OperationScope scope, Guid patient) =>
        scope.Actor.PatientId != patient && scope.Actor.Rights.WeakestRelation(Permission.AccessLogView, scope.Actor.State.Elevated, scope.Now) is not Relation.SameClinic ? PlatformErrors.Forbidden : null;

    /// <summary>Whether a patient's history is offered; the operation decides.</summary>
    public static bool Reaches(HttpContext http, Guid patient)
    {
        var (actor, now) = (http.Context().Actor, http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow());
        return actor.Rights.WeakestRelation(Permission.AccessLogView, actor.State.Elevated, now) is { } needs && (needs == Relation.SameClinic || actor.PatientId == patient);
    }

    // Only who acted is opened, and so stands in the event: not the whole team, of whom nothing is shown.
    private async Task<IReadOnlyList<AccessLook>> LooksAsync(IReadOnlyList<ReadEvent> events, CancellationToken cancel)
    {
        Guid[] unknown = [.. events.Select(read => read.Event.Actor.Id).OfType<Guid>().Distinct().Where(id => !members.ContainsKey(id))];
        if (unknown.Length > 0)
        {
            var rows = scope.Db.Set<MemberRow>().AsNoTracking().Where(member => unknown.Contains(member.Id) && member.PatientId == null);
            foreach (var member in await scope.Open(rows, cancel)) members[member.Id] = new(member.Id, member.Payload.Name, [.. member.Roles.Select(SignInFeature.DisplayName)]);
        }
        return [.. events.Select(read => AccessLook.Of(read, members))];
    }

    private async Task<EventFilter> FilterAsync(Guid person, bool withOwn, CancellationToken cancel) => new()
    {
        Subject = person,
        // Whoever reads or hands over a history: what an open investigation did stands in it from its conclusion on.
        NotEntities = withheld is null ? null : await withheld.Find(scope, true, cancel),
        NotActor = withOwn ? null : await scope.Db.Set<MemberRow>().Where(member => member.PatientId == person).Select(member => (Guid?)member.Id).FirstOrDefaultAsync(cancel) ?? person,
    };

    private static bool TryCursor(string? text, out Guid? cursor)
    {
        cursor = null;
        if (string.IsNullOrEmpty(text)) return true;
        if (!Guid.TryParseExact(text, "N", out var id)) return false;
        cursor = id;
        return true;
    }
}
