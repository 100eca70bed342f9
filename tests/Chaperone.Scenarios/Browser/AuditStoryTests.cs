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

    [Fact]
    public async Task Owner_keeps_a_filter_reads_the_numbers_and_follows_the_log()
    {
        var clinic = await fixture.Server.AddClinicAsync("follow.localhost");
        using var doctor = await fixture.Server.SignInAs(BuiltInRole.Doctor, clinic);
        await doctor.GetAsync($"/api/patients/{clinic.Patients[0]}");
        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        await owner.GoAsync("/settings/audit-log?action=patient.viewed", "Audit log");

        await owner.Page.GetByText("Save this filter").ClickAsync();
        await owner.FillAsync("Name", "Opened records");
        await owner.Button("Save").ClickAsync();
        await owner.SeesAsync("The filter is saved, for you alone.");
        await Assertions.Expect(owner.Link("Opened records")).ToBeVisibleAsync();
        await owner.ExamineAsync("audit-log-kept");
        await owner.Link("Change saved filters").ClickAsync();
        await owner.AtAsync("Saved filters");
        await owner.ExamineAsync("audit-saved-filters");
        await owner.FillAsync("Name", "Records opened");
        await owner.Button("Rename Opened records").ClickAsync();
        await owner.SeesAsync("The saved filter has its new name.");
        await owner.Link("Records opened").ClickAsync();
        await owner.AtAsync("Audit log");
        await owner.SeesAsync("1 of 1 event, newest first");

        await owner.Link("Numbers").ClickAsync();
        await owner.AtAsync("Audit log in numbers");
        await owner.SeesAsync("of the newest event of this view");
        await owner.ExamineAsync("audit-numbers");
        await owner.Link("The events").ClickAsync();
        await owner.AtAsync("Audit log");

        await owner.Button("Follow").ClickAsync();
        await owner.AtAsync("Following the audit log");
        await owner.ExamineAsync("audit-following");
        fixture.Server.Clock.Advance(TimeSpan.FromSeconds(90));
        var seen = await SeenAsync();
        await doctor.GetAsync($"/api/patients/{clinic.Patients[1]}");
        await owner.SeesAsync("One new event.");
        await Assertions.Expect(owner.Page.Locator(".audit-row")).ToHaveCountAsync(2);
        await Assertions.Expect(owner.Page.Locator(".audit-row").First).ToContainTextAsync(clinic.Patients[1].ToString("N")[^8..]);
        Assert.Equal(seen, await SeenAsync());     // asking by itself does not keep the session open
        await owner.Button("Stop").ClickAsync();
        await owner.AtAsync("Audit log");
        var events = await fixture.Server.EventsAsync(clinic);
        Assert.Equal(["audit.tail_started", "audit.tail_ended"], events.Select(happened => happened.Action).Where(action => action.StartsWith("audit.tail", StringComparison.Ordinal)));

        // Leaving the page ends it too.
        await owner.Button("Follow").ClickAsync();
        await owner.AtAsync("Following the audit log");
        await owner.Place("Home").ClickAsync();
        await owner.AtAsync("Welcome, Olive Owner");
        for (var tries = 0; (await fixture.Server.EventsAsync(clinic)).Count(happened => happened.Action == "audit.tail_ended") < 2; tries++)
        {
            Assert.True(tries < 50, "The page that was left is still followed.");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
        owner.AssertExamined();

        async Task<object?> SeenAsync() => await fixture.Server.Database.ExecuteAsync($"SELECT max(last_seen_at)::text FROM clinic.session WHERE tenant_id = '{clinic.Tenant.Id}' AND member_id = '{clinic.Account(BuiltInRole.Owner).Member}'");
    }
}
