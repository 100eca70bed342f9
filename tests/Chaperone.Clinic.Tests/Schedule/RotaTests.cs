using System.Globalization;
using System.Text;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.Schedule;

/// <summary>Working hours and leave: what they keep from being booked, who may see and change them, what stands in the log.</summary>
public sealed class RotaTests : ScheduleWorld
{
    private Caller Manager => Platform.As(Clinic, BuiltInRole.Manager);

    [Fact]
    public async Task Outside_working_hours_is_refused_until_somebody_confirms_it()
    {
        var hours = await Run(new ChangeHours(Wilma, [Week(null, ("monday", "09:00", "12:00"), ("monday", "13:00", "17:00"))], 0), Manager);
        Assert.Equal((1L, "Wilma Quist"), (hours.Version, hours.Name));
        var left = await LastEvent();
        Assert.Equal(("rota.hours_changed", new EventEntity("member", Wilma), "role:manager/rota.edit"), (left.Action, left.Entity, left.Decision));
        Assert.Equal([Wilma], left.Subjects);

        foreach (var clock in new[] { "08:50", "11:50", "12:00", "12:55", "16:50", "17:00", "20:00" })
        {
            var refused = await Refused(new BookAppointment(Ada, Within(clock)));
            Assert.Equal(("CHP-SCHEDULE-0009", 409), (refused.Code, refused.Status));
        }
        await Run(new BookAppointment(Ada, Within("09:00")));
        var last = await Run(new BookAppointment(Ada, Within("16:45")));
        await Run(new BookAppointment(Ada, Within("12:15") with { ConfirmOutsideHours = true }));
        Assert.Equal("CHP-SCHEDULE-0009", (await Refused(new ChangeAppointment(last.Id, Within("17:15"), 1))).Code);
        var late = await Run(new ChangeAppointment(last.Id, Within("17:15") with { ConfirmOutsideHours = true }, 1));
        await Run(new ChangeAppointment(last.Id, Within("17:15") with { Note = "Stays where it is" }, late.Version));   // nothing about its time changed
        Assert.Equal("CHP-SCHEDULE-0009", (await Refused(new BookAppointment(Ada, Within("10:00") with { StartsAt = At("10:00", 1) }))).Code);   // Tuesdays are free
    }

    [Fact]
    public async Task A_week_holds_from_its_day_on_and_before_any_the_clinics_week_does()
    {
        var from = Monday.AddDays(7).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        await Run(new ChangeHours(Wilma, [Week(from, ("monday", "18:00", "24:00"))], 0), Manager);
        await Run(new BookAppointment(Ada, Within("08:00")));
        await Run(new BookAppointment(Ada, Within("08:00") with { StartsAt = At("23:45", 7) }));
        Assert.Equal("CHP-SCHEDULE-0009", (await Refused(new BookAppointment(Ada, Within("08:00") with { StartsAt = At("23:50", 7) }))).Code);
        Assert.Equal("CHP-SCHEDULE-0009", (await Refused(new BookAppointment(Ada, Within("08:00") with { StartsAt = At("08:00", 7) }))).Code);

        Assert.Equal(412, (await Refused(new ChangeHours(Wilma, [], 0), Manager)).Status);
        Assert.Equal(428, (await Refused(new ChangeHours(Wilma, [], null), Manager)).Status);
        await Run(new ChangeHours(Wilma, [], 1), Manager);
        await Run(new BookAppointment(Ada, Within("08:00") with { StartsAt = At("08:00", 7) }));
    }

    [Fact]
    public async Task Weeks_that_cannot_be_are_named_by_week_and_day()
    {
        var faults = await Refused(new ChangeHours(Wilma, [Week("soon", ("monday", "12:00", "09:00")), Week(null, ("tuesday", "09:00", "12:00"), ("tuesday", "11:00", "13:00"), ("someday", "09:00", "12:00")), Week(null)], 0), Manager);
        Assert.Equal("CHP-SCHEDULE-0011", faults.Code);
        Assert.Equal(["patterns.0.from", "patterns.0.monday", "patterns.1.days", "patterns.1.tuesday", "patterns.2.from"], faults.Fields.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Leave_is_never_booked_and_says_over_how_many_appointments_it_was_entered()
    {
        var (inside, before) = (await Book("10:00"), await Book("08:00"));
        var refused = await Refused(new EnterLeave(Wilma, new(At("09:00"), At("11:00"), "sick", "Backacheword")), Manager);
        Assert.Equal(("CHP-SCHEDULE-0012", 409, 1), (refused.Code, refused.Status, refused.Facts["appointmentCount"]));
        Assert.Equal([inside.Id], (Guid[])refused.Facts["appointmentIds"]);
        Assert.Equal(0L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.leave"));

        var leave = await Run(new EnterLeave(Wilma, new(At("09:00"), At("11:00"), "sick", "Backacheword", Confirm: true)), Manager);
        var left = await LastEvent();
        Assert.Equal(("rota.leave_entered", "1"), (left.Action, left.Details["appointments"].ToString()));
        Assert.DoesNotContain("sick", Encoding.UTF8.GetString(EventJson.Write(left)), StringComparison.Ordinal);
        Assert.Equal(0L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.leave l WHERE position('sick'::bytea IN l.sealed) > 0 OR (to_jsonb(l) - 'sealed')::text LIKE '%sick%'"));
        Assert.Equal("booked", (await Run(new ViewAppointment(inside.Id))).Status);   // nothing is cancelled behind anybody's back

        Assert.Equal(("CHP-SCHEDULE-0008", 409), await Refused(new BookAppointment(Grace, With(Wilma, "10:30"))) is var away ? (away.Code, away.Status) : default);   // confirming hours does not help
        Assert.Equal("CHP-SCHEDULE-0008", (await Refused(new ChangeAppointment(before.Id, With(Wilma, "08:50"), 1))).Code);
        await Run(new BookAppointment(Grace, With(Wilma, "11:00")));
        await Run(new BookAppointment(Grace, With(Xavier, "10:30")));
        await Run(new RemoveLeave(Wilma, leave.Id), Manager);
        Assert.Equal("rota.leave_removed", (await LastEvent()).Action);
        await Run(new BookAppointment(Grace, With(Wilma, "10:30")));
        Assert.Equal(404, (await Refused(new RemoveLeave(Wilma, leave.Id), Manager)).Status);
    }

    [Fact]
    public async Task Whole_days_of_leave_include_the_last_and_faults_are_named()
    {
        var leave = await Run(new EnterLeave(Wilma, new(At("")[..10], At("", 1)[..10], "annual")), Manager);
        Assert.Equal(48, (leave.EndsAt - leave.StartsAt).TotalHours);
        Assert.Equal("CHP-SCHEDULE-0008", (await Refused(new BookAppointment(Ada, With(Wilma, "23:50", 9) with { StartsAt = At("23:50", 1) }))).Code);
        await Run(new BookAppointment(Ada, With(Wilma, "00:00") with { StartsAt = At("00:00", 2) }));
        Assert.Equal(["from", "kind", "to"], (await Refused(new EnterLeave(Wilma, new("x", null, "bored")), Manager)).Fields.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["to"], (await Refused(new EnterLeave(Wilma, new(At("10:00"), At("10:00"), "sick")), Manager)).Fields.Keys);
        Assert.Equal(["to"], (await Refused(new EnterLeave(Wilma, new("2027-01-01", "2029-12-31", "parental")), Manager)).Fields.Keys);
    }

    [Fact]
    public async Task Leave_and_a_booking_of_its_time_at_once_never_pass_each_other_unseen()
    {
        for (var round = 0; round < 10; round++)
        {
            var (day, clock) = (round % 5, $"{9 + round / 5:00}:00");
            var wanted = With(Wilma, clock) with { StartsAt = At(clock, day) };
            var leave = Try(new EnterLeave(Wilma, new(At(clock, day), At(clock[..2] + ":30", day), "training")), Manager);
            var booking = Try(new BookAppointment(Ada, wanted));
            await Task.WhenAll(leave, booking);
            Assert.True((await leave).Succeeded != (await booking).Succeeded, $"{(await leave).Error?.Code} {(await booking).Error?.Code}");
        }
    }

    [Fact]
    public async Task A_days_availability_shows_spans_and_leave_and_why_only_to_whom_it_concerns()
    {
        await Run(new ChangeHours(Wilma, [Week(null, ("monday", "13:00", "17:00"), ("monday", "09:00", "12:00"))], 0), Manager);
        await Run(new EnterLeave(Wilma, new(At("15:00"), At("08:00", 1), "sick")), Manager);
        var day = At("")[..10];
        var seen = await Run(new ViewAvailability(day));
        Assert.Equal(new[] { Clio, Wilma, Xavier }.Order(), seen.Select(one => one.PractitionerId));
        var wilma = seen.Single(one => one.PractitionerId == Wilma);
        Assert.Equal([(9, 12), (13, 17)], wilma.Working.Select(span => (span.StartsAt.Hour, span.EndsAt.Hour)));
        var away = Assert.Single(wilma.Leave);
        Assert.Equal((15, 0, null), (away.StartsAt.Hour, away.EndsAt.Hour, away.Kind));   // cut to the day; a receptionist is not told why
        Assert.Equal((8, 18), seen.Single(one => one.PractitionerId == Xavier).Working.Select(span => (span.StartsAt.Hour, span.EndsAt.Hour)).Single());
        var left = await LastEvent();
        Assert.Equal(("schedule.viewed", day), (left.Action, left.Details["from"].ToString()));
        Assert.Equal(new HashSet<Guid> { Wilma, Xavier, Clio }, left.Subjects.ToHashSet());

        Assert.Equal("sick", (await Run(new ViewAvailability(day, Practitioner: Wilma.ToString()), Manager)).Single().Leave.Single().Kind);
        Assert.Equal("sick", (await Run(new ViewAvailability(day, Practitioner: Wilma.ToString()), As(BuiltInRole.Doctor, Wilma))).Single().Leave.Single().Kind);
        Assert.Null((await Run(new ViewAvailability(day, Practitioner: Wilma.ToString()), As(BuiltInRole.Doctor, Xavier))).Single().Leave.Single().Kind);
        Assert.Equal(7 * 3, (await Run(new ViewAvailability(From: day, To: At("", 6)[..10]))).Count);
        Assert.Equal([Clio], (await Run(new ViewAvailability(day), As(BuiltInRole.Clinical, Clio))).Select(one => one.PractitionerId));
        Assert.Empty(await Run(new ViewAvailability(day), Platform.As(OtherClinic, BuiltInRole.Owner)));
        Assert.Equal("CHP-SCHEDULE-0007", (await Refused(new ViewAvailability("soon"))).Code);
    }

    [Fact]
    public async Task Free_slots_keep_to_hours_leave_and_rooms()
    {
        var room = await Run(new AddRoom("Treatment"), Platform.As(Clinic, BuiltInRole.Owner));
        await Run(new ChangeHours(Wilma, [Week(null, ("monday", "09:00", "10:00"), ("monday", "10:00", "11:00"))], 0), Manager);
        await Run(new EnterLeave(Wilma, new(At("09:20"), At("09:40"), "other")), Manager);
        await Run(new BookAppointment(Ada, With(Xavier, "10:00", 15) with { RoomId = room.Id }));
        Assert.Equal(["09:00", "09:40", "10:00", "10:20", "10:40"], await Free(null));
        Assert.Equal(["09:00", "09:40", "10:15", "10:35"], await Free(room.Id));

        async Task<string[]> Free(Guid? where) => [.. (await Run(new FindFreeSlots(Wilma.ToString(), null, 20, At("00:00"), where?.ToString())))
            .Where(slot => DateOnly.FromDateTime(slot.StartsAt.DateTime) == Monday).Select(slot => slot.StartsAt.ToString("HH:mm", CultureInfo.InvariantCulture))];
    }

    [Fact]
    public async Task Who_plans_the_rota_changes_everybodys_practitioners_their_own_and_nobody_else_any()
    {
        var wilma = As(BuiltInRole.Doctor, Wilma);
        await Run(new ChangeOwnHours([Week(null, ("friday", "09:00", "12:00"))], 0), wilma);
        Assert.Equal(new EventEntity("member", Wilma), (await LastEvent()).Entity);
        var leave = await Run(new EnterOwnLeave(new(At("")[..10], At("")[..10], "annual", "Weddingword")), wilma);
        Assert.Equal("Weddingword", Assert.Single((await Run(new ViewOwnRota(), wilma)).Leave).Note);
        var seen = await Run(new ViewRota(Wilma));
        Assert.Equal((null, null, false), Assert.Single(seen.Leave) is var shown ? (shown.Kind, shown.Note, seen.SeesWhy) : default);

        var xavier = As(BuiltInRole.Doctor, Xavier);
        Assert.Equal(403, (await Refused(new ViewRota(Wilma), xavier)).Status);
        Assert.Equal(404, (await Refused(new RemoveOwnLeave(leave.Id), xavier)).Status);
        foreach (var (role, status) in new[] { (BuiltInRole.Reception, 403), (BuiltInRole.Doctor, 404), (BuiltInRole.Hr, 403), (BuiltInRole.Admin, 403) })   // a doctor's rights about staff reach themselves only
        {
            Assert.Equal(status, (await Refused(new ChangeHours(Wilma, [], 1), Platform.As(Clinic, role))).Status);
            Assert.Equal(status, (await Refused(new EnterLeave(Wilma, new("2027-01-01", "2027-01-02", "sick")), Platform.As(Clinic, role))).Status);
            Assert.Equal(status, (await Refused(new RemoveLeave(Wilma, leave.Id), Platform.As(Clinic, role))).Status);
        }
        Assert.Equal("CHP-SCHEDULE-0003", (await Refused(new EnterOwnLeave(new("2027-01-01", "2027-01-02", "sick")), As(BuiltInRole.Employee, await Member("Em Ployee", BuiltInRole.Employee)))).Code);

        var stranger = Platform.As(OtherClinic, BuiltInRole.Owner);
        Assert.Equal(404, (await Refused(new ViewRota(Wilma), stranger)).Status);
        Assert.Equal(404, (await Refused(new ChangeHours(Wilma, [], 1), stranger)).Status);
        Assert.Equal(404, (await Refused(new EnterLeave(Wilma, new("2027-01-01", "2027-01-02", "sick")), stranger)).Status);
        Assert.Equal(404, (await Refused(new RemoveLeave(Wilma, leave.Id), stranger)).Status);
        Assert.Equal(404, (await Refused(new RemoveLeave(Xavier, leave.Id), Manager)).Status);   // a true id under somebody else's name
    }

    private Wanted Within(string clock) => new(Wilma, "consultation", At(clock));

    private static TypedWeek Week(string? from, params (string Day, string From, string To)[] spans) =>
        new(from, spans.GroupBy(span => span.Day).ToDictionary(day => day.Key, day => (IReadOnlyList<TypedSpan>)[.. day.Select(span => new TypedSpan(span.From, span.To))], StringComparer.Ordinal));
}
