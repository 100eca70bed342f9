using Chaperone.Ledger;
using Chaperone.Platform;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NpgsqlTypes;

namespace Chaperone.Bench;

/// <summary>
/// Events with the sequencer at work, by sixteen callers: each in its own commit, as a change leaves them, and through the group appender, as reads do, where callers share commits. Beside the
/// same rows inserted plainly, each in its own commit, into partitioned tables of the same columns and indexes, with no clinic set, no row-level security, no sealing, nothing hashed and
/// nothing pending; and beside those rows where pgaudit writes each statement to the server's log.
/// </summary>
internal static class AppendBench
{
    private const int Callers = 16;
    private const int Clinics = 16;

    private const string Tables =
        """
        CREATE SCHEMA bench;
        CREATE TABLE bench.event (LIKE ledger.event INCLUDING ALL) PARTITION BY RANGE (expires_on);
        CREATE TABLE bench.event_all PARTITION OF bench.event FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
        CREATE TABLE bench.event_subject (LIKE ledger.event_subject INCLUDING ALL) PARTITION BY RANGE (expires_on);
        CREATE TABLE bench.event_subject_all PARTITION OF bench.event_subject FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
        GRANT USAGE ON SCHEMA bench TO chaperone_app;
        GRANT INSERT ON ALL TABLES IN SCHEMA bench TO chaperone_app;
        """;

    public static async Task<IReadOnlyList<Row>> RunAsync(bool quick)
    {
        var (repetitions, duration) = quick ? (3, TimeSpan.FromSeconds(1)) : (9, TimeSpan.FromSeconds(3));
        await using var platform = await TestPlatform.CreateAsync();
        await platform.Database.ExecuteAsync(Tables);
        await using (var partitions = platform.Databases.Ledger.CreateCommand("SELECT ledger.ensure_partitions()")) await partitions.ExecuteNonQueryAsync();
        var clinics = new List<Tenant>();
        for (var i = 0; i < Clinics; i++) clinics.Add(await platform.AddClinicAsync($"clinic{i}.test"));
        var sequencer = platform.Services.GetRequiredService<Sequencer>();
        var (writer, appender) = (platform.Services.GetRequiredService<EventWriter>(), platform.Services.GetRequiredService<LedgerAppender>());
        await sequencer.StartAsync(CancellationToken.None);
        try
        {
            var rows = new List<Row>();
            foreach (var (name, some) in new[] { ("one clinic", clinics[..1]), ("16 clinics", clinics) })
            {
                var own = await CompareAsync($"append, {name}", platform, sequencer, some, repetitions, duration, OwnCommit);
                var group = await CompareAsync($"group append, {name}", platform, sequencer, some, repetitions, duration, writer.WriteAloneAsync);
                rows.Add(new($"append, {name}, events a second", own.Ours, own.Reference, 0.75));
                rows.Add(new($"group append, {name}, events a second", group.Ours, group.Reference, 0.75));
            }
            if (await AuditedPostgres.TryStartAsync(platform.Database, Tables) is not { } audited)
            {
                Report.Note("append: pgaudit is not installed here (Debian: postgresql-15-pgaudit) and left out");
                return rows;
            }
            await using var disposed = audited;
            var compared = await CompareAsync("append beside pgaudit", platform, sequencer, clinics[..1], repetitions, duration, OwnCommit, audited.App);
            Report.Note($"append beside pgaudit: its log has {audited.Logged / 1e6:F0} MB");
            rows.Add(new("append beside plain rows under pgaudit", compared.Ours, compared.Reference, 0.75));
            return rows;
        }
        finally
        {
            await sequencer.StopAsync(CancellationToken.None);
        }

        async Task OwnCommit(Guid clinic, IReadOnlyList<LedgerEvent> events, CancellationToken cancel)
        {
            await TenantTransaction.WriteAsync(platform.Databases.App, [TenantTransaction.InClinic(clinic), LedgerAppender.Command(await appender.PrepareAsync(clinic, events[0], cancel), 0)], cancel);
            sequencer.Signal(clinic);
        }
    }

    private static async Task<(double Ours, double Reference)> CompareAsync(
        string what, TestPlatform platform, Sequencer sequencer, List<Tenant> clinics, int repetitions, TimeSpan duration,
        Func<Guid, IReadOnlyList<LedgerEvent>, CancellationToken, Task> append, NpgsqlDataSource? plain = null)
    {
        var model = await platform.Services.GetRequiredService<LedgerAppender>().PrepareAsync(clinics[0].Id, Viewed(), CancellationToken.None);
        var (ours, reference) = (new Cost(), new Cost());
        var rates = await Measure.InTurn(what, repetitions,
            () => ours.Of(duration, () => Measure.Rate(Callers, duration, caller => append(clinics[caller % clinics.Count].Id, [Viewed()], CancellationToken.None)),
                async () => { foreach (var clinic in clinics) await sequencer.CatchUpAsync(clinic.Id, CancellationToken.None); }),     // what is still to be sequenced must not slow the reference
            () => reference.Of(duration, () => Measure.Rate(Callers, duration, caller => InsertAsync(plain ?? platform.Databases.App, clinics[caller % clinics.Count].Id, model)), () => Task.CompletedTask));
        if (plain is null) Report.Note($"{what}: processor time an event: ours {ours}; reference {reference}");
        return rates;
    }

    /// <summary>Processor time of all that was done at one rate, with what it leaves behind.</summary>
    private sealed class Cost
    {
        private CpuTime time;
        private long events;

        public async Task<double> Of(TimeSpan duration, Func<Task<double>> work, Func<Task> after)
        {
            var from = await CpuTime.NowAsync();
            var rate = await work();
            await after();
            (time, events) = (time + (await CpuTime.NowAsync() - from), events + (long)(rate * duration.TotalSeconds));
            return rate;
        }

        public override string ToString() => time.Each(events);
    }

    private static async Task InsertAsync(NpgsqlDataSource database, Guid clinic, PreparedEvent model)
    {
        var (id, value) = (Ids.New(TimeProvider.System.GetUtcNow()), model.Event);
        await using var connection = await database.OpenConnectionAsync();
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new("BEGIN"));
        batch.BatchCommands.Add(new("INSERT INTO bench.event (tenant_id, id, expires_on, action, severity, outcome, actor_id, entity_type, entity_id, ip_index, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = clinic },
                new NpgsqlParameter<Guid> { TypedValue = id },
                new NpgsqlParameter<DateOnly> { TypedValue = model.ExpiresOn },
                new NpgsqlParameter<string> { TypedValue = value.Action },
                new NpgsqlParameter<string> { TypedValue = "info" },
                new NpgsqlParameter<string> { TypedValue = "success" },
                new NpgsqlParameter<Guid> { TypedValue = value.Actor.Id!.Value },
                new NpgsqlParameter<string> { TypedValue = value.Entity!.Type },
                new NpgsqlParameter<Guid> { TypedValue = Ids.New(value.At) },
                new NpgsqlParameter<byte[]> { TypedValue = model.IpIndex!, NpgsqlDbType = NpgsqlDbType.Bytea },
                new NpgsqlParameter<byte[]> { TypedValue = model.Body, NpgsqlDbType = NpgsqlDbType.Bytea },
            },
        });
        batch.BatchCommands.Add(new("INSERT INTO bench.event_subject (tenant_id, subject_id, event_id, expires_on) VALUES ($1, $2, $3, $4)")
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = clinic },
                new NpgsqlParameter<Guid> { TypedValue = Ids.New(value.At) },
                new NpgsqlParameter<Guid> { TypedValue = id },
                new NpgsqlParameter<DateOnly> { TypedValue = model.ExpiresOn },
            },
        });
        batch.BatchCommands.Add(new("COMMIT"));
        await batch.ExecuteNonQueryAsync();
    }

    private static readonly Guid Doctor = Ids.New(TimeProvider.System.GetUtcNow());
    private static readonly Guid Session = Ids.New(TimeProvider.System.GetUtcNow());

    /// <summary>What opening a patient leaves.</summary>
    private static LedgerEvent Viewed()
    {
        var now = TimeProvider.System.GetUtcNow();
        var patient = Ids.New(now);
        return new()
        {
            Id = Ids.New(now),
            At = now,
            Action = "patient.viewed",
            Category = EventCategory.DataAccess,
            Actor = new(ActorKind.User, Doctor, "doctor", Session),
            Entity = new("patient", patient),
            Subjects = [patient],
            Source = new("api", "GET /api/patients/{id:guid}", "127.0.0.1", "blink/linux"),
            Decision = "role:doctor/patient.view",
        };
    }
}
