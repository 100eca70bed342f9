using System.Net;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>A calendar program and a stranger at a calendar's address.</summary>
[Collection(nameof(OwnServer))]
public sealed class CalendarTests(OwnServerFixture fixture)
{
    private TestServer Server => fixture.Server;

    [Fact]
    public async Task A_calendar_program_reads_without_signing_in_asks_again_by_tag_and_loses_it_when_it_is_ended()
    {
        var clinic = await Server.AddClinicAsync("calendar.localhost");
        var doctor = await Server.SignInAs(BuiltInRole.Doctor, clinic);
        var made = await doctor.SendAsync(HttpMethod.Post, "/api/practitioners/me/feed");
        Assert.Equal(HttpStatusCode.Created, made.Status);
        var path = new Uri(made.Json.GetProperty("url").GetString()!).AbsolutePath;

        using var program = Server.Visit(clinic);
        var read = await program.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, read.Status);
        Assert.StartsWith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", read.Text, StringComparison.Ordinal);
        Assert.Equal("private, no-cache", read.Headers["Cache-Control"].Replace("no-cache, private", "private, no-cache", StringComparison.Ordinal));
        var again = await program.SendAsync(HttpMethod.Get, path, null, request => request.Headers.TryAddWithoutValidation("If-None-Match", read.Headers["ETag"]));
        Assert.Equal((HttpStatusCode.NotModified, ""), (again.Status, again.Text));

        Assert.Equal(HttpStatusCode.NoContent, (await doctor.SendAsync(HttpMethod.Delete, $"/api/practitioners/{clinic.Account(BuiltInRole.Doctor).Member}/feed")).Status);
        Assert.Equal((HttpStatusCode.NotFound, "CHP-ACCESS-0001"), await program.GetAsync(path) is var gone ? (gone.Status, gone.Code) : default);
    }

    [Fact]
    public async Task Whoever_guesses_is_turned_away_after_forty_and_may_still_sign_in()
    {
        var clinic = await Server.AddClinicAsync("guessed.localhost");
        using var stranger = Server.Visit(clinic);
        for (var i = 0; i < NetworkLimit.Most; i++) Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync($"/calendar/{SecretToken.New().Text}.ics")).Status);
        var refused = await stranger.GetAsync($"/calendar/{SecretToken.New().Text}.ics");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        Assert.NotEmpty(refused.Headers["Retry-After"]);
        Assert.NotNull(await Server.SignInAs(BuiltInRole.Doctor, clinic));
    }
}
