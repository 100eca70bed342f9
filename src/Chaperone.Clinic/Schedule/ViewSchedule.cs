using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
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
/// <param name="Stamp">Stands for exactly these appointments in these versions; see <see cref="WatchSchedule"/>.</param>
public sealed record ScheduleView(IReadOnlyList<Appointment> Appointments, IReadOnlyList<Practitioner> Practitioners, IReadOnlySet<Guid> Bookable, IReadOnlyList<AppointmentType> Types, string Stamp);

internal sealed class ViewScheduleHandler(
    IHandler<ListAppointments, IReadOnlyList<Appointment>> appointments, IHandler<ListPractitioners, IReadOnlyList<Practitioner>> practitioners, IHandler<ListAppointmentTypes, IReadOnlyList<AppointmentType>> types)
    : IHandler<ViewSchedule, ScheduleView>
{
    public async Task<Result<ScheduleView>> Handle(ViewSchedule request, OperationScope scope, CancellationToken cancel)
    {
        var listed = await appointments.Handle(new(null, Text(request.First), Text(request.Last), request.Practitioner?.ToString()), scope, cancel);
        if (listed.Error is { } refused) return refused;
        var known = await practitioners.Handle(new(), scope, cancel);
        if (known.Error is { } unknown) return unknown;
        var sorts = await types.Handle(new(Retired: true), scope, cancel);
        if (sorts.Error is { } unsorted) return unsorted;
        var bookable = known.Value.Select(practitioner => practitioner.Id).ToHashSet();
        // Whoever has left since is still the one who saw these patients.
        var left = listed.Value.Select(appointment => appointment.PractitionerId).Where(id => !bookable.Contains(id)).Distinct().ToArray();
        var former = left.Length == 0 ? [] : await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => left.Contains(row.Id)), cancel);
        return new ScheduleView(
            listed.Value, [.. known.Value, .. former.Select(row => new Practitioner(row.Id, row.Payload.Name, row.Payload.Title, []))], bookable, sorts.Value,
            ScheduleStamp.Of(listed.Value.Select(appointment => (appointment.Id, appointment.Version))));
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
