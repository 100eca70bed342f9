using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Npgsql;
using System.Net;
using System.Text.Json.Serialization;

namespace Chaperone.Bench;

/// <summary>A row of the bare endpoint.</summary>
internal sealed record BareRow(Guid Id, long Version, string Body);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BareRow))]
internal sealed partial class BareJson : JsonSerializerContext;

/// <summary>
/// A patient over HTTP (session, decision, row-level security, unsealing, an event that is durable before the answer leaves), by sixteen connections from a second process; beside a bare
/// endpoint of the same web server in the same process that reads one row of the same size by its key, with Npgsql, from the same PostgreSQL, and does nothing else.
/// </summary>
internal static class ViewBench
{
    private const int Connections = 16;

    public static async Task<IReadOnlyList<Row>> RunAsync(bool quick)
    {
        var (patients, repetitions, milliseconds) = quick ? (400, 3, 1500) : (2000, 9, 4000);
        await using var server = await BenchServer.StartAsync();
        var ids = await server.AddAsync(People.Make(patients, 1));
        await server.Database.ExecuteAsync(
            """
            CREATE SCHEMA bench;
            CREATE TABLE bench.row (id uuid PRIMARY KEY, version bigint NOT NULL, body text NOT NULL);
            INSERT INTO bench.row SELECT id, version, rpad('', (SELECT avg(length(sealed))::int FROM clinic.patient), md5(id::text)) FROM clinic.patient;
            GRANT USAGE ON SCHEMA bench TO chaperone_app;
            GRANT SELECT ON bench.row TO chaperone_app;
            """);
        var size = await server.Database.ExecuteAsync("SELECT avg(length(body))::int FROM bench.row");
        await server.Database.ExecuteAsync("VACUUM ANALYZE");
        await using var database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.Database.App) { MaxPoolSize = 60, MaxAutoPrepare = 100, AutoPrepareMinUsages = 2, NoResetOnClose = true });
        await using var bare = await StartBareAsync(database);
        await using var load = LoadGenerator.Start();

        new Random(3).Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ids));
        var headers = $"Host: {BenchServer.Host}:{server.Port}\r\nUser-Agent: {BenchServer.UserAgent}\r\nAccept: application/json\r\nCookie: {await server.SignInAsync()}\r\n";
        var ours = new LoadOrder(server.Port, headers, [.. ids.Select(id => $"/api/patients/{id}")], Connections);
        var barePort = new Uri(bare.Urls.First()).Port;
        var reference = new LoadOrder(barePort, $"Host: 127.0.0.1:{barePort}\r\nUser-Agent: {BenchServer.UserAgent}\r\nAccept: application/json\r\n", [.. ids.Select(id => $"/rows/{id}")], Connections);

        var before = await ViewsAsync(server);
        var (views, rows) = (new Tally(load, ours), new Tally(load, reference));
        // Until the compiler has seen what is hot.
        await views.RunAsync(quick ? 6000 : 20_000);
        await rows.RunAsync(quick ? 2000 : 5000);
        var (a, b) = await Measure.InTurn($"view, {patients} patients, rows of {size} bytes", repetitions, () => views.RunAsync(milliseconds), () => rows.RunAsync(milliseconds));
        Report.Note($"view: {views}");
        Report.Note($"bare: {rows}");

        var events = await ViewsAsync(server) - before;
        if (events != views.Answered) throw new InvalidOperationException($"{views.Answered} views were answered, {events} stand in the log.");
        Report.Note($"view: {events} events in {await server.Database.ExecuteAsync("SELECT count(DISTINCT xmin::text) FROM ledger.event WHERE action = 'patient.viewed'")} commits");
        return [new("patient view, requests a second", a, b, 0.2)];
    }

    private static async Task<long> ViewsAsync(BenchServer server) => (long)(await server.Database.ExecuteAsync("SELECT count(*) FROM ledger.event WHERE action = 'patient.viewed'"))!;

    private static async Task<WebApplication> StartBareAsync(NpgsqlDataSource database)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.MapGet("/rows/{id:guid}", async (Guid id, CancellationToken cancel) =>
        {
            await using var command = database.CreateCommand("SELECT id, version, body FROM bench.row WHERE id = $1");
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
            await using var reader = await command.ExecuteReaderAsync(cancel);
            return await reader.ReadAsync(cancel) ? Results.Json(new BareRow(reader.GetGuid(0), reader.GetInt64(1), reader.GetString(2)), BareJson.Default.BareRow) : Results.NotFound();
        });
        await app.StartAsync();
        return app;
    }

    /// <summary>One server under load, with what its requests cost.</summary>
    private sealed class Tally(LoadGenerator load, LoadOrder order)
    {
        private LoadResult last = new(0, 0, 0, 0, 0);
        private CpuTime cost;
        private long counted;

        public long Answered { get; private set; }

        public async Task<double> RunAsync(int milliseconds)
        {
            var from = await CpuTime.NowAsync();
            last = await load.RunAsync(order with { Milliseconds = milliseconds });
            Answered += last.Requests;
            if (Answered > last.Requests) (cost, counted) = (cost + (await CpuTime.NowAsync() - from), counted + last.Requests);    // not while warming up
            return last.PerSecond;
        }

        public override string ToString() => $"half within {last.MedianMilliseconds:F1} ms, 99 of 100 within {last.P99Milliseconds:F1} ms; processor time a request: {cost.Each(counted)}";
    }
}
