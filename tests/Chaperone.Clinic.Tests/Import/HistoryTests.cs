using System.Globalization;
using System.Text.RegularExpressions;
using Chaperone.Clinic.Imports;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Team;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.Import;

/// <summary>Another system's practitioners and encounters on the past days of the schedule.</summary>
public sealed partial class HistoryTests
{
    private const string Patients = ImportClinic.SyntheaHeader + """

        0b2f8a2e-0000-4000-8000-000000000001,1961-03-04,,999-11-2222,S90000001,X90000001X,Mrs.,Avelina,Testperson,,Vormals,M,white,nonhispanic,F,Springfield  Nowhere  US,1 Invented Way,Springfield,Nowhere,Plain County,01001,42.1,-71.1,1.5,2.5
        0b2f8a2e-0000-4000-8000-000000000002,1999-12-31,2020-02-29,999-33-4444,,,,Bo,Gone,,,,asian,hispanic,M,Springfield  Nowhere  US,2 Long Lane,Springfield,Nowhere,,,42.1,-71.1,1.5,2.5

        """;

    [Fact]
    public async Task Encounters_come_onto_the_past_days_of_their_providers_in_the_clinics_time()
    {
        await using var clinic = await HistoryClinic.OpenAsync();
        await clinic.Import(Patients);
        Assert.Equal("3 imported.", (await clinic.Import(HistoryClinic.Providers)).State.Summary);
        var report = await clinic.Import(HistoryClinic.Encounters);
        Assert.Equal("4 imported, 2 skipped.", report.State.Summary);
        Assert.Equal([(6, "PATIENT", FindingCodes.PatientUnknown), (7, "PROVIDER", FindingCodes.PractitionerUnknown)], report.Lines.Select(line => (line.Row, line.Column, line.Code)));

        var past = await clinic.PastAsync();
        var winter = await clinic.DayAsync("2023-01-27");
        Assert.Equal(["16:17:47", "16:20:00"], winter.Select(one => HistoryClinic.Clock(one.StartsAt)));   // they overlap, and take nobody's time
        Assert.All(winter, one => Assert.Equal((past[0].Id, "completed"), (one.PractitionerId, one.Status)));
        Assert.Equal(["Ambulatory visit", "Emergency"], winter.Select(one => one.Details.Reason));
        // 23:30 UTC is half past midnight of the next day in a British summer.
        Assert.Empty(await clinic.DayAsync("2023-06-30"));
        Assert.Equal("00:30:00", HistoryClinic.Clock(Assert.Single(await clinic.DayAsync("2023-07-01")).StartsAt));
        // A stay of four days is on each of its days, with its true end.
        foreach (var day in (string[])["2014-09-08", "2014-09-09", "2014-09-10", "2014-09-11", "2014-09-12"])
            Assert.Equal("2014-09-12T10:51:25+01:00", AppointmentBody.Iso(Assert.Single(await clinic.DayAsync(day)).EndsAt));
        Assert.Empty(await clinic.DayAsync("2014-09-07"));
        Assert.Empty(await clinic.DayAsync("2014-09-13"));
        Assert.Equal(0L, await clinic.Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.appointment t WHERE encode(sealed, 'escape') ILIKE '%word%' OR t::text ILIKE '%rehab%'"));
        Assert.DoesNotContain("word", string.Concat(winter.Select(one => one.Details.ToString())), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_files_again_change_nothing_and_say_so()
    {
        await using var clinic = await HistoryClinic.OpenAsync();
        foreach (var file in (string[])[Patients, HistoryClinic.Providers, HistoryClinic.Encounters]) await clinic.Import(file);
        var before = (await clinic.CountAsync("member"), await clinic.CountAsync("appointment"), await clinic.CountAsync("external_id"));
        Assert.Equal("3 already there, unchanged. Nothing was imported.", (await clinic.Import(HistoryClinic.Providers)).State.Summary);
        Assert.Equal((0, 4, 2), await Counts(HistoryClinic.Encounters));
        Assert.Equal(before, (await clinic.CountAsync("member"), await clinic.CountAsync("appointment"), await clinic.CountAsync("external_id")));
        // What says something else is listed, and stays as it is.
        var changed = (await clinic.Import(HistoryClinic.Encounters.Replace("16:32:47Z,0b2f", "16:42:47Z,0b2f", StringComparison.Ordinal))).State;
        Assert.Equal((0, 3, 1), (changed.Created, changed.Unchanged, changed.Differing));

        async Task<(int, int, int)> Counts(string file) => (await clinic.Import(file)).State is var state ? (state.Created, state.Unchanged, state.Skipped) : default;
    }

    [Fact]
    public async Task Every_encounter_of_synthea_is_on_the_day_and_with_the_provider_that_the_file_says()
    {
        // Where the reference does not lie beside the repository, the invented files above stand for it.
        var isReference = HistoryClinic.Reference("encounters.csv") is not null;
        var (patientFile, providerFile) = (HistoryClinic.Reference("patients.csv") ?? Patients, HistoryClinic.Reference("providers.csv") ?? HistoryClinic.Providers);
        var encounters = HistoryClinic.Reference("encounters.csv") ?? HistoryClinic.Encounters;
        await using var clinic = await HistoryClinic.OpenAsync();
        var (people, providers) = (Rows(patientFile), Rows(providerFile));
        Assert.Equal(people.Count, (await clinic.Import(patientFile)).State.Created);
        Assert.Equal(providers.Count, (await clinic.Import(providerFile)).State.Created);
        var names = providers.ToDictionary(row => row["Id"], row => Digits().Replace(row["NAME"], ""), StringComparer.Ordinal);
        Assert.Equal(names.Values.Order(StringComparer.Ordinal), (await clinic.PastAsync()).Select(member => member.Name).Order(StringComparer.Ordinal));

        var known = people.Select(row => row["Id"]).ToHashSet(StringComparer.Ordinal);
        var rows = Rows(encounters);
        var expected = rows.Where(row => known.Contains(row["PATIENT"]) && names.ContainsKey(row["PROVIDER"])).ToList();
        if (isReference) Assert.Equal((27, 166, 604, 604), (people.Count, providers.Count, rows.Count, expected.Count));
        var report = (await clinic.Import(encounters)).State;
        Assert.Equal((expected.Count, rows.Count - expected.Count), (report.Created, report.Skipped));
        var again = (await clinic.Import(encounters)).State;
        Assert.Equal((0, expected.Count, 0), (again.Created, again.Unchanged, again.Differing));

        var zone = TimeZoneInfo.FindSystemTimeZoneById(clinic.Clinic.Zone);
        var wanted = expected.CountBy(row => (names[row["PROVIDER"]], ClinicTime.DayOf(DateTimeOffset.Parse(row["START"], CultureInfo.InvariantCulture), zone))).ToDictionary();
        var byId = (await clinic.PastAsync()).ToDictionary(member => member.Id, member => member.Name);
        var found = new Dictionary<(string, DateOnly), int>();
        foreach (var day in wanted.Keys.Select(key => key.Item2).Distinct())
            foreach (var one in (await clinic.DayAsync(day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))).Where(one => ClinicTime.DayOf(one.StartsAt, zone) == day))
                found[(byId[one.PractitionerId], day)] = found.GetValueOrDefault((byId[one.PractitionerId], day)) + 1;
        Assert.Equal(wanted.OrderBy(pair => pair.Key.Item2).ThenBy(pair => pair.Key.Item1, StringComparer.Ordinal), found.OrderBy(pair => pair.Key.Item2).ThenBy(pair => pair.Key.Item1, StringComparer.Ordinal));
        Assert.Equal(isReference ? 11 : 1, await clinic.CountAsync("appointment", "long_until IS NOT NULL"));
    }

    [Fact]
    public async Task The_log_says_what_was_imported_and_never_that_it_was_booked()
    {
        await using var clinic = await HistoryClinic.OpenAsync();
        foreach (var file in (string[])[Patients, HistoryClinic.Providers, HistoryClinic.Encounters]) await clinic.Import(file);
        var events = await clinic.Events();
        Assert.DoesNotContain(events, one => one.Action == "appointment.booked");
        var imported = Assert.Single(events, one => one.Action == "appointment.imported");
        Assert.Equal((EventCategory.DataChange, 4, 2, "import"), (imported.Category, imported.Records.Count, imported.Subjects.Count, imported.Reason));
        var staff = Assert.Single(events, one => one.Action == "staff.created" && one.Reason == "import");
        Assert.Equal(3, staff.Records.Count);
        Assert.All((LedgerEvent[])[imported, staff], one => Assert.Equal(clinic.Owner.Actor.Id!.Value.ToString("D"), one.Details["initiator"].Code));
        Assert.Equal(3, await clinic.CountAsync("notice", $"subject_id = '{clinic.Owner.Actor.Id}'"));   // whoever started it is told that it has ended
        Assert.All(events, one => Assert.DoesNotContain("Testson", one.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_past_practitioner_has_a_name_and_a_role_and_no_way_in()
    {
        await using var clinic = await HistoryClinic.OpenAsync();
        await clinic.Import(Patients);
        await clinic.Import(HistoryClinic.Providers);
        var past = await clinic.Run(new ListMembers(State: MemberStates.Past));
        Assert.Equal(
            [("Avelina O'Testson", "General practice", "doctor"), ("Bó Noriegaword", "Nurse practitioner", "nurse"), ("Cleo <b>308</b> Bold", "Physician assistant", "clinical")],
            past.Select(member => (member.Name, member.Title!, Assert.Single(member.Roles))));
        Assert.All(past, member => Assert.Equal(("", false), (member.Email, member.HasPassword)));
        Assert.Equal(0, await clinic.CountAsync("credential", "id <> '" + clinic.Wilma + "'"));
        Assert.Equal(["Dr Wilma Quist"], (await clinic.Run(new ListMembers())).Select(member => member.Name));   // the everyday list is of accounts
        Assert.Equal(["Dr Wilma Quist"], (await clinic.Run(new ListPractitioners())).Select(one => one.Name));

        var id = past[0].Id;
        Assert.Equal("CHP-TEAM-0005", (await clinic.Try(new ReactivateMember(id))).Error?.Code);
        Assert.Equal("CHP-TEAM-0005", (await clinic.Try(new InviteAgain(id))).Error?.Code);
        Assert.Equal("CHP-TEAM-0005", (await clinic.Try(new WithdrawInvitation(id))).Error?.Code);
        Assert.Equal("CHP-TEAM-0005", (await clinic.Try(new IssueResetLink(id))).Error?.Code);
        Assert.Equal(MemberStates.Past, (await clinic.Run(new ViewMember(id))).Member.State);
        Assert.Equal(0, await clinic.CountAsync("one_time_link"));
        var patient = (Guid)(await clinic.Platform.Database.ExecuteAsync("SELECT id FROM clinic.patient LIMIT 1"))!;
        var soon = clinic.Platform.Clock.GetUtcNow().AddDays(2).ToString("yyyy-MM-dd'T'10:00", CultureInfo.InvariantCulture);
        Assert.Equal("CHP-SCHEDULE-0003", (await clinic.Try(new BookAppointment(patient, new(id, "consultation", soon)))).Error?.Code);
    }

    [Fact]
    public async Task Only_who_may_give_the_roles_imports_practitioners_and_only_who_edits_the_schedule_appointments()
    {
        await using var clinic = await HistoryClinic.OpenAsync();
        var reception = clinic.Platform.As(clinic.Clinic, BuiltInRole.Reception);
        var admin = clinic.Platform.As(clinic.Clinic, BuiltInRole.Admin);
        var manager = clinic.Platform.As(clinic.Clinic, BuiltInRole.Manager);
        Assert.Equal(403, (await Refused(HistoryClinic.Providers, null, reception)).Status);
        Assert.Equal(403, (await Refused(HistoryClinic.Providers, "practitioners", reception)).Status);
        Assert.Equal(403, (await Refused(HistoryClinic.Encounters, null, admin)).Status);
        Assert.Equal(403, (await Refused(HistoryClinic.Providers, null, manager)).Status);
        Assert.Equal("CHP-IMPORT-0015", (await Refused(HistoryClinic.Providers, "invoices", clinic.Owner)).Code);
        Assert.Equal(0, await clinic.CountAsync("upload_chunk"));

        // Somebody else's import of a kind that is not theirs to import: not to be seen, mapped, started or stopped.
        var id = (await clinic.Upload(HistoryClinic.Providers)).Id;
        foreach (var asked in new Task<Error?>[] { Of(new ViewImport(id)), Of(new WatchImport(id)), Of(new PreviewImport(id)), Of(new StartImport(id)), Of(new CancelImport(id)), Of(new ViewImportColumns(id)) })
            Assert.Equal(403, (await asked)?.Status);
        Assert.Empty(await clinic.Run(new ListImports(), reception));
        // And what is theirs cannot be turned into what is not.
        var own = await clinic.Upload("name,title\nAda,Surgeon\n", "patients", reception);
        var mapping = new ColumnMapping { Kind = "practitioners", Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["name"] = "name" } };
        Assert.Equal(403, (await clinic.Try(new MapImport(own.Id, mapping), reception)).Error?.Status);
        Assert.Equal(403, (await clinic.Try(new ViewImportColumns(own.Id, "practitioners"), reception)).Error?.Status);
        Assert.Equal("appointments", (await clinic.Upload(HistoryClinic.Encounters, null, reception)).Kind);
        Assert.Equal("practitioners", (await clinic.Upload(HistoryClinic.Providers, null, admin)).Kind);

        async Task<Error?> Of<T>(IOperation<T> operation) => (await clinic.Try(operation, reception)).Error;
        async Task<Error> Refused(string file, string? kind, Caller caller) => (await clinic.Try(new UploadFile("x.csv", new MemoryStream(System.Text.Encoding.UTF8.GetBytes(file)), kind), caller)).Error!;
    }

    private static List<Dictionary<string, string>> Rows(string csv)
    {
        using var reader = CsvHelper.CsvReader.Create(new StringReader(csv), new() { HasHeader = false, Separator = ',' });
        var (header, rows) = ((string[]?)null, new List<Dictionary<string, string>>());
        while (reader.Read())
        {
            var cells = Enumerable.Range(0, reader.FieldCount).Select(reader.GetString).ToArray();
            if (header is null) header = cells;
            else rows.Add(header.Zip(cells).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal));
        }
        return rows;
    }

    [GeneratedRegex(@"(?<=\p{L})\d+(?= |$)")]
    private static partial Regex Digits();
}
