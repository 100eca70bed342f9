using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>The schedule's pages over HTTP: what is typed stays whatever went wrong, versions, one event for one look, and what roles and other clinics get.</summary>
[Collection(nameof(OwnServer))]
public sealed partial class SchedulePageTests(OwnServerFixture fixture)
{
    private static readonly Action<HttpRequestMessage> Dialog = request => request.Headers.Add(PageResults.DialogHeader, "1");

    private TestServer Server => fixture.Server;

    private Guid Doctor => Server.First.Account(BuiltInRole.Doctor).Member;

    [Fact]
    public async Task A_look_leaves_one_event_and_asking_for_changes_leaves_none_and_keeps_no_session_open()
    {
        var client = await Server.SignInAs(BuiltInRole.Reception);
        var day = Day(30);
        var before = await Server.CountEventsAsync(Server.First);
        var page = await client.GetAsync($"/schedule?day={day}");
        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.Equal(before + 1, await Server.CountEventsAsync(Server.First));
        Assert.Equal("schedule.viewed", (await Server.EventsAsync(Server.First))[^1].Action);

        var (shown, idle) = (Shown().Match(page.Text).Groups[1].Value, await IdleEndsAsync());
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(shown, await StampAsync());
        Assert.Equal(idle, await IdleEndsAsync());
        Assert.Equal(before + 1, await Server.CountEventsAsync(Server.First));

        var booked = await BookAsync(day, "10:00");
        var other = await StampAsync();
        Assert.NotEqual(shown, other);
        await Server.Run(new MoveAppointment(booked.Id, null, $"{day}T11:00", null, false, booked.Version), BuiltInRole.Reception, Server.First);
        Assert.NotEqual(other, await StampAsync());
        Assert.Equal(idle, await IdleEndsAsync());
        await client.GetAsync($"/schedule?day={day}");
        Assert.NotEqual(idle, await IdleEndsAsync());

        async Task<string> StampAsync() => (await client.GetAsync($"/schedule/stamp?first={day}&last={day}")).Json.GetProperty("stamp").GetString()!;

        async Task<object?> IdleEndsAsync() => await Server.Database.ExecuteAsync($"SELECT max(idle_ends_at) FROM clinic.session WHERE tenant_id = '{Server.First.Tenant.Id}' AND member_id = '{Server.First.Account(BuiltInRole.Reception).Member}'");
    }

    [Fact]
    public async Task What_was_typed_stays_when_booking_is_refused()
    {
        var (client, day) = (await Server.SharedSession(BuiltInRole.Reception), Day(31));
        await BookAsync(day, "09:00");
        var form = Form(Server.First.Patients[1], day, "09:00");

        var taken = await client.FormAsync("/schedule/book", form);
        Assert.Equal(HttpStatusCode.Conflict, taken.Status);
        Assert.Contains("That time was just taken", taken.Text);
        Kept(taken);

        form["minutes"] = "none";
        var invalid = await client.FormAsync("/schedule/book", form);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, invalid.Status);
        Assert.Contains("value=\"none\"", invalid.Text);
        Kept(invalid);

        (form["minutes"], form["time"]) = ("", "22:00");
        var late = await client.FormAsync("/schedule/book", form);
        Assert.Equal(HttpStatusCode.Conflict, late.Status);
        Assert.Contains("Book it outside working hours", late.Text);
        Kept(late);
        form["confirmOutsideHours"] = "true";
        var booked = await client.FormAsync("/schedule/book", form);
        Assert.Equal((HttpStatusCode.SeeOther, $"/schedule?day={day}"), (booked.Status, booked.Location));

        form["patientId"] = "";
        var nobody = await client.FormAsync("/schedule/book", form);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, nobody.Status);
        Assert.Contains("Choose a patient.", nobody.Text);

        void Kept(Answer answer)
        {
            foreach (var text in new[] { "typed reason", "typed note", "QUILL, Quentin", Server.First.Patients[1].ToString(), day }) Assert.Contains(text, answer.Text);
        }
    }

    [Fact]
    public async Task An_archived_patient_is_refused_in_words_wherever_they_are_chosen()
    {
        var (client, day) = (await Server.SharedSession(BuiltInRole.Reception), Day(32));
        var gone = (await Server.Run(new RegisterPatient(new() { FamilyName = "Archived", GivenNames = "Abe", DateOfBirth = new(1961, 1, 2), Gender = "male" }), BuiltInRole.Doctor, Server.First)).Value;
        await Server.Run(new ArchivePatient(gone.Id, "moved_away", null, gone.Version), BuiltInRole.Doctor, Server.First);
        Assert.Contains("record is archived", (await client.GetAsync($"/schedule/book?patient={gone.Id}")).Text);
        var refused = await client.FormAsync("/schedule/book", Form(gone.Id, day, "09:00"));
        Assert.Equal(HttpStatusCode.Conflict, refused.Status);
        Assert.Contains("record is archived", refused.Text);
        Assert.Contains("typed reason", refused.Text);
        var found = await client.FormAsync("/schedule/book/find", new Dictionary<string, string> { ["text"] = "archived abe" });
        Assert.Contains("Cannot be booked", found.Text);
        Assert.DoesNotContain($"patient={gone.Id}", found.Text);
    }

    [Fact]
    public async Task A_stale_change_keeps_what_was_typed_and_says_how_it_is_now()
    {
        var (client, day) = (await Server.SharedSession(BuiltInRole.Reception), Day(33));
        var booked = await BookAsync(day, "10:00");
        await Server.Run(new MoveAppointment(booked.Id, null, $"{day}T14:25", null, false, booked.Version), BuiltInRole.Reception, Server.First);
        var form = Form(Server.First.Patients[0], day, "11:00");
        form["version"] = booked.Version.ToString(CultureInfo.InvariantCulture);
        var path = $"/schedule/appointments/{booked.Id}";
        var stale = await client.FormAsync($"{path}/edit", form);
        Assert.Equal(HttpStatusCode.PreconditionFailed, stale.Status);
        Assert.Contains("Somebody changed this appointment in the meantime", stale.Text);
        Assert.Contains("14:25", stale.Text);
        Assert.Contains("value=\"11:00\"", stale.Text);
        Assert.Contains("typed note", stale.Text);
        form["version"] = "2";
        Assert.Equal(HttpStatusCode.SeeOther, (await client.FormAsync($"{path}/edit", form)).Status);

        var dragged = await client.FormAsync($"{path}/move", new Dictionary<string, string> { ["version"] = "2", ["date"] = day, ["time"] = "12:00" }, with: Dialog);
        Assert.Equal((HttpStatusCode.PreconditionFailed, "CHP-PLATFORM-0002"), (dragged.Status, dragged.Code));
        var arrived = await client.FormAsync($"{path}/arrive", new Dictionary<string, string> { ["version"] = "3" });
        Assert.Equal(HttpStatusCode.Conflict, arrived.Status);
        Assert.Contains("It is too early for that.", arrived.Text);
        var cancelled = await client.FormAsync($"{path}/cancel", new Dictionary<string, string> { ["version"] = "3", ["reason"] = "other" });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, cancelled.Status);
        Assert.Contains("Say why.", cancelled.Text);
    }

    [Fact]
    public async Task Who_may_not_see_names_moves_without_taking_away_what_is_written()
    {
        var (client, day) = (await Server.SharedSession(BuiltInRole.Manager), Day(34));
        var booked = await BookAsync(day, "10:00");
        var page = await client.GetAsync($"/schedule?day={day}");
        Assert.Contains(booked.Id.ToString(), page.Text);
        foreach (var hidden in new[] { "PRIME", "a reason", "a note", "/schedule/book" }) Assert.DoesNotContain(hidden, page.Text);
        Assert.DoesNotContain("PRIME", (await client.GetAsync($"/schedule/appointments/{booked.Id}")).Text);
        var moved = await client.FormAsync($"/schedule/appointments/{booked.Id}/move", new Dictionary<string, string> { ["version"] = "1", ["date"] = day, ["time"] = "15:00" }, with: Dialog);
        Assert.Equal(2, moved.Json.GetProperty("version").GetInt64());
        var form = Form(Server.First.Patients[0], day, "16:00");
        foreach (var field in new[] { "reason", "note" }) form.Remove(field);
        form["version"] = "2";
        Assert.Equal(HttpStatusCode.SeeOther, (await client.FormAsync($"/schedule/appointments/{booked.Id}/edit", form)).Status);
        var now = (await Server.Run(new ViewAppointment(booked.Id), BuiltInRole.Reception, Server.First)).Value;
        Assert.Equal(("a reason", "a note", 16), (now.Details.Reason, now.Details.Note, now.StartsAt.Hour));
    }

    [Fact]
    public async Task Roles_and_other_clinics_get_what_is_theirs()
    {
        var day = Day(35);
        var booked = await BookAsync(day, "10:00");
        var path = $"/schedule/appointments/{booked.Id}";
        var doctor = await Server.SharedSession(BuiltInRole.Doctor);
        var page = await doctor.GetAsync($"/schedule?day={day}");
        Assert.Contains("PRIME", page.Text);
        foreach (var control in new[] { "data-move", "/schedule/book", "data-diary-edit-value=\"true\"" }) Assert.DoesNotContain(control, page.Text);
        foreach (var refused in new[] { "/schedule/book", $"{path}/edit", $"{path}/cancel" }) Assert.Equal(HttpStatusCode.Forbidden, (await doctor.GetAsync(refused)).Status);
        foreach (var refused in new[] { "edit", "move", "cancel" }) Assert.Equal(HttpStatusCode.Forbidden, (await doctor.FormAsync($"{path}/{refused}", Form(Server.First.Patients[0], day, "12:00"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await doctor.FormAsync("/schedule/book/free", Form(Server.First.Patients[0], day, "12:00"))).Status);

        var patient = await Server.SharedSession(BuiltInRole.Patient);
        Assert.Equal("/schedule/mine", (await patient.GetAsync("/schedule")).Location);
        var own = await patient.GetAsync("/schedule/mine");
        Assert.Contains("a reason", own.Text);
        foreach (var hidden in new[] { "a note", "PRIME", "/schedule/book" }) Assert.DoesNotContain(hidden, own.Text);
        Assert.Equal(HttpStatusCode.Forbidden, (await patient.FormAsync($"{path}/arrive", new Dictionary<string, string>())).Status);

        var stranger = await Server.SharedSession(BuiltInRole.Reception, Server.Second);
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync(path)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.FormAsync($"{path}/move", new Dictionary<string, string> { ["version"] = "1", ["date"] = day, ["time"] = "12:00" }, with: Dialog)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.FormAsync("/schedule/book", Form(Server.First.Patients[0], day, "12:00"))).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync($"/schedule/book?patient={Server.First.Patients[0]}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync($"/schedule/week?practitioner={Doctor}")).Status);
        Assert.DoesNotContain(booked.Id.ToString(), (await stranger.GetAsync($"/schedule?day={day}")).Text);
        Assert.Equal(HttpStatusCode.Forbidden, (await (await Server.SharedSession(BuiltInRole.Hr)).GetAsync("/schedule")).Status);
        foreach (var wrong in new[] { "/schedule?day=soon", "/schedule?practitioner=doctor", "/schedule/week?day=2026-02-30", "/schedule/stamp?first=never", "/schedule/stamp?first=2026-01-01&last=2027-01-01" })
            Assert.Equal((HttpStatusCode.UnprocessableEntity, "CHP-SCHEDULE-0007"), await doctor.GetAsync(wrong) is var answer ? (answer.Status, answer.Code) : default);
    }

    [Fact]
    public async Task Registering_a_patient_leads_back_to_the_booking_and_nowhere_else()
    {
        var client = await Server.SharedSession(BuiltInRole.Reception);
        var form = new Dictionary<string, string> { ["familyName"] = "Walkin", ["givenNames"] = "Wanda", ["dateOfBirth"] = "1990-01-02", ["gender"] = "female", ["to"] = "/schedule/book?date=2027-01-04&time=10%3A00" };
        var registered = await client.FormAsync("/patients/new", form);
        Assert.StartsWith("/schedule/book?date=2027-01-04&time=10%3A00&patient=", registered.Location, StringComparison.Ordinal);
        var book = await client.GetAsync(registered.Location!);
        Assert.Contains("WALKIN, Wanda", book.Text);
        Assert.Contains("value=\"10:00\"", book.Text);
        foreach (var elsewhere in new[] { "//evil.test/schedule/book?", "https://evil.test", "/schedule/book?x=\r\nSet-Cookie: a", "/account" })
        {
            (form["to"], form["familyName"]) = (elsewhere, $"Walkin{elsewhere.Length}");
            Assert.StartsWith("/patients/", (await client.FormAsync("/patients/new", form)).Location, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Repeats_are_booked_in_one_go_and_cancelled_from_one_on()
    {
        var (client, day) = (await Server.SharedSession(BuiltInRole.Reception), Day(60));
        await BookAsync(DateOnly.ParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture).AddDays(7).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), "09:00");
        var form = Form(Server.First.Patients[1], day, "09:00");
        (form["repeatUnit"], form["repeatEvery"]) = ("week", "");
        var none = await client.FormAsync("/schedule/book", form);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, none.Status);
        form["repeatCount"] = "4";
        var clash = await client.FormAsync("/schedule/book", form);
        Assert.Equal(HttpStatusCode.Conflict, clash.Status);
        Assert.Contains("09:00 (taken)", clash.Text);
        Assert.Contains("Leave out those that cannot be there", clash.Text);
        Assert.Contains("typed note", clash.Text);
        form["skipClashes"] = "true";
        var booked = await client.FormAsync("/schedule/book", form, with: Dialog);
        Assert.Equal("3 appointments are booked, 1 left out.", booked.Json.GetProperty("said").GetString());
        var path = $"/schedule/appointments/{booked.Json.GetProperty("id").GetGuid()}";
        Assert.Contains("This one and those that follow", (await client.GetAsync($"{path}/cancel")).Text);
        Assert.Equal(HttpStatusCode.SeeOther, (await client.FormAsync($"{path}/cancel", new Dictionary<string, string> { ["version"] = "1", ["reason"] = "patient", ["scope"] = "following" })).Status);
        var left = (await Server.Run(new ListAppointments(null, day, Later(day, 28)), BuiltInRole.Reception, Server.First)).Value.Where(item => item.PatientId == Server.First.Patients[1]);
        Assert.Equal(["cancelled", "cancelled", "cancelled"], left.Select(item => item.Status));

        static string Later(string day, int days) => DateOnly.ParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture).AddDays(days).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
    }

    private async Task<Appointment> BookAsync(string day, string time) =>
        (await Server.Run(new BookAppointment(Server.First.Patients[0], new(Doctor, "consultation", $"{day}T{time}", null, null, "a reason", "a note")), BuiltInRole.Reception, Server.First)).Value;

    private Dictionary<string, string> Form(Guid patient, string day, string time) => new()
    {
        ["patientId"] = patient.ToString(), ["patientLabel"] = "QUILL, Quentin", ["practitionerId"] = Doctor.ToString(), ["type"] = "consultation", ["date"] = day, ["time"] = time, ["minutes"] = "", ["reason"] = "typed reason", ["note"] = "typed note",
    };

    // Working days, apart from those of other tests.
    private string Day(int ahead)
    {
        var day = DateOnly.FromDateTime(Server.Clock.GetUtcNow().UtcDateTime);
        for (var left = ahead; left > 0; day = day.AddDays(1)) if (day.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday)) left--;
        while (day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday) day = day.AddDays(1);
        return day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("data-diary-stamp-value=\"([0-9a-f]+)\"")]
    private static partial Regex Shown();
}
