using Chaperone.Platform.Access;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>An owner chooses events of the log, opens an investigation, works on it and concludes it with a second owner; by keyboard alone.</summary>
[Collection(BrowserCollection.Name)]
public sealed class InvestigationStoryTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Owner_investigates_from_the_log_to_a_conclusion_by_keyboard()
    {
        var clinic = await fixture.Server.AddClinicAsync("cases.localhost");
        using (var doctor = await fixture.Server.SignInAs(BuiltInRole.Doctor, clinic))
            for (var i = 0; i < 3; i++) await doctor.GetAsync($"/api/patients/{clinic.Patients[0]}");
        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        await owner.GoAsync("/settings/investigations", "Investigations");
        await owner.SeesAsync("No investigations");
        await owner.ExamineAsync("investigations-none");

        // Two of the three looks, by the space bar.
        await owner.GoAsync("/settings/audit-log?action=patient.viewed", "Audit log");
        foreach (var place in new[] { 0, 1 })
        {
            await owner.Page.Locator(".audit-choose").Nth(place).FocusAsync();
            await owner.Page.Keyboard.PressAsync("Space");
        }
        await owner.ExamineAsync("audit-log-chosen");
        await PressAsync(owner, "Investigate the chosen events");
        await owner.AtAsync("Investigate");
        await owner.SeesAsync("2 events chosen.");
        await PressAsync(owner, "Open the investigation");
        await owner.SeesAsync("There is a problem");
        await owner.ExamineAsync("investigation-refused");
        await TypeAsync(owner, "Title", "Looks at a neighbour");
        await TypeAsync(owner, "Why it is opened", "The patient says that somebody who knows her read her record.");
        await owner.Page.GetByLabel("Whose acts are looked into").FocusAsync();
        await owner.Page.Keyboard.TypeAsync("Test Doctor");
        await PressAsync(owner, "Open the investigation");
        await owner.AtAsync("Investigation 1");
        await owner.SeesAsync("Looks at a neighbour");

        // The third by its drawer's way, added to the open case.
        await owner.GoAsync("/settings/audit-log?action=patient.viewed", "Audit log");
        await PressAsync(owner, "Investigate all 3 found");
        await owner.AtAsync("Investigate");
        await PressAsync(owner, "Add to it");
        await owner.AtAsync("Investigation 1");
        await owner.SeesAsync("1 event added; 2 events in it already.");
        await TypeAsync(owner, "New note", "Spoke with the patient.\nShe is sure.");
        await PressAsync(owner, "Write the note");
        await owner.SeesAsync("Spoke with the patient.");
        await PressAsync(owner, "Suspected breach", "summary");
        await owner.Page.GetByLabel("Known since").FillAsync(fixture.Server.Clock.GetUtcNow().AddDays(-1).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
        await owner.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Suspected breach" }).FocusAsync();
        await owner.Page.Keyboard.PressAsync("Enter");
        await owner.SeesAsync("The clock of 72 hours runs.");
        await owner.ExamineAsync("investigation");
        await owner.Page.GotoAsync(owner.Url("/settings/audit-log?action=patient.viewed"));
        await owner.Page.Locator(".audit-when a").First.FocusAsync();
        await owner.Page.Keyboard.PressAsync("Enter");
        var inCase = owner.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Link, new() { Name = "#1", Exact = true });
        await Assertions.Expect(inCase).ToBeVisibleAsync();
        await owner.ExamineAsync("investigation-drawer");
        await inCase.FocusAsync();
        await owner.Page.Keyboard.PressAsync("Enter");
        await owner.AtAsync("Investigation 1");
        await owner.Link("Team and people").FocusAsync();
        await owner.Page.Keyboard.PressAsync("Enter");
        await owner.AtAsync("Team and people");
        await owner.ExamineAsync("investigation-people");
        await owner.Page.GetByLabel("Joins").FocusAsync();
        await owner.Page.Keyboard.TypeAsync("Test Administrator");
        await PressAsync(owner, "Change the team");
        await owner.SeesAsync("The team is changed.");
        await owner.Page.GetByLabel("Outcome").FocusAsync();
        await owner.Page.Keyboard.TypeAsync("Breach of the");
        await TypeAsync(owner, "Conclusion", "The doctor had no reason to look.");
        await PressAsync(owner, "Propose the conclusion");
        await owner.SeesAsync("The conclusion is proposed.");
        await owner.SeesAsync("Somebody else on the team, or an owner, confirms it.");
        await owner.ExamineAsync("investigation-to-confirm");

        await owner.GoAsync("/settings/investigations", "Investigations");
        await owner.ExamineAsync("investigations");
        owner.AssertExamined();

        // The second person is the administrator whom the owner put on the team.
        await using var second = await fixture.SignedInAsync(BuiltInRole.Admin, clinic: clinic);
        await second.GoAsync("/settings/investigations", "Investigations");
        await second.Page.GetByRole(AriaRole.Link, new() { Name = "#1 Looks at a neighbour" }).FocusAsync();
        await second.Page.Keyboard.PressAsync("Enter");
        await second.AtAsync("Investigation 1");
        await PressAsync(second, "Confirm the conclusion", "summary");
        await second.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Confirm the conclusion" }).FocusAsync();
        await second.Page.Keyboard.PressAsync("Enter");
        await second.SeesAsync("The investigation is concluded.");
        await second.ExamineAsync("investigation-concluded");

        var download = await second.Page.RunAndWaitForDownloadAsync(() => PressAsync(second, "Make the evidence"));
        Assert.Equal("investigation-1.zip", download.SuggestedFilename);
        var copy = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.zip");
        await download.SaveAsAsync(copy);
        var report = Ledger.Verifier.VerifyAt(copy, new());
        File.Delete(copy);
        Assert.True(report is { ExitCode: 0, Verified: 3 }, report.ToText());
        second.AssertExamined();
    }

    private static async Task TypeAsync(Visit visit, string label, string text)
    {
        await visit.Page.GetByLabel(label, new() { Exact = true }).FocusAsync();
        await visit.Page.Keyboard.InsertTextAsync(text);
    }

    private static async Task PressAsync(Visit visit, string name, string? element = null)
    {
        var control = element is null ? visit.Button(name) : visit.Page.Locator(element, new() { HasTextString = name });
        await control.First.FocusAsync();
        await visit.Page.Keyboard.PressAsync("Enter");
    }
}
