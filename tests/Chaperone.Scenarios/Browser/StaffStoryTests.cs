using Chaperone.Clinic.Shell;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>Somebody forgot everything: the administrator gives a link, they choose a password, enrol again on a telephone, and use a backup code.</summary>
[Collection(BrowserCollection.Name)]
public sealed class StaffStoryTests(BrowserFixture fixture)
{
    private const string NewPassword = "copper meadow slow tide";

    [Fact]
    public async Task Nurse_who_lost_password_and_phone_comes_back_on_a_telephone()
    {
        // A clinic of their own: this account ends with another password and authenticator than the shared ones have.
        var clinic = await fixture.Server.AddClinicAsync("staff.localhost");
        var nurse = clinic.Account(BuiltInRole.Nurse);
        var link = await LinkAsync(clinic, nurse);

        await using var visit = await fixture.VisitAsync(clinic.Host, width: Visit.Narrow);
        await visit.GoAsync(link, "Choose your password");
        await visit.ExamineAsync("reset");
        await visit.FillAsync("New password", "short");
        await visit.Button("Set password").ClickAsync();
        await visit.SeesAsync("There is a problem");
        await visit.FillAsync("New password", NewPassword);
        await visit.Button("Set password").ClickAsync();
        await visit.AtAsync("Sign in");
        await visit.SeesAsync("Your password is set.");
        await PasswordAsync(visit, nurse);
        await visit.AtAsync($"Welcome, Test {BuiltInRole.Nurse.DisplayName}");

        await visit.GoAsync("/enrol", "Set up two-factor sign-in");
        await visit.Button("Show the QR code").ClickAsync();
        await visit.Page.GetByText("The camera does not work").ClickAsync();
        var shown = await visit.Page.Locator(".copy-text-value").InnerTextAsync();
        var account = nurse with { Secret = Base32.Decode(shown.Replace(" ", "", StringComparison.Ordinal))! };
        await visit.FillAsync("Code", await account.NextCodeAsync(fixture.Server.Clock));
        await visit.Button("Turn on two-factor").ClickAsync();
        await visit.AtAsync("Save your backup codes");
        var backup = await visit.Page.Locator(".backup-codes-list code").First.InnerTextAsync();
        await visit.Link("I have saved them").ClickAsync();
        await visit.AtAsync($"Welcome, Test {BuiltInRole.Nurse.DisplayName}");
        await visit.SignOutAsync();

        await PasswordAsync(visit, nurse);
        await visit.AtAsync("Enter your code");
        await visit.Page.GetByText("Use a backup code instead").ClickAsync();
        await visit.Page.Locator("input[name=backupCode]").FillAsync(backup);
        await visit.Page.Locator("input[name=code]").FillAsync("");
        await visit.Button("Continue").ClickAsync();
        await visit.AtAsync($"Welcome, Test {BuiltInRole.Nurse.DisplayName}");
        await visit.GoAsync("/account/security", "Your account and security");
        await visit.SeesAsync("9 backup codes left.");

        // A used link is no link.
        visit.Expect(410);
        visit.Expect(404);
        await visit.Page.GotoAsync(link);
        Assert.DoesNotContain("New password", await visit.Page.ContentAsync(), StringComparison.Ordinal);
        visit.AssertNothingWrong();
        visit.AssertExamined();
    }

    private async Task<string> LinkAsync(TestClinic clinic, TestAccount nurse)
    {
        await using var visit = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        await visit.GoAsync($"/settings/team/{nurse.Member}", $"Test {BuiltInRole.Nurse.DisplayName}");
        await visit.Button("Link to set a new password").ClickAsync();
        await visit.AtAsync("Link to set a new password");
        await visit.ExamineAsync("team-reset-link");
        var link = await visit.Page.Locator(".copy-text-value").InnerTextAsync();

        await visit.GoAsync($"/settings/team/{nurse.Member}", $"Test {BuiltInRole.Nurse.DisplayName}");
        await visit.Page.Locator("summary").Filter(new() { HasText = "Reset two-factor" }).ClickAsync();
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await visit.ExamineAsync("team-dialog");
        await visit.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Reset two-factor" }).ClickAsync();
        await visit.SeesAsync("Two-factor is off for this account");
        visit.AssertExamined();
        return link;
    }

    private static async Task PasswordAsync(Visit visit, TestAccount account)
    {
        await visit.FillAsync("Email address", account.Email);
        await visit.FillAsync("Password", NewPassword);
        await visit.Button("Sign in").ClickAsync();
    }
}
