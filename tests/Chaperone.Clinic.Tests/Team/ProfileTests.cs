using System.Text.Json;
using Chaperone.Clinic.SignIn;
using Chaperone.Clinic.Tests.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.Team;

public sealed class ProfileTests : IAsyncLifetime
{
    private SignInHouse house = null!;

    public async ValueTask InitializeAsync() => house = await SignInHouse.CreateAsync();

    public async ValueTask DisposeAsync() => await house.DisposeAsync();

    [Fact]
    public async Task Details_are_changed_sealed_and_named_in_the_log_without_their_values()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var admin = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Admin));
        var path = $"/api/team/{doctor.Id}";
        var wanted = Profile(doctor.Email) with { Name = "Dora Quirk", Title = "Consultant", RegistrationBody = "gmc", RegistrationNumber = "765 4321", Colour = "teal" };
        Assert.Equal((428, "CHP-PLATFORM-0001"), Refused(await admin.Send("PUT", path, wanted)));
        Assert.Equal((412, "CHP-PLATFORM-0002"), Refused(await admin.Send("PUT", path, wanted, "\"9\"")));
        house.Platform.Clock.Advance(TimeSpan.FromMinutes(6));   // the address stays: no fresh code is asked for

        var changed = await admin.Send("PUT", path, wanted, "\"1\"");

        Assert.Equal((200, "\"2\""), (changed.Status, changed.Headers.ETag.ToString()));
        var seen = (await admin.Get(path)).Json.GetProperty("member");
        Assert.Equal(("Dora Quirk", "Consultant", "teal"), (seen.GetProperty("name").GetString(), seen.GetProperty("title").GetString(), seen.GetProperty("colour").GetString()));
        Assert.Equal(("gmc", "7654321"), (seen.GetProperty("registration").GetProperty("body").GetString(), seen.GetProperty("registration").GetProperty("number").GetString()));
        var happened = Assert.Single(await house.Platform.EventsAsync(house.Clinic), happened => happened is { Action: "staff.updated", Outcome: EventOutcome.Success });
        Assert.Equal([doctor.Id], happened.Subjects);
        Assert.Equal(["colour", "name", "registration", "title"], happened.Changes.Select(change => change.Field).Order(StringComparer.Ordinal));
        Assert.All(happened.Changes, change => Assert.Equal((null, null), (change.Before, change.After)));
        var stored = (string)(await house.Platform.Database.ExecuteAsync("SELECT string_agg(t::text, ' ') FROM clinic.member t"))!;
        foreach (var canary in new[] { "Quirk", "7654321", "Consultant" })
        {
            Assert.DoesNotContain(canary, stored, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(canary)), stored, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task Nobody_takes_over_an_account_above_their_own_by_its_address()
    {
        var (owner, admin, doctor) = (await house.AddAsync(BuiltInRole.Owner), await house.AddAsync(BuiltInRole.Admin), await house.AddAsync(BuiltInRole.Doctor));
        var (reception, managing, second) = (await house.AddAsync(BuiltInRole.Reception), await house.AddAsync(BuiltInRole.Manager), await house.Platform.AddClinicAsync("second.test"));
        var stranger = await house.AddAsync(BuiltInRole.Reception, clinic: second, email: "stranger@second.test");
        var manager = await house.Browser().SignedIn(managing);
        foreach (var above in new[] { owner, admin, doctor })
        {
            Assert.Equal((403, "CHP-SIGNIN-0014"), Refused(await manager.Send("PUT", $"/api/team/{above.Id}", Profile("mine@evil.test"), "\"1\"")));
            Assert.Equal((403, "CHP-SIGNIN-0014"), Refused(await manager.Send("PUT", $"/api/team/{above.Id}", Profile(above.Email) with { Name = "Renamed" }, "\"1\"")));
        }
        Assert.Equal((403, "CHP-SIGNIN-0014"), Refused(await (await house.Browser().SignedIn(admin)).Send("PUT", $"/api/team/{owner.Id}", Profile("mine@evil.test"), "\"1\"")));
        Assert.Equal((403, "CHP-SIGNIN-0014"), Refused(await manager.Send("PUT", $"/api/team/{managing.Id}", Profile("own@one.test"), "\"1\"")));
        Assert.Equal((404, "CHP-ACCESS-0001"), Refused(await manager.Send("PUT", $"/api/team/{stranger.Id}", Profile("mine@evil.test"), "\"1\"")));
        Assert.Equal((403, "CHP-ACCESS-0002"), Refused(await (await house.Browser().SignedIn(reception)).Send("PUT", $"/api/team/{owner.Id}", Profile("mine@evil.test"), "\"1\"")));

        Assert.Equal(200, (await manager.Send("PUT", $"/api/team/{reception.Id}", Profile("front@one.test"), "\"1\"")).Status);
        Assert.Equal("signed_in", (await house.Browser().SignIn(owner.Email, SignInHouse.Password, owner.NextCode())).SignInStatus);
    }

    [Fact]
    public async Task Another_address_asks_for_a_code_belongs_to_one_and_ends_links_but_no_session()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        await house.AddAsync(BuiltInRole.Nurse, email: "nurse@one.test");
        var administrator = await house.AddAsync(BuiltInRole.Admin);
        var (admin, theirs) = (await house.Browser().SignedIn(administrator), await house.Browser().SignedIn(doctor));
        var token = (await admin.Post($"/api/team/{doctor.Id}/reset-link")).Json.GetProperty("path").GetString()!.Split('/')[^1];
        Assert.Equal((409, "CHP-SIGNIN-0012"), Refused(await admin.Send("PUT", $"/api/team/{doctor.Id}", Profile(" NURSE@one.test "), "\"1\"")));
        house.Platform.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal((403, "CHP-ACCESS-0005"), Refused(await admin.Send("PUT", $"/api/team/{doctor.Id}", Profile("new@one.test"), "\"1\"")));
        Assert.Equal(204, (await admin.Post("/api/auth/step-up", new { code = administrator.NextCode() })).Status);

        Assert.Equal(200, (await admin.Send("PUT", $"/api/team/{doctor.Id}", Profile("new@one.test"), "\"1\"")).Status);

        Assert.Equal(200, (await theirs.Get("/api/me")).Status);
        Assert.Equal(401, (await house.Browser().SignIn(doctor.Email, SignInHouse.Password, doctor.NextCode())).Status);
        Assert.Equal("signed_in", (await house.Browser().SignIn("New@one.test", SignInHouse.Password, doctor.NextCode())).SignInStatus);
        Assert.Equal("CHP-SIGNIN-0011", (await house.Browser().Post("/api/auth/reset", new { token, password = "nine grey otters swim" })).Code);
        Assert.True((await house.Platform.Monitor.Run(new CreateMember("Later", doctor.Email, [BuiltInRole.Nurse]), new(house.Clinic, Actor.Operator, new("cli")), default)).Succeeded);   // the old one is free
    }

    [Fact]
    public async Task Everybody_changes_their_own_details_and_with_a_fresh_code_their_address()
    {
        var person = await house.AddAsync(BuiltInRole.Nurse);
        var nurse = await house.Browser().SignedIn(person);
        var tag = (await nurse.Get("/api/me")).Headers.ETag.ToString();
        var wanted = Profile(person.Email) with { Name = "Nora Self", RegistrationBody = "nmc", RegistrationNumber = "98i1234e" };

        Assert.Equal(200, (await nurse.Send("PUT", "/api/me", wanted, tag)).Status);
        house.Platform.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal((403, "CHP-ACCESS-0005"), Refused(await nurse.Send("PUT", "/api/me", wanted with { Email = "nora@one.test" }, "\"2\"")));
        Assert.Equal(204, (await nurse.Post("/api/auth/step-up", new { code = person.NextCode() })).Status);
        Assert.Equal(200, (await nurse.Send("PUT", "/api/me", wanted with { Email = "nora@one.test" }, "\"2\"")).Status);

        var me = (await nurse.Get("/api/me")).Json;
        Assert.Equal(("Nora Self", "nora@one.test", "98I1234E", "nurse"), (me.GetProperty("name").GetString(), me.GetProperty("email").GetString(), me.GetProperty("registration").GetProperty("number").GetString(), me.GetProperty("roles")[0].GetString()));
        var told = (await house.Platform.EventsAsync(house.Clinic)).Last(happened => happened is { Action: "staff.updated", Outcome: EventOutcome.Success });
        Assert.Equal(("email", person.Id, person.Id), (Assert.Single(told.Changes).Field, told.Actor.Id!.Value, Assert.Single(told.Subjects)));
    }

    [Theory]
    [InlineData("gmc", "7654321", null, null)]
    [InlineData("gmc", "A1234567", null, null)]
    [InlineData("gmc", "765432", null, "registrationNumber")]
    [InlineData("gmc", "76543210", null, "registrationNumber")]
    [InlineData("gmc", "765432\u0661", null, "registrationNumber")]
    [InlineData("nmc", "98I1234E", null, null)]
    [InlineData("nmc", "981I234E", null, "registrationNumber")]
    [InlineData("gdc", "1", null, null)]
    [InlineData("gdc", "1234567", null, "registrationNumber")]
    [InlineData("gdc", "", null, "registrationNumber")]
    [InlineData("other", "PH 12", "HCPC", null)]
    [InlineData("other", "PH 12", "", "registerName")]
    [InlineData("other", "", "HCPC", "registrationNumber")]
    [InlineData("bma", "1", null, "registrationBody")]
    [InlineData("", "7654321", null, "registrationBody")]
    [InlineData("", "", null, null)]
    public void Numbers_have_the_form_of_their_register(string body, string number, string? register, string? fault) => Assert.Equal(fault, Registration.Read(body, number, register).Field);

    [Fact]
    public async Task List_is_narrowed_to_who_never_signed_in_and_found_by_name_without_showing_the_others()
    {
        var (doctor, nurse) = (await house.AddAsync(BuiltInRole.Doctor), await house.AddAsync(BuiltInRole.Nurse, email: "zoe@one.test"));
        var administrator = await house.AddAsync(BuiltInRole.Admin);
        var admin = await house.Browser().SignedIn(administrator);
        static Guid[] Ids(Answer answer) => [.. answer.Json.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetGuid())];

        Assert.Equal(new[] { doctor.Id, nurse.Id }.Order(), Ids(await admin.Get("/api/team?signedIn=false")).Order());
        Assert.Equal([administrator.Id], Ids(await admin.Get("/api/team?signedIn=true")));
        Assert.Equal(400, (await admin.Get("/api/team?signedIn=perhaps")).Status);
        for (var i = 0; i < 5; i++) await house.Browser().SignIn(doctor.Email, "wrong");
        Assert.Equal([doctor.Id], Ids(await admin.Get("/api/team?locked=true")));
        Assert.Equal([nurse.Id], Ids(await admin.Post("/api/team/find", new { text = "ZOË pat" })));
        Assert.Empty(Ids(await admin.Post("/api/team/find", new { text = "nobody" })));

        var searched = (await house.Platform.EventsAsync(house.Clinic)).Where(happened => happened.Action == "staff.listed").TakeLast(2).ToList();
        Assert.Equal([[nurse.Id], []], searched.Select(happened => happened.Subjects.ToArray()));
        Assert.All(searched, happened => Assert.DoesNotContain("zo\u00eb", JsonSerializer.Serialize(happened), StringComparison.OrdinalIgnoreCase));
    }

    private static Wanted Profile(string email) => new("Pat Somebody", email);

    private static (int, string?) Refused(Answer answer) => (answer.Status, answer.Code);

    private sealed record Wanted(string Name, string Email, string? Title = null, string? RegistrationBody = null, string? RegistrationNumber = null, string? RegisterName = null, string? Colour = null);
}
