using System.Net;
using Chaperone.Encryption;
using Chaperone.Ledger;
using Chaperone.Platform;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Chaperone.TestSupport;

/// <summary>The platform on a fresh database of the real PostgreSQL, without a web server: monitor, keys and ledger, and as many clinics as a test wants.</summary>
public sealed class TestPlatform : IAsyncDisposable
{
    private readonly ServiceProvider services;
    private readonly string folder;

    private TestPlatform(TestDatabase database, Databases databases, RootKey root, ServiceProvider services, TestClock clock, Guid installation, string folder, CapturedLogs logs) =>
        (Database, Databases, Root, this.services, Clock, Installation, this.folder, Logs) = (database, databases, root, services, clock, installation, folder, logs);

    public TestDatabase Database { get; }

    public Databases Databases { get; }

    public RootKey Root { get; }

    public TestClock Clock { get; }

    public Guid Installation { get; }

    public CapturedLogs Logs { get; }

    public string CheckpointFolder => Path.Combine(folder, "checkpoints");

    public IServiceProvider Services => services;

    public ReferenceMonitor Monitor => services.GetRequiredService<ReferenceMonitor>();

    /// <summary>A platform with the operations of these assemblies. Hosted services (the sequencer) are not started.</summary>
    public static async Task<TestPlatform> CreateAsync(Action<IServiceCollection>? add = null, params System.Reflection.Assembly[] features)
    {
        var database = await TestCluster.CreateDatabaseAsync();
        var databases = new Databases(database.App, database.Ledger, database.Operator);
        var clock = new TestClock();
        var root = new RootKey(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
        var installation = Ids.New(clock.GetUtcNow());
        var folder = Directory.CreateTempSubdirectory("chaperone-test-").FullName;
        var logs = new CapturedLogs();
        var collection = new ServiceCollection();
        collection.AddLogging(logging => logging.AddProvider(logs));
        collection.AddSingleton<TimeProvider>(clock);
        add?.Invoke(collection);
        collection.AddChaperonePlatform(databases, root, features);
        collection.AddChaperoneLedger(installation, Path.Combine(folder, "checkpoints"));
        return new(database, databases, root, collection.BuildServiceProvider(), clock, installation, folder, logs);
    }

    /// <summary>A new clinic with its keys; without members.</summary>
    public async Task<Tenant> AddClinicAsync(string host)
    {
        var id = Ids.New(Clock.GetUtcNow());
        await using var transaction = await TenantTransaction.BeginAsync(Databases.App, id, CancellationToken.None);
        await using var insert = transaction.Command("INSERT INTO directory.tenant (id, host, name, created_at) VALUES ($1, $2, $3, $4)", id, host, "Clinic " + host, Clock.GetUtcNow());
        await insert.ExecuteNonQueryAsync();
        await services.GetRequiredService<KeyRing>().CreateClinicAsync(transaction, CancellationToken.None);
        await transaction.CommitAsync(CancellationToken.None);
        return new(id, host, "Clinic " + host, "Europe/London", false);
    }

    /// <summary>Somebody signed in and enrolled with this role, who has just given a code; no account is made.</summary>
    public Caller As(Tenant clinic, Role role, Guid? patient = null) => new(
        clinic,
        new()
        {
            Kind = ActorKind.User,
            Id = Ids.New(Clock.GetUtcNow()),
            PatientId = patient,
            Role = role.Code,
            SessionId = Ids.New(Clock.GetUtcNow()),
            Rights = ActorRights.Compile([new(role)], [], []),
            State = new(Enrolled: true, Elevated: false, SteppedUpAt: Clock.GetUtcNow(), Suspended: false),
        },
        new("web", "GET /test", IPAddress.Loopback.ToString(), "blink/linux"));

    /// <summary>Every event of a clinic, oldest first, opened.</summary>
    public Task<IReadOnlyList<LedgerEvent>> EventsAsync(Tenant clinic) => LedgerEvents.ReadAsync(Databases, services.GetRequiredService<KeyRing>(), clinic.Id);

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        await Databases.DisposeAsync();
        Root.Dispose();
        await Database.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}

/// <summary>Every line that was logged, as a console would show it.</summary>
public sealed class CapturedLogs : ILoggerProvider, ILogger
{
    private readonly List<string> lines = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (lines) return [.. lines];
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (lines) lines.Add($"{logLevel}: {formatter(state, exception)} {exception}");
    }

    public void Dispose() { }
}
