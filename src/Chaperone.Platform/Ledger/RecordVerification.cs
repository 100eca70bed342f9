using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Chaperone.Ledger;
using Npgsql;

namespace Chaperone.Platform.Ledger;

/// <summary>Compares every row of the tracked tables with the digest that the last event about it vouched for.</summary>
internal sealed partial class RecordVerification(NpgsqlConnection connection, Guid tenant, VerificationReport report, Action<EventRecord, long>? living)
{
    private readonly Dictionary<(string Type, Guid Id), Vouched> vouched = [];

    /// <summary>Takes note of an event's records. The highest version counts, not the last event: two changes of a row in quick succession may get their indexes the other way round.</summary>
    public void Add(LedgerEvent value, long? index)
    {
        foreach (var record in value.Records)
        {
            ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(vouched, (string.Intern(record.Type), record.Id), out var exists);
            if (!exists || record.Version > known.Version || (record.Version == known.Version && record.Digest is null)) known = new(record.Version, record.Digest, index ?? -1, Seen: false);
        }
    }

    /// <summary>Every row of every tracked table.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        long rows = 0;
        foreach (var table in await TablesAsync(cancel)) rows += await CheckTableAsync(table, null, cancel);
        Settle(rows);
    }

    /// <summary>Only the rows that the events speak of which were noted.</summary>
    public async Task RunChangedAsync(CancellationToken cancel)
    {
        long rows = 0;
        foreach (var table in await TablesAsync(cancel))
            foreach (var some in vouched.Keys.Where(key => key.Type == table).Select(key => key.Id).ToArray().Chunk(5000)) rows += await CheckTableAsync(table, some, cancel);
        Settle(rows);
    }

    private async Task<List<string>> TablesAsync(CancellationToken cancel)
    {
        var tables = new List<string>();
        await using var command = new NpgsqlCommand("SELECT name FROM platform.tenant_table WHERE tracked ORDER BY name", connection);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            if (TableName().IsMatch(reader.GetString(0))) tables.Add(reader.GetString(0));
            else report.AddProblem(null, "The list of tenant tables holds something that is not a table.");
        }
        return tables;
    }

    private void Settle(long rows)
    {
        report.AddCount("records", rows);
        foreach (var ((type, id), state) in vouched.OrderBy(pair => pair.Value.Index))
            if (state is { Seen: false, Digest: not null }) report.AddProblem(null, $"{type} {id} was deleted without an event; {By(state)} left it at version {state.Version}.");
    }

    private async Task<long> CheckTableAsync(string table, Guid[]? only, CancellationToken cancel)
    {
        long rows = 0;
        await using var command = new NpgsqlCommand($"SELECT * FROM {table} WHERE tenant_id = $1{(only is null ? "" : " AND id = ANY($2)")}", connection) { CommandTimeout = 0, Parameters = { new() { Value = tenant } } };
        if (only is not null) command.Parameters.Add(new() { Value = only });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var (id, version, payload) = (reader.GetOrdinal("id"), reader.GetOrdinal("version"), Ordinal(reader, "sealed"));
        var clear = Enumerable.Range(0, reader.FieldCount).Where(i => i != id && i != version && i != payload).ToArray();
        var dates = clear.Where(i => reader.GetDataTypeName(i) == "date").ToHashSet();
        for (; await reader.ReadAsync(cancel); rows++)
        {
            var columns = new List<(string, object?)>(clear.Length);
            foreach (var i in clear) columns.Add((reader.GetName(i), await reader.IsDBNullAsync(i, cancel) ? null : dates.Contains(i) ? reader.GetFieldValue<DateOnly>(i) : reader.GetValue(i)));
            var key = (table, reader.GetGuid(id));
            var now = Convert.ToInt64(reader.GetValue(version), System.Globalization.CultureInfo.InvariantCulture);
            var digest = RecordDigest.Compute(table, key.Item2, now, columns, payload < 0 ? [] : reader.GetFieldValue<byte[]>(payload));
            Check(key, now, digest);
        }
        return rows;
    }

    private void Check((string Type, Guid Id) key, long version, Hash256 digest)
    {
        ref var state = ref CollectionsMarshal.GetValueRefOrNullRef(vouched, key);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref state))
        {
            report.AddProblem(null, $"{key.Type} {key.Id} has no event: it was put there past the log.");
            return;
        }
        state = state with { Seen = true };
        if (state.Digest is null) report.AddProblem(null, $"{key.Type} {key.Id} exists, though {By(state)} says it was deleted.");
        else if (version < state.Version) report.AddProblem(null, $"{key.Type} {key.Id} was rolled back to version {version}; {By(state)} left it at {state.Version}.");
        else if (version > state.Version) report.AddProblem(null, $"{key.Type} {key.Id} is at version {version} without an event; {By(state)} left it at {state.Version}.");
        else if (digest != state.Digest) report.AddProblem(null, $"{key.Type} {key.Id} is not the row that {By(state)} vouches for.");
        else if (state.Index >= 0) living?.Invoke(new(key.Type, key.Id, version, digest), state.Index);
    }

    private static string By(Vouched state) => state.Index < 0 ? "an event not yet sequenced" : $"event {state.Index}";

    private static int Ordinal(NpgsqlDataReader reader, string name)
    {
        for (var i = 0; i < reader.FieldCount; i++) if (reader.GetName(i) == name) return i;
        return -1;
    }

    [GeneratedRegex("^[a-z_]+\\.[a-z_0-9]+$", RegexOptions.CultureInvariant)]
    private static partial Regex TableName();

    private readonly record struct Vouched(long Version, Hash256? Digest, long Index, bool Seen);
}
