using Chaperone.Clinic.Imports;
using Chaperone.Clinic.Team;

namespace Chaperone.Clinic.Tests.Import;

/// <summary>What a file is taken for, and practitioners from files of one's own.</summary>
public sealed class ImportKindTests
{
    [Fact]
    public async Task A_file_is_taken_for_what_its_columns_say()
    {
        (string Header, string Kind, bool Known)[] files =
        [
            ("Nachname,Vorname,Geburtsdatum", "patients", false),
            ("Surname,Title,Specialty", "practitioners", false),
            ("Patient ID,Date,Time,Doctor,Outcome", "appointments", false),
            ("NHS number,Start,Clinician", "appointments", false),
            ("Something,Else", "patients", false),
            ("Id,ORGANIZATION,NAME,GENDER,SPECIALITY,ADDRESS,CITY,STATE,ZIP,LAT,LON,ENCOUNTERS,PROCEDURES", "practitioners", true),   // as a later Synthea writes it
            ("Id,START,STOP,PATIENT,ORGANIZATION,PROVIDER,PAYER,ENCOUNTERCLASS,CODE,DESCRIPTION", "appointments", true),
            (ImportClinic.SyntheaHeader, "patients", true),
        ];
        await using var clinic = await HistoryClinic.OpenAsync();
        foreach (var (header, kind, known) in files)
        {
            var file = header + "\n" + new string(',', header.Count(c => c == ',')) + "x\n";
            var state = await clinic.Upload(file);
            Assert.Equal((header, kind, known), (header, state.Kind, state.IsMapped));
            Assert.Equal("practitioners", (await clinic.Upload(file, "practitioners")).Kind);
        }
    }

    [Fact]
    public async Task A_file_taken_for_the_wrong_thing_can_be_said_to_be_another_and_that_is_remembered()
    {
        await using var clinic = await HistoryClinic.OpenAsync();
        const string File = "Wer,Was\nIda Klug,Chirurgie surgeon\n";
        var uploaded = await clinic.Upload(File);
        Assert.Equal("patients", uploaded.Kind);
        Assert.Equal("practitioners", (await clinic.Run(new ViewImportColumns(uploaded.Id, "practitioners"))).Proposal.Kind);
        Assert.Equal("CHP-IMPORT-0015", (await clinic.Try(new ViewImportColumns(uploaded.Id, "nonsense"))).Error?.Code);
        Assert.Equal("CHP-IMPORT-0011", (await clinic.Try(new MapImport(uploaded.Id, new() { Kind = "nonsense" }))).Error?.Code);
        Assert.Equal("CHP-IMPORT-0011", (await clinic.Try(new MapImport(uploaded.Id, Of(("Was", "speciality"))))).Error?.Code);
        Assert.Equal("CHP-IMPORT-0011", (await clinic.Try(new MapImport(uploaded.Id, Of(("Wer", "family_name"), ("Was", "date_of_birth"))))).Error?.Code);   // a field of patients
        Assert.Equal("practitioners", (await clinic.Run(new MapImport(uploaded.Id, Of(("Wer", "name"), ("Was", "speciality"))))).Kind);
        Assert.Equal(("practitioners", true), await clinic.Upload(File) is var again ? (again.Kind, again.IsMapped) : default);
        Assert.Equal(("patients", false), await clinic.Upload(File, "patients") is var asked ? (asked.Kind, asked.IsMapped) : default);   // what was remembered is of another kind
    }

    [Theory]
    [InlineData(null, "clinical")]
    [InlineData("GENERAL PRACTICE", "doctor")]
    [InlineData("Internal Medicine", "doctor")]
    [InlineData("GP", "doctor")]
    [InlineData("Consultant orthopaedic surgeon", "doctor")]
    [InlineData("Physician Assistant", "clinical")]
    [InlineData("Midwife", "nurse")]
    [InlineData("Nurse Practitioner", "nurse")]
    [InlineData("Chiropractic", "clinical")]
    [InlineData("Clinical psychologist", "clinical")]
    [InlineData("Fire-eater", "clinical")]
    public void A_speciality_has_a_role_and_what_nobody_knows_the_least(string? speciality, string role) => Assert.Equal(role, PractitionerReader.RoleBy(speciality));

    [Fact]
    public async Task Somebody_of_the_same_name_is_the_same_person_unless_one_says_otherwise()
    {
        await using var clinic = await HistoryClinic.OpenAsync();
        await clinic.WithPatientsAsync();
        const string File = "Code,Person,Work,Part\nd-1,Wilma QUIST,Surgeon,\nd-2,Nora New,Nurse,\n,Nora New,,\nd-3,Otto,,captain\nd-2,Paul,,\nd-4,,x,\n";
        var mapping = Of(("Code", "external_id"), ("Person", "name"), ("Work", "speciality"), ("Part", "role")) with { Source = "old" };
        var report = await clinic.Import(File, mapping);
        Assert.Equal((1, 5, 2), (report.State.Created, report.State.Skipped, report.State.LikelyDuplicates));
        Assert.Equal(
            [(2, FindingCodes.NamesakeLinked, null), (4, FindingCodes.Namesake, null), (5, FindingCodes.UnknownWord, "Part"), (6, FindingCodes.Repeated, "Code"), (7, FindingCodes.Missing, "Person")],
            report.Lines.Select(line => (line.Row, line.Code, line.Column)));
        Assert.Equal(["Nora New"], (await clinic.PastAsync()).Select(member => member.Name));
        // What d-1 did there is now what Wilma did.
        var appointments = new ColumnMapping { Kind = "appointments", Source = "old", Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["P"] = "patient_external_id", ["D"] = "practitioner_external_id", ["At"] = "starts_at" } };
        Assert.Equal(1, (await clinic.Import("P,D,At\np-1,d-1,2015-01-05 09:00\n", appointments)).State.Created);
        Assert.Equal(clinic.Wilma, Assert.Single(await clinic.DayAsync("2015-01-05")).PractitionerId);

        var other = await clinic.NextDoorAsync("apart.localhost");
        Assert.Equal((1, 1), (await other.Import("Code,Person,Work,Part\nd-1,Wilma Quist,Surgeon,\n", mapping with { Duplicates = "import" })).State is var state ? (state.Created, state.LikelyDuplicates) : default);
        await other.WithPatientsAsync();
        var byName = appointments with { Columns = new Dictionary<string, string>(appointments.Columns) { ["D"] = "practitioner_name" } };
        Assert.Equal(FindingCodes.PractitionerUnclear, Assert.Single((await other.Import("P,D,At\np-1,Wilma Quist,2015-01-05 09:00\n", byName)).Lines).Code);
    }

    private static ColumnMapping Of(params (string Column, string Field)[] columns) =>
        new() { Kind = "practitioners", Columns = columns.ToDictionary(column => column.Column, column => column.Field, StringComparer.Ordinal) };
}
