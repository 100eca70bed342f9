using System.Security.Cryptography;
using Chaperone.Encryption;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Chaperone.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Chaperone.Platform.Tests.Ledger;

/// <summary>An installation with one clinic, its keys and its log, on a fresh database.</summary>
internal sealed class LogFixture : IAsyncDisposable
{
    public static readonly Guid Doctor = Ids.New(DateTimeOffset.UnixEpoch.AddYears(50));
    public const string Things = "clinic.test_thing";

    private LogFixture(TestDatabase database)
    {
        Database = database;
        Databases = new(database.App, database.Ledger, database.Operator);
        Root = new(RandomNumberGenerator.GetBytes(32));
        Ring = new(Root, Databases, TimeProvider.System);
        Keys = LedgerServices.KeysOf(Ring);
        Folder = Directory.CreateTempSubdirectory("chaperone-log-").FullName;
        File = new(Folder);
        Appender = new(Keys);
        Sequencer = NewSequencer();
    }

    public TestDatabase Database { get; }
    public Databases Databases { get; }
    public RootKey Root { get; }
    public KeyRing Ring { get; }
    public LogKeys Keys { get; }
    public string Folder { get; }
    public CheckpointFile File { get; }
    public LedgerAppender Appender { get; }
    public Sequencer Sequencer { get; }
    public Guid Installation { get; } = Ids.New(TimeProvider.System.GetUtcNow());
    public Guid Tenant { get; private set; }

    public static async Task<LogFixture> CreateAsync(TestDatabase? database = null)
    {
        var fixture = new LogFixture(database ?? await TestCluster.CreateDatabaseAsync());
        fixture.Tenant = await fixture.AddClinicAsync("one.localhost");
        return fixture;
    }

    public Sequencer NewSequencer(string? folder = null, TimeProvider? clock = null) =>
        new(Databases, Keys, folder is null ? File : new(folder), Installation, clock ?? TimeProvider.System, NullLogger<Sequencer>.Instance);

    public async Task<Guid> AddClinicAsync(string host)
    {
        var id = Ids.New(TimeProvider.System.GetUtcNow());
        await Database.ExecuteAsync($"INSERT INTO directory.tenant (id, host, name, created_at) VALUES ('{id}', '{host}', 'Clinic', now())");
        await using var transaction = await TenantTransaction.BeginAsync(Databases.App, id, default);
        await Ring.CreateClinicAsync(transaction, default);
        await transaction.CommitAsync(default);
        return id;
    }

    public LedgerEvent Event(string action = "patient.viewed", params Guid[] subjects) => new()
    {
        Id = Ids.New(TimeProvider.System.GetUtcNow()), At = TimeProvider.System.GetUtcNow(), Action = action, Category = EventCatalogue.Find(action).Category,
        Severity = EventCatalogue.Find(action).Severity, Actor = new(ActorKind.User, Doctor, "doctor"), Entity = subjects.Length == 0 ? null : new("patient", subjects[0]),
        Subjects = subjects, Source = new("web", "GET /patients/{id}", "192.0.2.7"), Decision = "role:doctor/patient.view",
    };

    public Guid Person() => Ids.New(TimeProvider.System.GetUtcNow());

    /// <summary>Appends in one transaction of the application role, after the statements given.</summary>
    public async Task AppendAsync(IEnumerable<LedgerEvent> events, string? before = null, long? changedRows = null, Guid? tenant = null)
    {
        var clinic = tenant ?? Tenant;
        await using var transaction = await TenantTransaction.BeginAsync(Databases.App, clinic, default);
        if (before is not null)
        {
            await using var command = transaction.Command(before);
            await command.ExecuteNonQueryAsync();
        }
        var commands = new List<NpgsqlBatchCommand>();
        foreach (var each in events) commands.Add(LedgerAppender.Command(await Appender.PrepareAsync(clinic, each, default), changedRows));
        await transaction.CommitAsync(commands, default);
    }

    /// <summary>That many events, each about a person of its own, sequenced and signed.</summary>
    public async Task<List<LedgerEvent>> FillAsync(int count)
    {
        var events = Enumerable.Range(0, count).Select(_ => Event("patient.viewed", Person())).OrderBy(each => each.Id).ToList();     // as they will be indexed
        await AppendAsync(events);
        await Sequencer.FlushAsync(Tenant, default);
        return events;
    }

    /// <summary>A tracked table with one row that an event vouches for.</summary>
    public async Task<Guid> AddRecordAsync()
    {
        await Database.ExecuteAsync(
            $"""
            CREATE TABLE IF NOT EXISTS {Things} (tenant_id uuid, id uuid, version bigint NOT NULL, status text, born date, at timestamptz, sealed bytea NOT NULL, PRIMARY KEY (tenant_id, id));
            DO $$ BEGIN IF NOT EXISTS (SELECT FROM platform.tenant_table WHERE name = '{Things}') THEN PERFORM platform.protect('{Things}'); END IF; END $$;
            GRANT SELECT, INSERT, UPDATE, DELETE ON {Things} TO chaperone_app;
            """, Database.Owner);
        var id = Person();
        await AppendAsync([Event("patient.created", id) with { Records = [Vouch(id, 1, "booked")] }],
            $"INSERT INTO {Things} VALUES ('{Tenant}', '{id}', 1, 'booked', '1980-02-29', '2026-01-02 03:04:05.678901Z', '\\x010203')", changedRows: 1);
        return id;
    }

    public EventRecord Vouch(Guid id, long version, string status) => new(Things, id, version, RecordDigest.Compute(Things, id, version,
        [("tenant_id", Tenant), ("status", status), ("born", new DateOnly(1980, 2, 29)), ("at", new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, 901, TimeSpan.Zero))], [1, 2, 3]));

    /// <summary>A legal hold on a person, or on everything, with the event that vouches for it.</summary>
    public async Task<Guid> HoldAsync(Guid? person, string state = "placed")
    {
        var (id, at) = (Person(), new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        await AppendAsync([Event("ledger.held") with { Records = [Hold(id, 1)] }],
            $"INSERT INTO clinic.legal_hold (tenant_id, id, subject_id, state, proposed_by, proposed_at, key_version, version, sealed) VALUES ('{Tenant}', '{id}', {(person is { } held ? $"'{held}'" : "NULL")}, '{state}', '{Doctor}', '{at:O}', 1, 1, '\\x010203')", changedRows: 1);
        return id;

        EventRecord Hold(Guid hold, long version) => new("clinic.legal_hold", hold, version, RecordDigest.Compute("clinic.legal_hold", hold, version,
            [("tenant_id", Tenant), ("subject_id", person), ("state", state), ("proposed_by", Doctor), ("proposed_at", at), ("key_version", 1)], [1, 2, 3]));
    }

    /// <summary>Changes a hold's state, as the application does.</summary>
    public Task ReleaseAsync(Guid hold, Guid? person) => AppendAsync(
        [Event("ledger.held") with
        {
            Records = [new("clinic.legal_hold", hold, 2, RecordDigest.Compute("clinic.legal_hold", hold, 2,
                [("tenant_id", Tenant), ("subject_id", person), ("state", "released"), ("proposed_by", Doctor), ("proposed_at", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)), ("key_version", 1)], [1, 2, 3]))],
        }],
        $"UPDATE clinic.legal_hold SET state = 'released', version = 2 WHERE id = '{hold}'", changedRows: 1);

    /// <summary>A clinic's longer term for an action, with the event that vouches for it.</summary>
    public Task LengthenAsync(Guid tenant, string action, int years)
    {
        var id = Person();
        return AppendAsync([Event("settings.modified") with
            {
                Records = [new("clinic.log_term", id, 1, RecordDigest.Compute("clinic.log_term", id, 1,
                    [("tenant_id", tenant), ("category", "authentication"), ("actions", new[] { action }), ("years", years), ("key_version", 1)], [1, 2, 3]))],
            }],
            $"INSERT INTO clinic.log_term (tenant_id, id, category, actions, years, key_version, version, sealed) VALUES ('{tenant}', '{id}', 'authentication', ARRAY['{action}'], {years}, 1, 1, '\\x010203')", changedRows: 1, tenant: tenant);
    }

    private static string Next(string month) => DateOnly.Parse(month + "-01", System.Globalization.CultureInfo.InvariantCulture).AddMonths(1).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A month of partitions that was over long ago; events of the two years before go there.</summary>
    public Task AddMonthAsync(string month = "2020-05") => Database.ExecuteAsync(
        $"""
        CREATE TABLE ledger.event_{month.Replace('-', '_')} PARTITION OF ledger.event FOR VALUES FROM ('{month}-01') TO ('{Next(month)}');
        CREATE TABLE ledger.event_subject_{month.Replace('-', '_')} PARTITION OF ledger.event_subject FOR VALUES FROM ('{month}-01') TO ('{Next(month)}');
        """, Database.Owner);

    /// <summary>Runs statements as a superuser who has switched the triggers off.</summary>
    public Task AttackAsync(string sql) => Database.ExecuteAsync("SET session_replication_role = replica; " + sql);

    public DatabaseVerifier Verifier(string? folder = null) => new(Databases, Keys, folder is null ? File : new(folder), Installation, TimeProvider.System);

    public Task<VerificationReport> VerifyAsync(ReadOnlyMemory<byte>? older = null) => Verifier().VerifyAsync(Tenant, "Clinic", older, null, default);

    public async Task<long> CountAsync(string table) => (long)(await Database.ExecuteAsync($"SELECT count(*) FROM {table} WHERE tenant_id = '{Tenant}'"))!;

    public async ValueTask DisposeAsync()
    {
        Sequencer.Dispose();
        Ring.Dispose();
        await Databases.DisposeAsync();
        await Database.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
