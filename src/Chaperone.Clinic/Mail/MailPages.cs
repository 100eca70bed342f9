using System.Globalization;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Mail;

/// <summary>The pages Settings › Mail and what was not delivered.</summary>
internal static class MailPages
{
    public const string Home = "/settings/mail", Undelivered = "/settings/mail/undelivered";

    private static readonly string[] Fields = ["host", "port", "tls", "user", "password", "fromAddress", "fromName", "trustedCa"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("").ExcludeFromDescription();
        pages.Get(Home, http => Show(http)).Runs(typeof(ViewMailSettings), typeof(CountUndelivered));
        pages.Post(Home, Change).Runs(typeof(ChangeMailSettings), typeof(ViewMailSettings), typeof(CountUndelivered));
        pages.Post(Home + "/test", Test).Runs(typeof(PrepareTestMail), typeof(NoteTestMail));
        pages.Get(Undelivered, async http =>
        {
            var mails = await http.Run(new ListUndelivered());
            return mails.Error is { } error ? await http.PageError(error) : await http.Page<UndeliveredPage>(new { Mails = mails.Value, http.Context().Tenant!.Zone });
        }).Runs(typeof(ListUndelivered));
        Act(pages, "retry", id => new RetryMail(id), "It is tried again now.");
        Act(pages, "discard", id => new DiscardMail(id), "The mail is discarded.");
    }

    private static void Act<TOperation>(IEndpointRouteBuilder pages, string verb, Func<Guid, TOperation> operation, string said) where TOperation : IOperation<Done> =>
        pages.MapPost(Undelivered + "/{id:guid}/" + verb, async (HttpContext http, Guid id) =>
        {
            var done = await http.Run<Done>(operation(id));
            if (done.Error is not { } error) return http.SeeOther(Undelivered, said);
            return error.Status is 409 or 410 ? http.SeeOther(Undelivered, $"{error.Title} {error.Next}", Tone.Warning) : await http.PageError(error);
        }).Runs(typeof(TOperation));

    private static async Task<IResult> Show(HttpContext http, IReadOnlyDictionary<string, string>? form = null, FormErrors? errors = null)
    {
        var (settings, dead) = (await http.Run(new ViewMailSettings()), await http.Run(new CountUndelivered()));
        if ((settings.Error ?? dead.Error) is { } error) return await http.PageError(error);
        var now = http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
        return await http.Page<MailPage>(
            new { Settings = settings.Value, Form = form ?? FormOf(settings.Value), Dead = dead.Value, Confirmed = http.Context().Actor.State.IsSteppedUp(now), Errors = errors },
            errors is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static Dictionary<string, string> FormOf(MailSettingsView settings) => new(StringComparer.Ordinal)
    {
        ["enabled"] = settings.Enabled || settings.Host.Length == 0 ? "true" : "", ["host"] = settings.Host, ["port"] = settings.Port.ToString(CultureInfo.InvariantCulture), ["tls"] = settings.Tls, ["user"] = settings.User ?? "",
        ["fromAddress"] = settings.FromAddress, ["fromName"] = settings.FromName, ["trustedCa"] = settings.TrustedCa ?? "",
    };

    private static async Task<IResult> Change(HttpContext http)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        string? Field(string name) => form.GetValueOrDefault(name);
        var port = int.TryParse(Field("port"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : string.IsNullOrWhiteSpace(Field("port")) ? (int?)null : 0;
        var changed = await http.Run(new ChangeMailSettings(
            new(Field("enabled") == "true", Field("host"), port, Field("tls"), Field("user"), Field("password"), Field("fromAddress"), Field("fromName"), Field("trustedCa"))));
        if (changed.Error is not { } error) return http.SeeOther(Home, changed.Value.Enabled ? "The mail settings are saved. Send yourself a test mail now." : "The mail settings are saved; no mail is sent.");
        if (error.Fields.Count == 0) return await AccountPages.Failed(http, error, Home);
        var errors = new FormErrors();
        foreach (var field in Fields)
            if (error.Fields.TryGetValue(field, out var sentence)) errors.Add(field, sentence);
        return await Show(http, form, errors);
    }

    private static async Task<IResult> Test(HttpContext http)
    {
        var sent = await MailApi.SendTestAsync(http);
        if (sent.Error is { } error) return error.Status is 403 or 401 or 404 ? await http.PageError(error) : http.SeeOther(Home, $"{error.Title} {error.Next}", Tone.Warning);
        return sent.Value.Error is { } failed
            ? http.SeeOther(Home, $"{failed.Title}{(sent.Value.Reply is { } reply ? $" It answered {reply.ToString(CultureInfo.InvariantCulture)}." : "")} {failed.Next} ({failed.Code})", Tone.Danger)
            : http.SeeOther(Home, "The mail server took the test mail. It should be in your inbox in a moment.");
    }
}
