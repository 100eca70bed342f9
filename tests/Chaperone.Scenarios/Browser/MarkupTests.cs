using Chaperone.Clinic.Shell;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>Whatever stands in a name is shown as text, on every page that shows it; nothing of it runs.</summary>
[Collection(BrowserCollection.Name)]
public sealed class MarkupTests(BrowserFixture fixture)
{
    public static TheoryData<string, string> Names { get; } = new()
    {
        { "<img src=x onerror=alert(1)> Zimage", "<script>alert(2)</script>" },
        { "\"><svg onload=alert(3)> Zquote", "{{7*7}} ${7*7} @Model 'or' 1=1;--" },
        { "משפחה‏ Zright", "👩🏽‍⚕️ נעמי" },
        { new string('W', 150) + " Zlong", string.Join(' ', Enumerable.Repeat("Hubert", 20)) },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Names_are_text_on_every_page(string family, string given)
    {
        await using var visit = await fixture.SignedInAsync(BuiltInRole.Doctor);
        var (name, word) = (PatientText.Name(family, given), family[(family.LastIndexOf(' ') + 1)..]);
        await visit.GoAsync("/patients/new", "Register a patient");
        await visit.FillAsync("Given names (optional)", given);
        await visit.FillAsync("Family name", family);
        await visit.Button("Register").ClickAsync();
        await visit.SeesAsync("There is a problem");
        Assert.Equal(family, await visit.Page.GetByLabel("Family name", new() { Exact = true }).InputValueAsync());
        await visit.ExamineAsync("patient-new-refused");
        await visit.FillAsync("Date of birth", "29/02/1980");
        await visit.Button("Register").ClickAsync();
        await visit.AtAsync(name);
        await visit.ExamineAsync("patient-" + word);
        var record = visit.Path;

        await visit.GoAsync(record + "/edit", "Edit details");
        Assert.Equal(given, await visit.Page.GetByLabel("Given names (optional)", new() { Exact = true }).InputValueAsync());
        await ShowsAsync(visit, ".patient-banner-name", name);
        await visit.GoAsync(record + "/archive", "Archive this record");
        await ShowsAsync(visit, ".patient-banner-name", name);
        await visit.GoAsync("/patients", "Patients");
        await ShowsAsync(visit, ".data-table tbody th", name);
        await visit.ExamineAsync("patients-" + word);
        await visit.Page.GetByRole(AriaRole.Searchbox).PressSequentiallyAsync(word);
        await ShowsAsync(visit, ".result-name", name);
        await visit.ExamineAsync("found-" + word);
        Assert.Equal(0, await visit.Page.Locator("main img, main script, main svg[onload]").CountAsync());
        visit.AssertNothingWrong();
        visit.AssertExamined();
    }

    private static Task ShowsAsync(Visit visit, string where, string name) => Assertions.Expect(visit.Page.Locator(where).Filter(new() { HasText = name }).First).ToBeVisibleAsync();
}
