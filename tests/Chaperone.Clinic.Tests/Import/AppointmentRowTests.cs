using System.Globalization;
using Chaperone.Clinic.Imports;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.Import;

/// <summary>A file of appointments of the clinic's own: times, words, whom a row names, and what is still to come.</summary>
public sealed class AppointmentRowTests
{
    [Fact]
    public async Task A_row_becomes_the_appointment_it_says()
    {
        // Patient,NHS,With,Mail,Date,Time,Until,Mins,Kind,State,Why,Remark
        (string Row, string At, int Minutes, string Type, string Status)[] rows =
        [
            ("p-1,,Wilma Quist,,05/01/2015,09:00,09:20,,follow-up,attended,Coughing,Late", "09:00+00:00", 20, "follow_up", "completed"),
            ("p-2,,Wilma Quist,,28/03/2015,23:30,,120,nurse,in progress,,", "23:30+00:00", 120, "nurse", "completed"),   // over the hour that the clocks skip
            ("p-1,,DR WILMA QUIST,,5/7/2015,9:00,,25,Home visit,DNA,,", "09:00+01:00", 25, "home_visit", "no_show"),
            ("p-1,9434765919,Dr Wilma Quist,wilma@history.localhost,05/07/2015,0905,,,Telephone,Cancelled,,", "09:05+01:00", 10, "telephone", "cancelled"),
            (",943 476 5919,,wilma@HISTORY.localhost,05/07/2015,9:00 PM,,,,,,", "21:00+01:00", 15, "consultation", "completed"),
        ];
        await using var clinic = await HistoryClinic.OpenAsync();
        await clinic.WithPatientsAsync();
        var file = string.Join('\n', rows.Select((one, i) => $"{i},{one.Row}"));
        Assert.Equal("5 imported.", (await clinic.ImportRow(file)).State.Summary);
        var found = (await clinic.DayAsync("2015-01-05")).Concat(await clinic.DayAsync("2015-03-28")).Concat(await clinic.DayAsync("2015-07-05")).ToList();
        Assert.Equal(rows.Select(one => (one.At, one.Minutes, one.Type, one.Status, clinic.Wilma)), found.Select(one => (one.StartsAt.ToString("HH:mmzzz", CultureInfo.InvariantCulture), (int)(one.EndsAt - one.StartsAt).TotalMinutes, one.Type, one.Status, one.PractitionerId)));
        Assert.Equal(rows.Select(one => one.Status == "cancelled"), found.Select(one => one.Details.Cancellation is not null));
        Assert.Equal(("Coughing", "Late"), (found[0].Details.Reason, found[0].Details.Note));
        Assert.Equal("5 already there, unchanged. Nothing was imported.", (await clinic.ImportRow(file)).State.Summary);
        // Without an id they are known by who and when.
        Assert.Equal("5 already there, unchanged. Nothing was imported.", (await clinic.ImportRow(string.Join('\n', rows.Select(one => $",{one.Row}")))).State.Summary);
    }

    [Fact]
    public async Task A_row_at_fault_is_skipped_with_row_column_and_code()
    {
        (string Row, string Code, string? Column)[] faulty =
        [
            ("p-9,,Wilma Quist,,05/01/2015,09:00,,,,,,", "patient-unknown", "Patient"),
            (",,Wilma Quist,,05/01/2015,09:00,,,,,,", "patient-unknown", "Patient"),
            ("p-2,9434765919,Wilma Quist,,05/01/2015,09:00,,,,,,", "patient-unclear", "Patient"),
            ("p-1,9434765918,Wilma Quist,,05/01/2015,09:00,,,,,,", "nhs-number-invalid", "NHS"),
            ("p-1,,Wilma Quest,,05/01/2015,09:00,,,,,,", "practitioner-unknown", "With"),
            ("p-1,,,rita@history.localhost,05/01/2015,09:00,,,,,,", "practitioner-unknown", "With"),   // on the team, but sees nobody
            ("p-1,,Same Name,,05/01/2015,09:00,,,,,,", "practitioner-unclear", "With"),
            ("p-1,,Same Name,wilma@history.localhost,05/01/2015,09:00,,,,,,", "practitioner-unclear", "With"),
            ("p-1,,Wilma Quist,,29/03/2015,01:30,,,,,,", "time-skipped", "Time"),
            ("p-1,,Wilma Quist,,25/10/2015,01:30,,,,,,", "time-twice", "Time"),
            ("p-1,,Wilma Quist,,25/10/2015,00:30,01:30,,,,,", "time-twice", "Until"),
            ("p-1,,Wilma Quist,,31/02/2015,09:00,,,,,,", "date-invalid", "Date"),
            ("p-1,,Wilma Quist,,05/01/1815,09:00,,,,,,", "time-impossible", "Time"),
            ("p-1,,Wilma Quist,,05/01/2015,25:00,,,,,,", "time-invalid", "Time"),
            ("p-1,,Wilma Quist,,05/01/2015,,,,,,,", "missing", "Time"),
            ("p-1,,Wilma Quist,,,09:00,,,,,,", "missing", "Date"),
            ("p-1,,Wilma Quist,,05/01/2015,09:00,08:59,,,,,", "time-impossible", "Until"),
            ("p-1,,Wilma Quist,,05/01/2015,09:00,,0,,,,", "time-invalid", "Mins"),
            ("p-1,,Wilma Quist,,05/01/2015,09:00,,527041,,,,", "time-impossible", "Mins"),
            ("p-1,,Wilma Quist,,05/01/2015,09:00,,99999999999,,,,", "time-invalid", "Mins"),
            ("p-1,,Wilma Quist,,05/01/2015,09:00,,,Séance,,,", "word-unknown", "Kind"),
            ("p-1,,Wilma Quist,,05/01/2015,09:00,,,,perhaps,,", "word-unknown", "State"),
            ("p-1,,Wilma Quist,,05/01/2015,09:00,,,,booked,,", "status-and-time-disagree", "State"),
            ("p-1,,Wilma Quist,,05/01/2035,09:00,,,,booked,,", "time-impossible", "Date"),
            ("p-1,,Wilma Quist,,05/01/2015,09:00,,,,,A\u0007B,", "characters-invalid", "Why"),
            ("p-1,,Wilma Quist,,05/01/2015,09:00,,,,,", "too-few-cells", null),
        ];
        await using var clinic = await HistoryClinic.OpenAsync();
        await clinic.WithPatientsAsync();
        foreach (var (name, role) in ((string, Role)[])[("Rita Desk", BuiltInRole.Reception), ("Same Name", BuiltInRole.Nurse), ("Same Name", BuiltInRole.Doctor)])
            await clinic.Run(new CreateMember(name, name == "Rita Desk" ? "rita@history.localhost" : $"{Guid.NewGuid():N}@history.localhost", [role]), new(clinic.Clinic, Actor.Operator, new("cli", "test")));
        var good = Enumerable.Range(0, 2).Select(i => $"good-{i},p-1,,Wilma Quist,,05/01/2015,08:0{i},,,,,,\n").ToArray();
        var report = await clinic.Import(HistoryClinic.Header + good[0] + string.Concat(faulty.Select((one, i) => $"{i},{one.Row}\n")) + good[1], HistoryClinic.Mapping);
        Assert.Equal((2, faulty.Length), (report.State.Created, report.State.Skipped));
        Assert.Equal(faulty.Select((one, i) => (i + 3, one.Code, one.Column)), report.Lines.Select(line => (line.Row, line.Code, line.Column)));
    }

    [Fact]
    public async Task What_is_still_to_come_is_booked_where_nothing_stands_in_the_way()
    {
        await using var clinic = await HistoryClinic.OpenAsync();
        await clinic.WithPatientsAsync();
        await clinic.Import(HistoryClinic.Providers);
        var (ada, bert) = (await PatientAsync(clinic, "p-1"), await PatientAsync(clinic, "p-2"));
        var day = DateOnly.FromDateTime(clinic.Platform.Clock.GetUtcNow().UtcDateTime).AddDays(20);
        while (day.Month is 3 or 10) day = day.AddDays(31);   // when the clocks change
        string iso = day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), file = day.ToString("dd/MM/yyyy", CultureInfo.InvariantCulture);
        await clinic.Run(new BookAppointment(ada, new(clinic.Wilma, "consultation", iso + "T09:00", ConfirmOutsideHours: true)));
        await clinic.Run(new EnterLeave(clinic.Wilma, new(iso + "T15:00", iso + "T16:00", "annual")));
        await clinic.Run(new ArchivePatient(bert, "moved_away", null, 1));
        var report = await clinic.Import(
            HistoryClinic.Header + $"""
            1,p-1,,Wilma Quist,,{file},09:10,,10,,,,
            2,p-1,,Wilma Quist,,{file},09:15,,30,,confirmed,Next,
            3,p-1,,Wilma Quist,,{file},09:40,,10,,,,
            4,p-2,,Wilma Quist,,{file},11:00,,10,,,,
            5,p-1,,Avelina O'Testson,,{file},11:00,,10,,,,
            6,p-1,,Wilma Quist,,{file},11:00,,10,,completed,,
            7,p-1,,Wilma Quist,,{file},09:10,,10,,cancelled,,
            8,p-1,,Wilma Quist,,{file},12:00,,721,,,,
            9,p-2,,Wilma Quist,,05/01/2015,09:00,,,,,,
            10,p-3,,Wilma Quist,,{file},11:00,,10,,,,
            11,p-1,,Wilma Quist,,{file},15:50,,20,,,,
            12,p-1,,Wilma Quist,,{file},19:30,,20,,,,
            13,p-3,,Wilma Quist,,05/01/2015,09:30,,,,,,

            """,
            HistoryClinic.Mapping);
        Assert.Equal(
            [
                (2, FindingCodes.TimeTaken), (4, FindingCodes.TimeTaken), (5, FindingCodes.PatientGone), (6, FindingCodes.PractitionerGone), (7, FindingCodes.StatusAndTime), (9, FindingCodes.TimeRange),
                (11, FindingCodes.PatientGone), (12, FindingCodes.PractitionerAway),
            ],
            report.Lines.Select(line => (line.Row, line.Code)));
        Assert.Equal(5, report.State.Created);   // two free times, one of them in the evening; the cancelled one beside them; and the history of somebody archived and of somebody dead
        var booked = Assert.Single(await clinic.DayAsync(iso), one => one is { Status: "booked", Details.Reason: "Next" });
        // It takes its time like any other, and lives on like any other.
        Assert.Equal("CHP-SCHEDULE-0002", (await clinic.Try(new BookAppointment(ada, new(clinic.Wilma, "consultation", iso + "T09:30", ConfirmOutsideHours: true)))).Error?.Code);
        await clinic.Run(new CancelAppointment(booked.Id, "patient", null, booked.Version));
        Assert.Equal((0, 3, 0), (await clinic.ImportRow($"2,p-1,,Wilma Quist,,{file},09:15,,30,,,Next,\n9,p-2,,Wilma Quist,,05/01/2015,09:00,,,,,,\n7,p-1,,Wilma Quist,,{file},09:10,,10,,cancelled,,")).State is var state ? (state.Created, state.Unchanged, state.Differing) : default);
    }

    [Fact]
    public async Task Another_clinics_patients_and_practitioners_are_unknown_here()
    {
        await using var clinic = await HistoryClinic.OpenAsync();
        await clinic.WithPatientsAsync();
        var other = await clinic.NextDoorAsync("other.localhost");
        var theirs = await PatientAsync(clinic, "p-1");
        var mapping = HistoryClinic.Mapping with { Columns = new Dictionary<string, string>(HistoryClinic.Mapping.Columns) { ["Patient"] = "patient_id" } };
        foreach (var (row, map, code) in ((string, ColumnMapping, string)[])
        [
            ("1,p-1,,Wilma Quist,,05/01/2015,09:00,,,,,,", HistoryClinic.Mapping, FindingCodes.PatientUnknown),
            ("1,,9434765919,Wilma Quist,,05/01/2015,09:00,,,,,,", HistoryClinic.Mapping, FindingCodes.PatientUnknown),
            ($"1,{theirs},,Wilma Quist,,05/01/2015,09:00,,,,,,", mapping, FindingCodes.PatientUnknown),
            ("1,x; DROP TABLE,,Wilma Quist,,05/01/2015,09:00,,,,,,", mapping, FindingCodes.PatientUnknown),
        ])
            Assert.Equal(code, Assert.Single((await other.Import(HistoryClinic.Header + row + "\n", map)).Lines).Code);
        await other.WithPatientsAsync();
        Assert.Equal(FindingCodes.PractitionerUnknown, Assert.Single((await other.ImportRow("1,p-1,,,wilma@history.localhost,05/01/2015,09:00,,,,,,")).Lines).Code);
        Assert.Equal(1, (await clinic.Import(HistoryClinic.Header + $"1,{theirs},,Wilma Quist,,05/01/2015,09:00,,,,,,\n", mapping)).State.Created);
        Assert.Equal(0, await other.CountAsync("appointment"));
    }

    [Fact]
    public async Task Names_and_reasons_of_every_sort_come_through_and_the_report_quotes_none()
    {
        await using var clinic = await HistoryClinic.OpenAsync();
        await clinic.WithPatientsAsync();
        string[] texts = ["<script>alert(1)</script>", "=1+1", "'=already", "مريم", "@SUM(A1)", "'; DROP TABLE clinic.appointment; --"];
        var report = await clinic.Import(HistoryClinic.Header + string.Concat(texts.Select((text, i) => $"{i},p-1,,Wilma Quist,,05/01/2015,1{i}:00,,,,,{text},\n")) + "x,<b>p-9</b>,,Wilma Quist,,05/01/2015,09:00,,,,,,\n", HistoryClinic.Mapping);
        Assert.Equal((texts.Length, 1), (report.State.Created, report.State.Skipped));
        Assert.Equal(texts.Select(text => text == "'=already" ? "=already" : text), (await clinic.DayAsync("2015-01-05")).Select(one => one.Details.Reason));
        Assert.DoesNotContain("p-9", string.Concat(report.Lines.Select(line => line.ToString())), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_that_say_the_same_are_one_appointment()
    {
        await using var clinic = await HistoryClinic.OpenAsync();
        await clinic.WithPatientsAsync();
        const string Row = "p-1,,Wilma Quist,,05/01/2015,09:00,,,,,,\n";
        var report = await clinic.Import($"{HistoryClinic.Header},{Row},{Row}7,{Row}7,{Row}", HistoryClinic.Mapping);
        Assert.Equal((2, 2), (report.State.Created, report.State.Skipped));   // with and without an id of its own
        Assert.Equal([(3, FindingCodes.Repeated), (5, FindingCodes.Repeated)], report.Lines.Select(line => (line.Row, line.Code)));
    }

    [Fact]
    public async Task A_batch_from_a_dead_process_or_the_wrong_place_imports_nothing_twice()
    {
        await using var clinic = await HistoryClinic.OpenAsync();
        await clinic.WithPatientsAsync();
        var rows = string.Concat(Enumerable.Range(0, 1200).Select(i => $"{i},p-1,,Wilma Quist,,{1 + (i % 28):00}/01/{1950 + (i / 28)},09:00,,,,,,\n"));
        var id = (await clinic.Upload(HistoryClinic.Header + rows)).Id;
        await clinic.Run(new MapImport(id, HistoryClinic.Mapping));
        await clinic.Run(new StartImport(id));
        var (dead, system) = (Guid.CreateVersion7(), new Caller(clinic.Clinic, Actor.System, new("job", "import")));
        var work = (await clinic.Run(new ClaimImport(dead), system)).Work!;
        var reader = (AppointmentReader)work.Kind.Reader(work.Shape, work.Mapping, clinic.Clinic, clinic.Platform.Clock.GetUtcNow());
        var batch = rows.Split('\n').Take(500).Select((row, i) => reader.Read(i + 2, row.Split(','))).ToArray();
        await clinic.Run(new ImportAppointmentsBatch(id, dead, 0, batch), system);
        Assert.Equal("CHP-IMPORT-0013", (await clinic.Try(new ImportAppointmentsBatch(id, dead, 0, batch), system)).Error?.Code);
        Assert.Equal("CHP-IMPORT-0012", (await clinic.Try(new ImportPatientsBatch(id, dead, 500, []), system)).Error?.Code);   // a batch of another kind
        Assert.Equal(403, (await clinic.Try(new ImportAppointmentsBatch(id, dead, 500, batch))).Error?.Status);                // nobody but the job

        clinic.Platform.Clock.Advance(ImportLimits.Lease + TimeSpan.FromSeconds(1));
        Assert.False(await clinic.NewRunner().RunClinicAsync(clinic.Clinic, CancellationToken.None));
        Assert.Equal(("finished", 1200), (await clinic.Run(new WatchImport(id))) is var state ? (state.State, state.Created) : default);
        Assert.Equal(1200, await clinic.CountAsync("appointment"));
        Assert.Equal(1200, (await clinic.Events()).Where(one => one is { Action: "appointment.imported", Outcome: EventOutcome.Success }).Sum(one => one.Records.Count));
    }

    private static async Task<Guid> PatientAsync(HistoryClinic clinic, string external) =>
        (Guid)(await clinic.Platform.Database.ExecuteAsync($"SELECT id FROM clinic.patient WHERE tenant_id = '{clinic.Clinic.Id}' ORDER BY id OFFSET {(external == "p-1" ? 0 : 1)} LIMIT 1"))!;
}
