using System.Net;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Scenarios;

/// <summary>Guessing passwords over HTTP.</summary>
[Collection(nameof(OwnServer))]
public sealed class GuessingTests(OwnServerFixture fixture) : IDisposable
{
    private TestServer Server => fixture.Server;

    public void Dispose() => Server.ForgetFailures();

    [Fact]
    public async Task Of_200_parallel_guesses_at_most_five_are_evaluated_and_the_account_is_locked()
    {
        // The limit by network would hide the one by account: it is another test's.
        var account = Server.Second.Account(BuiltInRole.Nurse);
        var passwords = Server.Services.GetRequiredService<Passwords>();
        Server.ForgetFailures();
        var before = passwords.Evaluated;
        using var client = Server.Visit(Server.Second);
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => client.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = account.Email, password = $"guess number {i}" })));
        Assert.All(answers, answer => Assert.True(answer is { Status: HttpStatusCode.Unauthorized, Code: "CHP-SIGNIN-0001" } or { Status: HttpStatusCode.TooManyRequests }, answer.ToString()));
        Assert.InRange(passwords.Evaluated - before, 1, 5);

        var events = (await Server.EventsAsync(Server.Second)).Where(happened => happened.Entity?.Id == account.Member).ToList();
        Assert.Single(events, happened => happened is { Action: "auth.locked", Outcome: EventOutcome.Failure });
        Assert.Contains(await Server.EventsAsync(Server.Second), happened => happened.Action == "security.rate_limited");

        Server.ForgetFailures();
        before = passwords.Evaluated;
        var right = await client.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = account.Email, password = TestServer.Password, code = await account.NextCodeAsync(Server.Clock) });
        Assert.Equal(HttpStatusCode.Unauthorized, right.Status);
        Assert.Equal(before, passwords.Evaluated);

        Server.Clock.Advance(TimeSpan.FromMinutes(31));
        right = await client.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = account.Email, password = TestServer.Password, code = await account.NextCodeAsync(Server.Clock) });
        Assert.Equal(HttpStatusCode.OK, right.Status);
    }

    [Fact]
    public async Task Unknown_wrong_and_malformed_addresses_get_the_same_answer()
    {
        Server.ForgetFailures();
        var account = Server.Second.Account(BuiltInRole.Finance);
        using var client = Server.Visit(Server.Second);
        var answers = new List<Answer>();
        foreach (var email in new[] { account.Email, "nobody@second.test", "not an address", "", "'; --", new string('x', 5000) })
            answers.Add(await client.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email, password = "the wrong password", code = "000000" }));
        Assert.All(answers, answer =>
        {
            Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
            Assert.Equal(answers[0].Text, answer.Text);
            Assert.Equal(Names(answers[0]), Names(answer));
        });

        static string Names(Answer answer) => string.Join(' ', answer.Headers.Keys.Order(StringComparer.Ordinal));
    }
}
