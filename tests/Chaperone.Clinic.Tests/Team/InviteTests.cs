using System.Text.Json;
using Chaperone.Clinic.Tests.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;

namespace Chaperone.Clinic.Tests.Team;

public sealed class InviteTests : IAsyncLifetime
{
    private const string NewPassword = "nine grey otters swim";
    private SignInHouse house = null!;

    public async ValueTask InitializeAsync() => house = await SignInHouse.CreateAsync();

    public async ValueTask DisposeAsync() => await house.DisposeAsync();

    [Fact]
    public async Task Who_is_invited_sets_a_password_by_the_link_and_signs_in()
    {
        var owner = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Owner));
        var (id, token) = await Invite(owner, "nurse", "nora@one.test", title: "Ward nurse");
        var invited = Assert.Single(await List(owner, "?state=invited"));
        Assert.Equal((id, "Nora New", "Ward nurse"), (invited.GetProperty("id").GetGuid(), invited.GetProperty("name").GetString(), invited.GetProperty("title").GetString()));
        Assert.Equal(house.Platform.Clock.GetUtcNow() + TimeSpan.FromDays(7), invited.GetProperty("invitationEndsAt").GetDateTimeOffset(), TimeSpan.FromSeconds(1));
        Assert.Equal(401, (await house.Browser().SignIn("nora@one.test", NewPassword)).Status);

        Assert.Equal(204, (await Use(token)).Status);
        Assert.Equal("CHP-SIGNIN-0011", (await Use(token)).Code);

        var nora = house.Browser();
        Assert.Equal("signed_in", (await nora.SignIn("nora@one.test", NewPassword)).SignInStatus);
        Assert.Equal(["nurse"], (await nora.Get("/api/me")).Json.GetProperty("roles").EnumerateArray().Select(role => role.GetString()));
        var active = Assert.Single(await List(owner, "?role=nurse&state=active"));
        Assert.NotEqual(JsonValueKind.Null, active.GetProperty("lastSignInAt").ValueKind);
        var made = (await house.Platform.EventsAsync(house.Clinic)).Last(happened => happened.Action == "staff.created");
        Assert.Equal((EventOutcome.Success, new EventEntity("member", id)), (made.Outcome, made.Entity));
        Assert.Equal([id], made.Subjects);
        Assert.Contains(made.Changes, change => change is { Field: "roles", After: "nurse" });
    }

    [Fact]
    public async Task Who_is_invited_to_a_role_that_needs_two_factor_is_led_to_enrol()
    {
        var owner = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Owner));
        var (_, token) = await Invite(owner, "finance", "finn@one.test");
        Assert.Equal(204, (await Use(token)).Status);

        var finn = house.Browser();
        Assert.Equal("enrolment_required", (await finn.SignIn("finn@one.test", NewPassword)).SignInStatus);
        Assert.Equal("CHP-ACCESS-0004", (await finn.Get("/api/auth/sessions")).Code);
        Assert.Equal(200, (await finn.Post("/api/auth/enrol")).Status);
    }

    [Fact]
    public async Task Link_ends_after_seven_days_when_a_newer_one_is_made_and_when_the_invitation_is_withdrawn()
    {
        var person = await house.AddAsync(BuiltInRole.Owner);
        var (id, first) = await Invite(await house.Browser().SignedIn(person), "nurse", "nora@one.test");
        house.Platform.Clock.Advance(TimeSpan.FromDays(7));
        Assert.Equal("CHP-SIGNIN-0011", (await Use(first)).Code);
        var owner = await house.Browser().SignedIn(person);
        // Who can write to the database cannot give it a longer life either.
        await house.Platform.Database.ExecuteAsync("UPDATE clinic.one_time_link SET expires_at = expires_at + interval '30 days'");
        Assert.Equal("CHP-SIGNIN-0011", (await Use(first)).Code);

        var second = Token(await owner.Post($"/api/team/{id}/invite"));
        var third = Token(await owner.Post($"/api/team/{id}/invite"));
        Assert.Equal("CHP-SIGNIN-0011", (await Use(second)).Code);
        Assert.Equal(204, (await owner.Post($"/api/team/{id}/withdraw")).Status);
        Assert.Equal("CHP-SIGNIN-0011", (await Use(third)).Code);
        Assert.Equal("CHP-TEAM-0004", (await owner.Post($"/api/team/{id}/withdraw")).Code);
        Assert.Equal(id, Assert.Single(await List(owner, "?state=deactivated")).GetProperty("id").GetGuid());

        Assert.Equal(204, (await Use(Token(await owner.Post($"/api/team/{id}/invite")))).Status);
        Assert.Equal("CHP-TEAM-0003", (await owner.Post($"/api/team/{id}/invite")).Code);
        Assert.Equal("CHP-TEAM-0003", (await owner.Post($"/api/team/{id}/withdraw")).Code);
        Assert.Equal("signed_in", (await house.Browser().SignIn("nora@one.test", NewPassword)).SignInStatus);
        Assert.Equal(3, (await house.Platform.EventsAsync(house.Clinic)).Count(happened => happened is { Action: "staff.invited", Outcome: EventOutcome.Success }));
    }

    [Fact]
    public async Task Two_who_use_one_link_at_once_set_one_password()
    {
        var owner = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Owner));
        var (_, token) = await Invite(owner, "nurse", "nora@one.test");

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Use(token)));

        Assert.Single(answers, answer => answer.Status == 204);
        Assert.All(answers.Where(answer => answer.Status != 204), answer => Assert.Equal("CHP-SIGNIN-0011", answer.Code));
    }

    [Fact]
    public async Task Bad_input_is_named_by_field_and_makes_nothing()
    {
        var owner = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Owner));
        await house.AddAsync(BuiltInRole.Doctor, email: "ada@one.test");
        var before = await Accounts();

        var all = await owner.Post("/api/team", new { name = " ", email = "not an address", roles = Array.Empty<string>(), title = new string('x', 101) });
        Assert.Equal((422, "CHP-SIGNIN-0013"), (all.Status, all.Code));
        Assert.Equal(["email", "name", "roles", "title"], all.Json.GetProperty("fields").EnumerateObject().Select(field => field.Name).Order());
        foreach (var roles in new string?[][] { [], ["emperor"], ["patient"], [null], ["nurse", "Owner"] })
            Assert.Equal("CHP-SIGNIN-0013", (await owner.Post("/api/team", new { name = "Nora New", email = "nora@one.test", roles })).Code);
        Assert.Equal("CHP-SIGNIN-0013", (await owner.Post("/api/team", new { name = "Nora\u0007New", email = "nora@one.test", roles = new[] { "nurse" } })).Code);
        Assert.Equal("CHP-PLATFORM-0005", (await owner.Post("/api/team", new { name = 1, roles = "nurse" })).Code);
        var taken = await owner.Post("/api/team", new { name = "Ada Again", email = " ADA@one.test", roles = new[] { "nurse" } });
        Assert.Equal((409, "CHP-SIGNIN-0012"), (taken.Status, taken.Code));
        Assert.Equal("CHP-PLATFORM-0005", (await owner.Get("/api/team?state=asleep")).Code);
        Assert.Equal("CHP-PLATFORM-0005", (await owner.Get("/api/team?role=patient")).Code);
        Assert.Equal("CHP-PLATFORM-0005", (await owner.Get("/api/team?twoFactor=maybe")).Code);

        Assert.Equal(before, await Accounts());
    }

    [Fact]
    public async Task Nobody_invites_to_roles_they_may_not_give_nor_without_a_fresh_code()
    {
        var manager = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Manager));
        var admin = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Admin));
        var reception = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Reception));
        var before = await Accounts();
        Task<Answer> Ask(Tests.SignIn.Browser browser, params string[] roles) => browser.Post("/api/team", new { name = "Nora New", email = "nora@one.test", roles });

        foreach (var roles in new string[][] { ["owner"], ["nurse"], ["reception", "admin"], ["manager"] }) Assert.Equal((403, "CHP-TEAM-0002"), Refused(await Ask(manager, roles)));
        foreach (var role in new[] { "owner", "admin" }) Assert.Equal((403, "CHP-TEAM-0002"), Refused(await Ask(admin, role)));
        Assert.Equal((403, "CHP-ACCESS-0002"), Refused(await Ask(reception, "employee")));
        Assert.Equal((401, "CHP-ACCESS-0003"), Refused(await Ask(house.Browser(), "employee")));
        Assert.Equal(before, await Accounts());
        Assert.Equal(201, (await Ask(manager, "reception", "employee")).Status);

        house.Platform.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("CHP-ACCESS-0005", (await Ask(admin, "nurse")).Code);
    }

    private static (int, string?) Refused(Answer answer) => (answer.Status, answer.Code);

    private static async Task<(Guid Id, string Token)> Invite(Tests.SignIn.Browser browser, string role, string email, string? title = null)
    {
        var answer = await browser.Post("/api/team", new { name = " Nora New ", email, title, roles = new[] { role } });
        Assert.Equal(201, answer.Status);
        var id = answer.Json.GetProperty("id").GetGuid();
        Assert.Equal($"/api/team/{id}", answer.Headers.Location.ToString());
        return (id, Token(answer));
    }

    private static string Token(Answer answer) => answer.Json.GetProperty("path").GetString()!.Split('/')[^1];

    private static async Task<List<JsonElement>> List(Tests.SignIn.Browser browser, string query) => [.. (await browser.Get("/api/team" + query)).Json.GetProperty("items").EnumerateArray()];

    private Task<Answer> Use(string token) => house.Browser().Post("/api/auth/reset", new { token, password = NewPassword });

    private async Task<string> Accounts() => $"{await house.Platform.Database.ExecuteAsync("SELECT (SELECT count(*) FROM clinic.member) || ' ' || (SELECT count(*) FROM clinic.credential) || ' ' || (SELECT count(*) FROM clinic.one_time_link)")}";
}
