using System.Globalization;
using Chaperone.Ledger;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Chaperone.Platform.Ledger;

/// <summary>What one run of retention did.</summary>
/// <param name="Months">The months that were dropped, by their first days.</param>
/// <param name="Ended">How many events' bodies ended, by clinic.</param>
/// <param name="Attested">Records that were vouched for again.</param>
/// <param name="KeysDestroyed">Audit keys destroyed.</param>
/// <param name="Refused">The clinic whose log or records are not as signed, for which nothing was dropped though something was due; null when nothing stood in the way.</param>
public sealed record RetentionRun(IReadOnlyList<DateOnly> Months, IReadOnlyDictionary<Guid, long> Ended, long Attested, int KeysDestroyed, Guid? Refused)
{
    internal static RetentionRun Nothing { get; } = new([], new Dictionary<Guid, long>(), 0, 0, null);

    /// <summary>Events whose bodies ended, of all clinics.</summary>
    public long Events => Ended.Values.Sum();
}

/// <summary>
/// Ends the bodies of events whose term is over: month by month, for all clinics at once, as a month is one partition. The tree over them stays whole, and an event
/// <c>ledger.expired</c> of each clinic names the indexes, so that a verifier tells what expired from what was taken away.
/// </summary>
/// <remarks>
/// Naming, keeping what is held, dropping, and destroying the month's keys are one transaction: after a crash either all of it happened or none. Living records whose last
/// event goes are vouched for again (<c>record.attested</c>) in the same transaction. Nothing is dropped while any log or record is not as it was signed: what expires is
/// evidence until then, and what is attested must be what it was.
/// </remarks>
public sealed partial class LogRetention(Databases databases, TenantDirectory clinics, DatabaseVerifier verifier, LedgerAppender appender, Sequencer sequencer, TimeProvider clock, ILogger<LogRetention> logger)
{
    /// <summary>How often the scheduler asks. Most days nothing is due.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromDays(1);

    private const int MostRanges = 2000, MostRecords = 500;     // in one event

    /// <summary>Ends what is due.</summary>
    public async Task<RetentionRun> RunAsync(CancellationToken cancel)
    {
        var months = await DueAsync(cancel);
        if (months.Count == 0) return RetentionRun.Nothing;
        var living = new Dictionary<Guid, List<(EventRecord Record, long Index)>>();
        foreach (var clinic in await clinics.AllAsync(cancel))
        {
            var records = living[clinic.Id] = [];
            var report = await verifier.VerifyAsync(clinic.Id, $"{clinic.Name} ({clinic.Host})", null, null, cancel, (record, index) => records.Add((record, index)));
            if (report.ExitCode == 0) continue;
            var why = report.FirstBad ?? (report.Problems.Count > 0 ? report.Problems[0].What : report.CouldNotCheck) ?? "It could not be checked.";
            NotDropped(clinic.Id, why);
            return RetentionRun.Nothing with { Refused = clinic.Id };
        }
        var (done, ended, attested, keys) = (new List<DateOnly>(), new Dictionary<Guid, long>(), 0L, 0);
        foreach (var month in months)
        {
            var run = await ExpireAsync(month, living, cancel);
            foreach (var (tenant, count) in run.Ended) ended[tenant] = ended.GetValueOrDefault(tenant) + count;
            (attested, keys) = (attested + run.Attested, keys + run.Keys);
            if (month is { } dropped) done.Add(dropped);
        }
        return new(done, ended, attested, keys, null);
    }

    // The months that are over, and null where held events are no longer held.
    private async Task<List<DateOnly?>> DueAsync(CancellationToken cancel)
    {
        var due = new List<DateOnly?>();
        await using var connection = await databases.Ledger.OpenConnectionAsync(cancel);
        await using (var months = new NpgsqlCommand("SELECT * FROM ledger.due_months()", connection))
        await using (var reader = await months.ExecuteReaderAsync(cancel))
            while (await reader.ReadAsync(cancel)) due.Add(reader.GetFieldValue<DateOnly>(0));
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        if ((await GoingAsync(connection, null, cancel)).Count > 0) due.Add(null);
        return due;
    }

    private async Task<(Dictionary<Guid, long> Ended, long Attested, int Keys)> ExpireAsync(DateOnly? month, Dictionary<Guid, List<(EventRecord Record, long Index)>> living, CancellationToken cancel)
    {
        await using var connection = await databases.Ledger.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var going = await GoingAsync(connection, month, cancel);
        var (prepared, attested) = (new List<PreparedEvent>(), 0L);
        foreach (var (tenant, ids) in going)
        {
            var indexes = await IndexesAsync(connection, tenant, ids, cancel);
            if (indexes.Count != ids.Count) throw new InvalidOperationException($"{ids.Count - indexes.Count} events of clinic {tenant} are due to end and have no index yet.");
            var records = living.GetValueOrDefault(tenant)?.Where(each => indexes.Contains(each.Index)).Select(each => each.Record).ToArray() ?? [];
            attested += records.Length;
            foreach (var some in records.Chunk(MostRecords)) prepared.Add(await PrepareAsync(tenant, "record.attested", month, cancel, records: some));
            foreach (var some in RangesOf(indexes).Chunk(MostRanges)) prepared.Add(await PrepareAsync(tenant, EventJson.ExpiredAction, month, cancel, expired: some));
        }
        await using var batch = new NpgsqlBatch(connection) { Timeout = 0 };
        if (prepared.Count > 0) batch.BatchCommands.Add(LedgerAppender.CommandForAll(prepared));
        batch.BatchCommands.Add(month is { } first ? new("SELECT ledger.expire($1)") { Parameters = { new NpgsqlParameter<DateOnly> { TypedValue = first } } } : new("SELECT ledger.expire_held()"));
        await batch.ExecuteNonQueryAsync(cancel);
        await using var destroy = new NpgsqlCommand("SELECT ledger.destroy_audit_keys()", connection);
        var keys = (int)(await destroy.ExecuteScalarAsync(cancel))!;
        await transaction.CommitAsync(cancel);
        foreach (var tenant in going.Keys) sequencer.Signal(tenant);
        var ended = going.ToDictionary(each => each.Key, each => (long)each.Value.Count);
        Ended(Name(month), ended.Values.Sum(), attested, keys);
        return (ended, attested, keys);
    }

    private static async Task<Dictionary<Guid, HashSet<Guid>>> GoingAsync(NpgsqlConnection connection, DateOnly? month, CancellationToken cancel)
    {
        var going = new Dictionary<Guid, HashSet<Guid>>();
        await using var command = new NpgsqlCommand("SELECT tenant_id, id FROM ledger.going($1)", connection) { CommandTimeout = 0, Parameters = { new() { Value = (object?)month ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Date } } };
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            if (!going.TryGetValue(reader.GetGuid(0), out var ids)) going[reader.GetGuid(0)] = ids = [];
            ids.Add(reader.GetGuid(1));
        }
        return going;
    }

    private static async Task<SortedSet<long>> IndexesAsync(NpgsqlConnection connection, Guid tenant, HashSet<Guid> ids, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                TenantTransaction.InClinic(tenant),
                new("SELECT n, event_ids FROM ledger.position WHERE tenant_id = $1 AND max_id >= $2 AND min_id <= $3")
                {
                    Parameters = { new NpgsqlParameter<Guid> { TypedValue = tenant }, new NpgsqlParameter<Guid> { TypedValue = ids.Min() }, new NpgsqlParameter<Guid> { TypedValue = ids.Max() } },
                },
            },
        };
        var indexes = new SortedSet<long>();
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        await reader.NextResultAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var (first, chunk) = (reader.GetInt64(0) * Tiles.Width, reader.GetFieldValue<Guid[]>(1));
            for (var i = 0; i < chunk.Length; i++) if (ids.Contains(chunk[i])) indexes.Add(first + i);
        }
        return indexes;
    }

    private static IEnumerable<IndexRange> RangesOf(SortedSet<long> indexes)
    {
        long first = -1, last = -1;
        foreach (var index in indexes)
        {
            if (first >= 0 && index == last + 1) { last = index; continue; }
            if (first >= 0) yield return new(first, last);
            (first, last) = (index, index);
        }
        if (first >= 0) yield return new(first, last);
    }

    private async Task<PreparedEvent> PrepareAsync(Guid tenant, string action, DateOnly? month, CancellationToken cancel, IReadOnlyList<EventRecord>? records = null, IReadOnlyList<IndexRange>? expired = null)
    {
        var (type, now) = (EventCatalogue.Find(action), clock.GetUtcNow());
        var details = new Dictionary<string, EventFact>(StringComparer.Ordinal) { ["month"] = Name(month) };
        if (expired is not null) details["events"] = expired.Sum(range => range.Last - range.First + 1);
        return await appender.PrepareAsync(tenant, new()
        {
            Id = Ids.New(now), At = now, Action = action, Category = type.Category, Severity = type.Severity, Actor = new(ActorKind.System, Role: "retention"),
            Source = new("job", "retention"), Decision = "system", Details = details, Records = records ?? [], Expired = expired ?? [],
        }, cancel);
    }

    private static string Name(DateOnly? month) => month?.ToString("yyyy-MM", CultureInfo.InvariantCulture) ?? "held";

    [LoggerMessage(Level = LogLevel.Critical, Message = "Events are due to end, but the log or records of clinic {Tenant} are not what was signed, so nothing is dropped: {Why}")]
    private partial void NotDropped(Guid tenant, string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "Retention of {Month}: {Events} events ended, {Attested} records vouched for again, {Keys} keys destroyed")]
    private partial void Ended(string month, long events, long attested, int keys);
}
