using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>The owner sets the clinic up without a mouse; a nurse finds the contacts; the clinic moves to another address.</summary>
[Collection(BrowserCollection.Name)]
public sealed class SettingsStoryTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Owner_sets_the_clinic_up_by_keyboard_and_everybody_finds_the_contacts()
    {
        var clinic = await fixture.Server.AddClinicAsync("settings.localhost");
        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        await owner.Place("Clinic").FocusAsync();
        await owner.Page.Keyboard.PressAsync("Enter");
        await owner.AtAsync("Clinic");
        await owner.ExamineAsync("clinic-settings");

        await TypeAsync(owner, "Name", "Harbour Clinic");
        await TypeAsync(owner, "Time zone", "Atlantis");
        await TickAsync(owner, "Saturday");
        await owner.Page.Locator("[name='saturday.to']").FillAsync("07:00");
        await owner.Button("Save").FocusAsync();
        await owner.Page.Keyboard.PressAsync("Enter");
        await owner.SeesAsync("Choose a time zone from the list");
        await owner.SeesAsync("On Saturday you must close after you open.");
        await Assertions.Expect(owner.Page.Locator(".error-summary")).ToBeFocusedAsync();
        Assert.Equal("Harbour Clinic", await owner.Page.GetByLabel("Name", new() { Exact = true }).InputValueAsync());
        await owner.ExamineAsync("clinic-settings-refused");
        await TypeAsync(owner, "Time zone", "Europe/Dublin");
        await owner.Page.Locator("[name='saturday.to']").FillAsync("12:30");
        await owner.Page.GetByLabel("Privacy lead", new() { Exact = true }).FocusAsync();
        await owner.Page.Keyboard.TypeAsync("Test Nurse");
        await TickAsync(owner, "Test Administrator");
        await owner.Button("Save").FocusAsync();
        await owner.Page.Keyboard.PressAsync("Enter");
        await owner.SeesAsync("The settings are saved.");
        Assert.Contains("Harbour Clinic", await owner.Page.Locator(".topbar-brand").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal("12:30", await owner.Page.Locator("[name='saturday.to']").InputValueAsync());

        await owner.Page.Locator("[name=logo]").SetInputFilesAsync(System.IO.Path.Combine(SourceTree.Root, "docs", "images", "sign-in.png"));
        await owner.Button("Use this picture").ClickAsync();
        await owner.SeesAsync("The logo is changed.");
        await Assertions.Expect(owner.Page.Locator("img.topbar-logo")).ToHaveJSPropertyAsync("complete", true);
        Assert.True(await owner.Page.Locator("img.topbar-logo").EvaluateAsync<int>("image => image.naturalWidth") > 0);
        await owner.ExamineAsync("clinic-settings-logo");

        await using var nurse = await fixture.SignedInAsync(BuiltInRole.Nurse, Visit.Narrow, clinic);
        await nurse.Button("Menu").ClickAsync();
        await nurse.Page.Locator("#side").GetByRole(AriaRole.Link, new() { Name = "Contacts" }).ClickAsync();
        await nurse.AtAsync("Contacts");
        await Assertions.Expect(nurse.Page.Locator("main").GetByRole(AriaRole.Link, new() { Name = "nurse@settings.localhost" })).ToBeVisibleAsync();
        await nurse.SeesAsync("Test Administrator");
        await nurse.ExamineAsync("contacts");
        owner.AssertExamined();
        nurse.AssertExamined();
    }

    [Fact]
    public async Task Clinic_moves_to_another_address()
    {
        var clinic = await fixture.Server.AddClinicAsync("old-harbour.localhost");
        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, Visit.Narrow, clinic);
        await owner.GoAsync("/settings/clinic", "Clinic");
        await owner.FillAsync("Host name", "new-harbour.localhost");
        await owner.Button("Save").ClickAsync();
        await owner.SeesAsync("Confirm that the new address leads to this server");
        await owner.Page.GetByLabel("I am changing the address").CheckAsync();
        await owner.Button("Save").ClickAsync();
        await owner.AtAsync("The clinic has moved");
        await owner.ExamineAsync("clinic-moved");
        await owner.Link("Go to new-harbour.localhost").ClickAsync();
        await owner.AtAsync("Sign in");
        Assert.Equal("new-harbour.localhost", new Uri(owner.Page.Url).Host);
        owner.AssertExamined();
    }

    private static async Task TypeAsync(Visit visit, string label, string text)
    {
        await visit.Page.GetByLabel(label, new() { Exact = true }).FocusAsync();
        await visit.Page.Keyboard.PressAsync("Control+A");
        await visit.Page.Keyboard.TypeAsync(text);
    }

    private static async Task TickAsync(Visit visit, string label)
    {
        await visit.Page.GetByLabel(label, new() { Exact = true }).FocusAsync();
        await visit.Page.Keyboard.PressAsync("Space");
    }
}
