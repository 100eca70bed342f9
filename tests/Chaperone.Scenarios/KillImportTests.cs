using System.Globalization;
using System.Net;
using System.Text;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Postgres;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Scenarios;

/// <summary>The real process, killed in the middle of an import: the next start carries it through, and nobody is there twice.</summary>
public sealed class KillImportTests
{
    private const int Rows = 12_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(150);

    [Fact]
    public async Task An_import_killed_in_the_middle_is_finished_by_the_next_start_with_nobody_twice()
    {
        await using var folder = await ServerFolder.CreateAsync();
        Dictionary<string, string> cookies;
        Guid import;
        int done;
        using (var server = await ServerProcess.UpAsync(folder.DataFolder))
        {
            using var client = new ClinicClient(server.Port, folder.Host);
            var code = Totp.Code(folder.Secret, Totp.StepAt(TimeProvider.System.GetUtcNow()));
            Assert.Equal(HttpStatusCode.OK, (await client.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = folder.Email, password = TestServer.Password, code })).Status);
            cookies = client.Cookies.ToDictionary();
            var sent = client.SendAsync(HttpMethod.Post, "/api/patients/import", Plausible.Upload(File(), null));
            (import, done) = await WatchAsync(server, folder, cookies, state => state.Done is > 0 and < Rows, sent);
            await server.KillAsync();
            try
            {
                await sent;
            }
            catch (Exception ended) when (ended is HttpRequestException or IOException)
            {
                // killed before it answered
            }
        }
        Assert.InRange(done, 1, Rows - 1);

        using (var server = await ServerProcess.UpAsync(folder.DataFolder))
        {
            using var client = Client(server, folder, cookies);
            var left = (await client.GetAsync($"/api/patients/import/{import}")).Json;
            Assert.True(left.GetProperty("done").GetInt32() >= done, "what was acknowledged is gone");
            await WatchAsync(server, folder, cookies, state => state.State == "finished", null);
            var report = (await client.GetAsync($"/api/patients/import/{import}")).Json;
            Assert.Equal((Rows, Rows, 0, 0), (report.GetProperty("done").GetInt32(), report.GetProperty("created").GetInt32(), report.GetProperty("unchanged").GetInt32(), report.GetProperty("skipped").GetInt32()));
            Assert.Equal(0, await server.StopAsync());
        }

        await folder.UseAsync(async services =>
        {
            var databases = services.GetRequiredService<Databases>();
            await using (var counts = databases.Operator.CreateCommand(
                "SELECT (SELECT count(*) FROM clinic.patient), (SELECT count(DISTINCT token) FROM clinic.external_id), (SELECT count(*) FROM clinic.upload_chunk)"))
            await using (var reader = await counts.ExecuteReaderAsync())
            {
                await reader.ReadAsync();
                Assert.Equal((Rows, Rows, 0L), (reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2)));
            }
            var reports = await services.GetRequiredService<DatabaseVerifier>().VerifyAllAsync(null, null, CancellationToken.None);
            Assert.All(reports, report => Assert.True(report.ExitCode == 0, report.ToText()));
            Assert.NotEmpty(reports);
        });
    }

    private static ClinicClient Client(ServerProcess server, ServerFolder folder, Dictionary<string, string> cookies)
    {
        var client = new ClinicClient(server.Port, folder.Host);
        foreach (var (name, value) in cookies) client.Cookies[name] = value;
        return client;
    }

    /// <summary>Asks for the only import until it is as wanted; an upload that ended in a refusal is told.</summary>
    private static async Task<(Guid Id, int Done)> WatchAsync(ServerProcess server, ServerFolder folder, Dictionary<string, string> cookies, Func<(string State, int Done), bool> wanted, Task<Answer>? sent)
    {
        using var client = Client(server, folder, cookies);
        var (began, last) = (TimeProvider.System.GetTimestamp(), "nothing");
        while (TimeProvider.System.GetElapsedTime(began) < Patience)
        {
            var listed = await client.GetAsync("/api/patients/import");
            if (listed is { Status: HttpStatusCode.OK } && listed.Json.GetProperty("items").EnumerateArray().FirstOrDefault() is { ValueKind: System.Text.Json.JsonValueKind.Object } job)
            {
                var (id, state, done) = (job.GetProperty("id").GetGuid(), job.GetProperty("state").GetString()!, job.GetProperty("done").GetInt32());
                if (wanted((state, done))) return (id, done);
            }
            last = listed.ToString();
            if (sent is { IsCompleted: true } && (int)(await sent).Status >= 400) throw new InvalidOperationException((await sent).ToString());
            await Task.Delay(20);
        }
        throw new TimeoutException($"The import did not come so far: {last}\n{server.Said}");
    }

    private static string File()
    {
        var csv = new StringBuilder("Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,ZIP,LAT,LON,HEALTHCARE_EXPENSES,HEALTHCARE_COVERAGE\n");
        for (var i = 0; i < Rows; i++)
            csv.Append(CultureInfo.InvariantCulture, $"kill-{i},{1930 + (i % 80)}-0{1 + (i % 9)}-1{i % 10},,,,,,Given{(char)('a' + (i % 26))}{(char)('a' + (i / 26 % 26))},Family{(char)('a' + (i / 676 % 26))},,,,,,F,,,,,,,,,,\n");
        return csv.ToString();
    }
}
