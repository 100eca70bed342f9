using Chaperone.Clinic.Streams.Receivers;
using Chaperone.Ledger;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Streams;

/// <summary>Writes into the log what became of a stream: that it fails or works again, that a message was given up, that its receiver is gone.</summary>
internal sealed record TellOfStream(Guid Stream, StreamOutcome Outcome, StreamMessage? Message, Delivery Delivery) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Changes("stream.failing").Or("stream.recovered", "stream.dead_lettered", "stream.paused").ForSystem("the log is streamed by the system");
}

internal sealed class TellOfStreamHandler : IHandler<TellOfStream, Done>
{
    public async Task<Result<Done>> Handle(TellOfStream request, OperationScope scope, CancellationToken cancel)
    {
        var id = request.Stream;
        scope.Concerns(StreamResource.Stream.Type, id);
        if (request.Delivery.Fault is { } fault) scope.Because(StreamErrors.Of(fault).Code);
        if (request.Delivery.Answer is { } answer) scope.Note("answer", answer);
        if (request.Message is { } message) scope.Note("index", message.From);
        var state = scope.Db.Set<StreamStateRow>().Where(row => row.Id == id);
        switch (request.Outcome)
        {
            case StreamOutcome.Recovered:
                scope.RecordAs("stream.recovered");
                return default(Done);
            case StreamOutcome.GivenUp:
                var given = request.Message!.Events[0];
                var attempts = await state.Select(row => row.Attempts).FirstOrDefaultAsync(cancel);
                var letter = new StreamLetterRow
                {
                    TenantId = scope.Tenant.Id, Id = scope.NewId(), StreamId = id, LogIndex = given.Index, EventId = given.Id, Fault = request.Delivery.Fault!.Value.ToString(), Answer = request.Delivery.Answer,
                    Attempts = attempts, GivenUpAt = scope.Now,
                };
                scope.Db.Add(letter);
                var from = request.Message.From;
                if (await state.Where(row => row.NextIndex == from && row.LetterId == null).ExecuteUpdateAsync(row => row.SetProperty(each => each.LetterId, (Guid?)letter.Id), cancel) == 0) return PlatformErrors.Conflict;
                scope.Note("index", given.Index);
                scope.RecordAs("stream.dead_lettered", EventOutcome.Failure);
                return default(Done);
            case StreamOutcome.Ended:
                if (await scope.OpenOne(scope.Db.Set<StreamRow>().Where(row => row.Id == id && !row.Paused), cancel) is not { } row) return PlatformErrors.Conflict;
                row.Paused = true;
                scope.RecordAs("stream.paused", EventOutcome.Failure);
                return default(Done);
            default:
                if (await state.Where(each => !each.Told && each.Fault != null).ExecuteUpdateAsync(each => each.SetProperty(one => one.Told, true), cancel) == 0) return PlatformErrors.Conflict;
                scope.RecordAs("stream.failing", EventOutcome.Failure);
                return default(Done);
        }
    }
}
