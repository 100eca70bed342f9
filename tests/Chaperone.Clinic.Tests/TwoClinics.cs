using Chaperone.Clinic.Mail;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests;

/// <summary>Two clinics on the real PostgreSQL behind the real monitor, with accounts, mail and patients; each world adds its own feature.</summary>
public abstract class TwoClinics : IAsyncLifetime
{
    private protected TestPlatform Platform { get; private set; } = null!;

    private protected Tenant Clinic { get; private set; } = null!;

    private protected Tenant OtherClinic { get; private set; } = null!;

    /// <summary>Who acts unless a test says otherwise.</summary>
    private protected Caller Usual { get; private set; } = null!;

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
                AddFeature(services);
            },
            typeof(SignInFeature).Assembly);
        (Clinic, OtherClinic) = (await Platform.AddClinicAsync("one.test"), await Platform.AddClinicAsync("two.test"));
        Usual = Platform.As(Clinic, UsualRole);
        await BeginAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Platform.DisposeAsync();
    }

    private protected abstract Role UsualRole { get; }

    private protected abstract void AddFeature(IServiceCollection services);

    /// <summary>What is there before each test.</summary>
    private protected abstract Task BeginAsync();

    private protected async Task<Guid> Patient(string given, string family, Tenant? clinic = null) =>
        (await Run(new RegisterPatient(new() { GivenNames = given, FamilyName = family, DateOfBirth = new(1980, 2, 29), Gender = "female" }), Platform.As(clinic ?? Clinic, BuiltInRole.Doctor))).Id;

    private protected async Task<T> Run<T>(IOperation<T> operation, Caller? caller = null)
    {
        var result = await Try(operation, caller);
        Assert.True(result.Succeeded, $"{operation.GetType().Name}: {result.Error?.Code} {string.Join(", ", result.Error?.Fields.Keys ?? [])} {string.Join(Environment.NewLine, Platform.Logs.Lines.TakeLast(3))}");
        return result.Value;
    }

    private protected Task<Result<T>> Try<T>(IOperation<T> operation, Caller? caller = null) => Platform.Monitor.Run(operation, caller ?? Usual, CancellationToken.None);

    private protected async Task<Error> Refused<T>(IOperation<T> operation, Caller? caller = null) =>
        (await Try(operation, caller)).Error ?? throw new Xunit.Sdk.XunitException(operation.GetType().Name + " was not refused.");

    private protected async Task<LedgerEvent> LastEvent(Tenant? clinic = null) => (await Platform.EventsAsync(clinic ?? Clinic)).Last(happened => !happened.Action.StartsWith("ledger.verif", StringComparison.Ordinal));
}
