using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.Schedule;

/// <summary>Rooms, which are given once as practitioners are, and the clinic's own sorts of appointment.</summary>
public sealed class RoomAndTypeTests : ScheduleWorld
{
    private Caller Owner => Platform.As(Clinic, BuiltInRole.Owner);

    [Fact]
    public async Task Fifty_at_once_for_one_room_with_different_practitioners_give_one_appointment()
    {
        var room = await Run(new AddRoom("Room 1"), Owner);
        var all = await Task.WhenAll(Enumerable.Range(0, 50).Select(i =>
            Try(new BookAppointment(i % 2 == 0 ? Ada : Grace, With((i % 3) switch { 0 => Wilma, 1 => Xavier, _ => Clio }, i % 4 == 0 ? "10:05" : "10:00") with { RoomId = room.Id }))));
        var won = Assert.Single(all, result => result.Succeeded).Value;
        Assert.Equal(room.Id, won.RoomId);
        var codes = all.Where(result => !result.Succeeded).Select(result => result.Error!.Code).ToHashSet();
        Assert.Superset(codes, new HashSet<string> { "CHP-SCHEDULE-0002", "CHP-SCHEDULE-0010" });   // the same practitioner and the same room: either may speak
        Assert.Contains("CHP-SCHEDULE-0010", codes);
        Assert.Equal(1L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.appointment"));
        Assert.DoesNotContain(Platform.Logs.Lines, line => line.Contains("40P01", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_room_is_taken_by_what_takes_time_and_free_beside_it_elsewhere_and_after()
    {
        var (one, two) = (await Run(new AddRoom("Room 1"), Owner), await Run(new AddRoom("Room 2"), Owner));
        var first = await Run(new BookAppointment(Ada, With(Wilma, "10:00", 30) with { RoomId = one.Id }));
        Assert.Equal(("CHP-SCHEDULE-0010", 409), await Refused(new BookAppointment(Grace, With(Xavier, "10:15") with { RoomId = one.Id })) is var taken ? (taken.Code, taken.Status) : default);
        var second = await Run(new BookAppointment(Grace, With(Xavier, "10:15") with { RoomId = two.Id }));
        await Run(new BookAppointment(Grace, With(Clio, "10:15")));
        await Run(new BookAppointment(Grace, With(Xavier, "10:30") with { RoomId = one.Id }));
        Assert.Equal("CHP-SCHEDULE-0010", (await Refused(new ChangeAppointment(second.Id, With(Xavier, "10:15") with { RoomId = one.Id }, 1))).Code);
        await Run(new CancelAppointment(first.Id, "clinic"));
        Assert.Equal(one.Id, (await Run(new ChangeAppointment(second.Id, With(Xavier, "10:15") with { RoomId = one.Id }, 1))).RoomId);
        Assert.Contains(new FieldChange("room_id", "changed"), (await LastEvent()).Changes);
        Assert.Null((await Run(new ChangeAppointment(second.Id, With(Xavier, "10:15"), 2))).RoomId);

        await Run(new ChangeRoom(two.Id, "Room 2", false, 1), Owner);
        Assert.Equal(["roomId"], (await Refused(new BookAppointment(Ada, With(Wilma, "12:00") with { RoomId = two.Id }))).Fields.Keys);
        Assert.Equal(["roomId"], (await Refused(new BookAppointment(Ada, With(Wilma, "12:00") with { RoomId = Guid.NewGuid() }))).Fields.Keys);
        var theirs = await Run(new AddRoom("Theirs"), Platform.As(OtherClinic, BuiltInRole.Owner));
        Assert.Equal(["roomId"], (await Refused(new BookAppointment(Ada, With(Wilma, "12:00") with { RoomId = theirs.Id }))).Fields.Keys);
        Assert.Equal(["Room 1"], (await Run(new ListRooms())).Select(room => room.Name));
        Assert.Equal(["Room 1", "Room 2"], (await Run(new ListRooms(true))).Select(room => room.Name));
    }

    [Fact]
    public async Task Rooms_have_names_of_their_own_and_are_changed_by_who_may_change_settings()
    {
        var room = await Run(new AddRoom(" Room 1 "), Owner);
        var left = await LastEvent();
        Assert.Equal(("settings.modified", new EventEntity("room", room.Id)), (left.Action, left.Entity));
        Assert.Contains(new FieldChange("room", null, null, "Room 1"), left.Changes);
        Assert.Equal(["name"], (await Refused(new AddRoom("ROOM 1"), Owner)).Fields.Keys);
        Assert.Equal(["name"], (await Refused(new AddRoom(" "), Owner)).Fields.Keys);
        Assert.Equal(412, (await Refused(new ChangeRoom(room.Id, "Room A", true, 7), Owner)).Status);
        await Run(new ChangeRoom(room.Id, "Room A", false, 1), Owner);
        Assert.Equal([new("active", null, "True", "False"), new FieldChange("room", null, "Room 1", "Room A")], (await LastEvent()).Changes.Where(change => change.Field is "active" or "room").OrderBy(change => change.Field, StringComparer.Ordinal));
        foreach (var role in new[] { BuiltInRole.Manager, BuiltInRole.Reception, BuiltInRole.Doctor }) Assert.Equal(403, (await Refused(new AddRoom("Mine"), Platform.As(Clinic, role))).Status);
        Assert.Equal(404, (await Refused(new ChangeRoom(room.Id, "Mine", true, 2), Platform.As(OtherClinic, BuiltInRole.Owner))).Status);
        var both = await Task.WhenAll(Try(new AddRoom("Same"), Owner), Try(new AddRoom("same"), Owner));
        Assert.Single(both, result => result.Succeeded);
    }

    [Fact]
    public async Task A_clinic_begins_with_the_usual_types_and_changes_adds_and_retires_its_own()
    {
        var before = await Run(new ListAppointmentTypes());
        Assert.Equal(ScheduleCodes.UsualTypes, before);
        var video = await Run(new ChangeAppointmentType("video", new("Video call", 25, "pink", Order: 5), 0), Owner);
        Assert.Equal(("video", 25, 1L), (video.Code, video.Minutes, video.Version));
        var left = await LastEvent();
        Assert.Equal("settings.modified", left.Action);
        Assert.Superset(new HashSet<FieldChange> { new("appointment_type.video.minutes", null, "15", "25"), new("appointment_type.video.name", null, "Video", "Video call") }, left.Changes.ToHashSet());
        Assert.Equal("video", (await Run(new ListAppointmentTypes()))[0].Code);
        Assert.Equal(before.Count, (await Run(new ListAppointmentTypes())).Count);
        Assert.Equal(25, (await Run(new BookAppointment(Ada, With(Wilma, "09:00") with { Type = "video" }))) is var booked ? (booked.EndsAt - booked.StartsAt).TotalMinutes : 0);

        var added = await Run(new AddAppointmentType(new("Ärztliche Prüfung", 50, "lime")), Owner);
        Assert.Equal(("arztliche_prufung", 90), (added.Code, added.Order));
        await Run(new BookAppointment(Ada, With(Wilma, "10:00") with { Type = added.Code }));
        Assert.Equal(ScheduleCodes.UsualTypes, await Run(new ListAppointmentTypes(), Platform.As(OtherClinic, BuiltInRole.Owner)));

        await Run(new ChangeAppointmentType("video", new("Video call", 25, "pink", Active: false), 1), Owner);
        Assert.Equal(["type"], (await Refused(new BookAppointment(Ada, With(Wilma, "11:00") with { Type = "video" }))).Fields.Keys);
        Assert.Equal("video", (await Run(new ChangeAppointment(booked.Id, With(Wilma, "11:00", 25) with { Type = "video" }, 1))).Type);   // what has it keeps it
        Assert.DoesNotContain(await Run(new ListAppointmentTypes()), type => type.Code == "video");
        Assert.Contains(await Run(new ListAppointmentTypes(true)), type => type is { Code: "video", Active: false, Name: "Video call" });
    }

    [Fact]
    public async Task Types_at_fault_are_told_and_only_settings_permission_changes_them()
    {
        Assert.Equal(["colour", "minutes", "name"], (await Refused(new AddAppointmentType(new(" ", 0, "mud")), Owner)).Fields.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["name"], (await Refused(new AddAppointmentType(new("video", 10, "red")), Owner)).Fields.Keys);
        Assert.Equal(404, (await Refused(new ChangeAppointmentType("party", new("Party", 10, "red"), 0), Owner)).Status);
        Assert.Equal(412, (await Refused(new ChangeAppointmentType("video", new("Video", 10, "red"), 3), Owner)).Status);
        Assert.Equal(428, (await Refused(new ChangeAppointmentType("video", new("Video", 10, "red"), null), Owner)).Status);
        Assert.Equal(403, (await Refused(new AddAppointmentType(new("Mine", 10, "red")), Platform.As(Clinic, BuiltInRole.Manager))).Status);
        var types = await Run(new ListAppointmentTypes());
        foreach (var type in types.SkipLast(1)) await Run(new ChangeAppointmentType(type.Code, new(type.Name, type.Minutes, type.Colour, false), 0), Owner);
        Assert.Equal(["active"], (await Refused(new ChangeAppointmentType(types[^1].Code, new("Last", 10, "red", false), 0), Owner)).Fields.Keys);
        var both = await Task.WhenAll(Try(new AddAppointmentType(new("Same", 10, "red")), Owner), Try(new AddAppointmentType(new("same", 10, "red")), Owner));
        Assert.Single(both, result => result.Succeeded);
    }
}
