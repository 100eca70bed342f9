using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule.Rota;

/// <summary>Shows when practitioners work and when they are away, day by day. A patient sees those they have been booked with.</summary>
/// <param name="Day">One day; today when neither this nor <paramref name="From"/> is given.</param>
/// <param name="From">The first day.</param>
/// <param name="To">The last day.</param>
/// <param name="Practitioner">Whose; null for everybody's.</param>
internal sealed record ViewAvailability(string? Day = null, string? From = null, string? To = null, string? Practitioner = null) : IOperation<IReadOnlyList<PractitionerDay>>
{
    public static Policy Policy { get; } = Policy.Reads("schedule.viewed").Needs(Permission.ScheduleView).Lists(MemberRow.Resource);
}

/// <summary>A practitioner's day.</summary>
/// <param name="PractitionerId">Whose.</param>
/// <param name="Day">Which.</param>
/// <param name="Working">When they work, in order; leave is not taken out.</param>
/// <param name="Leave">When they are away, cut to the day.</param>
internal sealed record PractitionerDay(Guid PractitionerId, DateOnly Day, IReadOnlyList<WorkingSpan> Working, IReadOnlyList<AwaySpan> Leave);

/// <summary>From when to when somebody works, in the clinic's zone.</summary>
internal sealed record WorkingSpan(DateTimeOffset StartsAt, DateTimeOffset EndsAt);

/// <summary>From when to when somebody is away, in the clinic's zone.</summary>
/// <param name="StartsAt">First moment.</param>
/// <param name="EndsAt">First moment after.</param>
/// <param name="Kind">Why, a code of <see cref="LeaveKinds"/>; null for whom it does not concern.</param>
internal sealed record AwaySpan(DateTimeOffset StartsAt, DateTimeOffset EndsAt, string? Kind);

internal sealed class ViewAvailabilityHandler(Diary diary, RotaBook rota) : IHandler<ViewAvailability, IReadOnlyList<PractitionerDay>>
{
    public async Task<Result<IReadOnlyList<PractitionerDay>>> Handle(ViewAvailability request, OperationScope scope, CancellationToken cancel)
    {
        if (DaySpan.Read(request.Day, request.From, request.To, ClinicTime.DayOf(scope.Now, diary.Zone)) is not { } days) return ScheduleErrors.BadSpan;
        var rows = diary.Bookable();
        if (request.Practitioner is not null)
        {
            if (!Guid.TryParse(request.Practitioner, out var practitioner)) return ScheduleErrors.BadSpan;
            rows = rows.Where(row => row.Id == practitioner);
        }
        var practitioners = await rows.Select(row => row.Id).ToArrayAsync(cancel);
        var plan = await rota.Read(practitioners, days.From(diary.Zone), days.Until(diary.Zone), cancel);
        foreach (var id in practitioners) scope.Show(id);
        scope.Note("from", days.First.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
        scope.Note("days", days.Count);
        scope.Note("view", "availability");
        return Result<IReadOnlyList<PractitionerDay>>.Of([.. days.All.SelectMany(day => practitioners.Order().Select(id => DayOf(plan, id, day, scope)))]);
    }

    private PractitionerDay DayOf(Plan plan, Guid practitioner, DateOnly day, OperationScope scope)
    {
        var (from, to) = (ClinicTime.StartOf(day, diary.Zone), ClinicTime.StartOf(day.AddDays(1), diary.Zone));
        var why = practitioner == scope.Actor.Id || RotaAccess.SeesWhy(scope);
        return new(
            practitioner, day,
            [.. plan.Working(practitioner, day).Select(span => new WorkingSpan(Local(span.From), Local(span.To)))],
            [.. plan.LeaveOf(practitioner).Where(away => away.StartsAt < to && away.EndsAt > from)
                .Select(away => new AwaySpan(Local(away.StartsAt > from ? away.StartsAt : from), Local(away.EndsAt < to ? away.EndsAt : to), why ? away.Payload.Kind : null))]);
    }

    private DateTimeOffset Local(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, diary.Zone);
}

/// <summary>What of a rota may be shown to whom.</summary>
internal static class RotaAccess
{
    /// <summary>Whether the actor may know why colleagues are away: who plans the rota does, a receptionist needs to know only that they are.</summary>
    public static bool SeesWhy(OperationScope scope) => scope.Actor.Rights.WeakestRelation(Permission.RotaEdit, scope.Actor.State.Elevated, scope.Now) <= Relation.SameClinic;
}
