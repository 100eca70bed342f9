using Chaperone.Ledger;
using Chaperone.Platform.Ledger;

namespace Chaperone.Platform.Operations;

/// <summary>Turns a run of an operation into its events. More than 500 records or 2,000 people make several events of the same action, numbered.</summary>
internal static class EventDraft
{
    private const int MostRecords = 500;
    private const int MostSubjects = 2000;

    public static IReadOnlyList<LedgerEvent> Of(Attempt attempt, OperationScope scope, DateTimeOffset now)
    {
        var type = EventCatalogue.Find(scope.EventAction!);
        var records = scope.Records.ToArray();
        var subjects = scope.Subjects.ToArray();
        var parts = Math.Max(1, Math.Max(Parts(records.Length, MostRecords), Parts(subjects.Length, MostSubjects)));
        var events = new List<LedgerEvent>(parts);
        for (var part = 0; part < parts; part++)
        {
            events.Add(Base(attempt, type, now, scope.BecameActor ?? scope.Actor) with
            {
                Severity = scope.Severity ?? type.Severity,
                Outcome = scope.Outcome,
                Subjects = Slice(subjects, part, MostSubjects),
                Records = Slice(records, part, MostRecords),
                Changes = part > 0 ? [] : [.. scope.Changes, .. scope.ExtraChanges],
                Reason = scope.ReasonCode,
                Hits = part > 0 ? null : scope.HitCount,
                Fields = part > 0 ? [] : scope.UsedFields,
                Typed = scope.TypedIndex,
                Details = parts == 1 ? scope.Facts : new Dictionary<string, EventFact>(scope.Facts, StringComparer.Ordinal) { ["part"] = part + 1, ["parts"] = parts },
            });
        }
        return events;
    }

    public static IReadOnlyList<LedgerEvent> OfFailure(Attempt attempt, EventOutcome outcome, Error error, DateTimeOffset now)
    {
        // Of a run that streamed, what left is already seen; of any other nothing was shown but what the error itself shows.
        var streamed = attempt.Info.Policy.Streams && attempt.Scope is not null;
        var subjects = streamed ? attempt.Scope!.Subjects.Concat(error.Shown).Distinct().ToArray() : [.. error.Shown];
        var type = EventCatalogue.Find(attempt.Action ?? attempt.Info.Policy.Action ?? "security.denied");
        var parts = Math.Max(1, Parts(subjects.Length, MostSubjects));
        return
        [
            .. Enumerable.Range(0, parts).Select(part => Base(attempt, type, now, attempt.Scope?.BecameActor ?? attempt.Caller.Actor) with
            {
                Severity = type.Severity,
                Outcome = outcome,
                Subjects = Slice(subjects, part, MostSubjects),
                Reason = error.Code,
                Typed = attempt.Scope?.TypedIndex,
                Details = streamed ? attempt.Scope!.Facts : new Dictionary<string, EventFact>(),
            }),
        ];
    }

    private static LedgerEvent Base(Attempt attempt, EventType type, DateTimeOffset now, Actor actor)
    {
        var source = attempt.Caller.Source;
        var entity = attempt.Scope?.Entity
            ?? (attempt.ResourceId is { } id ? new EventEntity(attempt.Info.Policy.Resource!.Type, id) : null);
        return new()
        {
            Id = Ids.New(now),
            At = now,
            Action = type.Action,
            Category = type.Category,
            Actor = new(actor.Kind, actor.Id, actor.Role, actor.SessionId),
            Entity = entity,
            Source = new(source.Channel, source.Route, source.Ip, source.Client),
            Decision = attempt.Decision.Rule,
        };
    }

    private static int Parts(int count, int most) => (count + most - 1) / most;

    private static T[] Slice<T>(T[] all, int part, int most) => all.Length <= part * most ? [] : all[(part * most)..Math.Min(all.Length, (part + 1) * most)];
}
