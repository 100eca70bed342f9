using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Schedule.Rota;

/// <summary>Gives a practitioner working hours; none at all puts them back to the clinic's week. Appointments stay where they are.</summary>
/// <param name="PractitionerId">Whose.</param>
/// <param name="Patterns">All of their weeks, as typed.</param>
/// <param name="IfVersion">The version the caller saw, 0 for none; null is refused.</param>
internal sealed record ChangeHours(Guid PractitionerId, IReadOnlyList<TypedWeek> Patterns, long? IfVersion) : IOperation<PractitionerRota>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("rota.hours_changed").Needs(Permission.RotaEdit).About(MemberRow.Resource);

    Guid IAbout.ResourceId => PractitionerId;
}

/// <summary>Gives oneself working hours.</summary>
/// <param name="Patterns">All weeks, as typed.</param>
/// <param name="IfVersion">The version the caller saw, 0 for none; null is refused.</param>
internal sealed record ChangeOwnHours(IReadOnlyList<TypedWeek> Patterns, long? IfVersion) : IOperation<PractitionerRota>
{
    public static Policy Policy { get; } = Policy.Changes("rota.hours_changed").ForSelf("practitioners keep their own working hours");
}

/// <summary>A week as typed.</summary>
/// <param name="From">The first day it holds; null for ever.</param>
/// <param name="Days">By day code, spans of two clock's times; a day that is left out is free.</param>
internal sealed record TypedWeek(string? From, IReadOnlyDictionary<string, IReadOnlyList<TypedSpan>> Days)
{
    private const int MostSpans = 6, MostPatterns = 20;

    /// <summary>Weeks as they are stored, the earliest first, or what is wrong with which.</summary>
    /// <remarks>Faults are named by week and day: <c>patterns.0.monday</c>.</remarks>
    public static Result<WorkingHours> Read(IReadOnlyList<TypedWeek> typed)
    {
        var error = ScheduleErrors.DetailsInvalid;
        if (typed.Count > MostPatterns) return error.With("patterns", $"At most {MostPatterns} weeks.");
        var read = new List<WeekPattern>();
        for (var i = 0; i < typed.Count; i++)
        {
            var from = typed[i].From is null ? null : ClinicTime.ParseDay(typed[i].From);
            if (typed[i].From is not null && from is null) error = error.With($"patterns.{i}.from", "Enter a date such as 2026-11-21, or leave it out.");
            else if (read.Exists(other => other.From == from)) error = error.With($"patterns.{i}.from", "Another week begins to hold on the same day.");
            foreach (var code in typed[i].Days.Keys.Where(code => !WeekPattern.DayCodes.Contains(code))) error = error.With($"patterns.{i}.days", "Days are monday to sunday.");
            var days = new List<IReadOnlyList<ClockSpan>>();
            foreach (var code in WeekPattern.DayCodes)
            {
                var (spans, fault) = Spans(typed[i].Days.GetValueOrDefault(code) ?? []);
                if (fault is not null) error = error.With($"patterns.{i}.{code}", fault);
                days.Add(spans);
            }
            if (typed[i].From is null == from is null) read.Add(new(from, days));
        }
        return error.Fields.Count > 0 ? error : new WorkingHours([.. read.OrderBy(week => week.From ?? DateOnly.MinValue)]);
    }

    private static (IReadOnlyList<ClockSpan> Spans, string? Fault) Spans(IReadOnlyList<TypedSpan> typed)
    {
        if (typed.Count > MostSpans) return ([], $"At most {MostSpans} times a day.");
        var read = typed.Select(span => ClockSpan.Read(span.From, span.To)).ToList();
        if (read.Contains(null)) return ([], "Enter times such as 08:30 to 12:00, the end after the beginning and on the same day.");
        var spans = read.OfType<ClockSpan>().OrderBy(span => span.From).ToList();
        return spans.Zip(spans.Skip(1)).Any(pair => pair.First.To > pair.Second.From) ? ([], "These times overlap.") : (spans, null);
    }
}

/// <summary>From one clock's time to another, as typed.</summary>
internal sealed record TypedSpan(string? From, string? To);

internal sealed class ChangeHoursHandler(Diary diary, IHandler<ViewRota, PractitionerRota> view) : IHandler<ChangeHours, PractitionerRota>, IHandler<ChangeOwnHours, PractitionerRota>
{
    public Task<Result<PractitionerRota>> Handle(ChangeHours request, OperationScope scope, CancellationToken cancel) => Change(request.PractitionerId, request.Patterns, request.IfVersion, scope, cancel);

    public Task<Result<PractitionerRota>> Handle(ChangeOwnHours request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("member", scope.Actor.Id!.Value);
        return Change(scope.Actor.Id!.Value, request.Patterns, request.IfVersion, scope, cancel);
    }

    private async Task<Result<PractitionerRota>> Change(Guid practitioner, IReadOnlyList<TypedWeek> typed, long? ifVersion, OperationScope scope, CancellationToken cancel)
    {
        if (await diary.PractitionerFault(practitioner, cancel) is { } notBookable) return notBookable;
        var hours = TypedWeek.Read(typed);
        if (hours.Error is { } invalid) return invalid;
        await scope.TakeTurns([practitioner], cancel);
        var row = await scope.OpenOne(scope.Db.Set<WorkingHoursRow>().Where(row => row.Id == practitioner), cancel);
        if (ifVersion is null) return PlatformErrors.PreconditionRequired;
        if ((row?.Version ?? 0) != ifVersion) return PlatformErrors.Changed;
        if (row is null) scope.Add(new WorkingHoursRow { Id = practitioner, SubjectId = practitioner, Payload = hours.Value });
        else row.Payload = hours.Value;
        await scope.Flush(cancel);
        return await view.Handle(new(practitioner), scope, cancel);
    }
}
