using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>Somebody is found by name, gets a register entry and a colour; a nurse keeps her own profile, without a mouse.</summary>
[Collection(BrowserCollection.Name)]
public sealed class ProfileStoryTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Administrator_finds_a_doctor_and_enters_the_register()
    {
        var clinic = await fixture.Server.AddClinicAsync("profiles.localhost");
        await using var admin = await fixture.SignedInAsync(BuiltInRole.Admin, clinic: clinic);
        await admin.GoAsync("/settings/team", "Team");
        await admin.ExamineAsync("team-list");
        await admin.FillAsync("Find somebody on the team", "doct");
        await admin.SeesAsync("One person found.");
        await admin.ExamineAsync("team-found");
        Assert.DoesNotContain("doct", admin.Page.Url, StringComparison.OrdinalIgnoreCase);
        await admin.Page.Locator("#find-results").GetByRole(AriaRole.Link, new() { Name = "Test Doctor" }).ClickAsync();
        await admin.AtAsync("Test Doctor");
        await admin.Link("Edit details").ClickAsync();
        await admin.AtAsync("Edit details");
        await admin.ExamineAsync("profile-edit");
        await admin.FillAsync("Name", "Dora Quirk");
        await admin.Page.GetByLabel("Professional register").SelectOptionAsync("gmc");
        await admin.Page.GetByLabel("Number", new() { Exact = false }).First.FillAsync("12345");
        await admin.Page.GetByLabel("Colour in the schedule").SelectOptionAsync("teal");
        await admin.Button("Save").ClickAsync();
        await admin.SeesAsync("A GMC number has seven digits, such as 7654321.");
        await admin.ExamineAsync("profile-edit-refused");
        await admin.Page.Locator("#registrationNumber").FillAsync("7654321");
        await admin.Button("Save").ClickAsync();
        await admin.AtAsync("Dora Quirk");
        await admin.SeesAsync("The details are changed.");
        await admin.SeesAsync("GMC 7654321");
        await admin.ExamineAsync("team-member-registered");

        await admin.GoAsync("/settings/team?signedIn=false", "Team");
        await Assertions.Expect(admin.Page.Locator("main").GetByRole(AriaRole.Link, new() { Name = "Test Administrator" })).ToHaveCountAsync(0);
        await Assertions.Expect(admin.Page.Locator("main").GetByRole(AriaRole.Link, new() { Name = "Dora Quirk" })).ToHaveCountAsync(1);
        admin.AssertExamined();
    }

    [Fact]
    public async Task Nurse_keeps_her_own_profile_by_keyboard()
    {
        var clinic = await fixture.Server.AddClinicAsync("own-profile.localhost");
        await using var nurse = await fixture.SignedInAsync(BuiltInRole.Nurse, clinic: clinic);
        await nurse.Page.Locator(".topbar-person").FocusAsync();
        await nurse.Page.Keyboard.PressAsync("Enter");
        await nurse.Page.Locator("#person-menu").GetByRole(AriaRole.Link, new() { Name = "Your profile" }).FocusAsync();
        await nurse.Page.Keyboard.PressAsync("Enter");
        await nurse.AtAsync("Your profile");
        await nurse.ExamineAsync("profile-own");
        await nurse.Page.Locator("#name").FocusAsync();
        await nurse.Page.Keyboard.PressAsync("Control+A");
        await nurse.Page.Keyboard.TypeAsync("Nora Self");
        await nurse.Page.Locator("#title").FocusAsync();
        await nurse.Page.Keyboard.TypeAsync("Sister");
        await nurse.Page.Keyboard.PressAsync("Enter");
        await nurse.SeesAsync("Your details are changed.");
        await Assertions.Expect(nurse.Page.Locator(".topbar-person")).ToContainTextAsync("Nora Self");
        nurse.AssertExamined();
    }
}
