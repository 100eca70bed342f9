using System.Collections.Concurrent;
using System.Net;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Postgres;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Scenarios;

/// <summary>The real process, killed again and again while patients are registered: what was acknowledged is there, and the log verifies.</summary>
public sealed class KillTests
{
    private const int Rounds = 5;

    [Fact]
    public async Task Nothing_acknowledged_is_lost_and_the_log_verifies_after_kill_9_in_a_loop()
    {
        await using var folder = await ServerFolder.CreateAsync();
        var acknowledged = new ConcurrentDictionary<Guid, string>();
        var cookies = new Dictionary<string, string>();
        for (var round = 0; round < Rounds; round++)
        {
            using var server = await ServerProcess.UpAsync(folder.DataFolder);
            using var client = new ClinicClient(server.Port, folder.Host);
            foreach (var (name, value) in cookies) client.Cookies[name] = value;
            if (cookies.Count == 0)
            {
                var code = Totp.Code(folder.Secret, Totp.StepAt(TimeProvider.System.GetUtcNow()));
                var answer = await client.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = folder.Email, password = TestServer.Password, code });
                Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
                cookies = client.Cookies.ToDictionary();
            }

            var before = acknowledged.Count;
            var writers = Enumerable.Range(0, 4).Select(writer => WriteAsync(server.Port, folder.Host, cookies, $"Killed{(char)('a' + round)}{(char)('a' + writer)}", acknowledged)).ToList();
            var patience = TimeProvider.System.GetTimestamp();
            while (acknowledged.Count < before + 5 && TimeProvider.System.GetElapsedTime(patience) < TimeSpan.FromSeconds(60)) await Task.Delay(10);
            await Task.Delay(round * 60);
            await server.KillAsync();
            await Task.WhenAll(writers);
            Assert.True(acknowledged.Count >= before + 5, $"round {round} wrote too little:\n{server.Said}");
        }

        using (var server = await ServerProcess.UpAsync(folder.DataFolder))
        {
            using var client = new ClinicClient(server.Port, folder.Host);
            foreach (var (name, value) in cookies) client.Cookies[name] = value;
            foreach (var (id, name) in acknowledged)
            {
                var answer = await client.GetAsync($"/api/patients/{id}");
                Assert.True(answer.Status == HttpStatusCode.OK, $"{name} was acknowledged and is gone: {answer}");
                Assert.Equal(name, answer.Json.GetProperty("familyName").GetString());
            }
            Assert.Equal(0, await server.StopAsync());
        }

        await folder.UseAsync(async services =>
        {
            var databases = services.GetRequiredService<Databases>();
            // A patient without an event, or an event without its patient, would be a half-written one.
            await using (var halves = databases.Operator.CreateCommand("""
                SELECT (SELECT count(*) FROM clinic.patient), (SELECT count(*) FROM ledger.event WHERE action = 'patient.created')
                """))
            await using (var reader = await halves.ExecuteReaderAsync())
            {
                await reader.ReadAsync();
                Assert.Equal(reader.GetInt64(0), reader.GetInt64(1));
                Assert.True(reader.GetInt64(0) >= acknowledged.Count);
            }
            var reports = await services.GetRequiredService<DatabaseVerifier>().VerifyAllAsync(null, null, CancellationToken.None);
            Assert.All(reports, report => Assert.True(report.ExitCode == 0, report.ToText()));
            Assert.NotEmpty(reports);
        });
    }

    private static async Task WriteAsync(int port, string host, IReadOnlyDictionary<string, string> cookies, string name, ConcurrentDictionary<Guid, string> acknowledged)
    {
        using var client = new ClinicClient(port, host);
        foreach (var (key, value) in cookies) client.Cookies[key] = value;
        try
        {
            for (var i = 0; ; i++)
            {
                var family = $"{name}{Letters(i)}";
                var answer = await client.JsonAsync(HttpMethod.Post, "/api/patients", new { familyName = family, dateOfBirth = "1980-01-01", gender = "unknown", confirmedNotDuplicate = true });
                if (answer.Status == HttpStatusCode.Created) acknowledged[answer.Json.GetProperty("id").GetGuid()] = family;
                else if ((int)answer.Status < 500) throw new InvalidOperationException(answer.ToString());
            }
        }
        catch (Exception ended) when (ended is HttpRequestException or IOException)
        {
            // The server was killed: what was not acknowledged may be there or not.
        }
    }

    private static string Letters(int number) => string.Concat(number.ToString("D4").Select(digit => (char)('a' + digit - '0')));
}
