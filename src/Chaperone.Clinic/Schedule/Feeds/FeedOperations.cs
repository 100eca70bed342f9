using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule.Feeds;

/// <summary>Makes the secret address of one's own calendar; an earlier one ends. Nobody makes another's: whoever has the address may read names where the clinic allows them.</summary>
internal sealed record MakeOwnFeed : IOperation<string>
{
    public static Policy Policy { get; } = Policy.Changes("calendar.feed_made").ForSelf("practitioners subscribe to their own calendar");
}

/// <summary>Ends the secret address of one's own calendar.</summary>
internal sealed record RevokeOwnFeed : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("calendar.feed_revoked").ForSelf("practitioners end their own calendar's address");
}

/// <summary>Ends the secret address of a practitioner's calendar.</summary>
/// <param name="PractitionerId">Whose.</param>
internal sealed record RevokeFeed(Guid PractitionerId) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("calendar.feed_revoked").Needs(Permission.RotaEdit).About(MemberRow.Resource);

    Guid IAbout.ResourceId => PractitionerId;
}

/// <summary>Reads a calendar by its secret address: a practitioner's appointments from a month ago to half a year ahead.</summary>
/// <param name="TokenHash">SHA-256 of the token in the address; null for what can be none.</param>
internal sealed record ReadFeed(byte[]? TokenHash) : IOperation<IReadOnlyList<FeedItem>>
{
    public static Policy Policy { get; } = Policy.Reads("calendar.read").ForAnybody("calendar programs do not sign in: the secret address is the key, and its practitioner stands in the event");

    public override string ToString() => nameof(ReadFeed);
}

/// <summary>An appointment in a calendar.</summary>
/// <param name="Id">Its id, which never changes.</param>
/// <param name="Version">Grows with each change.</param>
/// <param name="StartsAt">When it begins.</param>
/// <param name="EndsAt">The first moment after it.</param>
/// <param name="Summary">What it says.</param>
/// <param name="Room">Where, or null.</param>
/// <param name="Cancelled">Whether it was cancelled.</param>
internal sealed record FeedItem(Guid Id, long Version, DateTimeOffset StartsAt, DateTimeOffset EndsAt, string Summary, string? Room, bool Cancelled)
{
    public override string ToString() => nameof(FeedItem);
}

internal sealed class FeedHandler(CalendarFeeds feeds, Diary diary) : IHandler<MakeOwnFeed, string>, IHandler<RevokeOwnFeed, Done>, IHandler<RevokeFeed, Done>, IHandler<ReadFeed, IReadOnlyList<FeedItem>>
{
    public async Task<Result<string>> Handle(MakeOwnFeed request, OperationScope scope, CancellationToken cancel)
    {
        var me = scope.Actor.Id!.Value;
        scope.Concerns("member", me);
        if (await diary.PractitionerFault(me, cancel) is { } notBookable) return notBookable;
        await scope.TakeTurns([me], cancel);
        return CalendarFeeds.Path + (await feeds.MakeAsync(scope, me, cancel)).Text + ".ics";
    }

    public Task<Result<Done>> Handle(RevokeOwnFeed request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("member", scope.Actor.Id!.Value);
        return Revoke(scope.Actor.Id!.Value, scope, cancel);
    }

    public Task<Result<Done>> Handle(RevokeFeed request, OperationScope scope, CancellationToken cancel) => Revoke(request.PractitionerId, scope, cancel);

    public async Task<Result<IReadOnlyList<FeedItem>>> Handle(ReadFeed request, OperationScope scope, CancellationToken cancel)
    {
        if (await feeds.FindAsync(scope, request.TokenHash, cancel) is not { } member || await diary.PractitionerFault(member, cancel) is not null) return PlatformErrors.NotFound;
        scope.Became(new() { Kind = ActorKind.User, Id = member });
        scope.Concerns("member", member);
        var (from, to) = (scope.Now.AddDays(-31), scope.Now.AddDays(183));
        // Clear columns only: what is written about an appointment never leaves by this way.
        var rows = await scope.Db.Set<AppointmentRow>().AsNoTracking().Where(row => row.PractitionerId == member && row.StartsAt >= from && row.StartsAt < to)
            .OrderBy(row => row.StartsAt).ThenBy(row => row.Id).Take(ListAppointments.Most)
            .Select(row => new { row.Id, row.Version, row.StartsAt, row.EndsAt, row.Type, row.Status, row.RoomId, row.SubjectId }).ToListAsync(cancel);
        var types = await AppointmentTypes.Read(scope, cancel);
        var rooms = (await scope.OpenCandidates(scope.Db.Set<RoomRow>().AsNoTracking(), cancel)).ToDictionary(row => row.Id, row => row.Payload.Name);
        var named = await scope.Db.Set<ScheduleSettingsRow>().AnyAsync(row => row.FeedsNamePatients, cancel);
        var names = named ? await Names(scope, [.. rows.Select(row => row.SubjectId!.Value).Distinct()], cancel) : [];
        scope.Found(rows.Count);
        scope.Note("names", named ? 1 : 0);
        return Result<IReadOnlyList<FeedItem>>.Of([.. rows.Select(row => new FeedItem(
            row.Id, row.Version, row.StartsAt, row.EndsAt, $"{names.GetValueOrDefault(row.SubjectId!.Value, "Appointment")} · {types.Find(row.Type)?.Name ?? row.Type}",
            row.RoomId is { } room ? rooms.GetValueOrDefault(room) : null, row.Status == AppointmentStatus.Cancelled))]);
    }

    private static async Task<Dictionary<Guid, string>> Names(OperationScope scope, Guid[] patients, CancellationToken cancel) =>
        (await scope.Open(scope.Db.Set<PatientRow>().AsNoTracking().Where(row => patients.Contains(row.Id)), cancel))
            .ToDictionary(row => row.Id, row => PatientText.Name(row.Payload.FamilyName, row.Payload.GivenNames, row.Payload.Prefix));

    private static async Task<Result<Done>> Revoke(Guid member, OperationScope scope, CancellationToken cancel) =>
        await CalendarFeeds.RevokeAsync(scope, member, cancel) > 0 ? default(Done) : PlatformErrors.NotFound;
}
