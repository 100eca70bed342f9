using System.Text;
using Chaperone.Platform.Access;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>The owner brings in what was before: patients, those who saw them, and when. Then a file of the clinic's own, whose columns nobody knows.</summary>
[Collection(BrowserCollection.Name)]
public sealed class HistoryStoryTests(BrowserFixture fixture)
{
    private const string Patients = ImportedPeople.Header + """

        5b0c7a10-1f43-4c6e-9a02-000000000001,1947-03-11,,999-31-4410,,,Mrs,Edith,Ashworth,,,M,white,nonhispanic,F,Bath,4 Mill Lane,Bath,England,Somerset,BA1 1AA,51.38,-2.36,1200.50,900.10
        5b0c7a10-1f43-4c6e-9a02-000000000002,1962-09-30,2023-03-01,999-31-4411,,,Mr,Graham,Barlow,,,M,white,nonhispanic,M,Leeds,17 Station Road,Leeds,England,West Yorkshire,LS1 4DY,53.79,-1.54,800.00,640.00

        """;

    private const string Providers = """
        Id,ORGANIZATION,NAME,GENDER,SPECIALITY,ADDRESS,CITY,STATE,ZIP,LAT,LON,UTILIZATION
        past-1,org-1,Rosalind884 Fenwick698,F,GENERAL PRACTICE,1 Mill Lane,BATH,SOM,BA1,51.38,-2.36,46
        past-2,org-1,Owen <i>493</i> Marsh353,M,NURSE PRACTITIONER,1 Mill Lane,BATH,SOM,BA1,51.38,-2.36,5

        """;

    private const string Encounters = """
        Id,START,STOP,PATIENT,ORGANIZATION,PROVIDER,PAYER,ENCOUNTERCLASS,CODE,DESCRIPTION,BASE_ENCOUNTER_COST,TOTAL_CLAIM_COST,PAYER_COVERAGE,REASONCODE,REASONDESCRIPTION
        visit-1,2023-01-27T16:17:47Z,2023-01-27T16:32:47Z,5b0c7a10-1f43-4c6e-9a02-000000000001,org-1,past-1,p,ambulatory,185345009,Encounter for symptom,77.49,3798.09,0.00,195662009,Tonsillitisword
        visit-2,2023-01-27T16:20:00Z,2023-01-27T17:20:00Z,5b0c7a10-1f43-4c6e-9a02-000000000002,org-1,past-1,p,emergency,410429000,Cardiac Arrestword,129.16,1005.08,0.00,,
        visit-3,2023-02-03T09:00:00Z,2023-02-06T09:00:00Z,5b0c7a10-1f43-4c6e-9a02-000000000002,org-1,past-2,p,inpatient,185347001,Encounter inpatient,77.49,77.49,16.62,,
        visit-4,2023-01-27T16:17:47Z,2023-01-27T16:32:47Z,not-here,org-1,past-1,p,ambulatory,185345009,Encounter for symptom,77.49,3798.09,0.00,,

        """;

    [Fact]
    public async Task Owner_brings_in_patients_then_practitioners_then_appointments()
    {
        var clinic = await fixture.Server.AddClinicAsync("history.localhost");
        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        await ImportAsync(owner, "patients.csv", Patients, "2 patients would be registered.", null);
        await ImportAsync(owner, "providers.csv", Providers, "2 practitioners would be added to the team as past practitioners", "history-practitioners");
        await owner.GoAsync("/patients/import", "Import");
        await UploadAsync(owner, "encounters.csv", Encounters);
        await owner.AtAsync("Preview");
        await owner.SeesAsync("3 appointments would be put into the schedule.");
        await owner.SeesAsync("ASHWORTH, Edith (Mrs)");
        await owner.SeesAsync("Rosalind Fenwick");
        await owner.SeesAsync("patient-unknown");
        Assert.DoesNotContain("word", await owner.Page.Locator("main").InnerTextAsync(), StringComparison.Ordinal);
        await owner.ExamineAsync("history-preview");
        await owner.Button("Start the import").ClickAsync();
        await OwnerStoryTests.EndOfImportAsync(owner);
        await owner.SeesAsync("3 imported, 1 skipped.");
        await owner.SeesAsync("REASONDESCRIPTION");
        await owner.ExamineAsync("history-report");

        await OwnColumnsAsync(owner);
        await ScheduleAsync(owner);
        await TeamAsync(owner);
        owner.AssertExamined();
    }

    private static async Task UploadAsync(Visit visit, string name, string text)
    {
        await visit.Page.SetInputFilesAsync("#file", new FilePayload { Name = name, MimeType = "text/csv", Buffer = Encoding.UTF8.GetBytes(text) });
        await visit.Button("Upload").ClickAsync();
    }

    private static async Task ImportAsync(Visit visit, string name, string text, string would, string? picture)
    {
        await visit.GoAsync("/patients/import", "Import");
        await UploadAsync(visit, name, text);
        await visit.AtAsync("Preview");
        await visit.SeesAsync(would);
        if (picture is not null) await visit.ExamineAsync(picture);
        await visit.Button("Start the import").ClickAsync();
        await OwnerStoryTests.EndOfImportAsync(visit);
        await visit.SeesAsync("2 imported.");
    }

    /// <summary>A file that is taken for patients at first, and is said to hold appointments.</summary>
    private static async Task OwnColumnsAsync(Visit visit)
    {
        await visit.GoAsync("/patients/import", "Import");
        await UploadAsync(visit, "termine.csv", "Wer,Wann,Bei\n5b0c7a10-1f43-4c6e-9a02-000000000001,28/01/2023 10:00,Rosalind Fenwick\n");
        await visit.AtAsync("What do the columns mean?");
        await visit.Link("it holds appointments").ClickAsync();
        await visit.SeesAsync("The file holds appointments.");
        await visit.Page.GetByLabel("Wer", new() { Exact = true }).SelectOptionAsync("patient_external_id");
        await visit.Page.GetByLabel("Bei", new() { Exact = true }).SelectOptionAsync("practitioner_name");
        await visit.Button("Preview").ClickAsync();
        await visit.SeesAsync("There is a problem");
        await visit.SeesAsync("Choose the column that says when it begins");
        await visit.Page.GetByLabel("Wann", new() { Exact = true }).SelectOptionAsync("starts_at");
        await visit.Page.GetByLabel("Dates are written").SelectOptionAsync("dmy");
        await visit.FillAsync("System the file comes from", "synthea");
        await visit.ExamineAsync("history-columns");
        await visit.Button("Preview").ClickAsync();
        await visit.AtAsync("Preview");
        await visit.SeesAsync("1 appointment would be put into the schedule.");
        await visit.Button("Start the import").ClickAsync();
        await OwnerStoryTests.EndOfImportAsync(visit);
        await visit.SeesAsync("1 imported.");
        await visit.Link("Import").First.ClickAsync();
        await visit.AtAsync("Import");
        await visit.SeesAsync("an appointment needs both to be here");
        await visit.ExamineAsync("history-import");
    }

    /// <summary>The past days have them, with those who saw them then, overlapping and as long as they were.</summary>
    private static async Task ScheduleAsync(Visit visit)
    {
        await visit.Page.GotoAsync(visit.Url("/schedule?day=2023-01-27"));
        var doctor = visit.Page.Locator(".diary-column").Filter(new() { Has = visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Rosalind Fenwick" }) });
        await Assertions.Expect(doctor.Locator(".appt")).ToHaveCountAsync(2);
        await Assertions.Expect(doctor.GetByText("ASHWORTH, Edith")).ToBeVisibleAsync();
        await Assertions.Expect(doctor.GetByRole(AriaRole.Link, new() { Name = "Book with" })).ToHaveCountAsync(0);
        await visit.ExamineAsync("history-day");
        // A stay of three days is on the day in its middle too.
        await visit.Page.GotoAsync(visit.Url("/schedule?day=2023-02-05"));
        await Assertions.Expect(visit.Page.Locator(".diary-column .appt")).ToHaveCountAsync(1);
        await Assertions.Expect(visit.Page.Locator(".diary-column .appt")).ToContainTextAsync("BARLOW");
        await Assertions.Expect(visit.Page.Locator(".appt-time")).ToHaveTextAsync("3 Feb 09:00–6 Feb 09:00");
        await visit.ExamineAsync("history-stay");
        var nurse = await visit.Page.Locator(".diary-column").Filter(new() { HasText = "BARLOW" }).GetAttributeAsync("data-practitioner");
        await visit.Page.GotoAsync(visit.Url($"/schedule/week?day=2023-02-08&practitioner={nurse}"));
        await Assertions.Expect(visit.Page.Locator(".diary-column").First.Locator(".appt")).ToContainTextAsync("BARLOW");
        visit.AssertNothingWrong();
    }

    private static async Task TeamAsync(Visit visit)
    {
        await visit.GoAsync("/settings/team", "Team");
        await Assertions.Expect(visit.Page.GetByText("Rosalind Fenwick")).ToHaveCountAsync(0);
        await visit.GoAsync("/settings/team?state=past", "Team");
        await visit.SeesAsync("Owen <i>493</i> Marsh");
        await visit.ExamineAsync("history-team");
        await visit.Link("Rosalind Fenwick").ClickAsync();
        await visit.AtAsync("Rosalind Fenwick");
        await visit.SeesAsync("Nobody can: the record came out of a file");
        await Assertions.Expect(visit.Page.GetByText("Reactivate")).ToHaveCountAsync(0);
        await Assertions.Expect(visit.Button("Invite again")).ToHaveCountAsync(0);
        await visit.ExamineAsync("history-member");
    }
}
