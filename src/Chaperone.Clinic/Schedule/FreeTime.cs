using Chaperone.Clinic.Schedule.Rota;

namespace Chaperone.Clinic.Schedule;

/// <summary>A time that something takes, or that can be taken.</summary>
internal readonly record struct Taken(DateTimeOffset From, DateTimeOffset To);

/// <summary>What is left of working time, within one operation.</summary>
internal sealed class FreeTimes(Diary diary, RotaBook rota)
{
    /// <summary>The free time of practitioners, and of a room where one is named, from a time to the end of a day.</summary>
    public async Task<FreeCalendar> Read(Guid[] practitioners, Guid? room, DateTimeOffset from, DateOnly last, CancellationToken cancel)
    {
        var to = ClinicTime.StartOf(last.AddDays(1), diary.Zone);
        var taken = await diary.Taken(practitioners, from, to, cancel);
        var plan = await rota.Read(practitioners, from, to, cancel);
        var inUse = room is { } where ? await diary.TakenRoom(where, from, to, cancel) : [];
        var first = ClinicTime.DayOf(from, diary.Zone);
        return new(
            from,
            practitioners.Order().ToDictionary(
                id => id,
                id => (FreeTime.Merge(plan.Working(id, first, last)), FreeTime.Merge([.. taken[id], .. plan.LeaveOf(id).Select(away => new Taken(away.StartsAt, away.EndsAt)), .. inUse]))));
    }
}

/// <summary>Working time of practitioners, and what of it is taken.</summary>
internal sealed class FreeCalendar(DateTimeOffset from, IReadOnlyDictionary<Guid, (IReadOnlyList<Taken> Working, IReadOnlyList<Taken> Taken)> practitioners)
{
    /// <summary>When something of this length can begin with whom, the earliest first; with one practitioner one after the other.</summary>
    public IEnumerable<(Guid Practitioner, DateTimeOffset Start)> Starts(TimeSpan length, int most = FindFreeSlots.Most) => practitioners
        .SelectMany(one => FreeTime.Starts(one.Value.Working, one.Value.Taken, from, length).Take(most).Select(start => (Practitioner: one.Key, Start: start)))
        .OrderBy(slot => slot.Start).ThenBy(slot => slot.Practitioner);

    /// <summary>The earliest start of this length that suits, with this practitioner or with anybody; null when there is none.</summary>
    public (Guid Practitioner, DateTimeOffset Start)? First(Guid? practitioner, TimeSpan length, Func<DateTimeOffset, bool> suits)
    {
        (Guid Practitioner, DateTimeOffset Start)? best = null;
        foreach (var (id, one) in practitioners)
        {
            if (practitioner is not null && practitioner != id) continue;
            foreach (var start in FreeTime.Starts(one.Working, one.Taken, from, length))
            {
                if (best is { } known && known.Start <= start) break;
                if (!suits(start)) continue;
                best = (id, start);
                break;
            }
        }
        return best;
    }
}

/// <summary>What is left of a practitioner's working time: pure.</summary>
internal static class FreeTime
{
    private static readonly long Step = TimeSpan.FromMinutes(5).Ticks;

    /// <summary>When something of this length can begin, in order, one after the other.</summary>
    /// <param name="working">Working time, by time and apart.</param>
    /// <param name="taken">What is taken already, by time and apart (<see cref="Merge"/>).</param>
    /// <param name="from">Not before.</param>
    /// <param name="length">How long.</param>
    public static IEnumerable<DateTimeOffset> Starts(IEnumerable<Taken> working, IReadOnlyList<Taken> taken, DateTimeOffset from, TimeSpan length)
    {
        var next = 0;
        foreach (var span in working)
        {
            var start = Round(span.From > from ? span.From : from);
            while (start + length <= span.To)
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

    /// <summary>The same times in order, those that touch or overlap as one.</summary>
    public static IReadOnlyList<Taken> Merge(IEnumerable<Taken> times)
    {
        var merged = new List<Taken>();
        foreach (var time in times.OrderBy(time => time.From))
        {
            if (merged.Count > 0 && merged[^1].To >= time.From) merged[^1] = new(merged[^1].From, time.To > merged[^1].To ? time.To : merged[^1].To);
            else merged.Add(time);
        }
        return merged;
    }

    private static DateTimeOffset Round(DateTimeOffset time) => new((time.UtcTicks + Step - 1) / Step * Step, TimeSpan.Zero);
}
