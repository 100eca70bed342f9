using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Streams;

/// <summary>Streams of the log, under <c>/api/audit/streams</c>.</summary>
internal static class StreamApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/audit/streams").WithTags("Audit log");
        api.Get("", async http => (await http.Run(new ViewStreams())).Match(view => Results.Json(new { items = view.Streams.Select(Shape), next = (string?)null, size = view.Size })))
            .Runs(typeof(ViewStreams)).WithSummary("Where the log goes, how far each receiver has acknowledged it, and what fails.");
        api.Post("", async http =>
        {
            var body = await http.ReadJson(StreamJson.Default.StreamInput);
            if (body.Error is { } error) return Problem.Of(error);
            return (await http.Run(new CreateStream(body.Value))).Match(made => Results.Json(new { id = made.Id, secret = made.Secret }, statusCode: StatusCodes.Status201Created));
        }).Runs(typeof(CreateStream)).WithSummary("Enters a receiver (kind syslog or webhook; shape native, ocsf or fhir; start now or beginning). A webhook's secret is shown this once. Needs a fresh second factor.");
        api.MapGet("{id:guid}", async (HttpContext http, Guid id) => (await http.Run(new ViewStream(id))).Match(view => Results.Json(Shape(view)))).Runs(typeof(ViewStream)).WithSummary("One stream.");
        api.MapPut("{id:guid}", async (HttpContext http, Guid id) =>
        {
            var body = await http.ReadJson(StreamJson.Default.StreamInput);
            if (body.Error is { } error) return Problem.Of(error);
            return (await http.Run(new ChangeStream(id, body.Value))).Match(_ => Results.NoContent());
        }).Runs(typeof(ChangeStream)).WithSummary("Changes where a stream leads and what goes there. Needs a fresh second factor.");
        api.MapDelete("{id:guid}", async (HttpContext http, Guid id) => (await http.Run(new DeleteStream(id))).Match(_ => Results.NoContent())).Runs(typeof(DeleteStream))
            .WithSummary("Deletes a stream. Needs a fresh second factor.");
        api.MapPost("{id:guid}/pause", async (HttpContext http, Guid id) => (await http.Run(new PauseStream(id, Paused: true))).Match(_ => Results.NoContent())).Runs(typeof(PauseStream))
            .WithSummary("Pauses a stream. Needs a fresh second factor.");
        api.MapPost("{id:guid}/resume", async (HttpContext http, Guid id) => (await http.Run(new PauseStream(id, Paused: false))).Match(_ => Results.NoContent())).Runs(typeof(PauseStream))
            .WithSummary("Has a paused stream go on from where it was. Needs a fresh second factor.");
        api.MapPost("{id:guid}/secret", async (HttpContext http, Guid id) => (await http.Run(new RotateStreamSecret(id))).Match(made => Results.Json(new { secret = made.Secret }))).Runs(typeof(RotateStreamSecret))
            .WithSummary("Gives a webhook another secret, shown this once; the one before works for a day more. Needs a fresh second factor.");
        api.MapPost("{id:guid}/test", async (HttpContext http, Guid id) => (await StreamTesting.RunAsync(http, id)).Match(delivery =>
        {
            var error = delivery.Fault is { } fault ? StreamErrors.Of(fault) : null;
            return Results.Json(new { acknowledged = error is null, answer = delivery.Answer, code = error?.Code, title = error?.Title, next = error?.Next });
        })).Runs(typeof(PrepareStreamTest), typeof(NoteStreamTest)).WithSummary("Sends the receiver a test, and says what came of it.");
        api.Get("undelivered", async http => (await http.Run(new ListStreamLetters())).Match(letters => Results.Json(new { items = letters.Select(Shape), next = (string?)null })))
            .Runs(typeof(ListStreamLetters)).WithSummary("Events that receivers refused for good, those to be decided about first.");
        api.MapPost("undelivered/{id:guid}/again", async (HttpContext http, Guid id) => (await http.Run(new SendStreamLetter(id))).Match(_ => Results.NoContent())).Runs(typeof(SendStreamLetter))
            .WithSummary("Has a refused event sent again.");
        api.MapPost("undelivered/{id:guid}/skip", async (HttpContext http, Guid id) => (await http.Run(new SkipStreamLetter(id))).Match(_ => Results.NoContent())).Runs(typeof(SkipStreamLetter))
            .WithSummary("Leaves a refused event out: its receiver never gets it. Needs a fresh second factor.");
    }

    private static object Shape(StreamView view) => new
    {
        id = view.Id, name = view.Name, kind = view.Kind, shape = view.Shape, url = view.Url, host = view.Host, port = view.Port, trustedCa = view.TrustedCa, clientCertificate = view.ClientCertificate,
        categories = view.Categories, severity = view.Severity, actions = view.Actions, state = view.State, lastIndex = view.LastIndex, behind = view.Behind, secondsBehind = view.SecondsBehind,
        acknowledgedAt = view.AcknowledgedAt, code = view.Fault?.Code, title = view.Fault?.Title, answer = view.Answer, failingSince = view.FailingSince, retryAt = view.RetryAt, undelivered = view.Letter,
    };

    private static object Shape(StreamLetter letter) => new
    {
        id = letter.Id, stream = letter.StreamId, name = letter.Stream, index = letter.Index, @event = letter.Event, code = letter.Fault.Code, title = letter.Fault.Title, answer = letter.Answer, attempts = letter.Attempts,
        givenUpAt = letter.GivenUpAt, decidedAt = letter.DecidedAt, decision = letter.Decision,
    };
}
