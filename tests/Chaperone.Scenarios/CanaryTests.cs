using System.Net;
using System.Security.Cryptography;
using System.Text;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>Unmistakable personal data goes in by every way there is; no byte of it may lie anywhere on disk or in a log in clear.</summary>
public sealed class CanaryTests
{
    [Fact]
    public async Task No_personal_data_lies_on_disk_or_in_logs_in_clear()
    {
        var since = TimeProvider.System.GetUtcNow().AddSeconds(-5);
        await using var server = await TestServer.StartAsync();
        var word = "Zq" + new string([.. RandomNumberGenerator.GetBytes(10).Select(random => (char)('a' + (random % 26)))]);
        var (phone, nhs, postcode) = ("07" + Digits(9), NhsNumber(), $"ZQ{Digits(1)} {Digits(1)}XV");
        var search = new DiskSearch([word, phone, nhs]);
        var client = await server.SignInAs(BuiltInRole.Owner);

        // The register, by API and page.
        object Person(int number, object? more = null) => more ?? new
        {
            familyName = $"{word}Family{(char)('A' + number)}", givenNames = $"{word}Given", dateOfBirth = "1931-07-1" + number, gender = "female", nhsNumber = number == 0 ? nhs : null,
            phone, email = $"{word}@example.org", address = new { lines = new[] { $"1 {word} Road" }, city = word, postcode }, birthPlace = word, ethnicity = word,
            identifiers = new[] { new { type = "passport", value = word } }, other = new Dictionary<string, string> { [$"{word}column"] = word },
        };
        var made = await client.JsonAsync(HttpMethod.Post, "/api/patients", Person(0));
        Assert.True(made.Status == HttpStatusCode.Created, made.ToString());
        var (path, id) = (made.Location!, made.Json.GetProperty("id").GetGuid());
        var changed = await client.JsonAsync(HttpMethod.Put, path, Person(1), request => request.Headers.TryAddWithoutValidation("If-Match", made.Headers["ETag"]));
        Assert.True(changed.Status == HttpStatusCode.OK, changed.ToString());
        var registered = await client.FormAsync("/patients/new", new Dictionary<string, string> { ["familyName"] = $"{word}Form", ["givenNames"] = word, ["dateOfBirth"] = "1932-08-09", ["gender"] = "male", ["phone"] = phone });
        Assert.True(registered.Status == HttpStatusCode.SeeOther, registered.ToString());
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/patients/{id}")).Status);

        // Searching, by every door; a refused form; an unreadable body.
        foreach (var text in new[] { word, $"{word}Fam", phone, nhs, $"{word}@example.org" })
        {
            Assert.Equal(HttpStatusCode.OK, (await client.JsonAsync(HttpMethod.Post, "/api/patients/find", new { text })).Status);
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/patients?find=" + Uri.EscapeDataString(text))).Status);
            await client.FormAsync("/patients", new Dictionary<string, string> { ["text"] = text });
        }
        Assert.Contains(word, (await client.JsonAsync(HttpMethod.Post, "/api/patients/find", new { text = word })).Text);
        await client.FormAsync("/patients/new", new Dictionary<string, string> { ["familyName"] = "", ["givenNames"] = word, ["phone"] = word });
        await client.JsonAsync(HttpMethod.Post, "/api/patients", $"{{\"familyName\":\"{word}\",");
        await client.GetAsync($"/{word}/{phone}?{word}={nhs}");
        var tag = (await client.GetAsync(path)).Headers["ETag"];
        await client.JsonAsync(HttpMethod.Delete, path + "?reason=other", new { note = $"{word} said so" }, request => request.Headers.TryAddWithoutValidation("If-Match", tag));

        // The schedule: what is typed about an appointment, in booking, moving and cancelling.
        object Visit(int minutes) => new { patientId = server.First.Patients[1], practitionerId = server.First.Account(BuiltInRole.Doctor).Member, type = "consultation", startsAt = KnownIds.Soon(server.Clock), minutes, reason = $"{word} ache", note = $"{word} {phone}", confirmOutsideHours = true };
        var visit = await client.JsonAsync(HttpMethod.Post, "/api/appointments", Visit(20));
        Assert.True(visit.Status == HttpStatusCode.Created, visit.ToString());
        Assert.Equal(HttpStatusCode.OK, (await client.JsonAsync(HttpMethod.Put, visit.Location!, Visit(30), request => request.Headers.TryAddWithoutValidation("If-Match", "\"1\""))).Status);
        Assert.Equal(HttpStatusCode.OK, (await client.JsonAsync(HttpMethod.Post, visit.Location! + "/cancel", new { reason = "other", note = $"{word} rang" })).Status);
        Assert.Contains(word, (await client.GetAsync(visit.Location!)).Text);
        await client.JsonAsync(HttpMethod.Post, "/api/appointments", new { type = word, startsAt = word, reason = new string('x', 300) + word });

        // An investigation: title, reason, why, notes, conclusion; and its evidence, which leaves with all of it.
        var opened = await client.JsonAsync(HttpMethod.Post, "/api/investigations", new { title = $"{word} case", reason = $"{word} said so", about = new[] { id }, filter = new Dictionary<string, string> { ["subject"] = id.ToString() } });
        Assert.True(opened.Status == HttpStatusCode.Created, opened.ToString());
        var matter = "/investigations/" + opened.Json.GetProperty("id").GetGuid();
        Assert.Equal(HttpStatusCode.Created, (await client.JsonAsync(HttpMethod.Post, $"/api{matter}/notes", new { text = $"{word} {phone}" })).Status);
        await client.FormAsync("/settings/investigations", new Dictionary<string, string> { ["title"] = $"{word} form", ["reason"] = "" }, "/settings/investigations/new");
        await client.FormAsync($"/settings{matter}/records", new Dictionary<string, string> { ["record"] = server.First.Patients[0].ToString(), ["recordWhy"] = $"{word} again" }, $"/settings{matter}");
        Assert.Equal(HttpStatusCode.NoContent, (await client.JsonAsync(HttpMethod.Post, $"/api{matter}/conclusion", new { outcome = "inconclusive", text = $"{word} it was" }, request => request.Headers.TryAddWithoutValidation("If-Match", "\"1\""))).Status);
        Assert.Contains($"{word} it was", (await client.GetAsync($"/settings{matter}")).Text);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/api{matter}/evidence")).Status);

        // Signing in: names nobody has, as browsers send them.
        using (var stranger = server.Visit(server.First))
        {
            stranger.UserAgent = $"Mozilla/5.0 (X11; Linux x86_64) {word} Chrome/1.0";
            await stranger.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = $"{word}@example.org", password = word });
            await stranger.FormAsync("/sign-in", new Dictionary<string, string> { ["email"] = $"{word}@example.org", ["password"] = word }, "/sign-in");
            var account = server.First.Account(BuiltInRole.Nurse);
            Assert.Equal(HttpStatusCode.OK, (await stranger.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = account.Email, password = TestServer.Password, code = await account.NextCodeAsync(server.Clock), rememberDevice = true })).Status);
        }

        IReadOnlyList<string> whileRunning = [];
        await ImportAsync(server, client, word, phone, () => whileRunning = search.Search(Changed(since)));

        await server.Database.ExecuteAsync("CHECKPOINT");
        var hits = search.Search(Places(server, since)).Concat(whileRunning).Concat(search.SearchText(server.Logs.Lines)).Distinct().ToList();
        Assert.True(hits.Count == 0, string.Join('\n', hits));

        // The same search finds a clear row, and each spelling in a file.
        await server.Database.ExecuteAsync($"CREATE TABLE public.scratch (clear text); INSERT INTO public.scratch VALUES ('{word}'); CHECKPOINT");
        Assert.NotNull(DiskSearch.Files((await TestCluster.GetAsync()).ClusterFolder).FirstOrDefault(file => search.Search(file).Count > 0));
        var planted = Path.Combine(server.DataFolder, "planted");
        foreach (var bytes in new[] { Encoding.Unicode.GetBytes("xx" + word), Encoding.ASCII.GetBytes(Convert.ToHexString(Encoding.UTF8.GetBytes("y" + word))), Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes("z" + word + "tail"))), Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes("zz" + word.ToUpperInvariant()))) })
        {
            await File.WriteAllBytesAsync(planted, [.. new byte[4 * 1024 * 1024 - 7], .. bytes]);
            Assert.NotEmpty(search.Search(planted));
        }
    }

    /// <summary>Everything of ours, and what changed in the places that libraries spill into.</summary>
    private static IEnumerable<string> Places(TestServer server, DateTimeOffset since)
    {
        var cluster = TestCluster.GetAsync().GetAwaiter().GetResult();
        return DiskSearch.Files(cluster.ClusterFolder).Concat(DiskSearch.Files(cluster.DataFolder)).Concat(DiskSearch.Files(server.DataFolder)).Concat(Changed(since)).Distinct();
    }

    // Database files of other runs in the temporary folder are theirs.
    private static IEnumerable<string> Changed(DateTimeOffset since) => new[] { Path.GetTempPath(), "/var/tmp", Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) }
        .SelectMany(folder => DiskSearch.Files(folder, since)).Where(file => !file.Contains("/postgres/", StringComparison.Ordinal));

    /// <summary>Brings a file with the words in, by API, and looks at the disk while it is being taken.</summary>
    private static async Task ImportAsync(TestServer server, ClinicClient client, string word, string phone, Action look)
    {
        // Synthea's columns map by themselves.
        var csv = new StringBuilder("Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,ZIP,LAT,LON,HEALTHCARE_EXPENSES,HEALTHCARE_COVERAGE\n");
        for (var i = 0; i < 1500; i++)
            csv.Append($"{Guid.NewGuid()},19{i % 60 + 10:00}-01-{i % 28 + 1:00},,{word}{i},{word}D{i},{word}P{i},Mrs,{word}{(char)('a' + i % 26)}{(char)('a' + i / 26 % 26)},{word}{(char)('a' + i / 676)},,{word},M,white,nonhispanic,F,{word},{i} {word} Street,{word},Kent,,{i:00000},,,,\n");
        var answering = SendAsync(csv.ToString());
        await Task.Delay(300);
        await Task.Run(look);
        var answer = await answering;
        Assert.True(answer.Status is HttpStatusCode.OK or HttpStatusCode.Accepted, answer.ToString());
        await SendAsync($"FIRST,LAST\n\"{word},\"{word}\n{phone}");
        for (var waited = 0; waited < 600 && (long)(await server.Database.ExecuteAsync("SELECT count(*) FROM clinic.patient"))! < 1500; waited++) await Task.Delay(100);
        Assert.True((long)(await server.Database.ExecuteAsync("SELECT count(*) FROM clinic.patient"))! >= 1500, "the import did not end");

        async Task<Answer> SendAsync(string text)
        {
            using var upload = Plausible.Upload(text, null);
            return await client.SendAsync(HttpMethod.Post, "/api/patients/import", upload);
        }
    }

    private static string Digits(int count) => string.Concat(RandomNumberGenerator.GetBytes(count).Select(random => (char)('0' + (random % 10))));

    // Ten digits, the last a check digit modulo 11 (NHS Data Dictionary).
    private static string NhsNumber()
    {
        while (true)
        {
            var digits = "9" + Digits(8);
            var check = 11 - (digits.Select((digit, place) => (digit - '0') * (10 - place)).Sum() % 11);
            if (check != 10) return digits + (check == 11 ? 0 : check);
        }
    }
}
