using Chaperone.Clinic.SignIn;
using Chaperone.Clinic.Team;
using Chaperone.Clinic.Tests.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.Team;

public sealed class AccountActionsTests : IAsyncLifetime
{
    private SignInHouse house = null!;

    public async ValueTask InitializeAsync() => house = await SignInHouse.CreateAsync();

    public async ValueTask DisposeAsync() => await house.DisposeAsync();

    [Fact]
    public async Task Administrator_sees_the_lock_and_unlocks()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var admin = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Admin));
        for (var i = 0; i < 5; i++) await house.Browser().SignIn(doctor.Email, "wrong");
        var seen = (await admin.Get("/api/team")).Json.GetProperty("items").EnumerateArray().Single(member => member.GetProperty("id").GetGuid() == doctor.Id);
        Assert.NotEqual(System.Text.Json.JsonValueKind.Null, seen.GetProperty("lockedUntil").ValueKind);

        Assert.Equal(204, (await admin.Post($"/api/team/{doctor.Id}/unlock")).Status);

        Assert.Equal("signed_in", (await house.Browser().SignIn(doctor.Email, SignInHouse.Password, doctor.NextCode())).SignInStatus);
        Assert.Equal(1, await house.EventCount("auth.unlocked"));
    }

    [Fact]
    public async Task Suspension_holds_from_the_next_request_and_ends_devices()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var admin = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Admin));
        var browser = await house.Browser().SignedIn(doctor, rememberDevice: true);

        Assert.Equal(204, (await admin.Post($"/api/team/{doctor.Id}/deactivate")).Status);

        Assert.Equal(401, (await browser.Get("/api/me")).Status);
        Assert.Equal(401, (await browser.SignIn(doctor.Email, SignInHouse.Password, doctor.NextCode())).Status);
        Assert.Equal(204, (await admin.Post($"/api/team/{doctor.Id}/reactivate")).Status);
        Assert.Equal("code_required", (await browser.SignIn(doctor.Email, SignInHouse.Password)).SignInStatus);
    }

    [Fact]
    public async Task Reset_link_works_once_keeps_the_second_factor_and_ends_everything()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var admin = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Admin));
        var browser = await house.Browser().SignedIn(doctor, rememberDevice: true);
        var token = (await admin.Post($"/api/team/{doctor.Id}/reset-link")).Json.GetProperty("path").GetString()!.Split('/')[^1];

        Assert.Equal("CHP-SIGNIN-0004", (await house.Browser().Post("/api/auth/reset", new { token, password = "short" })).Code);
        Assert.Equal(204, (await house.Browser().Post("/api/auth/reset", new { token, password = "nine grey otters swim" })).Status);
        Assert.Equal("CHP-SIGNIN-0011", (await house.Browser().Post("/api/auth/reset", new { token, password = "nine grey otters swim" })).Code);

        Assert.Equal(401, (await browser.Get("/api/me")).Status);
        Assert.Equal("code_required", (await browser.SignIn(doctor.Email, "nine grey otters swim")).SignInStatus);
        Assert.Equal("signed_in", (await browser.SignIn(doctor.Email, "nine grey otters swim", doctor.NextCode())).SignInStatus);
    }

    [Fact]
    public async Task Reset_link_ends_after_a_day_and_when_a_newer_one_is_made()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var person = await house.AddAsync(BuiltInRole.Admin);
        var admin = await house.Browser().SignedIn(person);
        async Task<string> Link() => (await admin.Post($"/api/team/{doctor.Id}/reset-link")).Json.GetProperty("path").GetString()!.Split('/')[^1];
        var first = await Link();
        var second = await Link();

        Assert.Equal("CHP-SIGNIN-0011", (await house.Browser().Post("/api/auth/reset", new { token = first, password = "nine grey otters swim" })).Code);
        house.Platform.Clock.Advance(TimeSpan.FromHours(25));
        Assert.Equal("CHP-SIGNIN-0011", (await house.Browser().Post("/api/auth/reset", new { token = second, password = "nine grey otters swim" })).Code);
    }

    [Fact]
    public async Task Nobody_acts_on_accounts_whose_roles_they_could_not_give_nor_on_their_own()
    {
        var owner = await house.AddAsync(BuiltInRole.Owner);
        var person = await house.AddAsync(BuiltInRole.Admin);
        var admin = await house.Browser().SignedIn(person);
        var doctor = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Doctor));

        Assert.Equal("CHP-SIGNIN-0014", (await admin.Post($"/api/team/{owner.Id}/reset-link")).Code);
        Assert.Equal("CHP-SIGNIN-0014", (await admin.Post($"/api/team/{owner.Id}/deactivate")).Code);
        Assert.Equal("CHP-SIGNIN-0014", (await admin.Post($"/api/team/{person.Id}/reset-two-factor")).Code);
        Assert.Equal(403, (await doctor.Post($"/api/team/{owner.Id}/reset-link")).Status);
        Assert.Equal(403, (await doctor.Get("/api/team")).Status);
        Assert.Equal(404, (await admin.Get("/api/team/01980000-0000-7000-8000-000000000001")).Status);
    }

    [Fact]
    public async Task Other_clinics_account_is_not_there()
    {
        var second = await house.Platform.AddClinicAsync("second.test");
        var stranger = await house.AddAsync(BuiltInRole.Doctor, clinic: second);
        var admin = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Admin));

        foreach (var verb in new[] { "unlock", "deactivate", "reactivate", "reset-link", "reset-two-factor" })
            Assert.Equal(404, (await admin.Post($"/api/team/{stranger.Id}/{verb}")).Status);
        Assert.Equal(404, (await admin.Get($"/api/team/{stranger.Id}")).Status);
    }

    [Fact]
    public async Task Last_owner_stays()
    {
        var owner = await house.AddAsync(BuiltInRole.Owner);
        var other = await house.AddAsync(BuiltInRole.Owner, email: "other@one.test");
        var browser = await house.Browser().SignedIn(owner);

        Assert.Equal(204, (await browser.Post($"/api/team/{other.Id}/deactivate")).Status);
        // Who was only invited cannot take an owner's place yet.
        Assert.Equal(201, (await browser.Send("POST", "/api/team", new { name = "Olu Later", email = "later@one.test", roles = new[] { "owner" } })).Status);
        var operatorCaller = new Caller(house.Clinic, new Actor { Kind = Ledger.ActorKind.User, Id = other.Id, Rights = ActorRights.Compile([new(BuiltInRole.Owner)], [], []), State = ActorState.Normal with { SteppedUpAt = house.Platform.Clock.GetUtcNow() } }, new("web"));
        var refused = await house.Platform.Monitor.Run(new DeactivateMember(owner.Id), operatorCaller, default);
        Assert.Equal(SignInErrors.LastOwner, refused.Error);
    }

    [Fact]
    public async Task Requiring_two_factor_of_everybody_holds_from_the_next_request()
    {
        var owner = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Owner));
        var nurse = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Nurse, enrolled: false));
        Assert.Equal(200, (await nurse.Get("/api/auth/sessions")).Status);

        Assert.Equal(204, (await owner.Send("PUT", "/api/settings/security", new { requireTwoFactor = true })).Status);
        house.Clinic = (await house.Platform.Services.GetRequiredService<TenantDirectory>().GetAsync(house.Clinic.Id, default))!;

        Assert.Equal("CHP-ACCESS-0004", (await nurse.Get("/api/auth/sessions")).Code);
        Assert.Equal(200, (await nurse.Post("/api/auth/enrol")).Status);
        var change = Assert.Single((await house.Platform.EventsAsync(house.Clinic)).Single(happened => happened.Action == "settings.modified").Changes);
        Assert.Equal(("require_two_factor", "false", "true"), (change.Field, change.Before, change.After));
    }

    [Fact]
    public async Task Clinic_is_made_with_its_owner_who_sets_the_password_by_the_link()
    {
        var creation = house.Platform.Services.GetRequiredService<ClinicCreation>();
        var made = await creation.CreateAsync(new("New Clinic", "New.Test", "Olu Owner", "olu@new.test", AlsoPractises: true), new("cli"), default);
        Assert.True(made.Succeeded, made.Error?.Title);
        Assert.Equal(SignInErrors.HostRefused, (await creation.CreateAsync(new("Again", "new.test", "X", "x@new.test"), new("cli"), default)).Error);

        var browser = house.Browser(clinic: made.Value.Tenant);
        Assert.Equal(204, (await browser.Post("/api/auth/reset", new { token = made.Value.InvitePath!.Split('/')[^1], password = "nine grey otters swim" })).Status);
        Assert.Equal("enrolment_required", (await browser.SignIn("olu@new.test", "nine grey otters swim")).SignInStatus);
        Assert.Equal(["owner", "doctor"], (await browser.Get("/api/me")).Json.GetProperty("roles").EnumerateArray().Select(role => role.GetString()));
        Assert.Equal("clinic.created", (await house.Platform.EventsAsync(made.Value.Tenant))[0].Action);
    }

    [Fact]
    public async Task Address_belongs_to_one_account_however_it_is_written()
    {
        await house.AddAsync(BuiltInRole.Doctor, email: "ada@one.test");

        var twin = await house.Platform.Monitor.Run(new CreateMember("Ada", " ADA@ONE.TEST", [BuiltInRole.Nurse]), new(house.Clinic, Actor.Operator, new("cli")), default);

        Assert.Equal(SignInErrors.EmailTaken, twin.Error);
    }

    [Fact]
    public async Task No_address_name_or_secret_lies_in_the_tables_in_the_clear()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor, email: "canary-xyzzy@one.test");
        await house.Browser(ip: "198.51.100.123").SignedIn(doctor, rememberDevice: true);

        foreach (var table in new[] { "member", "credential", "session", "trusted_device", "one_time_link", "sign_in_counter", "blind_index" })
        {
            var text = (string)(await house.Platform.Database.ExecuteAsync($"SELECT coalesce(string_agg(t::text, ' '), '') FROM clinic.{table} t"))!;
            foreach (var canary in new[] { "canary-xyzzy", "Pat Doctor", "198.51.100.123", "Firefox/140" })
            {
                Assert.DoesNotContain(canary, text, StringComparison.OrdinalIgnoreCase);
                Assert.DoesNotContain(Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(canary)), text, StringComparison.OrdinalIgnoreCase);
            }
        }
    }
}
