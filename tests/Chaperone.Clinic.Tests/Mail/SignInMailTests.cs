using System.Net;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Clinic.Tests.Mail;

/// <summary>What is told by mail about signing in: forgotten passwords, locks, new devices, copied cookies, refused attempts.</summary>
[Collection(nameof(MailHouses))]
public sealed class SignInMailTests(MailHouseServer at) : IAsyncLifetime
{
    private const string Firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", NewPassword = "nine grey otters swim";
    private MailHouse house = null!;

    public async ValueTask InitializeAsync() => house = await MailHouse.CreateAsync(at);

    public async ValueTask DisposeAsync()
    {
        house.Server.ForgetFailures();
        await house.DisposeAsync();
    }

    [Fact]
    public async Task Forgotten_password_is_set_by_the_mailed_link_and_the_second_factor_is_still_asked()
    {
        var nurse = house.Clinic.Account(BuiltInRole.Nurse);
        using var session = await house.SignInAs(BuiltInRole.Nurse);
        using var visitor = house.Server.Visit(house.Clinic);
        var asked = await visitor.FormAsync("/forgotten", new Dictionary<string, string> { ["email"] = nurse.Email.ToUpperInvariant() }, "/forgotten");
        Assert.Equal((HttpStatusCode.SeeOther, "/sign-in"), (asked.Status, asked.Location));
        var mail = await house.Mail.NextAsync();
        Assert.Equal(nurse.Email, Assert.Single(mail.To));
        Assert.StartsWith("Set a new password", mail.Subject, StringComparison.Ordinal);

        var token = mail.Link.AbsolutePath.Split('/')[^1];
        Assert.Equal(HttpStatusCode.NoContent, (await visitor.JsonAsync(HttpMethod.Post, "/api/auth/reset", new { token, password = NewPassword })).Status);
        Assert.Equal("CHP-SIGNIN-0011", (await visitor.JsonAsync(HttpMethod.Post, "/api/auth/reset", new { token, password = NewPassword })).Code);
        Assert.Equal(HttpStatusCode.Unauthorized, (await session.GetAsync("/api/me")).Status);     // all sessions ended
        Assert.Equal("code_required", (await visitor.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = nurse.Email, password = NewPassword })).Json.GetProperty("status").GetString());
        var requested = Assert.Single(await house.EventsAsync("auth.password_reset_requested"));
        Assert.Equal((ActorKind.Anonymous, new EventEntity("member", nurse.Member), true), (requested.Actor.Kind, requested.Entity, requested.Typed is { Length: > 10 }));
    }

    [Fact]
    public async Task Whether_an_address_has_an_account_is_not_told_and_no_inbox_is_filled()
    {
        using var visitor = house.Server.Visit(house.Clinic);
        var (known, unknown) = (await Forgotten(visitor, house.Clinic.Account(BuiltInRole.Doctor).Email), await Forgotten(visitor, "nobody@out.example"));
        Assert.Equal((HttpStatusCode.Accepted, ""), (known.Status, known.Text));
        Assert.Equal((known.Status, known.Text), (unknown.Status, unknown.Text));
        Assert.Equal(known.Headers.Keys.Order(StringComparer.Ordinal), unknown.Headers.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(HttpStatusCode.BadRequest, (await Forgotten(visitor, "no address\r\nBcc: eve@evil.test")).Status);   // tells what it is, not whose
        for (var i = 0; i < 4; i++) await Forgotten(visitor, house.Clinic.Account(BuiltInRole.Doctor).Email);
        var mails = await MailsAsync(3);
        Assert.All(mails, mail => Assert.Equal(house.Clinic.Account(BuiltInRole.Doctor).Email, Assert.Single(mail.To)));
        Assert.Equal(3, house.Mail.Count);
        // Of several links the newest works.
        int[] statuses = await Task.WhenAll(mails.OrderBy(mail => mail.MessageId, StringComparer.Ordinal).Select(async mail => (int)(await visitor.GetAsync(mail.Link.AbsolutePath)).Status));
        Assert.Equal([410, 410, 200], statuses);

        for (var i = 0; i < NetworkLimit.Most; i++) await Forgotten(visitor, $"nobody{i}@out.example");
        var limited = await Forgotten(visitor, "nobody@out.example");
        Assert.Equal((HttpStatusCode.TooManyRequests, true), (limited.Status, limited.Headers.ContainsKey("Retry-After")));
    }

    [Fact]
    public async Task Who_was_invited_keeps_the_invitation_and_a_closed_account_gets_nothing()
    {
        var (id, path) = await house.InviteAsync("nora@out.example");
        await house.Mail.NextAsync();
        using var visitor = house.Server.Visit(house.Clinic);
        await Forgotten(visitor, "nora@out.example");
        using (var owner = await house.SignInAs(BuiltInRole.Owner))
            Assert.Equal(HttpStatusCode.NoContent, (await owner.JsonAsync(HttpMethod.Post, $"/api/team/{house.Clinic.Account(BuiltInRole.Hr).Member}/deactivate", null)).Status);
        await Forgotten(visitor, house.Clinic.Account(BuiltInRole.Hr).Email);
        await Forgotten(visitor, house.Clinic.Account(BuiltInRole.Nurse).Email);    // worked off in order: when this one is here, the others are done with
        Assert.Equal(house.Clinic.Account(BuiltInRole.Nurse).Email, Assert.Single((await house.Mail.NextAsync()).To));
        Assert.Equal(2, house.Mail.Count);
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync(path)).Status);
        Assert.NotEqual(Guid.Empty, id);
    }

    [Fact]
    public async Task A_lock_is_told_to_its_person_and_to_who_can_unlock_and_to_nobody_for_an_unknown_address()
    {
        using var stranger = house.Server.Visit(house.Clinic);
        var nurse = house.Clinic.Account(BuiltInRole.Nurse);
        foreach (var email in new[] { "nobody@out.example", nurse.Email })
            for (var i = 0; i < 6; i++) Assert.Equal("CHP-SIGNIN-0001", (await stranger.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email, password = "a wrong password" })).Code);
        var mails = await MailsAsync(3);
        Assert.Equal(new[] { BuiltInRole.Admin, BuiltInRole.Nurse, BuiltInRole.Owner }.Select(role => house.Clinic.Account(role).Email).Order(StringComparer.Ordinal), mails.SelectMany(mail => mail.To).Order(StringComparer.Ordinal));
        Assert.StartsWith("Your account is locked", mails.Single(mail => mail.To[0] == nurse.Email).Subject, StringComparison.Ordinal);
        var told = mails.First(mail => mail.To[0] != nurse.Email);
        Assert.Equal("/settings/security", told.Link.AbsolutePath);
        Assert.DoesNotContain(nurse.Email, told.Text, StringComparison.Ordinal);
        // The lock's event names the account and nobody who is written to.
        Assert.DoesNotContain(house.Clinic.Account(BuiltInRole.Owner).Member, Assert.Single(await house.EventsAsync("auth.locked")).Subjects);
        await house.EventsAsync("mail.sent", 3);
        Assert.Equal(3, house.Mail.Count);
    }

    [Fact]
    public async Task A_sign_in_from_another_client_is_told_once_and_one_from_a_known_or_remembered_one_is_not()
    {
        var nurse = house.Clinic.Account(BuiltInRole.Nurse);
        using (await house.SignInAs(BuiltInRole.Nurse)) { }        // the first: nothing to compare with
        using (await house.SignInAs(BuiltInRole.Nurse)) { }
        using var other = new ClinicClient(house.Server.Port, house.Clinic.Host) { UserAgent = Firefox };
        await SignIn(other, remember: true);
        var mail = await house.Mail.NextAsync();
        Assert.Equal(nurse.Email, Assert.Single(mail.To));
        Assert.Contains("Firefox on Windows", mail.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", mail.Text, StringComparison.Ordinal);
        await SignIn(other);
        using (await house.SignInAs(BuiltInRole.Nurse)) { }
        await house.EventsAsync("mail.sent", 1);
        await house.SendDueAsync();
        Assert.Equal(1, house.Mail.Count);

        async Task SignIn(ClinicClient client, bool remember = false)
        {
            var answer = await client.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = nurse.Email, password = TestServer.Password, code = await nurse.NextCodeAsync(house.Server.Clock), rememberDevice = remember });
            Assert.Equal("signed_in", answer.Json.GetProperty("status").GetString());
        }
    }

    [Fact]
    public async Task A_copied_cookie_is_told_to_its_person_and_the_security_contacts_once()
    {
        using var doctor = await house.SignInAs(BuiltInRole.Doctor);
        var thieves = Enumerable.Range(0, 4).Select(_ => new ClinicClient(house.Server.Port, house.Clinic.Host) { UserAgent = Firefox }).ToList();
        foreach (var thief in thieves)
            foreach (var (name, value) in doctor.Cookies) thief.Cookies[name] = value;
        await Task.WhenAll(thieves.Select(thief => thief.GetAsync("/api/me")));
        Assert.Equal(HttpStatusCode.Unauthorized, (await doctor.GetAsync("/api/me")).Status);
        var mails = await MailsAsync(2);
        Assert.Equal(new[] { house.Clinic.Account(BuiltInRole.Doctor).Email, house.Clinic.Account(BuiltInRole.Owner).Email }.Order(StringComparer.Ordinal), mails.SelectMany(mail => mail.To).Order(StringComparer.Ordinal));
        await house.EventsAsync("mail.sent", 2);
        Assert.Equal(2, house.Mail.Count);
        foreach (var thief in thieves) thief.Dispose();
    }

    [Fact]
    public async Task Refused_attempts_are_told_to_the_security_contacts_once_an_account_and_hour()
    {
        using var nurse = await house.SignInAs(BuiltInRole.Nurse);
        using var doctor = await house.SignInAs(BuiltInRole.Doctor);
        foreach (var path in new[] { "/api/settings/mail", "/api/jobs", "/settings/team", "/api/mail/undelivered" }) Assert.Equal(HttpStatusCode.Forbidden, (await nurse.GetAsync(path)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await nurse.GetAsync($"/api/patients/{Guid.NewGuid()}")).Status);   // nothing there is no attempt
        var mail = await house.Mail.NextAsync();
        Assert.Equal(house.Clinic.Account(BuiltInRole.Owner).Email, Assert.Single(mail.To));
        Assert.StartsWith("Something was asked for that is not allowed", mail.Subject, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await doctor.GetAsync("/api/jobs")).Status);
        await house.Mail.NextAsync();
        await house.EventsAsync("mail.sent", 2);
        // Nor from another node, which knows nothing of what this one has told.
        var raised = await house.Server.Services.GetRequiredMonitor().Run(new Clinic.Mail.AlertAttempts(house.Clinic.Account(BuiltInRole.Nurse).Member, house.Server.Clock.GetUtcNow()), house.AsSystem(), CancellationToken.None);
        Assert.False(raised.Value);
        house.Server.Clock.Advance(TimeSpan.FromMinutes(20));
        house.Server.Clock.Advance(TimeSpan.FromMinutes(40));
        using var later = await house.SignInAs(BuiltInRole.Nurse);
        Assert.Equal(HttpStatusCode.Forbidden, (await later.GetAsync("/api/jobs")).Status);
        await house.Mail.NextAsync();
        Assert.Equal(3, house.Mail.Count);
    }

    [Fact]
    public async Task Refused_attempts_leave_one_critical_event_an_account_and_hour()
    {
        using var nurse = await house.SignInAs(BuiltInRole.Nurse);
        using var doctor = await house.SignInAs(BuiltInRole.Doctor);
        foreach (var path in new[] { "/api/settings/mail", "/api/jobs", "/settings/team", "/api/mail/undelivered" }) Assert.Equal(HttpStatusCode.Forbidden, (await nurse.GetAsync(path)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await nurse.GetAsync($"/api/patients/{Guid.NewGuid()}")).Status);   // nothing there is no attempt
        Assert.Equal(HttpStatusCode.Forbidden, (await doctor.GetAsync("/api/jobs")).Status);
        var told = await house.EventsAsync("security.unauthorised_attempt", 2);
        Assert.Equal([.. new[] { BuiltInRole.Nurse, BuiltInRole.Doctor }.Select(role => house.Clinic.Account(role).Member).Order()], told.Select(each => each.Entity!.Id).Order());
        Assert.All(told, each => Assert.Equal((EventSeverity.Critical, ActorKind.System, each.Entity!.Id), (each.Severity, each.Actor.Kind, Assert.Single(each.Subjects))));
        // Another node, which knows nothing of what this one has told, finds it in the log.
        var monitor = house.Server.Services.GetRequiredMonitor();
        Assert.True((await monitor.Run(new Clinic.Mail.FindAttempts(told[0].Entity!.Id, house.Server.Clock.GetUtcNow()), house.AsSystem(), CancellationToken.None)).Value);
        Assert.False((await monitor.Run(new Clinic.Mail.FindAttempts(house.Clinic.Account(BuiltInRole.Hr).Member, house.Server.Clock.GetUtcNow()), house.AsSystem(), CancellationToken.None)).Value);
        house.Server.Clock.Advance(TimeSpan.FromHours(1));
        using var later = await house.SignInAs(BuiltInRole.Nurse);
        Assert.Equal(HttpStatusCode.Forbidden, (await later.GetAsync("/api/jobs")).Status);
        await house.EventsAsync("security.unauthorised_attempt", 3);
    }

    private static Task<Answer> Forgotten(ClinicClient client, string email) => client.JsonAsync(HttpMethod.Post, "/api/auth/forgotten", new { email });

    private async Task<List<ReceivedMail>> MailsAsync(int count)
    {
        var mails = new List<ReceivedMail>();
        while (mails.Count < count) mails.Add(await house.Mail.NextAsync());
        return mails;
    }
}
