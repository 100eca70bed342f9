using System.Globalization;
using System.Text;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.AuditLog.Proving;

/// <summary>Evidence of events and of consistency: under <c>/api/audit</c> as JSON or as the zip that the pages give.</summary>
internal static class ProofEndpoints
{
    public const string ConsistencyPath = AuditLogFeature.Path + "/consistency";

    /// <summary>The newest checkpoint: by the time somebody has read its size there is a newer one.</summary>
    public const string Newest = "newest";

    public static string ProofPath(Guid id) => $"{AuditLogFeature.Path}/{id}/proof";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/audit").WithTags("Audit log");
        api.MapGet("events/{id:guid}/proof", async (HttpContext http, Guid id, string? format) =>
            (await http.Run(new ProveEvent(id))).Match(made => format switch { null or "json" => Results.Json(Shape(made.Proven)), "zip" => Zip(http, made.Zip, EventName(made.Proven)), _ => Problem.Of(PlatformErrors.Malformed) }))
            .Runs(typeof(ProveEvent))
            .WithSummary("The event's exact line, its salt, and a C2SP tlog-proof that it stands in the log; format=zip gives the same as files. docs/ledger.md says how to check it. Needs a code younger than five minutes.");
        api.MapGet("checkpoints", async (HttpContext http, string? limit, string? cursor) =>
            Number(limit, 50) is { } most && Number(cursor, long.MaxValue) is { } below ? (await http.Run(new ListCheckpoints(below, (int)Math.Min(most, int.MaxValue)))).Match(page => Results.Json(Shape(page))) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(ListCheckpoints)).WithSummary("The signed checkpoints that are kept, newest first; limit (1 to 200) and cursor.");
        api.MapGet("consistency", async (HttpContext http, string? from, string? to, string? format) =>
            (await http.Run(new ProveConsistency(Number(from, null), Number(to, null)))).Match(made => format switch { null or "json" => Results.Json(Shape(made.Proven)), "zip" => Zip(http, made.Zip, ConsistencyName(made.Proven)), _ => Problem.Of(PlatformErrors.Malformed) }))
            .Runs(typeof(ProveConsistency)).WithSummary("The proof that the log continues from one kept checkpoint to another; from and to are their sizes, or newest. format=zip gives it as files.");

        // Posted, so that neither a link nor another site makes one.
        routes.MapPost(AuditLogFeature.Path + "/{id:guid}/proof", async (HttpContext http, Guid id) =>
        {
            var made = await http.Run(new ProveEvent(id));
            return made.Error is { } error ? await AccountPages.Failed(http, error, $"{AuditLogFeature.Path}/{id}") : Zip(http, made.Value.Zip, EventName(made.Value.Proven));
        }).Runs(typeof(ProveEvent)).ExcludeFromDescription();
        routes.Post(ConsistencyPath, async http =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            var made = await http.Run(new ProveConsistency(Number(form.GetValueOrDefault("from"), null), Number(form.GetValueOrDefault("to"), null)));
            return made.Error is { } error ? await AccountPages.Failed(http, error, AuditLogFeature.Path + "/integrity") : Zip(http, made.Value.Zip, ConsistencyName(made.Value.Proven));
        }).Runs(typeof(ProveConsistency)).ExcludeFromDescription();
    }

    private static object Shape(ProvenEvent proven) => new
    {
        index = proven.Proof.Index,
        size = proven.Head.Size,
        @event = Encoding.UTF8.GetString(proven.Line.Span),   // as text: parsed and written again it would not be the same bytes
        salt = Convert.ToBase64String(proven.Proof.Extra.Span),
        proof = proven.Proof.ToString(),
        key = proven.Key.ToString(),
    };

    private static object Shape(ProvenConsistency proven) => new { older = proven.Older.ToString(), proof = Encoding.UTF8.GetString(proven.Proof.ToBytes()), key = proven.Key.ToString() };

    private static object Shape(CheckpointPage page) => new
    {
        items = page.Items.Select(kept => new { size = kept.Size, root = kept.Root.ToBase64(), signedAt = kept.SignedAt, keptBecause = kept.Why }),
        next = page.Next?.ToString(CultureInfo.InvariantCulture),
    };

    private static string EventName(ProvenEvent proven) => string.Create(CultureInfo.InvariantCulture, $"event-{proven.Proof.Index}.zip");

    private static string ConsistencyName(ProvenConsistency proven) =>
        Checkpoint.TryParse(proven.Proof.Note.Text, out var head) ? string.Create(CultureInfo.InvariantCulture, $"consistency-{proven.Proof.OldSize}-{head.Size}.zip") : "consistency.zip";

    private static IResult Zip(HttpContext http, byte[] bytes, string name)
    {
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{name}\"";
        return Results.Bytes(bytes, "application/zip");
    }

    private static long? Number(string? text, long? otherwise) =>
        string.IsNullOrEmpty(text) ? otherwise : text == Newest ? long.MaxValue : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
