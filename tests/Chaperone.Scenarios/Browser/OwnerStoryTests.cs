using System.Net;
using System.Text;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>An owner who also practises, from the link the first start prints to the last page: what somebody does on the first day, every page of it examined.</summary>
[Collection(BrowserCollection.Name)]
public sealed class OwnerStoryTests(BrowserFixture fixture)
{
    private const string Host = "demo.localhost";
    private const string Email = "helen.marsh@example.org";
    private const string Password = "otter lantern quiet harbour";

    [Fact]
    public async Task First_day_of_an_owner_who_also_practises()
    {
        await using (var before = await fixture.VisitAsync("localhost")) await SetUpAsync(before);
        var clinic = await fixture.ClinicOfAsync(Host);

        await using var visit = await fixture.VisitAsync(Host);
        var account = await EnrolAsync(visit);
        await RememberDeviceAsync(visit, account);
        await ImportAsync(visit);
        await ChangeAsync(visit);
        await HoverAsync(visit, clinic);
        await ExportAsync(visit, account);
        await ReadLogAsync(visit);
        await SettingsAsync(visit);
        await LeaveAsync(visit);
        await EventsSayWhatHappened(clinic);
        visit.AssertExamined();
    }

    private async Task SetUpAsync(Visit visit)
    {
        await visit.GoAsync(await fixture.SetUpPathAsync(), "Set up your clinic");
        await visit.ExamineAsync("set-up");
        await visit.FillAsync("Name of the clinic", "Willow Bank Surgery");
        await visit.FillAsync("Host name", Host);
        await visit.FillAsync("Your name", "Helen Marsh");
        await visit.FillAsync("Your email address", Email);
        await visit.FillAsync("Your password", "password");
        await visit.Page.GetByLabel("I also practise").CheckAsync();
        await visit.Button("Set up the clinic").ClickAsync();
        await visit.SeesAsync("There is a problem");
        await visit.ExamineAsync("set-up-refused");
        await visit.FillAsync("Your password", Password);
        await visit.Button("Set up the clinic").ClickAsync();
        await visit.AtAsync("Your clinic is ready");
        await visit.ExamineAsync("set-up-done");
        await visit.Link("Go to your clinic").ClickAsync();
        await visit.AtAsync("Sign in");
        Assert.Equal(visit.Page.Url, $"http://{Host}:{fixture.Server.Port}/sign-in");
        visit.AssertExamined();
    }

    private async Task<TestAccount> EnrolAsync(Visit visit)
    {
        await visit.GoAsync("/sign-in", "Sign in");
        await visit.ExamineAsync("sign-in");
        await SubmitPasswordAsync(visit);
        await visit.AtAsync("Set up two-factor sign-in");
        await visit.ExamineAsync("enrol");
        await visit.Button("Show the QR code").ClickAsync();
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Img, new() { Name = "QR code for your authenticator app" })).ToBeVisibleAsync();
        await visit.Page.GetByText("The camera does not work").ClickAsync();
        await visit.ExamineAsync("enrol-code");
        var shown = await visit.Page.Locator(".copy-text-value").InnerTextAsync();
        var account = new TestAccount(BuiltInRole.Owner, Guid.Empty, Email, Base32.Decode(shown.Replace(" ", "", StringComparison.Ordinal))!);

        await visit.FillAsync("Code", "000000");
        await visit.Button("Turn on two-factor").ClickAsync();
        await visit.SeesAsync("This code did not work.");
        await visit.FillAsync("Code", await account.NextCodeAsync(fixture.Server.Clock));
        await visit.Button("Turn on two-factor").ClickAsync();
        await visit.AtAsync("Save your backup codes");
        await visit.ExamineAsync("backup-codes");
        Assert.Equal(10, (await visit.Page.Locator(".backup-codes-list code").AllInnerTextsAsync()).Distinct().Count());
        await visit.Link("I have saved them").ClickAsync();
        await visit.AtAsync("Welcome, Helen Marsh");
        await visit.SignOutAsync();
        return account;
    }

    private async Task RememberDeviceAsync(Visit visit, TestAccount account)
    {
        await visit.FillAsync("Email address", Email);
        await visit.FillAsync("Password", "not the password");
        await visit.Button("Sign in").ClickAsync();
        await visit.SeesAsync("Address or password did not work");
        await visit.ExamineAsync("sign-in-refused");
        await SubmitPasswordAsync(visit);
        await visit.AtAsync("Enter your code");
        await visit.ExamineAsync("sign-in-code");
        await visit.FillAsync("Code from your authenticator app", await account.NextCodeAsync(fixture.Server.Clock));
        await visit.Page.GetByLabel("Remember this device for 30 days").CheckAsync();
        await visit.Button("Continue").ClickAsync();
        await visit.AtAsync("Welcome, Helen Marsh");
        await visit.SignOutAsync();

        // The device is known now: the password is enough to sign in.
        await SubmitPasswordAsync(visit);
        await visit.AtAsync("Welcome, Helen Marsh");
    }

    private async Task ImportAsync(Visit visit)
    {
        await visit.Place("Patients").ClickAsync();
        await visit.AtAsync("Patients");
        await visit.ExamineAsync("patients-none");
        await visit.Link("Import").ClickAsync();
        await visit.AtAsync("Import");
        await visit.Page.SetInputFilesAsync("#file", new FilePayload { Name = "patients.csv", MimeType = "text/csv", Buffer = ImportedPeople.File });
        await visit.Button("Upload").ClickAsync();
        await visit.AtAsync("Preview");
        await visit.SeesAsync($"{ImportedPeople.Good} patients would be registered.");
        await visit.SeesAsync("Marigold <b>Bold</b>");
        await visit.ExamineAsync("import-preview");
        await visit.Link("Change the columns").ClickAsync();
        await visit.AtAsync("What do the columns mean?");
        await visit.ExamineAsync("import-columns");
        await visit.Button("Preview").ClickAsync();
        await visit.AtAsync("Preview");
        await visit.Button("Start the import").ClickAsync();
        await EndOfImportAsync(visit);
        await visit.SeesAsync("date-invalid");
        await visit.ExamineAsync("import-report");
        await visit.Link("Import").ClickAsync();
        await visit.AtAsync("Import");
        await visit.ExamineAsync("import");
    }

    /// <summary>A small import may be over before its progress is shown.</summary>
    internal static async Task EndOfImportAsync(Visit visit)
    {
        var (report, show) = (visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "Report of the import" }), visit.Link("Show the report"));
        await Assertions.Expect(report.Or(show)).ToBeVisibleAsync();
        if (await show.IsVisibleAsync())
        {
            await Assertions.Expect(visit.Page.GetByText("Stop the import", new() { Exact = true })).ToBeHiddenAsync();
            await show.ClickAsync();
        }
        await visit.AtAsync("Report of the import");
    }

    private static async Task ChangeAsync(Visit visit)
    {
        await visit.Place("Patients").ClickAsync();
        await visit.AtAsync("Patients");
        await visit.ExamineAsync("patients");

        // Typing is enough; the arrow key reaches the results, Enter opens one.
        await visit.Page.GetByRole(AriaRole.Searchbox).PressSequentiallyAsync("llew");
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("1 patient");
        await visit.ExamineAsync("patients-found");
        // Only one list at a time: an emptied box brings the latest registrations back.
        await Assertions.Expect(visit.Page.Locator(".data-table")).ToBeHiddenAsync();
        await visit.Page.GetByRole(AriaRole.Searchbox).FillAsync("");
        await Assertions.Expect(visit.Page.Locator(".data-table")).ToBeVisibleAsync();
        await visit.Page.GetByRole(AriaRole.Searchbox).PressSequentiallyAsync("llew");
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("1 patient");
        await visit.Page.GetByRole(AriaRole.Searchbox).FocusAsync();
        await visit.Page.Keyboard.PressAsync("ArrowDown");
        await Assertions.Expect(visit.Page.Locator(".result")).ToBeFocusedAsync();
        await visit.Page.Keyboard.PressAsync("Enter");
        var name = PatientText.Name("Llewellyn", "Rhys", "Mr");
        await visit.AtAsync(name);

        await visit.Link("Edit details").ClickAsync();
        await visit.AtAsync("Edit details");
        await visit.ExamineAsync("patient-edit");
        await visit.FillAsync("NHS number (optional)", "999 000 0001");
        await visit.FillAsync("Telephone (optional)", "01792 960 123");
        await visit.FillAsync("Mobile (optional)", "07700 900 123");
        await visit.FillAsync("Email (optional)", "rhys.llewellyn@example.org");
        await visit.Button("Save").ClickAsync();
        await visit.SeesAsync("There is a problem");
        await visit.ExamineAsync("patient-edit-refused");
        await visit.FillAsync("NHS number (optional)", "943 476 5919");
        await visit.Button("Save").ClickAsync();
        await visit.AtAsync(name);
        await visit.SeesAsync("The changes were saved.");
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Definition).Filter(new() { HasText = "960 123" }).First).ToBeVisibleAsync();

        await visit.Link("Archive").ClickAsync();
        await visit.AtAsync("Archive this record");
        await visit.ExamineAsync("patient-archive");
        await visit.Page.GetByRole(AriaRole.Combobox, new() { Name = "Reason", Exact = true }).SelectOptionAsync("moved_away");
        await visit.Button("Archive").ClickAsync();
        await visit.AtAsync(name);
        await visit.SeesAsync("This record was archived on");
        await visit.ExamineAsync("patient-archived");
        await visit.Button("Undo: restore the record").ClickAsync();
        await Assertions.Expect(visit.Link("Edit details")).ToBeVisibleAsync();
        await visit.AtAsync(name);
    }

    private async Task HoverAsync(Visit visit, TestClinic clinic)
    {
        await visit.Place("Patients").ClickAsync();
        await visit.AtAsync("Patients");
        var before = await fixture.Server.CountEventsAsync(clinic);
        var link = visit.Page.Locator(".data-table tbody a").Filter(new() { HasText = "Llewellyn" });
        await link.HoverAsync();
        await Task.Delay(1000);
        Assert.Equal(before, await fixture.Server.CountEventsAsync(clinic));
        await link.ClickAsync();
        await visit.AtAsync(PatientText.Name("Llewellyn", "Rhys", "Mr"));
        await visit.ExamineAsync("patient");
        Assert.True(await fixture.Server.CountEventsAsync(clinic) > before);
        await visit.Place("Patients").ClickAsync();
        await visit.AtAsync("Patients");
    }

    private async Task ExportAsync(Visit visit, TestAccount account)
    {
        await visit.Link("Export").ClickAsync();
        await visit.AtAsync("Please confirm it is you");
        await visit.ExamineAsync("step-up");
        // The way out does not ask for the code again.
        await visit.Page.GetByRole(AriaRole.Main).GetByRole(AriaRole.Link).ClickAsync();
        await visit.AtAsync("Welcome, Helen Marsh");
        await visit.Place("Patients").ClickAsync();
        await visit.AtAsync("Patients");
        await visit.Link("Export").ClickAsync();
        await visit.AtAsync("Please confirm it is you");
        await visit.FillAsync("Code from your authenticator app", await account.NextCodeAsync(fixture.Server.Clock));
        await visit.Button("Confirm").ClickAsync();
        await visit.AtAsync("Export patients");
        await visit.ExamineAsync("export");
        var download = await visit.Page.RunAndWaitForDownloadAsync(() => visit.Button("Export patients").ClickAsync());
        using var file = new MemoryStream();
        await using (var stream = await download.CreateReadStreamAsync()) await stream.CopyToAsync(file);
        var text = Encoding.UTF8.GetString(file.ToArray());
        Assert.Contains("Llewellyn", text, StringComparison.Ordinal);
        Assert.Contains("9434765919", text, StringComparison.Ordinal);
        Assert.Equal(ImportedPeople.Good + 1, text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    private static async Task ReadLogAsync(Visit visit)
    {
        await visit.Place("Audit log").ClickAsync();
        await visit.AtAsync("Audit log");
        await visit.ExamineAsync("audit-log");
        foreach (var action in (string[])["data.exported", "patient.archived", "patient.restored", "patient.updated", "patient.searched"])
            await Assertions.Expect(visit.Page.Locator("td[data-label=What] code").Filter(new() { HasText = action }).First).ToBeVisibleAsync();
        // The log names records by id, never by name.
        Assert.DoesNotContain("Llewellyn", await visit.Page.ContentAsync(), StringComparison.Ordinal);

        await visit.Page.Locator(".audit-filter summary").ClickAsync();
        await visit.Page.GetByRole(AriaRole.Combobox, new() { Name = "Action", Exact = true }).SelectOptionAsync("patient.archived");
        await visit.Button("Show").ClickAsync();
        await Assertions.Expect(visit.Page.Locator(".audit-row")).ToHaveCountAsync(1);
        await visit.AtAsync("Audit log");
        await visit.ExamineAsync("audit-log-filtered");
        await visit.Page.Locator(".audit-row .audit-when a").ClickAsync();
        await visit.SeesAsync("How it is kept");
        await visit.ExamineAsync("audit-drawer");
        await visit.Link("Open as a page").ClickAsync();
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Dialog)).ToBeHiddenAsync();
        await visit.SeesAsync("How it is kept");
        await visit.ExamineAsync("audit-event");
        await visit.Place("Audit log").ClickAsync();
        await visit.AtAsync("Audit log");
        await visit.Link("What this means").ClickAsync();
        await visit.AtAsync("Integrity of the log");
        await visit.ExamineAsync("audit-integrity");
    }

    private static async Task SettingsAsync(Visit visit)
    {
        await visit.Place("Home").ClickAsync();
        await visit.AtAsync("Welcome, Helen Marsh");
        await visit.ExamineAsync("home");
        await visit.Place("Overview").ClickAsync();
        await visit.AtAsync("Security overview");
        await visit.ExamineAsync("sign-in-rules");
        await visit.Page.Locator("summary").Filter(new() { HasText = "Require it of everybody" }).ClickAsync();
        var dialog = await visit.Page.GetByRole(AriaRole.Dialog).BoundingBoxAsync();
        Assert.InRange(dialog!.Y + (dialog.Height / 2), 350, 450);   // in the middle of 800 px
        await visit.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Dialog)).ToBeHiddenAsync();
        await visit.Place("Team").ClickAsync();
        await visit.AtAsync("Team");
        await visit.ExamineAsync("team");
        await visit.Link("Helen Marsh").ClickAsync();
        await visit.AtAsync("Helen Marsh");
        await visit.ExamineAsync("team-member");
        await visit.Place("Your account").ClickAsync();
        await visit.AtAsync("Your account and security");
        await visit.ExamineAsync("security");
    }

    private static async Task LeaveAsync(Visit visit)
    {
        await visit.Place("Patients").ClickAsync();
        await visit.AtAsync("Patients");
        await visit.Page.Locator(".data-table tbody a").Filter(new() { HasText = "Raman" }).ClickAsync();
        var name = PatientText.Name("Raman", "Priya", "Dr");
        await visit.AtAsync(name);
        var record = visit.Path;
        await visit.SignOutAsync();
        visit.Expect((int)HttpStatusCode.Unauthorized);
        for (var back = 0; back < 3; back++)
        {
            await visit.Page.GoBackAsync(new() { WaitUntil = WaitUntilState.DOMContentLoaded });
            await Task.Delay(300);
            var text = await visit.Page.ContentAsync();
            Assert.DoesNotContain("raman", text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("ashworth", text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("Helen Marsh", text, StringComparison.Ordinal);
        }
        await visit.GoAsync(record, "Sign in");
        visit.AssertNothingWrong();
    }

    private async Task EventsSayWhatHappened(TestClinic clinic)
    {
        var events = await fixture.Server.EventsAsync(clinic);
        LedgerEvent Last(string action) => events.Last(happened => happened.Action == action);
        Assert.Equal(ImportedPeople.Good, Last("data.exported").Subjects.Distinct().Count());
        Assert.Equal("moved_away", Last("patient.archived").Reason);
        Assert.Contains(Last("patient.updated").Changes, change => change.Field.Contains("phone", StringComparison.OrdinalIgnoreCase));
        Assert.Equal(1, Last("patient.searched").Hits);
        foreach (var action in (string[])["auth.2fa_enabled", "auth.device_trusted", "auth.step_up", "auth.logout", "auth.login.failure", "patient.created", "patient.viewed", "patient.restored"])
            Assert.Contains(events, happened => happened.Action == action);
        Assert.DoesNotContain(events, happened => happened.Source.Ip is not (null or "127.0.0.1" or "::1"));
    }

    private static async Task SubmitPasswordAsync(Visit visit)
    {
        await visit.FillAsync("Email address", Email);
        await visit.FillAsync("Password", Password);
        await visit.Button("Sign in").ClickAsync();
    }
}
