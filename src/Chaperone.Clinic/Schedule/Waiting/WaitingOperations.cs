using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule.Waiting;

/// <summary>Shows who waits, in the order in which they are offered times, each with the next free time that suits.</summary>
/// <param name="Practitioner">Only those who wait for this practitioner or anybody; null for all.</param>
/// <param name="Priority">Only these; null for all.</param>
internal sealed record ListWaiting(string? Practitioner = null, string? Priority = null) : IOperation<IReadOnlyList<WaitingEntry>>
{
    /// <summary>How many days ahead free times are looked for.</summary>
    public const int Days = 28;

    public static Policy Policy { get; } = Policy.Reads("waiting.viewed").Needs(Permission.ScheduleEdit).Lists(WaitingResource.Entry);
}

/// <summary>Shows who could take a free time of a practitioner: a time that was freed, or any other.</summary>
/// <param name="Practitioner">Whose time.</param>
/// <param name="StartsAt">From when; see <see cref="ClinicTime.Parse"/>.</param>
/// <param name="EndsAt">Until when.</param>
internal sealed record OffersFor(string? Practitioner, string? StartsAt, string? EndsAt) : IOperation<IReadOnlyList<WaitingEntry>>
{
    public static Policy Policy { get; } = Policy.Reads("waiting.viewed").Needs(Permission.ScheduleEdit).Lists(WaitingResource.Entry);
}

/// <summary>Shows one entry.</summary>
/// <param name="EntryId">Which.</param>
internal sealed record ViewWaiting(Guid EntryId) : IOperation<WaitingEntry>, IAbout
{
    public static Policy Policy { get; } = Policy.Reads("waiting.viewed").Needs(Permission.ScheduleEdit).About(WaitingResource.Entry);

    Guid IAbout.ResourceId => EntryId;
}

/// <summary>Puts a patient on the waiting list.</summary>
/// <param name="PatientId">Who waits.</param>
/// <param name="Wanted">For what.</param>
internal sealed record AddWaiting(Guid? PatientId, TypedWaiting Wanted) : IOperation<WaitingEntry>
{
    public static Policy Policy { get; } = Policy.Changes("waiting.added").Needs(Permission.ScheduleEdit).About(WaitingResource.Entry);
}

/// <summary>Changes what somebody waits for.</summary>
/// <param name="EntryId">Which.</param>
/// <param name="Wanted">For what from now on.</param>
/// <param name="IfVersion">The version the caller saw; null is refused.</param>
internal sealed record ChangeWaiting(Guid EntryId, TypedWaiting Wanted, long? IfVersion) : IOperation<WaitingEntry>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("waiting.changed").Needs(Permission.ScheduleEdit).About(WaitingResource.Entry);

    Guid IAbout.ResourceId => EntryId;
}

/// <summary>Takes somebody off the list who does not wait any more.</summary>
/// <param name="EntryId">Which.</param>
/// <param name="IfVersion">The version the caller saw, or null for any.</param>
internal sealed record RemoveWaiting(Guid EntryId, long? IfVersion = null) : IOperation<WaitingEntry>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("waiting.removed").Needs(Permission.ScheduleEdit).About(WaitingResource.Entry);

    Guid IAbout.ResourceId => EntryId;
}

internal sealed class WaitingReadHandler(WaitingList list, Diary diary, FreeTimes freeTimes) : IHandler<ListWaiting, IReadOnlyList<WaitingEntry>>, IHandler<OffersFor, IReadOnlyList<WaitingEntry>>, IHandler<ViewWaiting, WaitingEntry>
{
    public async Task<Result<IReadOnlyList<WaitingEntry>>> Handle(ListWaiting request, OperationScope scope, CancellationToken cancel)
    {
        var rows = list.Waiting(scope.Reach);
        if (request.Practitioner is { Length: > 0 })
        {
            if (!Guid.TryParse(request.Practitioner, out var practitioner)) return ScheduleErrors.DetailsInvalid.With("practitioner", "A practitioner is named by id.");
            rows = rows.Where(row => row.PractitionerId == null || row.PractitionerId == practitioner);
        }
        if (request.Priority is { Length: > 0 })
        {
            if (!short.TryParse(request.Priority, out var priority)) return ScheduleErrors.DetailsInvalid.With("priority", "Choose 1, 2 or 3.");
            rows = rows.Where(row => row.Priority == priority);
        }
        var found = await scope.OpenCandidates(rows.Take(WaitingList.Most), cancel);
        WaitingRow[] waiting = [.. found.OrderBy(row => row.Priority).ThenBy(row => row.AddedAt).ThenBy(row => row.Id)];
        scope.Found(waiting.Length);
        var shown = await list.Show(waiting, cancel);
        return Result<IReadOnlyList<WaitingEntry>>.Of(waiting.Length == 0 ? shown : await WithFree(shown, waiting, scope, cancel));
    }

    public async Task<Result<IReadOnlyList<WaitingEntry>>> Handle(OffersFor request, OperationScope scope, CancellationToken cancel)
    {
        var error = ScheduleErrors.DetailsInvalid;
        if (!Guid.TryParse(request.Practitioner, out var practitioner)) error = error.With("practitioner", "A practitioner is named by id.");
        var ((from, fromFault), (to, toFault)) = (ClinicTime.Parse(request.StartsAt, diary.Zone), ClinicTime.Parse(request.EndsAt, diary.Zone));
        if (fromFault is not null) error = error.With("startsAt", fromFault);
        if (toFault is not null) error = error.With("endsAt", toFault);
        else if (to <= from || to - from > Diary.Longest) error = error.With("endsAt", "It must end after it begins, twelve hours later at most.");
        if (error.Fields.Count > 0) return error;
        var free = new Taken(from!.Value, to!.Value);
        var rows = await list.Fitting(practitioner, free, scope.Reach, cancel);
        scope.Found(rows.Count);
        var shown = await list.Show(rows, cancel);
        return Result<IReadOnlyList<WaitingEntry>>.Of([.. shown.Zip(rows, (entry, row) => entry with { FreeAt = Local(row.FirstFit(practitioner, free, diary.Zone)!.Value), FreeWith = practitioner })]);
    }

    public async Task<Result<WaitingEntry>> Handle(ViewWaiting request, OperationScope scope, CancellationToken cancel) =>
        await scope.OpenOne(scope.Db.Set<WaitingRow>().AsNoTracking().Where(row => row.Id == request.EntryId), cancel) is { } row ? (await list.Show([row], cancel))[0] : PlatformErrors.NotFound;

    private async Task<IReadOnlyList<WaitingEntry>> WithFree(IReadOnlyList<WaitingEntry> shown, WaitingRow[] rows, OperationScope scope, CancellationToken cancel)
    {
        var bookable = await diary.Everybody().Select(row => row.Id).ToArrayAsync(cancel);
        var times = await freeTimes.Read(bookable, null, scope.Now, ClinicTime.DayOf(scope.Now, diary.Zone).AddDays(ListWaiting.Days - 1), cancel);
        return [.. shown.Zip(rows, (entry, row) => times.First(row.PractitionerId, TimeSpan.FromMinutes(row.Payload.Minutes), start => row.Suits(start, diary.Zone)) is { } free ? entry with { FreeAt = Local(free.Start), FreeWith = free.Practitioner } : entry)];
    }

    private DateTimeOffset Local(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, diary.Zone);
}

internal sealed class WaitingChangeHandler(WaitingList list, Diary diary) : IHandler<AddWaiting, WaitingEntry>, IHandler<ChangeWaiting, WaitingEntry>, IHandler<RemoveWaiting, WaitingEntry>
{
    public async Task<Result<WaitingEntry>> Handle(AddWaiting request, OperationScope scope, CancellationToken cancel)
    {
        if (request.PatientId is not { } patient) return ScheduleErrors.DetailsInvalid.With("patientId", "Choose a patient.");
        var row = new WaitingRow { Id = scope.NewId(), SubjectId = patient, AddedAt = scope.Now };
        if (request.Wanted.Into(row, await AppointmentTypes.Read(scope, cancel), ClinicTime.DayOf(scope.Now, diary.Zone), isNew: true) is { } invalid) return invalid;
        await scope.TakeTurns([patient], cancel);   // nobody archives them meanwhile
        if (await diary.PatientFault(patient, cancel) is { } notWaiting) return notWaiting;
        if (row.PractitionerId is { } practitioner && await diary.PractitionerFault(practitioner, cancel) is { } notBookable) return notBookable;
        scope.Add(row);
        scope.Concerns(WaitingResource.Entry.Type, row.Id);
        await scope.Flush(cancel);
        return (await list.Show([row], cancel))[0];
    }

    public async Task<Result<WaitingEntry>> Handle(ChangeWaiting request, OperationScope scope, CancellationToken cancel)
    {
        if (await scope.OpenOne(scope.Db.Set<WaitingRow>().Where(row => row.Id == request.EntryId), cancel) is not { } row) return PlatformErrors.NotFound;
        if (OperationScope.Stale(row, request.IfVersion) is { } stale) return stale;
        if (row.Status != WaitingRow.Waiting) return ScheduleErrors.NotWaiting;
        var before = row.PractitionerId;
        if (request.Wanted.Into(row, await AppointmentTypes.Read(scope, cancel), ClinicTime.DayOf(scope.Now, diary.Zone), isNew: false) is { } invalid) return invalid;
        if (row.PractitionerId is { } practitioner && practitioner != before && await diary.PractitionerFault(practitioner, cancel) is { } notBookable) return notBookable;
        await scope.Flush(cancel);
        return (await list.Show([row], cancel))[0];
    }

    public async Task<Result<WaitingEntry>> Handle(RemoveWaiting request, OperationScope scope, CancellationToken cancel)
    {
        await scope.TakeTurns([request.EntryId], cancel);
        if (await scope.OpenOne(scope.Db.Set<WaitingRow>().Where(row => row.Id == request.EntryId), cancel) is not { } row) return PlatformErrors.NotFound;
        if (request.IfVersion is not null && OperationScope.Stale(row, request.IfVersion) is { } stale) return stale;
        if (row.Status != WaitingRow.Waiting) return ScheduleErrors.NotWaiting;
        row.Status = WaitingRow.Removed;
        await scope.Flush(cancel);
        return (await list.Show([row], cancel))[0];
    }
}
