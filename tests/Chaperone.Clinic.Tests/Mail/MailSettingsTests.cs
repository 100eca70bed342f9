using System.Net;
using Chaperone.Clinic.Mail;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Clinic.Tests.Mail;

/// <summary>Setting mail up: what is taken, what is refused, what is shown, and the test mail.</summary>
[Collection(nameof(MailHouses))]
public sealed class MailSettingsTests(MailHouseServer at) : IAsyncLifetime
{
    private MailHouse house = null!;

    public async ValueTask InitializeAsync() => house = await MailHouse.CreateAsync(at, setUp: false);

    public async ValueTask DisposeAsync() => await house.DisposeAsync();

    [Fact]
    public async Task Settings_are_kept_without_ever_showing_the_password_and_the_event_says_what_changed()
    {
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        Assert.Equal("", (await owner.GetAsync("/api/settings/mail")).Json.GetProperty("host").GetString());
        var set = await owner.JsonAsync(HttpMethod.Put, "/api/settings/mail", house.Settings);
        Assert.Equal(HttpStatusCode.OK, set.Status);
        foreach (var answer in new[] { set, await owner.GetAsync("/api/settings/mail") })
        {
            Assert.Equal(("localhost", house.Mail.Port, "none", "clinic", true, true), (answer.Json.GetProperty("host").GetString(), answer.Json.GetProperty("port").GetInt32(),
                answer.Json.GetProperty("tls").GetString(), answer.Json.GetProperty("user").GetString(), answer.Json.GetProperty("hasPassword").GetBoolean(), answer.Json.GetProperty("enabled").GetBoolean()));
            Assert.DoesNotContain("kept out of", answer.Text, StringComparison.Ordinal);
        }
        var kept = await owner.JsonAsync(HttpMethod.Put, "/api/settings/mail", Changed(new { fromName = "Front desk", password = "" }));
        Assert.True(kept.Json.GetProperty("hasPassword").GetBoolean());
        var events = await house.EventsAsync("settings.modified", 2);
        Assert.Equal(["fromName", "mail_enabled"], events[^1].Changes.Select(change => change.Field).Order(StringComparer.Ordinal));
        Assert.All(events, happened => Assert.Equal("mail", happened.Reason));
        Assert.All(events.SelectMany(happened => happened.Changes).Where(change => change.Field != "mail_enabled"), change => Assert.True(change.Before is null && change.After is null));
    }

    [Fact]
    public async Task What_cannot_be_is_refused_at_its_field()
    {
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        foreach (var (field, value) in new (string, object)[]
        {
            ("host", ""), ("host", "mail server"), ("host", "smtp.example.org\r\nX: y"), ("port", 22), ("port", 70000), ("tls", "ssl3"), ("fromAddress", "not an address"),
            ("fromAddress", "a@b.example>\r\nBcc: <eve@evil.test"), ("fromName", "Clinic\r\nBcc: eve@evil.test"), ("user", "clinic\r\nQUIT"), ("trustedCa", "no certificate"),
        })
        {
            var answer = await Put(owner, new Dictionary<string, object> { [field] = value });
            Assert.Equal((HttpStatusCode.UnprocessableEntity, "CHP-MAIL-0001"), (answer.Status, answer.Code));
            Assert.True(answer.Json.GetProperty("fields").TryGetProperty(field, out _), answer.Text);
        }
        Assert.Equal(0L, await house.Server.Database.ExecuteAsync($"SELECT count(*) FROM clinic.mail_settings WHERE tenant_id = '{house.Clinic.Tenant.Id}'"));
    }

    [Fact]
    public async Task Without_tls_another_machine_is_refused_and_a_kept_password_goes_to_no_other_server()
    {
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        Assert.True((await Put(owner, new { host = "smtp.example.org" })).Json.GetProperty("fields").TryGetProperty("tls", out _));
        await house.SetUpAsync();
        foreach (var elsewhere in new object[] { new { password = "", host = "127.0.0.1" }, new { password = "", port = house.Mail.Port + 1 }, new { password = "", tls = "starttls" }, new { password = "", user = "other" } })
            Assert.True((await Put(owner, elsewhere)).Json.GetProperty("fields").TryGetProperty("password", out _));
    }

    [Fact]
    public async Task Only_who_may_change_settings_sees_or_sets_them_and_only_with_a_fresh_code()
    {
        foreach (var role in new[] { BuiltInRole.Manager, BuiltInRole.Doctor, BuiltInRole.Reception })
        {
            using var client = await house.SignInAs(role);
            foreach (var (method, path) in new[] { (HttpMethod.Get, "/api/settings/mail"), (HttpMethod.Put, "/api/settings/mail"), (HttpMethod.Post, "/api/settings/mail/test"), (HttpMethod.Get, "/api/mail/undelivered") })
                Assert.Equal(HttpStatusCode.Forbidden, (await client.JsonAsync(method, path, house.Settings)).Status);
        }
        using var admin = await house.SignInAs(BuiltInRole.Admin);
        house.Server.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal("CHP-ACCESS-0005", (await admin.JsonAsync(HttpMethod.Put, "/api/settings/mail", house.Settings)).Code);
    }

    [Fact]
    public async Task The_test_mail_goes_to_oneself_or_says_what_is_wrong()
    {
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        Assert.Equal("CHP-MAIL-0002", (await owner.JsonAsync(HttpMethod.Post, "/api/settings/mail/test", null)).Code);
        await house.SetUpAsync();
        var sent = await owner.JsonAsync(HttpMethod.Post, "/api/settings/mail/test", null);
        Assert.True(sent.Json.GetProperty("delivered").GetBoolean(), sent.Text);
        var mail = await house.Mail.NextAsync();
        Assert.Equal(house.Clinic.Account(BuiltInRole.Owner).Email, Assert.Single(mail.To));
        Assert.StartsWith("A test mail", mail.Subject, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await owner.JsonAsync(HttpMethod.Post, "/api/settings/mail/test", null)).Status);

        house.Server.Clock.Advance(TimeSpan.FromSeconds(6));
        await house.Mail.ChangeAsync(new { password = "another one" });
        var refused = await owner.JsonAsync(HttpMethod.Post, "/api/settings/mail/test", null);
        Assert.Equal((false, "CHP-MAIL-0008", 535), (refused.Json.GetProperty("delivered").GetBoolean(), refused.Json.GetProperty("code").GetString(), refused.Json.GetProperty("reply").GetInt32()));
        var events = await house.EventsAsync("mail.tested", 2);
        Assert.Equal([(EventOutcome.Success, null), (EventOutcome.Failure, MailErrors.PasswordRefused.Code)], events.Select(happened => (happened.Outcome, happened.Reason)));
    }

    private Task<Answer> Put(ClinicClient client, object changes) => client.JsonAsync(HttpMethod.Put, "/api/settings/mail", Changed(changes));

    private Dictionary<string, object?> Changed(object changes)
    {
        var all = house.Settings.GetType().GetProperties().ToDictionary(property => property.Name, property => property.GetValue(house.Settings));
        foreach (var (name, value) in changes as IEnumerable<KeyValuePair<string, object>> ?? changes.GetType().GetProperties().Select(property => KeyValuePair.Create(property.Name, property.GetValue(changes)!))) all[name] = value;
        return all;
    }
}
