using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule.Waiting;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Schedule;

/// <summary>Cancels an appointment that has not begun. It stays in the schedule's history, and its time is free again.</summary>
/// <param name="AppointmentId">Which.</param>
/// <param name="Reason">A code of <see cref="ScheduleCodes.CancelReasons"/>; it stands in the event.</param>
/// <param name="Note">What was typed with the reason "other"; sealed with the record.</param>
/// <param name="IfVersion">The version the caller saw, or null for any.</param>
internal sealed record CancelAppointment(Guid AppointmentId, string? Reason, string? Note = null, long? IfVersion = null) : IOperation<Appointment>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("appointment.cancelled").Needs(Permission.ScheduleEdit).About(AppointmentResource.Appointment);

    Guid IAbout.ResourceId => AppointmentId;
}

internal sealed class CancelAppointmentHandler(Diary diary, WaitingList waiting) : IHandler<CancelAppointment, Appointment>
{
    private const int LongestNote = 500;

    public async Task<Result<Appointment>> Handle(CancelAppointment request, OperationScope scope, CancellationToken cancel)
    {
        if (await diary.Find(request.AppointmentId, cancel) is not { } row) return PlatformErrors.NotFound;
        if (request.IfVersion is not null && OperationScope.Stale(row, request.IfVersion) is { } stale) return stale;
        if (!AppointmentStatus.MayBecome(row.Status, AppointmentStatus.Cancelled)) return ScheduleErrors.WrongStatus.Is(row.Status);
        var cancellation = Read(request.Reason, request.Note);
        if (cancellation.Error is { } invalid) return invalid;
        row.Payload = row.Payload with { Cancellation = cancellation.Value };
        row.Status = AppointmentStatus.Cancelled;
        scope.Because(cancellation.Value.Reason);
        await diary.Write(row, cancel);
        var fits = await waiting.Fitting(row.PractitionerId, new(row.StartsAt, row.EndsAt), Relation.SameClinic, cancel);
        return await diary.Show(row, cancel) with { WaitingFits = fits.Count };
    }

    /// <summary>Why something is cancelled, as typed, or what is wrong with it.</summary>
    public static Result<Cancellation> Read(string? typedReason, string? typedNote)
    {
        var (invalid, reason, note) = (ScheduleErrors.Invalid, PersonDetails.Tidy(typedReason), PersonDetails.Tidy(typedNote));
        if (!ScheduleCodes.CancelReasons.Has(reason)) invalid = invalid.With("reason", $"Choose a reason: {string.Join(", ", ScheduleCodes.CancelReasons.Select(choice => choice.Value))}.");
        if (Wanted.Fault(note, LongestNote) is { } fault) invalid = invalid.With("note", fault);
        else if (reason == ScheduleCodes.OtherReason && note is null) invalid = invalid.With("note", "Say why.");
        return invalid.Fields.Count > 0 ? invalid : new Cancellation(reason!, note);
    }
}
