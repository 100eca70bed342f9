using Chaperone.Clinic.Schedule.Feeds;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Schedule.Rota;

/// <summary>Shows a practitioner's working hours and leave.</summary>
/// <param name="PractitionerId">Whose.</param>
internal sealed record ViewRota(Guid PractitionerId) : IOperation<PractitionerRota>, IAbout
{
    public static Policy Policy { get; } = Policy.Reads("rota.viewed").Needs(Permission.ScheduleEdit).About(MemberRow.Resource);

    Guid IAbout.ResourceId => PractitionerId;
}

/// <summary>Shows one's own working hours and leave.</summary>
internal sealed record ViewOwnRota : IOperation<PractitionerRota>
{
    public static Policy Policy { get; } = Policy.Reads("rota.viewed").ForSelf("one's own working hours and leave");
}

/// <summary>A practitioner's working hours and leave.</summary>
/// <param name="PractitionerId">Whose.</param>
/// <param name="Name">Their name.</param>
/// <param name="Version">Version of the hours: the ETag; 0 while there are none.</param>
/// <param name="Hours">Their weeks; empty while they work when the clinic does.</param>
/// <param name="ClinicWeek">When the clinic works.</param>
/// <param name="Leave">What has not ended a month ago, in order.</param>
/// <param name="SeesWhy">Whether the reasons for leave are shown.</param>
public sealed record PractitionerRota(Guid PractitionerId, string Name, long Version, WorkingHours Hours, WeekPattern ClinicWeek, IReadOnlyList<Leave> Leave, bool SeesWhy)
{
    /// <summary>Since when the practitioner's calendar has a secret address; null while it has none.</summary>
    public DateTimeOffset? FeedSince { get; init; }
}

/// <summary>A time of leave as shown.</summary>
/// <param name="Id">Its id.</param>
/// <param name="StartsAt">First moment, in the clinic's zone.</param>
/// <param name="EndsAt">First moment after.</param>
/// <param name="Kind">A code of <see cref="LeaveKinds"/>; null for whom it does not concern.</param>
/// <param name="Note">What was typed, for the same people.</param>
public sealed record Leave(Guid Id, DateTimeOffset StartsAt, DateTimeOffset EndsAt, string? Kind, string? Note);

internal sealed class ViewRotaHandler(Diary diary, RotaBook rota) : IHandler<ViewRota, PractitionerRota>, IHandler<ViewOwnRota, PractitionerRota>
{
    private static readonly TimeSpan Past = TimeSpan.FromDays(31);

    public Task<Result<PractitionerRota>> Handle(ViewRota request, OperationScope scope, CancellationToken cancel) => Show(request.PractitionerId, scope, cancel);

    public Task<Result<PractitionerRota>> Handle(ViewOwnRota request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("member", scope.Actor.Id!.Value);
        return Show(scope.Actor.Id!.Value, scope, cancel);
    }

    private async Task<Result<PractitionerRota>> Show(Guid practitioner, OperationScope scope, CancellationToken cancel)
    {
        if (await diary.PractitionerFault(practitioner, cancel) is { } notBookable) return notBookable;
        var member = (await scope.OpenOne(scope.Db.Set<MemberRow>().AsNoTracking().Where(row => row.Id == practitioner), cancel))!;
        var why = practitioner == scope.Actor.Id || RotaAccess.SeesWhy(scope);
        var hours = await scope.OpenOne(scope.Db.Set<WorkingHoursRow>().AsNoTracking().Where(row => row.Id == practitioner), cancel);
        var since = scope.Now - Past;
        var leave = await scope.Open(scope.Db.Set<LeaveRow>().AsNoTracking().Where(row => row.SubjectId == practitioner && row.EndsAt > since), cancel);
        return new PractitionerRota(
            practitioner, member.Payload.Name, hours?.Version ?? 0, hours?.Payload ?? new([]), await rota.ClinicWeek(cancel),
            [.. leave.OrderBy(away => away.StartsAt).ThenBy(away => away.Id).Select(away => Shown(away, why, diary.Zone))], why)
        {
            FeedSince = await scope.Db.Set<CalendarFeedRow>().Where(row => row.MemberId == practitioner && row.RevokedAt == null).Select(row => (DateTimeOffset?)row.CreatedAt).FirstOrDefaultAsync(cancel),
        };
    }

    public static Leave Shown(LeaveRow away, bool why, TimeZoneInfo zone) =>
        new(away.Id, TimeZoneInfo.ConvertTime(away.StartsAt, zone), TimeZoneInfo.ConvertTime(away.EndsAt, zone), why ? away.Payload.Kind : null, why ? away.Payload.Note : null);
}
