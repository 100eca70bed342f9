using System.Buffers.Binary;
using System.Text;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Team;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Chaperone.Clinic.Tests.Schedule;

/// <summary>Booking, moving and cancelling: who gets the time, what is refused, what stands in the log.</summary>
public sealed class BookingTests : ScheduleWorld
{
    [Fact]
    public async Task Booking_is_stored_sealed_and_leaves_one_event_that_names_the_patient_and_no_words()
    {
        var before = (await Platform.EventsAsync(Clinic)).Count;
        var booked = await Book("10:00");

        Assert.Equal(("booked", Ada, Wilma, "ZIMMERSTEIN, Adelaide", 15.0, "Sorethroatword", 1L),
            (booked.Status, booked.PatientId, booked.PractitionerId, booked.PatientName, (booked.EndsAt - booked.StartsAt).TotalMinutes, booked.Details.Reason, booked.Version));
        var left = Assert.Single((await Platform.EventsAsync(Clinic)).Skip(before));
        Assert.Equal(("appointment.booked", EventOutcome.Success, new EventEntity("appointment", booked.Id), "role:reception/schedule.edit"), (left.Action, left.Outcome, left.Entity, left.Decision));
        Assert.Equal([Ada], left.Subjects);
        Assert.Equal(("clinic.appointment", booked.Id, 1L), Assert.Single(left.Records) is var record ? (record.Type, record.Id, record.Version) : default);
        Assert.DoesNotContain("word", Encoding.UTF8.GetString(EventJson.Write(left)), StringComparison.Ordinal);
        Assert.Equal(0L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.appointment a WHERE position('word'::bytea IN a.sealed) > 0 OR (to_jsonb(a) - 'sealed')::text LIKE '%word%'"));
    }

    [Fact]
    public async Task Fifty_at_once_for_one_slot_give_one_appointment_and_one_event()
    {
        var all = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Try(new BookAppointment(i % 2 == 0 ? Ada : Grace, With(Wilma, i % 3 == 0 ? "10:05" : "10:00")))));

        var won = Assert.Single(all, result => result.Succeeded).Value;
        Assert.All(all.Where(result => !result.Succeeded), result => Assert.Equal("CHP-SCHEDULE-0002", result.Error!.Code));
        Assert.Equal(1L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.appointment"));
        var left = (await Platform.EventsAsync(Clinic)).Where(happened => happened.Action == "appointment.booked").ToArray();
        Assert.Equal(won.Id, Assert.Single(left, happened => happened.Outcome == EventOutcome.Success).Entity!.Id);
        Assert.Equal(49, left.Count(happened => happened is { Outcome: EventOutcome.Failure, Reason: "CHP-SCHEDULE-0002" }));
    }

    [Fact]
    public async Task Two_who_swap_or_move_into_each_other_at_once_get_an_answer_and_never_a_deadlock()
    {
        var (a, b) = (await Book("10:00"), await Book("10:00", Grace, Xavier));
        for (var round = 0; round < 10; round++)
        {
            var both = await Task.WhenAll(
                Try(new ChangeAppointment(a.Id, With(b.PractitionerId, "10:00"), a.Version)), Try(new ChangeAppointment(b.Id, With(a.PractitionerId, "10:00"), b.Version)),
                Try(new ChangeAppointment(a.Id, With(a.PractitionerId, "10:15"), a.Version)), Try(new BookAppointment(Ada, With(a.PractitionerId, "10:20"))));
            foreach (var result in both.Where(result => !result.Succeeded)) Assert.Contains(result.Error!.Code, new[] { "CHP-SCHEDULE-0002", "CHP-PLATFORM-0002" });
            foreach (var booked in both.Skip(3).Where(result => result.Succeeded)) await Run(new CancelAppointment(booked.Value.Id, "clinic"));
            (a, b) = (await Run(new ViewAppointment(a.Id)), await Run(new ViewAppointment(b.Id)));
        }
        Assert.DoesNotContain(Platform.Logs.Lines, line => line.Contains("40P01", StringComparison.Ordinal));
        Assert.Equal(0L, await Platform.Database.ExecuteAsync("""
            SELECT count(*) FROM clinic.appointment a JOIN clinic.appointment b ON a.id < b.id AND a.practitioner_id = b.practitioner_id AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
            WHERE a.status = 'booked' AND b.status = 'booked'
            """));
    }

    [Fact]
    public async Task Whoever_takes_time_waits_for_the_turn_of_the_practitioner_and_of_no_other()
    {
        var (moved, outsider) = (await Book("12:00", Grace, Xavier), await Patient("Out", "Sider"));
        await using var somebody = new NpgsqlConnection(Platform.Database.Superuser);
        await somebody.OpenAsync();
        await using var turn = await somebody.BeginTransactionAsync();
        var id = Wilma.ToByteArray(bigEndian: true);
        await using (var take = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({BinaryPrimitives.ReadInt32BigEndian(id.AsSpan(8))}, {BinaryPrimitives.ReadInt32BigEndian(id.AsSpan(12))})", somebody)) await take.ExecuteNonQueryAsync();

        Task[] waiting = [Try(new BookAppointment(Ada, With(Wilma, "10:00"))), Try(new ChangeAppointment(moved.Id, With(Wilma, "11:00"), 1))];
        await Book("10:00", outsider, Clio);   // Grace's and Xavier's turns may be with the one who moves
        await Task.Delay(300);
        Assert.All(waiting, task => Assert.False(task.IsCompleted));

        await turn.CommitAsync();
        await Task.WhenAll(waiting);
        Assert.Equal(2, (await Run(new ListAppointments(At("")[..10], Practitioner: Wilma.ToString()))).Count);
    }

    [Fact]
    public async Task Time_is_free_beside_an_appointment_with_somebody_else_in_another_clinic_and_after_it_was_cancelled()
    {
        var first = await Book("10:00", minutes: 30);
        Assert.Equal("CHP-SCHEDULE-0002", (await Refused(new BookAppointment(Grace, With(Wilma, "09:50", 11)))).Code);
        Assert.Equal("CHP-SCHEDULE-0002", (await Refused(new BookAppointment(Grace, With(Wilma, "10:10", 5)))).Code);
        await Book("09:45", Grace);
        await Book("10:30", Grace);
        await Book("10:00", Grace, Xavier);

        var cancelled = await Run(new CancelAppointment(first.Id, "patient"));
        Assert.Equal(("cancelled", "patient"), (cancelled.Status, cancelled.Details.Cancellation!.Reason));
        var left = await LastEvent();
        Assert.Equal(("appointment.cancelled", "patient"), (left.Action, left.Reason));
        Assert.Contains(new FieldChange("status", null, "booked", "cancelled"), left.Changes);
        await Book("10:00", Grace, minutes: 30);
    }

    [Fact]
    public async Task Who_cannot_be_booked_or_booked_with_is_refused_and_nothing_is_stored()
    {
        var (employee, suspended, leaver) = (await Member("Em Ployee", BuiltInRole.Employee), await Member("Sus Pended", BuiltInRole.Doctor), await Patient("Gone", "Away"));
        await Run(new DeactivateMember(suspended), Platform.As(Clinic, BuiltInRole.Owner));
        await Run(new ArchivePatient(leaver, "moved_away", null, 1), Platform.As(Clinic, BuiltInRole.Doctor));
        var (theirs, theirPatient) = (await Member("Other Doctor", BuiltInRole.Doctor, clinic: OtherClinic), await Patient("Other", "Patient", OtherClinic));

        Assert.Equal("CHP-SCHEDULE-0003", (await Refused(new BookAppointment(Ada, With(employee, "10:00")))).Code);
        Assert.Equal("CHP-SCHEDULE-0003", (await Refused(new BookAppointment(Ada, With(suspended, "10:00")))).Code);
        Assert.Equal("CHP-SCHEDULE-0004", (await Refused(new BookAppointment(leaver, With(Wilma, "10:00")))).Code);
        Assert.Equal(404, (await Refused(new BookAppointment(Ada, With(theirs, "10:00")))).Status);
        Assert.Equal(404, (await Refused(new BookAppointment(theirPatient, With(Wilma, "10:00")))).Status);
        Assert.Equal(404, (await Refused(new BookAppointment(Ada, With(Guid.NewGuid(), "10:00")))).Status);
        Assert.Equal(["patientId"], (await Refused(new BookAppointment(null, With(Wilma, "10:00")))).Fields.Keys);
        Assert.Equal(["startsAt"], (await Refused(new BookAppointment(Ada, With(Wilma, "10:00") with { StartsAt = "2020-01-06T10:00" }))).Fields.Keys);
        Assert.Equal(0L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.appointment"));
        Assert.All((await Platform.EventsAsync(Clinic)).TakeLast(8), happened => Assert.Equal(("appointment.booked", EventOutcome.Failure), (happened.Action, happened.Outcome)));
    }

    [Fact]
    public async Task Change_moves_names_the_fields_and_needs_the_version_that_was_seen()
    {
        var booked = await Book("10:00");
        var wanted = With(Xavier, "11:00", 45) with { Reason = "Sorethroatword" };

        Assert.Equal(428, (await Refused(new ChangeAppointment(booked.Id, wanted, null))).Status);
        Assert.Equal(412, (await Refused(new ChangeAppointment(booked.Id, wanted, 7))).Status);
        Assert.Equal(["patientId"], (await Refused(new ChangeAppointment(booked.Id, wanted, 1, Grace))).Fields.Keys);
        var moved = await Run(new ChangeAppointment(booked.Id, wanted, 1, Ada));
        Assert.Equal((Xavier, 45.0, 2L, null), (moved.PractitionerId, (moved.EndsAt - moved.StartsAt).TotalMinutes, moved.Version, moved.Details.Note));
        var left = await LastEvent();
        Assert.Equal(("appointment.modified", new EventEntity("appointment", booked.Id)), (left.Action, left.Entity));
        Assert.Equal(["ends_at", "note", "practitioner_id", "starts_at"], left.Changes.Select(change => change.Field).Order(StringComparer.Ordinal));
        Assert.All(left.Changes, change => Assert.Null(change.After));

        await Book("12:00", Grace, Xavier);
        Assert.Equal("CHP-SCHEDULE-0002", (await Refused(new ChangeAppointment(booked.Id, With(Xavier, "11:30", 45), 2))).Code);
        Assert.Equal(2L, (await Run(new ViewAppointment(booked.Id))).Version);
    }

    [Fact]
    public async Task Another_clinics_appointment_is_not_there_for_any_operation_and_each_try_is_logged()
    {
        var booked = await Book("10:00");
        var stranger = Platform.As(OtherClinic, BuiltInRole.Owner);

        Assert.Equal(404, (await Refused(new ViewAppointment(booked.Id), stranger)).Status);
        Assert.Equal(404, (await Refused(new ChangeAppointment(booked.Id, With(Wilma, "11:00"), 1), stranger)).Status);
        Assert.Equal(404, (await Refused(new CancelAppointment(booked.Id, "clinic"), stranger)).Status);
        Assert.Equal(404, (await Refused(new ArriveAppointment(booked.Id), stranger)).Status);
        Assert.Equal(404, (await Refused(new StartAppointment(booked.Id), stranger)).Status);
        Assert.Equal(404, (await Refused(new CompleteAppointment(booked.Id), stranger)).Status);
        Assert.Equal(404, (await Refused(new MissAppointment(booked.Id), stranger)).Status);
        Assert.Equal(404, (await Refused(new UndoAttendance(booked.Id), stranger)).Status);
        Assert.Empty(await Run(new ListAppointments(At("10:00")[..10]), stranger));
        Assert.Empty(await Run(new ListAppointments(At("10:00")[..10], Practitioner: Wilma.ToString()), stranger));
        Assert.Empty(await Run(new ListPractitioners(), stranger));

        var tries = (await Platform.EventsAsync(OtherClinic)).Where(tried => tried.Outcome == EventOutcome.Denied).ToArray();
        Assert.Equal(8, tries.Length);
        Assert.All(tries, tried => Assert.Equal((new EventEntity("appointment", booked.Id), "relation:none", 0), (tried.Entity, tried.Decision, tried.Subjects.Count)));
    }

    [Theory]
    [InlineData("starts_at = starts_at + interval '1 hour', ends_at = ends_at + interval '1 hour'")]
    [InlineData("status = 'cancelled'")]
    [InlineData("practitioner_id = subject_id")]
    [InlineData("type = 'video'")]
    public async Task A_superuser_who_edits_a_row_is_found_by_verifying(string change)
    {
        var booked = await Book("10:00");
        var verifier = Platform.Services.GetRequiredService<DatabaseVerifier>();
        await Platform.Services.GetRequiredService<Sequencer>().FlushAsync(Clinic.Id, CancellationToken.None);
        Assert.Equal(0, (await verifier.VerifyAsync(Clinic.Id, Clinic.Host, null, null, CancellationToken.None)) is var whole ? whole.ProblemCount : -1);

        await Platform.Database.ExecuteAsync($"SET session_replication_role = replica; UPDATE clinic.appointment SET {change} WHERE id = '{booked.Id}'");

        var report = await verifier.VerifyAsync(Clinic.Id, Clinic.Host, null, null, CancellationToken.None);
        Assert.Equal(1, report.ExitCode);
        Assert.Contains(report.Problems, problem => problem.What.Contains($"clinic.appointment {booked.Id}", StringComparison.Ordinal));
    }
}
