using System.Net;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.Platform.Web;
using Chaperone.TestSupport;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Scenarios;

/// <summary>What other sites, prefetching browsers and HEAD requests can and cannot do, and the headers that everything carries.</summary>
[Collection(nameof(OwnServer))]
public sealed class CrossSiteTests(OwnServerFixture fixture)
{
    private TestServer Server => fixture.Server;

    public static TheoryData<string, string> Foreign => new()
    {
        { "Sec-Fetch-Site", "cross-site" },
        { "Sec-Fetch-Site", "same-site" },
        { "Origin", "https://evil.test" },
        { "Origin", "http://second.test" },
        { "Origin", "null" },
    };

    [Theory]
    [MemberData(nameof(Foreign))]
    public async Task A_change_asked_for_by_another_site_is_refused_on_every_route(string header, string value)
    {
        var client = await Server.SharedSession(BuiltInRole.Owner);
        var (token, ids) = (await client.TokenAsync(), new KnownIds(Server.First.Patients[1], Server.First.Account(BuiltInRole.Employee).Member, Guid.Empty, Guid.Empty, Guid.Empty));
        var before = await Server.CountEventsAsync(Server.First);
        foreach (var endpoint in Changing())
        {
            var answer = await client.SendAsync(new(Routes.Methods(endpoint)[0]), Plausible.PathOf(endpoint, ids), new FormUrlEncodedContent([new("__token", token)]), request => request.Headers.TryAddWithoutValidation(header, value));
            Assert.True(answer is { Status: HttpStatusCode.BadRequest, Code: "CHP-PLATFORM-0008" }, $"{Routes.Name(endpoint)}: {answer}");
        }
        Assert.Equal(before, await Server.CountEventsAsync(Server.First));
    }

    [Fact]
    public async Task A_form_without_its_token_or_with_another_sessions_is_refused()
    {
        var client = await Server.SharedSession(BuiltInRole.Owner);
        using var other = await Server.SignInAs(BuiltInRole.Nurse);
        var (foreign, ids) = (await other.TokenAsync(), new KnownIds(Server.First.Patients[1], Server.First.Account(BuiltInRole.Employee).Member, Guid.Empty, Guid.Empty, Guid.Empty));
        foreach (var endpoint in Changing().Where(endpoint => !Routes.IsApi(endpoint) && endpoint.Metadata.GetMetadata<ReadsItsUpload>() is null))
        {
            foreach (var token in new[] { null, "", "nonsense", foreign })
            {
                var answer = await client.SendAsync(HttpMethod.Post, Plausible.PathOf(endpoint, ids), new FormUrlEncodedContent(token is null ? [] : [new("__token", token)]));
                Assert.True(answer is { Status: HttpStatusCode.BadRequest, Code: "CHP-PLATFORM-0008" }, $"{Routes.Name(endpoint)}: {answer}");
            }
            using var upload = Plausible.Upload("a,b\n", await client.TokenAsync());
            var multipart = await client.SendAsync(HttpMethod.Post, Plausible.PathOf(endpoint, ids), upload);
            Assert.True(multipart is { Status: HttpStatusCode.BadRequest, Code: "CHP-PLATFORM-0008" }, $"{Routes.Name(endpoint)} took multipart: {multipart}");
        }
    }

    [Theory]
    [InlineData("Sec-Purpose", "prefetch")]
    [InlineData("Sec-Purpose", "prefetch;prerender")]
    [InlineData("X-Sec-Purpose", "prefetch")]
    public async Task A_prefetch_is_refused_before_any_operation(string header, string value)
    {
        var client = await Server.SharedSession(BuiltInRole.Doctor);
        var before = await Server.CountEventsAsync(Server.First);
        foreach (var path in new[] { "/", $"/api/patients/{Server.First.Patients[0]}", $"/patients/{Server.First.Patients[0]}", "/api/patients?find=Prime" })
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync(path, request => request.Headers.TryAddWithoutValidation(header, value))).Status);
        Assert.Equal(before, await Server.CountEventsAsync(Server.First));
    }

    [Fact]
    public async Task HEAD_is_logged_like_GET_and_has_no_body()
    {
        var client = await Server.SharedSession(BuiltInRole.Doctor);
        foreach (var path in new[] { $"/api/patients/{Server.First.Patients[0]}", $"/patients/{Server.First.Patients[0]}" })
        {
            var before = (await Server.EventsAsync(Server.First)).Count(happened => happened.Action == "patient.viewed");
            var answer = await client.SendAsync(HttpMethod.Head, path);
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            Assert.Empty(answer.Body);
            Assert.Equal(before + 1, (await Server.EventsAsync(Server.First)).Count(happened => happened.Action == "patient.viewed"));
        }
    }

    [Fact]
    public async Task Every_page_and_API_answer_carries_the_safe_headers()
    {
        var client = await Server.SharedSession(BuiltInRole.Owner);
        var ids = await KnownIds.ForAsync(Server, Server.First);
        var paths = Server.Endpoints.Where(endpoint => Routes.Methods(endpoint).Contains("GET") && endpoint.Metadata.GetMetadata<RunsOperations>() is not null).Select(endpoint => Plausible.PathOf(endpoint, ids));
        foreach (var path in paths.Concat(["/sign-in", "/nothing-here", "/api/nothing-here"]))
        {
            var answer = await client.GetAsync(path);
            string Header(string name) => answer.Headers.GetValueOrDefault(name, "");
            Assert.True(Header("Cache-Control") == "no-store", $"{path}: Cache-Control is {Header("Cache-Control")}");
            Assert.Equal("nosniff", Header("X-Content-Type-Options"));
            Assert.Equal("same-origin", Header("Referrer-Policy"));
            Assert.Equal("same-origin", Header("Cross-Origin-Opener-Policy"));
            Assert.Equal("same-origin", Header("Cross-Origin-Resource-Policy"));
            foreach (var rule in new[] { "default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'" }) Assert.Contains(rule, Header("Content-Security-Policy"));
            Assert.DoesNotContain("unsafe", Header("Content-Security-Policy"));
            Assert.Equal("", Header("Server"));
            if (Header("Content-Type").StartsWith("text/csv", StringComparison.Ordinal)) Assert.StartsWith("attachment", Header("Content-Disposition"));
            else if (!answer.IsJson) Assert.DoesNotMatch("(?i)<script(?![^>]*src=)[^>]*>|\\son[a-z]+\\s*=\\s*[\"']|javascript:", answer.Text);
        }
    }

    [Fact]
    public async Task Every_cookie_is_bound_to_the_host_and_hidden_from_scripts()
    {
        using var client = Server.Visit(Server.First);
        var cookies = (await client.GetAsync("/sign-in")).SetCookies.ToList();
        var account = Server.First.Account(BuiltInRole.Reception);
        cookies.AddRange((await client.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = account.Email, password = TestServer.Password, code = await account.NextCodeAsync(Server.Clock), rememberDevice = true })).SetCookies);
        Assert.True(cookies.Count >= 3, string.Join('\n', cookies));
        Assert.All(cookies, cookie =>
        {
            Assert.StartsWith("__Host-chaperone", cookie);
            foreach (var part in new[] { "; secure", "; httponly", "; samesite=lax", "; path=/" }) Assert.Contains(part, cookie, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("domain=", cookie, StringComparison.OrdinalIgnoreCase);
        });
    }

    [Fact]
    public async Task Signing_out_clears_the_browser_and_the_old_cookie_is_dead()
    {
        foreach (var byForm in new[] { false, true })
        {
            using var client = await Server.SignInAs(BuiltInRole.Manager);
            var kept = client.Cookies.ToDictionary();
            var answer = byForm ? await client.FormAsync("/sign-out", new Dictionary<string, string>()) : await client.SendAsync(HttpMethod.Post, "/api/auth/sign-out");
            Assert.Equal("\"cache\"", answer.Headers.GetValueOrDefault("Clear-Site-Data"));
            Assert.False(client.Cookies.ContainsKey("__Host-chaperone"));
            foreach (var (name, value) in kept) client.Cookies[name] = value;
            Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/me")).Status);
            Assert.Equal("/sign-in", (await client.GetAsync("/")).Location);
        }
    }

    [Fact]
    public async Task A_cookie_from_another_kind_of_browser_ends_its_session_and_is_told()
    {
        using var client = await Server.SignInAs(BuiltInRole.Clinical);
        var (agent, cookie) = (client.UserAgent, client.Cookies["__Host-chaperone"]);
        client.UserAgent = "Mozilla/5.0 (Windows NT 10.0; rv:130.0) Gecko/20100101 Firefox/130.0";
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/me")).Status);
        (client.UserAgent, client.Cookies["__Host-chaperone"]) = (agent, cookie);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/me")).Status);
        Assert.Contains(await Server.EventsAsync(Server.First), happened => happened.Action == "security.session_hijack" && happened.Severity == Ledger.EventSeverity.Critical);
    }

    private IEnumerable<RouteEndpoint> Changing() => Server.Endpoints.Where(endpoint => Routes.Methods(endpoint)[0] is not ("GET" or "HEAD"));
}
