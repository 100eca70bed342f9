using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule;

/// <summary>Shows what a page of the schedule needs in one look, which leaves one event: the appointments of some days, their practitioners, and the sorts of appointment.</summary>
/// <param name="First">The first day.</param>
/// <param name="Last">The last day.</param>
/// <param name="Practitioner">Whose appointments; null for everybody's.</param>
internal sealed record ViewSchedule(DateOnly First, DateOnly Last, Guid? Practitioner = null) : IOperation<ScheduleView>
{
    public static Policy Policy { get; } = Policy.Reads("schedule.viewed").Needs(Permission.ScheduleView).Lists(AppointmentResource.Appointment);
}

/// <summary>The schedule as a page shows it.</summary>
/// <param name="Appointments">By time; cancelled ones too.</param>
/// <param name="Practitioners">Everybody patients can be booked with, and whoever else has appointments here, by name.</param>
/// <param name="Bookable">Of them, with whom patients can be booked.</param>
/// <param name="Types">Sorts of appointment, those too that cannot be chosen any more.</param>
/// <param name="Rooms">The clinic's rooms, those too that cannot be chosen any more.</param>
/// <param name="Shades">When practitioners do not work or are away, by practitioner and day.</param>
/// <param name="Stamp">Stands for exactly these appointments in these versions; see <see cref="WatchSchedule"/>.</param>
public sealed record ScheduleView(IReadOnlyList<Appointment> Appointments, IReadOnlyList<Practitioner> Practitioners, IReadOnlySet<Guid> Bookable, IReadOnlyList<AppointmentType> Types, IReadOnlyList<Room> Rooms,
    IReadOnlyDictionary<(Guid Practitioner, DateOnly Day), IReadOnlyList<DiaryShade>> Shades, string Stamp);

/// <summary>A part of a practitioner's day in which they are not to be booked, in minutes of the clinic's clock from midnight.</summary>
/// <param name="From">The first minute.</param>
/// <param name="To">The first minute after.</param>
/// <param name="IsLeave">Whether they are away, and not only outside their hours.</param>
public sealed record DiaryShade(int From, int To, bool IsLeave);

internal sealed class ViewScheduleHandler(
    IHandler<ListAppointments, IReadOnlyList<Appointment>> appointments, IHandler<ListPractitioners, IReadOnlyList<Practitioner>> practitioners, IHandler<ListAppointmentTypes, IReadOnlyList<AppointmentType>> types,
    IHandler<ListRooms, IReadOnlyList<Room>> rooms, IHandler<ViewAvailability, IReadOnlyList<PractitionerDay>> availability) : IHandler<ViewSchedule, ScheduleView>
{
    public async Task<Result<ScheduleView>> Handle(ViewSchedule request, OperationScope scope, CancellationToken cancel)
    {
        var listed = await appointments.Handle(new(null, Text(request.First), Text(request.Last), request.Practitioner?.ToString()), scope, cancel);
        if (listed.Error is { } refused) return refused;
        var known = await practitioners.Handle(new(), scope, cancel);
        if (known.Error is { } unknown) return unknown;
        var sorts = await types.Handle(new(Retired: true), scope, cancel);
        if (sorts.Error is { } unsorted) return unsorted;
        var places = await rooms.Handle(new(Retired: true), scope, cancel);
        if (places.Error is { } unplaced) return unplaced;
        var days = await availability.Handle(new(null, Text(request.First), Text(request.Last), request.Practitioner?.ToString()), scope, cancel);
        if (days.Error is { } untimed) return untimed;
        scope.Note("view", "page");
        var bookable = known.Value.Select(practitioner => practitioner.Id).ToHashSet();
        // Whoever has left since is still the one who saw these patients.
        var left = listed.Value.Select(appointment => appointment.PractitionerId).Where(id => !bookable.Contains(id)).Distinct().ToArray();
        var former = left.Length == 0 ? [] : await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => left.Contains(row.Id)), cancel);
        return new ScheduleView(
            listed.Value, [.. known.Value, .. former.Select(row => new Practitioner(row.Id, row.Payload.Name, row.Payload.Title, []))], bookable, sorts.Value, places.Value,
            days.Value.ToDictionary(day => (day.PractitionerId, day.Day), ShadesOf),
            ScheduleStamp.Of(listed.Value.Select(appointment => (appointment.Id, appointment.Version))));
    }

    private static IReadOnlyList<DiaryShade> ShadesOf(PractitionerDay day)
    {
        const int end = 24 * 60;
        var shades = new List<DiaryShade>();
        var free = 0;
        foreach (var span in day.Working)
        {
            if (Minute(span.StartsAt) > free) shades.Add(new(free, Minute(span.StartsAt), false));
            free = Math.Max(free, Minute(span.EndsAt));
        }
        if (free < end) shades.Add(new(free, end, false));
        shades.AddRange(day.Leave.Select(away => new DiaryShade(Minute(away.StartsAt), Minute(away.EndsAt), true)));
        return shades;

        int Minute(DateTimeOffset time) => Math.Clamp((int)(time.DateTime - day.Day.ToDateTime(TimeOnly.MinValue)).TotalMinutes, 0, end);
    }

    private static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}

/// <summary>Tells whether a page of the schedule still shows what is stored, by a stamp to compare with its own.</summary>
/// <param name="First">The first day.</param>
/// <param name="Last">The last day.</param>
/// <param name="Practitioner">Whose appointments; null for everybody's.</param>
internal sealed record WatchSchedule(DateOnly First, DateOnly Last, Guid? Practitioner = null) : IOperation<string>
{
    public static Policy Policy { get; } = Policy.Unlogged("a digest that tells an open page whether to look again; the look is what is logged").Needs(Permission.ScheduleView).Lists(AppointmentResource.Appointment);
}

internal sealed class WatchScheduleHandler(Diary diary) : IHandler<WatchSchedule, string>
{
    public async Task<Result<string>> Handle(WatchSchedule request, OperationScope scope, CancellationToken cancel)
    {
        var days = new DaySpan(request.First, request.Last);
        if (days.Count is < 1 or > DaySpan.Most) return ScheduleErrors.BadSpan;
        var rows = diary.Within(days.From(diary.Zone), days.Until(diary.Zone));
        if (request.Practitioner is { } practitioner) rows = rows.Where(row => row.PractitionerId == practitioner);
        var versions = await rows.Select(row => new { row.Id, row.Version }).Take(ListAppointments.Most + 1).ToListAsync(cancel);
        return ScheduleStamp.Of(versions.Select(row => (row.Id, row.Version)));
    }
}

/// <summary>A short text that is the same for the same records in the same versions, and says nothing else.</summary>
internal static class ScheduleStamp
{
    public static string Of(IEnumerable<(Guid Id, long Version)> records)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> bytes = stackalloc byte[24];
        foreach (var (id, version) in records.OrderBy(record => record.Id))
        {
            id.TryWriteBytes(bytes);
            BinaryPrimitives.WriteInt64BigEndian(bytes[16..], version);
            hash.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }
}
