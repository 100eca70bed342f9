using System.Net;
using System.Text.Json;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>What is not there: a page for people, problem details for programs, each with its code and what to do.</summary>
public sealed class ErrorTests(ServerFixture fixture)
{
    private TestServer Server => fixture.Server;

    [Theory]
    [InlineData("/nothing")]
    [InlineData("/patients/not-an-id")]
    [InlineData("/patients/00000000-0000-0000-0000-000000000000")]
    [InlineData("/.env")]
    [InlineData("/..%2f..%2fetc%2fpasswd")]
    public async Task An_unknown_page_is_a_404_page_with_its_code(string path)
    {
        var answer = await (await Server.SharedSession(BuiltInRole.Doctor)).GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, answer.Status);
        Assert.StartsWith("text/html", answer.Headers["Content-Type"]);
        Assert.Equal("CHP-ACCESS-0001", answer.Code);
        Assert.Contains("There is nothing here.", answer.Text);
    }

    [Theory]
    [InlineData("GET", "/api/nothing", 404)]
    [InlineData("GET", "/api/patients/not-an-id", 404)]
    [InlineData("GET", "/api/patients/00000000-0000-0000-0000-000000000000", 404)]
    [InlineData("PATCH", "/api/me", 405)]
    [InlineData("POST", "/api/nothing", 404)]
    public async Task An_unknown_route_of_the_API_is_a_problem_with_type_code_and_next(string method, string path, int status)
    {
        var answer = await (await Server.SharedSession(BuiltInRole.Doctor)).SendAsync(new(method), path);
        Assert.Equal(status, (int)answer.Status);
        Assert.Equal("application/problem+json", answer.Headers["Content-Type"]);
        var json = answer.Json;
        Assert.Equal("CHP-ACCESS-0001", json.GetProperty("code").GetString());
        Assert.Equal("/docs/errors#chp-access-0001", json.GetProperty("type").GetString());
        Assert.Equal(status, json.GetProperty("status").GetInt32());
        Assert.False(string.IsNullOrWhiteSpace(json.GetProperty("next").GetString()));
        Assert.False(string.IsNullOrWhiteSpace(json.GetProperty("title").GetString()));
    }

    [Fact]
    public async Task Stale_and_missing_versions_are_412_and_428()
    {
        var client = await Server.SharedSession(BuiltInRole.Doctor);
        var made = await client.JsonAsync(HttpMethod.Post, "/api/patients", new { familyName = "Versions", givenNames = "Vera", dateOfBirth = "1970-03-04", gender = "female" });
        Assert.Equal(HttpStatusCode.Created, made.Status);
        var (path, tag) = (made.Location!, made.Headers["ETag"]);
        var body = new { familyName = "Versions", givenNames = "Vera Ann", dateOfBirth = "1970-03-04", gender = "female" };
        var missing = await client.JsonAsync(HttpMethod.Put, path, body);
        Assert.True(missing is { Status: (HttpStatusCode)428, Code: "CHP-PLATFORM-0001" }, missing.ToString());
        Assert.Equal(HttpStatusCode.OK, (await client.JsonAsync(HttpMethod.Put, path, body, request => request.Headers.TryAddWithoutValidation("If-Match", tag))).Status);
        foreach (var stale in new[] { tag, "\"999\"", "nonsense", "*" })
        {
            var answer = await client.JsonAsync(HttpMethod.Put, path, body, request => request.Headers.TryAddWithoutValidation("If-Match", stale));
            Assert.True(answer is { Status: HttpStatusCode.PreconditionFailed, Code: "CHP-PLATFORM-0002" }, $"{stale}: {answer}");
        }
        Assert.Equal("Vera Ann", (await client.GetAsync(path)).Json.GetProperty("givenNames").GetString());
    }

    [Fact]
    public async Task The_API_describes_every_route_it_has_and_no_page()
    {
        using var client = Server.Visit(Server.First);
        var document = await client.GetAsync("/openapi/v1.json");
        Assert.Equal(HttpStatusCode.OK, document.Status);
        var paths = document.Json.GetProperty("paths").EnumerateObject().Select(path => path.Name).ToHashSet();
        var missing = Server.Endpoints.Where(Routes.IsApi).Select(endpoint => System.Text.RegularExpressions.Regex.Replace(Routes.Path(endpoint), @":[^}]+\}", "}").TrimEnd('/')).Where(path => !paths.Contains(path)).ToList();
        Assert.True(missing.Count == 0, string.Join(", ", missing));
        Assert.DoesNotContain(paths, path => !path.StartsWith("/api/", StringComparison.Ordinal) && !path.StartsWith("/health/", StringComparison.Ordinal));
    }
}
