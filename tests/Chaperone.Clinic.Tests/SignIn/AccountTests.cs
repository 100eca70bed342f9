using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;

namespace Chaperone.Clinic.Tests.SignIn;

public sealed class AccountTests : IAsyncLifetime
{
    private SignInHouse house = null!;

    public async ValueTask InitializeAsync() => house = await SignInHouse.CreateAsync();

    public async ValueTask DisposeAsync() => await house.DisposeAsync();

    [Fact]
    public async Task Who_must_enrol_can_do_nothing_else_before_and_everything_after()
    {
        var owner = await house.AddAsync(BuiltInRole.Owner, enrolled: false);
        var browser = house.Browser();
        Assert.Equal("enrolment_required", (await browser.SignIn(owner.Email, SignInHouse.Password)).SignInStatus);
        Assert.Equal("CHP-ACCESS-0004", (await browser.Get("/api/auth/sessions")).Code);
        Assert.Equal("CHP-ACCESS-0004", (await browser.Get("/api/team")).Code);
        Assert.Equal("CHP-SIGNIN-0007", (await browser.Post("/api/auth/enrol/confirm", new { code = "000000" })).Code);

        var secret = Base32.Decode((await browser.Post("/api/auth/enrol")).Json.GetProperty("secret").GetString()!)!;
        Assert.Equal("CHP-SIGNIN-0005", (await browser.Post("/api/auth/enrol/confirm", new { code = "12345" })).Code);
        var me = owner with { Secret = secret };
        var confirmed = await browser.Post("/api/auth/enrol/confirm", new { code = me.CodeNow() });

        Assert.Equal(10, confirmed.Json.GetProperty("backupCodes").GetArrayLength());
        Assert.Equal(200, (await browser.Get("/api/team")).Status);
        Assert.Equal("CHP-SIGNIN-0005", (await browser.Post("/api/auth/step-up", new { code = me.CodeNow() })).Code);   // the confirming code is used
        Assert.Equal("code_required", (await house.Browser().SignIn(owner.Email, SignInHouse.Password)).SignInStatus);
        Assert.Equal("signed_in", (await house.Browser().SignIn(owner.Email, SignInHouse.Password, me.NextCode())).SignInStatus);
        Assert.Single(await house.Platform.EventsAsync(house.Clinic), happened => happened is { Action: "auth.2fa_enabled", Outcome: Ledger.EventOutcome.Success });
    }

    [Fact]
    public async Task Backup_code_works_once_even_in_parallel()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var browser = await house.Browser().SignedIn(doctor);
        var codes = (await browser.Post("/api/auth/backup-codes")).Json.GetProperty("backupCodes").EnumerateArray().Select(code => code.GetString()!).ToList();

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => house.Browser().SignIn(doctor.Email, SignInHouse.Password, backupCode: codes[0])));

        Assert.Single(answers, answer => answer.Status == 200);
        Assert.Equal(1, await house.EventCount("auth.backup_code_used"));
        Assert.Equal("signed_in", (await house.Browser().SignIn(doctor.Email, SignInHouse.Password, backupCode: codes[1].ToLowerInvariant())).SignInStatus);
        Assert.Equal(8, (await browser.Get("/api/me")).Json.GetProperty("backupCodesLeft").GetInt32());
    }

    [Fact]
    public async Task Step_up_is_asked_after_five_minutes_and_a_code_gives_five_more()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var browser = await house.Browser().SignedIn(doctor);
        Assert.Equal(200, (await browser.Post("/api/auth/backup-codes")).Status);
        house.Platform.Clock.Advance(TimeSpan.FromMinutes(5));

        Assert.Equal("CHP-ACCESS-0005", (await browser.Post("/api/auth/backup-codes")).Code);
        Assert.Equal(204, (await browser.Post("/api/auth/step-up", new { code = doctor.NextCode() })).Status);

        Assert.Equal(200, (await browser.Post("/api/auth/backup-codes")).Status);
    }

    [Fact]
    public async Task Another_network_asks_for_step_up_again()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var browser = await house.Browser().SignedIn(doctor);
        browser.Ip = "203.0.113.77";

        Assert.Equal("CHP-ACCESS-0005", (await browser.Post("/api/auth/backup-codes")).Code);
        Assert.Equal(204, (await browser.Post("/api/auth/step-up", new { code = doctor.NextCode() })).Status);
        Assert.Equal(200, (await browser.Post("/api/auth/backup-codes")).Status);
    }

    [Fact]
    public async Task Codes_guessed_inside_a_session_are_counted_and_signing_in_on_a_trusted_device_does_not_reset_them()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var browser = await house.Browser().SignedIn(doctor, rememberDevice: true);
        for (var i = 0; i < 3; i++) await browser.Post("/api/auth/step-up", new { code = "000000" });
        Assert.Equal("signed_in", (await browser.SignIn(doctor.Email, SignInHouse.Password)).SignInStatus);
        for (var i = 0; i < 2; i++) await browser.Post("/api/auth/step-up", new { code = "000000" });

        Assert.Equal("CHP-SIGNIN-0005", (await browser.Post("/api/auth/step-up", new { code = doctor.NextCode() })).Code);
        Assert.Equal(1, await house.EventCount("auth.locked"));
    }

    [Fact]
    public async Task Password_change_ends_other_sessions_and_trusted_devices()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var other = await house.Browser().SignedIn(doctor, rememberDevice: true);
        var browser = await house.Browser().SignedIn(doctor);

        Assert.Equal("CHP-SIGNIN-0010", (await browser.Post("/api/auth/password", new { current = "not it", @new = "nine grey otters swim" })).Code);
        Assert.Equal("CHP-SIGNIN-0004", (await browser.Post("/api/auth/password", new { current = SignInHouse.Password, @new = "Password1234" })).Code);
        Assert.Equal(204, (await browser.Post("/api/auth/password", new { current = SignInHouse.Password, @new = "nine grey otters swim" })).Status);

        Assert.Equal(200, (await browser.Get("/api/me")).Status);
        Assert.Equal(401, (await other.Get("/api/me")).Status);
        Assert.Equal(401, (await other.SignIn(doctor.Email, SignInHouse.Password)).Status);
        Assert.Equal("code_required", (await other.SignIn(doctor.Email, "nine grey otters swim")).SignInStatus);
    }

    [Fact]
    public async Task Cookie_from_another_client_family_ends_the_session_with_a_critical_event()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var browser = await house.Browser().SignedIn(doctor);
        var thief = house.Browser(Browser.Chrome, "203.0.113.66");
        foreach (var (name, value) in browser.Cookies) thief.Cookies[name] = value;

        Assert.Equal(401, (await thief.Get("/api/me")).Status);

        Assert.Equal(401, (await browser.Get("/api/me")).Status);
        var hijack = Assert.Single(await house.Platform.EventsAsync(house.Clinic), happened => happened.Action == "security.session_hijack");
        Assert.Equal(Ledger.EventSeverity.Critical, hijack.Severity);
        Assert.Equal([doctor.Id], hijack.Subjects);
    }

    [Fact]
    public async Task Newer_browser_of_the_same_family_stays_signed_in()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var browser = await house.Browser().SignedIn(doctor);
        browser.Agent = browser.Agent.Replace("140", "141", StringComparison.Ordinal);

        Assert.Equal(200, (await browser.Get("/api/me")).Status);
    }

    [Fact]
    public async Task Session_ends_when_idle_and_after_twelve_hours_whatever_its_use()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var idle = await house.Browser().SignedIn(doctor);
        var used = await house.Browser().SignedIn(doctor);
        for (var minutes = 0; minutes < 31; minutes += 20)
        {
            house.Platform.Clock.Advance(TimeSpan.FromMinutes(20));
            Assert.Equal(200, (await used.Get("/api/me")).Status);
        }
        Assert.Equal(401, (await idle.Get("/api/me")).Status);
        for (var minutes = 40; minutes < 700; minutes += 20)
        {
            house.Platform.Clock.Advance(TimeSpan.FromMinutes(20));
            Assert.Equal(200, (await used.Get("/api/me")).Status);
        }
        house.Platform.Clock.Advance(TimeSpan.FromMinutes(21));
        Assert.Equal(401, (await used.Get("/api/me")).Status);
    }

    [Fact]
    public async Task Sessions_and_devices_are_listed_and_ended_and_nobody_elses()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var nurse = await house.AddAsync(BuiltInRole.Nurse);
        var one = await house.Browser().SignedIn(doctor, rememberDevice: true);
        var two = await house.Browser().SignedIn(doctor);
        var colleague = await house.Browser().SignedIn(nurse);

        var sessions = (await two.Get("/api/auth/sessions")).Json.GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(2, sessions.Count);
        var other = sessions.Single(session => !session.GetProperty("isThis").GetBoolean()).GetProperty("id").GetGuid();
        Assert.Equal(404, (await colleague.Send("DELETE", $"/api/auth/sessions/{other}", null)).Status);
        Assert.Equal(204, (await two.Send("DELETE", $"/api/auth/sessions/{other}", null)).Status);
        Assert.Equal(401, (await one.Get("/api/me")).Status);

        var device = Assert.Single((await two.Get("/api/auth/devices")).Json.GetProperty("items").EnumerateArray()).GetProperty("id").GetGuid();
        Assert.Equal(404, (await colleague.Send("DELETE", $"/api/auth/devices/{device}", null)).Status);
        Assert.Equal(204, (await two.Send("DELETE", $"/api/auth/devices/{device}", null)).Status);
        Assert.Equal("code_required", (await one.SignIn(doctor.Email, SignInHouse.Password)).SignInStatus);
    }

    [Fact]
    public async Task Sign_out_ends_the_session_and_asks_the_browser_to_forget()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var browser = await house.Browser().SignedIn(doctor);
        var copy = house.Browser();
        copy.Cookies[SignInCookies.Session] = browser.Cookies[SignInCookies.Session];

        var answer = await browser.Post("/api/auth/sign-out");

        Assert.Equal((204, "\"cache\""), (answer.Status, answer.Headers["Clear-Site-Data"].ToString()));
        Assert.Equal(401, (await copy.Get("/api/me")).Status);
    }

    [Fact]
    public async Task Other_clinics_cookie_and_device_do_not_work_here()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var second = await house.Platform.AddClinicAsync("second.test");
        var browser = await house.Browser().SignedIn(doctor, rememberDevice: true);
        browser.Clinic = second;

        Assert.Equal(401, (await browser.Get("/api/me")).Status);
        Assert.Equal(401, (await browser.SignIn(doctor.Email, SignInHouse.Password)).Status);
    }
}
