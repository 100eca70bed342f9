using System.Globalization;
using Chaperone.Clinic.Settings;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>A receptionist's hour: somebody new, twelve bookings, five moves by hand and by key, three cancellations, three arrivals; and a log that reads like it.</summary>
[Collection(BrowserCollection.Name)]
public sealed class ReceptionHourTests(BrowserFixture fixture)
{
    private TestServer Server => fixture.Server;

    [Theory]
    [InlineData(Visit.Wide, "hour.localhost")]
    [InlineData(Visit.Narrow, "phone-hour.localhost")]
    public async Task Receptionists_hour_runs_on_the_schedule_and_its_log_reads_like_the_hour(int width, string host)
    {
        var clinic = await Server.AddClinicAsync(host);
        var day = await InTheMorningAsync(clinic);
        var (desk, doctor) = (clinic.Account(BuiltInRole.Reception).Member, clinic.Account(BuiltInRole.Doctor).Member);
        await using var visit = await fixture.SignedInAsync(BuiltInRole.Reception, width, clinic);
        var (page, keys, address, heading) = (visit.Page, visit.Page.Keyboard, $"/schedule?day={Iso(day)}&practitioner={doctor}", day.ToString("ddd d MMM yyyy", CultureInfo.InvariantCulture));
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Book an appointment" });
        await visit.GoAsync(address, heading);

        // Somebody who was never here: registered on the way to the booking.
        await keys.PressAsync("b");
        await dialog.GetByRole(AriaRole.Link, new() { Name = "Register a new patient" }).ClickAsync();
        await visit.AtAsync("Register a patient");
        await page.Locator("[name=givenNames]").FillAsync("Nora");
        await visit.FillAsync("Family name", "Walker");
        await visit.FillAsync("Date of birth", "04/05/1991");
        await visit.Button("Register").ClickAsync();
        await visit.AtAsync("Book an appointment");
        await visit.SeesAsync("WALKER, Nora");
        await visit.FillAsync("Time", "09:30");
        await visit.Button("Book").ClickAsync();
        await visit.AtAsync(heading);
        await visit.GoAsync(address, heading);
        await Assertions.Expect(page.Locator(".appt")).ToHaveCountAsync(1);

        // Eleven more, a quarter of an hour each: by a click on free time, and by the keyboard alone.
        for (var i = 1; i < 12; i++)
        {
            var (at, who, by) = (570 + (15 * i), i % 2 == 0 ? "prime" : "quill", i % 3 == 0);
            if (by) await DiaryHand.ClickAtAsync(page.Locator(".diary-items").First, at);
            else await keys.PressAsync("b");
            await Assertions.Expect(dialog.GetByRole(AriaRole.Searchbox)).ToBeFocusedAsync();
            await keys.TypeAsync(who);
            await Assertions.Expect(dialog.GetByText("1 patient")).ToBeVisibleAsync();
            await keys.PressAsync("ArrowDown");
            await keys.PressAsync("Enter");
            await Assertions.Expect(dialog.Locator(".booking-patient:visible")).ToContainTextAsync(who.ToUpperInvariant());
            if (by) await Assertions.Expect(dialog.GetByLabel("Time")).ToHaveValueAsync(Clock(at));
            else await dialog.GetByLabel("Time").FillAsync(Clock(at));
            await dialog.GetByRole(AriaRole.Button, new() { Name = "Book", Exact = true }).PressAsync("Enter");
            await Assertions.Expect(page.Locator(".appt")).ToHaveCountAsync(i + 1);
            await Assertions.Expect(dialog).ToHaveCountAsync(0);
        }
        await visit.ExamineAsync($"hour-booked-{width}");

        // The last three by hand, two before them by key.
        foreach (var from in new[] { 735, 720, 705 })
        {
            var id = await IdAtAsync(from);
            await DiaryHand.DragAsync(page.Locator($".appt[data-id='{id}']"), 0, 45);
            await DiaryHand.SpanAsync(page.Locator($".appt[data-id='{id}']"), from + 45, from + 60);
        }
        foreach (var from in new[] { 690, 675 })
        {
            var item = page.Locator($".appt[data-id='{await IdAtAsync(from)}']");
            await item.Locator(".appt-open").FocusAsync();
            foreach (var key in new[] { "m", "ArrowDown", "ArrowDown", "ArrowDown", "Enter" }) await keys.PressAsync(key);
            await DiaryHand.SpanAsync(item, from + 15, from + 30);
        }

        foreach (var (from, reason, left) in new[] { (780, "patient", 11), (765, "clinic", 10), (750, "booked_in_error", 9) })
        {
            await page.Locator($".appt[data-from='{from}'] .appt-open").ClickAsync();
            await page.GetByRole(AriaRole.Dialog, new() { Name = "Appointment", Exact = true }).GetByRole(AriaRole.Link, new() { Name = "Cancel appointment" }).ClickAsync();
            var cancel = page.GetByRole(AriaRole.Dialog, new() { Name = "Cancel this appointment?" });
            await cancel.GetByLabel("Reason", new() { Exact = true }).SelectOptionAsync(reason);
            await cancel.GetByRole(AriaRole.Button, new() { Name = "Cancel appointment" }).ClickAsync();
            await Assertions.Expect(page.Locator(".appt")).ToHaveCountAsync(left);
        }

        foreach (var from in new[] { 570, 585, 600 })
        {
            await page.Locator($".appt[data-from='{from}'] .appt-open").FocusAsync();
            await keys.PressAsync("Enter");
            await page.GetByRole(AriaRole.Dialog, new() { Name = "Appointment", Exact = true }).GetByRole(AriaRole.Button, new() { Name = "Arrived" }).PressAsync("Enter");
            await Assertions.Expect(page.Locator($".appt-arrived[data-from='{from}']")).ToHaveCountAsync(1);
        }
        await visit.ExamineAsync($"hour-{width}");
        visit.AssertNothingWrong();
        visit.AssertExamined();

        LedgerEvent[] acts = [.. (await Server.EventsAsync(clinic)).Where(happened => happened.Actor.Id == desk && happened.Category == EventCategory.DataChange)];
        Assert.Equal(
            ["patient.created", .. Enumerable.Repeat("appointment.booked", 12), .. Enumerable.Repeat("appointment.modified", 5), .. Enumerable.Repeat("appointment.cancelled", 3), .. Enumerable.Repeat("appointment.arrived", 3)],
            acts.Select(act => act.Action));
        Assert.All(acts, act => Assert.Single(act.Subjects));
        Assert.Equal(["patient", "clinic", "booked_in_error"], acts.Where(act => act.Action == "appointment.cancelled").Select(act => act.Reason));

        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        await owner.GoAsync("/settings/audit-log?category=data_change", "Audit log");
        var read = await owner.Page.Locator("main").InnerTextAsync();
        foreach (var act in acts.Select(act => act.Action).Distinct()) Assert.Contains(act, read, StringComparison.Ordinal);
        Assert.DoesNotContain("Walker", read, StringComparison.OrdinalIgnoreCase);

        async Task<string> IdAtAsync(int from) => (await page.Locator($".appt[data-from='{from}']").GetAttributeAsync("data-id"))!;
    }

    // The clinic lies where it is eight in the morning, and is open all week: the hour is the same whenever the test runs.
    private async Task<DateOnly> InTheMorningAsync(TestClinic clinic)
    {
        var now = Server.Clock.GetUtcNow();
        DateTime At(string zone) => TimeZoneInfo.ConvertTime(now, TimeZoneInfo.FindSystemTimeZoneById(zone)).DateTime;
        var zone = WantedSettings.Zones.First(zone => At(zone).Hour == 8);
        WantedDay[] week = [.. WorkingWeek.AllDays.Select(open => new WantedDay(WorkingWeek.CodeOf(open), "07:00", "20:00"))];
        var changed = await Server.Run(new ChangeClinicSettings(new(clinic.Tenant.Name, clinic.Host, false, zone, week, null, []), 0), BuiltInRole.Owner, clinic);
        Assert.True(changed.Succeeded, changed.Error?.ToString());
        return DateOnly.FromDateTime(At(zone));
    }

    private static string Clock(int minutes) => string.Create(CultureInfo.InvariantCulture, $"{minutes / 60:00}:{minutes % 60:00}");

    private static string Iso(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
