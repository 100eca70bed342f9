using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Schedule.Waiting;
using Chaperone.Clinic.Team;
using Chaperone.Platform.Access;

namespace Chaperone.Clinic.Tests.Schedule;

/// <summary>Nobody leaves with appointments still to come unless somebody has seen which and says so.</summary>
public sealed class UpcomingTests : ScheduleWorld
{
    [Fact]
    public async Task Archiving_a_patient_names_what_is_still_to_come_and_is_done_when_confirmed()
    {
        var doctor = As(BuiltInRole.Doctor, Wilma);
        var (stands, cancelled) = (await Book("10:00"), await Book("11:00"));
        await Run(new CancelAppointment(cancelled.Id, "clinic"));
        await Run(new AddWaiting(Ada, new(null, "consultation", null, null, null, null, 3, null)));
        var refused = await Refused(new ArchivePatient(Ada, "moved_away", null, 1), doctor);
        Assert.Equal(("CHP-SCHEDULE-0015", 409, 1, 1), (refused.Code, refused.Status, refused.Facts["appointmentCount"], refused.Facts["waitingCount"]));
        Assert.Equal([stands.Id], (Guid[])refused.Facts["appointmentIds"]);
        Assert.Equal("active", (await Run(new ViewPatient(Ada))).Status);
        Assert.Equal("archived", (await Run(new ArchivePatient(Ada, "moved_away", null, 1, Confirm: true), doctor)).Status);
        Assert.Equal("booked", (await Run(new ViewAppointment(stands.Id))).Status);   // nothing is cancelled behind anybody's back
        await Run(new ArchivePatient(Grace, "moved_away", null, 1), doctor);
    }

    [Fact]
    public async Task Closing_a_practitioners_account_names_what_is_still_to_come_and_past_ones_do_not_count()
    {
        var owner = Platform.As(Clinic, BuiltInRole.Owner);
        var booked = await Book("10:00");
        var refused = await Refused(new DeactivateMember(Wilma), owner);
        Assert.Equal(("CHP-SCHEDULE-0015", 1), (refused.Code, refused.Facts["appointmentCount"]));
        Assert.Equal(booked.Id, Assert.Single((Guid[])refused.Facts["appointmentIds"]));
        await Run(new DeactivateMember(Xavier), owner);
        GoTo("12:00");
        await Run(new DeactivateMember(Wilma), owner with { Actor = owner.Actor with { State = owner.Actor.State with { SteppedUpAt = Platform.Clock.GetUtcNow() } } });
    }

    [Fact]
    public async Task Archiving_and_booking_at_once_never_pass_each_other_unseen()
    {
        for (var round = 0; round < 6; round++)
        {
            var patient = await Patient("Pat", $"Race{round}");
            var archiving = Try(new ArchivePatient(patient, "moved_away", null, 1), As(BuiltInRole.Doctor, Wilma));
            var booking = Try(new BookAppointment(patient, With(Wilma, $"{9 + round:00}:00")));
            await Task.WhenAll(archiving, booking);
            Assert.True((await archiving).Succeeded != (await booking).Succeeded, $"{(await archiving).Error?.Code} {(await booking).Error?.Code}");
        }
    }

    [Fact]
    public async Task Closing_an_account_and_booking_with_it_at_once_never_pass_each_other_unseen()
    {
        var owner = Platform.As(Clinic, BuiltInRole.Owner);
        for (var round = 0; round < 6; round++)
        {
            var doctor = await Member($"Doctor {round}", BuiltInRole.Doctor);
            var closing = Try(new DeactivateMember(doctor), owner);
            var booking = Try(new BookAppointment(Ada, With(doctor, "10:00")));
            await Task.WhenAll(closing, booking);
            Assert.True((await closing).Succeeded != (await booking).Succeeded, $"{(await closing).Error?.Code} {(await booking).Error?.Code}");
        }
    }
}
