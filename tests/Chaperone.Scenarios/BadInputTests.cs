using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Chaperone.TestSupport;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Scenarios;

/// <summary>What nobody should send, on every route: a clear error, never a fault of ours, nothing stored.</summary>
[Collection(nameof(OwnServer))]
public sealed class BadInputTests(OwnServerFixture fixture) : IDisposable
{
    private static readonly string[] Payloads =
    [
        "' OR '1'='1' --", "'; DROP TABLE clinic.patient; --", "1) UNION SELECT null,null--", "${7*7}{{7*7}}", "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>",
        "../../../../etc/passwd", "%00%0d%0aSet-Cookie: a=b", "\u202eright\u202c \u200f\u05d0", "\ud83d\ude80\ud83d\udc69\u200d\u2695\ufe0f", "\u0000\u0001\u001f", new string('A', 10_000), "=cmd|' /C calc'!A0", "99999999999999999999", "-1", "2026-02-30",
    ];

    private static readonly string[] QueryNames = ["find", "status", "limit", "cursor", "action", "actor", "entity", "subject", "category", "severity", "outcome", "from", "to", "format", "reason", "after", "page", "q", "day", "practitioner", "type", "minutes"];

    private static readonly string[] Broken =
    [
        "", "{", "[", "\"", "nul", "null", "123", "\"text\"", "[]", "[{}]", "{\"a\":}", "{'a':1}", "{\"a\":1,}", "{\"a\":NaN}", "\ufeff{", "{}{}", "<a/>", "{\"\\ud800\":1}",
        new string('[', 5000), string.Concat(Enumerable.Repeat("{\"a\":", 5000)) + "1" + new string('}', 5000),
    ];

    private TestServer Server => fixture.Server;

    // Every sign-in tried here failed.
    public void Dispose() => Server.ForgetFailures();

    [Fact]
    public async Task A_JSON_body_that_is_none_is_a_clear_error_on_every_route()
    {
        using var client = await Server.SignInAs(BuiltInRole.Owner);
        var before = await StoredAsync();
        foreach (var endpoint in TakesJson())
        {
            foreach (var body in Broken) Clear(endpoint, await SendAsync(client, endpoint, new StringContent(body, Encoding.UTF8, "application/json")), body);
            foreach (var type in new[] { "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=nonsense" })
            {
                var content = new ByteArrayContent("{\"familyName\":\"Typed\"}"u8.ToArray());
                content.Headers.TryAddWithoutValidation("Content-Type", type);
                var answer = await SendAsync(client, endpoint, content);
                if (!type.StartsWith("application/json", StringComparison.Ordinal)) Clear(endpoint, answer, type);
                else Assert.True((int)answer.Status < 500, $"{Routes.Name(endpoint)} with {type}: {answer}");
            }
            Clear(endpoint, await SendAsync(client, endpoint, Bytes([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])), "invalid UTF-8");
            Clear(endpoint, await SendAsync(client, endpoint, Bytes("\ufeff{\"text\":\"x\""u8.ToArray())), "cut short");
        }
        Assert.Equal(before, await StoredAsync());
    }

    [Fact]
    public async Task Members_of_the_wrong_type_are_refused_and_nothing_is_stored()
    {
        using var client = await Server.SignInAs(BuiltInRole.Owner);
        var before = await StoredAsync();
        foreach (var endpoint in TakesJson())
        {
            var whole = JsonSerializer.SerializeToNode(Plausible.Body(Routes.Methods(endpoint)[0], Routes.Path(endpoint)))!.AsObject();
            foreach (var (name, value) in whole.ToList())
            {
                foreach (var wrong in new[] { "[]", "{}", "[1]", "{\"a\":[]}", "1e400", value!.GetValueKind() == JsonValueKind.String ? "true" : "\"x\"" })
                {
                    var body = whole.DeepClone().AsObject();
                    body[name] = JsonNode.Parse(wrong);
                    Clear(endpoint, await SendAsync(client, endpoint, Json(body)), $"{name} = {wrong}");
                }
            }
        }
        Assert.Equal(before, await StoredAsync());
    }

    [Fact]
    public async Task Two_megabytes_are_413_on_every_route_that_takes_no_file()
    {
        using var client = await Server.SignInAs(BuiltInRole.Owner);
        var ids = await KnownIds.ForAsync(Server, Server.First);
        var before = await StoredAsync();
        var token = await client.TokenAsync();   // once: a connection that was closed on us is found out by the request after
        foreach (var endpoint in Server.Endpoints.Where(endpoint => Routes.Methods(endpoint)[0] is not "GET" && !Plausible.IsUpload(endpoint)))
        {
            var text = "{\"familyName\":\"" + new string('A', 2 * 1024 * 1024) + "\"}";
            HttpContent content = Routes.IsApi(endpoint) ? new StringContent(text, Encoding.UTF8, "application/json") : new FormUrlEncodedContent([new("__token", token), new("familyName", text)]);
            Answer answer;
            try
            {
                answer = await client.SendAsync(new(Routes.Methods(endpoint)[0]), Plausible.PathOf(endpoint, ids), content);
            }
            catch (HttpRequestException)
            {
                continue;   // answered and closed while we were still sending
            }
            Assert.True(answer is { Status: HttpStatusCode.RequestEntityTooLarge, Code: "CHP-PLATFORM-0006" }, $"{Routes.Name(endpoint)}: {answer}");
        }
        Assert.Equal(before, await StoredAsync());
    }

    [Fact]
    public async Task Hostile_text_in_every_member_of_every_body_is_text_or_a_clear_error()
    {
        using var client = await Server.SignInAs(BuiltInRole.Owner);
        var member = (await KnownIds.ForAsync(Server, Server.First)).Member;      // what is text is taken: nobody's own address may be lost to it
        foreach (var endpoint in TakesJson())
        {
            var whole = JsonSerializer.SerializeToNode(Plausible.Body(Routes.Methods(endpoint)[0], Routes.Path(endpoint)))!.AsObject();
            foreach (var (name, value) in whole.ToList().Where(member => member.Value!.GetValueKind() == JsonValueKind.String))
            {
                // Where passwords are hashed a few will do: each costs a fifth of a second on purpose.
                foreach (var payload in Payloads.Where((_, i) => i % 4 == 0 || !Routes.Path(endpoint).StartsWith("/api/auth", StringComparison.Ordinal)))
                {
                    var body = whole.DeepClone().AsObject();
                    body[name] = payload;
                    var answer = await SendAsync(client, endpoint, Json(body), member);
                    Assert.True((int)answer.Status < 500 && ((int)answer.Status < 400 || answer.Code is not null), $"{Routes.Name(endpoint)} with {name} = {payload[..Math.Min(40, payload.Length)]}: {answer}");
                }
            }
        }
        Assert.True((long)(await Server.Database.ExecuteAsync("SELECT count(*) FROM clinic.patient"))! > 0);
    }

    [Fact]
    public async Task Hostile_query_parameters_are_a_clear_error_or_ignored_on_every_route()
    {
        using var client = await Server.SignInAs(BuiltInRole.Owner);
        var ids = await KnownIds.ForAsync(Server, Server.First);
        foreach (var endpoint in Server.Endpoints.Where(endpoint => Routes.Methods(endpoint).Contains("GET")))
        {
            var path = Plausible.PathOf(endpoint, ids);
            foreach (var payload in Payloads.Select(payload => payload.Length > 200 ? payload[..200] : payload))
                Check(await client.GetAsync(path + "?" + string.Join('&', QueryNames.Select(name => $"{name}={Uri.EscapeDataString(payload)}"))[..]), endpoint, payload);
            if (endpoint.RoutePattern.Parameters.Count > 0) continue;
            foreach (var name in QueryNames) Check(await client.GetAsync($"{path}?{name}=%27%3B%2D%2D&{name}=x"), endpoint, name);
        }

        static void Check(Answer answer, RouteEndpoint endpoint, string what) =>
            Assert.True((int)answer.Status < 500 && ((int)answer.Status < 400 || !Routes.IsApi(endpoint) || answer.Code is not null), $"{Routes.Name(endpoint)} with {what[..Math.Min(40, what.Length)]}: {answer}");
    }

    [Fact]
    public async Task Forms_that_no_page_would_send_are_a_clear_error()
    {
        using var client = Server.Visit(Server.First);
        foreach (var form in new[] { string.Join('&', Enumerable.Range(0, 3000).Select(i => $"f{i}=1")), new string('k', 5000) + "=1", "email=" + new string('a', 100_000) })
        {
            var answer = await client.SendAsync(HttpMethod.Post, "/sign-in", new StringContent(form, Encoding.UTF8, "application/x-www-form-urlencoded"));
            Assert.True((int)answer.Status is >= 400 and < 500 && answer.Code is not null, $"{form[..20]}: {answer}");
        }
    }

    [Fact]
    public async Task Hostile_names_come_back_as_text_on_every_page()
    {
        const string Name = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'&";
        var id = (await Server.Run(new Clinic.Patients.RegisterPatient(new() { FamilyName = Name, GivenNames = Name, DateOfBirth = new(1990, 1, 2), Gender = "unknown" }, true), BuiltInRole.Doctor, Server.First)).Value.Id;
        var client = await Server.SharedSession(BuiltInRole.Doctor);
        var ids = new KnownIds(id, Server.First.Account(BuiltInRole.Employee).Member, Guid.Empty, Guid.Empty, Guid.Empty);
        var shown = 0;
        foreach (var endpoint in Server.Endpoints.Where(endpoint => Routes.Methods(endpoint).Contains("GET") && !Routes.IsApi(endpoint) && Routes.Path(endpoint).StartsWith("/patients", StringComparison.Ordinal)))
        {
            var answer = await client.GetAsync(Plausible.PathOf(endpoint, ids));
            Assert.DoesNotContain("<script>alert", answer.Text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("<img src=x", answer.Text, StringComparison.OrdinalIgnoreCase);
            if (answer.Text.Contains("alert(", StringComparison.Ordinal)) shown++;
        }
        Assert.True(shown >= 2, "the name was shown on no page");
        var json = await client.GetAsync($"/api/patients/{id}");
        Assert.DoesNotContain("<script>", json.Text, StringComparison.Ordinal);
        Assert.Equal(Name, json.Json.GetProperty("familyName").GetString());
    }

    /// <summary>Routes with a JSON body, which <see cref="Plausible"/> must know.</summary>
    private List<RouteEndpoint> TakesJson()
    {
        var known = Server.Endpoints.Where(endpoint => Routes.IsApi(endpoint) && Plausible.Body(Routes.Methods(endpoint)[0], Routes.Path(endpoint)) is not null).ToList();
        Assert.True(known.Count >= 2);
        return known;
    }

    private async Task<Answer> SendAsync(ClinicClient client, RouteEndpoint endpoint, HttpContent content, Guid? member = null) =>
        await client.SendAsync(new(Routes.Methods(endpoint)[0]), Plausible.PathOf(endpoint, new(Server.First.Patients[1], member ?? Server.First.Account(BuiltInRole.Employee).Member, Guid.Empty, Guid.Empty, Guid.Empty)), content,
            request => request.Headers.TryAddWithoutValidation("If-Match", "\"1\""));

    private async Task<string> StoredAsync() => string.Join(' ', await Task.WhenAll(
        Count("SELECT count(*), coalesce(sum(version), 0) FROM clinic.patient"), Count("SELECT count(*), coalesce(sum(version), 0) FROM clinic.member"), Count("SELECT count(*), 0 FROM clinic.blind_index"),
        Count("SELECT count(*), coalesce(sum(version), 0) FROM clinic.appointment")));

    private async Task<string> Count(string sql) => $"{await Server.Database.ExecuteAsync($"SELECT row(a.*)::text FROM ({sql}) AS a")}";

    private static void Clear(RouteEndpoint endpoint, Answer answer, string what) =>
        Assert.True((int)answer.Status is >= 400 and < 500 && answer.Code is not null && answer.IsJson, $"{Routes.Name(endpoint)} with {what[..Math.Min(60, what.Length)]}: {answer}");

    private static StringContent Json(JsonNode body) => new(body.ToJsonString(), Encoding.UTF8, "application/json");

    private static ByteArrayContent Bytes(byte[] bytes)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new("application/json");
        return content;
    }
}
