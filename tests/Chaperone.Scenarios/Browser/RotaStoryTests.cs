using Chaperone.Clinic.Schedule;
using Chaperone.Platform.Access;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>The owner sets up types of appointment and a room and plans a doctor's week; leave over an appointment asks first.</summary>
[Collection(BrowserCollection.Name)]
public sealed class RotaStoryTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Types_rooms_hours_and_leave_are_kept_in_pages()
    {
        var clinic = await fixture.Server.AddClinicAsync("rota.localhost");
        var doctor = clinic.Account(BuiltInRole.Doctor).Member;
        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        await TypesAndRoomsAsync(owner);
        await HoursAsync(owner, doctor);
        await LeaveAsync(owner, clinic, doctor);
        owner.AssertExamined();

        await using var own = await fixture.SignedInAsync(BuiltInRole.Doctor, Visit.Narrow, clinic);
        await own.GoAsync("/schedule/hours", await NameOf(own));
        await own.SeesAsync("Away for the day");
        await own.ExamineAsync("hours-own");
        own.AssertExamined();
    }

    private static async Task TypesAndRoomsAsync(Visit owner)
    {
        await owner.GoAsync("/settings/schedule", "Schedule settings");
        await owner.SeesAsync("No rooms yet");
        await owner.Link("Add a type").ClickAsync();
        await owner.AtAsync("Add a type of appointment");
        owner.Expect(422);
        await owner.Button("Add").ClickAsync();
        await owner.SeesAsync("There is a problem");
        await owner.ExamineAsync("schedule-type-refused");
        await owner.FillAsync("Name", "Travel clinic");
        await owner.FillAsync("Usual length in minutes", "25");
        await owner.Page.GetByLabel("Colour").SelectOptionAsync("lime");
        await owner.Button("Add").ClickAsync();
        await owner.AtAsync("Schedule settings");
        await owner.SeesAsync("Travel clinic");
        await owner.Page.GetByRole(AriaRole.Link, new() { Name = "Change Video" }).ClickAsync();
        await owner.AtAsync("Video");
        await owner.Page.GetByLabel("Can be chosen for new appointments").UncheckAsync();
        await owner.Button("Save").ClickAsync();
        await owner.SeesAsync("Retired");
        await owner.Link("Add a room").ClickAsync();
        await owner.AtAsync("Add a room");
        await owner.FillAsync("Name", "Room 1");
        await owner.Button("Add").ClickAsync();
        await owner.SeesAsync("The room is added.");
        await owner.ExamineAsync("schedule-settings");
        await owner.Page.GetByRole(AriaRole.Link, new() { Name = "Change Room 1" }).ClickAsync();
        await owner.AtAsync("Room 1");
        await owner.ExamineAsync("schedule-room");
    }

    private static async Task HoursAsync(Visit owner, Guid doctor)
    {
        await owner.GoAsync($"/schedule/hours/{doctor}", await NameOf(owner, doctor));
        await owner.FillAsync("Monday", "9-12, 13:00 – 17:30");
        await owner.FillAsync("Tuesday", "12:00-09:00");
        owner.Expect(422);
        await owner.Button("Save hours").ClickAsync();
        await owner.SeesAsync("There is a problem");
        await owner.ExamineAsync("hours-refused");
        await owner.FillAsync("Tuesday", "");
        await owner.Button("Save hours").ClickAsync();
        await owner.SeesAsync("The working hours are saved.");
        Assert.Equal("09:00–12:00, 13:00–17:30", await owner.Page.GetByLabel("Monday", new() { Exact = true }).InputValueAsync());
        await owner.ExamineAsync("hours");
    }

    private async Task LeaveAsync(Visit owner, TestSupport.TestClinic clinic, Guid doctor)
    {
        var day = DateOnly.FromDateTime(fixture.Server.Clock.GetUtcNow().UtcDateTime).AddDays(20).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        var booked = await fixture.Server.Run(new BookAppointment(clinic.Patients[0], new(doctor, "consultation", day + "T10:00", ConfirmOutsideHours: true)), BuiltInRole.Reception, clinic);
        Assert.True(booked.Succeeded, booked.Error?.Code);
        await owner.Page.GetByLabel("First day", new() { Exact = true }).FillAsync(day);
        await owner.Page.GetByLabel("Last day", new() { Exact = true }).FillAsync(day);
        await owner.Page.GetByLabel("Kind", new() { Exact = true }).SelectOptionAsync("other");
        await owner.Page.GetByLabel("Note (optional)").FillAsync("Away for the day");
        owner.Expect(422);
        await owner.Button("Enter leave").ClickAsync();
        await owner.SeesAsync("One appointment is in that time.");
        await owner.ExamineAsync("leave-over-appointments");
        await owner.Page.GetByLabel("Enter the leave over them").CheckAsync();
        await owner.Button("Enter leave").ClickAsync();
        await owner.SeesAsync("The leave is entered.");
        await owner.ExamineAsync("leave");
        await owner.SeesAsync("Other: Away for the day");
    }

    private static async Task<string> NameOf(Visit visit, Guid? id = null)
    {
        await visit.Page.GotoAsync(visit.Url(id is null ? "/schedule/hours" : $"/schedule/hours/{id}"));
        return (await visit.Page.Locator("h1").TextContentAsync())!.Trim();
    }
}
