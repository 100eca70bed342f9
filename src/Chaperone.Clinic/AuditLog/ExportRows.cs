using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.AuditLog;

/// <summary>Goes through every event of a filter, newest first, for an export: some at a time, however many there are, and keeps count for the export's event.</summary>
internal sealed class ExportRows(ClinicLog log, OperationScope scope)
{
    private const int Stretch = 500;
    private readonly List<Guid> untold = [];
    private long unreadable;

    /// <summary>Events so far.</summary>
    public long Count { get; private set; }

    /// <summary>What became of it.</summary>
    public WrittenExport Written => new(Count, untold);

    public async Task ForEachAsync(AuditFilter filter, Func<IReadOnlyList<ReadEvent>, Task> write, CancellationToken cancel)
    {
        var events = filter.ToEvents();
        Guid? before = null;
        do
        {
            var page = await log.PageAsync(events, before, Stretch, cancel);
            Count += page.Events.Count;
            unreadable += page.Events.Count(read => !read.IsReadable);
            if (untold.Count < UnreadableEvents.MostTold) untold.AddRange(await log.UntoldAsync(page.Events, cancel));
            scope.Note("rows", Count);
            await write(page.Events);
            before = page.Next;
        }
        while (before is not null);
        if (unreadable > 0) scope.Note("unreadable", unreadable);
    }
}
