using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Schedule.Series;

/// <summary>Books an appointment and its repeats in one go: all of them, or none and a list of those that clash, or all that do not.</summary>
/// <param name="PatientId">Who comes.</param>
/// <param name="Wanted">The first.</param>
/// <param name="Repeat">How it is repeated.</param>
/// <param name="SkipClashes">Whether to leave out those that clash.</param>
internal sealed record BookRepeats(Guid? PatientId, Wanted Wanted, Repeat Repeat, bool SkipClashes = false) : IOperation<BookedSeries>
{
    public static Policy Policy { get; } = Policy.Changes("appointment.booked").Needs(Permission.ScheduleEdit).About(AppointmentResource.Appointment);
}

/// <summary>Appointments that were booked as repeats of one another.</summary>
/// <param name="SeriesId">What they have in common.</param>
/// <param name="Appointments">By time.</param>
/// <param name="Skipped">Those that were left out because they clash.</param>
internal sealed record BookedSeries(Guid SeriesId, IReadOnlyList<Appointment> Appointments, IReadOnlyList<Clash> Skipped);

internal sealed class BookRepeatsHandler(Diary diary, Clashes clashes) : IHandler<BookRepeats, BookedSeries>
{
    public async Task<Result<BookedSeries>> Handle(BookRepeats request, OperationScope scope, CancellationToken cancel)
    {
        var wanted = request.Wanted.Read(await AppointmentTypes.Read(scope, cancel), diary.Zone, scope.Now);
        if (request.PatientId is not { } patient) return (wanted.Error ?? ScheduleErrors.Invalid).With("patientId", "Choose a patient.");
        if (wanted.Error is { } invalid) return invalid;
        var starts = request.Repeat.Starts(wanted.Value.StartsAt, diary.Zone);
        if (starts.Error is { } unrepeatable) return unrepeatable;
        if (starts.Value[^1] - scope.Now > Wanted.FarthestAhead) return ScheduleErrors.Invalid.With(request.Repeat.Until is null ? "repeat.count" : "repeat.until", "The last would be more than three years ahead.");
        var (series, length) = (scope.NewId(), wanted.Value.EndsAt - wanted.Value.StartsAt);
        AppointmentRow[] rows = [.. starts.Value.Select(start => (wanted.Value with { StartsAt = start, EndsAt = start + length }).For(patient, scope.NewId(), series))];
        if (rows.Zip(rows.Skip(1)).Any(pair => pair.First.EndsAt > pair.Second.StartsAt)) return ScheduleErrors.Invalid.With("repeat.every", "The repeats would overlap.");

        await diary.TakeTurns(rows[..1], cancel, patient);
        if (await diary.PatientFault(patient, cancel) is { } notBooked) return notBooked;
        if (await diary.PractitionerFault(rows[0].PractitionerId, cancel) is { } notBookable) return notBookable;
        if (await diary.RoomFault(rows[0].RoomId, cancel) is { } noRoom) return noRoom;
        var reasons = await clashes.Find(rows, request.Wanted.ConfirmOutsideHours, cancel);
        Clash[] clashing = [.. rows.Zip(reasons).Where(pair => pair.Second is not null).Select(pair => new Clash(AppointmentBody.Iso(TimeZoneInfo.ConvertTime(pair.First.StartsAt, diary.Zone)), pair.Second!))];
        AppointmentRow[] free = [.. rows.Zip(reasons).Where(pair => pair.Second is null).Select(pair => pair.First)];
        if (free.Length == 0 || (clashing.Length > 0 && !request.SkipClashes)) return Clashes.Refusal(clashing);

        foreach (var row in free) scope.Add(row);
        scope.Concerns(AppointmentResource.Appointment.Type, free[0].Id);
        scope.Note("appointments", free.Length);
        scope.Note("skipped", clashing.Length);
        await diary.Flush(free, cancel);
        return new BookedSeries(series, await diary.Show(free, cancel), clashing);
    }
}
