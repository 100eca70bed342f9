using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.Settings;

namespace Chaperone.Clinic.Tests.Schedule;

/// <summary>Times as typed, days, and what is free of them: pure.</summary>
public sealed class ClinicTimeTests
{
    private static readonly TimeZoneInfo London = TimeZoneInfo.FindSystemTimeZoneById("Europe/London");
    private static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);   // a Monday

    [Theory]
    [InlineData("2026-07-01T10:30", "2026-07-01T09:30:00Z")]
    [InlineData("2026-01-05T10:30:00", "2026-01-05T10:30:00Z")]
    [InlineData("2026-07-01T10:30+02:00", "2026-07-01T08:30:00Z")]
    [InlineData(" 2026-07-01T10:30:00.000Z ", "2026-07-01T10:30:00Z")]
    [InlineData("2026-10-25T01:30+01:00", "2026-10-25T00:30:00Z")]
    public void Times_are_read_in_the_clinics_zone_or_with_their_offset(string text, string utc) =>
        Assert.Equal((DateTimeOffset.Parse(utc, System.Globalization.CultureInfo.InvariantCulture), null), ClinicTime.Parse(text, London));

    [Theory]
    [InlineData("2026-03-29T01:30", "go forward")]
    [InlineData("2026-10-25T01:30", "go back")]
    [InlineData("2026-07-01T10:30:30", "whole minutes")]
    [InlineData("2026-02-30T10:30", "such as")]
    [InlineData("2026-07-01T25:00", "such as")]
    [InlineData("2026-07-01", "such as")]
    [InlineData("tomorrow", "such as")]
    [InlineData("", "such as")]
    [InlineData(null, "such as")]
    [InlineData("0001-01-01T00:00", "this century")]
    [InlineData("9999-12-31T23:59-14:00", "s")]
    [InlineData("9999-12-31T23:59Z", "this century")]
    public void Times_that_are_none_are_told_what_is_wrong(string? text, string says)
    {
        var (time, fault) = ClinicTime.Parse(text, London);
        Assert.Null(time);
        Assert.Contains(says, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_day_begins_when_its_clocks_say_so_also_where_midnight_is_skipped()
    {
        Assert.Equal(new DateTimeOffset(2026, 6, 30, 23, 0, 0, TimeSpan.Zero), ClinicTime.StartOf(new(2026, 7, 1), London));
        Assert.Equal(25, (ClinicTime.StartOf(new(2026, 10, 26), London) - ClinicTime.StartOf(new(2026, 10, 25), London)).TotalHours);
        var cairo = TimeZoneInfo.FindSystemTimeZoneById("Africa/Cairo");   // went from 23:59:59 to 01:00 on 26 April 2024
        Assert.Equal(new DateTimeOffset(2024, 4, 25, 22, 0, 0, TimeSpan.Zero), ClinicTime.StartOf(new(2024, 4, 26), cairo));
        Assert.Equal(23, (ClinicTime.StartOf(new(2024, 4, 27), cairo) - ClinicTime.StartOf(new(2024, 4, 26), cairo)).TotalHours);
    }

    [Theory]
    [InlineData("10:00", null, null, null)]
    [InlineData("10:00", "10:30", null, null)]
    [InlineData("10:00", "10:30", 30, null)]
    [InlineData("10:00", "22:00", null, null)]
    [InlineData("08:45", null, null, null)]        // begun a quarter of an hour ago
    [InlineData("08:44", null, null, "startsAt")]
    [InlineData("10:00", "10:00", null, "endsAt")]
    [InlineData("10:00", "09:00", null, "endsAt")]
    [InlineData("10:00", "22:01", null, "endsAt")]
    [InlineData("10:00", "10:30", 20, "minutes")]
    [InlineData("10:00", null, 0, "minutes")]
    [InlineData("10:00", null, -5, "minutes")]
    [InlineData("10:00", null, 721, "minutes")]
    [InlineData("10:00", null, int.MaxValue, "minutes")]
    public void Slots_are_read_or_their_field_is_named(string start, string? end, int? minutes, string? field)
    {
        var wanted = new Wanted(Guid.NewGuid(), "consultation", "2026-03-02T" + start, end is null ? null : "2026-03-02T" + end, minutes).Read(AppointmentTypes.Usual, London, Now);
        Assert.Equal(field is null ? [] : [field], wanted.Error?.Fields.Keys ?? []);
        if (field is null) Assert.Equal(end is null ? 15 : (TimeOnly.Parse(end, System.Globalization.CultureInfo.InvariantCulture) - new TimeOnly(10, 0)).TotalMinutes, (wanted.Value.EndsAt - wanted.Value.StartsAt).TotalMinutes);
    }

    [Fact]
    public void Slots_name_every_field_at_fault()
    {
        var wanted = new Wanted(null, "party", "2031-01-01T10:00", null, null, new string('x', 201), "half \ud800").Read(AppointmentTypes.Usual, London, Now);
        Assert.Equal(["note", "practitionerId", "reason", "startsAt", "type"], wanted.Error!.Fields.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["reason"], new Wanted(Guid.NewGuid(), "video", "2026-03-03T10:00", Reason: "a\0b").Read(AppointmentTypes.Usual, London, Now).Error!.Fields.Keys);
        Assert.Equal(["endsAt"], new Wanted(Guid.NewGuid(), "video", "2026-03-28T23:00", "2026-03-30T01:00").Read(AppointmentTypes.Usual, London, Now).Error!.Fields.Keys);   // twenty-five hours
    }

    [Fact]
    public void Nights_with_a_change_of_clocks_are_measured_in_real_time()
    {
        Assert.True(new Wanted(Guid.NewGuid(), "video", "2026-10-24T22:00", "2026-10-25T10:00").Read(AppointmentTypes.Usual, London, Now).Error!.Fields.ContainsKey("endsAt"));   // thirteen hours that night
        Assert.Equal(11, (new Wanted(Guid.NewGuid(), "video", "2026-03-28T22:00", "2026-03-29T10:00").Read(AppointmentTypes.Usual, London, Now).Value is var night ? night.EndsAt - night.StartsAt : default).TotalHours);
    }

    [Fact]
    public void Free_time_lies_between_what_is_taken_within_working_hours()
    {
        Taken[] taken = [Between("10:00", "10:30"), Between("10:40", "17:30"), Between("17:58", "19:00")];
        string[] first = [.. FreeTime.Starts(Usually(new(2026, 3, 2), new(2026, 3, 3)), taken, Now.AddMinutes(2), TimeSpan.FromMinutes(20)).Take(6).Select(start => start.ToString("dd HH:mm", System.Globalization.CultureInfo.InvariantCulture))];
        Assert.Equal(["02 09:05", "02 09:25", "02 17:30", "03 08:00", "03 08:20", "03 08:40"], first);
        Assert.Empty(Usually(new(2026, 3, 7), new(2026, 3, 8)));   // a weekend
        Assert.Empty(FreeTime.Starts(Usually(new(2026, 3, 2), new(2026, 3, 3)), [], Now, TimeSpan.FromMinutes(601)));
        Assert.Equal(120, FreeTime.Starts(Usually(new(2026, 3, 1), new(2026, 3, 2)), [], Now.AddDays(-1), TimeSpan.FromMinutes(5)).Count());

        static IEnumerable<Taken> Usually(DateOnly first, DateOnly last) => new Plan(London, WeekPattern.Of(WorkingWeek.Usual), new Dictionary<Guid, WorkingHoursRow>(), Array.Empty<LeaveRow>().ToLookup(row => row.Id)).Working(Guid.Empty, first, last);
        static Taken Between(string from, string to) => new(At(from), At(to));
        static DateTimeOffset At(string clock) => DateTimeOffset.Parse($"2026-03-02T{clock}Z", System.Globalization.CultureInfo.InvariantCulture);
    }
}
