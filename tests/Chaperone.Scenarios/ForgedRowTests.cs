using System.Net;
using System.Security.Cryptography;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>
/// A superuser of the database, without the keys, who reaches the web server too: plants or bends the rows that signing in leaves behind, and comes with a token they know.
/// Triggers and policies do not stop them; the proofs do.
/// </summary>
[Collection(nameof(OwnServer))]
public sealed class ForgedRowTests(OwnServerFixture fixture)
{
    private TestServer Server => fixture.Server;

    private Guid Owner => Server.First.Account(BuiltInRole.Owner).Member;

    /// <summary>What a superuser may try with a session: SQL over <c>mine</c>, the session they hold, and <c>theirs</c>, one of the owner's.</summary>
    public static TheoryData<string> OfSessions =>
    [
        "UPDATE clinic.session SET member_id = {owner} WHERE {mine}",
        "UPDATE clinic.session SET member_id = {owner}, subject_id = {owner} WHERE {mine}",
        "UPDATE clinic.session SET absolute_ends_at = absolute_ends_at + interval '1 day', idle_ends_at = idle_ends_at + interval '1 day' WHERE {mine}",
        "UPDATE clinic.session SET second_factor_at = second_factor_at + interval '1 hour' WHERE {mine}",
        "UPDATE clinic.session SET second_factor_at = NULL WHERE {mine}",
        "UPDATE clinic.session SET client = 'gecko/windows' WHERE {mine}",
        "UPDATE clinic.session SET network = sha256('elsewhere') WHERE {mine}",
        "UPDATE clinic.session SET proof = sha256('mine') WHERE {mine}",
        "UPDATE clinic.session SET proof = '' WHERE {mine}",
        "UPDATE clinic.session s SET member_id = t.member_id, subject_id = t.subject_id, proof = t.proof FROM clinic.session t WHERE s.{mine} AND t.{theirs}",
        "DELETE FROM clinic.session WHERE {mine}; UPDATE clinic.session SET token_hash = {hash} WHERE {theirs}",
        """
        DELETE FROM clinic.session WHERE {mine};
        INSERT INTO clinic.session SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid(), 'token_hash', {hash}))).* FROM clinic.session s WHERE {theirs}
        """,
    ];

    [Theory]
    [MemberData(nameof(OfSessions))]
    public async Task A_session_planted_or_changed_in_the_database_is_nobodys(string sql)
    {
        using var owner = await Server.SignInAs(BuiltInRole.Owner);
        using var me = await Server.SignInAs(BuiltInRole.Nurse);
        Assert.Equal("nurse", await Role(me));
        var before = await Forged();
        var (mine, theirs) = (Hash(me.Cookies[SignInCookies.Session]), Hash(owner.Cookies[SignInCookies.Session]));

        await Server.Database.ExecuteAsync("SET session_replication_role = replica; " + sql.Replace("{mine}", $"token_hash = {mine}", StringComparison.Ordinal)
            .Replace("{theirs}", $"token_hash = {theirs}", StringComparison.Ordinal).Replace("{hash}", mine, StringComparison.Ordinal).Replace("{owner}", $"'{Owner}'", StringComparison.Ordinal));

        Assert.Equal(1L, await Server.Database.ExecuteAsync($"SELECT count(*) FROM clinic.session WHERE token_hash = {mine} AND ended_at IS NULL"));   // the attack did what it says
        var token = me.Cookies[SignInCookies.Session];
        var refused = await me.GetAsync("/api/me");
        Assert.Equal((HttpStatusCode.Unauthorized, "CHP-ACCESS-0003"), (refused.Status, refused.Code));
        Assert.False(me.Cookies.ContainsKey(SignInCookies.Session));
        me.Cookies[SignInCookies.Session] = token;
        Assert.Equal(HttpStatusCode.Unauthorized, (await me.GetAsync("/api/patients")).Status);
        Assert.Equal(before + 1, await Forged());   // told once: the row ended
    }

    [Fact]
    public async Task A_session_that_gave_its_second_factor_again_still_holds()
    {
        using var me = await Server.SignInAs(BuiltInRole.Nurse);
        Server.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal("CHP-ACCESS-0005", (await me.JsonAsync(HttpMethod.Post, "/api/auth/backup-codes", new { })).Code);
        var account = Server.First.Account(BuiltInRole.Nurse);
        Assert.Equal(HttpStatusCode.NoContent, (await me.JsonAsync(HttpMethod.Post, "/api/auth/step-up", new { code = await account.NextCodeAsync(Server.Clock) })).Status);
        Assert.Equal("nurse", await Role(me));
        Assert.Equal(HttpStatusCode.OK, (await me.JsonAsync(HttpMethod.Post, "/api/auth/backup-codes", new { })).Status);
    }

    [Theory]
    [InlineData("UPDATE clinic.trusted_device SET member_id = {owner}, security_stamp = (SELECT security_stamp FROM clinic.credential WHERE id = {owner}) WHERE {mine}")]
    [InlineData("UPDATE clinic.trusted_device SET member_id = {owner}, subject_id = {owner}, security_stamp = (SELECT security_stamp FROM clinic.credential WHERE id = {owner}), proof = sha256('x') WHERE {mine}")]
    public async Task A_trusted_device_planted_for_somebody_else_does_not_replace_their_code(string sql)
    {
        using var me = Server.Visit(Server.First);
        var (account, owner) = (Server.First.Account(BuiltInRole.Nurse), Server.First.Account(BuiltInRole.Owner));
        await me.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = account.Email, password = TestServer.Password, code = await account.NextCodeAsync(Server.Clock), rememberDevice = true });
        me.Cookies.Remove(SignInCookies.Session);
        Assert.Equal("signed_in", await SignIn(me, account));   // the device counts: no code was asked for

        var mine = $"token_hash = {Hash(me.Cookies[SignInCookies.Device])}";
        await Server.Database.ExecuteAsync("SET session_replication_role = replica; " + sql.Replace("{mine}", mine, StringComparison.Ordinal).Replace("{owner}", $"'{owner.Member}'", StringComparison.Ordinal));

        Assert.Equal(1L, await Server.Database.ExecuteAsync($"SELECT count(*) FROM clinic.trusted_device WHERE {mine} AND member_id = '{owner.Member}'"));
        Assert.Equal("code_required", await SignIn(me, owner));
        await Server.Database.ExecuteAsync($"DELETE FROM clinic.trusted_device WHERE {mine}");   // it opens for nobody any more, and other tests list devices
    }

    [Fact]
    public async Task A_trusted_device_cannot_be_prolonged()
    {
        using var me = Server.Visit(Server.First);
        var account = Server.First.Account(BuiltInRole.Hr);
        await me.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = account.Email, password = TestServer.Password, code = await account.NextCodeAsync(Server.Clock), rememberDevice = true });
        me.Cookies.Remove(SignInCookies.Session);
        await Server.Database.ExecuteAsync($"UPDATE clinic.trusted_device SET expires_at = expires_at + interval '1 year' WHERE token_hash = {Hash(me.Cookies[SignInCookies.Device])}");
        Assert.Equal("code_required", await SignIn(me, account));
    }

    [Theory]
    [InlineData("UPDATE clinic.one_time_link SET member_id = {owner} WHERE {mine}")]
    [InlineData("UPDATE clinic.one_time_link SET expires_at = expires_at + interval '1 year' WHERE {mine}")]
    [InlineData("UPDATE clinic.one_time_link SET purpose = 'invite' WHERE {mine}")]
    [InlineData("UPDATE clinic.one_time_link SET id = gen_random_uuid() WHERE {mine}")]
    public async Task A_one_time_link_planted_for_somebody_else_sets_no_password(string sql)
    {
        var token = await ResetLink();
        using var me = Server.Visit(Server.First);
        Assert.Equal(HttpStatusCode.OK, (await me.GetAsync("/reset/" + token)).Status);

        await Server.Database.ExecuteAsync(sql.Replace("{mine}", $"token_hash = {Hash(token)}", StringComparison.Ordinal).Replace("{owner}", $"'{Owner}'", StringComparison.Ordinal));

        Assert.Equal(1L, await Server.Database.ExecuteAsync($"SELECT count(*) FROM clinic.one_time_link WHERE token_hash = {Hash(token)} AND used_at IS NULL"));
        Assert.Equal("CHP-SIGNIN-0011", (await me.GetAsync("/reset/" + token)).Code);
        Assert.Equal("CHP-SIGNIN-0011", (await me.JsonAsync(HttpMethod.Post, "/api/auth/reset", new { token, password = "nine grey otters swim" })).Code);
        using var owner = await Server.SignInAs(BuiltInRole.Owner);   // with the old password
        Assert.Equal("owner", await Role(owner));
    }

    [Theory]
    [InlineData("INSERT INTO directory.setup_link (token_hash, proof, expires_at) SELECT {planted}, proof, expires_at FROM directory.setup_link WHERE token_hash = {real}")]
    [InlineData("INSERT INTO directory.setup_link (token_hash, proof, expires_at) SELECT {planted}, 'x', expires_at FROM directory.setup_link WHERE token_hash = {real}")]
    public async Task A_set_up_link_planted_in_the_database_makes_no_clinic(string sql)
    {
        using var me = new ClinicClient(Server.Port, "localhost");
        var real = await ((SetUpLinks)Server.Services.GetService(typeof(SetUpLinks))!).MakeAsync(CancellationToken.None);
        Assert.Equal(HttpStatusCode.OK, (await me.GetAsync(real)).Status);
        var planted = SecretToken.New();

        await Server.Database.ExecuteAsync(sql.Replace("{planted}", $@"'\x{Convert.ToHexStringLower(planted.Hash)}'::bytea", StringComparison.Ordinal).Replace("{real}", Hash(real[8..]), StringComparison.Ordinal));

        Assert.Equal("CHP-SIGNIN-0011", (await me.GetAsync("/set-up/" + planted.Text)).Code);
    }

    private async Task<string> ResetLink()
    {
        using var admin = await Server.SignInAs(BuiltInRole.Admin);
        var made = await admin.JsonAsync(HttpMethod.Post, $"/api/team/{Server.First.Account(BuiltInRole.Employee).Member}/reset-link", new { });
        return System.Text.RegularExpressions.Regex.Match(made.Text, "/reset/([A-Za-z0-9_-]{43})") is { Success: true } link ? link.Groups[1].Value : throw new InvalidOperationException(made.ToString());
    }

    private static async Task<string?> SignIn(ClinicClient client, TestAccount account) =>
        (await client.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = account.Email, password = TestServer.Password })).Json.GetProperty("status").GetString();

    private static async Task<string?> Role(ClinicClient client) => (await client.GetAsync("/api/me")).Json.GetProperty("roles")[0].GetString();

    private async Task<int> Forged() => (await Server.EventsAsync(Server.First)).Count(happened => happened is { Action: "security.session_forged", Severity: EventSeverity.Critical });

    // The attacker knows the token, and the hash of it is plain: their own row is easy to find, and a planted one easy to make.
    private static string Hash(string token) => $@"'\x{Convert.ToHexStringLower(SHA256.HashData(System.Buffers.Text.Base64Url.DecodeFromChars(token)))}'::bytea";
}
