using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>The command palette by keyboard alone, and the bell.</summary>
[Collection(BrowserCollection.Name)]
public sealed class PaletteTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Receptionist_goes_places_does_things_and_finds_a_patient_with_the_keyboard()
    {
        var clinic = await fixture.Server.AddClinicAsync("palette.localhost");
        await using var visit = await fixture.SignedInAsync(BuiltInRole.Reception, clinic: clinic);
        var (keys, text) = (visit.Page.Keyboard, visit.Page.Locator(".palette-text"));
        var dialog = visit.Page.GetByRole(AriaRole.Dialog, new() { Name = "Commands" });

        await keys.PressAsync("Control+k");
        await Assertions.Expect(text).ToBeFocusedAsync();
        await visit.ExamineAsync("palette");      // walks with Tab, so the cursor is elsewhere afterwards
        await text.FocusAsync();
        await keys.TypeAsync("regis");
        await Assertions.Expect(visit.Page.Locator(".palette-list li:visible")).ToHaveCountAsync(1);
        await keys.PressAsync("Enter");
        await visit.AtAsync("Register a patient");

        await keys.PressAsync("Control+k");
        await Assertions.Expect(text).ToHaveValueAsync("");
        await keys.PressAsync("Escape");
        await Assertions.Expect(dialog).ToBeHiddenAsync();

        // Typing looks for nobody; asking does, once.
        var before = await SearchesAsync();
        await keys.PressAsync("Control+k");
        await keys.TypeAsync("prime");
        await Assertions.Expect(visit.Page.Locator("[data-palette-target=none]")).ToBeVisibleAsync();
        Assert.Equal(before, await SearchesAsync());
        await keys.PressAsync("Enter");
        await Assertions.Expect(visit.Page.Locator("#palette-found [data-result]")).ToBeFocusedAsync();
        Assert.Equal(before + 1, await SearchesAsync());
        await visit.ExamineAsync("palette-found");
        await keys.PressAsync("Control+k");      // closes
        await Assertions.Expect(dialog).ToBeHiddenAsync();
        await keys.PressAsync("Control+k");
        await keys.TypeAsync("prime paula");
        await keys.PressAsync("ArrowDown");
        await keys.PressAsync("Enter");
        await Assertions.Expect(visit.Page.Locator("#palette-found [data-result]")).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await visit.AtAsync(PatientText.Name("Prime", "Paula"));

        await visit.Page.Locator(".bell").ClickAsync();
        await visit.AtAsync("Notices");
        await visit.ExamineAsync("notices-empty");
        visit.AssertExamined();

        async Task<long> SearchesAsync() => (long)(await fixture.Server.Database.ExecuteAsync($"SELECT count(*) FROM ledger.event WHERE tenant_id = '{clinic.Tenant.Id}' AND action = 'patient.searched'"))!;
    }

    [Fact]
    public async Task Palette_offers_no_more_than_the_role_may()
    {
        await using var visit = await fixture.SignedInAsync(BuiltInRole.Finance);
        await visit.Page.Keyboard.PressAsync("Control+k");
        var offered = await visit.Page.Locator(".palette-item").AllInnerTextsAsync();
        Assert.DoesNotContain(offered, entry => entry.Contains("Register", StringComparison.Ordinal) || entry.Contains("Team", StringComparison.Ordinal));
        Assert.Contains(offered, entry => entry.Contains("Home", StringComparison.Ordinal));
    }
}
