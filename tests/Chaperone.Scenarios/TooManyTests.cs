using System.Globalization;
using System.Net;
using Chaperone.Clinic.Imports;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Scenarios;

/// <summary>Every 429 says when to come back.</summary>
public sealed class TooManyTests : IAsyncLifetime
{
    private TestServer server = null!;

    public async ValueTask InitializeAsync() => server = await TestServer.StartAsync();

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    [Theory]
    [InlineData("/api/auth/sign-in")]
    [InlineData("/api/auth/reset")]
    public async Task Network_that_guessed_too_often_is_told_how_long_to_wait(string path)
    {
        using var client = server.Visit(server.First);
        var token = new string('A', 43);
        for (var i = 0; i < NetworkLimit.Most; i++) Assert.Equal(HttpStatusCode.Gone, (await client.JsonAsync(HttpMethod.Post, "/api/auth/reset", new { token, password = "nine grey otters swim" })).Status);
        server.Clock.Advance(TimeSpan.FromMinutes(1));

        var answer = await client.JsonAsync(HttpMethod.Post, path, new { token, email = "nobody@first.test", password = "nine grey otters swim" });

        Assert.Equal((HttpStatusCode.TooManyRequests, "CHP-SIGNIN-0002"), (answer.Status, answer.Code));
        // Ten minutes less the one that was waited, and the real seconds the guesses took: the test's clock runs on.
        Assert.InRange(int.Parse(answer.Headers["Retry-After"], CultureInfo.InvariantCulture), 480, 540);
        Assert.Single(await server.EventsAsync(server.First), happened => happened.Action == "security.rate_limited");
    }

    [Fact]
    public async Task Who_comes_while_too_many_passwords_are_being_checked_is_told_to_come_back_soon()
    {
        using var owner = await server.SignInAs(BuiltInRole.Owner);
        using var client = server.Visit(server.First);
        using var done = new CancellationTokenSource();
        // At most 64 wait, and whoever had a turn comes again at once.
        var passwords = server.Services.GetRequiredService<Passwords>();
        var queue = Enumerable.Range(0, 64).Select(_ => Flood()).ToList();

        var api = await client.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = "nobody@first.test", password = "wrong" });
        var page = await client.FormAsync("/sign-in", new Dictionary<string, string> { ["email"] = "nobody@first.test", ["password"] = "wrong" }, "/sign-in");
        var change = await owner.JsonAsync(HttpMethod.Post, "/api/auth/password", new { current = TestServer.Password, @new = "nine grey otters swim" });
        await done.CancelAsync();
        await Task.WhenAll(queue);

        foreach (var answer in new[] { api, page, change })
        {
            Assert.True(answer is { Status: HttpStatusCode.TooManyRequests, Code: "CHP-SIGNIN-0003" } || (answer == page && answer.Status == HttpStatusCode.TooManyRequests), answer.ToString());
            Assert.InRange(int.Parse(answer.Headers["Retry-After"], CultureInfo.InvariantCulture), 1, 60);
        }

        async Task Flood()
        {
            while (!done.IsCancellationRequested)
            {
                try
                {
                    if ((await passwords.CheckAsync(null, "x", done.Token)).Error is not null) await Task.Delay(1);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }
    }

    [Fact]
    public async Task Who_uploads_while_many_do_is_told_to_come_back_soon()
    {
        var places = server.Services.GetRequiredService<UploadPlaces>();
        while (places.TryEnter())
        {
        }
        using var client = await server.SignInAs(BuiltInRole.Admin);
        using var file = Plausible.Upload("Given,Family\nA,B\n", await client.TokenAsync());
        var answer = await client.SendAsync(HttpMethod.Post, "/api/patients/import", file);
        Assert.Equal((HttpStatusCode.TooManyRequests, "CHP-IMPORT-0014"), (answer.Status, answer.Code));
        Assert.InRange(int.Parse(answer.Headers["Retry-After"], CultureInfo.InvariantCulture), 1, 60);
    }
}
