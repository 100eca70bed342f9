using Chaperone.Clinic.Schedule;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.Schedule;

/// <summary>What becomes of an appointment: every state times every step.</summary>
public sealed class AttendanceTests : ScheduleWorld
{
    /// <summary>What each step makes of each state; what is not here is refused. Written apart from the product's table.</summary>
    private static readonly Dictionary<string, string> Allowed = new(StringComparer.Ordinal)
    {
        ["booked arrive"] = "arrived", ["booked start"] = "started", ["booked cancel"] = "cancelled", ["booked no-show"] = "no_show",
        ["arrived start"] = "started", ["arrived cancel"] = "cancelled", ["arrived undo"] = "booked",
        ["started complete"] = "completed", ["started undo"] = "arrived", ["no_show undo"] = "booked",
    };

    private static readonly Dictionary<string, string[]> PathTo = new(StringComparer.Ordinal)
    {
        ["booked"] = [], ["arrived"] = ["arrive"], ["started"] = ["start"], ["completed"] = ["start", "complete"], ["cancelled"] = ["cancel"], ["no_show"] = ["no-show"],
    };

    [Fact]
    public async Task Every_step_from_every_state_is_done_with_its_event_or_refused_with_the_state()
    {
        Assert.Equal(AppointmentStatus.All.Order(StringComparer.Ordinal), PathTo.Keys.Order(StringComparer.Ordinal));
        string[] steps = ["arrive", "start", "complete", "no-show", "undo", "cancel"];
        var appointments = new List<(Guid Id, string State, string Step)>();
        var minute = 0;
        foreach (var state in PathTo.Keys)
            foreach (var step in steps)
                appointments.Add(((await Book($"{10 + minute / 60:00}:{minute++ % 60:00}", minutes: 1)).Id, state, step));
        GoTo("20:00");
        foreach (var (id, state, step) in appointments)
        {
            foreach (var before in PathTo[state]) await Run(Step(id, before));
            var result = await Try(Step(id, step));
            var left = await LastEvent();
            if (Allowed.TryGetValue($"{state} {step}", out var to))
            {
                Assert.True(result.Succeeded, $"{state} {step}: {result.Error?.Code}");
                Assert.Equal((to, EventOutcome.Success), (result.Value.Status, left.Outcome));
                Assert.Contains(new FieldChange("status", null, state, to), left.Changes);
                Assert.Equal([Ada], left.Subjects);
            }
            else
            {
                Assert.True(result.Error is { Code: "CHP-SCHEDULE-0005", Status: 409 }, $"{state} {step}: {result.Error?.Code}");
                Assert.Equal(state, result.Error!.Facts["appointmentStatus"]);
                Assert.Equal((EventOutcome.Failure, "CHP-SCHEDULE-0005"), (left.Outcome, left.Reason));
            }
        }
        Assert.Superset(new HashSet<string>(["appointment.arrived", "appointment.started", "appointment.completed", "appointment.no_show", "appointment.reverted", "appointment.cancelled"]),
            (await Platform.EventsAsync(Clinic)).Where(happened => happened.Outcome == EventOutcome.Success).Select(happened => happened.Action).ToHashSet());
    }

    [Fact]
    public async Task Arrivals_wait_for_the_day_and_no_shows_for_the_beginning()
    {
        var booked = await Book("10:00");
        Assert.Equal("CHP-SCHEDULE-0006", (await Refused(new ArriveAppointment(booked.Id))).Code);
        Assert.Equal("CHP-SCHEDULE-0006", (await Refused(new StartAppointment(booked.Id))).Code);
        GoTo("00:05");
        Assert.Equal("CHP-SCHEDULE-0006", (await Refused(new MissAppointment(booked.Id))).Code);
        await Run(new ArriveAppointment(booked.Id));
        await Run(new UndoAttendance(booked.Id));
        GoTo("10:00");
        await Run(new MissAppointment(booked.Id));
    }

    [Fact]
    public async Task A_no_show_whose_time_was_given_away_stays_one()
    {
        var booked = await Book("10:00");
        GoTo("10:00");
        await Run(new MissAppointment(booked.Id));
        await Book("10:00", Grace);
        Assert.Equal("CHP-SCHEDULE-0002", (await Refused(new UndoAttendance(booked.Id))).Code);
        Assert.Equal("no_show", (await Run(new ViewAppointment(booked.Id))).Status);
    }

    [Fact]
    public async Task A_version_that_is_given_must_be_the_stored_one_and_reasons_are_of_the_list()
    {
        var booked = await Book("10:00");
        GoTo("09:00");
        Assert.Equal(412, (await Refused(new ArriveAppointment(booked.Id, 2))).Status);
        Assert.Equal(412, (await Refused(new CancelAppointment(booked.Id, "clinic", null, 2))).Status);
        Assert.Equal(["reason"], (await Refused(new CancelAppointment(booked.Id, "whim"))).Fields.Keys);
        Assert.Equal(["note"], (await Refused(new CancelAppointment(booked.Id, "other"))).Fields.Keys);
        await Run(new ArriveAppointment(booked.Id, 1));
        Assert.Equal("CHP-SCHEDULE-0005", (await Refused(new ChangeAppointment(booked.Id, With(Wilma, "") with { StartsAt = At("10:00", 1) }, 2))).Code);   // who is here is not moved to tomorrow
        Assert.Equal("Said so", (await Run(new CancelAppointment(booked.Id, "other", " Said so ", 2))).Details.Cancellation!.Note);
        Assert.Equal("CHP-SCHEDULE-0005", (await Refused(new ChangeAppointment(booked.Id, With(Wilma, "11:00"), 3))).Code);
    }

    [Fact]
    public async Task Clinicians_record_attendance_and_do_not_book_and_who_is_not_concerned_does_neither()
    {
        var (mine, theirs) = (await Book("10:00", practitioner: Clio), await Book("10:00"));
        GoTo("09:00");
        var clio = As(BuiltInRole.Clinical, Clio);
        await Run(new StartAppointment(mine.Id), clio);
        Assert.Equal(403, (await Refused(new CancelAppointment(mine.Id, "clinic"), clio)).Status);
        Assert.Equal(404, (await Refused(new StartAppointment(theirs.Id), clio)).Status);
        await Run(new ArriveAppointment(theirs.Id), Platform.As(Clinic, BuiltInRole.Nurse));
        Assert.Equal(403, (await Refused(new CancelAppointment(theirs.Id, "clinic"), Platform.As(Clinic, BuiltInRole.Doctor))).Status);
        Assert.Equal(403, (await Refused(new StartAppointment(theirs.Id), As(BuiltInRole.Patient, Guid.NewGuid(), Ada))).Status);
        Assert.Equal(404, (await Refused(new StartAppointment(theirs.Id), As(BuiltInRole.Patient, Guid.NewGuid(), Grace))).Status);
    }

    private static IOperation<Appointment> Step(Guid id, string step) => step switch
    {
        "arrive" => new ArriveAppointment(id),
        "start" => new StartAppointment(id),
        "complete" => new CompleteAppointment(id),
        "no-show" => new MissAppointment(id),
        "undo" => new UndoAttendance(id),
        _ => new CancelAppointment(id, "clinic"),
    };
}
