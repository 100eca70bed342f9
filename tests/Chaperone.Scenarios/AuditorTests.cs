using System.Net;
using System.Security.Cryptography;
using System.Text;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>An auditor with a token at the log's address, with their own tools; and who has no business there.</summary>
[Collection(nameof(OwnServer))]
public sealed class AuditorTests(OwnServerFixture fixture)
{
    private TestServer Server => fixture.Server;

    [Fact]
    public async Task An_auditor_verifies_the_log_by_its_address_with_our_program_and_with_others()
    {
        var clinic = await Server.AddClinicAsync("auditors.localhost");
        for (var i = 0; i < 300; i++) await Server.Run(new Clinic.Patients.ViewPatient(clinic.Patients[0]), BuiltInRole.Doctor, clinic);
        using var owner = await Server.SignInAs(BuiltInRole.Owner, clinic);
        var (token, _) = await MakeToken(owner);
        var integrity = await Signed(owner, 300);
        var folder = Directory.CreateTempSubdirectory("chaperone-auditor-").FullName;
        try
        {
            var key = VerifierKey.Parse(integrity.GetProperty("key").GetString()!);
            var report = await Verify(clinic, token, key);
            Assert.True(report.ExitCode == 0 && report.Verified >= 300, report.ToText());
            Assert.Equal(0, (await Verify(clinic, token, null)).ExitCode);   // with the key that the address gives
            Assert.Equal(2, (await Verify(clinic, null, key)).ExitCode);

            using var auditor = Server.Visit(clinic);
            var log = Path.Combine(folder, "log");
            await Download(auditor, clinic, token, log);
            var seen = (await Server.EventsAsync(clinic)).First(each => each.Action == "patient.viewed");
            await File.WriteAllTextAsync(Path.Combine(log, "1.tlog-proof"), (await owner.GetAsync($"/api/audit/events/{seen.Id}/proof")).Json.GetProperty("proof").GetString());
            Assert.Equal(["accepted"], await Outsiders.Go(log));
            Assert.Equal(["accepted"], await Outsiders.Sigstore(log));
            var entries = Path.Combine(log, "tile/entries/000");
            var bytes = await File.ReadAllBytesAsync(entries);
            Assert.DoesNotContain("patient.viewed", Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
            bytes[100] ^= 1;
            await File.WriteAllBytesAsync(entries, bytes);
            Assert.StartsWith("refused", (await Outsiders.Go(log))[0], StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Tiles_say_what_they_are_and_how_long_they_may_be_kept_and_nothing_unsigned_is_served()
    {
        var clinic = await Server.AddClinicAsync("tiles.localhost");
        for (var i = 0; i < 260; i++) await Server.Run(new Clinic.Patients.ViewPatient(clinic.Patients[0]), BuiltInRole.Doctor, clinic);
        using var owner = await Server.SignInAs(BuiltInRole.Owner, clinic);
        var (token, _) = await MakeToken(owner);
        await Signed(owner, 257);
        using var auditor = Server.Visit(clinic);
        var head = await Read(auditor, clinic, token, "checkpoint");
        Assert.Equal((HttpStatusCode.OK, "text/plain; charset=utf-8", "no-store"), (head.Status, head.Headers["Content-Type"], head.Headers["Cache-Control"]));
        var size = long.Parse(head.Text.Split('\n')[1], System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(size > 256);
        foreach (var path in (string[])["tile/0/000", "tile/0/000.p/7", "tile/entries/000", "tile/entries/000.p/1", $"tile/0/001.p/{size - 256}", $"tile/1/000.p/1"])
        {
            var tile = await Read(auditor, clinic, token, path);
            Assert.True(tile.Status == HttpStatusCode.OK, path);
            Assert.Equal("application/octet-stream", tile.Headers["Content-Type"]);
            Assert.Contains("immutable", tile.Headers["Cache-Control"], StringComparison.Ordinal);
            Assert.True(TileAddress.TryParse(path, out var address));
            Assert.Equal(address.Width * (address.Level < 0 ? 35 : 32), tile.Body.Length);
        }
        Assert.Equal((await Read(auditor, clinic, token, "tile/0/000")).Body[..(7 * 32)], (await Read(auditor, clinic, token, "tile/0/000.p/7")).Body);
        foreach (var path in (string[])["tile/0/001", $"tile/0/001.p/{size - 255}", "tile/0/x000/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/8/000", "tile/00/000", "tile/1/000", "tile/entries/001", "tile/data/000", "tile/../checkpoint2", "tile/", "manifest.json", "log.vkey", "event.json"])
            Assert.Equal(HttpStatusCode.NotFound, (await Read(auditor, clinic, token, path)).Status);
        Assert.Equal(HttpStatusCode.OK, (await Read(auditor, clinic, token, "vkey")).Status);
    }

    [Fact]
    public async Task Nobody_reads_without_a_token_that_works_here_and_what_was_read_stands_in_the_log_once_an_hour()
    {
        var clinic = await Server.AddClinicAsync("tokens.localhost");
        using var owner = await Server.SignInAs(BuiltInRole.Owner, clinic);
        using var theirOwner = await Server.SignInAs(BuiltInRole.Owner, Server.Second);
        var (token, id) = await MakeToken(owner);
        var (theirs, _) = await MakeToken(theirOwner);
        await Signed(owner, 1);
        using var auditor = Server.Visit(clinic);
        foreach (var bad in (string?[])[null, "", "x", theirs, SecretToken.New().Text, token[..^1], token + "A"])
        {
            var refused = await Read(auditor, clinic, bad, "checkpoint");
            Assert.Equal((HttpStatusCode.Unauthorized, "CHP-PROOF-0004", "Bearer"), (refused.Status, refused.Code, refused.Headers["WWW-Authenticate"]));
        }
        Assert.Equal(HttpStatusCode.NotFound, (await auditor.GetAsync($"/ledger/{Server.Second.Tenant.Id}/checkpoint", With(token))).Status);   // another clinic's log at this clinic's address
        using (var visitor = Server.Visit(Server.Second))
        {
            Assert.Equal(HttpStatusCode.NotFound, (await visitor.GetAsync($"/ledger/{clinic.Tenant.Id}/checkpoint", With(token))).Status);
            Assert.Equal(HttpStatusCode.Unauthorized, (await visitor.GetAsync($"/ledger/{Server.Second.Tenant.Id}/checkpoint", With(token))).Status);
        }
        Assert.Equal(HttpStatusCode.Unauthorized, (await owner.GetAsync($"/ledger/{clinic.Tenant.Id}/checkpoint")).Status);   // a session is no token
        Assert.Equal(HttpStatusCode.Unauthorized, (await auditor.GetAsync($"/ledger/{clinic.Tenant.Id}/checkpoint?token={token}")).Status);

        for (var i = 0; i < 5; i++) Assert.Equal(HttpStatusCode.OK, (await Read(auditor, clinic, token, i % 2 == 0 ? "checkpoint" : "vkey")).Status);
        var read = (await Server.EventsAsync(clinic)).Where(each => each.Action == "audit.tree_read").ToList();
        Assert.Equal(id, Assert.Single(read, each => each.Outcome == EventOutcome.Success).Entity!.Id);
        Assert.All(read.Where(each => each.Outcome == EventOutcome.Failure), each => Assert.Contains(each.Reason, (string[])["CHP-PROOF-0004", "CHP-ACCESS-0001"]));
        Server.Clock.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal(HttpStatusCode.OK, (await Read(auditor, clinic, token, "checkpoint")).Status);
        Assert.Equal(2, (await Server.EventsAsync(clinic)).Count(each => each.Action == "audit.tree_read" && each.Outcome == EventOutcome.Success));

        using var later = await Server.SignInAs(BuiltInRole.Owner, clinic);
        Assert.Equal(HttpStatusCode.NoContent, (await later.SendAsync(HttpMethod.Delete, $"/api/audit/auditors/{id}")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Read(auditor, clinic, token, "vkey")).Status);   // although the reading is under way
        Assert.Equal(HttpStatusCode.NotFound, (await later.SendAsync(HttpMethod.Delete, $"/api/audit/auditors/{id}")).Status);
        Assert.DoesNotContain(token, (await later.GetAsync("/settings/audit-log/auditors")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clinic_may_let_everybody_read_and_stop_that()
    {
        var clinic = await Server.AddClinicAsync("public.localhost");
        using var owner = await Server.SignInAs(BuiltInRole.Owner, clinic);
        await Signed(owner, 1);
        using var anybody = Server.Visit(clinic);
        Assert.Equal(HttpStatusCode.NoContent, (await owner.JsonAsync(HttpMethod.Put, "/api/audit/publication", new { everybody = true })).Status);
        Assert.Equal(HttpStatusCode.OK, (await Read(anybody, clinic, null, "checkpoint")).Status);
        Assert.Contains("Everybody can read it", (await owner.GetAsync("/settings/audit-log/auditors")).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.SeeOther, (await owner.FormAsync("/settings/audit-log/auditors/publication", new Dictionary<string, string> { ["everybody"] = "false" })).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Read(anybody, clinic, null, "checkpoint")).Status);
        var changes = (await Server.EventsAsync(clinic)).Where(each => each.Action == "settings.modified").SelectMany(each => each.Changes).Where(change => change.Field == "log_readers").ToList();
        Assert.Equal([("token", "everybody"), ("everybody", "token")], changes.Select(change => (change.Before, change.After)));
        Assert.Equal(HttpStatusCode.BadRequest, (await owner.JsonAsync(HttpMethod.Put, "/api/audit/publication", new { })).Status);

        using var reception = await Server.SignInAs(BuiltInRole.Reception, clinic);
        Assert.Equal(HttpStatusCode.Forbidden, (await reception.JsonAsync(HttpMethod.Put, "/api/audit/publication", new { everybody = true })).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await reception.JsonAsync(HttpMethod.Post, "/api/audit/auditors", new { name = "Me", days = 7 })).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await owner.FormAsync("/settings/audit-log/auditors", new Dictionary<string, string> { ["name"] = "", ["days"] = "0" })).Status);
        Assert.Contains("It is shown only here", (await owner.FormAsync("/settings/audit-log/auditors", new Dictionary<string, string> { ["name"] = "The insurer", ["days"] = "7" })).Text, StringComparison.Ordinal);
    }

    /// <summary>What a superuser of the database, without the keys, may try: SQL over <c>{hash}</c>, of a token they know, and <c>{clinic}</c>.</summary>
    public static TheoryData<string> Forged =>
    [
        "INSERT INTO clinic.log_token SELECT (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), 'token_hash', {hash}))).* FROM clinic.log_token t WHERE tenant_id = {clinic}",
        "UPDATE clinic.log_token SET token_hash = {hash} WHERE tenant_id = {clinic}",
        "UPDATE clinic.log_token SET token_hash = {hash}, proof = sha256('mine') WHERE tenant_id = {clinic}",
        "INSERT INTO clinic.log_publication VALUES ({clinic}, {clinic}, now(), true, sha256('mine'))",
        "INSERT INTO clinic.log_publication VALUES ({clinic}, {clinic}, now(), true, '')",
    ];

    [Theory]
    [MemberData(nameof(Forged))]
    public async Task A_token_or_switch_planted_or_changed_in_the_database_opens_nothing(string sql)
    {
        var clinic = await Server.AddClinicAsync($"forged{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql)))[..6]}.localhost");
        using var owner = await Server.SignInAs(BuiltInRole.Owner, clinic);
        var (token, _) = await MakeToken(owner);
        await Signed(owner, 1);
        using var auditor = Server.Visit(clinic);
        Assert.Equal(HttpStatusCode.OK, (await Read(auditor, clinic, token, "vkey")).Status);

        var mine = SecretToken.New();
        var hash = $"'\\x{Convert.ToHexStringLower(mine.Hash)}'";
        await Server.Database.ExecuteAsync("SET session_replication_role = replica; " + sql.Replace("{hash}", sql.Contains("jsonb", StringComparison.Ordinal) ? hash : hash + "::bytea", StringComparison.Ordinal).Replace("{clinic}", $"'{clinic.Tenant.Id}'", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Unauthorized, (await Read(auditor, clinic, mine.Text, "vkey")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Read(auditor, clinic, null, "vkey")).Status);
    }

    [Fact]
    public async Task A_token_that_ran_out_does_not_come_back_by_a_later_date_in_the_database()
    {
        var clinic = await Server.AddClinicAsync("later.localhost");
        using var owner = await Server.SignInAs(BuiltInRole.Owner, clinic);
        var (token, id) = await MakeToken(owner);
        using var auditor = Server.Visit(clinic);
        Assert.Equal(HttpStatusCode.OK, (await Read(auditor, clinic, token, "vkey")).Status);
        await Server.Database.ExecuteAsync($"SET session_replication_role = replica; UPDATE clinic.log_token SET expires_at = expires_at + interval '1 year' WHERE id = '{id}'");
        Assert.Equal(HttpStatusCode.Unauthorized, (await Read(auditor, clinic, token, "vkey")).Status);
    }

    private static async Task<(string Token, Guid Id)> MakeToken(ClinicClient owner)
    {
        var made = await owner.JsonAsync(HttpMethod.Post, "/api/audit/auditors", new { name = "Aud Itor", days = 30 });
        Assert.True(made.Status == HttpStatusCode.Created, made.ToString());
        var listed = (await owner.GetAsync("/api/audit/auditors")).Json.GetProperty("tokens")[0];
        Assert.Equal("Aud Itor", listed.GetProperty("name").GetString());
        return (made.Json.GetProperty("token").GetString()!, listed.GetProperty("id").GetGuid());
    }

    /// <summary>Waits until a checkpoint covers so many events.</summary>
    private static async Task<System.Text.Json.JsonElement> Signed(ClinicClient owner, long size)
    {
        for (var tries = 0; ; tries++)
        {
            var checkpoint = (await owner.GetAsync("/api/audit/integrity")).Json.GetProperty("checkpoint");
            if (checkpoint.ValueKind == System.Text.Json.JsonValueKind.Object && checkpoint.GetProperty("size").GetInt64() >= size) return checkpoint;
            Assert.True(tries < 100, "no checkpoint covers the events");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    private async Task<VerificationReport> Verify(TestClinic clinic, string? token, VerifierKey? key)
    {
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Host = clinic.Host;   // names under localhost are not known to every resolver
        if (token is not null) client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using var log = new HttpLogSource(client, new Uri($"http://127.0.0.1:{Server.Port}/ledger/{clinic.Tenant.Id}/"));
        return await Task.Run(() => Verifier.Verify(log, "address", new() { Key = key }));
    }

    private static Action<HttpRequestMessage> With(string? token) => request =>
    {
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
    };

    private static Task<Answer> Read(ClinicClient client, TestClinic clinic, string? token, string path) => client.GetAsync($"/ledger/{clinic.Tenant.Id}/{path}", With(token));

    private static async Task Download(ClinicClient client, TestClinic clinic, string token, string folder)
    {
        var checkpoint = await Read(client, clinic, token, "checkpoint");
        var size = long.Parse(checkpoint.Text.Split('\n')[1], System.Globalization.CultureInfo.InvariantCulture);
        var files = new Dictionary<string, string> { ["checkpoint"] = "checkpoint", ["vkey"] = "log.vkey" };
        for (var level = Tiles.EntriesLevel; level <= Tiles.HighestLevel; level++)
            for (long n = 0; n < Tiles.CountAt(level, size); n++)
            {
                var path = new TileAddress(level, n, Tiles.WidthAt(level, n, size)).Path;
                files[path] = path;
            }
        foreach (var (path, file) in files)
        {
            var answer = path == "checkpoint" ? checkpoint : await Read(client, clinic, token, path);
            Assert.True(answer.Status == HttpStatusCode.OK, path);
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, file))!);
            await File.WriteAllBytesAsync(Path.Combine(folder, file), answer.Body);
        }
    }
}
