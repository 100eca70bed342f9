using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule.Rota;

/// <summary>Enters a time in which a practitioner is away. Over appointments only when somebody confirms it; they stay as they are.</summary>
/// <param name="PractitionerId">Who.</param>
/// <param name="Wanted">When and why, as typed.</param>
internal sealed record EnterLeave(Guid PractitionerId, TypedLeave Wanted) : IOperation<Leave>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("rota.leave_entered").Needs(Permission.RotaEdit).About(MemberRow.Resource);

    Guid IAbout.ResourceId => PractitionerId;
}

/// <summary>Enters a time in which one is away oneself.</summary>
/// <param name="Wanted">When and why, as typed.</param>
internal sealed record EnterOwnLeave(TypedLeave Wanted) : IOperation<Leave>
{
    public static Policy Policy { get; } = Policy.Changes("rota.leave_entered").ForSelf("practitioners say themselves when they are away");
}

/// <summary>Takes a time of leave back.</summary>
/// <param name="PractitionerId">Whose.</param>
/// <param name="LeaveId">Which.</param>
internal sealed record RemoveLeave(Guid PractitionerId, Guid LeaveId) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("rota.leave_removed").Needs(Permission.RotaEdit).About(MemberRow.Resource);

    Guid IAbout.ResourceId => PractitionerId;
}

/// <summary>Takes a time of one's own leave back.</summary>
/// <param name="LeaveId">Which.</param>
internal sealed record RemoveOwnLeave(Guid LeaveId) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("rota.leave_removed").ForSelf("practitioners say themselves when they are away");
}

/// <summary>Leave as typed.</summary>
/// <param name="From">The first day, or a time; see <see cref="ClinicTime.Parse"/>.</param>
/// <param name="To">The last day, which counts, or the time it ends.</param>
/// <param name="Kind">A code of <see cref="LeaveKinds"/>.</param>
/// <param name="Note">What else is to be said; sealed, for who plans the rota.</param>
/// <param name="Confirm">That it may lie over appointments.</param>
internal sealed record TypedLeave(string? From, string? To, string? Kind, string? Note = null, bool Confirm = false)
{
    private const int LongestNote = 500;
    private static readonly TimeSpan Longest = TimeSpan.FromDays(2 * 366);

    public override string ToString() => nameof(TypedLeave);

    public Result<(Taken Time, LeaveDetails Details)> Read(TimeZoneInfo zone)
    {
        var error = ScheduleErrors.DetailsInvalid;
        var (from, fromFault) = ClinicTime.ParseDay(From) is { } first ? (ClinicTime.StartOf(first, zone), null) : ClinicTime.Parse(From, zone);
        var (to, toFault) = ClinicTime.ParseDay(To) is { } last ? (ClinicTime.StartOf(last.AddDays(1), zone), null) : ClinicTime.Parse(To, zone);
        if (fromFault is not null) error = error.With("from", "Enter the first day, such as 2026-12-24, or a time such as 2026-12-24T13:00.");
        if (toFault is not null) error = error.With("to", "Enter the last day, such as 2027-01-02, or a time such as 2026-12-24T17:00.");
        if (from >= to) error = error.With("to", "It must end after it begins.");
        else if (to - from > Longest) error = error.With("to", "That is more than two years.");
        var (kind, note) = (PersonDetails.Tidy(Kind), PersonDetails.Tidy(Note));
        if (!LeaveKinds.All.Has(kind)) error = error.With("kind", $"Choose a kind: {string.Join(", ", LeaveKinds.All.Select(choice => choice.Value))}.");
        if (Schedule.Wanted.Fault(note, LongestNote) is { } fault) error = error.With("note", fault);
        return error.Fields.Count > 0 ? error : (new Taken(from!.Value, to!.Value), new LeaveDetails(kind!, note));
    }
}

internal sealed class LeaveHandler(Diary diary) :
    IHandler<EnterLeave, Leave>, IHandler<EnterOwnLeave, Leave>, IHandler<RemoveLeave, Done>, IHandler<RemoveOwnLeave, Done>
{
    public Task<Result<Leave>> Handle(EnterLeave request, OperationScope scope, CancellationToken cancel) => Enter(request.PractitionerId, request.Wanted, scope, cancel);

    public Task<Result<Leave>> Handle(EnterOwnLeave request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("member", scope.Actor.Id!.Value);
        return Enter(scope.Actor.Id!.Value, request.Wanted, scope, cancel);
    }

    public Task<Result<Done>> Handle(RemoveLeave request, OperationScope scope, CancellationToken cancel) => Remove(request.PractitionerId, request.LeaveId, scope, cancel);

    public Task<Result<Done>> Handle(RemoveOwnLeave request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("member", scope.Actor.Id!.Value);
        return Remove(scope.Actor.Id!.Value, request.LeaveId, scope, cancel);
    }

    private async Task<Result<Leave>> Enter(Guid practitioner, TypedLeave typed, OperationScope scope, CancellationToken cancel)
    {
        if (await diary.PractitionerFault(practitioner, cancel) is { } notBookable) return notBookable;
        var wanted = typed.Read(diary.Zone);
        if (wanted.Error is { } invalid) return invalid;
        var (time, details) = wanted.Value;
        await scope.TakeTurns([practitioner], cancel);   // nobody books between the look and the leave
        var over = await diary.Taking(time.From, time.To).Where(row => row.PractitionerId == practitioner).OrderBy(row => row.StartsAt).ToListAsync(cancel);
        if (over.Count > 0 && !typed.Confirm) return ScheduleErrors.LeaveOverAppointments.Over(over);
        var row = new LeaveRow { Id = scope.NewId(), SubjectId = practitioner, StartsAt = time.From, EndsAt = time.To, Payload = details };
        scope.Add(row);
        scope.Note("appointments", over.Count);
        await scope.Flush(cancel);
        return ViewRotaHandler.Shown(row, true, diary.Zone);
    }

    private static async Task<Result<Done>> Remove(Guid practitioner, Guid leave, OperationScope scope, CancellationToken cancel)
    {
        if (await scope.OpenOne(scope.Db.Set<LeaveRow>().Where(row => row.Id == leave && row.SubjectId == practitioner), cancel) is not { } row) return PlatformErrors.NotFound;
        scope.Db.Remove(row);
        await scope.Flush(cancel);
        return default(Done);
    }
}
