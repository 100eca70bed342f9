using Chaperone.Clinic.Streams.Receivers;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Streams;

/// <summary>A message that a receiver refused for good.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Stream">The stream's name.</param>
/// <param name="StreamId">The stream.</param>
/// <param name="Index">The event's place in the log.</param>
/// <param name="Event">The event.</param>
/// <param name="Fault">Why, as an error.</param>
/// <param name="Answer">The number the receiver answered.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="GivenUpAt">When it was given up.</param>
/// <param name="DecidedAt">When somebody decided about it; null: nobody has, and the stream stands still.</param>
/// <param name="Decision">again or skipped.</param>
public sealed record StreamLetter(Guid Id, string Stream, Guid StreamId, long Index, Guid Event, Error Fault, int? Answer, int Attempts, DateTimeOffset GivenUpAt, DateTimeOffset? DecidedAt, string? Decision)
{
    /// <summary>Not the name: records are printed by whoever logs them.</summary>
    public override string ToString() => nameof(StreamLetter);
}

/// <summary>Shows the messages that were given up, those to be decided about first.</summary>
internal sealed record ListStreamLetters : IOperation<IReadOnlyList<StreamLetter>>
{
    public static Policy Policy { get; } = Policy.Reads("settings.viewed").Needs(Permission.AuditStream).About(Resource.Clinic);
}

/// <summary>Has a message sent again that was given up.</summary>
internal sealed record SendStreamLetter(Guid Letter) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("stream.retried").Needs(Permission.AuditStream).About(StreamResource.Letter);

    Guid IAbout.ResourceId => Letter;
}

/// <summary>Leaves out the event that was given up: the receiver never gets it. Asks for a code, for it is how somebody would keep an event from those who watch.</summary>
internal sealed record SkipStreamLetter(Guid Letter) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("stream.skipped").Needs(Permission.AuditStream).About(StreamResource.Letter).WithStepUp();

    Guid IAbout.ResourceId => Letter;
}

internal sealed class StreamLettersHandler(StreamBell bell) : IHandler<ListStreamLetters, IReadOnlyList<StreamLetter>>, IHandler<SendStreamLetter, Done>, IHandler<SkipStreamLetter, Done>
{
    private const int MostShown = 200;

    public async Task<Result<IReadOnlyList<StreamLetter>>> Handle(ListStreamLetters request, OperationScope scope, CancellationToken cancel)
    {
        scope.Because("streams");
        var names = (await scope.Open(scope.Db.Set<StreamRow>().AsNoTracking(), cancel)).ToDictionary(row => row.Id, row => row.Payload.Name);
        var letters = await scope.Db.Set<StreamLetterRow>().AsNoTracking().OrderBy(row => row.DecidedAt != null).ThenByDescending(row => row.Id).Take(MostShown).ToListAsync(cancel);
        return Result<IReadOnlyList<StreamLetter>>.Of([.. letters.Select(row => new StreamLetter(
            row.Id, names.GetValueOrDefault(row.StreamId, ""), row.StreamId, row.LogIndex, row.EventId, Enum.TryParse<StreamFault>(row.Fault, out var fault) ? StreamErrors.Of(fault) : StreamErrors.Refused, row.Answer, row.Attempts,
            row.GivenUpAt, row.DecidedAt, row.Decision))]);
    }

    public Task<Result<Done>> Handle(SendStreamLetter request, OperationScope scope, CancellationToken cancel) => DecideAsync(scope, request.Letter, StreamLetterRow.Again, cancel);

    public Task<Result<Done>> Handle(SkipStreamLetter request, OperationScope scope, CancellationToken cancel) => DecideAsync(scope, request.Letter, StreamLetterRow.Skipped, cancel);

    private async Task<Result<Done>> DecideAsync(OperationScope scope, Guid id, string decision, CancellationToken cancel)
    {
        if (await scope.Db.Set<StreamLetterRow>().AsNoTracking().FirstOrDefaultAsync(row => row.Id == id, cancel) is not { } letter) return PlatformErrors.NotFound;
        // Whoever is first decides: what the stream waits for is this letter, or no letter any more.
        var next = letter.LogIndex + 1;
        var waits = scope.Db.Set<StreamStateRow>().Where(row => row.Id == letter.StreamId && row.LetterId == id);
        var changed = decision == StreamLetterRow.Skipped
            ? await waits.ExecuteUpdateAsync(
                row => row.SetProperty(each => each.LetterId, (Guid?)null).SetProperty(each => each.NextIndex, next).SetProperty(each => each.PendingEnd, (long?)null).SetProperty(each => each.Attempts, 0)
                    .SetProperty(each => each.Fault, (string?)null).SetProperty(each => each.Answer, (int?)null).SetProperty(each => each.FailingSince, (DateTimeOffset?)null).SetProperty(each => each.RetryAt, (DateTimeOffset?)null)
                    .SetProperty(each => each.Told, false), cancel)
            : await waits.ExecuteUpdateAsync(
                row => row.SetProperty(each => each.LetterId, (Guid?)null).SetProperty(each => each.PendingEnd, (long?)null).SetProperty(each => each.Attempts, 0).SetProperty(each => each.RetryAt, (DateTimeOffset?)null), cancel);
        if (changed == 0) return StreamErrors.Decided;
        await scope.Db.Set<StreamLetterRow>().Where(row => row.Id == id)
            .ExecuteUpdateAsync(row => row.SetProperty(each => each.DecidedAt, (DateTimeOffset?)scope.Now).SetProperty(each => each.Decision, decision), cancel);
        scope.Concerns(StreamResource.Stream.Type, letter.StreamId);
        scope.Note("index", letter.LogIndex);
        scope.Note("event", letter.EventId.ToString("D"));
        bell.RingAfter(scope);
        return default(Done);
    }
}
