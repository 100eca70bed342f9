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
public abstract class ScheduleWorld : IAsyncLifetime
{
    private protected TestPlatform Platform { get; private set; } = null!;

    private protected Tenant Clinic { get; private set; } = null!;

    private protected Tenant OtherClinic { get; private set; } = null!;

    private protected Caller Reception { get; private set; } = null!;

    private protected Guid Wilma { get; private set; }

    private protected Guid Xavier { get; private set; }

    private protected Guid Clio { get; private set; }

    private protected Guid Ada { get; private set; }

    private protected Guid Grace { get; private set; }

    /// <summary>A Monday more than a week ahead on which no clock changes.</summary>
    private protected DateOnly Monday { get; private set; }

    public async ValueTask InitializeAsync()
    {
        Platform = await TestPlatform.CreateAsync(
            services =>
            {
                services.AddDataProtection();
                services.AddSignIn();
                services.AddMail();
                services.AddSingleton(new Passwords(1000));
                services.AddPatients();
                services.AddSchedule().AddNotices();
            },
            typeof(ScheduleFeature).Assembly);
        Clinic = await Platform.AddClinicAsync("one.test");
        OtherClinic = await Platform.AddClinicAsync("two.test");
        Reception = Platform.As(Clinic, BuiltInRole.Reception);
        (Wilma, Xavier, Clio) = (await Member("Wilma Quist", BuiltInRole.Doctor), await Member("Xavier Young", BuiltInRole.Doctor), await Member("Clio Park", BuiltInRole.Clinical));
        (Ada, Grace) = (await Patient("Adelaide", "Zimmerstein"), await Patient("Graciela", "Yellowhammer"));
        var day = DateOnly.FromDateTime(Platform.Clock.GetUtcNow().UtcDateTime).AddDays(8);
        while (day.DayOfWeek != DayOfWeek.Monday) day = day.AddDays(1);
        Monday = day;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Platform.DisposeAsync();
    }

    private protected Task<Guid> Member(string name, Role role, Guid? patient = null, Tenant? clinic = null) =>
        Run(new CreateMember(name, $"{Guid.NewGuid():N}@{(clinic ?? Clinic).Host}", [role], Patient: patient), new(clinic ?? Clinic, Actor.Operator, new("cli", "test")));

    private protected async Task<Guid> Patient(string given, string family, Tenant? clinic = null) =>
        (await Run(new RegisterPatient(new() { GivenNames = given, FamilyName = family, DateOfBirth = new(1980, 2, 29), Gender = "female" }), Platform.As(clinic ?? Clinic, BuiltInRole.Doctor))).Id;

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

    private protected async Task<T> Run<T>(IOperation<T> operation, Caller? caller = null)
    {
        var result = await Try(operation, caller);
        Assert.True(result.Succeeded, $"{operation.GetType().Name}: {result.Error?.Code} {string.Join(", ", result.Error?.Fields.Keys ?? [])} {string.Join(Environment.NewLine, Platform.Logs.Lines.TakeLast(3))}");
        return result.Value;
    }

    private protected Task<Result<T>> Try<T>(IOperation<T> operation, Caller? caller = null) => Platform.Monitor.Run(operation, caller ?? Reception, CancellationToken.None);

    private protected async Task<Error> Refused<T>(IOperation<T> operation, Caller? caller = null) =>
        (await Try(operation, caller)).Error ?? throw new Xunit.Sdk.XunitException(operation.GetType().Name + " was not refused.");

    private protected async Task<LedgerEvent> LastEvent(Tenant? clinic = null) => (await Platform.EventsAsync(clinic ?? Clinic))[^1];
}
