using System.Net;
using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>Each role's start page and the places its navigation offers: every one opens, and every sort of page is examined.</summary>
[Collection(BrowserCollection.Name)]
public sealed class RolesTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Every_role_gets_the_places_it_is_offered()
    {
        foreach (var role in BuiltInRole.All)
        {
            await using var visit = await fixture.SignedInAsync(role);
            await Assertions.Expect(visit.Page.Locator(".topbar-person")).ToContainTextAsync(role.DisplayName);
            await visit.ExamineAsync($"home-{role.Code}");
            var places = await visit.Page.Locator("#side a").EvaluateAllAsync<string[]>("links => links.map(a => a.getAttribute('href'))");
            Assert.Contains("/account/security", places);
            Assert.Equal(role.Code is "owner" or "admin" or "manager", places.Contains("/settings/team"));
            Assert.Equal(role.Code is "owner" or "admin", places.Contains("/settings/security"));
            foreach (var place in places.Where(place => place is not ("/" or "/account/security")))
            {
                var answer = await visit.Page.GotoAsync(visit.Url(place));
                Assert.True(answer!.Ok, $"{role.Code} is offered {place} and gets {answer.Status}.");
                visit.AssertNothingWrong();
            }
            visit.AssertExamined();
        }
    }

    [Fact]
    public async Task Patient_sees_the_own_record_and_nobody_elses()
    {
        await using var visit = await fixture.SignedInAsync(BuiltInRole.Patient, Visit.Narrow);
        await visit.Link("Open my record").ClickAsync();
        await visit.AtAsync(PatientText.Name("Prime", "Paula"));
        await visit.ExamineAsync("patient-own");
        visit.Expect((int)HttpStatusCode.NotFound);
        var answer = await visit.Page.GotoAsync(visit.Url($"/patients/{fixture.Clinic.Patients[1]}"));
        Assert.Equal((int)HttpStatusCode.NotFound, answer!.Status);
        Assert.DoesNotContain("Quill", await visit.Page.ContentAsync(), StringComparison.OrdinalIgnoreCase);
        await visit.ExamineAsync("error-not-found");
        visit.AssertExamined();
    }

    [Fact]
    public async Task Who_may_not_see_names_gets_them_masked()
    {
        await using var visit = await fixture.SignedInAsync(BuiltInRole.ReadOnly);
        await visit.GoAsync("/patients", "Patients");
        Assert.DoesNotContain("Quentin", await visit.Page.ContentAsync(), StringComparison.OrdinalIgnoreCase);
        await visit.ExamineAsync("patients-masked");
        await visit.Page.Locator(".data-table tbody a").First.ClickAsync();
        await visit.SeesAsync("are masked for your role");
        await visit.ExamineAsync("patient-masked");
        visit.AssertExamined();
    }

    [Fact]
    public async Task The_page_of_the_API_keeps_to_its_policy()
    {
        await using var visit = await fixture.VisitAsync(fixture.Clinic.Host);
        await visit.Page.GotoAsync(visit.Url("/api/docs"));
        await visit.Page.Locator(".opblock-summary-control").First.ClickAsync();
        await visit.SeesAsync("Chaperone API");
        await Assertions.Expect(visit.Page.Locator(".opblock-body").First).ToBeVisibleAsync();
        visit.AssertNothingWrong();
    }

    [Fact]
    public async Task Narrow_menu_leads_everywhere_by_keyboard()
    {
        await using var visit = await fixture.SignedInAsync(BuiltInRole.Doctor, Visit.Narrow);
        await Assertions.Expect(visit.Place("Patients")).ToBeHiddenAsync();
        await visit.Button("Menu").FocusAsync();
        await visit.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(visit.Place("Patients")).ToBeVisibleAsync();
        await visit.Place("Patients").FocusAsync();
        await visit.Page.Keyboard.PressAsync("Enter");
        await visit.AtAsync("Patients");
        await visit.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(visit.Place("Home")).ToBeHiddenAsync();
        visit.AssertNothingWrong();
    }
}
