using System.Net;
using System.Text.Json;
using Chaperone.Clinic.Mail;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Clinic.Tests.Mail;

/// <summary>Mail from the act that wants it to the mail server, through failures, and what the clinic's people see of it.</summary>
[Collection(nameof(MailHouses))]
public sealed class MailQueueTests(MailHouseServer at) : IAsyncLifetime
{
    private MailHouse house = null!;

    public async ValueTask InitializeAsync() => house = await MailHouse.CreateAsync(at);

    public async ValueTask DisposeAsync() => await house.DisposeAsync();

    [Fact]
    public async Task An_invitation_goes_out_by_itself_with_its_link_and_leaves_nothing_of_it_behind()
    {
        var (id, path) = await house.InviteAsync("nora@out.example");
        var mail = await house.Mail.NextAsync();
        Assert.Equal(("desk@clinic.example", "nora@out.example", "clinic"), (mail.From, Assert.Single(mail.To), mail.User));
        Assert.Equal($"You are invited – Clinic {house.Clinic.Host}", mail.Subject);
        Assert.Equal($"http://{house.Clinic.Host}:{house.Server.Port}{path}", mail.Link.AbsoluteUri);
        Assert.Contains(mail.Link.AbsoluteUri, mail.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("Nora New", mail.Raw + mail.Text + mail.Html, StringComparison.OrdinalIgnoreCase);

        var sent = Assert.Single(await house.EventsAsync("mail.sent", 1));
        Assert.Equal((EventOutcome.Success, ActorKind.System, "mail"), (sent.Outcome, sent.Actor.Kind, sent.Entity!.Type));
        Assert.Equal([id], sent.Subjects);
        Assert.Equal("invite", sent.Details["template"].ToString());
        Assert.Equal($"<{sent.Entity.Id:N}@{house.Clinic.Host}>", mail.MessageId);
        Assert.Equal("sent 1 ", await house.MailRowAsync("state || ' ' || attempts || ' ' || coalesce(result_code, '')"));
        // Nothing of the token is left to open, not even for who has the keys.
        Assert.True((int)(await house.MailRowAsync("length(sealed)"))! < 60);
        using var visitor = house.Server.Visit(house.Clinic);
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync(mail.Link.AbsolutePath)).Status);
    }

    [Fact]
    public async Task A_server_that_is_busy_or_gone_is_tried_again_and_the_mail_arrives_once()
    {
        await house.Mail.ChangeAsync(new { busyTimes = 2 });
        await house.InviteAsync("nora@out.example");
        var failed = Assert.Single(await house.EventsAsync("mail.failed", 1));
        Assert.Equal((EventOutcome.Failure, MailErrors.Later.Code, "451"), (failed.Outcome, failed.Reason, failed.Details["reply"].ToString()));
        await house.SendDueAsync();     // not due yet
        Assert.Equal("waiting 1 CHP-MAIL-0013", await house.MailRowAsync("state || ' ' || attempts || ' ' || result_code"));
        using (var owner = await house.SignInAs(BuiltInRole.Owner))
        {
            var waiting = Assert.Single(await house.UndeliveredAsync(owner));
            Assert.Equal(("waiting", "Nora New", "CHP-MAIL-0013", 451), (waiting.GetProperty("state").GetString(), waiting.GetProperty("to").GetString(), waiting.GetProperty("code").GetString(), waiting.GetProperty("reply").GetInt32()));
            Assert.InRange(waiting.GetProperty("nextAt").GetDateTimeOffset() - failed.At, TimeSpan.FromSeconds(45), TimeSpan.FromSeconds(75));   // a minute, give or take a fifth
        }

        house.Server.Clock.Advance(TimeSpan.FromSeconds(90));
        await house.SendDueAsync();
        await house.EventsAsync("mail.failed", 2);
        house.Server.Clock.Advance(TimeSpan.FromMinutes(4));
        await house.SendDueAsync();
        await house.Mail.NextAsync();
        Assert.Equal("3", Assert.Single(await house.EventsAsync("mail.sent", 1)).Details["attempt"].ToString());
        Assert.Equal(1, house.Mail.Count);
        using var again = await house.SignInAs(BuiltInRole.Owner);
        Assert.Empty(await house.UndeliveredAsync(again));
    }

    [Fact]
    public async Task What_is_refused_for_good_is_given_up_seen_and_can_be_retried_or_discarded()
    {
        await house.Mail.ChangeAsync(new { refuseRecipient = 550 });
        var (id, _) = await house.InviteAsync("nora@out.example");
        Assert.Equal([id], Assert.Single(await house.EventsAsync("mail.dead", 1)).Subjects);
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        var dead = Assert.Single(await house.UndeliveredAsync(owner));
        var mail = dead.GetProperty("id").GetGuid();
        Assert.Equal(("dead", "Invitation", true), (dead.GetProperty("state").GetString(), dead.GetProperty("name").GetString(), dead.GetProperty("mayRetry").GetBoolean()));
        Assert.Contains("refused the recipient", dead.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("out.example", dead.ToString(), StringComparison.Ordinal);

        await house.Mail.ChangeAsync(new { refuseRecipient = 0 });
        Assert.Equal(HttpStatusCode.NoContent, (await owner.JsonAsync(HttpMethod.Post, $"/api/mail/{mail}/retry", null)).Status);
        Assert.Equal($"<{mail:N}@{house.Clinic.Host}>", (await house.Mail.NextAsync()).MessageId);
        await house.EventsAsync("mail.sent", 1);
        foreach (var verb in new[] { "retry", "discard" }) Assert.Equal("CHP-MAIL-0020", (await owner.JsonAsync(HttpMethod.Post, $"/api/mail/{mail}/{verb}", null)).Code);

        await house.Mail.ChangeAsync(new { refuseRecipient = 550 });
        var (_, path) = await house.InviteAsync("nils@out.example");
        await house.EventsAsync("mail.dead", 2);
        var second = Assert.Single(await house.UndeliveredAsync(owner)).GetProperty("id").GetGuid();
        Assert.Equal(HttpStatusCode.NoContent, (await owner.JsonAsync(HttpMethod.Post, $"/api/mail/{second}/discard", null)).Status);
        Assert.Empty(await house.UndeliveredAsync(owner));
        using var visitor = house.Server.Visit(house.Clinic);
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync(path)).Status);   // the link that was handed over still works
    }

    [Fact]
    public async Task Mail_is_not_sent_when_its_link_has_ended_nor_tried_for_ever()
    {
        await house.Mail.ChangeAsync(new { busyTimes = 1000 });
        await house.InviteAsync("nora@out.example");
        for (var attempt = 1; attempt <= MailLimits.Attempts; attempt++)
        {
            await house.EventsAsync(attempt == MailLimits.Attempts ? "mail.dead" : "mail.failed", attempt == MailLimits.Attempts ? 1 : attempt);
            house.Server.Clock.Advance(TimeSpan.FromHours(5));
            await house.SendDueAsync();
        }
        Assert.Equal("dead 12", await house.MailRowAsync("state || ' ' || attempts"));
        house.Server.Clock.Advance(TimeSpan.FromDays(7));
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        var dead = Assert.Single(await house.UndeliveredAsync(owner));
        Assert.False(dead.GetProperty("mayRetry").GetBoolean());
        Assert.Equal("CHP-MAIL-0018", (await owner.JsonAsync(HttpMethod.Post, $"/api/mail/{dead.GetProperty("id").GetGuid()}/retry", null)).Code);
        Assert.Equal(0, house.Mail.Count);
    }

    [Fact]
    public async Task A_mail_that_a_dead_process_holds_is_taken_over_when_its_lease_ends_and_by_one_of_many()
    {
        await house.Mail.ChangeAsync(new { busyTimes = 1 });
        await house.InviteAsync("nora@out.example");
        await house.EventsAsync("mail.failed", 1);
        await house.Server.Database.ExecuteAsync($"UPDATE clinic.mail_message SET state = 'sending', lease_holder = gen_random_uuid(), lease_until = due_at + interval '3 minutes' WHERE tenant_id = '{house.Clinic.Tenant.Id}'");
        house.Server.Clock.Advance(TimeSpan.FromMinutes(2));
        await house.SendDueAsync();
        Assert.Equal(0, house.Mail.Count);
        house.Server.Clock.Advance(TimeSpan.FromMinutes(3));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => house.SendDueAsync()));
        await house.Mail.NextAsync();
        await house.EventsAsync("mail.sent", 1);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => house.SendDueAsync()));
        Assert.Equal(1, house.Mail.Count);
    }

    [Fact]
    public async Task An_act_that_fails_sends_no_mail_and_a_clinic_without_mail_queues_none()
    {
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        var taken = await owner.JsonAsync(HttpMethod.Post, "/api/team", new { name = "Nora New", email = house.Clinic.Account(BuiltInRole.Nurse).Email, roles = new[] { "employee" } });
        Assert.Equal("CHP-SIGNIN-0012", taken.Code);
        await house.SendDueAsync();
        using var other = await house.SignInAs(BuiltInRole.Owner, house.Other);
        var made = await other.JsonAsync(HttpMethod.Post, "/api/team", new { name = "Nora New", email = "nora@out.example", roles = new[] { "employee" } });
        Assert.False(made.Json.GetProperty("mailed").GetBoolean());
        Assert.Equal(0L, await house.MailRowAsync("count(*)"));
        Assert.Equal(0, house.Mail.Count);
    }

    [Fact]
    public async Task Another_clinic_neither_sees_nor_touches_nor_sends_it()
    {
        await house.SetUpAsync(house.Other);
        await house.Mail.ChangeAsync(new { refuseRecipient = 550 });
        await house.InviteAsync("nora@out.example");
        await house.EventsAsync("mail.dead", 1);
        var mail = (Guid)(await house.MailRowAsync("id"))!;
        using var other = await house.SignInAs(BuiltInRole.Owner, house.Other);
        Assert.Empty(await house.UndeliveredAsync(other));
        foreach (var verb in new[] { "retry", "discard" }) Assert.Equal(HttpStatusCode.NotFound, (await other.JsonAsync(HttpMethod.Post, $"/api/mail/{mail}/{verb}", null)).Status);
        // Nor when somebody who can write to the database puts it into the other clinic's queue: it does not open there.
        await house.Mail.ChangeAsync(new { refuseRecipient = 0 });
        await house.Server.Database.ExecuteAsync($"UPDATE clinic.mail_message SET tenant_id = '{house.Other.Tenant.Id}', state = 'waiting', finished_at = NULL, due_at = now() - interval '1 day' WHERE tenant_id = '{house.Clinic.Tenant.Id}'");
        await house.SendDueAsync(house.Other);
        Assert.Equal(0, house.Mail.Count);
        Assert.Contains((await house.Server.EventsAsync(house.Other)), happened => happened.Action == "security.seal_broken");
    }

    [Fact]
    public async Task No_address_token_or_password_stands_in_the_database_in_clear_nor_in_any_log_line_or_event()
    {
        await house.Mail.ChangeAsync(new { busyTimes = 1 });
        var (_, path) = await house.InviteAsync("nora.unmistakable@out.example");
        await house.EventsAsync("mail.failed", 1);
        var token = path.Split('/')[^1];
        var tables = new List<string>();
        foreach (var name in JsonDocument.Parse((string)(await house.Server.Database.ExecuteAsync("SELECT json_agg(schemaname || '.' || tablename)::text FROM pg_tables WHERE schemaname IN ('clinic', 'ledger', 'jobs', 'directory', 'platform')"))!).RootElement.EnumerateArray())
            tables.Add((string)(await house.Server.Database.ExecuteAsync($"SELECT coalesce(json_agg(t)::text, '') FROM {name.GetString()} t"))!);
        Assert.True(tables.Count > 20);
        var events = JsonSerializer.Serialize(await house.Server.EventsAsync(house.Clinic));
        foreach (var secret in new[] { "unmistakable", token, MailHouse.Secret, "desk@clinic.example" })
        {
            var inHex = Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(secret));
            Assert.All(tables, text => Assert.False(text.Contains(secret, StringComparison.Ordinal) || text.Contains(inHex, StringComparison.Ordinal), secret));
            Assert.DoesNotContain(secret, events, StringComparison.Ordinal);
            Assert.DoesNotContain(house.Server.Logs.Lines, line => line.Contains(secret, StringComparison.Ordinal));
        }
    }
}
