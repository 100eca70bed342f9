using System.Net;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>The clinic comes from the host name alone, and a session belongs to its clinic.</summary>
public sealed class HostTests(ServerFixture fixture)
{
    private TestServer Server => fixture.Server;

    [Theory]
    [InlineData("nobody.test")]
    [InlineData("first.test.evil.test")]
    [InlineData("evil-first.test")]
    public async Task Unknown_host_gets_421(string host)
    {
        using var client = new ClinicClient(Server.Port, host);
        foreach (var path in new[] { "/", "/sign-in", "/api/me", "/nothing" })
        {
            var answer = await client.GetAsync(path);
            Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.Status);
            Assert.Equal("CHP-PLATFORM-0007", answer.Code);
        }
    }

    [Theory]
    [InlineData("FIRST.test")]
    [InlineData("First.Test:81")]
    [InlineData("first.test:65000")]
    public async Task Host_is_matched_without_port_and_case(string host)
    {
        using var client = new ClinicClient(Server.Port, host);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/sign-in")).Status);
    }

    [Fact]
    public async Task A_session_of_one_clinic_is_nobody_at_another()
    {
        using var client = await Server.SignInAs(BuiltInRole.Doctor);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/me")).Status);
        client.Host = Server.Second.Host;
        var answer = await client.GetAsync("/api/me", request => request.Headers.Add("X-Forwarded-Host", Server.First.Host));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.Equal("CHP-ACCESS-0003", answer.Code);
    }

    [Fact]
    public async Task Forwarded_headers_from_strangers_are_ignored()
    {
        using var client = await Server.SignInAs(BuiltInRole.Nurse);
        await client.SendAsync(HttpMethod.Post, "/api/auth/sign-out", null, request =>
        {
            request.Headers.Add("X-Forwarded-For", "203.0.113.77");
            request.Headers.Add("X-Forwarded-Host", Server.Second.Host);
            request.Headers.Add("X-Forwarded-Proto", "https");
            request.Headers.Add("Forwarded", "for=203.0.113.77;host=second.test");
        });
        var left = (await Server.EventsAsync(Server.First)).Last(happened => happened.Action == "auth.logout");
        Assert.Equal("127.0.0.1", left.Source.Ip);
    }

    [Theory]
    [InlineData("203.0.113.77", "203.0.113.77")]
    [InlineData("198.51.100.1, 203.0.113.77", "203.0.113.77")]   // what the client itself claimed stands before what the proxy saw
    [InlineData("198.51.100.1, 127.0.0.1", "198.51.100.1")]      // two listed proxies in a row
    [InlineData("::ffff:203.0.113.77", "203.0.113.77")]
    [InlineData("nonsense", "127.0.0.1")]
    public async Task Forwarded_headers_of_a_listed_proxy_count(string forwardedFor, string address)
    {
        await using var server = await TestServer.StartAsync(proxies: [IPAddress.Loopback]);
        using var client = await server.SignInAs(BuiltInRole.Nurse);
        client.Host = "proxy.internal";

        var answer = await client.SendAsync(HttpMethod.Post, "/api/auth/sign-out", null, request =>
        {
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", forwardedFor);
            request.Headers.Add("X-Forwarded-Host", server.First.Host);
            request.Headers.Add("X-Forwarded-Proto", "https");
            request.Headers.Add("X-Forwarded-Prefix", "/elsewhere");
        });

        if (forwardedFor == "nonsense") Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.Status);   // headers that do not read are left alone, all of them
        else
        {
            Assert.Equal(HttpStatusCode.NoContent, answer.Status);
            Assert.Equal(address, (await server.EventsAsync(server.First)).Last(happened => happened.Action == "auth.logout").Source.Ip);
        }
    }

    [Fact]
    public async Task Forwarded_headers_of_an_unlisted_address_do_not_count_where_another_is_listed()
    {
        await using var server = await TestServer.StartAsync(proxies: [IPAddress.Parse("192.0.2.10")]);
        using var client = await server.SignInAs(BuiltInRole.Nurse);
        Assert.Equal(HttpStatusCode.NoContent, (await client.SendAsync(HttpMethod.Post, "/api/auth/sign-out", null, request =>
        {
            request.Headers.Add("X-Forwarded-For", "203.0.113.77");
            request.Headers.Add("X-Forwarded-Host", server.Second.Host);
            request.Headers.Add("X-Forwarded-Proto", "https");
        })).Status);
        Assert.Equal("127.0.0.1", (await server.EventsAsync(server.First)).Last(happened => happened.Action == "auth.logout").Source.Ip);
    }

    [Fact]
    public async Task A_clinic_that_moves_is_at_the_new_host_and_nowhere_else()
    {
        var clinic = await Server.AddClinicAsync("before.test");
        using var owner = await Server.SignInAs(BuiltInRole.Owner, clinic);
        var settings = (await owner.GetAsync("/settings/clinic")).Text;
        Assert.Contains("before.test", settings, StringComparison.Ordinal);
        var form = new Dictionary<string, string>
        {
            ["version"] = "0", ["name"] = "Moved", ["host"] = "after.test", ["hostConfirmed"] = "true", ["zone"] = "Europe/London", ["monday"] = "true", ["monday.from"] = "08:00", ["monday.to"] = "18:00",
        };
        var taken = await owner.FormAsync("/settings/clinic", new Dictionary<string, string>(form) { ["host"] = Server.Second.Host }, "/settings/clinic");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, taken.Status);
        Assert.Contains("Another clinic has this address.", taken.Text, StringComparison.Ordinal);

        var moved = await owner.FormAsync("/settings/clinic", form, "/settings/clinic");

        Assert.Equal(HttpStatusCode.OK, moved.Status);
        Assert.Contains($"http://after.test:{Server.Port}/", moved.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, (await owner.GetAsync("/")).Status);
        using var there = new ClinicClient(Server.Port, "after.test");
        Assert.Contains("Moved", (await there.GetAsync("/sign-in")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await Server.Visit(Server.Second).GetAsync("/sign-in")).Status);
    }

    [Fact]
    public async Task A_logo_comes_through_the_page_as_a_picture_that_a_browser_may_keep()
    {
        var clinic = await Server.AddClinicAsync("logo.test");
        using var owner = await Server.SignInAs(BuiltInRole.Owner, clinic);
        byte[] picture = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, .. "IHDR"u8, 0, 0, 0, 64, 0, 0, 0, 64, .. new byte[9]];
        async Task<Answer> SendAsync(byte[] bytes, string? token, string type = "text/html")
        {
            using var form = new MultipartFormDataContent();
            if (token is not null) form.Add(new StringContent(token), "__token");
            var file = new ByteArrayContent(bytes);
            file.Headers.ContentType = new(type);   // what the request says of it counts for nothing
            form.Add(file, "logo", "../../logo.html");
            return await owner.SendAsync(HttpMethod.Post, "/settings/clinic/logo", form);
        }

        Assert.Equal("CHP-PLATFORM-0008", (await SendAsync(picture, null)).Code);
        Assert.Equal("CHP-PLATFORM-0008", (await SendAsync(picture, "forged")).Code);
        var refused = await SendAsync("<svg/>"u8.ToArray(), await owner.TokenAsync("/settings/clinic"), "image/png");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.Status);
        Assert.Contains("This picture cannot be the logo.", refused.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await SendAsync([.. picture, .. new byte[600 * 1024]], await owner.TokenAsync("/settings/clinic"))).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await SendAsync(picture, await owner.TokenAsync("/settings/clinic"))).Status);

        var path = System.Text.RegularExpressions.Regex.Match((await owner.GetAsync("/")).Text, "/logo/[0-9a-f-]+").Value;
        var logo = await owner.GetAsync(path);
        Assert.Equal(("image/png", "nosniff", "max-age=31536000, private, immutable"), (logo.Headers["Content-Type"], logo.Headers["X-Content-Type-Options"], logo.Headers["Cache-Control"]));
        Assert.Equal(picture, logo.Body);
        owner.Host = Server.First.Host;
        Assert.NotEqual(HttpStatusCode.OK, (await owner.GetAsync(path)).Status);
        using var nobody = Server.Visit(clinic);
        var asked = await nobody.GetAsync(path);
        Assert.Equal((HttpStatusCode.SeeOther, "no-store"), (asked.Status, asked.Headers["Cache-Control"]));
    }

    [Fact]
    public async Task Health_answers_on_any_host()
    {
        using var client = new ClinicClient(Server.Port, "any.test");
        Assert.Equal("live", (await client.GetAsync("/health/live")).Text);
        Assert.Equal("ready", (await client.GetAsync("/health/ready")).Text);
    }
}
