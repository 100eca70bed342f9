using System.Text.Json;
using Chaperone.Clinic.SignIn;
using Chaperone.Clinic.Team;
using Chaperone.Clinic.Tests.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.Team;

public sealed class ChangeRolesTests : IAsyncLifetime
{
    private SignInHouse house = null!;

    public async ValueTask InitializeAsync() => house = await SignInHouse.CreateAsync();

    public async ValueTask DisposeAsync() => await house.DisposeAsync();

    [Fact]
    public async Task Other_roles_hold_from_the_next_request_and_stand_in_the_log()
    {
        var nurse = await house.AddAsync(BuiltInRole.Nurse);
        var theirs = await house.Browser().SignedIn(nurse);
        var owner = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Owner));
        var path = $"/api/team/{nurse.Id}";
        Assert.Equal(403, (await theirs.Get("/api/team")).Status);
        var tag = (await owner.Get(path)).Headers.ETag.ToString();

        Assert.Equal((428, "CHP-PLATFORM-0001"), Refused(await Put(owner, nurse.Id, null, "manager")));
        Assert.Equal((412, "CHP-PLATFORM-0002"), Refused(await Put(owner, nurse.Id, "\"77\"", "manager")));
        var changed = await Put(owner, nurse.Id, tag, "employee", "manager", "manager");

        Assert.Equal(200, changed.Status);
        Assert.NotEqual(tag, changed.Headers.ETag.ToString());
        Assert.Equal(["manager", "employee"], changed.Json.GetProperty("roles").EnumerateArray().Select(role => role.GetString()));
        Assert.Equal(200, (await theirs.Get("/api/team")).Status);
        Assert.DoesNotContain("note.view", (await theirs.Get("/api/me")).Body, StringComparison.Ordinal);
        Assert.Equal((409, "CHP-TEAM-0004"), Refused(await Put(owner, nurse.Id, changed.Headers.ETag, "manager", "employee")));
        var happened = Assert.Single(await house.Platform.EventsAsync(house.Clinic), happened => happened is { Action: "staff.role_changed", Outcome: EventOutcome.Success });
        Assert.Equal([nurse.Id], happened.Subjects);
        Assert.Contains(happened.Changes, change => change is { Field: "roles", Before: "nurse", After: "manager employee" });
    }

    [Fact]
    public async Task Preview_says_what_is_gained_and_lost_and_changes_nothing()
    {
        var nurse = await house.AddAsync(BuiltInRole.Nurse);
        var owner = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Owner));

        var preview = await owner.Get($"/api/team/{nurse.Id}/roles?roles=reception");

        static IEnumerable<string?> Codes(JsonElement changes) => changes.EnumerateArray().Select(change => change.GetProperty("permission").GetString());
        var difference = preview.Json.GetProperty("difference");
        Assert.Contains("payment.take", Codes(difference.GetProperty("gained")));
        Assert.Contains("note.view", Codes(difference.GetProperty("lost")));
        Assert.DoesNotContain("patient.view", preview.Body, StringComparison.Ordinal);
        Assert.Equal("nurse", preview.Json.GetProperty("current")[0].GetString());
        Assert.Equal("nurse", (await owner.Get($"/api/team/{nurse.Id}")).Json.GetProperty("member").GetProperty("roles")[0].GetString());
        Assert.Equal("CHP-TEAM-0001", (await owner.Get($"/api/team/{nurse.Id}/roles?roles=emperor")).Code);
        Assert.Empty((await owner.Get($"/api/team/{nurse.Id}/roles")).Json.GetProperty("difference").GetProperty("lost").EnumerateArray());
    }

    [Fact]
    public void Difference_counts_reach_and_says_it()
    {
        static ActorRights Of(params Role[] roles) => ActorRights.Compile(roles.Select(role => new RoleAssignment(role)), [], []);
        var narrower = RightsDifference.Of(Of(BuiltInRole.Nurse), Of(BuiltInRole.Clinical), default);
        Assert.Empty(narrower.Gained);
        Assert.Contains(narrower.Lost, change => change is { Permission: "note.view" } && change.Sentence.EndsWith("beyond those (their own, and those assigned to or shared with them)", StringComparison.Ordinal));
        Assert.Contains(narrower.Lost, change => change.Permission == "patient.edit" && change.Sentence == Permission.PatientEdit.Sentence);
        var wider = RightsDifference.Of(Of(BuiltInRole.Clinical), Of(BuiltInRole.Nurse), default);
        Assert.Equal(narrower.Lost.Select(change => change.Permission), wider.Gained.Select(change => change.Permission));
        Assert.Empty(wider.Lost);
        Assert.Empty(RightsDifference.Of(Of(BuiltInRole.Owner), Of(BuiltInRole.Owner, BuiltInRole.Admin), default).Gained);
        foreach (var (before, after) in BuiltInRole.All.SelectMany(before => BuiltInRole.All.Select(after => (before, after))))
            Assert.Equal(RightsDifference.Of(Of(before), Of(after), default).Gained.Select(change => change.Permission), RightsDifference.Of(Of(after), Of(before), default).Lost.Select(change => change.Permission));
    }

    [Fact]
    public async Task Nobody_gives_what_they_may_not_give_nor_changes_their_own()
    {
        var owner = await house.AddAsync(BuiltInRole.Owner);
        var (admin, manager) = (await house.AddAsync(BuiltInRole.Admin), await house.AddAsync(BuiltInRole.Manager));
        var (doctor, reception) = (await house.AddAsync(BuiltInRole.Doctor), await house.AddAsync(BuiltInRole.Reception));
        var (asOwner, asAdmin, asManager) = (await house.Browser().SignedIn(owner), await house.Browser().SignedIn(admin), await house.Browser().SignedIn(manager));
        var asReception = await house.Browser().SignedIn(reception);
        const string First = "\"1\"";

        foreach (var role in new[] { "owner", "admin", "manager", "doctor", "finance" }) Assert.Equal((403, "CHP-TEAM-0002"), Refused(await Put(asManager, reception.Id, First, role)));
        Assert.Equal((403, "CHP-TEAM-0002"), Refused(await Put(asManager, reception.Id, First, "reception", "owner")));
        Assert.Equal((403, "CHP-TEAM-0002"), Refused(await Put(asAdmin, doctor.Id, First, "admin")));
        Assert.Equal((403, "CHP-SIGNIN-0014"), Refused(await Put(asManager, doctor.Id, First, "reception")));
        Assert.Equal((403, "CHP-SIGNIN-0014"), Refused(await Put(asAdmin, owner.Id, First, "reception")));
        foreach (var (browser, self) in new[] { (asOwner, owner), (asAdmin, admin), (asManager, manager) }) Assert.Equal((403, "CHP-SIGNIN-0014"), Refused(await Put(browser, self.Id, First, "reception")));
        Assert.Equal((403, "CHP-ACCESS-0002"), Refused(await Put(asReception, doctor.Id, First, "employee")));
        Assert.Equal((403, "CHP-ACCESS-0002"), Refused(await asReception.Get($"/api/team/{doctor.Id}/roles?roles=employee")));
        foreach (var roles in new string[][] { [], ["emperor"], ["patient"] }) Assert.Equal((422, "CHP-TEAM-0001"), Refused(await Put(asOwner, doctor.Id, First, roles)));

        var second = await house.Platform.AddClinicAsync("second.test");
        var stranger = await house.AddAsync(BuiltInRole.Doctor, clinic: second);
        Assert.Equal(404, (await Put(asOwner, stranger.Id, First, "employee")).Status);
        Assert.Equal(404, (await asOwner.Get($"/api/team/{stranger.Id}/roles?roles=employee")).Status);
        foreach (var verb in new[] { "invite", "withdraw" }) Assert.Equal(404, (await asOwner.Post($"/api/team/{stranger.Id}/{verb}")).Status);

        Assert.Equal(0L, await house.Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.member WHERE version > 1"));
        house.Platform.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("CHP-ACCESS-0005", (await Put(asOwner, doctor.Id, First, "nurse")).Code);
    }

    [Fact]
    public async Task Who_is_given_a_role_that_needs_two_factor_can_do_nothing_before()
    {
        var reception = await house.AddAsync(BuiltInRole.Reception, enrolled: false);
        var theirs = await house.Browser().SignedIn(reception);
        var owner = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Owner));
        Assert.Equal(200, (await theirs.Get("/api/auth/sessions")).Status);
        Assert.True((await owner.Get($"/api/team/{reception.Id}/roles?roles=finance")).Json.GetProperty("needsTwoFactorFirst").GetBoolean());

        Assert.Equal(200, (await Put(owner, reception.Id, "\"1\"", "finance")).Status);

        Assert.Equal("CHP-ACCESS-0004", (await theirs.Get("/api/auth/sessions")).Code);
    }

    [Fact]
    public async Task Two_last_owners_who_take_the_role_from_each_other_at_once_leave_one()
    {
        var people = new[] { await house.AddAsync(BuiltInRole.Owner, email: "ann@one.test"), await house.AddAsync(BuiltInRole.Owner, email: "ben@one.test") };
        for (var round = 0; round < 6; round++)
        {
            var (ann, ben) = (people[0].Id, people[1].Id);
            var (annsVersion, bensVersion) = (await Version(ann), await Version(ben));
            Task<Error?> Demote(Guid whom, long version, Guid by) => Run(new ChangeRoles(whom, ["doctor"], version), by);
            var errors = (round % 3) switch
            {
                0 => await Task.WhenAll(Demote(ben, bensVersion, ann), Demote(ann, annsVersion, ben)),
                1 => await Task.WhenAll(Run(new DeactivateMember(ben), ann), Run(new DeactivateMember(ann), ben)),
                _ => await Task.WhenAll(Demote(ben, bensVersion, ann), Run(new DeactivateMember(ann), ben)),
            };

            Assert.Single(errors, error => error is null);
            Assert.Single(errors, error => error == SignInErrors.LastOwner);
            Assert.Equal(1L, await house.Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.member WHERE status = 'active' AND 'owner' = ANY (roles)"));
            var (left, other) = errors[0] is null ? (ann, ben) : (ben, ann);
            if ((string)(await house.Platform.Database.ExecuteAsync($"SELECT status FROM clinic.member WHERE id = '{other}'"))! == "active") Assert.Null(await Run(new ChangeRoles(other, ["owner"], await Version(other)), left));
            else Assert.Null(await Run(new ReactivateMember(other), left));
        }

        async Task<Error?> Run<T>(IOperation<T> operation, Guid by) => (await house.Platform.Monitor.Run(operation, AsOwner(by), default)).Error;
    }

    [Fact]
    public async Task Deactivating_twice_is_told_and_its_links_are_dead()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var theirs = await house.Browser().SignedIn(doctor);
        var owner = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Owner));
        var token = (await owner.Post($"/api/team/{doctor.Id}/reset-link")).Json.GetProperty("path").GetString()!.Split('/')[^1];
        Assert.Equal("CHP-TEAM-0004", (await owner.Post($"/api/team/{doctor.Id}/reactivate")).Code);

        Assert.Equal(204, (await owner.Post($"/api/team/{doctor.Id}/deactivate")).Status);

        Assert.Equal("CHP-TEAM-0004", (await owner.Post($"/api/team/{doctor.Id}/deactivate")).Code);
        Assert.Equal(401, (await theirs.Get("/api/me")).Status);
        Assert.Equal("CHP-SIGNIN-0011", (await house.Browser().Post("/api/auth/reset", new { token, password = "nine grey otters swim" })).Code);
        Assert.Equal(204, (await owner.Post($"/api/team/{doctor.Id}/reactivate")).Status);
        Assert.Equal(401, (await theirs.Get("/api/me")).Status);
        Assert.Equal("CHP-SIGNIN-0011", (await house.Browser().Post("/api/auth/reset", new { token, password = "nine grey otters swim" })).Code);
    }

    [Fact]
    public async Task List_narrows_by_role_state_and_two_factor_and_the_event_names_only_who_is_shown()
    {
        var doctor = await house.AddAsync(BuiltInRole.Doctor);
        var nurse = await house.AddAsync(BuiltInRole.Nurse, enrolled: false);
        var reception = await house.AddAsync(BuiltInRole.Reception, enrolled: false);
        var owner = await house.Browser().SignedIn(await house.AddAsync(BuiltInRole.Owner));
        for (var i = 0; i < 5; i++) await house.Browser().SignIn(reception.Email, "wrong");
        async Task<IEnumerable<Guid>> Ids(string query) => (await owner.Get("/api/team" + query)).Json.GetProperty("items").EnumerateArray().Select(member => member.GetProperty("id").GetGuid()).ToList();

        Assert.Equal(4, (await Ids("")).Count());
        Assert.Equal([doctor.Id], await Ids("?role=doctor"));
        Assert.Equal([reception.Id], await Ids("?state=locked"));
        Assert.Equal([nurse.Id], await Ids("?twoFactor=false&state=active"));
        Assert.Empty(await Ids("?role=doctor&twoFactor=false"));
        var shown = (await house.Platform.EventsAsync(house.Clinic)).Where(happened => happened.Action == "staff.listed").ToList();
        Assert.Equal([nurse.Id], shown[^2].Subjects);
        Assert.Empty(shown[^1].Subjects);
    }

    private static (int, string?) Refused(Answer answer) => (answer.Status, answer.Code);

    private static Task<Answer> Put(Tests.SignIn.Browser browser, Guid member, string? tag, params string[] roles) => browser.Send("PUT", $"/api/team/{member}/roles", new { roles }, tag);

    private async Task<long> Version(Guid member) => (long)(await house.Platform.Database.ExecuteAsync($"SELECT version FROM clinic.member WHERE id = '{member}'"))!;

    // As the request before: both were owners when they asked.
    private Caller AsOwner(Guid member) => new(
        house.Clinic,
        new Actor { Kind = ActorKind.User, Id = member, Role = "owner", Rights = ActorRights.Compile([new(BuiltInRole.Owner)], [], []), State = ActorState.Normal with { SteppedUpAt = house.Platform.Clock.GetUtcNow() } },
        new("web"));
}
