using System.Diagnostics;
using Chaperone.Clinic.Patients;
using Npgsql;

namespace Chaperone.Clinic.Tests.Patients;

/// <summary>Finding beside the tokens of 100,000 patients: plans as the runtime role, and the time it takes.</summary>
public sealed class FindAtScaleTests(ITestOutputHelper output) : PatientsWorld
{
    private const int Others = 100_000;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Run(new BulkRegister([.. Enumerable.Range(0, 300).Select(i => Person("Given" + (char)('a' + (i % 20)), "Smith", $"19{50 + (i % 50)}-01-{1 + (i % 28):00}"))]));
        await Run(new BulkRegister([Person("Zebedee", "Quillfeather") with { NhsNumber = "9434765919", Phone = "020 7946 0000" }]));
        // Six name tokens each out of 20,000, every thirtieth a Smith by her tokens; ids older than any real one.
        await Platform.Database.ExecuteAsync(
            $"""
            INSERT INTO clinic.blind_index
            SELECT '{Clinic.Id}', 10, substr(sha256(convert_to('n' || (hashint4(i * 7 + k) & 2147483647) % 20000, 'UTF8')), 1, 8), ('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid
            FROM generate_series(1, {Others}) i, generate_series(1, 6) k ON CONFLICT DO NOTHING;
            INSERT INTO clinic.blind_index
            SELECT '{Clinic.Id}', 12, substr(sha256(convert_to('d' || i % 29000, 'UTF8')), 1, 16), ('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid FROM generate_series(1, {Others}) i;
            INSERT INTO clinic.blind_index
            SELECT DISTINCT tenant_id, index_id, token, ('00000000-0000-0000-0000-' || lpad((i * 30)::text, 12, '0'))::uuid
            FROM clinic.blind_index CROSS JOIN generate_series(1, {Others / 30}) i
            WHERE row_id = (SELECT min(row_id::text)::uuid FROM clinic.blind_index WHERE row_id::text > '00000000-1') AND index_id = 10 ON CONFLICT DO NOTHING;
            INSERT INTO clinic.patient SELECT '{Clinic.Id}', id, id, 'active', now(), NULL, 1, 1, '\x00'
            FROM (SELECT ('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid id FROM generate_series(100001, 200000) i) p;
            """);
        await Platform.Database.ExecuteAsync("ANALYZE clinic.blind_index");
        await Platform.Database.ExecuteAsync("ANALYZE clinic.patient");
    }

    [Fact]
    public async Task Finding_uses_the_primary_key_of_the_tokens_and_is_fast()
    {
        var token = "decode(encode(substr(sha256(convert_to('n77', 'UTF8')), 1, 8), 'hex'), 'hex')";
        var other = "decode(encode(substr(sha256(convert_to('n78', 'UTF8')), 1, 8), 'hex'), 'hex')";
        await AssertIndexed($"SELECT row_id FROM clinic.blind_index WHERE index_id = 10 AND token = {token} ORDER BY row_id DESC LIMIT 1000");
        await AssertIndexed($"SELECT b.row_id FROM clinic.blind_index b WHERE b.index_id = 10 AND b.token = {token} AND EXISTS (SELECT 1 FROM clinic.blind_index c WHERE c.index_id = 10 AND c.token = {other} AND c.row_id = b.row_id) ORDER BY b.row_id DESC LIMIT 1000");
        await AssertIndexed($"SELECT token, row_id FROM clinic.blind_index WHERE index_id = 18 AND token = ANY (ARRAY[{token}, {other}])");
        await AssertIndexed("SELECT * FROM clinic.patient p LEFT JOIN keys.subject_key s ON p.tenant_id = s.tenant_id AND p.subject_id = s.subject_id AND p.key_version = s.version WHERE p.id = '00000000-0000-0000-0000-000000100077' LIMIT 1");
        await AssertIndexed("SELECT id FROM clinic.patient WHERE status = 'active' ORDER BY id DESC LIMIT 51");
        await AssertIndexed("SELECT CASE WHEN id = NULL THEN 4 ELSE 1 END FROM clinic.patient WHERE id = '00000000-0000-0000-0000-000000100077'");

        foreach (var (typed, least) in new[] { ("quillfeather", 1), ("quill", 1), ("9434765919", 1), ("020 7946 0000", 1), ("zebedee quillf", 1), ("smith", 200), ("smith givena", 15), ("smith 1950-01-01", 1) })
        {
            var times = new List<double>();
            for (var i = 0; i < 15; i++)
            {
                var start = Stopwatch.GetTimestamp();
                var found = await Run(new FindPatients(typed));
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                Assert.InRange(found.Patients.Count, least, 200);
            }
            var median = times.Order().ElementAt(times.Count / 2);
            output.WriteLine($"{typed}: {median:0.0} ms");
            Assert.InRange(median, 0, 250);   // the bench holds the real limit, on a quiet machine
        }
        var patient = (await Run(new FindPatients("quillfeather"))).Patients[0].Id;
        var views = new List<double>();
        for (var i = 0; i < 200; i++)
        {
            var start = Stopwatch.GetTimestamp();
            await Run(new ViewPatient(patient));
            views.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        output.WriteLine($"view: {views.Order().ElementAt(100):0.00} ms");
    }

    private async Task AssertIndexed(string sql)
    {
        await using var connection = new NpgsqlConnection(Platform.Database.App);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var set = new NpgsqlCommand($"SET LOCAL chaperone.tenant_id = '{Clinic.Id}'", connection)) await set.ExecuteNonQueryAsync();
        await using var explain = new NpgsqlCommand("EXPLAIN " + sql, connection);
        await using var reader = await explain.ExecuteReaderAsync();
        var plan = new List<string>();
        while (await reader.ReadAsync()) plan.Add(reader.GetString(0));
        Assert.True(plan.Exists(line => line.Contains("Index", StringComparison.Ordinal)) && !plan.Exists(line => line.Contains("Seq Scan", StringComparison.Ordinal)), sql + Environment.NewLine + string.Join(Environment.NewLine, plan));
    }
}
