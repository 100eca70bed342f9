using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule;

/// <summary>Shows the next times at which somebody can be booked, the earliest first. They are free at that moment; only booking takes one.</summary>
/// <param name="Practitioner">With whom; null for anybody.</param>
/// <param name="Type">A code of the clinic's <see cref="AppointmentTypes"/>, for how long it lasts; null when <paramref name="Minutes"/> says it.</param>
/// <param name="Minutes">How long.</param>
/// <param name="From">Not before this time; null for now.</param>
/// <param name="Room">Where; null when it does not matter.</param>
internal sealed record FindFreeSlots(string? Practitioner = null, string? Type = null, int? Minutes = null, string? From = null, string? Room = null) : IOperation<IReadOnlyList<FreeSlot>>
{
    /// <summary>Times shown.</summary>
    public const int Most = 10;

    /// <summary>How many days are looked through.</summary>
    public const int Days = 28;

    public static Policy Policy { get; } = Policy.Reads("schedule.viewed").Needs(Permission.ScheduleEdit).About(Resource.Clinic);
}

/// <summary>A time that nobody has taken yet, in the clinic's zone.</summary>
public sealed record FreeSlot(Guid PractitionerId, DateTimeOffset StartsAt, DateTimeOffset EndsAt);

internal sealed class FindFreeSlotsHandler(Diary diary, FreeTimes freeTimes) : IHandler<FindFreeSlots, IReadOnlyList<FreeSlot>>
{
    private const int LongestMinutes = 600;

    public async Task<Result<IReadOnlyList<FreeSlot>>> Handle(FindFreeSlots request, OperationScope scope, CancellationToken cancel)
    {
        var invalid = ScheduleErrors.Invalid;
        var type = (await AppointmentTypes.Read(scope, cancel)).Find(request.Type);
        var minutes = request.Minutes ?? type?.Minutes ?? 0;
        if (minutes is < 1 or > LongestMinutes) invalid = invalid.With("minutes", "Say how long, one minute to ten hours, or which type of appointment.");
        if (request.Type is not null && type is null) invalid = invalid.With("type", "There is no such type of appointment.");
        Guid practitioner = default, room = default;
        if (request.Practitioner is not null && !Guid.TryParse(request.Practitioner, out practitioner)) invalid = invalid.With("practitioner", "A practitioner is named by id.");
        if (request.Room is not null && !Guid.TryParse(request.Room, out room)) invalid = invalid.With("room", "A room is named by id.");
        var from = scope.Now;
        if (request.From is not null)
        {
            var (time, fault) = ClinicTime.Parse(request.From, diary.Zone);
            if (time is null) invalid = invalid.With("from", fault!);
            else if (time > from) from = time.Value;
        }
        if (invalid.Fields.Count > 0) return invalid;
        if (request.Practitioner is not null && await diary.PractitionerFault(practitioner, cancel) is { } notBookable) return notBookable;
        if (request.Room is not null && await diary.RoomFault(room, cancel) is { } noRoom) return noRoom;

        Guid[] bookable = request.Practitioner is not null ? [practitioner] : await diary.Everybody().Select(row => row.Id).ToArrayAsync(cancel);
        var last = ClinicTime.DayOf(from, diary.Zone).AddDays(FindFreeSlots.Days - 1);
        var length = TimeSpan.FromMinutes(minutes);
        var times = await freeTimes.Read(bookable, request.Room is null ? null : room, from, last, cancel);
        var free = times.Starts(length).Take(FindFreeSlots.Most)
            .Select(slot => new FreeSlot(slot.Practitioner, TimeZoneInfo.ConvertTime(slot.Start, diary.Zone), TimeZoneInfo.ConvertTime(slot.Start + length, diary.Zone))).ToArray();
        scope.Found(free.Length);
        return Result<IReadOnlyList<FreeSlot>>.Of(free);
    }
}
