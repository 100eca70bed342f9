using System.Text;
using Chaperone.Platform.Access;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>Who saw this patient last month? The owner answers from the pages, and the patient sees it too.</summary>
[Collection(BrowserCollection.Name)]
public sealed class AccessHistoryStoryTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Owner_and_patient_see_who_looked_and_take_it_along()
    {
        var clinic = await fixture.Server.AddClinicAsync("looked.localhost");
        using (var nurse = await fixture.Server.SignInAs(BuiltInRole.Nurse, clinic)) await nurse.GetAsync($"/api/patients/{clinic.Patients[0]}");
        using (var doctor = await fixture.Server.SignInAs(BuiltInRole.Doctor, clinic)) await doctor.GetAsync($"/api/patients/{clinic.Patients[1]}");

        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        await owner.Page.GotoAsync(owner.Url($"/patients/{clinic.Patients[0]}"));
        await owner.Link("Who looked").ClickAsync();
        await owner.AtAsync("Who looked at this record");
        await owner.SeesAsync("Test Nurse");
        await owner.SeesAsync("Opened the record");
        await Assertions.Expect(owner.Page.GetByText("Test Doctor")).ToHaveCountAsync(0);
        await owner.ExamineAsync("access-history");
        var download = await owner.Page.RunAndWaitForDownloadAsync(() => owner.Button("Report (PDF)").ClickAsync());
        using var file = new MemoryStream();
        await using (var stream = await download.CreateReadStreamAsync()) await stream.CopyToAsync(file);
        Assert.Contains("(Test Nurse)", Encoding.ASCII.GetString(file.ToArray()), StringComparison.Ordinal);
        await owner.Page.Locator(".topbar-person").ClickAsync();
        await owner.Link("Who looked at your data").ClickAsync();
        await owner.AtAsync("Who looked at your data");
        await owner.ExamineAsync("access-history-own");

        await using var patient = await fixture.SignedInAsync(BuiltInRole.Patient, width: Visit.Narrow, clinic: clinic);
        await patient.Link("Who looked at it").ClickAsync();
        await patient.AtAsync("Who looked at your record");
        await patient.SeesAsync("Test Nurse");
        await patient.SeesAsync("Olive Owner");
        await patient.ExamineAsync("access-history-patient");
        await patient.Link("Others and myself").ClickAsync();
        await patient.SeesAsync("A patient's own account");
        patient.Expect(404);
        await patient.Page.GotoAsync(patient.Url($"/patients/{clinic.Patients[1]}/access-history"));
        await Assertions.Expect(patient.Page.GetByText("Test Doctor")).ToHaveCountAsync(0);
        owner.AssertExamined();
        patient.AssertExamined();
    }
}
