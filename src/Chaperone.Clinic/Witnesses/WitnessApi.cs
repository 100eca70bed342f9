using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Witnesses;

/// <summary>The clinic's witnesses, under <c>/api/settings/witnesses</c>.</summary>
internal static class WitnessApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/settings/witnesses").WithTags("Witnesses");
        api.Get("", async http => (await http.Run(new ViewWitnesses())).Match(view => Results.Json(new { items = view.Witnesses.Select(Shape), next = (string?)null, logKey = view.LogKey, size = view.Size, quorum = Shape(view.Quorum) })))
            .Runs(typeof(ViewWitnesses)).WithSummary("Who outside guards the clinic's log, how each stands, and the log's key to be given to a witness.");
        api.Post("", async http =>
        {
            var body = await http.ReadJson(WitnessJson.Default.WitnessInput);
            if (body.Error is { } error) return Problem.Of(error);
            return (await http.Run(new AddWitness(body.Value))).Match(id => Results.Json(new { id }, statusCode: StatusCodes.Status201Created));
        }).Runs(typeof(AddWitness)).WithSummary("Enters a witness by name, url and key (its vkey). Needs a fresh second factor.");
        api.Put("quorum", async http =>
        {
            var body = await http.ReadJson(WitnessJson.Default.QuorumInput);
            return body.Error is { } error ? Problem.Of(error) : (await http.Run(new ChangeWitnessQuorum(body.Value.Needed, http.IfMatch()))).Match(_ => Results.NoContent());
        }).Runs(typeof(ChangeWitnessQuorum)).WithSummary("How many of the clinic's own witnesses must have signed for an export to count as witnessed, besides those required. Needs If-Match with the quorum's version (\"0\" where nothing was decided) and a fresh second factor.");
        api.MapDelete("{id:guid}", async (HttpContext http, Guid id) => (await http.Run(new RemoveWitness(id))).Match(_ => Results.NoContent())).Runs(typeof(RemoveWitness))
            .WithSummary("Removes a witness of the clinic's own. Needs a fresh second factor.");
        api.MapPost("{id:guid}/test", async (HttpContext http, Guid id) => (await WitnessTest.RunAsync(http, id)).Match(standing =>
        {
            var error = standing.Fault is { } fault ? WitnessErrors.Of(fault) : null;
            return Results.Json(new { cosigned = error is null, size = standing.Size, code = error?.Code, title = error?.Title, next = error?.Next });
        })).Runs(typeof(PrepareWitnessTest), typeof(NoteWitnessTest)).WithSummary("Asks the witness now, and says what came of it.");
    }

    /// <summary>The quorum as JSON has it, here and beside the log's integrity.</summary>
    public static object Shape(WitnessQuorum quorum) => new { needed = quorum.Needed, own = quorum.Own, required = quorum.Required, operators = quorum.Operators, signed = quorum.Signed, all = quorum.All, met = quorum.IsMet, version = quorum.Version };

    /// <summary>A witness as JSON has it, here and beside the log's integrity.</summary>
    public static object Shape(WitnessView witness) => new
    {
        id = witness.Id, name = witness.Name, url = witness.Url, key = witness.Key, required = witness.Required, operators = witness.Id is null, state = witness.State, size = witness.Size,
        cosignedAt = witness.CosignedAt, failingSince = witness.FailingSince, code = witness.Fault?.Code, title = witness.Fault?.Title,
    };
}
