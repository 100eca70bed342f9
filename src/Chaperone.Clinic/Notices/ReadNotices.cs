using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Notices;

/// <summary>A notice as shown.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Kind">Its code.</param>
/// <param name="Icon">Name of an icon.</param>
/// <param name="Text">What it says; names no patient.</param>
/// <param name="Href">Where it leads.</param>
/// <param name="At">When it came about.</param>
/// <param name="Read">Whether it was opened, or marked as read.</param>
public sealed record Notice(Guid Id, string Kind, string Icon, string Text, string Href, DateTimeOffset At, bool Read);

/// <summary>How many of one's own notices are unread, at most <see cref="Most"/>.</summary>
internal sealed record CountNotices : IOperation<int>
{
    public const int Most = 100;

    public static Policy Policy { get; } = Policy.Unlogged("counts one's own unread notices").ForSelf("everybody signed in has notices");
}

internal sealed class CountNoticesHandler : IHandler<CountNotices, int>
{
    public async Task<Result<int>> Handle(CountNotices request, OperationScope scope, CancellationToken cancel) =>
        await scope.OwnNotices().Where(row => row.ReadAt == null).Take(CountNotices.Most).CountAsync(cancel);
}

/// <summary>One's own notices of the last thirty days, newest first.</summary>
internal sealed record ListNotices : IOperation<IReadOnlyList<Notice>>
{
    public const int Most = 100;

    public static Policy Policy { get; } = Policy.Unlogged("one's own notices: times and links, nobody's data; what they lead to leaves events").ForSelf("everybody signed in has notices");
}

internal sealed class ListNoticesHandler : IHandler<ListNotices, IReadOnlyList<Notice>>
{
    private static readonly System.Globalization.CultureInfo British = System.Globalization.CultureInfo.GetCultureInfo("en-GB");

    public async Task<Result<IReadOnlyList<Notice>>> Handle(ListNotices request, OperationScope scope, CancellationToken cancel)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(scope.Tenant.Zone);
        var rows = await scope.OpenCandidates(scope.OwnNotices().AsNoTracking().OrderByDescending(row => row.Id).Take(ListNotices.Most), cancel);
        return Result<IReadOnlyList<Notice>>.Of([.. rows.OrderByDescending(row => row.Id).Select(Shown).OfType<Notice>()]);

        Notice? Shown(NoticeRow row) => !NoticeKind.All.TryGetValue(row.Payload.Kind, out var kind) ? null
            : new(row.Id, kind.Code, kind.Icon, kind.Says(Clock(row.Payload.At)), kind.Path(row.Payload.About), TimeZoneInfo.ConvertTime(row.CreatedAt, zone), row.ReadAt is not null);

        string Clock(DateTimeOffset? at) => at is { } time ? TimeZoneInfo.ConvertTime(time, zone).ToString("ddd d MMM, HH:mm", British) : "";
    }
}

/// <summary>Marks one's own notices as read.</summary>
/// <param name="NoticeId">Which; null for all.</param>
internal sealed record MarkNoticesRead(Guid? NoticeId = null) : IOperation<NoticesRead>
{
    public static Policy Policy { get; } = Policy.Unlogged("whether one has read one's own notices").ForSelf("everybody signed in has notices");
}

/// <summary>What was marked.</summary>
/// <param name="Count">How many were unread before.</param>
/// <param name="Href">Where the one that was asked for leads.</param>
internal sealed record NoticesRead(int Count, string? Href);

internal sealed class MarkNoticesReadHandler : IHandler<MarkNoticesRead, NoticesRead>
{
    public async Task<Result<NoticesRead>> Handle(MarkNoticesRead request, OperationScope scope, CancellationToken cancel)
    {
        var own = scope.OwnNotices();
        string? href = null;
        if (request.NoticeId is { } id)
        {
            own = own.Where(row => row.Id == id);
            if ((await scope.OpenCandidates(own.AsNoTracking(), cancel)).FirstOrDefault() is not { } row) return PlatformErrors.NotFound;
            href = NoticeKind.All.GetValueOrDefault(row.Payload.Kind)?.Path(row.Payload.About);
        }
        var now = scope.Now;
        var marked = await own.Where(row => row.ReadAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.ReadAt, now), cancel);
        // What is past its time goes when somebody looks: nobody is shown it any more.
        var (reader, before) = (scope.Actor.PatientId ?? scope.Actor.Id, now - Telling.Kept);
        await scope.Db.Set<NoticeRow>().Where(row => row.SubjectId == reader && row.CreatedAt <= before).ExecuteDeleteAsync(cancel);
        return new NoticesRead(marked, href);
    }
}
