using System.Globalization;
using Chaperone.Clinic.Mail;
using Chaperone.Clinic.Notices;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.Schedule;

/// <summary>Two clinics with a schedule on the real PostgreSQL behind the real monitor: in the first two doctors, a nurse, another clinician and two patients.</summary>
public abstract class ScheduleWorld : TwoClinics
{
    private protected Caller Reception => Usual;

    private protected Guid Wilma { get; private set; }

    private protected Guid Xavier { get; private set; }

    private protected Guid Clio { get; private set; }

    private protected Guid Ada { get; private set; }

    private protected Guid Grace { get; private set; }

    /// <summary>A Monday more than a week ahead on which no clock changes.</summary>
    private protected DateOnly Monday { get; private set; }

    private protected override Role UsualRole => BuiltInRole.Reception;

    private protected override void AddFeature(IServiceCollection services) => services.AddSchedule().AddNotices();

    private protected override async Task BeginAsync()
    {
        (Wilma, Xavier, Clio) = (await Member("Wilma Quist", BuiltInRole.Doctor), await Member("Xavier Young", BuiltInRole.Doctor), await Member("Clio Park", BuiltInRole.Clinical));
        (Ada, Grace) = (await Patient("Adelaide", "Zimmerstein"), await Patient("Graciela", "Yellowhammer"));
        var day = DateOnly.FromDateTime(Platform.Clock.GetUtcNow().UtcDateTime).AddDays(8);
        while (day.DayOfWeek != DayOfWeek.Monday) day = day.AddDays(1);
        Monday = day;
    }

    private protected Task<Guid> Member(string name, Role role, Guid? patient = null, Tenant? clinic = null) =>
        Run(new CreateMember(name, $"{Guid.NewGuid():N}@{(clinic ?? Clinic).Host}", [role], Patient: patient), new(clinic ?? Clinic, Actor.Operator, new("cli", "test")));

    /// <summary>Somebody signed in to this account.</summary>
    private protected Caller As(Role role, Guid member, Guid? patient = null)
    {
        var caller = Platform.As(Clinic, role, patient);
        return caller with { Actor = caller.Actor with { Id = member } };
    }

    /// <summary>A clock's time on the Monday.</summary>
    private protected string At(string clock, int days = 0) => Monday.AddDays(days).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) + "T" + clock;

    /// <summary>Wanted at this time, within working hours or not.</summary>
    private protected Wanted With(Guid practitioner, string clock, int? minutes = null) => new(practitioner, "consultation", At(clock), Minutes: minutes, ConfirmOutsideHours: true);

    private protected Task<Appointment> Book(string clock, Guid? patient = null, Guid? practitioner = null, int? minutes = null) =>
        Run(new BookAppointment(patient ?? Ada, With(practitioner ?? Wilma, clock, minutes) with { Reason = "Sorethroatword", Note = "Colleaguesword" }));

    /// <summary>Moves the clock to this time of the Monday in the clinic.</summary>
    private protected void GoTo(string clock, int days = 0) =>
        Platform.Clock.Advance(ClinicTime.Parse(At(clock, days), ClinicTime.ZoneOf(Clinic)).Time!.Value - Platform.Clock.GetUtcNow());
}
