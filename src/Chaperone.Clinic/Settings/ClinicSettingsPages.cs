using System.Globalization;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Settings;

/// <summary>The page Settings › Clinic, the contacts, and the picture of the clinic.</summary>
internal static class ClinicSettingsPages
{
    public const string Home = "/settings/clinic", Contacts = "/contacts";

    /// <summary>What a security contact's box is called, before the id.</summary>
    public const string SecurityField = "security.";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("").ExcludeFromDescription();
        pages.Get(Home, http => Show(http)).Runs(typeof(ViewClinicSettings));
        pages.Post(Home, Change).Runs(typeof(ChangeClinicSettings), typeof(ViewClinicSettings));
        pages.Post(Home + "/logo", SendLogo).Runs(typeof(ChangeLogo), typeof(ViewClinicSettings)).WithMetadata(new ReadsItsUpload());
        pages.Post(Home + "/logo/remove", async http =>
            (await http.Run(new ChangeLogo(null))).Error is { } error ? await AccountPages.Failed(http, error, Home) : http.SeeOther(Home, "The logo is gone.")).Runs(typeof(ChangeLogo));
        pages.Get(Contacts, async http =>
        {
            var contacts = await http.Run(new ViewContacts());
            return contacts.Error is { } error ? await http.PageError(error) : await http.Page<ContactsPage>(new { Contacts = contacts.Value });
        }).Runs(typeof(ViewContacts));
        pages.MapGet("/logo/{id:guid}", Logo).Runs(typeof(ViewLogo)).WithMetadata(new KeptByBrowser());
    }

    /// <summary>Where a picture is; another picture is elsewhere.</summary>
    public static string LogoPath(Guid id) => $"/logo/{id}";

    private static async Task<IResult> Logo(HttpContext http, Guid id)
    {
        var logo = await http.Run(new ViewLogo(id));
        if (logo.Error is { } error) return await http.PageError(error);
        // A picture and nothing else, should anybody open it by itself.
        http.Response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        return Results.Bytes(logo.Value.Bytes, logo.Value.ContentType);
    }

    private static async Task<IResult> Show(HttpContext http, IReadOnlyDictionary<string, string>? form = null, FormErrors? errors = null)
    {
        var settings = await http.Run(new ViewClinicSettings(WithPeople: true));
        if (settings.Error is { } error) return await http.PageError(error);
        return await http.Page<ClinicSettingsPage>(
            new { Settings = settings.Value, Form = form ?? FormOf(settings.Value), Errors = errors }, errors is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity);
    }

    private static Dictionary<string, string> FormOf(ClinicSettingsView settings)
    {
        var form = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["name"] = settings.Name, ["host"] = settings.Host, ["zone"] = settings.Zone, ["privacyLead"] = settings.Named.PrivacyLead?.ToString() ?? "",
            ["version"] = settings.Version.ToString(CultureInfo.InvariantCulture),
        };
        foreach (var id in settings.Named.SecurityContacts) form[SecurityField + id] = "true";
        foreach (var day in settings.Week.Days)
        {
            var code = WorkingWeek.CodeOf(day.Day);
            (form[code], form[code + ".from"], form[code + ".to"]) = ("true", ClinicSettingsBody.Text(day.From), ClinicSettingsBody.Text(day.To));
        }
        return form;
    }

    private static async Task<IResult> Change(HttpContext http)
    {
        if (await http.ReadForm() is not { } form) return await http.PageError(PlatformErrors.Malformed);
        var before = http.Context().Tenant!.Host;
        var version = long.TryParse(form.GetValueOrDefault("version"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : (long?)null;
        var changed = await http.Run(new ChangeClinicSettings(WantedOf(form), version));
        if (changed.Error is { } error)
        {
            if (error.Code == PlatformErrors.Changed.Code) return await Show(http, form, new() { { "", "Somebody changed the settings in the meantime. Open the page anew to see them, then make your change again." } });
            if (error.Code == SettingsErrors.HostTaken.Code) return await Show(http, form, new() { { "host", error.Title + " " + error.Next } });
            return error.Fields.Count > 0 ? await Show(http, form, ErrorsOf(error)) : await AccountPages.Failed(http, error, Home);
        }
        if (changed.Value.Host == before) return http.SeeOther(Home, "The settings are saved.");
        // The next request to the old host finds no clinic: this page says where it is now.
        var port = http.Request.Host.Port is { } known ? $":{known}" : "";
        return await http.Page<HostMovedPage>(new { Before = before, changed.Value.Host, Url = $"{http.Request.Scheme}://{changed.Value.Host}{port}/" });
    }

    private static WantedSettings WantedOf(IReadOnlyDictionary<string, string> form)
    {
        var days = WorkingWeek.AllDays.Select(WorkingWeek.CodeOf).Where(code => form.GetValueOrDefault(code) == "true").Select(code => new WantedDay(code, form.GetValueOrDefault(code + ".from"), form.GetValueOrDefault(code + ".to")));
        var contacts = form.Where(field => field.Key.StartsWith(SecurityField, StringComparison.Ordinal) && field.Value == "true").Select(field => Guid.TryParse(field.Key[SecurityField.Length..], out var id) ? id : Guid.Empty);
        return new(
            form.GetValueOrDefault("name"), form.GetValueOrDefault("host"), form.GetValueOrDefault("hostConfirmed") == "true", form.GetValueOrDefault("zone"), [.. days],
            form.GetValueOrDefault("privacyLead") is { Length: > 0 } lead ? Guid.TryParse(lead, out var known) ? known : Guid.Empty : null, [.. contacts]);
    }

    private static FormErrors ErrorsOf(Error error)
    {
        var errors = new FormErrors();
        foreach (var field in (string[])["name", "host", "hostConfirmed", "zone", "workingWeek", .. WorkingWeek.AllDays.Select(WorkingWeek.CodeOf), "privacyLead", "securityContacts"])
            if (error.Fields.TryGetValue(field, out var sentence)) errors.Add(field, sentence);
        return errors;
    }

    private static async Task<IResult> SendLogo(HttpContext http)
    {
        var sent = await UploadedFile.ReadAsync(http, "logo", ChangeLogo.MostBytes);
        if (sent.Error is { } unread) return await http.PageError(unread);
        var changed = await http.Run(new ChangeLogo(sent.Value));
        if (changed.Error is not { } error) return http.SeeOther(Home, "The logo is changed.");
        return error.Code == SettingsErrors.LogoRefused.Code ? await Show(http, null, new() { { "logo", $"{error.Title} {error.Next}" } }) : await AccountPages.Failed(http, error, Home);
    }
}
