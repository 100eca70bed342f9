using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Http;

namespace Chaperone.Clinic.AuditLog;

/// <summary>Leaves the event that another event does not open. Once for each: asked for only where none is there yet (<see cref="ClinicLog.UntoldAsync"/>).</summary>
internal sealed record NoteUnreadableEvent(Guid EventId) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("security.seal_broken").Needs(Permission.AuditView).About(Resource.Clinic);
}

internal sealed class NoteUnreadableEventHandler : IHandler<NoteUnreadableEvent, Done>
{
    public Task<Result<Done>> Handle(NoteUnreadableEvent request, OperationScope scope, CancellationToken cancel)
    {
        scope.Concerns("event", request.EventId);
        scope.RecordAs("security.seal_broken", Ledger.EventOutcome.Failure);
        return Task.FromResult<Result<Done>>(default(Done));
    }
}

/// <summary>Events that do not open: listed as such, and told in the log by whoever comes upon them first.</summary>
internal static class UnreadableEvents
{
    public const string Sentence = "This event cannot be opened: its record was changed, or its key is gone.";

    /// <summary>So many are told for one answer; the next answer goes on with the others.</summary>
    public const int MostTold = 50;

    public static Task<IReadOnlyList<Guid>> UntoldAsync(this ClinicLog log, IEnumerable<ReadEvent> events, CancellationToken cancel) =>
        log.UntoldAsync([.. events.Where(read => !read.IsReadable).Select(read => read.Event.Id)], cancel);

    /// <summary>Leaves their events. After the answer was decided, whose own event is another.</summary>
    public static async Task TellAsync(this HttpContext http, IReadOnlyList<Guid> untold)
    {
        foreach (var id in untold.Take(MostTold)) await http.Run(new NoteUnreadableEvent(id));
    }
}
