using System.Globalization;
using System.Text.Json.Serialization;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Clinic.Settings;

/// <summary>The clinic's settings as the API writes and reads them: what GET answers can be changed and sent back by PUT. Version and logo are read and ignored.</summary>
internal sealed record ClinicSettingsBody
{
    public string? Name { get; init; }
    public string? Host { get; init; }
    public bool? HostConfirmed { get; init; }
    public string? Zone { get; init; }
    public IReadOnlyList<WantedDay?>? WorkingWeek { get; init; }
    public Guid? PrivacyLead { get; init; }
    public IReadOnlyList<Guid>? SecurityContacts { get; init; }
    public string? Logo { get; init; }
    public long? Version { get; init; }

    public static ClinicSettingsBody Of(ClinicSettingsView settings) => new()
    {
        Name = settings.Name,
        Host = settings.Host,
        Zone = settings.Zone,
        WorkingWeek = [.. settings.Week.Days.Select(day => new WantedDay(Settings.WorkingWeek.CodeOf(day.Day), Text(day.From), Text(day.To)))],
        PrivacyLead = settings.Named.PrivacyLead,
        SecurityContacts = settings.Named.SecurityContacts,
        Logo = settings.LogoId is { } logo ? ClinicSettingsPages.LogoPath(logo) : null,
        Version = settings.Version,
    };

    public WantedSettings ToWanted() => new(Name, Host, HostConfirmed == true, Zone, WorkingWeek, PrivacyLead, SecurityContacts);

    public static string Text(TimeOnly time) => time.ToString("HH:mm", CultureInfo.InvariantCulture);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ClinicSettingsBody))]
internal sealed partial class ClinicSettingsBodyJson : JsonSerializerContext;

/// <summary>The clinic's settings under <c>/api/settings/clinic</c>, and its contacts.</summary>
internal static class ClinicSettingsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").WithTags("Settings");
        api.Get("settings/clinic", async http => http.Answer(await http.Run(new ViewClinicSettings()))).Runs(typeof(ViewClinicSettings))
            .WithSummary("Name, host, zone, working week, named contacts and logo of the clinic, with ETag. No privacyLead or securityContacts: the owners.");
        api.Put("settings/clinic", async http =>
        {
            var body = await http.ReadJson(ClinicSettingsBodyJson.Default.ClinicSettingsBody);
            return body.Error is { } error ? Problem.Of(error) : http.Answer(await http.Run(new ChangeClinicSettings(body.Value.ToWanted(), http.IfMatch())));
        }).Runs(typeof(ChangeClinicSettings))
            .WithSummary("Changes all of the clinic's settings. Needs If-Match; another host (with hostConfirmed) or other contacts need a fresh second factor too. The old host answers 421 from then on.");
        api.Put("settings/clinic/logo", async http =>
            (await http.Run(new ChangeLogo(await UploadedFile.BytesAsync(http.Request.Body, ChangeLogo.MostBytes, http.RequestAborted)))).Match(id => Results.Json(new { logo = ClinicSettingsPages.LogoPath(id!.Value) })))
            .Runs(typeof(ChangeLogo)).WithSummary("Makes the body, a PNG, JPEG or WebP picture of at most 512 kB and 2000 pixels each way, the clinic's logo.");
        api.Delete("settings/clinic/logo", async http => (await http.Run(new ChangeLogo(null))).Match(_ => Results.NoContent())).Runs(typeof(ChangeLogo)).WithSummary("Takes the clinic's logo away.");
        api.Get("contacts", async http => Problem.Json(await http.Run(new ViewContacts()))).Runs(typeof(ViewContacts)).WithSummary("Whom to turn to about privacy and about security.");
    }

    private static IResult Answer(this HttpContext http, Result<ClinicSettingsView> result) => result.Match(settings =>
    {
        http.Response.Headers.ETag = JsonRequest.ETag(settings.Version);
        return Results.Json(ClinicSettingsBody.Of(settings), ClinicSettingsBodyJson.Default.ClinicSettingsBody);
    });
}
