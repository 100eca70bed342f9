using System.Buffers;
using System.Globalization;
using System.Text.Json.Serialization;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Imports;

/// <summary>An import as the API tells it.</summary>
internal sealed record ImportBody(
    Guid Id, string Kind, string State, string Summary, int Rows, int Done, int Created, int Unchanged, int Differing, int Skipped, int LikelyDuplicates, IReadOnlyList<string> UnmappedColumns,
    DateTimeOffset CreatedAt, DateTimeOffset? FinishedAt, IReadOnlyList<FindingBody>? Items = null, int? Next = null)
{
    public static ImportBody Of(ImportState state) => new(
        state.Id, state.Kind, state.State, state.Summary, state.Rows, state.Done, state.Created, state.Unchanged, state.Differing, state.Skipped, state.LikelyDuplicates, state.UnmappedColumns, state.CreatedAt, state.FinishedAt);

    public static ImportBody Of(ImportReport report) =>
        Of(report.State) with { Items = [.. report.Lines.Select(line => new FindingBody(line.Row, line.Column, line.Code, line.Sentence))], Next = report.Next };
}

/// <summary>A finding as the API tells it.</summary>
internal sealed record FindingBody(int Row, string? Column, string Code, string Meaning);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImportBody))]
[JsonSerializable(typeof(ImportListBody))]
internal sealed partial class ImportBodyJson : JsonSerializerContext;

/// <summary>The latest imports.</summary>
internal sealed record ImportListBody(IReadOnlyList<ImportBody> Items, string? Next = null);

/// <summary>Imports under /api/imports, and those of patients under /api/patients/import too.</summary>
internal static class ImportApi
{
    private const int FindingsAtOnce = 1000;
    private static readonly TimeSpan ShortWait = TimeSpan.FromSeconds(8), Pause = TimeSpan.FromMilliseconds(100);

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        Map(endpoints.MapGroup("/api/patients/import").WithTags("Patients"), ImportKind.Patients.Code, "a CSV file of patients (multipart/form-data: file, optionally mapping as JSON)");
        Map(endpoints.MapGroup("/api/imports").WithTags("Imports"), null, "a CSV file of patients, practitioners or appointments (kind; without it the columns say) as multipart/form-data: file, optionally mapping as JSON");
    }

    private static void Map(RouteGroupBuilder api, string? only, string what)
    {
        api.MapPost("", (HttpContext http, string? kind) => Import(http, only ?? kind))
            .Runs(typeof(UploadFile), typeof(MapImport), typeof(StartImport), typeof(WatchImport), typeof(ViewImport), typeof(CancelImport)).WithMetadata(new UploadSizeLimit())
            .WithSummary($"Imports {what}. 200 with the report when it is done within seconds, else 202 with the import to ask for.");
        api.MapGet("", (HttpContext http, string? kind) => List(http, only ?? kind)).Runs(typeof(ListImports)).WithSummary("The latest imports.");
        api.MapGet("{id:guid}", View).Runs(typeof(ViewImport)).WithSummary("An import with its report: row, column and code of each finding.");
        api.MapGet("{id:guid}/report.csv", Report).Runs(typeof(ViewImport)).WithSummary("The report as CSV.");
        api.MapDelete("{id:guid}", Cancel).Runs(typeof(CancelImport)).WithSummary("Stops an import, or throws away a file that waits. What was imported by then stays.");
    }

    /// <summary>The whole report as a file.</summary>
    public static async Task<IResult> Report(HttpContext http, Guid id)
    {
        var report = await http.Run(new ViewImport(id, 0, ImportLimits.MostRows));
        if (report.Error is { } error && !http.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal)) return await http.PageError(error);
        return report.Match(found => Results.Stream(
            async body =>
            {
                var buffer = new ArrayBufferWriter<byte>(64 * 1024);
                buffer.Write(CsvText.ByteOrderMark);
                CsvText.Write(buffer, "row", "column", "code", "meaning");
                foreach (var line in found.Lines)
                {
                    CsvText.Write(buffer, line.Row.ToString(CultureInfo.InvariantCulture), line.Column, line.Code, line.Sentence);
                    if (buffer.WrittenCount < 60 * 1024) continue;
                    await body.WriteAsync(buffer.WrittenMemory, http.RequestAborted);
                    buffer.ResetWrittenCount();
                }
                await body.WriteAsync(buffer.WrittenMemory, http.RequestAborted);
            },
            "text/csv; charset=utf-8", "import-report.csv"));
    }

    private static async Task<IResult> Import(HttpContext http, string? kind)
    {
        var received = await ImportUpload.ReceiveAsync(http, needsToken: false, kind);
        if (received.Error is { } refused) return Problem.Of(refused);
        var (state, mapping) = received.Value;
        if (mapping is not null)
        {
            if ((await http.Run(new MapImport(state.Id, mapping.Kind is null ? mapping with { Kind = state.Kind } : mapping))).Error is { } unfit) return Problem.Of(await ImportUpload.ForgetAsync(http, state, unfit));
        }
        else if (!state.IsMapped) return Problem.Of(await ImportUpload.ForgetAsync(http, state, ImportErrors.NeedsMapping));
        var started = await http.Run(new StartImport(state.Id));
        if (started.Error is { } error) return Problem.Of(error);
        return await WaitAsync(http, state.Id) ? Answer(await http.Run(new ViewImport(state.Id, 0, FindingsAtOnce)))
            : Results.Json(ImportBody.Of(started.Value), ImportBodyJson.Default.ImportBody, statusCode: Accepted(http, state.Id));
    }

    private static int Accepted(HttpContext http, Guid id)
    {
        http.Response.Headers.Location = $"{http.Request.Path}/{id:D}";
        return StatusCodes.Status202Accepted;
    }

    private static async Task<bool> WaitAsync(HttpContext http, Guid id)
    {
        for (var waited = TimeSpan.Zero; waited < ShortWait; waited += Pause)
        {
            if ((await http.Run(new WatchImport(id))) is { Succeeded: true, Value.HasEnded: true }) return true;
            await Task.Delay(Pause, http.RequestAborted);
        }
        return false;
    }

    private static async Task<IResult> List(HttpContext http, string? kind) => (await http.Run(new ListImports(kind))).Match(imports => Results.Json(new ImportListBody([.. imports.Select(ImportBody.Of)]), ImportBodyJson.Default.ImportListBody));

    private static async Task<IResult> View(HttpContext http, Guid id, int? after, int? limit) => Answer(await http.Run(new ViewImport(id, after ?? 0, Math.Min(limit ?? 100, FindingsAtOnce))));

    private static async Task<IResult> Cancel(HttpContext http, Guid id) => (await http.Run(new CancelImport(id))).Match(state => Results.Json(ImportBody.Of(state), ImportBodyJson.Default.ImportBody));

    private static IResult Answer(Result<ImportReport> report) => report.Match(found => Results.Json(ImportBody.Of(found), ImportBodyJson.Default.ImportBody));
}
