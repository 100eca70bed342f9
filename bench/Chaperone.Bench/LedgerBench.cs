using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using Chaperone.Clinic.AuditLog;
using Chaperone.Ledger;
using Chaperone.Platform;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NpgsqlTypes;

namespace Chaperone.Bench;

/// <summary>
/// The log beyond single appends: the group appender saturated beside COPY into tables of the same columns and indexes, and with few callers, and while a month's bodies end; a hash chain by trigger beside a commit of ours;
/// pages of the viewer, first and deep, by each filter; proofs; the room it takes; and an export verified offline, beside the library's own SHA-256 of as many bytes.
/// </summary>
internal static class LedgerBench
{
    private const int Many = 512, Some = 64, EachFill = 1000;
    private const double MostPage = 50, MostProof = 1, MostProofBytes = 1024, MostOverhead = 60, LeastVerified = 1_000_000, LeastGroup = 20_000, ShareOfCopy = 0.7;

    private static readonly Guid[] Doctors = [.. Enumerable.Range(0, 200).Select(_ => Ids.New(TimeProvider.System.GetUtcNow()))];
    private static readonly Guid[] Patients = [.. Enumerable.Range(0, 100_000).Select(_ => Ids.New(TimeProvider.System.GetUtcNow()))];
    private static readonly string[] Actions = ["patient.viewed", "patient.listed", "patient.updated", "schedule.viewed", "appointment.booked", "appointment.modified", "auth.login.success", "auth.login.failure", "staff.viewed", "settings.viewed"];

    // A row a caller locks, and a hash over the last: how a log is chained where the database does it.
    private const string Chain =
        """
        CREATE SCHEMA chain;
        CREATE TABLE chain.head (only_row boolean PRIMARY KEY DEFAULT true, hash bytea NOT NULL);
        INSERT INTO chain.head VALUES (true, '\x00');
        CREATE TABLE chain.event (LIKE ledger.event INCLUDING ALL);
        ALTER TABLE chain.event ADD hash bytea;
        CREATE FUNCTION chain.link() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE chain.head SET hash = sha256(hash || NEW.body) RETURNING hash INTO NEW.hash; RETURN NEW; END $$;
        CREATE TRIGGER link BEFORE INSERT ON chain.event FOR EACH ROW EXECUTE FUNCTION chain.link();
        CREATE SCHEMA plain;
        CREATE TABLE plain.event (LIKE ledger.event INCLUDING ALL);
        CREATE TABLE plain.event_subject (LIKE ledger.event_subject INCLUDING ALL);
        GRANT USAGE ON SCHEMA chain, plain TO chaperone_app;
        GRANT INSERT ON chain.event, plain.event, plain.event_subject TO chaperone_app;
        GRANT UPDATE, SELECT ON chain.head TO chaperone_app;
        """;

    public static async Task<IReadOnlyList<Row>> RunAsync(bool quick)
    {
        var (count, seconds, repetitions) = quick ? (100_000, 2, 3) : (10_000_000, 5, 5);
        // Ten million take a quarter of an hour and 30 GB; a smaller log can be asked for, and the rows say which it was.
        if (int.TryParse(Environment.GetEnvironmentVariable("CHAPERONE_BENCH_EVENTS"), NumberStyles.None, CultureInfo.InvariantCulture, out var wanted)) count = wanted;
        await using var server = await BenchServer.StartAsync();
        await server.Database.ExecuteAsync(Chain);
        var bench = new Bench(server);
        Report.Note($"ledger: indexes of an event: {await server.Database.ExecuteAsync("SELECT string_agg(indexrelid::regclass::text, ', ' ORDER BY 1) FROM pg_index WHERE indrelid IN ('ledger.event'::regclass, 'ledger.event_subject'::regclass)")}");
        var rows = new List<Row>();

        var expiry = await bench.ExpireAsync(quick ? 20_000 : 200_000);
        rows.Add(Row.Below("group appender while a month is dropped, p99 ms", expiry, 50));
        var (group, copy) = await Measure.InTurn("group appender, saturated; COPY", repetitions, () => bench.GroupAsync(Many, TimeSpan.FromSeconds(seconds)), () => bench.CopyAsync(TimeSpan.FromSeconds(seconds)));
        rows.Add(Row.Above("group appender, events a second", group, LeastGroup));
        rows.Add(new("group appender beside COPY", group, copy, ShareOfCopy));
        rows.Add(Row.Below("group appender saturated, p99 ms", bench.P99, 50));
        await bench.GroupAsync(Some, TimeSpan.FromSeconds(seconds));
        rows.Add(Row.Below($"group appender, {Some} callers, p99 ms", bench.P99, 10));
        await bench.GroupAsync(1, TimeSpan.FromSeconds(seconds));
        rows.Add(Row.Below("group appender, one caller, p99 ms", bench.P99, 2));
        var (own, chained) = await Measure.InTurn("own commits; hash chain by trigger", repetitions, () => bench.OwnAsync(TimeSpan.FromSeconds(seconds)), () => bench.ChainAsync(TimeSpan.FromSeconds(seconds)));
        rows.Add(new("append beside a hash chain by trigger", own, chained, 1));

        await bench.FillAsync(count);
        rows.Add(Row.Below("integrity on disk, bytes an event", await bench.OverheadAsync(), MostOverhead));
        rows.AddRange(await bench.PagesAsync(quick ? 7 : 15, count));
        rows.AddRange(await bench.ProofsAsync(quick ? 15 : 201));
        rows.AddRange(await bench.VerifyAsync());
        return rows;
    }

    private sealed class Bench(BenchServer server)
    {
        private readonly Sequencer sequencer = server.Services.GetRequiredService<Sequencer>();
        private readonly LedgerAppender appender = server.Services.GetRequiredService<LedgerAppender>();
        private readonly GroupAppender together = server.Services.GetRequiredService<GroupAppender>();
        private readonly LedgerEvidence evidence = server.Services.GetRequiredService<LedgerEvidence>();
        private readonly Random random = new(11);
        private Guid middle;

        private Guid Clinic => server.Clinic.Id;

        public double P99 { get; private set; }

        public async Task<double> GroupAsync(int callers, TimeSpan duration)
        {
            var taken = new List<double>[callers];
            var rate = await Measure.Rate(callers, duration, async caller =>
            {
                var from = Stopwatch.GetTimestamp();
                await together.AppendAsync([await appender.PrepareAsync(Clinic, Some(), CancellationToken.None)], CancellationToken.None);
                sequencer.Signal(Clinic);
                (taken[caller] ??= []).Add(Stopwatch.GetElapsedTime(from).TotalMilliseconds);
            });
            var all = taken.Where(some => some is not null).SelectMany(some => some).Order().ToArray();
            P99 = all[(int)(all.Length * 0.99)];
            await sequencer.CatchUpAsync(Clinic, CancellationToken.None);
            Report.Note($"group appender, {callers} callers: {rate:F0} a second, half within {all[all.Length / 2]:F2} ms, 99 of 100 within {P99:F2} ms, all within {all[^1]:F0} ms");
            return rate;
        }

        public Task<double> OwnAsync(TimeSpan duration) => Measure.Rate(16, duration, async _ =>
        {
            await TenantTransaction.WriteAsync(server.Databases.App, [TenantTransaction.InClinic(Clinic), LedgerAppender.Command(await appender.PrepareAsync(Clinic, Some(), CancellationToken.None), 0)], CancellationToken.None);
            sequencer.Signal(Clinic);
        });

        public async Task<double> ChainAsync(TimeSpan duration)
        {
            var model = await appender.PrepareAsync(Clinic, Some(), CancellationToken.None);
            return await Measure.Rate(16, duration, async _ =>
            {
                await using var command = server.Databases.App.CreateCommand("INSERT INTO chain.event (tenant_id, id, expires_on, action, severity, outcome, actor_id, entity_type, entity_id, ip_index, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
                command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Clinic });
                command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Ids.New(TimeProvider.System.GetUtcNow()) });
                command.Parameters.Add(new NpgsqlParameter<DateOnly> { TypedValue = model.ExpiresOn });
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = model.Event.Action });
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = "info" });
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = "success" });
                command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = model.Event.Actor.Id!.Value });
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = "patient" });
                command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = Patients[0] });
                command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = model.IpIndex!, NpgsqlDbType = NpgsqlDbType.Bytea });
                command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = model.Body, NpgsqlDbType = NpgsqlDbType.Bytea });
                await command.ExecuteNonQueryAsync();
            });
        }

        // Two connections, a thousand rows and their subjects a transaction: the limit of what gets into these tables.
        public async Task<double> CopyAsync(TimeSpan duration)
        {
            var model = await appender.PrepareAsync(Clinic, Some(), CancellationToken.None);
            return await Measure.Rate(2, duration, async _ =>
            {
                await using var connection = await server.Databases.App.OpenConnectionAsync();
                await using var transaction = await connection.BeginTransactionAsync();
                var ids = Enumerable.Range(0, EachFill).Select(_ => Ids.New(TimeProvider.System.GetUtcNow())).ToArray();
                await using (var events = await connection.BeginBinaryImportAsync("COPY plain.event (tenant_id, id, expires_on, action, severity, outcome, actor_id, entity_type, entity_id, ip_index, body) FROM STDIN (FORMAT BINARY)"))
                {
                    foreach (var id in ids)
                    {
                        await events.StartRowAsync();
                        await events.WriteAsync(Clinic);
                        await events.WriteAsync(id);
                        await events.WriteAsync(model.ExpiresOn);
                        await events.WriteAsync(model.Event.Action);
                        await events.WriteAsync("info");
                        await events.WriteAsync("success");
                        await events.WriteAsync(Doctors[id.GetHashCode() & 127]);
                        await events.WriteAsync("patient");
                        await events.WriteAsync(Patients[id.GetHashCode() & 0xFFFF]);
                        await events.WriteAsync(model.IpIndex!);
                        await events.WriteAsync(model.Body);
                    }
                    await events.CompleteAsync();
                }
                await using (var subjects = await connection.BeginBinaryImportAsync("COPY plain.event_subject (tenant_id, subject_id, event_id, expires_on) FROM STDIN (FORMAT BINARY)"))
                {
                    foreach (var id in ids)
                    {
                        await subjects.StartRowAsync();
                        await subjects.WriteAsync(Clinic);
                        await subjects.WriteAsync(Patients[id.GetHashCode() & 0xFFFF]);
                        await subjects.WriteAsync(id);
                        await subjects.WriteAsync(model.ExpiresOn);
                    }
                    await subjects.CompleteAsync();
                }
                await transaction.CommitAsync();
            }) * EachFill;
        }

        // The job as it runs every night, in the midst of appends: it verifies the log, names what goes, drops the month and destroys its keys. Its lock is what appends could wait for.
        public async Task<double> ExpireAsync(int old)
        {
            await server.Database.ExecuteAsync(
                """
                CREATE TABLE ledger.event_2020_05 PARTITION OF ledger.event FOR VALUES FROM ('2020-05-01') TO ('2020-06-01');
                CREATE TABLE ledger.event_subject_2020_05 PARTITION OF ledger.event_subject FOR VALUES FROM ('2020-05-01') TO ('2020-06-01');
                """, server.Database.Owner);
            var then = new DateTimeOffset(2018, 5, 3, 8, 0, 0, TimeSpan.Zero);      // two years before that month
            for (var done = 0; done < old; done += EachFill)
            {
                var prepared = new PreparedEvent[EachFill];
                for (var i = 0; i < prepared.Length; i++)
                    prepared[i] = await appender.PrepareAsync(Clinic, Some() with { Id = Ids.New(then.AddSeconds(done + i)), At = then.AddSeconds(done + i), Action = "patient.viewed", Category = EventCategory.DataAccess }, CancellationToken.None);
                await TenantTransaction.WriteAsync(server.Databases.App, [LedgerAppender.CommandForAll(prepared)], CancellationToken.None);
            }
            await sequencer.FlushAsync(Clinic, CancellationToken.None);
            await GroupAsync(LedgerBench.Some, TimeSpan.FromSeconds(2));
            var run = Task.Run(async () =>
            {
                await Task.Delay(500);
                for (var attempt = 1; ; attempt++)
                {
                    var from = Stopwatch.GetTimestamp();
                    try
                    {
                        var ended = await server.Services.GetRequiredService<LogRetention>().RunAsync(CancellationToken.None);
                        if (ended.Events != old || ended.Months.Count != 1) throw new InvalidOperationException($"{ended.Events} of {old} events ended.");
                        return (attempt, Stopwatch.GetElapsedTime(from).TotalSeconds);
                    }
                    catch (PostgresException busy) when (busy.SqlState == PostgresErrorCodes.LockNotAvailable && attempt < 5)
                    {
                        // Appends came so densely for fifteen seconds that it let them pass each time, as it should; the nightly job comes again too.
                    }
                }
            });
            var p99 = 0.0;
            while (!run.IsCompleted)
            {
                await GroupAsync(LedgerBench.Some, TimeSpan.FromSeconds(4));
                p99 = Math.Max(p99, P99);
            }
            Report.Note($"retention: a month of {old} events ended beside the appends (attempt, seconds: {await run})");
            return p99;
        }

        // Real events through the real way in, a thousand a transaction.
        public async Task FillAsync(int count)
        {
            var (left, from) = (count, Stopwatch.GetTimestamp());
            await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
            {
                while (Interlocked.Add(ref left, -EachFill) >= 0)
                {
                    var prepared = new PreparedEvent[EachFill];
                    for (var i = 0; i < prepared.Length; i++) prepared[i] = await appender.PrepareAsync(Clinic, Some(), CancellationToken.None);
                    if (left < count / 2 && middle == default) middle = prepared[0].Id;
                    await TenantTransaction.WriteAsync(server.Databases.App, [LedgerAppender.CommandForAll(prepared)], CancellationToken.None);
                    sequencer.Signal(Clinic);
                }
            })));
            await sequencer.FlushAsync(Clinic, CancellationToken.None);
            Report.Note($"ledger: {count} events in {Stopwatch.GetElapsedTime(from).TotalSeconds:F0} s");
            await server.Database.ExecuteAsync("VACUUM ANALYZE");
        }

        public async Task<double> OverheadAsync()
        {
            var bytes = Convert.ToInt64(await server.Database.ExecuteAsync("SELECT sum(pg_total_relation_size(t)) FROM unnest(ARRAY['ledger.position', 'ledger.tile', 'ledger.tree', 'ledger.checkpoint']::regclass[]) t"), CultureInfo.InvariantCulture);
            var events = Convert.ToInt64(await server.Database.ExecuteAsync("SELECT sum(size)::bigint FROM ledger.tree"), CultureInfo.InvariantCulture);
            Report.Note($"ledger: of {bytes} bytes for {events} events: {await server.Database.ExecuteAsync("""
                SELECT string_agg(format('%s %s, toast %s, indexes %s; rows written %s, rewritten %s', c.relname, pg_relation_size(c.oid), coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0), pg_indexes_size(c.oid), s.n_tup_ins, s.n_tup_upd), '; ')
                FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid WHERE c.oid = ANY (ARRAY['ledger.position', 'ledger.tile', 'ledger.tree', 'ledger.checkpoint']::regclass[])
                """)}");
            return (double)bytes / events;
        }

        public async Task<IReadOnlyList<Row>> PagesAsync(int times, int count)
        {
            var caller = server.As(BuiltInRole.Owner);
            var filters = new (string Name, string? Field, Func<string> Value)[]
            {
                ("no filter", null, () => ""), ("a user", "actor", () => Doctors[random.Next(Doctors.Length)].ToString()), ("an action", "action", () => Actions[random.Next(Actions.Length)]),
                ("a category", "category", () => "data_access"), ("a severity", "severity", () => "warning"), ("an outcome", "outcome", () => "failure"),
                ("a record", "entity", () => Patients[random.Next(Patients.Length)].ToString()), ("a person", "subject", () => Patients[random.Next(Patients.Length)].ToString()), ("a day", "from", () => TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
            };
            var rows = new List<Row>();
            foreach (var (name, field, value) in filters)
            {
                foreach (var deep in new[] { false, true })
                {
                    var taken = new List<double>();
                    for (var i = -2; i < times; i++)
                    {
                        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
                        if (field is not null) fields[field] = value();
                        if (deep) fields["cursor"] = middle.ToString("N");
                        var milliseconds = await Measure.Milliseconds(async () =>
                        {
                            var page = await server.Monitor.Run(new ViewAuditLog(AuditQuery.Of(fields)), caller, CancellationToken.None);
                            if (!page.Succeeded) throw new InvalidOperationException($"A page by {name} was refused: {page.Error!.Title}");
                        });
                        if (i >= 0) taken.Add(milliseconds);
                    }
                    rows.Add(Row.Below($"{Size(count)} events, {name}, {(deep ? "deep" : "first")} page, median ms", Measure.Median(taken), MostPage));
                }
            }
            return rows;
        }

        public async Task<IReadOnlyList<Row>> ProofsAsync(int times)
        {
            var (taken, bytes) = (new List<double>(), new List<double>());
            await using var transaction = await TenantTransaction.BeginAsync(server.Databases.App, Clinic, CancellationToken.None);
            var ids = new List<Guid>();
            await using (var command = transaction.Command("SELECT id FROM ledger.event WHERE tenant_id = $1 AND id >= $2 ORDER BY id LIMIT 1000", Clinic, middle))
            await using (var reader = await command.ExecuteReaderAsync())
                while (await reader.ReadAsync()) ids.Add(reader.GetGuid(0));
            for (var i = -5; i < times; i++)
            {
                ProvenEvent? proven = null;
                var milliseconds = await Measure.Milliseconds(async () => proven = await evidence.OfEventAsync(transaction, ids[random.Next(ids.Count)], null, CancellationToken.None));
                if (i < 0) continue;
                taken.Add(milliseconds);
                bytes.Add(proven!.Proof.ToBytes().Length);
            }
            return [Row.Below("one proof, median ms", Measure.Median(taken), MostProof), Row.Below("one proof, bytes", Measure.Median(bytes), MostProofBytes)];
        }

        public async Task<IReadOnlyList<Row>> VerifyAsync()
        {
            var folder = Directory.CreateTempSubdirectory("chaperone-bench-bundle-").FullName;
            try
            {
                BundleSummary summary;
                var zip = Path.Combine(folder, "bundle.zip");
                await using (var transaction = await TenantTransaction.BeginAsync(server.Databases.App, Clinic, readOnly: true, CancellationToken.None))
                await using (var file = File.Create(zip))
                    summary = await server.Services.GetRequiredService<LedgerBundle>().WriteAsync(transaction, null, null, file, null, CancellationToken.None);
                var unpacked = Path.Combine(folder, "bundle");
                ZipFile.ExtractToDirectory(zip, unpacked);
                File.Delete(zip);
                using var self = Process.GetCurrentProcess();
                var (rates, peak) = (new List<double>(), 0L);
                for (var i = 0; i < 3; i++)
                {
                    self.Refresh();
                    var from = self.TotalProcessorTime;
                    var report = Verifier.VerifyAt(unpacked, new());
                    if (report.ExitCode != 0 || report.Verified != summary.Events) throw new InvalidOperationException($"The bundle does not verify: {report.ToText()}");
                    self.Refresh();
                    rates.Add(report.Verified / (self.TotalProcessorTime - from).TotalSeconds);
                    peak = Math.Max(peak, self.WorkingSet64);
                }
                Report.Note($"verify offline: {summary.Events} events; {string.Join(" ", rates.Select(rate => rate.ToString("F0")))} a second and core; working set {peak / 1e6:F0} MB with the server in it");
                var line = RandomNumberGenerator.GetBytes(450);
                var limit = Stopwatch.StartNew();
                for (var i = 0; i < 1_000_000; i++) SHA256.HashData(line);
                var hashes = 1_000_000 / limit.Elapsed.TotalSeconds;
                return [Row.Above("verify offline, events a second and core", Measure.Median(rates), LeastVerified), new("verify offline beside SHA-256 of 450 bytes", Measure.Median(rates), hashes, 0.3)];
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        private static string Size(int count) => count >= 1_000_000 ? $"{count / 1_000_000}M" : $"{count / 1000}k";

        private LedgerEvent Some()
        {
            var (now, n) = (TimeProvider.System.GetUtcNow(), Random.Shared.Next());
            var (action, patient) = (Actions[n % Actions.Length], Patients[n % Patients.Length]);
            var type = EventCatalogue.Find(action);
            return new()
            {
                Id = Ids.New(now), At = now, Action = action, Category = type.Category, Severity = n % 100 == 0 ? EventSeverity.Warning : type.Severity, Outcome = n % 100 == 1 ? EventOutcome.Failure : EventOutcome.Success,
                Actor = new(ActorKind.User, Doctors[n % Doctors.Length], "doctor", Doctors[0]), Entity = new("patient", patient), Subjects = [patient],
                Source = new("web", "GET /patients/{id:guid}", $"192.0.2.{n % 250}", "gecko/linux"), Decision = "role:doctor/patient.view", Hits = 1,
            };
        }
    }
}
