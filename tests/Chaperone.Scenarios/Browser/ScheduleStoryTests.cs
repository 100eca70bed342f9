using System.Globalization;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Schedule.Waiting;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Playwright;
using static Chaperone.Scenarios.Browser.DiaryHand;

namespace Chaperone.Scenarios.Browser;

/// <summary>A receptionist runs a day on the schedule: with the mouse, with the keyboard alone, on a telephone, while others change it, and without script.</summary>
[Collection(BrowserCollection.Name)]
public sealed partial class ScheduleStoryTests(BrowserFixture fixture)
{
    private TestServer Server => fixture.Server;

    [Theory]
    [InlineData(Visit.Wide, "desk.localhost")]
    [InlineData(Visit.Narrow, "phone-desk.localhost")]
    public async Task Receptionist_books_moves_and_cancels_with_the_mouse(int width, string host)
    {
        var clinic = await Server.AddClinicAsync(host);
        await using var visit = await fixture.SignedInAsync(BuiltInRole.Reception, width, clinic);
        var (page, day, doctor) = (visit.Page, WorkingDay(2), clinic.Account(BuiltInRole.Doctor).Member);
        await visit.GoAsync($"/schedule?day={Iso(day)}&practitioner={doctor}", Heading(day));
        await visit.ExamineAsync("schedule-empty");

        // A click on free time opens the booking there; the patient is found by typing, chosen by arrow and Enter.
        var list = page.Locator(".diary-items").First;
        await ClickAtAsync(list, 10 * 60);
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Book an appointment" });
        await Assertions.Expect(dialog.Locator("#time")).ToHaveValueAsync("10:00");
        await page.Keyboard.TypeAsync("quill");
        await Assertions.Expect(dialog.GetByText("1 patient")).ToBeVisibleAsync();
        await visit.ExamineAsync("schedule-book");
        await dialog.GetByRole(AriaRole.Searchbox).FocusAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(dialog.GetByText("QUILL, Quentin, 03-Feb-1980")).ToBeVisibleAsync();
        await dialog.Locator("#reason").FillAsync("Cough");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Book", Exact = true }).ClickAsync();
        await visit.SeesAsync("The appointment is booked.");
        var item = page.Locator(".appt").Filter(new() { HasText = "QUILL" });
        await Assertions.Expect(item.Locator(".appt-open")).ToBeFocusedAsync();
        await SpanAsync(item, 600, 615);

        // Dragged half an hour down, and put back.
        await DragAsync(item, 0, 30);
        await visit.SeesAsync("Moved. QUILL, Quentin: 10:30–10:45.");
        await SpanAsync(item, 630, 645);
        await Assertions.Expect(item).ToHaveAttributeAsync("data-version", "2");
        await page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await visit.SeesAsync("Put back. QUILL, Quentin: 10:00–10:15.");
        await SpanAsync(item, 600, 615);

        // Its edge makes it longer; what lies on somebody else's time snaps back and says why.
        await DragAsync(item, 0, 15, edge: true);
        await SpanAsync(item, 600, 630);
        await visit.SeesAsync("10:00–10:30");
        await BookAsync(clinic, doctor, day, "11:00", 0);
        visit.Expect(409);
        await DragAsync(item, 0, 60);
        await visit.SeesAsync("QUILL, Quentin was not moved. That time was just taken.");
        await SpanAsync(item, 600, 630);
        await Assertions.Expect(page.Locator(".appt")).ToHaveCountAsync(2);
        await visit.ExamineAsync("schedule-day");

        // Outside the hours it asks first.
        await item.Locator(".appt-open").ClickAsync();
        var sheet = page.GetByRole(AriaRole.Dialog, new() { Name = "Appointment", Exact = true });
        await sheet.GetByRole(AriaRole.Link, new() { Name = "Move or change" }).ClickAsync();
        var edit = page.GetByRole(AriaRole.Dialog, new() { Name = "Move or change" });
        await edit.Locator("#time").FillAsync("21:00");
        await visit.ExamineAsync("schedule-edit");
        await edit.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await visit.SeesAsync("Tick the box if it is meant");
        await edit.Locator("#time").FillAsync("14:00");
        await edit.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await visit.SeesAsync("The appointment is changed.");
        await SpanAsync(item, 840, 870);

        await item.Locator(".appt-open").ClickAsync();
        await visit.ExamineAsync("schedule-appointment");
        await sheet.GetByRole(AriaRole.Link, new() { Name = "Cancel appointment" }).ClickAsync();
        var cancel = page.GetByRole(AriaRole.Dialog, new() { Name = "Cancel this appointment?" });
        await visit.ExamineAsync("schedule-cancel");
        await cancel.GetByRole(AriaRole.Button, new() { Name = "Cancel appointment" }).ClickAsync();
        await visit.SeesAsync("Choose a reason");
        await cancel.Locator("#reason").SelectOptionAsync("patient");
        await cancel.GetByRole(AriaRole.Button, new() { Name = "Cancel appointment" }).ClickAsync();
        await visit.SeesAsync("The appointment is cancelled; its time is free.");
        await Assertions.Expect(item).ToHaveCountAsync(0);
        await visit.GoAsync($"/schedule?day={Iso(day)}&practitioner={doctor}&cancelled=true", Heading(day));
        await Assertions.Expect(item).ToContainTextAsync("Cancelled");
        visit.AssertExamined();
    }

    [Fact]
    public async Task Receptionist_needs_no_mouse()
    {
        var clinic = await Server.AddClinicAsync("keys.localhost");
        await using var visit = await fixture.SignedInAsync(BuiltInRole.Reception, clinic: clinic);
        var (page, day, keys) = (visit.Page, WorkingDay(1), visit.Page.Keyboard);
        var booked = await BookAsync(clinic, clinic.Account(BuiltInRole.Doctor).Member, day, "09:00", 0);
        await visit.GoAsync($"/schedule?day={Iso(day)}", Heading(day));
        var item = page.Locator($".appt[data-id='{booked.Id}']");

        await keys.PressAsync("j");
        await visit.AtAsync(Heading(day.AddDays(1)));
        await keys.PressAsync("k");
        await visit.AtAsync(Heading(day));
        await keys.PressAsync("?");
        await visit.SeesAsync("Single keys can be switched off");
        await visit.ExamineAsync("schedule-keys");
        await keys.PressAsync("Escape");

        await item.Locator(".appt-open").FocusAsync();
        await keys.PressAsync("m");
        foreach (var key in new[] { "ArrowDown", "ArrowDown", "ArrowDown", "Shift+ArrowDown", "ArrowRight" }) await keys.PressAsync(key);
        await visit.SeesAsync("09:15 to 09:35");
        await keys.PressAsync("Escape");
        await SpanAsync(item, 540, 555);
        await keys.PressAsync("m");
        foreach (var key in new[] { "ArrowDown", "ArrowRight", "Shift+ArrowDown", "Enter" }) await keys.PressAsync(key);
        await visit.SeesAsync("Moved. PRIME, Paula: 09:05–09:25, Test Nurse.");
        await SpanAsync(item, 545, 565);
        await Assertions.Expect(item.Locator(".appt-open")).ToBeFocusedAsync();
        Assert.Equal(clinic.Account(BuiltInRole.Nurse).Member, (await ViewAsync(clinic, booked.Id)).PractitionerId);

        // Booking after the appointment that has the focus, with the next free time picked.
        await keys.PressAsync("b");
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Book an appointment" });
        await Assertions.Expect(dialog.Locator("#time")).ToHaveValueAsync("09:25");
        await keys.TypeAsync("quill");
        await Assertions.Expect(dialog.GetByText("1 patient")).ToBeVisibleAsync();
        await keys.PressAsync("ArrowDown");
        await keys.PressAsync("Enter");
        await dialog.Locator("#note").FillAsync("typed before the search");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Find next free time" }).PressAsync("Enter");
        await Assertions.Expect(dialog.GetByText("Next free times")).ToBeVisibleAsync();
        await visit.ExamineAsync("schedule-free");
        await dialog.Locator(".booking-slots button").First.FocusAsync();
        await keys.PressAsync("Tab");
        await keys.PressAsync("Enter");
        await Assertions.Expect(dialog.GetByText("Next free times")).ToHaveCountAsync(0);
        await Assertions.Expect(dialog.Locator("#time")).ToHaveValueAsync("09:40");
        await Assertions.Expect(dialog.Locator("#note")).ToHaveValueAsync("typed before the search");
        await Assertions.Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Book", Exact = true })).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await visit.SeesAsync("The appointment is booked.");
        await keys.PressAsync("ArrowUp");
        await Assertions.Expect(item.Locator(".appt-open")).ToBeFocusedAsync();
        visit.AssertExamined();
    }

    [Fact]
    public async Task What_others_change_comes_in_without_taking_focus_scroll_or_typed_text()
    {
        var clinic = await Server.AddClinicAsync("live.localhost");
        await using var visit = await fixture.SignedInAsync(BuiltInRole.Reception, clinic: clinic);
        var (page, day, doctor) = (visit.Page, WorkingDay(1), clinic.Account(BuiltInRole.Doctor).Member);
        var (kept, moved) = (await BookAsync(clinic, doctor, day, "16:00", 0), await BookAsync(clinic, doctor, day, "10:00", 1));
        await visit.GoAsync($"/schedule?day={Iso(day)}", Heading(day));
        var link = page.Locator($".appt[data-id='{kept.Id}'] .appt-open");
        await link.FocusAsync();
        var scrolled = await page.EvaluateAsync<double>("document.querySelector('.diary-scroll').scrollTop");
        var before = await Server.CountEventsAsync(clinic);
        await page.EvaluateAsync("document.dispatchEvent(new Event('visibilitychange'))");
        await page.WaitForTimeoutAsync(500);
        Assert.Equal(before, await Server.CountEventsAsync(clinic));   // nothing changed: nobody looked again

        await Server.Run(new MoveAppointment(moved.Id, clinic.Account(BuiltInRole.Nurse).Member, $"{Iso(day)}T11:00", null, false, 1), BuiltInRole.Reception, clinic);
        await page.EvaluateAsync("document.dispatchEvent(new Event('visibilitychange'))");
        await SpanAsync(page.Locator($".appt[data-id='{moved.Id}']"), 660, 675);
        await Assertions.Expect(page.Locator($"[data-practitioner='{clinic.Account(BuiltInRole.Nurse).Member}'] .appt[data-id='{moved.Id}']")).ToHaveCountAsync(1);
        Assert.Equal(before + 2, await Server.CountEventsAsync(clinic));   // the move, and one look
        await Assertions.Expect(link).ToBeFocusedAsync();
        Assert.Equal(scrolled, await page.EvaluateAsync<double>("document.querySelector('.diary-scroll').scrollTop"));

        await page.Keyboard.PressAsync("b");
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Book an appointment" });
        var reason = dialog.Locator("#reason");
        await reason.FillAsync("half a sent");
        await Server.Run(new CancelAppointment(moved.Id, "patient"), BuiltInRole.Reception, clinic);
        await page.EvaluateAsync("document.dispatchEvent(new Event('visibilitychange'))");
        await Assertions.Expect(page.Locator(".appt")).ToHaveCountAsync(1);
        await Assertions.Expect(reason).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("ence");
        await Assertions.Expect(reason).ToHaveValueAsync("half a sentence");
        visit.AssertNothingWrong();
    }

    [Fact]
    public async Task Of_two_who_move_one_appointment_the_second_is_told_and_keeps_what_they_entered()
    {
        var clinic = await Server.AddClinicAsync("two.localhost");
        await using var visit = await fixture.SignedInAsync(BuiltInRole.Reception, clinic: clinic);
        var (page, day, doctor) = (visit.Page, WorkingDay(1), clinic.Account(BuiltInRole.Doctor).Member);
        var booked = await BookAsync(clinic, doctor, day, "10:00", 0);
        await visit.GoAsync($"/schedule?day={Iso(day)}", Heading(day));
        var item = page.Locator($".appt[data-id='{booked.Id}']");
        await item.Locator(".appt-open").ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Move or change" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Move or change" });
        await dialog.Locator("#time").FillAsync("11:00");
        await dialog.Locator("#reason").FillAsync("mine");
        await Server.Run(new MoveAppointment(booked.Id, null, $"{Iso(day)}T14:25", null, false, 1), BuiltInRole.Reception, clinic);
        visit.Expect(412);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await visit.SeesAsync("Somebody changed this appointment in the meantime");
        await visit.SeesAsync("14:25");
        await Assertions.Expect(dialog.Locator("#time")).ToHaveValueAsync("11:00");
        await Assertions.Expect(dialog.Locator("#reason")).ToHaveValueAsync("mine");
        await visit.ExamineAsync("schedule-stale");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await visit.SeesAsync("The appointment is changed.");
        await SpanAsync(item, 660, 675);

        // The same by drag: it goes to where the other one put it, and says so.
        await Server.Run(new MoveAppointment(booked.Id, null, $"{Iso(day)}T09:00", null, false, 3), BuiltInRole.Reception, clinic);
        await DragAsync(item, 0, 60);
        await visit.SeesAsync("PRIME, Paula was not moved. Somebody changed this in the meantime.");
        await SpanAsync(item, 540, 555);
        visit.AssertExamined();
    }

    [Fact]
    public async Task A_freed_time_is_offered_to_who_waits_for_one()
    {
        var clinic = await Server.AddClinicAsync("waiting.localhost");
        await using var visit = await fixture.SignedInAsync(BuiltInRole.Reception, clinic: clinic);
        var (page, day, doctor) = (visit.Page, WorkingDay(1), clinic.Account(BuiltInRole.Doctor).Member);
        var booked = await BookAsync(clinic, doctor, day, "10:00", 0);
        var waits = await Server.Run(new AddWaiting(clinic.Patients[1], new(doctor, "consultation", null, null, null, null, 1, null)), BuiltInRole.Reception, clinic);
        Assert.True(waits.Succeeded, waits.Error?.ToString());
        await visit.GoAsync($"/schedule?day={Iso(day)}", Heading(day));
        await DragAsync(page.Locator($".appt[data-id='{booked.Id}']"), 0, 120);
        await visit.SeesAsync("Moved. PRIME, Paula: 12:00–12:15.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Offer it" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Offer the free time" });
        await Assertions.Expect(dialog.GetByText("QUILL, Quentin").First).ToBeVisibleAsync();
        await visit.ExamineAsync("schedule-offers");
        await dialog.GetByRole(AriaRole.Button, new() { NameRegex = new("^Book") }).ClickAsync();
        await visit.SeesAsync("Booked, and taken off the waiting list.");
        await SpanAsync(page.Locator(".appt").Filter(new() { HasText = "QUILL" }), 600, 615);
        visit.AssertExamined();
    }

    [Fact]
    public async Task Clinician_sees_who_is_next_and_moves_days_of_a_week_belong_to_reception()
    {
        var clinic = await Server.AddClinicAsync("mine.localhost");
        var (doctor, today) = (clinic.Account(BuiltInRole.Doctor).Member, Today());
        // Later today where there is a later; else the day has no room and tomorrow's list is looked at.
        var soon = Now().AddMinutes(5);
        var booked = await BookAsync(clinic, doctor, DateOnly.FromDateTime(soon), soon.ToString("HH:mm", CultureInfo.InvariantCulture), 0);
        await using (var visit = await fixture.SignedInAsync(BuiltInRole.Doctor, clinic: clinic))
        {
            await visit.GoAsync($"/schedule/mine?day={Iso(DateOnly.FromDateTime(soon))}", "My day");
            await visit.ExamineAsync("schedule-mine");
            if (DateOnly.FromDateTime(soon) == today)
            {
                await visit.Button("Arrived").ClickAsync();
                await visit.SeesAsync("Next: waiting");
                await visit.Button("Start").ClickAsync();
                await visit.SeesAsync("With you now");
                await visit.Button("Complete").ClickAsync();
                await visit.SeesAsync("Done");
                Assert.Equal(AppointmentStatus.Completed, (await ViewAsync(clinic, booked.Id)).Status);
            }
            await visit.GoAsync("/schedule", Heading(today));
            await Assertions.Expect(visit.Link("Book")).ToHaveCountAsync(0);
            visit.AssertExamined();
        }
        await using var desk = await fixture.SignedInAsync(BuiltInRole.Reception, clinic: clinic);
        var monday = WorkingDay(1);
        while (monday.DayOfWeek != DayOfWeek.Monday) monday = monday.AddDays(1);
        var next = await BookAsync(clinic, doctor, monday, "10:00", 1);
        await desk.Page.GotoAsync(desk.Url($"/schedule/week?practitioner={doctor}&day={Iso(monday)}"));
        await desk.SeesAsync("QUILL");
        var item = desk.Page.Locator($".appt[data-id='{next.Id}']");
        await DragAsync(item, 2, 0);
        await desk.SeesAsync($"Moved. QUILL, Quentin: 10:00–10:15, {monday.AddDays(2).ToString("ddd d MMM", CultureInfo.InvariantCulture)}.");
        Assert.Equal(monday.AddDays(2), DateOnly.FromDateTime((await ViewAsync(clinic, next.Id)).StartsAt.DateTime));
        await desk.ExamineAsync("schedule-week");
        desk.AssertExamined();

        await using var patient = await fixture.SignedInAsync(BuiltInRole.Patient, Visit.Narrow, clinic);
        await patient.GoAsync("/schedule", "My appointments");
        await patient.ExamineAsync("schedule-own");
        patient.AssertExamined();
    }

    [Theory]
    [InlineData(Visit.Wide)]
    [InlineData(Visit.Narrow)]
    public async Task Without_script_the_day_is_a_list_and_everything_is_a_form(int width)
    {
        var clinic = await Server.AddClinicAsync($"plain{width}.localhost");
        var day = WorkingDay(1);
        var booked = await BookAsync(clinic, clinic.Account(BuiltInRole.Doctor).Member, day, "10:00", 0);
        await using var visit = await fixture.VisitAsync(clinic.Host, script: false, width);
        var desk = clinic.Account(BuiltInRole.Reception);
        await visit.GoAsync($"/schedule?day={Iso(day)}", "Sign in");
        await visit.FillAsync("Email address", desk.Email);
        await visit.FillAsync("Password", TestServer.Password);
        await visit.Button("Sign in").ClickAsync();
        await visit.FillAsync("Code from your authenticator app", await desk.NextCodeAsync(Server.Clock));
        await visit.Button("Continue").ClickAsync();
        await visit.GoAsync($"/schedule?day={Iso(day)}", Heading(day));
        await visit.SeesAsync("PRIME, Paula");
        await visit.Link("Book with Test Nurse").ClickAsync();
        await visit.AtAsync("Book an appointment");
        await visit.Page.GetByRole(AriaRole.Searchbox).FillAsync("quill");
        await visit.Button("Find").ClickAsync();
        await visit.AtAsync("Choose the patient");
        await visit.Page.Locator("a.result").ClickAsync();
        await visit.AtAsync("Book an appointment");
        await visit.SeesAsync("QUILL, Quentin");
        await visit.Button("Book").ClickAsync();
        await visit.SeesAsync("There is a problem");
        await visit.Button("Find next free time").ClickAsync();
        await visit.SeesAsync("Next free times");
        await visit.Page.Locator(".booking-slots button").First.ClickAsync();
        await visit.Button("Book").ClickAsync();
        await visit.AtAsync(Heading(day));
        await visit.SeesAsync("The appointment is booked.");

        await visit.Page.Locator($"a[href='/schedule/appointments/{booked.Id}']").ClickAsync();
        await visit.AtAsync("Appointment");
        await visit.Link("Move or change").ClickAsync();
        await visit.AtAsync("Move or change an appointment");
        await visit.FillAsync("Time", "15:00");
        await visit.Button("Save").ClickAsync();
        await visit.SeesAsync("The appointment is changed.");
        await visit.Page.Locator($"a[href='/schedule/appointments/{booked.Id}']").ClickAsync();
        await visit.Link("Cancel appointment").ClickAsync();
        await visit.AtAsync("Cancel an appointment");
        await visit.Page.GetByLabel("Reason", new() { Exact = true }).SelectOptionAsync("clinic");
        await visit.Button("Cancel appointment").ClickAsync();
        await visit.SeesAsync("The appointment is cancelled");
        Assert.Equal(AppointmentStatus.Cancelled, (await ViewAsync(clinic, booked.Id)).Status);
        visit.AssertNothingWrong();
    }
}
