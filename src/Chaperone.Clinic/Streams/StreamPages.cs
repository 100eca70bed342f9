using System.Globalization;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Streams;

/// <summary>The pages Settings › Security › Log streams.</summary>
internal static class StreamPages
{
    public const string Home = "/settings/security/streams", New = Home + "/new", Undelivered = Home + "/undelivered";

    private const string CategoryPrefix = "category.";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup(Home).ExcludeFromDescription();
        pages.Get("", async http =>
        {
            var view = await http.Run(new ViewStreams());
            return view.Error is { } error ? await http.PageError(error) : await http.Page<StreamsPage>(new { View = view.Value, http.Context().Tenant!.Zone });
        }).Runs(typeof(ViewStreams));
        pages.Get("new", http => Form(http, null, new Dictionary<string, string> { ["shape"] = StreamRow.Native, ["start"] = StreamInput.Now, ["kind"] = http.Request.Query["kind"] == StreamRow.Syslog ? StreamRow.Syslog : StreamRow.Webhook }))
            .Runs(typeof(ViewStreams));
        pages.Post("", Create).Runs(typeof(CreateStream), typeof(ViewStreams));
        pages.MapGet("{id:guid}", (HttpContext http, Guid id) => Edit(http, id)).Runs(typeof(ViewStream));
        pages.MapPost("{id:guid}", Change).Runs(typeof(ChangeStream), typeof(ViewStream));
        Act(pages, "{id:guid}/pause", id => new PauseStream(id, Paused: true), Home, "The stream is paused. What happens meanwhile is sent when it goes on.");
        Act(pages, "{id:guid}/resume", id => new PauseStream(id, Paused: false), Home, "The stream goes on from where it was.");
        Act(pages, "{id:guid}/delete", id => new DeleteStream(id), Home, "The stream is deleted.");
        pages.MapPost("{id:guid}/secret", async (HttpContext http, Guid id) =>
        {
            var made = await http.Run(new RotateStreamSecret(id));
            return made.Error is { } error ? await AccountPages.Failed(http, error, Home) : await http.Page<StreamSecretPage>(new { Secret = made.Value.Secret, IsNew = false });
        }).Runs(typeof(RotateStreamSecret));
        pages.MapPost("{id:guid}/test", Test).Runs(typeof(PrepareStreamTest), typeof(NoteStreamTest));
        pages.Get("undelivered", async http =>
        {
            var letters = await http.Run(new ListStreamLetters());
            return letters.Error is { } error ? await http.PageError(error) : await http.Page<StreamLettersPage>(new { Letters = letters.Value, http.Context().Tenant!.Zone });
        }).Runs(typeof(ListStreamLetters));
        Act(pages, "undelivered/{id:guid}/again", id => new SendStreamLetter(id), Undelivered, "It is sent again now.");
        Act(pages, "undelivered/{id:guid}/skip", id => new SkipStreamLetter(id), Undelivered, "The event is left out, and the stream goes on.");
    }

    private static void Act<TOperation>(IEndpointRouteBuilder pages, string pattern, Func<Guid, TOperation> operation, string home, string said) where TOperation : IOperation<Done> =>
        pages.MapPost(pattern, async (HttpContext http, Guid id) =>
        {
            var done = await http.Run<Done>(operation(id));
            if (done.Error is not { } error) return http.SeeOther(home, said);
            return error.Status == StatusCodes.Status409Conflict ? http.SeeOther(home, $"{error.Title} {error.Next}", Tone.Warning) : await AccountPages.Failed(http, error, home);
        }).Runs(typeof(TOperation));

    private static async Task<IResult> Form(HttpContext http, StreamView? stream, IReadOnlyDictionary<string, string> form, Error? wrong = null)
    {
        // Whoever sees the form of a new one may see the list; the monitor says so here.
        if (stream is null && (await http.Run(new ViewStreams())).Error is { } error) return await http.PageError(error);
        var errors = new FormErrors();
        foreach (var field in StreamInputs.Fields)
            if (wrong?.Fields.TryGetValue(field, out var sentence) == true) errors.Add(field, sentence);
        var now = http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
        return await http.Page<StreamPage>(
            new { Stream = stream, Form = form, Errors = wrong is null ? null : errors, Confirmed = http.Context().Actor.State.IsSteppedUp(now), http.Context().Tenant!.Zone },
            wrong is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> Create(HttpContext http)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var made = await http.Run(new CreateStream(InputOf(form, null)));
        if (made.Error is { } error) return error.Fields.Count > 0 ? await Form(http, null, form, error) : await AccountPages.Failed(http, error, Home);
        return made.Value.Secret is { } secret ? await http.Page<StreamSecretPage>(new { Secret = secret, IsNew = true }) : http.SeeOther(Home, "The stream is entered. Send it a test now.");
    }

    private static async Task<IResult> Edit(HttpContext http, Guid id)
    {
        var stream = await http.Run(new ViewStream(id));
        return stream.Error is { } error ? await http.PageError(error) : await Form(http, stream.Value, FormOf(stream.Value));
    }

    private static async Task<IResult> Change(HttpContext http, Guid id)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var changed = await http.Run(new ChangeStream(id, InputOf(form, form.GetValueOrDefault("kind"))));
        if (changed.Error is not { } error) return http.SeeOther(Home, "The stream is saved.");
        if (error.Fields.Count == 0) return await AccountPages.Failed(http, error, Home);
        var stream = await http.Run(new ViewStream(id));
        return stream.Error is { } away ? await http.PageError(away) : await Form(http, stream.Value, form, error);
    }

    private static async Task<IResult> Test(HttpContext http, Guid id)
    {
        var tested = await StreamTesting.RunAsync(http, id);
        if (tested.Error is { } error) return error.Status is 409 or 429 ? http.SeeOther(Home, $"{error.Title} {error.Next}", Tone.Warning) : await http.PageError(error);
        if (tested.Value.Fault is not { } fault) return http.SeeOther(Home, "The receiver took the test.");
        var failed = StreamErrors.Of(fault);
        return http.SeeOther(Home, $"{failed.Title}{(tested.Value.Answer is { } answer ? $" It answered {answer}." : "")} {failed.Next} ({failed.Code})", Tone.Danger);
    }

    private static StreamInput InputOf(IReadOnlyDictionary<string, string> form, string? kind)
    {
        string? Field(string name) => form.GetValueOrDefault(name);
        var port = int.TryParse(Field("port"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : string.IsNullOrWhiteSpace(Field("port")) ? (int?)null : 0;
        return new(
            Field("name"), kind ?? Field("kind"), Field("shape"), Field("url"), Field("host"), port, Field("trustedCa"), Field("clientCertificate"), Field("clientKey"),
            [.. form.Keys.Where(name => name.StartsWith(CategoryPrefix, StringComparison.Ordinal)).Select(name => name[CategoryPrefix.Length..])], Field("severity"),
            (Field("actions") ?? "").Split(['\r', '\n', ',', ' '], StringSplitOptions.RemoveEmptyEntries), Field("start"));
    }

    private static Dictionary<string, string> FormOf(StreamView stream)
    {
        var form = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["name"] = stream.Name, ["kind"] = stream.Kind, ["shape"] = stream.Shape, ["url"] = stream.Url ?? "", ["host"] = stream.Host ?? "", ["port"] = stream.Port?.ToString(CultureInfo.InvariantCulture) ?? "",
            ["trustedCa"] = stream.TrustedCa ?? "", ["clientCertificate"] = stream.ClientCertificate ?? "", ["severity"] = stream.Severity ?? "", ["actions"] = string.Join('\n', stream.Actions),
        };
        foreach (var category in stream.Categories) form[CategoryPrefix + category] = "true";
        return form;
    }
}
