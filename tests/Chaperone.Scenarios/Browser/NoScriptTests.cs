using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>With JavaScript off the pages are plain forms and links, and work.</summary>
[Collection(BrowserCollection.Name)]
public sealed class NoScriptTests(BrowserFixture fixture)
{
    [Theory]
    [InlineData(Visit.Wide)]
    [InlineData(Visit.Narrow)]
    public async Task Signing_in_registering_and_finding_need_no_script(int width)
    {
        await using var visit = await fixture.VisitAsync(fixture.Clinic.Host, script: false, width);
        var doctor = fixture.Clinic.Account(BuiltInRole.Doctor);
        await visit.GoAsync("/patients", "Sign in");
        await visit.FillAsync("Email address", doctor.Email);
        await visit.FillAsync("Password", TestServer.Password);
        await visit.Button("Sign in").ClickAsync();
        await visit.AtAsync("Enter your code");
        await visit.FillAsync("Code from your authenticator app", await doctor.NextCodeAsync(fixture.Server.Clock));
        await visit.Button("Continue").ClickAsync();
        await visit.AtAsync("Patients");

        var family = width == Visit.Wide ? "Broadleaf" : "Fernleaf";
        await visit.Link("Register a patient").ClickAsync();
        await visit.AtAsync("Register a patient");
        await visit.FillAsync("Family name", family);
        await visit.FillAsync("Given names (optional)", "Nora");
        await visit.FillAsync("Date of birth", "3 May 1990");
        await visit.Button("Register").ClickAsync();
        await visit.AtAsync(PatientText.Name(family, "Nora"));
        await visit.SeesAsync("The patient was registered.");

        if (width == Visit.Narrow) await visit.Button("Menu").ClickAsync();
        await visit.Place("Patients").ClickAsync();
        await visit.AtAsync("Patients");
        await visit.Page.GetByRole(AriaRole.Searchbox).FillAsync(family[..5]);
        await visit.Button("Find").ClickAsync();
        await visit.SeesAsync("1 patient");
        await visit.Page.Locator(".result").ClickAsync();
        await visit.AtAsync(PatientText.Name(family, "Nora"));

        await visit.SignOutAsync();
        await visit.Page.GoBackAsync();
        Assert.DoesNotContain(family, await visit.Page.ContentAsync(), StringComparison.OrdinalIgnoreCase);
        visit.AssertNothingWrong();
    }
}
