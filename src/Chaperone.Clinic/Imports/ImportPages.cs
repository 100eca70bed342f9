using Chaperone.Platform.Web;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Imports;

/// <summary>Imports as pages: upload, columns, preview, progress, report.</summary>
internal static class ImportPages
{
    private const string Home = "/patients/import";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var pages = endpoints.MapGroup(Home).ExcludeFromDescription();
        pages.MapGet("", (Delegate)Start).Runs(typeof(ListImports));
        pages.MapPost("", (Delegate)Upload).Runs(typeof(UploadFile), typeof(CancelImport), typeof(ListImports)).WithMetadata(new ReadsItsUpload(), new UploadSizeLimit());
        pages.MapGet("{id:guid}", Show).Runs(typeof(WatchImport), typeof(PreviewImport), typeof(ViewImport));
        pages.MapGet("{id:guid}/columns", Columns).Runs(typeof(ViewImportColumns));
        pages.MapPost("{id:guid}/columns", SetColumns).Runs(typeof(MapImport), typeof(ViewImportColumns));
        pages.MapPost("{id:guid}/start", Begin).Runs(typeof(StartImport));
        pages.MapPost("{id:guid}/cancel", Cancel).Runs(typeof(CancelImport));
        pages.MapGet("{id:guid}/progress", Progress).Runs(typeof(WatchImport));
        pages.MapGet("{id:guid}/report.csv", ImportApi.Report).Runs(typeof(ViewImport));
    }

    private static async Task<IResult> Start(HttpContext http)
    {
        var imports = await http.Run(new ListImports());
        return imports.Error is { } error ? await http.PageError(error) : await http.Page<ImportPage>(new { Imports = imports.Value, Kinds = Kinds(http), http.Context().Tenant!.Zone });
    }

    /// <summary>What this person may import.</summary>
    private static Choice[] Kinds(HttpContext http) => [.. ImportKind.All.Where(kind => kind.Refusal(http.Context().Actor, http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow()) is null).Select(kind => new Choice(kind.Code, kind.Words.Name))];

    private static async Task<IResult> Upload(HttpContext http)
    {
        var received = await ImportUpload.ReceiveAsync(http, needsToken: true, kind: null);
        if (received.Error is not { } error) return http.SeeOther(received.Value.State.IsMapped ? $"{Home}/{received.Value.State.Id:D}" : $"{Home}/{received.Value.State.Id:D}/columns");
        if (!error.Code.StartsWith("CHP-IMPORT", StringComparison.Ordinal)) return await http.PageError(error);
        var imports = await http.Run(new ListImports());
        if (imports.Error is { } denied) return await http.PageError(denied);
        var where = error.Facts.TryGetValue("row", out var row) ? $" Row {row}." : error.Facts.TryGetValue("column", out var column) ? $" Column {column}." : "";
        return await http.Page<ImportPage>(new { Imports = imports.Value, Kinds = Kinds(http), http.Context().Tenant!.Zone, Errors = new FormErrors { { "file", $"{error.Title}{where} {error.Next}" } } }, error.Status);
    }

    private static async Task<IResult> Show(HttpContext http, Guid id, int? after)
    {
        var watched = await http.Run(new WatchImport(id));
        if (watched.Error is { } error) return await http.PageError(error);
        var state = watched.Value;
        if (state is { State: ImportJobRow.Waiting, IsMapped: false }) return http.SeeOther($"{Home}/{id:D}/columns");
        if (state.State == ImportJobRow.Waiting)
        {
            var preview = await http.Run(new PreviewImport(id));
            return preview.Error is { } fault ? await http.PageError(fault) : await http.Page<ImportPreviewPage>(new { Preview = preview.Value });
        }
        var report = await http.Run(new ViewImport(id, after ?? 0));
        return report.Error is { } refused ? await http.PageError(refused) : await http.Page<ImportReportPage>(new { Report = report.Value, After = after ?? 0 });
    }

    private static async Task<IResult> Columns(HttpContext http, Guid id, string? kind)
    {
        var question = await http.Run(new ViewImportColumns(id, kind));
        return question.Error is { } error ? await http.PageError(error) : await http.Page<ImportColumnsPage>(new { Question = question.Value, Kinds = Kinds(http) });
    }

    private static async Task<IResult> SetColumns(HttpContext http, Guid id)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var kind = form.GetValueOrDefault("kind");
        var question = await http.Run(new ViewImportColumns(id, kind));
        if (question.Error is { } gone) return await http.PageError(gone);
        var columns = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < question.Value.Header.Count; i++)
            if (form.TryGetValue($"c{i}", out var code) && code.Length > 0) columns[question.Value.Header[i]] = code;
        var mapping = new ColumnMapping
        {
            Kind = question.Value.Proposal.KindCode,
            Source = form.GetValueOrDefault("source", "").Trim().ToLowerInvariant(),
            DateFormat = form.GetValueOrDefault("dateFormat", DateText.Iso),
            Duplicates = form.GetValueOrDefault("duplicates", ColumnMapping.SkipThem),
            Columns = columns,
        };
        var mapped = await http.Run(new MapImport(id, mapping));
        if (mapped.Error is not { } error) return http.SeeOther($"{Home}/{id:D}");
        if (error.Code != ImportErrors.BadMapping.Code) return await http.PageError(error);
        var errors = new FormErrors();
        foreach (var (field, sentence) in error.Fields) errors.Add(field == "columns" ? "" : field, sentence);
        return await http.Page<ImportColumnsPage>(new { Question = question.Value with { Proposal = mapping }, Kinds = Kinds(http), Errors = errors }, error.Status);
    }

    private static async Task<IResult> Begin(HttpContext http, Guid id)
    {
        var started = await http.Run(new StartImport(id));
        return started.Error is { } error && error.Code != ImportErrors.WrongState.Code ? await http.PageError(error) : http.SeeOther($"{Home}/{id:D}");
    }

    private static async Task<IResult> Cancel(HttpContext http, Guid id)
    {
        var cancelled = await http.Run(new CancelImport(id));
        if (cancelled.Error is { } error && error.Code != ImportErrors.WrongState.Code) return await http.PageError(error);
        return cancelled is { Succeeded: true, Value.State: ImportJobRow.Cancelled } ? http.SeeOther(Home, "The file was discarded. Nothing was imported.") : http.SeeOther($"{Home}/{id:D}");
    }

    private static async Task<IResult> Progress(HttpContext http, Guid id)
    {
        var state = await http.Run(new WatchImport(id));
        return state.Error is { } error ? await http.PageError(error) : http.Fragment<ImportProgress>(new { State = state.Value });
    }
}
