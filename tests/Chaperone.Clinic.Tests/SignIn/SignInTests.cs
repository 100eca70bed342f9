using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;

namespace Chaperone.Clinic.Tests.SignIn;

public sealed class SignInTests : IAsyncLifetime
{
    private SignInHouse house = null!;

    public async ValueTask InitializeAsync() => house = await SignInHouse.CreateAsync();

    public async ValueTask DisposeAsync() => await house.DisposeAsync();

    [Fact]
    public async Task Password_then_code_signs_in_and_the_session_says_who()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var browser = house.Browser();

        Assert.Equal("code_required", (await browser.SignIn(doctor.Email, SignInHouse.Password)).SignInStatus);
        Assert.Equal(401, (await browser.Get("/api/me")).Status);
        Assert.Equal("signed_in", (await browser.SignIn("  DOCTOR@one.test ", SignInHouse.Password, doctor.NextCode())).SignInStatus);

        var me = (await browser.Get("/api/me")).Json;
        Assert.Equal(doctor.Id, me.GetProperty("id").GetGuid());
        Assert.Equal("Pat Doctor", me.GetProperty("name").GetString());
        var success = Assert.Single(await house.Platform.EventsAsync(house.Clinic), happened => happened.Action == "auth.login.success");
        Assert.Equal((ActorKind.User, doctor.Id, "authenticator"), (success.Actor.Kind, success.Actor.Id, success.Details["factor"].Code));
    }

    [Fact]
    public async Task Code_used_once_is_refused_the_second_time()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var code = doctor.NextCode();

        Assert.Equal("signed_in", (await house.Browser().SignIn(doctor.Email, SignInHouse.Password, code)).SignInStatus);

        Assert.Equal("CHP-SIGNIN-0001", (await house.Browser().SignIn(doctor.Email, SignInHouse.Password, code)).Code);
        Assert.Equal(1, await house.EventCount("auth.2fa_failed"));
    }

    [Fact]
    public async Task Same_code_in_parallel_signs_in_once()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var code = doctor.NextCode();

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => house.Browser().SignIn(doctor.Email, SignInHouse.Password, code)));

        Assert.Single(answers, answer => answer.Status == 200);
    }

    [Fact]
    public async Task Two_hundred_parallel_guesses_at_most_five_are_evaluated_and_the_account_is_locked()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(n => house.Browser(ip: $"198.51.{n}.7").SignIn(doctor.Email, "wrong password " + n)));

        Assert.True(house.Passwords.Evaluated <= Attempts.Most, $"{house.Passwords.Evaluated} were evaluated");
        Assert.All(answers, answer => Assert.True(answer.Status is 401 or 429));
        Assert.Equal(1, await house.EventCount("auth.locked"));
        Assert.Equal(EventSeverity.Warning, (await house.Platform.EventsAsync(house.Clinic)).Single(happened => happened.Action == "auth.locked").Severity);
        Assert.Equal("CHP-SIGNIN-0001", (await house.Browser().SignIn(doctor.Email, SignInHouse.Password, doctor.NextCode())).Code);

        house.Platform.Clock.Advance(TimeSpan.FromMinutes(31));
        Assert.Equal("signed_in", (await house.Browser().SignIn(doctor.Email, SignInHouse.Password, doctor.NextCode())).SignInStatus);
    }

    [Fact]
    public async Task Unknown_locked_and_wrong_look_alike_and_do_the_same_work()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var wrong = await house.Browser().SignIn(doctor.Email, "wrong password");
        Assert.Equal((1, 0), (house.Passwords.Evaluated, house.Passwords.Pretended));
        var unknown = await house.Browser().SignIn("nobody@one.test", "wrong password");
        Assert.Equal((1, 1), (house.Passwords.Evaluated, house.Passwords.Pretended));
        for (var i = 0; i < 4; i++) await house.Browser().SignIn(doctor.Email, "wrong password");
        var locked = await house.Browser().SignIn(doctor.Email, SignInHouse.Password);
        Assert.Equal((5, 2), (house.Passwords.Evaluated, house.Passwords.Pretended));

        Assert.Equal(wrong.Body, unknown.Body);
        Assert.Equal(wrong.Body, locked.Body);
        Assert.Equal((401, 401, 401), (wrong.Status, unknown.Status, locked.Status));
        var failures = (await house.Platform.EventsAsync(house.Clinic)).Where(happened => happened.Action == "auth.login.failure").ToList();
        Assert.All(failures, failure => Assert.Equal(32, failure.Typed!.Length));
        Assert.Equal(2, failures.Select(failure => failure.Typed).Distinct().Count());
    }

    [Fact]
    public async Task Locked_account_lets_in_who_has_a_trusted_device_whose_failures_count_apart()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var own = await house.Browser().SignedIn(doctor, rememberDevice: true);
        own.Cookies.Remove(SignInCookies.Session);
        for (var i = 0; i < 6; i++) await house.Browser(ip: "203.0.113.9").SignIn(doctor.Email, "a stranger's guess");

        Assert.Equal("signed_in", (await own.SignIn(doctor.Email, SignInHouse.Password)).SignInStatus);
        Assert.Equal(401, (await house.Browser().SignIn(doctor.Email, SignInHouse.Password, doctor.NextCode())).Status);

        for (var i = 0; i < 5; i++) Assert.Equal(401, (await own.SignIn(doctor.Email, "wrong")).Status);
        Assert.Equal(401, (await own.SignIn(doctor.Email, SignInHouse.Password)).Status);
    }

    [Fact]
    public async Task Asking_for_the_code_does_not_reset_the_count_of_wrong_codes()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(401, (await house.Browser().SignIn(doctor.Email, SignInHouse.Password, "000000")).Status);
            Assert.Equal("code_required", (await house.Browser().SignIn(doctor.Email, SignInHouse.Password)).SignInStatus);
        }
        Assert.Equal(401, (await house.Browser().SignIn(doctor.Email, SignInHouse.Password, "000000")).Status);
        Assert.Equal(401, (await house.Browser().SignIn(doctor.Email, SignInHouse.Password)).Status);
        Assert.Equal(1, await house.EventCount("auth.locked"));
    }

    [Fact]
    public async Task Network_with_many_failures_over_all_accounts_waits()
    {
        for (var i = 0; i < NetworkLimit.Most; i++) Assert.Equal(401, (await house.Browser(ip: "203.0.113.50").SignIn($"nobody{i}@one.test", "x")).Status);

        var limited = await house.Browser(ip: "203.0.113.50").SignIn("somebody@one.test", "x");
        await house.Browser(ip: "203.0.113.50").SignIn("somebody@one.test", "x");

        Assert.Equal((429, "CHP-SIGNIN-0002"), (limited.Status, limited.Code));
        Assert.InRange(int.Parse(limited.Headers.RetryAfter.ToString(), System.Globalization.CultureInfo.InvariantCulture), 1, 600);
        Assert.Equal(1, await house.EventCount("security.rate_limited"));
        Assert.Equal(401, (await house.Browser(ip: "203.0.113.51").SignIn("somebody@one.test", "x")).Status);
    }

    [Fact]
    public async Task Remembered_device_needs_no_code_until_thirty_days_are_over()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var browser = await house.Browser().SignedIn(doctor, rememberDevice: true);
        Assert.Equal(1, await house.EventCount("auth.device_trusted"));
        Assert.Equal(1, Convert.ToInt32(await house.Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.trusted_device WHERE length(token_hash) = 32"), System.Globalization.CultureInfo.InvariantCulture));

        Assert.Equal("signed_in", (await browser.SignIn(doctor.Email, SignInHouse.Password)).SignInStatus);
        house.Platform.Clock.Advance(TimeSpan.FromDays(30));
        Assert.Equal("code_required", (await browser.SignIn(doctor.Email, SignInHouse.Password)).SignInStatus);
    }

    [Fact]
    public async Task Owner_without_second_factor_is_signed_in_only_to_enrol()
    {
        var owner = await house.AddAsync(BuiltInRole.Owner, enrolled: false);

        Assert.Equal("enrolment_required", (await house.Browser().SignIn(owner.Email, SignInHouse.Password)).SignInStatus);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[1]")]
    public async Task Malformed_body_is_a_clear_error(string body)
    {
        var answer = await house.Browser().Post("/api/auth/sign-in", body);
        Assert.Equal((400, "CHP-PLATFORM-0005"), (answer.Status, answer.Code));
    }
}
