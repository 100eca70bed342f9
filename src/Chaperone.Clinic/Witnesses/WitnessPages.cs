using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Witnesses;

/// <summary>The page Settings › Security › Witnesses.</summary>
internal static class WitnessPages
{
    public const string Home = "/settings/security/witnesses";

    private static readonly string[] Fields = ["name", "url", "key"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup(Home).ExcludeFromDescription();
        pages.Get("", http => Show(http)).Runs(typeof(ViewWitnesses));
        pages.Post("", Add).Runs(typeof(AddWitness), typeof(ViewWitnesses));
        pages.MapPost("{id:guid}/remove", async (HttpContext http, Guid id) =>
            (await http.Run(new RemoveWitness(id))).Error is { } error ? await AccountPages.Failed(http, error, Home) : http.SeeOther(Home, "The witness is removed. What it cosigned stays with the log.")).Runs(typeof(RemoveWitness));
        pages.Post("/quorum", async http =>
        {
            if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
            int? needed = int.TryParse(form.GetValueOrDefault("needed"), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : null;
            long? version = long.TryParse(form.GetValueOrDefault("version"), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var seen) ? seen : null;
            var changed = await http.Run(new ChangeWitnessQuorum(needed, version));
            if (changed.Error is not { } error) return http.SeeOther(Home, "It is saved. Exports and proofs ask for so many from now on.");
            return error.Fields.TryGetValue("needed", out var sentence) ? await Show(http, form, new FormErrors { { "needed", sentence } }) : await AccountPages.Failed(http, error, Home);
        }).Runs(typeof(ChangeWitnessQuorum), typeof(ViewWitnesses));
        pages.MapPost("{id:guid}/test", Test).Runs(typeof(PrepareWitnessTest), typeof(NoteWitnessTest));
    }

    private static async Task<IResult> Show(HttpContext http, IReadOnlyDictionary<string, string>? form = null, FormErrors? errors = null)
    {
        var view = await http.Run(new ViewWitnesses());
        if (view.Error is { } error) return await http.PageError(error);
        var now = http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
        return await http.Page<WitnessesPage>(
            new { View = view.Value, Form = form ?? new Dictionary<string, string>(), http.Context().Tenant!.Zone, Confirmed = http.Context().Actor.State.IsSteppedUp(now), Errors = errors },
            errors is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static async Task<IResult> Add(HttpContext http)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var added = await http.Run(new AddWitness(new(form.GetValueOrDefault("name"), form.GetValueOrDefault("url"), form.GetValueOrDefault("key"), form.GetValueOrDefault("required") == "true")));
        if (added.Error is not { } error) return http.SeeOther(Home, "The witness is entered and asked from now on. Test it: it must know the log's key.");
        if (error.Fields.Count == 0) return await AccountPages.Failed(http, error, Home);
        var errors = new FormErrors();
        foreach (var field in Fields)
            if (error.Fields.TryGetValue(field, out var sentence)) errors.Add(field, sentence);
        return await Show(http, form, errors);
    }

    private static async Task<IResult> Test(HttpContext http, Guid id)
    {
        var asked = await WitnessTest.RunAsync(http, id);
        if (asked.Error is { } error) return error.Status is 409 or 429 ? http.SeeOther(Home, $"{error.Title} {error.Next}", Tone.Warning) : await http.PageError(error);
        if (asked.Value.Fault is not { } fault) return http.SeeOther(Home, $"The witness cosigned the log, all {asked.Value.Size.ToString("N0", System.Globalization.CultureInfo.InvariantCulture)} events of it.");
        var failed = WitnessErrors.Of(fault);
        return http.SeeOther(Home, $"{failed.Title} {failed.Next} ({failed.Code})", Tone.Danger);
    }
}
