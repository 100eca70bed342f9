using Chaperone.Clinic.Mail;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.Streams.Receivers;
using Chaperone.Clinic.Streams.Shapes;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Streams;

/// <summary>Opens a stream to send it a test.</summary>
internal sealed record PrepareStreamTest(Guid Stream) : IOperation<StreamTest>, IAbout
{
    public static Policy Policy { get; } = Policy.Unlogged("finds where to send a test; what came of it is the event of NoteStreamTest").Needs(Permission.AuditStream).About(StreamResource.Stream);

    Guid IAbout.ResourceId => Stream;
}

/// <summary>Says what came of a test.</summary>
internal sealed record NoteStreamTest(Guid Stream, Delivery Delivery) : IOperation<Done>, IAbout
{
    public static Policy Policy { get; } = Policy.Changes("stream.tested").Needs(Permission.AuditStream).About(StreamResource.Stream);

    Guid IAbout.ResourceId => Stream;
}

/// <summary>What a test needs.</summary>
internal sealed record StreamTest(StreamRow Stream, ShapeContext Context);

internal sealed class TestStreamHandler(ClinicLog log) : IHandler<PrepareStreamTest, StreamTest>, IHandler<NoteStreamTest, Done>
{
    public async Task<Result<StreamTest>> Handle(PrepareStreamTest request, OperationScope scope, CancellationToken cancel)
    {
        var id = request.Stream;
        if ((await scope.OpenCandidates(scope.Db.Set<StreamRow>().AsNoTracking().Where(row => row.Id == id), cancel)).FirstOrDefault() is not { } stream) return PlatformErrors.NotFound;
        return new StreamTest(stream, DeliverStreamHandler.ContextOf(scope, (await log.SignedHeadAsync(cancel))?.Head.Origin ?? ""));
    }

    public Task<Result<Done>> Handle(NoteStreamTest request, OperationScope scope, CancellationToken cancel)
    {
        if (request.Delivery.Answer is { } answer) scope.Note("answer", answer);
        if (request.Delivery.Fault is { } fault)
        {
            scope.Because(StreamErrors.Of(fault).Code);
            scope.RecordAs("stream.tested", EventOutcome.Failure);
        }
        return Task.FromResult<Result<Done>>(default(Done));
    }
}

/// <summary>Tests of a clinic's streams, some seconds apart: the button is no way of asking a network what is there.</summary>
internal sealed record StreamTestTurns(TestMailTurns Turns);

/// <summary>The test, as page and API make it.</summary>
internal static class StreamTesting
{
    /// <summary>Sends a message that says that it is a test: what came of it, or why it could not be tried.</summary>
    public static async Task<Result<Delivery>> RunAsync(HttpContext http, Guid id)
    {
        var test = await http.Run(new PrepareStreamTest(id));
        if (test.Error is { } error) return error;
        if (!http.RequestServices.GetRequiredService<StreamTestTurns>().Turns.Enter(http.Context().Tenant!.Id)) return PlatformErrors.TooMany;
        using var receiver = http.RequestServices.GetRequiredService<ReceiverMaker>().Of(test.Value.Stream);
        var delivery = await receiver.TestAsync(test.Value.Context, http.RequestAborted);
        var noted = await http.Run(new NoteStreamTest(id, delivery));
        return noted.Error is { } untold ? untold : delivery;
    }
}
