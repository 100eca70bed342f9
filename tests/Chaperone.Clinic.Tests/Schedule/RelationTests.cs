using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Npgsql;

namespace Chaperone.Clinic.Tests.Schedule;

/// <summary>An appointment opens its patient's record to its practitioner, for a time; attacked with the role that sees nobody else.</summary>
public sealed class RelationTests : ScheduleWorld
{
    private Caller ClioNow => As(BuiltInRole.Clinical, Clio);

    [Fact]
    public async Task Without_an_appointment_a_record_is_not_there_and_the_try_is_logged()
    {
        await Book("10:00");   // somebody else's
        var refused = await Refused(new ViewPatient(Ada), ClioNow);
        Assert.Equal((404, "CHP-ACCESS-0001"), (refused.Status, refused.Code));
        var left = await LastEvent();
        Assert.Equal(("patient.viewed", EventOutcome.Denied, new EventEntity("patient", Ada), "relation:too-far", 0), (left.Action, left.Outcome, left.Entity, left.Decision, left.Subjects.Count));
        Assert.Equal(404, (await Refused(new ChangePatient(Ada, new() { FamilyName = "X" }, 1), ClioNow)).Status);
        Assert.Equal(404, (await Refused(new ArchivePatient(Ada, "deceased", null, 1), ClioNow)).Status);
    }

    [Theory]
    [InlineData(-400, "completed", false)]    // thirteen months ago
    [InlineData(-360, "completed", true)]
    [InlineData(-1, "no_show", true)]
    [InlineData(-1, "cancelled", false)]
    [InlineData(0, "booked", true)]
    [InlineData(1, "cancelled", false)]
    [InlineData(85, "booked", true)]
    [InlineData(95, "booked", false)]         // three months ahead and more
    public async Task An_appointment_in_range_that_was_not_cancelled_opens_the_record_and_no_other(int days, string status, bool opens)
    {
        await Appointment(Clio, Ada, days, status);
        var result = await Try(new ViewPatient(Ada), ClioNow);
        Assert.Equal(opens ? null : 404, result.Error?.Status);
        var left = await LastEvent();
        Assert.Equal(opens ? (EventOutcome.Success, "role:clinical/patient.view") : (EventOutcome.Denied, "relation:too-far"), (left.Outcome, left.Decision));
        Assert.Equal(opens ? [Ada] : [], left.Subjects);
        Assert.Equal(opens ? [Ada] : [], (await Run(new ListPatients("all"), ClioNow)).Items.Select(patient => patient.Id));
        Assert.Equal(opens ? [Ada] : [], (await LastEvent()).Subjects);
        Assert.Equal(opens ? [Ada] : [], (await Run(new FindPatients("zimmerstein"), ClioNow)).Patients.Select(patient => patient.Id));
        Assert.Empty((await Run(new FindPatients("yellowhammer"), ClioNow)).Patients);
        Assert.Equal(404, (await Refused(new ViewPatient(Grace), ClioNow)).Status);
    }

    [Fact]
    public async Task Lists_searches_and_counts_are_cut_before_their_limits()
    {
        await Appointment(Clio, Ada, 1, "booked");
        await Appointment(Clio, Ada, 2, "booked");   // twice with one patient is one patient
        for (var i = 0; i < 3; i++) await Patient("Adelheid", $"Newer{i}");
        var page = await Run(new ListPatients(Limit: 1), ClioNow);
        Assert.Equal([Ada], page.Items.Select(patient => patient.Id));
        Assert.Null(page.Next);
        Assert.Equal([Ada], (await Run(new FindPatients("adel"), ClioNow)).Patients.Select(patient => patient.Id));
        Assert.Equal(1L, (await LastEvent()).Hits);
        Assert.Equal(5, (await Run(new ListPatients())).Items.Count);
        Assert.Equal(5, (await Run(new ListPatients(), As(BuiltInRole.Doctor, Wilma))).Items.Count);   // who sees the clinic's patients goes on to
    }

    [Fact]
    public async Task Another_clinics_appointment_and_another_practitioners_id_open_nothing()
    {
        var theirs = await Member("Other Clinician", BuiltInRole.Clinical, clinic: OtherClinic);
        await Appointment(Clio, Ada, 1, "booked");
        Assert.Equal(404, (await Refused(new ViewPatient(Ada), As(BuiltInRole.Clinical, theirs))).Status);
        var stranger = Platform.As(OtherClinic, BuiltInRole.Clinical);
        Assert.Equal(404, (await Refused(new ViewPatient(Ada), stranger with { Actor = stranger.Actor with { Id = Clio } })).Status);   // a forged id in another clinic's session
        Assert.Empty((await Run(new ListPatients(), stranger with { Actor = stranger.Actor with { Id = Clio } })).Items);
        Assert.Equal(404, (await Refused(new ViewPatient(Grace), As(BuiltInRole.Patient, Clio, Ada))).Status);   // a patient's account is nobody's practitioner
    }

    [Fact]
    public async Task The_relation_ends_with_its_time_and_with_the_cancellation()
    {
        var booked = await Book("10:00", practitioner: Clio);
        await Run(new ViewPatient(Ada), ClioNow);
        await Run(new CancelAppointment(booked.Id, "patient"));
        Assert.Equal(404, (await Refused(new ViewPatient(Ada), ClioNow)).Status);
        var again = await Book("10:00", practitioner: Clio);
        await Run(new ViewPatient(Ada), ClioNow);
        await Run(new ChangeAppointment(again.Id, With(Wilma, "10:00"), 1));
        Assert.Equal(404, (await Refused(new ViewPatient(Ada), ClioNow)).Status);
        await Book("11:00", practitioner: Clio);
        Platform.Clock.Advance(TimeSpan.FromDays(385));
        Assert.Equal(404, (await Refused(new ViewPatient(Ada), ClioNow)).Status);
    }

    [Fact]
    public async Task The_lookup_reads_one_index_entry_however_many_appointments_there_are()
    {
        await Platform.Database.ExecuteAsync($"""
            SET session_replication_role = replica;
            INSERT INTO clinic.appointment (tenant_id, id, subject_id, practitioner_id, starts_at, ends_at, type, status, key_version, version, sealed)
            SELECT '{Clinic.Id}', gen_random_uuid(), CASE WHEN n % 50 = 0 THEN '{Ada}'::uuid ELSE gen_random_uuid() END, CASE WHEN n % 2 = 0 THEN '{Wilma}'::uuid ELSE '{Xavier}'::uuid END,
              now() - n * interval '20 minutes', now() - n * interval '20 minutes' + interval '15 minutes', 'consultation', 'completed', 1, 1, '' FROM generate_series(1, 20000) n;
            ANALYZE clinic.appointment
            """);
        var sql = PatientResource.Patient.RelationSql!.Replace("$1", $"'{Ada}'", StringComparison.Ordinal).Replace("$2", $"'{Clio}'", StringComparison.Ordinal).Replace("$3", "NULL", StringComparison.Ordinal).Replace("$4", "now()", StringComparison.Ordinal);
        await using var connection = new NpgsqlConnection(Platform.Database.App);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var set = new NpgsqlCommand($"SET LOCAL chaperone.tenant_id = '{Clinic.Id}'", connection)) await set.ExecuteNonQueryAsync();
        await using var explain = new NpgsqlCommand("EXPLAIN " + sql, connection);
        await using var reader = await explain.ExecuteReaderAsync();
        var plan = new List<string>();
        while (await reader.ReadAsync()) plan.Add(reader.GetString(0));
        var all = string.Join(Environment.NewLine, plan);
        Assert.Contains("appointment_by_pair", all, StringComparison.Ordinal);
        Assert.DoesNotContain("Seq Scan on appointment", all, StringComparison.Ordinal);
    }

    private Task Appointment(Guid practitioner, Guid patient, int days, string status) => Platform.Database.ExecuteAsync($"""
        SET session_replication_role = replica;
        INSERT INTO clinic.appointment (tenant_id, id, subject_id, practitioner_id, starts_at, ends_at, type, status, key_version, version, sealed)
        VALUES ('{Clinic.Id}', gen_random_uuid(), '{patient}', '{practitioner}', '{Platform.Clock.GetUtcNow().AddDays(days):O}'::timestamptz, '{Platform.Clock.GetUtcNow().AddDays(days).AddMinutes(15):O}'::timestamptz, 'consultation', '{status}', 1, 1, '')
        """);
}
