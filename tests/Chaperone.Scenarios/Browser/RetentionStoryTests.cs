using Chaperone.Platform.Access;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>An owner keeps a patient's events beyond their term, an administrator confirms it, and a category is kept longer.</summary>
[Collection(BrowserCollection.Name)]
public sealed class RetentionStoryTests(BrowserFixture fixture)
{
    [Fact]
    public async Task A_hold_is_placed_from_the_record_and_confirmed_by_the_second_person()
    {
        var clinic = await fixture.Server.AddClinicAsync("held.localhost");
        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        await owner.GoAsync("/settings/retention", "Retention");
        await owner.SeesAsync("Nothing is held");
        await owner.ExamineAsync("retention-none");
        await owner.Page.GotoAsync(owner.Url($"/patients/{clinic.Patients[0]}"));
        await owner.Link("Legal hold").ClickAsync();
        await owner.AtAsync("Legal hold");
        owner.Expect(422);
        await owner.Button("Hold it").ClickAsync();
        await owner.SeesAsync("There is a problem");
        await owner.ExamineAsync("retention-hold-refused");
        await owner.FillAsync("Why", "A claim about June");
        await owner.Button("Hold it").ClickAsync();
        await owner.AtAsync("Retention");
        await owner.SeesAsync("A second person must confirm it.");
        await owner.SeesAsync("Somebody else confirms");
        await owner.ExamineAsync("retention");
        await owner.Page.GetByLabel("Term of Authentication").SelectOptionAsync("7");
        await owner.Page.GetByRole(AriaRole.Button, new() { Name = "Save the term of Authentication" }).ClickAsync();
        await owner.SeesAsync("The term is saved.");
        owner.AssertExamined();

        await using var admin = await fixture.SignedInAsync(BuiltInRole.Admin, Visit.Narrow, clinic);
        await admin.GoAsync("/settings/retention", "Retention");
        await admin.Button("Confirm").ClickAsync();
        await admin.SeesAsync("The hold is confirmed.");
        await Assertions.Expect(admin.Page.GetByText("Holds, confirmed by Test Administrator")).ToBeVisibleAsync();
    }
}
