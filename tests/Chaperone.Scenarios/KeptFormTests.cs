using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>A form whose fresh code has run out goes on with what was typed; what is kept meanwhile opens for nobody else and nothing else.</summary>
[Collection(nameof(OwnServer))]
public sealed partial class KeptFormTests(OwnServerFixture fixture) : IAsyncLifetime
{
    private const string Invite = "/settings/team/invite";

    private TestServer server = null!;
    private TestClinic clinic = null!;
    private ClinicClient owner = null!;
    private Dictionary<string, string> typed = null!;

    public async ValueTask InitializeAsync()
    {
        server = fixture.Server;
        clinic = await server.AddClinicAsync($"kept-{Guid.NewGuid():N}.test");
        owner = await server.SignInAs(BuiltInRole.Owner, clinic);
        typed = new() { ["__token"] = await owner.TokenAsync(Invite), ["name"] = "Ina Kept", ["email"] = "ina.kept@clinic.test", ["title"] = "Locum", ["role.nurse"] = "true" };
        server.Clock.Advance(TimeSpan.FromMinutes(6));
    }

    public ValueTask DisposeAsync()
    {
        owner.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_was_typed_goes_on_once_the_code_was_given()
    {
        var asked = await PostAsync(owner, Invite, typed);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, asked.Status);
        Assert.Contains("Please confirm it is you", asked.Text, StringComparison.Ordinal);
        var kept = KeptOf(asked);
        var seen = asked.Text + string.Join(' ', asked.Headers) + string.Join(' ', asked.SetCookies) + Encoding.UTF8.GetString(Convert.FromBase64String(kept));
        foreach (var canary in new[] { "Ina Kept", "ina.kept", "Locum" }) Assert.DoesNotContain(canary, seen, StringComparison.OrdinalIgnoreCase);

        // A wrong code loses nothing either.
        var wrong = await PostAsync(owner, "/step-up", new() { ["code"] = "000000", ["to"] = Invite, ["action"] = Invite, ["__kept"] = kept });
        Assert.Equal((HttpStatusCode.UnprocessableEntity, kept), (wrong.Status, KeptOf(wrong)));
        var fields = new Dictionary<string, string> { ["__token"] = typed["__token"], ["code"] = await CodeAsync(), ["to"] = Invite, ["action"] = Invite, ["__kept"] = kept };
        var confirmed = await PostAsync(owner, "/step-up", fields);
        Assert.Equal((HttpStatusCode.TemporaryRedirect, Invite), (confirmed.Status, confirmed.Location));

        var invited = await PostAsync(owner, Invite, fields);

        Assert.Equal(HttpStatusCode.OK, invited.Status);
        Assert.Contains("Ina Kept", invited.Text, StringComparison.Ordinal);
        Assert.Contains("/reset/", invited.Text, StringComparison.Ordinal);
        var made = (await owner.GetAsync("/api/team?state=invited")).Json.GetProperty("items").EnumerateArray().Single(member => member.GetProperty("name").GetString() == "Ina Kept");
        Assert.Equal(("ina.kept@clinic.test", "Locum", "nurse"), (made.GetProperty("email").GetString(), made.GetProperty("title").GetString(), made.GetProperty("roles")[0].GetString()));
    }

    [Fact]
    public async Task It_opens_in_no_other_session_at_no_other_path_and_not_when_altered()
    {
        var kept = KeptOf(await PostAsync(owner, Invite, typed));
        Assert.Equal(HttpStatusCode.NoContent, (await owner.JsonAsync(HttpMethod.Post, "/api/auth/step-up", new { code = await CodeAsync() })).Status);
        using var again = await server.SignInAs(BuiltInRole.Owner, clinic);
        using var admin = await server.SignInAs(BuiltInRole.Admin, clinic);
        var altered = kept[..^8] + "AAAAAAA=";

        foreach (var other in new[] { again, admin }) Assert.Equal("CHP-PLATFORM-0005", (await PostAsync(other, Invite, new() { ["__kept"] = kept })).Code);
        Assert.Equal("CHP-PLATFORM-0005", (await PostAsync(owner, Invite, new() { ["__kept"] = altered })).Code);
        Assert.Equal("CHP-PLATFORM-0005", (await PostAsync(owner, Invite, new() { ["__kept"] = "none" })).Code);
        Assert.Equal("CHP-PLATFORM-0005", (await PostAsync(owner, "/settings/clinic", new() { ["__kept"] = kept })).Code);
        foreach (var elsewhere in new[] { "https://evil.test/", "//evil.test/", "/settings/clinic", "" })
        {
            var answer = await PostAsync(owner, "/step-up", new() { ["code"] = await CodeAsync(), ["to"] = Invite, ["action"] = elsewhere, ["__kept"] = kept });
            Assert.Equal((HttpStatusCode.SeeOther, Invite), (answer.Status, answer.Location));
        }
        Assert.Empty((await owner.GetAsync("/api/team?state=invited")).Json.GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task It_is_kept_for_ten_minutes_and_its_time_over_leads_back_to_the_form()
    {
        var kept = KeptOf(await PostAsync(owner, Invite, typed));
        server.Clock.Advance(TimeSpan.FromMinutes(11));

        var late = await PostAsync(owner, "/step-up", new() { ["code"] = await CodeAsync(), ["to"] = Invite, ["action"] = Invite, ["__kept"] = kept });

        Assert.Equal((HttpStatusCode.SeeOther, Invite), (late.Status, late.Location));
        Assert.Contains("kept for ten minutes only", (await owner.GetAsync(Invite)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_button_without_fields_goes_on_too()
    {
        var nurse = clinic.Account(BuiltInRole.Nurse).Member;
        var asked = await PostAsync(owner, $"/settings/team/{nurse}/deactivate", new() { ["__token"] = typed["__token"] });
        var fields = new Dictionary<string, string> { ["__token"] = typed["__token"], ["code"] = await CodeAsync(), ["to"] = "/", ["action"] = $"/settings/team/{nurse}/deactivate", ["__kept"] = KeptOf(asked) };
        Assert.Equal(HttpStatusCode.TemporaryRedirect, (await PostAsync(owner, "/step-up", fields)).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync(owner, $"/settings/team/{nurse}/deactivate", fields)).Status);
        Assert.Equal("deactivated", (await owner.GetAsync($"/api/team/{nurse}")).Json.GetProperty("member").GetProperty("state").GetString());
    }

    private Task<string> CodeAsync() => clinic.Account(BuiltInRole.Owner).NextCodeAsync(server.Clock);

    private static async Task<Answer> PostAsync(ClinicClient client, string path, Dictionary<string, string> fields) =>
        await client.FormAsync(path, fields.ContainsKey("__token") ? fields : new(fields) { ["__token"] = await client.TokenAsync("/account/security") }, "/account/security");

    private static string KeptOf(Answer answer) => Field().Match(answer.Text) is { Success: true } field ? WebUtility.HtmlDecode(field.Groups[1].Value) : throw new InvalidOperationException($"Nothing is kept: {answer}");

    [GeneratedRegex("name=\"__kept\" value=\"([^\"]+)\"")]
    private static partial Regex Field();
}
