using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Team;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Npgsql;

namespace Chaperone.Clinic.Tests.Schedule;

/// <summary>Who sees what of the schedule, and that the log names whom they saw.</summary>
public sealed class ScheduleViewTests : ScheduleWorld
{
    private string Day => At("10:00")[..10];

    [Fact]
    public async Task A_day_shows_names_by_time_and_its_event_names_everybody_shown()
    {
        var (late, early, cancelled) = (await Book("15:00"), await Book("09:00", Grace, Xavier), await Book("12:00"));
        await Run(new CancelAppointment(cancelled.Id, "clinic"));
        await Book("23:50", minutes: 30);
        Assert.Single(await Run(new ListAppointments(At("", 1)[..10])));   // reaches into the next day

        var seen = await Run(new ListAppointments(Day));
        Assert.Equal([early.Id, cancelled.Id, late.Id], seen.Take(3).Select(appointment => appointment.Id));
        Assert.Equal(["YELLOWHAMMER, Graciela", "ZIMMERSTEIN, Adelaide"], seen.Select(appointment => appointment.PatientName!).Distinct());
        var left = await LastEvent();
        Assert.Equal(("schedule.viewed", 4L, Day), (left.Action, left.Hits, left.Details["from"].ToString()));
        Assert.Equal(new HashSet<Guid> { Ada, Grace }, left.Subjects.ToHashSet());

        Assert.Equal([early.Id], (await Run(new ListAppointments(Day, Practitioner: Xavier.ToString()))).Select(appointment => appointment.Id));
        Assert.Equal([Grace], (await LastEvent()).Subjects);
        Assert.Equal(4, (await Run(new ListAppointments(From: At("", -30)[..10], To: At("", 31)[..10]))).Count);
        Assert.Empty(await Run(new ListAppointments()));
        await Run(new ViewAppointment(late.Id));
        Assert.Equal(("appointment.viewed", Ada), ((await LastEvent()).Action, Assert.Single((await LastEvent()).Subjects)));
    }

    [Fact]
    public async Task Who_may_not_see_patients_names_sees_neither_names_nor_words_and_the_event_still_names_them()
    {
        var manager = Platform.As(Clinic, BuiltInRole.Manager);
        var booked = await Run(new BookAppointment(Ada, With(Wilma, "10:00") with { Reason = "Sorethroatword" }), manager);
        Assert.Equal((null, null), (booked.PatientName, booked.Details.Reason));
        var seen = Assert.Single(await Run(new ListAppointments(Day), manager));
        Assert.Equal((null, null, Ada), (seen.PatientName, seen.Details.Reason, seen.PatientId));
        Assert.Equal([Ada], (await LastEvent()).Subjects);
        Assert.Equal("Sorethroatword", (await Run(new ViewAppointment(booked.Id))).Details.Reason);
    }

    [Fact]
    public async Task Patients_see_their_own_without_colleagues_notes_and_clinicians_of_their_own_what_is_theirs()
    {
        var (ada, grace, clios) = (await Book("10:00"), await Book("10:15", Grace), await Book("10:00", Grace, Clio));
        await Run(new CancelAppointment(ada.Id, "other", "Colleaguesword"));
        var patient = As(BuiltInRole.Patient, Guid.NewGuid(), Ada);
        var own = Assert.Single(await Run(new ListAppointments(Day), patient));
        Assert.Equal((ada.Id, "ZIMMERSTEIN, Adelaide", "Sorethroatword", null, null), (own.Id, own.PatientName, own.Details.Reason, own.Details.Note, own.Details.Cancellation!.Note));
        Assert.Null((await Run(new ViewAppointment(ada.Id), patient)).Details.Note);
        Assert.Equal(404, (await Refused(new ViewAppointment(grace.Id), patient)).Status);
        Assert.Equal(["Wilma Quist"], (await Run(new ListPractitioners(), patient)).Select(practitioner => practitioner.Name));

        var clio = As(BuiltInRole.Clinical, Clio);
        Assert.Equal((clios.Id, "Colleaguesword"), Assert.Single(await Run(new ListAppointments(Day), clio)) is var theirs ? (theirs.Id, theirs.Details.Note) : default);
        Assert.Equal(404, (await Refused(new ViewAppointment(grace.Id), clio)).Status);
        Assert.Equal(["Clio Park"], (await Run(new ListPractitioners(), clio)).Select(practitioner => practitioner.Name));
        foreach (var role in new[] { BuiltInRole.Admin, BuiltInRole.Hr, BuiltInRole.Finance, BuiltInRole.ReadOnly, BuiltInRole.Employee }) Assert.NotNull(await Refused(new ListAppointments(Day), Platform.As(Clinic, role)));
    }

    [Theory]
    [InlineData("2026-02-30", null, null, null)]
    [InlineData("x", null, null, null)]
    [InlineData("2026-03-01", "2026-03-01", null, null)]
    [InlineData(null, "2026-03-01", null, null)]
    [InlineData(null, null, "2026-03-01", null)]
    [InlineData(null, "2026-03-02", "2026-03-01", null)]
    [InlineData(null, "2026-01-01", "2026-03-04", null)]
    [InlineData("0001-01-01", null, null, null)]
    [InlineData("9999-12-31", null, null, null)]
    [InlineData("2026-03-01", null, null, "nobody")]
    public async Task Spans_that_cannot_be_shown_are_refused(string? day, string? from, string? to, string? practitioner) =>
        Assert.Equal(("CHP-SCHEDULE-0007", 422), await Refused(new ListAppointments(day, from, to, practitioner)) is var error ? (error.Code, error.Status) : default);

    [Fact]
    public async Task Practitioners_are_the_active_accounts_with_a_clinical_role_by_name()
    {
        await Member("Em Ployee", BuiltInRole.Employee);
        await Member("Ada Zimmerstein", BuiltInRole.Patient, Ada);
        Assert.Equal(["Clio Park", "Wilma Quist", "Xavier Young"], (await Run(new ListPractitioners())).Select(practitioner => practitioner.Name));
        Assert.All(await Run(new ListPractitioners()), practitioner => Assert.Contains(StaffColour.All, colour => colour.Value == practitioner.Colour));
        var changed = await Platform.Monitor.Run(new ChangeProfile(Wilma, new("Wilma Quist", "wilma@one.test", "Consultant", "gmc", "7654321", null, "pink"), 1), Platform.As(Clinic, BuiltInRole.Owner), default);
        Assert.True(changed.Succeeded, changed.Error?.Code);
        var wilma = (await Run(new ListPractitioners())).Single(practitioner => practitioner.Id == Wilma);
        Assert.Equal(("Consultant", "pink", "GMC 7654321"), (wilma.Title, wilma.Colour, wilma.Registration?.ToString()));
        var left = await LastEvent();
        Assert.Equal(("practitioner.listed", 3), (left.Action, left.Subjects.Count));
    }

    [Fact]
    public async Task Free_slots_are_the_next_ones_and_booking_takes_them()
    {
        await Book("08:00", minutes: 600);
        await Book("08:00", practitioner: Clio, minutes: 60);
        var free = await Run(new FindFreeSlots(null, "consultation", null, At("07:00")));
        Assert.Equal(10, free.Count);
        Assert.Equal((Xavier, "08:00"), (free[0].PractitionerId, free[0].StartsAt.ToString("HH:mm", System.Globalization.CultureInfo.InvariantCulture)));
        Assert.DoesNotContain(free, slot => slot.PractitionerId == Wilma);
        Assert.Empty((await LastEvent()).Subjects);
        foreach (var slot in free) await Run(new BookAppointment(Ada, new(slot.PractitionerId, "consultation", AppointmentBody.Iso(slot.StartsAt))));
        Assert.Empty((await Run(new FindFreeSlots(null, "consultation", null, At("07:00")))).Intersect(free));
        Assert.All(await Run(new FindFreeSlots(Wilma.ToString(), null, 30, At("07:00"))), slot => Assert.Equal((Wilma, 1), (slot.PractitionerId, DateOnly.FromDateTime(slot.StartsAt.DateTime).DayNumber - Monday.DayNumber)));
        Assert.Equal(["from", "minutes", "practitioner", "type"], (await Refused(new FindFreeSlots("x", "party", 0, "soon"))).Fields.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("CHP-SCHEDULE-0003", (await Refused(new FindFreeSlots((await Member("Em Ployee", BuiltInRole.Employee)).ToString(), "video"))).Code);
    }

    [Fact]
    public async Task Days_patients_and_practitioners_are_found_by_index_under_row_level_security()
    {
        await Platform.Database.ExecuteAsync($"""
            SET session_replication_role = replica;
            INSERT INTO clinic.appointment SELECT t, gen_random_uuid(), gen_random_uuid(), ('00000000-0000-0000-0000-' || lpad((n % 20)::text, 12, '0'))::uuid,
              date_trunc('day', now()) + n / 20 * interval '30 minutes', date_trunc('day', now()) + n / 20 * interval '30 minutes' + interval '20 minutes', 'consultation', 'booked', 1, 1, ''
            FROM generate_series(1, 10000) n, unnest(ARRAY['{Clinic.Id}', '{OtherClinic.Id}']::uuid[]) t;
            ANALYZE clinic.appointment
            """);
        await AssertIndexed("SELECT * FROM clinic.appointment WHERE starts_at >= now() - interval '12 hours' AND starts_at < now() + interval '1 day' AND ends_at > now() ORDER BY starts_at", "appointment_by_start");
        await AssertIndexed("SELECT * FROM clinic.appointment WHERE practitioner_id = '00000000-0000-0000-0000-000000000007' AND starts_at >= now() AND starts_at < now() + interval '1 day'", "appointment_by_practitioner");
        await AssertIndexed($"SELECT * FROM clinic.appointment WHERE subject_id = '{Ada}' ORDER BY starts_at", "appointment_by_patient");
        await AssertIndexed($"SELECT CASE WHEN practitioner_id = NULL OR subject_id = NULL THEN 4 ELSE 1 END FROM clinic.appointment WHERE id = '{Ada}'", "appointment_pkey");
    }

    private async Task AssertIndexed(string sql, string index)
    {
        await using var connection = new NpgsqlConnection(Platform.Database.App);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var set = new NpgsqlCommand($"SET LOCAL chaperone.tenant_id = '{Clinic.Id}'", connection)) await set.ExecuteNonQueryAsync();
        await using var explain = new NpgsqlCommand("EXPLAIN " + sql, connection);
        await using var reader = await explain.ExecuteReaderAsync();
        var plan = new List<string>();
        while (await reader.ReadAsync()) plan.Add(reader.GetString(0));
        Assert.True(plan.Exists(line => line.Contains(index, StringComparison.Ordinal)) && !plan.Exists(line => line.Contains("Seq Scan", StringComparison.Ordinal)), sql + Environment.NewLine + string.Join(Environment.NewLine, plan));
    }
}
