using Chaperone.Clinic.Settings;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule;

/// <summary>Shows the next times at which somebody can be booked, the earliest first. They are free at that moment; only booking takes one.</summary>
/// <param name="Practitioner">With whom; null for anybody.</param>
/// <param name="Type">A code of <see cref="ScheduleCodes.Types"/>, for how long it lasts; null when <paramref name="Minutes"/> says it.</param>
/// <param name="Minutes">How long.</param>
/// <param name="From">Not before this time; null for now.</param>
internal sealed record FindFreeSlots(string? Practitioner = null, string? Type = null, int? Minutes = null, string? From = null) : IOperation<IReadOnlyList<FreeSlot>>
{
    /// <summary>Times shown.</summary>
    public const int Most = 10;

    /// <summary>How many days are looked through.</summary>
    public const int Days = 28;

    public static Policy Policy { get; } = Policy.Reads("schedule.viewed").Needs(Permission.ScheduleEdit).About(Resource.Clinic);
}

/// <summary>A time that nobody has taken yet, in the clinic's zone.</summary>
internal sealed record FreeSlot(Guid PractitionerId, DateTimeOffset StartsAt, DateTimeOffset EndsAt);

internal sealed class FindFreeSlotsHandler(Diary diary) : IHandler<FindFreeSlots, IReadOnlyList<FreeSlot>>
{
    private const int LongestMinutes = 600;

    public async Task<Result<IReadOnlyList<FreeSlot>>> Handle(FindFreeSlots request, OperationScope scope, CancellationToken cancel)
    {
        var invalid = ScheduleErrors.Invalid;
        var minutes = request.Minutes ?? ScheduleCodes.TypeOf(request.Type)?.Minutes ?? 0;
        if (minutes is < 1 or > LongestMinutes) invalid = invalid.With("minutes", "Say how long, one minute to ten hours, or which type of appointment.");
        if (request.Type is not null && ScheduleCodes.TypeOf(request.Type) is null) invalid = invalid.With("type", "There is no such type of appointment.");
        var practitioner = Guid.Empty;
        if (request.Practitioner is not null && !Guid.TryParse(request.Practitioner, out practitioner)) invalid = invalid.With("practitioner", "A practitioner is named by id.");
        var from = scope.Now;
        if (request.From is not null)
        {
            var (time, fault) = ClinicTime.Parse(request.From, diary.Zone);
            if (time is null) invalid = invalid.With("from", fault!);
            else if (time > from) from = time.Value;
        }
        if (invalid.Fields.Count > 0) return invalid;
        if (request.Practitioner is not null && await diary.PractitionerFault(practitioner, cancel) is { } notBookable) return notBookable;

        var roles = ScheduleCodes.PractitionerRoles;
        Guid[] bookable = request.Practitioner is not null ? [practitioner] : await scope.Db.Set<MemberRow>()
            .Where(row => row.PatientId == null && row.Status == MemberRow.Active && row.Roles.Any(role => roles.Contains(role))).Select(row => row.Id).ToArrayAsync(cancel);
        var last = ClinicTime.DayOf(from, diary.Zone).AddDays(FindFreeSlots.Days - 1);
        var taken = await diary.Taken(bookable, from, ClinicTime.StartOf(last.AddDays(1), diary.Zone), cancel);
        var (length, week) = (TimeSpan.FromMinutes(minutes), await ClinicSettings.WorkingWeekAsync(scope, cancel));
        var free = bookable.SelectMany(id => FreeTime.Starts([.. taken[id]], from, last, length, week, diary.Zone).Take(FindFreeSlots.Most).Select(start => (Id: id, Start: start)))
            .OrderBy(slot => slot.Start).ThenBy(slot => slot.Id).Take(FindFreeSlots.Most)
            .Select(slot => new FreeSlot(slot.Id, TimeZoneInfo.ConvertTime(slot.Start, diary.Zone), TimeZoneInfo.ConvertTime(slot.Start + length, diary.Zone))).ToArray();
        scope.Found(free.Length);
        return Result<IReadOnlyList<FreeSlot>>.Of(free);
    }
}

/// <summary>A time that an appointment takes.</summary>
internal readonly record struct Taken(DateTimeOffset From, DateTimeOffset To);

/// <summary>What is left of the clinic's working week, until practitioners have working hours of their own.</summary>
internal static class FreeTime
{
    private static readonly long Step = TimeSpan.FromMinutes(5).Ticks;

    /// <summary>When something of this length can begin, in order, one after the other.</summary>
    /// <param name="taken">What is taken already, by time, without overlaps.</param>
    /// <param name="from">Not before.</param>
    /// <param name="last">The last day looked at.</param>
    /// <param name="length">How long.</param>
    /// <param name="week">When the clinic is open.</param>
    /// <param name="zone">The clinic's.</param>
    public static IEnumerable<DateTimeOffset> Starts(IReadOnlyList<Taken> taken, DateTimeOffset from, DateOnly last, TimeSpan length, WorkingWeek week, TimeZoneInfo zone)
    {
        var next = 0;
        for (var day = ClinicTime.DayOf(from, zone); day <= last; day = day.AddDays(1))
        {
            if (week.On(day.DayOfWeek) is not { } open) continue;
            var (opens, closes) = (ClinicTime.At(day.ToDateTime(open.From), zone), ClinicTime.At(day.ToDateTime(open.To), zone));
            var start = Round(opens > from ? opens : from);
            while (start + length <= closes)
            {
                while (next < taken.Count && taken[next].To <= start) next++;
                if (next < taken.Count && taken[next].From < start + length)
                {
                    start = Round(taken[next].To);
                    continue;
                }
                yield return start;
                start = Round(start + length);
            }
        }
    }

    private static DateTimeOffset Round(DateTimeOffset time) => new((time.UtcTicks + Step - 1) / Step * Step, TimeSpan.Zero);
}
