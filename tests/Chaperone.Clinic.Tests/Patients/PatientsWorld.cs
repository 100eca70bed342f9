using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Chaperone.TestSupport;

namespace Chaperone.Clinic.Tests.Patients;

/// <summary>Two clinics with the register, on the real PostgreSQL behind the real monitor.</summary>
public abstract class PatientsWorld : IAsyncLifetime
{
    private protected TestPlatform Platform { get; private set; } = null!;

    private protected Tenant Clinic { get; private set; } = null!;

    private protected Tenant OtherClinic { get; private set; } = null!;

    private protected Caller Doctor { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync()
    {
        Platform = await TestPlatform.CreateAsync(services => services.AddPatients().AddSchedule(), typeof(RegisterPatient).Assembly, typeof(BulkRegister).Assembly);
        Clinic = await Platform.AddClinicAsync("one.test");
        OtherClinic = await Platform.AddClinicAsync("two.test");
        Doctor = Platform.As(Clinic, BuiltInRole.Doctor);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Platform.DisposeAsync();
    }

    private protected static PersonDetails Person(string given, string family, string born = "1980-02-29") =>
        new() { GivenNames = given, FamilyName = family, DateOfBirth = DateOnly.Parse(born), Gender = "female" };

    private protected async Task<T> Run<T>(IOperation<T> operation, Caller? caller = null)
    {
        var result = await Try(operation, caller);
        Assert.True(result.Succeeded, result.Error?.Code + " " + string.Join(", ", result.Error?.Fields.Keys ?? []) + " " + string.Join(Environment.NewLine, Platform.Logs.Lines.TakeLast(3)));
        return result.Value;
    }

    private protected Task<Result<T>> Try<T>(IOperation<T> operation, Caller? caller = null) => Platform.Monitor.Run(operation, caller ?? Doctor, CancellationToken.None);

    private protected async Task<Error> Refused<T>(IOperation<T> operation, Caller? caller = null) =>
        (await Try(operation, caller)).Error ?? throw new Xunit.Sdk.XunitException(operation.GetType().Name + " was not refused.");

    private protected Task<Patient> Register(PersonDetails details, Caller? caller = null) => Run(new RegisterPatient(details), caller);

    private protected async Task<LedgerEvent> LastEvent(Tenant? clinic = null) => (await Platform.EventsAsync(clinic ?? Clinic))[^1];
}
