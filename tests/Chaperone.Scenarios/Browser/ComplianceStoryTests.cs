using Chaperone.Platform.Access;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>An inspector reads what is done about the rules, goes from a control to the events that show it, and takes the report along.</summary>
[Collection(BrowserCollection.Name)]
public sealed class ComplianceStoryTests(BrowserFixture fixture)
{
    [Fact]
    public async Task An_inspector_goes_from_a_control_to_its_events_and_takes_the_report()
    {
        await using var inspector = await fixture.SignedInAsync(BuiltInRole.ReadOnly);
        await inspector.GoAsync("/settings/compliance", "Compliance");
        await inspector.SeesAsync("The tests have not run on this installation’s copy.");
        await inspector.ExamineAsync("compliance");
        await inspector.Link("PCI DSS").ClickAsync();
        await inspector.AtAsync("PCI DSS");
        await inspector.SeesAsync("Firewalls, scanners and segmentation around the server are not watched.");
        await inspector.ExamineAsync("compliance-pci");
        var report = await inspector.Page.RunAndWaitForDownloadAsync(() => inspector.Button("Report (PDF)").ClickAsync());
        Assert.Matches("^compliance-[0-9-]{10}\\.pdf$", report.SuggestedFilename);
        Assert.Equal("%PDF-1.7\n"u8.ToArray(), (await File.ReadAllBytesAsync(await report.PathAsync()))[..9]);

        await inspector.Page.Locator("#panel-10-3-1").Locator("xpath=ancestor::section").GetByRole(AriaRole.Link).First.ClickAsync();
        await inspector.AtAsync("Audit log");
        await inspector.SeesAsync("Action: audit.viewed");
        inspector.AssertExamined();
    }
}
