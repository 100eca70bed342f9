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
    public async Task Health_answers_on_any_host()
    {
        using var client = new ClinicClient(Server.Port, "any.test");
        Assert.Equal("live", (await client.GetAsync("/health/live")).Text);
        Assert.Equal("ready", (await client.GetAsync("/health/ready")).Text);
    }
}
