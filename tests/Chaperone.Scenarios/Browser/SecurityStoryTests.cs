using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>The owner looks at who signs in how, lets a locked colleague in again, and ends a session, without a mouse.</summary>
[Collection(BrowserCollection.Name)]
public sealed class SecurityStoryTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Owner_unlocks_ends_a_session_and_forgets_a_device()
    {
        var clinic = await fixture.Server.AddClinicAsync("security.localhost");
        await fixture.Server.Operate(new CreateMember("Nelly Newcomer", "nelly@security.localhost", [BuiltInRole.Nurse]), clinic);
        using (var guesser = fixture.Server.Visit(clinic))
            for (var i = 0; i < 5; i++) await guesser.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = clinic.Account(BuiltInRole.Doctor).Email, password = "wrong" });
        using var nurse = fixture.Server.Visit(clinic);
        var account = clinic.Account(BuiltInRole.Nurse);
        await nurse.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = account.Email, password = TestServer.Password, code = await account.NextCodeAsync(fixture.Server.Clock), rememberDevice = true });
        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);

        await EnterAsync(owner, owner.Place("Overview"));
        await owner.AtAsync("Security overview");
        await owner.SeesAsync("Nelly Newcomer");
        await owner.ExamineAsync("security-overview");
        await EnterAsync(owner, owner.Button("Unlock the account of Test Doctor"));
        await owner.SeesAsync("The account is unlocked.");
        await owner.SeesAsync("No account is locked");

        await EnterAsync(owner, owner.Link("2 sessions"));
        await owner.AtAsync("Sessions");
        await owner.SeesAsync("This session");
        await owner.ExamineAsync("security-sessions");
        await EnterAsync(owner, owner.Page.GetByRole(AriaRole.Button, new() { Name = "End session of Test Nurse" }));
        await owner.SeesAsync("The session has ended.");
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await nurse.GetAsync("/api/me")).Status);

        await EnterAsync(owner, owner.Place("Trusted devices"));
        await owner.AtAsync("Trusted devices");
        await owner.ExamineAsync("security-devices");
        await EnterAsync(owner, owner.Page.GetByRole(AriaRole.Button, new() { Name = "Forget" }));
        await owner.SeesAsync("The device will ask for a code again.");
        await owner.SeesAsync("No device is remembered");
        await owner.ExamineAsync("security-devices-none");
        owner.AssertExamined();
        fixture.Server.ForgetFailures();
    }

    private static async Task EnterAsync(Visit visit, ILocator at)
    {
        await at.FocusAsync();
        await visit.Page.Keyboard.PressAsync("Enter");
    }
}
