using System.Text;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Schedule.Waiting;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.Schedule;

/// <summary>The waiting list: who is offered which time, and that an entry is taken once.</summary>
public sealed class WaitingTests : ScheduleWorld
{
    [Fact]
    public async Task An_entry_is_sealed_shown_by_priority_and_its_events_name_the_patient_and_no_words()
    {
        var routine = await Wait(Ada, With() with { Note = "Anxiousword" });
        var left = await LastEvent();
        Assert.Equal(("waiting.added", new EventEntity("waiting_entry", routine.Id)), (left.Action, left.Entity));
        Assert.Equal([Ada], left.Subjects);
        Assert.DoesNotContain("word", Encoding.UTF8.GetString(EventJson.Write(left)), StringComparison.Ordinal);
        var urgent = await Wait(Grace, With() with { Priority = 1 });
        var listed = await Run(new ListWaiting());
        Assert.Equal([urgent.Id, routine.Id], listed.Select(entry => entry.Id));
        Assert.Equal(["YELLOWHAMMER, Graciela", "ZIMMERSTEIN, Adelaide"], listed.Select(entry => entry.PatientName));
        Assert.Equal(new HashSet<Guid> { Ada, Grace }, (await LastEvent()).Subjects.ToHashSet());
        var manager = await Run(new ListWaiting(), Platform.As(Clinic, BuiltInRole.Manager));
        Assert.All(manager, entry => Assert.Equal((null, null), (entry.PatientName, entry.Details.Note)));
        Assert.Equal([urgent.Id], (await Run(new ListWaiting(Priority: "1"))).Select(entry => entry.Id));
        Assert.Equal(403, (await Refused(new ListWaiting(), Platform.As(Clinic, BuiltInRole.Doctor))).Status);
        Assert.Empty(await Run(new ListWaiting(), Platform.As(OtherClinic, BuiltInRole.Owner)));
        Assert.Equal(404, (await Refused(new RemoveWaiting(urgent.Id), Platform.As(OtherClinic, BuiltInRole.Owner))).Status);
        Assert.Equal(404, (await Refused(new ChangeWaiting(urgent.Id, With(), 1), Platform.As(OtherClinic, BuiltInRole.Owner))).Status);
    }

    [Fact]
    public async Task A_freed_time_is_offered_to_those_it_suits_and_the_answer_says_how_many()
    {
        var (day, next) = (At("")[..10], At("", 1)[..10]);
        var any = await Wait(Ada, With() with { Earliest = day });
        var first = await Wait(Grace, With() with { PractitionerId = Wilma, Priority = 1, Parts = ["morning"] });
        await Wait(Grace, With() with { PractitionerId = Xavier });
        await Wait(Grace, With() with { Parts = ["evening"] });
        await Wait(Grace, With() with { Minutes = 60 });
        await Wait(Grace, With() with { Earliest = next });
        var booked = await Book("10:00", minutes: 30);
        var cancelled = await Run(new CancelAppointment(booked.Id, "patient"));
        Assert.Equal(2, cancelled.WaitingFits);
        var offers = await Run(new OffersFor(Wilma.ToString(), At("10:00"), At("10:30")));
        Assert.Equal([first.Id, any.Id], offers.Select(entry => entry.Id));
        Assert.All(offers, entry => Assert.Equal((Wilma, 10), (entry.FreeWith, entry.FreeAt!.Value.Hour)));
        Assert.Equal(new HashSet<Guid> { Ada, Grace }, (await LastEvent()).Subjects.ToHashSet());

        var other = await Book("14:00");
        Assert.Equal(1, (await Run(new ChangeAppointment(other.Id, With(Wilma, "16:00"), 1))).WaitingFits);   // the afternoon suits one less
        Assert.Equal(["endsAt", "practitioner", "startsAt"], (await Refused(new OffersFor("x", "soon", null))).Fields.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Each_entry_is_shown_the_next_free_time_that_suits_it()
    {
        await Wait(Ada, With() with { PractitionerId = Wilma, Earliest = At("")[..10], Latest = At("")[..10], Parts = ["afternoon"] });
        await Book("12:00", Grace, minutes: 60);
        var entry = Assert.Single(await Run(new ListWaiting(Practitioner: Wilma.ToString())));
        Assert.Equal((Wilma, Monday, 13), (entry.FreeWith, DateOnly.FromDateTime(entry.FreeAt!.Value.DateTime), entry.FreeAt.Value.Hour));
        await Book("13:00", Grace, minutes: 300);
        Assert.Null(Assert.Single(await Run(new ListWaiting())).FreeAt);
    }

    [Fact]
    public async Task Booking_an_entry_closes_it_in_the_same_commit_and_of_many_at_once_one_wins()
    {
        var entry = await Wait(Ada, With());
        Assert.Equal(["patientId"], (await Refused(new BookAppointment(Grace, With(Wilma, "10:00"), entry.Id))).Fields.Keys);
        var all = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Try(new BookAppointment(Ada, With(i % 2 == 0 ? Wilma : Xavier, $"{9 + i / 2:00}:00"), entry.Id))));
        var won = Assert.Single(all, result => result.Succeeded).Value;
        Assert.All(all.Where(result => !result.Succeeded), result => Assert.Equal(("CHP-SCHEDULE-0014", 409), (result.Error!.Code, result.Error.Status)));
        Assert.Equal(1L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.appointment"));
        Assert.Empty(await Run(new ListWaiting()));
        var closed = await Run(new ViewWaiting(entry.Id));
        Assert.Equal(("booked", won.Id), (closed.Status, closed.AppointmentId));
        var left = (await Platform.EventsAsync(Clinic)).Single(happened => happened is { Action: "appointment.booked", Outcome: EventOutcome.Success });
        Assert.Equal(["clinic.appointment", "clinic.waiting_entry"], left.Records.Select(record => record.Type).Order(StringComparer.Ordinal));

        var second = await Wait(Ada, With());
        Assert.Equal("CHP-SCHEDULE-0002", (await Refused(new BookAppointment(Ada, With(won.PractitionerId, won.StartsAt.ToString("HH:mm", System.Globalization.CultureInfo.InvariantCulture)), second.Id))).Code);
        Assert.Equal("waiting", (await Run(new ViewWaiting(second.Id))).Status);   // a time that was taken takes nobody off the list
    }

    [Fact]
    public async Task Entries_are_changed_and_removed_while_they_wait_and_faults_are_named()
    {
        Assert.Equal(["earliest", "latest", "minutes", "parts", "priority", "type"],
            (await Refused(new AddWaiting(Ada, new(null, "party", 0, "soon", "later", ["night"], 7, null)))).Fields.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["patientId"], (await Refused(new AddWaiting(null, With()))).Fields.Keys);
        Assert.Equal(404, (await Refused(new AddWaiting(await Patient("Other", "Patient", OtherClinic), With()))).Status);
        var entry = await Wait(Ada, With());
        Assert.Equal(412, (await Refused(new ChangeWaiting(entry.Id, With(), 7))).Status);
        Assert.Equal(2, (await Run(new ChangeWaiting(entry.Id, With() with { Priority = 2 }, 1))).Priority);
        Assert.Equal("removed", (await Run(new RemoveWaiting(entry.Id))).Status);
        Assert.Equal("CHP-SCHEDULE-0014", (await Refused(new RemoveWaiting(entry.Id))).Code);
        Assert.Equal("CHP-SCHEDULE-0014", (await Refused(new ChangeWaiting(entry.Id, With(), 3))).Code);
        Assert.Equal("CHP-SCHEDULE-0014", (await Refused(new BookAppointment(Ada, With(Wilma, "10:00"), entry.Id))).Code);
    }

    private static TypedWaiting With() => new(null, "consultation", null, null, null, null, 3, null);

    private Task<WaitingEntry> Wait(Guid patient, TypedWaiting wanted) => Run(new AddWaiting(patient, wanted));
}
