using System.Net;
using System.Text.Json;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Streams;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.Streams;

/// <summary>One running program for all tests of streams, one after the other; it may connect to this machine.</summary>
[CollectionDefinition(nameof(StreamHouses))]
public sealed class StreamHouses : ICollectionFixture<StreamHouseServer>;

public sealed class StreamHouseServer : IAsyncLifetime
{
    private int made;

    public TestServer Server { get; private set; } = null!;

    internal TestClinic Other { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync(clinics: false, witnesses: WitnessSettings.None with { Networks = [new(IPAddress.Loopback, 32)] });
        Other = await AddClinicAsync();
    }

    internal Task<TestClinic> AddClinicAsync() => Server.AddClinicAsync($"stream{++made}.test");

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

/// <summary>A new clinic of the running program, with its owner signed in.</summary>
internal sealed class StreamHouse(TestServer server, TestClinic clinic, TestClinic other, ClinicClient owner) : IAsyncDisposable
{
    public const string Api = "/api/audit/streams", Page = "/settings/security/streams";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public TestServer Server => server;

    public TestClinic Clinic => clinic;

    public TestClinic Other => other;

    public ClinicClient Owner => owner;

    public StreamRunner Runner => server.Services.GetRequiredService<StreamRunner>();

    public static async Task<StreamHouse> CreateAsync(StreamHouseServer at)
    {
        var clinic = await at.AddClinicAsync();
        return new(at.Server, clinic, at.Other, await at.Server.SignInAs(BuiltInRole.Owner, clinic));
    }

    public Task<ClinicClient> SignInAs(Role role, TestClinic? at = null) => server.SignInAs(role, at ?? clinic);

    public async Task<(Guid Id, string? Secret)> AddAsync(object stream)
    {
        var added = await owner.JsonAsync(HttpMethod.Post, Api, stream);
        Assert.True(added.Status == HttpStatusCode.Created, added.ToString());
        return (added.Json.GetProperty("id").GetGuid(), added.Json.GetProperty("secret").GetString());
    }

    public Task<(Guid Id, string? Secret)> AddAsync(TestReceiver receiver, string shape = "native", string start = "beginning", string[]? categories = null, string? severity = null, string[]? actions = null) =>
        AddAsync(new { name = "Receiver", kind = "webhook", shape, url = receiver.Address, trustedCa = receiver.Ca, start, categories, severity, actions });

    public Task<(Guid Id, string? Secret)> AddAsync(SyslogServer receiver, string shape = "native", string start = "beginning") =>
        AddAsync(new { name = "Log server", kind = "syslog", shape, host = "localhost", port = receiver.Port, trustedCa = receiver.Ca, start });

    /// <summary>As it is shown. By a session of its own: tests let hours pass.</summary>
    public async Task<JsonElement> StreamAsync(Guid id) => (await (await server.SharedSession(BuiltInRole.Owner, clinic)).GetAsync($"{Api}/{id}")).Json;

    /// <summary>Something happens in the clinic, so many times.</summary>
    public async Task HappenAsync(int times)
    {
        for (var i = 0; i < times; i++) Assert.True((await server.Run(new ViewPatient(clinic.Patients[i % 2]), BuiltInRole.Doctor, clinic)).Succeeded);
    }

    /// <summary>Lets waiting times pass and sends what is due.</summary>
    public async Task PassAsync(TimeSpan? time = null)
    {
        server.Clock.Advance(time ?? TimeSpan.FromMinutes(20));
        await Runner.RunClinicAsync(clinic.Tenant, changed: true, Cancel);
    }

    /// <summary>The log's lines by index, as they are stored under its newest checkpoint.</summary>
    public async Task<IReadOnlyList<string>> LogAsync()
    {
        await server.Services.GetRequiredService<Sequencer>().FlushAsync(clinic.Tenant.Id, Cancel);
        var slices = server.Services.GetRequiredService<LedgerSlices>();
        await using var transaction = await Chaperone.Platform.Postgres.TenantTransaction.BeginAsync(server.Databases.App, clinic.Tenant.Id, Cancel);
        var lines = new List<string>();
        while (await slices.ReadAsync(transaction, lines.Count, long.MaxValue, Cancel) is { } slice) lines.AddRange(slice.Events.Select(each => System.Text.Encoding.UTF8.GetString(each.Line.Span)));
        return lines;
    }

    public async Task<IReadOnlyList<LedgerEvent>> EventsAsync(string action) => [.. (await server.EventsAsync(clinic)).Where(happened => happened.Action == action)];

    /// <summary>Everything a receiver took is the log from an index on, each event once, in order, byte for byte.</summary>
    public async Task AssertDeliveredAsync(TestReceiver receiver, long from = 0)
    {
        var log = await LogAsync();
        await Until(() => Task.FromResult(receiver.Events().Count >= log.Count - from), () => $"{receiver.Events().Count} of {log.Count - from} events came");
        var came = receiver.Events().Take((int)(log.Count - from)).ToList();
        Assert.Equal(Enumerable.Range((int)from, came.Count).Select(index => (long)index), came.Select(each => each.GetProperty("index").GetInt64()));
        Assert.Equal(log.Skip((int)from), came.Select(each => each.GetProperty("event").GetRawText()));
    }

    public static async Task Until(Func<Task<bool>> holds, Func<string>? what = null)
    {
        for (var tries = 0; !await holds(); tries++)
        {
            Assert.True(tries < 150, what?.Invoke() ?? "it did not come to be");
            await Task.Delay(100, Cancel);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await server.Database.ExecuteAsync("SET session_replication_role = replica; DELETE FROM clinic.log_stream; DELETE FROM clinic.log_stream_state; DELETE FROM clinic.log_stream_letter");   // nothing is sent any more
        owner.Dispose();
    }
}
