using Chaperone.Clinic.Settings;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>The owner invites a nurse, who comes in by the link on a telephone and enrols; gives her another role after a look at what that changes; and closes her account.</summary>
[Collection(BrowserCollection.Name)]
public sealed class TeamStoryTests(BrowserFixture fixture)
{
    private const string Email = "nora@team.localhost";
    private const string Password = "copper meadow slow tide";

    [Fact]
    public async Task Nurse_is_invited_comes_in_gets_another_role_and_leaves()
    {
        var clinic = await fixture.Server.AddClinicAsync("team.localhost");
        Assert.True((await fixture.Server.Run(new RequireTwoFactor(true), BuiltInRole.Owner, clinic)).Succeeded);
        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        var link = await InviteAsync(owner);

        await using var nora = await fixture.VisitAsync(clinic.Host, width: Visit.Narrow);
        await ComeInAsync(nora, link);
        await Assertions.Expect(PlaceOf(nora, "/patients")).ToHaveCountAsync(1);
        await Assertions.Expect(PlaceOf(nora, "/settings/team")).ToHaveCountAsync(0);

        await ChangeRoleAsync(owner);
        await nora.Page.ReloadAsync();
        await nora.AtAsync("Welcome, Nora New");
        await Assertions.Expect(PlaceOf(nora, "/settings/team")).ToHaveCountAsync(1);
        await Assertions.Expect(PlaceOf(nora, "/patients")).ToHaveCountAsync(0);

        await owner.Page.Locator("summary").Filter(new() { HasText = "Deactivate" }).ClickAsync();
        await owner.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Deactivate" }).ClickAsync();
        await owner.SeesAsync("The account is closed");
        await nora.Page.ReloadAsync();
        await nora.AtAsync("Sign in");

        nora.Expect(410);
        await nora.GoAsync(link, "This link does not work any more.");
        await nora.ExamineAsync("invitation-ended");
        owner.AssertExamined();
        nora.AssertExamined();
    }

    [Fact]
    public async Task What_was_typed_outlives_the_code_that_ran_out()
    {
        var clinic = await fixture.Server.AddClinicAsync("kept.localhost");
        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        await owner.GoAsync("/settings/team/invite", "Invite somebody");
        await owner.FillAsync("Name", "Nell Kept");
        await owner.FillAsync("Email address", "nell@kept.localhost");
        await owner.Page.GetByLabel("Nurse", new() { Exact = true }).CheckAsync();
        fixture.Server.Clock.Advance(TimeSpan.FromMinutes(6));
        await owner.Button("Invite").ClickAsync();
        await owner.AtAsync("Please confirm it is you");
        await owner.SeesAsync("What you typed is kept");
        await owner.ExamineAsync("step-up-kept");
        await owner.FillAsync("Code from your authenticator app", await clinic.Account(BuiltInRole.Owner).NextCodeAsync(fixture.Server.Clock));
        await owner.Button("Confirm").ClickAsync();
        await owner.AtAsync("Invitation");
        await owner.SeesAsync("For Nell Kept");
        Assert.DoesNotContain("Nell", owner.Page.Url, StringComparison.OrdinalIgnoreCase);

        // A form that Turbo sends: its answer is a page in its place.
        await owner.GoAsync($"/settings/team/{clinic.Account(BuiltInRole.Nurse).Member}/edit", "Edit details");
        await owner.FillAsync("Email address", "nora@kept.localhost");
        fixture.Server.Clock.Advance(TimeSpan.FromMinutes(6));
        await owner.Button("Save").ClickAsync();
        await owner.AtAsync("Please confirm it is you");
        await owner.FillAsync("Code from your authenticator app", await clinic.Account(BuiltInRole.Owner).NextCodeAsync(fixture.Server.Clock));
        await owner.Button("Confirm").ClickAsync();
        await owner.AtAsync("Test Nurse");
        await owner.SeesAsync("nora@kept.localhost");
        owner.AssertExamined();
    }

    // The menu of a telephone is folded away, which hides it from who asks by role.
    private static ILocator PlaceOf(Visit visit, string path) => visit.Page.Locator($"#side a[href='{path}']");

    private static async Task<string> InviteAsync(Visit visit)
    {
        await visit.GoAsync("/settings/team?state=invited", "Team");
        await visit.SeesAsync("Nobody like that");
        await visit.ExamineAsync("team-nobody");
        await visit.Place("Team").ClickAsync();
        await visit.SeesAsync("people");
        await visit.Link("Invite somebody").ClickAsync();
        await visit.AtAsync("Invite somebody");
        await visit.ExamineAsync("team-invite");
        await visit.FillAsync("Name", "Nora New");
        await visit.FillAsync("Email address", "owner@team.localhost");
        await visit.Button("Invite").ClickAsync();
        await visit.SeesAsync("Choose at least one role.");
        await visit.Page.GetByLabel("Nurse", new() { Exact = true }).CheckAsync();
        await visit.Button("Invite").ClickAsync();
        await visit.SeesAsync("Somebody in your clinic has this address already.");
        await visit.ExamineAsync("team-invite-refused");
        await visit.FillAsync("Email address", Email);
        await visit.Button("Invite").ClickAsync();
        await visit.AtAsync("Invitation");
        await visit.ExamineAsync("team-invitation");
        return await visit.Page.Locator(".copy-text-value").InnerTextAsync();
    }

    private async Task ComeInAsync(Visit visit, string link)
    {
        await visit.GoAsync(link, "Choose your password");
        await visit.SeesAsync("Welcome to");
        await visit.ExamineAsync("invited");
        await visit.FillAsync("New password", Password);
        await visit.Button("Set password").ClickAsync();
        await visit.AtAsync("Sign in");
        await visit.FillAsync("Email address", Email);
        await visit.FillAsync("Password", Password);
        await visit.Button("Sign in").ClickAsync();
        await visit.AtAsync("Set up two-factor sign-in");
        await visit.Button("Show the QR code").ClickAsync();
        await visit.Page.GetByText("The camera does not work").ClickAsync();
        var shown = await visit.Page.Locator(".copy-text-value").InnerTextAsync();
        var account = new TestAccount(BuiltInRole.Nurse, Guid.Empty, Email, Base32.Decode(shown.Replace(" ", "", StringComparison.Ordinal))!);
        await visit.FillAsync("Code", await account.NextCodeAsync(fixture.Server.Clock));
        await visit.Button("Turn on two-factor").ClickAsync();
        await visit.AtAsync("Save your backup codes");
        await visit.Link("I have saved them").ClickAsync();
        await visit.AtAsync("Welcome, Nora New");
    }

    private static async Task ChangeRoleAsync(Visit visit)
    {
        await visit.GoAsync("/settings/team?role=nurse&state=active&twoFactor=true", "Team");
        await visit.Link("Nora New").ClickAsync();
        await visit.AtAsync("Nora New");
        await visit.Link("Change roles").ClickAsync();
        await visit.AtAsync("Change roles");
        await visit.ExamineAsync("team-roles");
        await visit.Page.GetByLabel("Nurse", new() { Exact = true }).UncheckAsync();
        await visit.Button("Show what changes").ClickAsync();
        await visit.SeesAsync("Choose at least one role.");
        await visit.Page.GetByLabel("Nurse", new() { Exact = true }).UncheckAsync();
        await visit.Page.GetByLabel("Practice manager", new() { Exact = true }).CheckAsync();
        await visit.Button("Show what changes").ClickAsync();
        await visit.SeesAsync("They may no longer");
        await visit.SeesAsync(Permission.NoteView.Sentence);
        await visit.SeesAsync(Permission.TeamManage.Sentence);
        await visit.AtAsync("Change roles");
        await visit.ExamineAsync("team-roles-preview");
        await visit.Button("Change the roles").ClickAsync();
        await visit.AtAsync("Nora New");
        await visit.SeesAsync("The roles are changed.");
        await visit.ExamineAsync("team-member-other");
    }
}
