using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>The owner sets mail up against a real mail server; a receptionist comes in by the link in the mail she gets, and sees only what her role may; what was refused is seen and dealt with.</summary>
[Collection(BrowserCollection.Name)]
public sealed class MailStoryTests(BrowserFixture fixture)
{
    private const string Email = "rita@mail.example", Password = "copper meadow slow tide";

    [Fact]
    public async Task Receptionist_comes_in_by_the_link_in_her_mail_and_sees_only_what_her_role_may()
    {
        var clinic = await fixture.Server.AddClinicAsync("mail.localhost");
        await using var mail = await MailServer.StartAsync(new { disabled = new[] { "STARTTLS" }, user = "clinic", password = "right one" });
        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        await SetUpAsync(owner, mail);

        await InviteAsync(owner, "Rita Reception", Email, "Receptionist");
        await owner.SeesAsync("It is on its way by mail");
        await owner.ExamineAsync("team-invitation-mailed");
        var received = await mail.NextAsync();
        Assert.Equal(Email, Assert.Single(received.To));
        Assert.Equal(await owner.Page.Locator(".copy-text-value").InnerTextAsync(), received.Link.AbsoluteUri);

        await using var rita = await fixture.VisitAsync(clinic.Host, width: Visit.Narrow);
        await ComeInAsync(rita, received.Link.AbsoluteUri);
        foreach (var (path, there) in new[] { ("/patients", 1), ("/settings/mail", 0), ("/settings/jobs", 0), ("/settings/team", 0), ("/settings/audit-log", 0) })
            await Assertions.Expect(rita.Page.Locator($"#side a[href='{path}']")).ToHaveCountAsync(there);
        rita.Expect(403);
        foreach (var path in new[] { "/settings/mail", "/settings/mail/undelivered", "/settings/jobs", "/settings/team" }) await rita.GoAsync(path, "Your role does not include this.");
        // What she asked for past the pages is told to the owner, once.
        var warning = await mail.NextAsync();
        Assert.Equal(clinic.Account(BuiltInRole.Owner).Email, Assert.Single(warning.To));
        Assert.StartsWith("Something was asked for that is not allowed", warning.Subject, StringComparison.Ordinal);
        await rita.GoAsync("/account/jobs", "Your imports and exports");
        await rita.SeesAsync("Nothing yet");
        await rita.ExamineAsync("jobs-own-none");

        await RefusedAsync(owner, mail);
        await JobsAsync(owner);
        owner.AssertExamined();
        rita.AssertExamined();
    }

    private static async Task SetUpAsync(Visit visit, MailServer mail)
    {
        await visit.Place("Mail").ClickAsync();
        await visit.AtAsync("Mail");
        await visit.SeesAsync("No mail is sent yet.");
        await visit.ExamineAsync("mail-empty");
        await visit.FillAsync("Host name", "mail server");
        await visit.Button("Save").ClickAsync();
        await visit.SeesAsync("There is a problem");
        await visit.ExamineAsync("mail-refused");
        await visit.FillAsync("Host name", "localhost");
        await visit.Page.GetByLabel("Security", new() { Exact = true }).SelectOptionAsync("none");
        await visit.FillAsync("Port", $"{mail.Port}");
        await visit.Page.GetByLabel("User name").FillAsync("clinic");
        await visit.Page.GetByLabel("Password").FillAsync("wrong one");
        await visit.FillAsync("Address", "desk@mail.example");
        await visit.Button("Save").ClickAsync();
        await visit.SeesAsync("The mail settings are saved.");
        await visit.Button("Send a test mail to me").ClickAsync();
        await visit.SeesAsync("The mail server refused the user name or password. It answered 535.");
        await visit.ExamineAsync("mail-test-failed");
        await Assertions.Expect(visit.Page.GetByLabel("Password")).ToHaveValueAsync("");
        await visit.Page.GetByLabel("Password").FillAsync("right one");
        await visit.Button("Save").ClickAsync();
        await visit.SeesAsync("The mail settings are saved.");
        await Task.Delay(Clinic.Mail.TestMailTurns.Apart);
        await visit.Button("Send a test mail to me").ClickAsync();
        await visit.SeesAsync("The mail server took the test mail.");
        await visit.ExamineAsync("mail");
        Assert.StartsWith("A test mail", (await mail.NextAsync()).Subject, StringComparison.Ordinal);
    }

    private static async Task InviteAsync(Visit visit, string name, string email, string role)
    {
        await visit.GoAsync("/settings/team/invite", "Invite somebody");
        await visit.FillAsync("Name", name);
        await visit.FillAsync("Email address", email);
        await visit.Page.GetByLabel(role, new() { Exact = true }).CheckAsync();
        await visit.Button("Invite").ClickAsync();
        await visit.AtAsync("Invitation");
    }

    private async Task ComeInAsync(Visit visit, string link)
    {
        await visit.GoAsync(link, "Choose your password");
        await visit.FillAsync("New password", Password);
        await visit.Button("Set password").ClickAsync();
        await visit.AtAsync("Sign in");
        await visit.Link("Forgotten your password?").ClickAsync();
        await visit.AtAsync("Forgotten your password?");
        await visit.ExamineAsync("forgotten");
        await visit.Link("Back to signing in").ClickAsync();
        await visit.AtAsync("Sign in");
        await visit.FillAsync("Email address", Email);
        await visit.FillAsync("Password", Password);
        await visit.Button("Sign in").ClickAsync();
        await visit.AtAsync("Welcome, Rita Reception");
        await visit.GoAsync("/enrol", "Set up two-factor sign-in");
        await visit.Button("Show the QR code").ClickAsync();
        await visit.Page.GetByText("The camera does not work").ClickAsync();
        var shown = await visit.Page.Locator(".copy-text-value").InnerTextAsync();
        var account = new TestAccount(BuiltInRole.Reception, Guid.Empty, Email, Base32.Decode(shown.Replace(" ", "", StringComparison.Ordinal))!);
        await visit.FillAsync("Code", await account.NextCodeAsync(fixture.Server.Clock));
        await visit.Button("Turn on two-factor").ClickAsync();
        await visit.AtAsync("Save your backup codes");
        await visit.GoAsync("/", "Welcome, Rita Reception");
    }

    private static async Task RefusedAsync(Visit visit, MailServer mail)
    {
        await visit.GoAsync("/settings/mail/undelivered", "Undelivered mail");
        await visit.SeesAsync("Everything was delivered");
        await visit.ExamineAsync("mail-undelivered-none");
        await mail.ChangeAsync(new { refuseRecipient = 550 });
        await InviteAsync(visit, "Nils Nobody", "nils@mail.example", "Nurse");
        for (var tries = 0; tries < 50; tries++)
        {
            await visit.GoAsync("/settings/mail/undelivered", "Undelivered mail");
            if (await visit.Page.GetByText("Given up", new() { Exact = true }).CountAsync() > 0) break;
            await Task.Delay(100);
        }
        await visit.SeesAsync("The mail server refused the recipient. It answered 550.");
        await visit.ExamineAsync("mail-undelivered");
        await visit.GoAsync("/settings/mail", "Mail");
        await visit.SeesAsync("One mail was given up.");
        await visit.Link("See why, and try again or discard").ClickAsync();
        await visit.AtAsync("Undelivered mail");
        await mail.ChangeAsync(new { refuseRecipient = 0 });
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await visit.SeesAsync("It is tried again now.");
        Assert.Equal("nils@mail.example", Assert.Single((await mail.NextAsync()).To));
    }

    private static async Task JobsAsync(Visit visit)
    {
        await visit.GoAsync("/settings/jobs", "Jobs");
        await visit.SeesAsync("Mail: Invitation");
        await visit.SeesAsync("Verification of log and records");
        await visit.SeesAsync("as signed");
        await visit.ExamineAsync("jobs");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Verify now" }).First.ClickAsync();
        await visit.SeesAsync("It is done once more now.");
        await visit.Link("Imports").ClickAsync();
        await visit.SeesAsync("No jobs of this kind yet");
        await visit.ExamineAsync("jobs-none");
    }
}
