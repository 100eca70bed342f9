using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
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
            // Six starts, one of which ended in order: who reads the log sees the five that did not.
            await using (var lives = databases.Operator.CreateCommand("SELECT count(*) FILTER (WHERE action = 'system.started') || ' ' || count(*) FILTER (WHERE action = 'system.stopped') FROM ledger.event"))
                Assert.Equal($"{Rounds + 1} 1", await lives.ExecuteScalarAsync());
            var reports = await services.GetRequiredService<DatabaseVerifier>().VerifyAllAsync(null, null, CancellationToken.None);
            Assert.All(reports, report => Assert.True(report.ExitCode == 0, report.ToText()));
            Assert.NotEmpty(reports);
        });
    }

    [Fact]
    public async Task PostgreSQL_that_is_killed_is_started_again_and_until_then_everybody_is_told_to_wait()
    {
        await using var folder = await ServerFolder.CreateAsync();
        using var server = await ServerProcess.UpAsync(folder.DataFolder);
        using var client = new ClinicClient(server.Port, folder.Host);
        var code = Totp.Code(folder.Secret, Totp.StepAt(TimeProvider.System.GetUtcNow()));
        Assert.Equal(HttpStatusCode.OK, (await client.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = folder.Email, password = TestServer.Password, code })).Status);
        var made = await client.JsonAsync(HttpMethod.Post, "/api/patients", new { givenNames = "Ada", familyName = "Before", dateOfBirth = "1980-02-03" });
        Assert.Equal(HttpStatusCode.Created, made.Status);

        var elsewhere = Path.Combine(folder.DataFolder, "cluster-path");
        var cluster = Path.Combine(File.Exists(elsewhere) ? (await File.ReadAllTextAsync(elsewhere)).Trim() : folder.DataFolder, "postgres");
        var postmaster = int.Parse((await File.ReadAllLinesAsync(Path.Combine(cluster, "postmaster.pid")))[0], CultureInfo.InvariantCulture);
        using (var killed = Process.GetProcessById(postmaster)) killed.Kill();

        var answers = new List<HttpStatusCode>();
        for (var from = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(from) < TimeSpan.FromSeconds(90); await Task.Delay(100))
        {
            answers.Add((await client.GetAsync($"/api/patients/{made.Json.GetProperty("id").GetString()}")).Status);
            var page = await client.GetAsync("/sign-in");
            if (page.Status == HttpStatusCode.ServiceUnavailable) Assert.Contains("CHP-PLATFORM-0004", page.Text);
            answers.Add(page.Status);
            if (answers.Contains(HttpStatusCode.ServiceUnavailable) && answers[^2] == HttpStatusCode.OK) break;
        }
        Assert.Equal(HttpStatusCode.OK, answers[^2]);
        Assert.Contains(HttpStatusCode.ServiceUnavailable, answers);
        Assert.All(answers, answer => Assert.True(answer is HttpStatusCode.OK or HttpStatusCode.SeeOther or HttpStatusCode.ServiceUnavailable, $"{answer}\n{server.Said}"));
        Assert.Equal(HttpStatusCode.Created, (await client.JsonAsync(HttpMethod.Post, "/api/patients", new { givenNames = "Ada", familyName = "After", dateOfBirth = "1980-02-03", confirmedNotDuplicate = true })).Status);
        Assert.Contains("PostgreSQL runs again", server.Said);
        Assert.DoesNotContain("   at Npgsql", server.Said);
        Assert.Equal(0, await server.StopAsync());
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
