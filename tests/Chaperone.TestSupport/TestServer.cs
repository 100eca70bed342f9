using System.Net;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.SignIn;
using Chaperone.Encryption;
using Chaperone.Ledger;
using Chaperone.Platform;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Chaperone.Platform.Tenancy;
using Chaperone.Server.Commands;
using Chaperone.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Chaperone.TestSupport;

/// <summary>Somebody's account in a test clinic; the authenticator is enrolled.</summary>
public sealed record TestAccount(Role Role, Guid Member, string Email, byte[] Secret)
{
    private readonly SemaphoreSlim turn = new(1, 1);
    private long lastStep;

    /// <summary>A code that was not used before; moves the clock on where it must.</summary>
    public async Task<string> NextCodeAsync(TestClock clock)
    {
        await turn.WaitAsync();
        try
        {
            var step = Totp.StepAt(clock.GetUtcNow());
            if (step <= lastStep) clock.Advance(TimeSpan.FromSeconds(30 * (lastStep - step + 1)));
            lastStep = Totp.StepAt(clock.GetUtcNow());
            return Totp.Code(Secret, lastStep);
        }
        finally
        {
            turn.Release();
        }
    }
}

/// <summary>A clinic of a <see cref="TestServer"/>.</summary>
public sealed class TestClinic(Tenant tenant)
{
    public Tenant Tenant { get; } = tenant;

    public string Host => Tenant.Host;

    /// <summary>Two registered patients; the patient's account is of the first.</summary>
    public IReadOnlyList<Guid> Patients { get; internal set; } = [];

    internal Dictionary<Role, TestAccount> AccountsByRole { get; } = [];

    public TestAccount Account(Role role) => AccountsByRole[role];
}

/// <summary>The real program on the real Kestrel and a fresh database: two clinics with an account for each built-in role, hosted services running.</summary>
public sealed class TestServer : IAsyncDisposable
{
    public const string Password = "seven tame herons wade";

    private readonly WebApplication app;
    private readonly RootKey root;
    private readonly Dictionary<(Guid, Role), (ClinicClient Client, DateTimeOffset Since)> signedIn = [];
    private readonly SemaphoreSlim signingIn = new(1, 1);

    private TestServer(WebApplication app, TestDatabase database, Databases databases, RootKey root, TestClock clock, string folder, CapturedLogs logs) =>
        (this.app, Database, Databases, this.root, Clock, DataFolder, Logs) = (app, database, databases, root, clock, folder, logs);

    public TestDatabase Database { get; }

    public Databases Databases { get; }

    public TestClock Clock { get; }

    public string DataFolder { get; }

    public CapturedLogs Logs { get; }

    public int Port { get; private set; }

    public TestClinic First { get; private set; } = null!;

    public TestClinic Second { get; private set; } = null!;

    public IServiceProvider Services => app.Services;

    /// <summary>Every route of the program.</summary>
    public IReadOnlyList<RouteEndpoint> Endpoints => [.. ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()];

    public OperationRegistry Operations => Services.GetRequiredService<OperationRegistry>();

    /// <summary>Starts it; with <paramref name="clinics"/> false there is nothing in the database.</summary>
    public static async Task<TestServer> StartAsync(bool clinics = true, IReadOnlyList<IPAddress>? proxies = null, WitnessSettings? witnesses = null)
    {
        var database = await TestCluster.CreateDatabaseAsync();
        var databases = new Databases(database.App, database.Ledger, database.Operator);
        var (clock, root, logs) = (new TestClock(), new RootKey(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32)), new CapturedLogs());
        var folder = Directory.CreateTempSubdirectory("chaperone-test-server-").FullName;
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, ApplicationName = "Chaperone.Server" });
        Server.Commands.Logs.Configure(builder.Logging);
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var parts = new AppParts(databases, new Installation(Ids.New(clock.GetUtcNow()), root), folder, Tls: false, clock) { TrustedProxies = proxies ?? [], Witnesses = witnesses ?? WitnessSettings.None };
        var app = ChaperoneApp.Build(builder, parts);
        var server = new TestServer(app, database, databases, root, clock, folder, logs);
        await app.StartAsync();
        server.Port = new Uri(app.Urls.First()).Port;
        if (clinics) await server.FillAsync();
        return server;
    }

    /// <summary>A browser at a clinic's address; nobody is signed in.</summary>
    public ClinicClient Visit(TestClinic clinic) => new(Port, clinic.Host);

    /// <summary>A new session of this role, with a second factor given just now.</summary>
    public async Task<ClinicClient> SignInAs(Role role, TestClinic? clinic = null)
    {
        clinic ??= First;
        var (account, client) = (clinic.Account(role), Visit(clinic));
        var answer = await client.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = account.Email, password = Password, code = await account.NextCodeAsync(Clock) });
        if (answer.Status != HttpStatusCode.OK || answer.Json.GetProperty("status").GetString() != "signed_in") throw new InvalidOperationException($"{role} could not sign in: {answer}");
        return client;
    }

    /// <summary>A session of this role that tests share: not to be signed out, not fresh enough for step-up.</summary>
    public async Task<ClinicClient> SharedSession(Role role, TestClinic? clinic = null)
    {
        await signingIn.WaitAsync();
        try
        {
            var key = ((clinic ?? First).Tenant.Id, role);
            if (signedIn.TryGetValue(key, out var known) && Clock.GetUtcNow() - known.Since < TimeSpan.FromMinutes(20)) return known.Client;
            signedIn[key] = (await SignInAs(role, clinic), Clock.GetUtcNow());
            return signedIn[key].Client;
        }
        finally
        {
            signingIn.Release();
        }
    }

    /// <summary>Moves the clock so far that failed sign-ins from this network are forgotten. Sessions stay, fresh second factors do not.</summary>
    public void ForgetFailures() => Clock.Advance(NetworkLimit.Within);

    /// <summary>Every event of a clinic, oldest first, opened.</summary>
    public Task<IReadOnlyList<LedgerEvent>> EventsAsync(TestClinic clinic) => LedgerEvents.ReadAsync(Databases, Services.GetRequiredService<KeyRing>(), clinic.Tenant.Id);

    /// <summary>How many events a clinic has, without those that come by the clock: verifications, the end of a log followed by nobody any more, and what is told of an hour's refused attempts.</summary>
    public async Task<long> CountEventsAsync(TestClinic clinic) =>
        (long)(await Database.ExecuteAsync($"SELECT count(*) FROM ledger.event WHERE tenant_id = '{clinic.Tenant.Id}' AND (actor_id IS NOT NULL OR (action NOT LIKE 'ledger.%' AND action NOT IN ('audit.tail_ended', 'security.unauthorised_attempt')))"))!;

    /// <summary>Runs an operation as this role, past HTTP.</summary>
    public Task<Result<T>> Run<T>(IOperation<T> operation, Role role, TestClinic clinic) => Services.GetRequiredService<ReferenceMonitor>().Run(operation, new(
        clinic.Tenant,
        new()
        {
            Kind = ActorKind.User,
            Id = Ids.New(Clock.GetUtcNow()),
            Role = role.Code,
            Rights = ActorRights.Compile([new(role)], [], []),
            State = new(Enrolled: true, Elevated: false, SteppedUpAt: Clock.GetUtcNow(), Suspended: false),
        },
        new("cli", "test")), CancellationToken.None);

    /// <summary>Runs an operation as the operator, past HTTP.</summary>
    public Task<Result<T>> Operate<T>(IOperation<T> operation, TestClinic clinic) =>
        Services.GetRequiredService<ReferenceMonitor>().Run(operation, new(clinic.Tenant, Actor.Operator, new("cli", "test")), CancellationToken.None);

    /// <summary>Adds a clinic with an account for each built-in role and two patients.</summary>
    public async Task<TestClinic> AddClinicAsync(string host) => await AddClinicAsync(host, (await Services.GetRequiredService<Passwords>().HashAsync(Password, CancellationToken.None)).Value);

    public async ValueTask DisposeAsync()
    {
        foreach (var (client, _) in signedIn.Values) client.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
        await Databases.DisposeAsync();
        root.Dispose();
        await Database.DisposeAsync();
        Directory.Delete(DataFolder, recursive: true);
    }

    private async Task FillAsync()
    {
        var hash = (await Services.GetRequiredService<Passwords>().HashAsync(Password, CancellationToken.None)).Value;
        First = await AddClinicAsync("first.test", hash);
        Second = await AddClinicAsync("second.test", hash);
    }

    private async Task<TestClinic> AddClinicAsync(string host, string hash)
    {
        var (creation, monitor, source) = (Services.GetRequiredService<ClinicCreation>(), Services.GetRequiredService<ReferenceMonitor>(), new CallSource("cli", "test"));
        TestAccount Person(Role role) => new(role, Guid.Empty, $"{role.Code}@{host}", Totp.NewSecret());

        var owner = Person(BuiltInRole.Owner);
        var made = (await creation.CreateAsync(new("Clinic " + host, host, "Olive Owner", owner.Email, Password, AuthenticatorSecret: owner.Secret), source, CancellationToken.None)).Value;
        var clinic = new TestClinic(made.Tenant) { AccountsByRole = { [BuiltInRole.Owner] = owner with { Member = made.Owner } } };
        var patients = new List<Guid>();
        foreach (var (given, family) in new[] { ("Paula", "Prime"), ("Quentin", "Quill") })
            patients.Add((await Run(new RegisterPatient(new() { GivenNames = given, FamilyName = family, DateOfBirth = new(1980, 2, 3), Gender = "unknown" }), BuiltInRole.Doctor, clinic)).Value.Id);
        clinic.Patients = patients;
        foreach (var role in BuiltInRole.All.Where(role => role != BuiltInRole.Owner))
        {
            var account = Person(role);
            var patient = role == BuiltInRole.Patient ? patients[0] : (Guid?)null;
            var member = await monitor.Run(
                new CreateMember($"Test {role.DisplayName}", account.Email, [role], Patient: patient, PasswordHash: hash, AuthenticatorSecret: account.Secret), new(clinic.Tenant, Actor.Operator, source), CancellationToken.None);
            clinic.AccountsByRole[role] = account with { Member = member.Value };
        }
        return clinic;
    }
}
