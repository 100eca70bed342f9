using System.Globalization;
using Chaperone.Clinic.AuditLog.Proving;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.AuditLog.Auditors;

/// <summary>Settings › Security › Audit log › Auditors: tokens for the log's address, and whether everybody may read it.</summary>
internal static class AuditorsEndpoints
{
    public const string Path = AuditLogFeature.Path + "/auditors";

    private sealed record Wanted(string? Name, int? Days);

    private sealed record Publication(bool? Everybody);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/audit").WithTags("Audit log");
        api.Get("auditors", async http => Problem.Json(await http.Run(new ViewAuditors()))).Runs(typeof(ViewAuditors))
            .WithSummary("Whether everybody may read the log's tree at /ledger/<clinic id>/, and the tokens by which auditors do.");
        api.Post("auditors", async http => await AuthApi.Body<Wanted>(http) is { } wanted
            ? (await http.Run(new MakeLogToken(wanted.Name, wanted.Days))).Match(token => Results.Json(new { token = token.Text, url = Url(http) }, statusCode: StatusCodes.Status201Created))
            : Problem.Of(PlatformErrors.Malformed)).Runs(typeof(MakeLogToken)).WithSummary("Makes a token, shown once; name says whom it is for, days how long it works (1 to 366). Needs a code younger than five minutes.");
        api.MapDelete("auditors/{id:guid}", async (HttpContext http, Guid id) => (await http.Run(new RevokeLogToken(id))).Match(_ => Results.NoContent())).Runs(typeof(RevokeLogToken)).WithSummary("Ends a token.");
        api.Put("publication", async http => await AuthApi.Body<Publication>(http) is { } wanted
            ? (await http.Run(new PublishLog(wanted.Everybody))).Match(_ => Results.NoContent()) : Problem.Of(PlatformErrors.Malformed))
            .Runs(typeof(PublishLog)).WithSummary("Opens the log's tree to everybody, or to those with a token only. Needs a code younger than five minutes.");

        var pages = routes.MapGroup(Path).ExcludeFromDescription();
        pages.Get("", http => Page(http, null, null)).Runs(typeof(ViewAuditors));
        pages.Post("", async http =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            var days = int.TryParse(form.GetValueOrDefault("days"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : (int?)null;
            var made = await http.Run(new MakeLogToken(form.GetValueOrDefault("name"), days));
            return made.Error is not { } error ? await http.Page<TokenMadePage>(new { Token = made.Value.Text, Url = Url(http) })
                : error.Code == ProofErrors.BadToken.Code ? await Page(http, error, form.GetValueOrDefault("name")) : await AccountPages.Failed(http, error, Path);
        }).Runs(typeof(MakeLogToken), typeof(ViewAuditors));
        pages.MapPost("{id:guid}/revoke", async (HttpContext http, Guid id) =>
            (await http.Run(new RevokeLogToken(id))).Error is { } error ? await AccountPages.Failed(http, error, Path) : http.SeeOther(Path, "The token has ended.")).Runs(typeof(RevokeLogToken));
        pages.Post("publication", async http =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            var wanted = form.GetValueOrDefault("everybody") switch { "true" => true, "false" => false, _ => (bool?)null };
            return (await http.Run(new PublishLog(wanted))).Error is { } error ? await AccountPages.Failed(http, error, Path)
                : http.SeeOther(Path, wanted == true ? "Everybody can read the log’s tree now." : "Only tokens open the log’s tree now.");
        }).Runs(typeof(PublishLog));
    }

    private static string Url(HttpContext http) => $"{http.Request.Scheme}://{http.Request.Host}{LogAddress.PathOf(http.Context().Tenant!.Id)}";

    private static async Task<IResult> Page(HttpContext http, Error? wrong, string? name)
    {
        var auditors = await http.Run(new ViewAuditors());
        if (auditors.Error is { } error) return await http.PageError(error);
        var errors = new FormErrors();
        foreach (var (field, sentence) in wrong?.Fields ?? new Dictionary<string, string>()) errors.Add(field, sentence);
        return await http.Page<AuditorsPage>(
            new { Auditors = auditors.Value, Url = Url(http), Errors = errors, Name = name, http.Context().Tenant!.Zone, Now = http.Now() }, wrong is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static DateTimeOffset Now(this HttpContext http) => ((TimeProvider)http.RequestServices.GetService(typeof(TimeProvider))!).GetUtcNow();
}
