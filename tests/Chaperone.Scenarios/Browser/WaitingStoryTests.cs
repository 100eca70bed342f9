using System.Globalization;
using System.Net;
using Chaperone.Clinic.Schedule;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>The pages beside the day: the waiting list, a calendar's address, and what is still to come with whoever leaves.</summary>
[Collection(BrowserCollection.Name)]
public sealed class WaitingStoryTests(BrowserFixture fixture)
{
    [Theory]
    [InlineData(Visit.Wide, "waits.localhost")]
    [InlineData(Visit.Narrow, "phone-waits.localhost")]
    public async Task Somebody_is_put_on_the_list_changed_booked_and_taken_off(int width, string host)
    {
        var clinic = await fixture.Server.AddClinicAsync(host);
        await using var desk = await fixture.SignedInAsync(BuiltInRole.Reception, width, clinic);
        var page = desk.Page;
        await desk.GoAsync("/schedule/waiting-list", "Waiting list");
        await desk.SeesAsync("Nobody waits");
        await desk.ExamineAsync("waiting-empty");

        // From the record, and back.
        await page.GotoAsync(desk.Url($"/patients/{clinic.Patients[1]}"));
        await desk.Link("Book an appointment").ClickAsync();
        await desk.AtAsync("Book an appointment");
        await desk.SeesAsync("QUILL, Quentin");
        await desk.GoAsync($"/patients/{clinic.Patients[1]}", "QUILL, Quentin");
        await desk.ExamineAsync("patient-of-reception");
        await desk.Link("Put on the waiting list").ClickAsync();
        await desk.AtAsync("Put on the waiting list");
        await desk.GoAsync("/schedule/waiting-list", "Waiting list");

        // Found by typing, chosen by arrow and Enter.
        await desk.Link("Add a patient").First.ClickAsync();
        await desk.AtAsync("Add to the waiting list");
        await page.GetByRole(AriaRole.Searchbox).FillAsync("quill");
        await desk.SeesAsync("1 patient");
        await desk.ExamineAsync("waiting-find");
        await page.GetByRole(AriaRole.Searchbox).FocusAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("Enter");
        await desk.AtAsync("Put on the waiting list");
        await desk.SeesAsync("QUILL, Quentin, 03-Feb-1980");
        await desk.FillAsync("Note for colleagues (optional)", "Rings back after four");
        desk.Expect(422);
        await desk.Button("Put on the list").ClickAsync();
        await desk.SeesAsync("There is a problem");
        await desk.SeesAsync("QUILL, Quentin");
        await desk.ExamineAsync("waiting-add-refused");
        Assert.Equal("Rings back after four", await page.GetByLabel("Note for colleagues (optional)").InputValueAsync());
        await page.GetByLabel("Type of appointment").SelectOptionAsync("consultation");
        await page.GetByLabel("Practitioner").SelectOptionAsync(clinic.Account(BuiltInRole.Doctor).Member.ToString());
        await desk.Button("Put on the list").ClickAsync();
        await desk.AtAsync("Waiting list");
        await desk.SeesAsync("1 patient waits");
        await desk.SeesAsync("Rings back after four");
        await desk.ExamineAsync("waiting");

        await page.GetByRole(AriaRole.Link, new() { Name = "Change the entry of QUILL, Quentin" }).ClickAsync();
        await desk.AtAsync("Change an entry");
        await page.GetByLabel("Priority").SelectOptionAsync("1");
        await desk.ExamineAsync("waiting-change");
        await desk.Button("Save").ClickAsync();
        await desk.SeesAsync("The entry is saved.");
        await page.Locator("#priority").SelectOptionAsync("3");
        await desk.SeesAsync("Nobody like that waits");
        await desk.Link("Everybody").ClickAsync();
        await desk.SeesAsync("1 patient waits");

        await page.GetByRole(AriaRole.Button, new() { Name = "Book QUILL, Quentin then" }).ClickAsync();
        await desk.SeesAsync("Booked, and taken off the list.");
        await desk.SeesAsync("Nobody waits");
        desk.AssertExamined();
    }

    [Fact]
    public async Task Calendar_address_shows_once_works_and_ends()
    {
        var clinic = await fixture.Server.AddClinicAsync("calendar.localhost");
        await using var doctor = await fixture.SignedInAsync(BuiltInRole.Doctor, clinic: clinic);
        await doctor.Page.GotoAsync(doctor.Url("/schedule/hours"));
        await doctor.Button("Make an address").ClickAsync();
        await doctor.AtAsync("Your calendar’s address");
        await doctor.ExamineAsync("feed");
        var address = await doctor.Page.Locator(".copy-text-value").InnerTextAsync();
        Assert.Contains("BEGIN:VCALENDAR", await FetchAsync(address, HttpStatusCode.OK), StringComparison.Ordinal);

        await doctor.Page.GotoAsync(doctor.Url("/schedule/hours"));
        await doctor.Page.Locator("summary").Filter(new() { HasText = "End the address" }).ClickAsync();
        var dialog = doctor.Page.GetByRole(AriaRole.Dialog, new() { Name = "End the calendar’s address?" });
        await dialog.GetByRole(AriaRole.Button, new() { Name = "End the address" }).ClickAsync();
        await Assertions.Expect(doctor.Button("Make an address")).ToBeVisibleAsync();
        await FetchAsync(address, HttpStatusCode.NotFound);
        doctor.AssertExamined();
    }

    [Fact]
    public async Task Who_leaves_with_appointments_to_come_is_asked_about_first()
    {
        var clinic = await fixture.Server.AddClinicAsync("leaver.localhost");
        var (doctor, day) = (clinic.Account(BuiltInRole.Doctor).Member, DateOnly.FromDateTime(fixture.Server.Clock.GetUtcNow().UtcDateTime).AddDays(10).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        var booked = await fixture.Server.Run(new BookAppointment(clinic.Patients[0], new(doctor, "consultation", day + "T10:00", ConfirmOutsideHours: true)), BuiltInRole.Reception, clinic);
        Assert.True(booked.Succeeded, booked.Error?.ToString());

        await using (var records = await fixture.SignedInAsync(BuiltInRole.Doctor, clinic: clinic))
        {
            records.Expect(409);
            await records.Page.GotoAsync(records.Url($"/patients/{clinic.Patients[0]}/archive"));
            await records.Page.Locator("#reason").SelectOptionAsync("moved_away");
            await records.Button("Archive").ClickAsync();
            await records.SeesAsync("still to come");
            await Assertions.Expect(records.Page.GetByRole(AriaRole.Link, new() { Name = booked.Value.StartsAt.ToString("ddd d MMM yyyy, HH:mm", CultureInfo.GetCultureInfo("en-GB")) })).ToBeVisibleAsync();
            await records.ExamineAsync("patient-archive-to-come");
            records.AssertExamined();
        }
        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        owner.Expect(409);
        await owner.Page.GotoAsync(owner.Url($"/settings/team/{doctor}"));
        await owner.Page.Locator("summary").Filter(new() { HasText = "Deactivate" }).ClickAsync();
        await owner.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Deactivate" }).ClickAsync();
        await owner.AtAsync("Appointments still to come");
        await owner.ExamineAsync("team-deactivate-to-come");
        await owner.Button("Deactivate").ClickAsync();
        await owner.AtAsync("Appointments still to come");   // not without the tick
        await owner.Page.GetByLabel("Close the account all the same").CheckAsync();
        await owner.Button("Deactivate").ClickAsync();
        await owner.SeesAsync("Deactivated");
        owner.AssertExamined();
    }

    private async Task<string> FetchAsync(string address, HttpStatusCode expected)
    {
        using var client = new HttpClient();
        var asked = new Uri(address);
        using var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(asked) { Scheme = "http", Host = "127.0.0.1", Port = fixture.Server.Port }.Uri) { Headers = { Host = asked.Authority } };
        using var answer = await client.SendAsync(request);
        Assert.Equal(expected, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }
}
