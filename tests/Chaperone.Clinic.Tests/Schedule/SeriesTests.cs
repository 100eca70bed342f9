using System.Globalization;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.Schedule.Series;
using Chaperone.Platform.Access;

namespace Chaperone.Clinic.Tests.Schedule;

/// <summary>Repeats: all or none, by the clinic's clocks, linked, and changed or cancelled one by one or from one on.</summary>
public sealed class SeriesTests : ScheduleWorld
{
    private static readonly TimeZoneInfo London = TimeZoneInfo.FindSystemTimeZoneById("Europe/London");

    [Fact]
    public async Task Repeats_are_booked_in_one_go_and_one_event_names_them_all()
    {
        var booked = await Run(new BookRepeats(Ada, Within("10:00"), new(2, "week", 4)));
        Assert.Equal([0, 14, 28, 42], booked.Appointments.Select(one => DateOnly.FromDateTime(one.StartsAt.DateTime).DayNumber - Monday.DayNumber));
        Assert.All(booked.Appointments, one => Assert.Equal((booked.SeriesId, "10:00"), (one.SeriesId, one.StartsAt.ToString("HH:mm", CultureInfo.InvariantCulture))));
        var left = await LastEvent();
        Assert.Equal(("appointment.booked", "4"), (left.Action, left.Details["appointments"].ToString()));
        Assert.Equal(booked.Appointments.Select(one => one.Id).Order(), left.Records.Select(record => record.Id).Order());
        Assert.Equal([Ada], left.Subjects);
        var until = await Run(new BookRepeats(Ada, Within("11:00"), new(null, "day", null, At("", 3)[..10])));
        Assert.Equal(4, until.Appointments.Count);
    }

    [Fact]
    public async Task One_clash_refuses_all_and_names_each_or_is_left_out()
    {
        await Run(new BookAppointment(Grace, Within("10:10") with { StartsAt = At("10:10", 7) }));
        await Run(new EnterLeave(Wilma, new(At("", 14)[..10], At("", 14)[..10], "annual")), Platform.As(Clinic, BuiltInRole.Manager));
        var room = await Run(new AddRoom("Room"), Platform.As(Clinic, BuiltInRole.Owner));
        await Run(new BookAppointment(Grace, new(Xavier, "consultation", At("10:00", 21), RoomId: room.Id)));
        var wanted = Within("10:00") with { RoomId = room.Id };

        var refused = await Refused(new BookRepeats(Ada, wanted, new(1, "week", 5)));
        Assert.Equal(("CHP-SCHEDULE-0013", 409), (refused.Code, refused.Status));
        var clashes = (IReadOnlyList<Clash>)refused.Facts["clashes"];
        Assert.Equal([(At("10:00", 7), "time_taken"), (At("10:00", 14), "on_leave"), (At("10:00", 21), "room_taken")], clashes.Select(clash => (clash.StartsAt[..16], clash.Reason)));
        Assert.Equal(2L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.appointment"));

        var booked = await Run(new BookRepeats(Ada, wanted, new(1, "week", 5), SkipClashes: true));
        Assert.Equal((2, 3), (booked.Appointments.Count, booked.Skipped.Count));
        var weekend = await Refused(new BookRepeats(Ada, Within("15:00"), new(1, "day", 7)));
        Assert.Equal(["outside_hours", "outside_hours"], ((IReadOnlyList<Clash>)weekend.Facts["clashes"]).Select(clash => clash.Reason));
        Assert.Equal(7, (await Run(new BookRepeats(Ada, Within("15:00") with { ConfirmOutsideHours = true }, new(1, "day", 7)))).Appointments.Count);
    }

    [Fact]
    public void Clocks_keep_their_time_when_they_change_and_months_their_day_or_their_last()
    {
        Assert.Equal(["2026-03-22 10:00 +00:00", "2026-03-29 10:00 +01:00", "2026-04-05 10:00 +01:00"], Starts("2026-03-22T10:00:00Z", new(1, "week", 3)));
        Assert.Equal(["2026-03-28 01:30 +00:00", "2026-03-29 02:00 +01:00", "2026-03-30 01:30 +01:00"], Starts("2026-03-28T01:30:00Z", new(1, "day", 3)));   // 01:30 is skipped that night
        Assert.Equal(["2026-10-24 01:30 +01:00", "2026-10-25 01:30 +01:00", "2026-10-26 01:30 +00:00"], Starts("2026-10-24T00:30:00Z", new(1, "day", 3)));   // and comes twice that one
        Assert.Equal(["2026-01-31 09:00 +00:00", "2026-02-28 09:00 +00:00", "2026-03-31 09:00 +01:00"], Starts("2026-01-31T09:00:00Z", new(1, "month", 3)));
        Assert.Equal(52, Starts("2026-01-01T09:00:00Z", new(1, "day", 52)).Length);

        static string[] Starts(string first, Repeat repeat) => [.. repeat.Starts(DateTimeOffset.Parse(first, CultureInfo.InvariantCulture), London).Value
            .Select(start => TimeZoneInfo.ConvertTime(start, London).ToString("yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture))];
    }

    [Theory]
    [InlineData(0, "day", 3, null, "repeat.every")]
    [InlineData(1, "year", 3, null, "repeat.unit")]
    [InlineData(1, "day", 1, null, "repeat.count")]
    [InlineData(1, "day", 53, null, "repeat.count")]
    [InlineData(1, "day", null, null, "repeat.count")]
    [InlineData(1, "day", 3, "2030-01-01", "repeat.count")]
    [InlineData(1, "day", null, "2020-01-01", "repeat.until")]
    [InlineData(1, "day", null, "2029-01-01", "repeat.until")]
    [InlineData(1, "day", null, "soon", "repeat.until")]
    public void Repeats_that_cannot_be_are_named_by_field(int? every, string unit, int? count, string? until, string field) =>
        Assert.Equal([field], new Repeat(every, unit, count, until).Starts(new(2026, 11, 2, 10, 0, 0, TimeSpan.Zero), London).Error!.Fields.Keys);

    [Fact]
    public async Task Repeats_farther_than_three_years_or_into_each_other_are_refused()
    {
        Assert.Equal(["repeat.count"], (await Refused(new BookRepeats(Ada, Within("10:00"), new(1, "month", 40)))).Fields.Keys);
        Assert.Equal(["patientId"], (await Refused(new BookRepeats(null, Within("10:00"), new(1, "week", 2)))).Fields.Keys);
        Assert.Equal(404, (await Refused(new BookRepeats(await Patient("Other", "Patient", OtherClinic), Within("10:00"), new(1, "week", 2)))).Status);
        Assert.Equal(403, (await Refused(new BookRepeats(Ada, Within("10:00"), new(1, "week", 2)), Platform.As(Clinic, BuiltInRole.Nurse))).Status);
    }

    [Fact]
    public async Task One_is_changed_alone_and_this_and_the_following_together()
    {
        var series = (await Run(new BookRepeats(Ada, Within("10:00"), new(1, "week", 4)))).Appointments;
        await Run(new ChangeAppointment(series[0].Id, Within("09:00"), 1));
        Assert.Equal(["09:00", "10:00", "10:00", "10:00"], await Times(series));

        // A week later each: every one moves to where the next one is.
        var moved = await Run(new ChangeFollowing(series[1].Id, Within("10:30") with { StartsAt = At("10:30", 14), Minutes = 30, Note = "Newword" }, 1));
        Assert.Equal("3", (await LastEvent()).Details["appointments"].ToString());
        Assert.Equal((14, "Newword", 2L), (DateOnly.FromDateTime(moved.StartsAt.DateTime).DayNumber - Monday.DayNumber, moved.Details.Note, moved.Version));
        Assert.Equal(["09:00", "10:30", "10:30", "10:30"], await Times(series));
        Assert.Equal((int[])[0, 14, 21, 28], await Days(series));
        await Run(new ChangeFollowing(series[1].Id, Within("10:30") with { StartsAt = At("10:45", 7), Minutes = 30 }, 2));
        Assert.Equal((int[])[0, 7, 14, 21], await Days(series));

        await Run(new BookAppointment(Grace, Within("12:00") with { StartsAt = At("12:00", 21) }));
        var refused = await Refused(new ChangeFollowing(series[1].Id, Within("12:00") with { StartsAt = At("12:00", 7) }, 3));
        Assert.Equal([At("12:00", 21)], ((IReadOnlyList<Clash>)refused.Facts["clashes"]).Select(clash => clash.StartsAt[..16]));
        Assert.Equal(["09:00", "10:45", "10:45", "10:45"], await Times(series));
        Assert.Equal(412, (await Refused(new ChangeFollowing(series[1].Id, Within("13:00"), 1))).Status);
        Assert.Equal(428, (await Refused(new ChangeFollowing(series[1].Id, Within("13:00"), null))).Status);
    }

    [Fact]
    public async Task Cancelling_from_one_on_leaves_what_was_before_and_what_is_over()
    {
        var series = (await Run(new BookRepeats(Ada, Within("10:00"), new(1, "week", 4)))).Appointments;
        await Run(new CancelAppointment(series[2].Id, "patient"));
        Assert.Equal(["reason"], (await Refused(new CancelFollowing(series[1].Id, "whim"))).Fields.Keys);
        await Run(new CancelFollowing(series[1].Id, "clinic"));
        var left = await LastEvent();
        Assert.Equal(("appointment.cancelled", "clinic", 2), (left.Action, left.Reason, left.Records.Count(record => record.Type == "clinic.appointment")));
        Assert.Equal(["booked", "cancelled", "cancelled", "cancelled"], await Task.WhenAll(series.Select(async one => (await Run(new ViewAppointment(one.Id))).Status)));
        Assert.Equal("patient", (await Run(new ViewAppointment(series[2].Id))).Details.Cancellation!.Reason);
        Assert.Equal(404, (await Refused(new CancelFollowing(series[0].Id, "clinic"), Platform.As(OtherClinic, BuiltInRole.Owner))).Status);
        Assert.Equal(404, (await Refused(new ChangeFollowing(series[0].Id, Within("11:00"), 1), Platform.As(OtherClinic, BuiltInRole.Owner))).Status);
    }

    [Fact]
    public async Task Two_series_into_each_other_at_once_leave_one_and_no_deadlock()
    {
        var both = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Try(new BookRepeats(i % 2 == 0 ? Ada : Grace, Within(i % 2 == 0 ? "10:00" : "10:05"), new(1, "week", 10)))));
        Assert.Single(both, result => result.Succeeded);
        Assert.Equal(10L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.appointment"));
        Assert.DoesNotContain(Platform.Logs.Lines, line => line.Contains("40P01", StringComparison.Ordinal));
    }

    private async Task<string[]> Times(IEnumerable<Appointment> series) => [.. (await Task.WhenAll(series.Select(one => Run(new ViewAppointment(one.Id))))).Select(one => one.StartsAt.ToString("HH:mm", CultureInfo.InvariantCulture))];

    private async Task<int[]> Days(IEnumerable<Appointment> series) => [.. (await Task.WhenAll(series.Select(one => Run(new ViewAppointment(one.Id))))).Select(one => DateOnly.FromDateTime(one.StartsAt.DateTime).DayNumber - Monday.DayNumber)];

    private Wanted Within(string clock) => new(Wilma, "consultation", At(clock));
}
