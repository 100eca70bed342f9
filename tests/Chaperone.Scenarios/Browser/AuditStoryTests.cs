using Chaperone.Platform.Access;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>The owner finds out what happened, in the log's page.</summary>
[Collection(BrowserCollection.Name)]
public sealed class AuditStoryTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Owner_narrows_the_log_and_reads_events_beside_the_list()
    {
        var clinic = await fixture.Server.AddClinicAsync("audit.localhost");
        using (var doctor = await fixture.Server.SignInAs(BuiltInRole.Doctor, clinic))
            for (var i = 0; i < 60; i++) await doctor.GetAsync($"/api/patients/{clinic.Patients[i % 2]}");
        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        await owner.Place("Audit log").ClickAsync();
        await owner.AtAsync("Audit log");

        // By name, by address and by action; the page's address says none of the first two.
        await owner.Page.Locator(".audit-filter summary").ClickAsync();
        await owner.Page.GetByLabel("Who", new() { Exact = true }).SelectOptionAsync(new SelectOptionValue { Label = "Test Doctor (Doctor)" });
        await owner.FillAsync("IP address", "127.0.0.1");
        await owner.Page.GetByLabel("Action", new() { Exact = true }).SelectOptionAsync("patient.viewed");
        await owner.Button("Show").ClickAsync();
        await owner.SeesAsync("50 of 60 events, newest first");
        Assert.DoesNotContain("127.0.0.1", owner.Page.Url, StringComparison.Ordinal);
        await owner.ExamineAsync("audit-log-narrowed");
        await owner.Link("Older").ClickAsync();
        await owner.SeesAsync("10 of 60 events, newest first");
        await owner.Link("Newer").ClickAsync();
        await owner.SeesAsync("50 of 60 events, newest first");

        // Beside the list, without a mouse, and back to where one was.
        var third = owner.Page.Locator(".audit-when a").Nth(2);
        await third.FocusAsync();
        await owner.Page.Keyboard.PressAsync("Enter");
        var drawer = owner.Page.GetByRole(AriaRole.Dialog);
        await Assertions.Expect(drawer.GetByText("Allowed: the role Doctor may see patients' contact data").First).ToBeVisibleAsync();
        await Assertions.Expect(drawer.GetByRole(AriaRole.Heading, new() { Level = 2 }).First).ToBeFocusedAsync();
        await owner.ExamineAsync("audit-drawer-beside");
        var first = await drawer.Locator(".drawer-when a").GetAttributeAsync("href");
        await drawer.GetByRole(AriaRole.Link, new() { Name = "Before: patient.viewed" }).ClickAsync();
        await Assertions.Expect(drawer.Locator($".drawer-when a[href='{first}']")).ToHaveCountAsync(0);
        await Assertions.Expect(drawer).ToBeVisibleAsync();
        await owner.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(drawer).ToBeHiddenAsync();
        await Assertions.Expect(third).ToBeFocusedAsync();
        await third.ClickAsync();
        await Assertions.Expect(drawer).ToBeVisibleAsync();
        await owner.Button("Close").ClickAsync();
        await owner.AtAsync("Audit log");
        owner.AssertExamined();

        // Each event that was opened left one of its own.
        Assert.Equal(3, (await fixture.Server.EventsAsync(clinic)).Count(happened => happened.Action == "audit.viewed" && happened.Entity?.Type == "event"));
    }
}
