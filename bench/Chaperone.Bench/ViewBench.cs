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
        var ours = new LoadOrder(server.Port, headers, [.. ids.Select(id => $"/api/patients/{id}")], Connections, milliseconds);
        var barePort = new Uri(bare.Urls.First()).Port;
        var reference = new LoadOrder(barePort, $"Host: 127.0.0.1:{barePort}\r\nUser-Agent: {BenchServer.UserAgent}\r\nAccept: application/json\r\n", [.. ids.Select(id => $"/rows/{id}")], Connections, milliseconds);

        var before = await ViewsAsync(server);
        long answered = 0;
        var (last, lastBare) = (new LoadResult(0, 0, 0, 0), new LoadResult(0, 0, 0, 0));
        var (a, b) = await Measure.InTurn($"view, {patients} patients, rows of {size} bytes", repetitions,
            async () =>
            {
                last = await load.RunAsync(ours);
                answered += last.Requests;
                return last.PerSecond;
            },
            async () => (lastBare = await load.RunAsync(reference)).PerSecond);
        Report.Note($"view: ours p50 {last.MedianMilliseconds:F1} ms, p99 {last.P99Milliseconds:F1} ms; bare p50 {lastBare.MedianMilliseconds:F1} ms, p99 {lastBare.P99Milliseconds:F1} ms");

        var events = await ViewsAsync(server) - before;
        if (events != answered) throw new InvalidOperationException($"{answered} views were answered, {events} stand in the log.");
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
}
