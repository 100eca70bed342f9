using Chaperone.Encryption;
using Chaperone.Ledger;
using Npgsql;
using NpgsqlTypes;

namespace Chaperone.Platform.Ledger;

/// <summary>One run over one clinic's log, in one snapshot.</summary>
internal sealed class LogVerification(
    NpgsqlConnection connection, Guid tenant, LogKeys keys, SignedHeads heads, VerificationReport report, DateTimeOffset now, IProgress<VerifyProgress>? progress, Action<EventRecord, long>? living)
{
    private const int ChunksAtOnce = 16;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);      // for what is on its way

    private CompactRange range = new();
    private readonly List<byte[]> chunkRoots = [];
    private readonly List<(long Index, Guid Id)> missing = [];
    private readonly List<(IndexRange Range, DateTimeOffset At)> named = [];
    private readonly RecordVerification records = new(connection, tenant, report, living);
    private long agreed;                    // up to here a signed head agrees
    private long found, subjects;
    private Guid lastId;

    /// <summary>How far a later run may rely on this one, if nothing is wrong; null while no chunk is full.</summary>
    public VerifiedPart? Reached { get; private set; }

    public async Task RunAsync(VerifiedPart? after, CancellationToken cancel)
    {
        report.Bodies = true;
        if (after is not null) (range, agreed, Reached) = (new(after.Size, after.Peaks), after.Size, after);
        report.From = range.Size;
        var total = await CountAsync("SELECT coalesce(max(n) + 1, 0) * 256 FROM ledger.position WHERE tenant_id = $1", cancel);
        for (var next = range.Size / Tiles.Width; ; )
        {
            var chunks = await ReadChunksAsync(next, cancel);
            foreach (var chunk in chunks)
            {
                if (chunk.N != next) report.AddProblem(range.Size, $"Position chunk {next} is missing.");
                else if (range.Size != next * Tiles.Width) report.AddProblem(range.Size, $"Position chunk {next - 1} is short.");
                next = chunk.N + 1;
                Append(chunk);
            }
            if (chunks.Count == 0) break;
            await CheckEventsAsync(chunks, cancel);
            progress?.Report(new(report.Subject, range.Size - report.From, total - report.From));
            if (chunks.Count < ChunksAtOnce) break;
        }
        report.To = range.Size;
        report.Checkpoint = heads.Newest?.Head;
        CheckHeads();
        var tiles = new TileVerification(connection, tenant, report);
        await tiles.CheckHeadAsync(range, cancel);
        if (after is null) await tiles.RunAsync(range, chunkRoots, cancel);
        await CheckPendingAsync(cancel);
        if (after is null) await CheckStraysAsync(cancel);
        SettleMissing();
        await (after is null ? records.RunAsync(cancel) : records.RunChangedAsync(cancel));
    }

    private async Task<List<Chunk>> ReadChunksAsync(long from, CancellationToken cancel)
    {
        await using var command = Command("SELECT n, min_id, max_id, event_ids, entry_hashes FROM ledger.position WHERE tenant_id = $1 AND n >= $2 ORDER BY n LIMIT $3", from, ChunksAtOnce);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var chunks = new List<Chunk>();
        while (await reader.ReadAsync(cancel))
            chunks.Add(new(reader.GetInt64(0), reader.GetGuid(1), reader.GetGuid(2), reader.GetFieldValue<Guid[]>(3), reader.GetFieldValue<byte[]>(4)));
        return chunks;
    }

    private void Append(Chunk chunk)
    {
        chunk.First = range.Size;
        if (chunk.Ids.Min() != chunk.MinId || chunk.Ids.Max() != chunk.MaxId) report.AddProblem(range.Size, $"The least and greatest id of position chunk {chunk.N} are not those of its events.");
        var leaves = StoredTree.LeavesOf(chunk.Hashes);
        for (var at = 0; at < leaves.Length; at += Hash256.Size)
        {
            range.Append(new(leaves.AsSpan(at, Hash256.Size)));
            foreach (var (head, where) in heads.At(range.Size)) Agree(head, where);
        }
        if (chunk.Ids.Length == Tiles.Width)
        {
            chunkRoots.Add(Tiles.Root(leaves).ToArray());
            Reached = new(range.Size, [.. range.Hashes]);
        }
        lastId = chunk.Ids[^1];
    }

    private void Agree(Checkpoint head, string where)
    {
        if (range.Root == head.Root) agreed = head.Size;
        else report.AddProblem(agreed, $"The first {head.Size} entries are not those that {where} was signed over; the first {agreed} are.");
    }

    private void CheckHeads()
    {
        foreach (var (head, where) in heads.All)
            if (head.Size > range.Size) report.AddProblem(range.Size, $"The log ends at {range.Size}, but {where} was signed over {head.Size} events: its tail was cut off, or an old copy was brought back.");
        // A crash between the file and the row leaves the file ahead, of a tree that is whole; the next run of the sequencer makes it good.
        if (heads.Newest is { } newest && newest.Head.Size < Math.Min(heads.Largest, range.Size))
            report.AddNote($"The newest checkpoint of the database is of size {newest.Head.Size}; one of size {heads.Largest} was signed.");
        if (heads.Newest is null && range.Size > 0 && now - TimeOf(lastId) > Grace) report.AddProblem(0, "The database holds no checkpoint.");
        if (heads.Newest is null && range.Size > 0) report.AddNote($"{range.Size} events are not under a checkpoint yet.");
    }

    private async Task CheckEventsAsync(List<Chunk> chunks, CancellationToken cancel)
    {
        var ids = chunks.SelectMany(chunk => chunk.Ids).ToArray();
        var rows = await EventsAsync(ids, cancel);
        var shown = new List<(Guid Event, Guid Subject, long Index)>();
        foreach (var chunk in chunks)
        {
            for (var i = 0; i < chunk.Ids.Length; i++)
            {
                var index = chunk.First + i;
                if (!rows.TryGetValue(chunk.Ids[i], out var row)) missing.Add((index, chunk.Ids[i]));
                else if (await CheckAsync(row, chunk.Hashes.AsMemory(i * Hash256.Size, Hash256.Size), index, shown, cancel) is { } what) report.AddTampered(index, what);
                else report.AddVerified(1);
            }
        }
        await CheckSubjectsAsync(shown, cancel);
    }

    /// <summary>What is wrong with an event, or null.</summary>
    private async ValueTask<string?> CheckAsync(StoredEvent row, ReadOnlyMemory<byte> entryHash, long? index, List<(Guid, Guid, long)> shown, CancellationToken cancel)
    {
        OpenedBody body;
        LedgerEvent value;
        try
        {
            body = await row.OpenAsync(keys, tenant, cancel);
            if (!Entry.Bytes(body.Salt.Span, body.Line.Span).AsSpan(1).SequenceEqual(entryHash.Span)) return $"The body of event {row.Id} is not the one whose entry stands in the log.";
            value = EventJson.Read(body.Line);
        }
        catch (SealBrokenException)
        {
            return $"The body of event {row.Id} does not open: it was altered or moved, or its key is gone.";
        }
        catch (FormatException)
        {
            return $"The body of event {row.Id} is not an event.";
        }
        foreach (var subject in value.Subjects) shown.Add((row.Id, subject, index ?? -1));
        subjects += value.Subjects.Count;
        records.Add(value, index);
        if (index is not null && value.Action == EventJson.ExpiredAction) foreach (var each in value.Expired) if (each.Last < index) named.Add((each, value.At));
        var ip = value.Source.Ip is { } address ? (await keys.IpIndex(tenant, cancel)).Exact(address) : null;
        return row.DiffersFrom(value, ip) is { } columns ? $"The columns of event {row.Id} are not what its body says: {columns}." : null;
    }

    private async Task<Dictionary<Guid, StoredEvent>> EventsAsync(Guid[] ids, CancellationToken cancel)
    {
        // The days on which these events can expire: with them PostgreSQL reads a few partitions instead of all.
        var days = ids.Select(id => DateOnly.FromDateTime(TimeOf(id).UtcDateTime)).Distinct()
            .SelectMany(day => new[] { day.AddDays(30), day.AddYears(2), day.AddYears(7) }).Append(DateOnly.MaxValue).Distinct().ToArray();
        var rows = new Dictionary<Guid, StoredEvent>(ids.Length);
        await using (var likely = Command($"SELECT {StoredEvent.Columns} FROM ledger.event WHERE tenant_id = $1 AND id = ANY($2) AND expires_on = ANY($3)", ids, days))
            foreach (var row in await StoredEvent.ReadAllAsync(likely, cancel)) Take(row);
        var rest = ids.Where(id => !rows.ContainsKey(id)).ToArray();
        if (rest.Length == 0) return rows;
        await using (var anywhere = Command($"SELECT {StoredEvent.Columns} FROM ledger.every_event WHERE tenant_id = $1 AND id = ANY($2)", rest))
            foreach (var row in await StoredEvent.ReadAllAsync(anywhere, cancel)) Take(row);
        return rows;

        void Take(StoredEvent row)
        {
            found++;
            if (!rows.TryAdd(row.Id, row)) report.AddProblem(null, $"Event {row.Id} stands twice.");
        }
    }

    private async Task CheckSubjectsAsync(List<(Guid Event, Guid Subject, long Index)> shown, CancellationToken cancel)
    {
        if (shown.Count == 0) return;
        await using var command = Command(
            """
            SELECT wanted.event_id, wanted.subject_id, wanted.index FROM unnest($2, $3, $4) AS wanted (event_id, subject_id, index)
            WHERE NOT EXISTS (SELECT FROM ledger.event_subject s WHERE s.tenant_id = $1 AND s.subject_id = wanted.subject_id AND s.event_id = wanted.event_id)
              AND NOT EXISTS (SELECT FROM ledger.event_subject_held s WHERE s.tenant_id = $1 AND s.subject_id = wanted.subject_id AND s.event_id = wanted.event_id)
            """,
            shown.Select(row => row.Event).ToArray(), shown.Select(row => row.Subject).ToArray(), shown.Select(row => row.Index).ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            subjects--;
            var index = reader.GetInt64(2);
            report.AddProblem(index < 0 ? null : index, $"Event {reader.GetGuid(0)} showed person {reader.GetGuid(1)}, but the list of who was shown does not say so.");
        }
    }

    private async Task CheckPendingAsync(CancellationToken cancel)
    {
        var entries = new Dictionary<Guid, byte[]>();
        await using (var command = Command("SELECT id, entry FROM ledger.pending WHERE tenant_id = $1"))
        await using (var reader = await command.ExecuteReaderAsync(cancel))
            while (await reader.ReadAsync(cancel)) entries.Add(reader.GetGuid(0), reader.GetFieldValue<byte[]>(1));
        if (entries.Count == 0) return;
        var shown = new List<(Guid, Guid, long)>();
        foreach (var some in entries.Keys.Chunk(ChunksAtOnce * Tiles.Width))
        {
            var rows = await EventsAsync(some, cancel);
            foreach (var id in some)
            {
                if (!rows.TryGetValue(id, out var row)) report.AddProblem(null, $"Event {id} is to get its index, but it is missing.");
                else if (entries[id].Length != Entry.Size || await CheckAsync(row, entries[id].AsMemory(1), null, shown, cancel) is not null)
                    report.AddProblem(null, $"Event {id}, which is to get its index, is not what its entry says.");
            }
        }
        await CheckSubjectsAsync(shown, cancel);
        var overdue = heads.Newest is { } newest ? entries.Keys.Count(id => newest.SignedAt - TimeOf(id) > Grace) : 0;
        if (overdue > 0) report.AddProblem(range.Size, $"{overdue} events should have got their index long ago.");
        report.AddNote($"{entries.Count} not yet sequenced.");
    }

    /// <summary>Rows that nothing in the log speaks of. Counting is enough where all is well; only where it is not are they looked for.</summary>
    private async Task CheckStraysAsync(CancellationToken cancel)
    {
        var stored = await CountAsync("SELECT count(*) FROM ledger.every_event WHERE tenant_id = $1", cancel);
        if (stored != found)
        {
            await using var command = Command(
                """
                (SELECT id, false FROM ledger.every_event WHERE tenant_id = $1
                 EXCEPT SELECT id, false FROM (SELECT unnest(event_ids) FROM ledger.position WHERE tenant_id = $1 UNION ALL SELECT id FROM ledger.pending WHERE tenant_id = $1) AS known (id) LIMIT 100)
                UNION ALL (SELECT id, true FROM ledger.every_event WHERE tenant_id = $1 GROUP BY id HAVING count(*) > 1 LIMIT 100)
                """);
            await using var reader = await command.ExecuteReaderAsync(cancel);
            var any = false;
            for (; await reader.ReadAsync(cancel); any = true)
                report.AddProblem(null, reader.GetBoolean(1) ? $"Event {reader.GetGuid(0)} stands twice." : $"Event {reader.GetGuid(0)} has no position in the log: it was put there past it.");
            if (!any) report.AddProblem(null, $"{stored} events are stored, the log speaks of {found}.");
        }
        if (await CountAsync("SELECT count(*) FROM ledger.every_event_subject WHERE tenant_id = $1", cancel) != subjects) await NameStraySubjectsAsync(cancel);
    }

    private async Task NameStraySubjectsAsync(CancellationToken cancel)
    {
        var rows = new List<(Guid Event, Guid Subject)>();
        await using (var command = Command("SELECT event_id, subject_id FROM ledger.every_event_subject WHERE tenant_id = $1"))
        await using (var reader = await command.ExecuteReaderAsync(cancel))
            while (await reader.ReadAsync(cancel)) rows.Add((reader.GetGuid(0), reader.GetGuid(1)));
        foreach (var some in rows.GroupBy(row => row.Event).Chunk(1000))
        {
            await using var command = Command($"SELECT {StoredEvent.Columns} FROM ledger.every_event WHERE tenant_id = $1 AND id = ANY($2)", some.Select(group => group.Key).ToArray());
            var events = (await StoredEvent.ReadAllAsync(command, cancel)).DistinctBy(row => row.Id).ToDictionary(row => row.Id);
            foreach (var group in some)
            {
                var truth = events.TryGetValue(group.Key, out var row) ? await SubjectsOfAsync(row, cancel) : [];
                if (truth is null) continue;        // its body is reported already
                foreach (var (id, subject) in group)
                    if (!truth.Contains(subject)) report.AddProblem(null, $"The list of who was shown names person {subject} for event {id}, whose body does not.");
            }
        }
    }

    private async Task<IReadOnlyList<Guid>?> SubjectsOfAsync(StoredEvent row, CancellationToken cancel)
    {
        try
        {
            return EventJson.Read((await row.OpenAsync(keys, tenant, cancel)).Line).Subjects;
        }
        catch (Exception reported) when (reported is SealBrokenException or FormatException)
        {
            return null;
        }
    }

    private void SettleMissing()
    {
        // Both in order of index: one walk over them, with those ranges at hand that have begun and not ended.
        named.Sort((one, other) => one.Range.First.CompareTo(other.Range.First));
        var (next, open) = (0, new List<(IndexRange Range, DateTimeOffset At)>());
        foreach (var (index, id) in missing)
        {
            for (; next < named.Count && named[next].Range.First <= index; next++) open.Add(named[next]);
            open.RemoveAll(each => each.Range.Last < index);
            // No body ends before the shortest term, whatever an event of expiry says.
            if (open.Exists(each => each.At - TimeOf(id) >= TimeSpan.FromDays(30))) report.AddExpired(1);
            else report.AddTampered(index, $"Event {id} is missing, and no event of expiry names it.");
        }
    }

    private async Task<long> CountAsync(string sql, CancellationToken cancel)
    {
        await using var command = Command(sql);
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0, Parameters = { new NpgsqlParameter { Value = tenant, NpgsqlDbType = NpgsqlDbType.Uuid } } };
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return command;
    }

    internal static DateTimeOffset TimeOf(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        _ = id.TryWriteBytes(bytes, bigEndian: true, out _);
        var milliseconds = System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(bytes) >>> 16;
        return milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? DateTimeOffset.MaxValue : DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
    }

    private sealed record Chunk(long N, Guid MinId, Guid MaxId, Guid[] Ids, byte[] Hashes)
    {
        public long First { get; set; }
    }
}
