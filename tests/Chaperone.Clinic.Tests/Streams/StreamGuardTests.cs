using System.Net;
using System.Text.Json;
using Chaperone.Clinic.Streams;
using Chaperone.Clinic.Streams.Receivers;
using Chaperone.Clinic.Streams.Shapes;
using Chaperone.Platform;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Chaperone.Clinic.Tests.Streams;

/// <summary>Who may have the log sent where, what goes out of a log that was tampered with, and two nodes at once.</summary>
[Collection(nameof(StreamHouses))]
public sealed class StreamGuardTests(StreamHouseServer at) : IAsyncLifetime
{
    private StreamHouse house = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => house = await StreamHouse.CreateAsync(at);

    public ValueTask DisposeAsync() => house.DisposeAsync();

    [Fact]
    public async Task Other_roles_other_clinics_and_a_stale_code_reach_no_stream()
    {
        await using var receiver = await TestReceiver.StartAsync();
        var (id, _) = await house.AddAsync(receiver, start: "now");
        var body = new { name = "R", kind = "webhook", shape = "native", url = "https://receiver.example/x" };
        (HttpMethod, string)[] routes =
        [
            (HttpMethod.Get, $"{StreamHouse.Api}/{id}"), (HttpMethod.Put, $"{StreamHouse.Api}/{id}"), (HttpMethod.Delete, $"{StreamHouse.Api}/{id}"), (HttpMethod.Post, $"{StreamHouse.Api}/{id}/pause"),
            (HttpMethod.Post, $"{StreamHouse.Api}/{id}/resume"), (HttpMethod.Post, $"{StreamHouse.Api}/{id}/secret"), (HttpMethod.Post, $"{StreamHouse.Api}/{id}/test"),
        ];
        foreach (var role in new[] { BuiltInRole.Doctor, BuiltInRole.Manager, BuiltInRole.ReadOnly })
        {
            using var somebody = await house.SignInAs(role);
            foreach (var (method, path) in routes.Append((HttpMethod.Get, StreamHouse.Api)).Append((HttpMethod.Post, StreamHouse.Api)).Append((HttpMethod.Get, StreamHouse.Api + "/undelivered")))
                Assert.Equal(HttpStatusCode.Forbidden, (await somebody.JsonAsync(method, path, body)).Status);
        }
        using var elsewhere = await house.SignInAs(BuiltInRole.Owner, house.Other);
        foreach (var (method, path) in routes) Assert.Equal(HttpStatusCode.NotFound, (await elsewhere.JsonAsync(method, path, body)).Status);
        Assert.Equal(0, (await elsewhere.GetAsync(StreamHouse.Api)).Json.GetProperty("items").GetArrayLength());

        house.Server.Clock.Advance(TimeSpan.FromMinutes(6));      // the second factor is not fresh any more
        foreach (var (method, path) in routes.Where(route => route.Item1 != HttpMethod.Get && !route.Item2.EndsWith("/test", StringComparison.Ordinal)).Append((HttpMethod.Post, StreamHouse.Api)))
            Assert.Equal("CHP-ACCESS-0005", (await house.Owner.JsonAsync(method, path, body)).Code);
        Assert.Equal("working", (await house.StreamAsync(id)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task What_cannot_be_is_refused_at_its_field_and_a_secret_is_never_shown_again()
    {
        var (_, certificate, key) = MailServer.Certify("sender.example");
        var (_, _, otherKey) = MailServer.Certify("sender.example");
        foreach (var (field, body) in new (string, object)[]
        {
            ("name", new { kind = "webhook", shape = "native", url = "https://r.example" }), ("kind", new { name = "R", kind = "kafka", shape = "native" }), ("shape", new { name = "R", kind = "webhook", shape = "cef", url = "https://r.example" }),
            ("url", Hook("http://r.example")), ("url", Hook("https://10.0.0.1/x")), ("url", Hook("https://[::1]/x")), ("url", Hook("https://169.254.169.254/latest")), ("url", Hook("https://2130706434/")), ("url", Hook("https://a:b@r.example")),
            ("url", Hook("https://r.example:22/")), ("url", Hook("file:///etc/passwd")), ("host", Log("", 6514)), ("host", Log("192.168.1.1", 6514)), ("host", Log("a b", 6514)), ("port", Log("r.example", 22)), ("port", Log("r.example", 70000)),
            ("trustedCa", new { name = "R", kind = "webhook", shape = "native", url = "https://r.example", trustedCa = "none" }), ("trustedCa", new { name = "R", kind = "webhook", shape = "native", url = "https://r.example", trustedCa = key }),
            ("clientKey", new { name = "R", kind = "webhook", shape = "native", url = "https://r.example", clientCertificate = certificate }),
            ("clientKey", new { name = "R", kind = "webhook", shape = "native", url = "https://r.example", clientCertificate = certificate, clientKey = otherKey }),
            ("categories", new { name = "R", kind = "webhook", shape = "native", url = "https://r.example", categories = new[] { "gossip" } }), ("severity", new { name = "R", kind = "webhook", shape = "native", url = "https://r.example", severity = "loud" }),
            ("actions", new { name = "R", kind = "webhook", shape = "native", url = "https://r.example", actions = new[] { "patient.eaten" } }), ("start", new { name = "R", kind = "webhook", shape = "native", url = "https://r.example", start = "yesterday" }),
        })
        {
            var answer = await house.Owner.JsonAsync(HttpMethod.Post, StreamHouse.Api, body);
            Assert.True(answer.Status == HttpStatusCode.UnprocessableEntity && answer.Code == "CHP-STREAM-0001" && answer.Json.GetProperty("fields").TryGetProperty(field, out _), $"{field}: {answer}");
        }
        var (id, secret) = await house.AddAsync(new { name = "R", kind = "webhook", shape = "native", url = "https://r.example", clientCertificate = certificate, clientKey = key, start = "now" });
        foreach (var path in new[] { StreamHouse.Api, $"{StreamHouse.Api}/{id}", StreamHouse.Page, $"{StreamHouse.Page}/{id}" })
        {
            var text = WebUtility.HtmlDecode((await house.Owner.GetAsync(path)).Text);
            Assert.True(!text.Contains(secret!, StringComparison.Ordinal) && !text.Contains("PRIVATE KEY", StringComparison.Ordinal), path);
        }
        // The key that is kept stays with its certificate, and goes with it.
        Assert.Equal(HttpStatusCode.NoContent, (await house.Owner.JsonAsync(HttpMethod.Put, $"{StreamHouse.Api}/{id}", new { name = "Renamed", shape = "ocsf", url = "https://r.example", clientCertificate = certificate })).Status);
        var changed = Assert.Single(await house.EventsAsync("stream.changed"));
        Assert.Equal(["name", "shape"], changed.Changes.Select(change => change.Field).Order());
        for (var i = 1; i < 8; i++) await house.AddAsync(new { name = $"R{i}", kind = "syslog", shape = "native", host = "r.example", start = "now" });
        Assert.Equal("CHP-STREAM-0002", (await house.Owner.JsonAsync(HttpMethod.Post, StreamHouse.Api, Hook("https://r.example"))).Code);

        static object Hook(string url) => new { name = "R", kind = "webhook", shape = "native", url };
        static object Log(string host, int port) => new { name = "R", kind = "syslog", shape = "native", host, port };
    }

    [Fact]
    public async Task Who_may_not_read_an_open_investigation_has_nothing_sent_anywhere()
    {
        var opened = await house.Owner.JsonAsync(HttpMethod.Post, "/api/investigations", new { title = "A matter", reason = "Something was seen", filter = new Dictionary<string, string> { ["action"] = "clinic.created" } });
        Assert.True(opened.Status is HttpStatusCode.Created or HttpStatusCode.OK, opened.ToString());
        var stream = new { name = "R", kind = "webhook", shape = "native", url = "https://receiver.example/x", start = "beginning" };
        var (id, _) = await house.AddAsync(stream);     // an owner may read it, and so may have it sent
        using var admin = await house.SignInAs(BuiltInRole.Admin);
        Assert.Equal((HttpStatusCode.Forbidden, "CHP-STREAM-0018"), await TriedAsync(HttpMethod.Post, StreamHouse.Api));
        Assert.Equal((HttpStatusCode.Forbidden, "CHP-STREAM-0018"), await TriedAsync(HttpMethod.Put, $"{StreamHouse.Api}/{id}"));

        async Task<(HttpStatusCode, string?)> TriedAsync(HttpMethod method, string path) => await admin.JsonAsync(method, path, stream) is var answer ? (answer.Status, answer.Code) : default;
    }

    [Fact]
    public async Task A_name_that_leads_inside_is_refused_where_the_connection_is_made()
    {
        await using var receiver = await TestReceiver.StartAsync();
        await using var server = await SyslogServer.StartAsync();
        var context = new ShapeContext(house.Clinic.Tenant.Id, "h", "o", "1", new HashSet<Guid>());
        var (nowhere, clock) = (new OutsideNetworks([]), TimeProvider.System);
        using var webhook = new WebhookReceiver(new() { Url = receiver.Address, TrustedCa = receiver.Ca, Secret = WebhookSignature.NewSecret() }, nowhere, ReceiverPatience.Usual, clock);
        using var syslog = new SyslogReceiver(new() { Host = "localhost", Port = server.Port, TrustedCa = server.Ca }, nowhere, ReceiverPatience.Usual, clock);
        foreach (IReceiver each in new IReceiver[] { webhook, syslog }) Assert.Equal(StreamFault.Forbidden, (await each.TestAsync(context, Cancel)).Fault);
        Assert.Empty(receiver.Heard);
        Assert.Empty(server.Messages());
    }

    [Fact]
    public async Task One_that_is_slow_keeps_nobody_waiting_and_is_told_of()
    {
        await using var slow = await TestReceiver.StartAsync();
        await using var quick = await TestReceiver.StartAsync();
        slow.Delay = TimeSpan.FromSeconds(3);
        await house.AddAsync(slow);
        await house.AddAsync(quick);
        await house.AssertDeliveredAsync(quick);
        Assert.Empty(slow.Taken);
        slow.Delay = TimeSpan.Zero;
        await house.AssertDeliveredAsync(slow);
        using var hasty = new WebhookReceiver(
            new() { Url = slow.Address, TrustedCa = slow.Ca, Secret = WebhookSignature.NewSecret() }, new([new(IPAddress.Loopback, 32)]), new(TimeSpan.FromMilliseconds(300)), TimeProvider.System);
        slow.Delay = TimeSpan.FromSeconds(2);
        Assert.Equal(StreamFault.Slow, (await hasty.TestAsync(new(house.Clinic.Tenant.Id, "h", "o", "1", new HashSet<Guid>()), Cancel)).Fault);
    }

    [Fact]
    public async Task Two_nodes_at_once_send_each_event_once()
    {
        await using var receiver = await TestReceiver.StartAsync();
        receiver.Delay = TimeSpan.FromMilliseconds(30);
        await house.HappenAsync(200);
        var services = house.Server.Services;
        await using var turns = new NodeTurns(house.Server.Databases);
        using var second = new StreamRunner(
            services.GetRequiredService<ReferenceMonitor>(), services.GetRequiredService<TenantDirectory>(), services.GetRequiredService<Witnessing>(), services.GetRequiredService<ReceiverMaker>(), turns, new StreamBell(),
            house.Server.Clock, NullLogger<StreamRunner>.Instance);
        var (id, _) = await house.AddAsync(receiver);
        for (var i = 0; i < 15; i++)
        {
            await Task.WhenAll(house.HappenAsync(3), second.RunClinicAsync(house.Clinic.Tenant, changed: true, Cancel), house.Runner.RunClinicAsync(house.Clinic.Tenant, changed: true, Cancel));
        }
        await house.AssertDeliveredAsync(receiver);
        Assert.Equal(receiver.Heard.Count, receiver.Heard.Select(hook => hook.Id).Distinct().Count());
        // The turn is one node's: whoever else wants it goes without.
        Assert.True(await turns.TryTakeAsync(house.Other.Tenant.Id, Cancel));
        Assert.False(await services.GetRequiredService<NodeTurns>().TryTakeAsync(house.Other.Tenant.Id, Cancel));
        Assert.False(await turns.TryTakeAsync(house.Other.Tenant.Id, Cancel));
        await turns.GiveBackAsync(house.Other.Tenant.Id);
        Assert.True(await services.GetRequiredService<NodeTurns>().TryTakeAsync(house.Other.Tenant.Id, Cancel));
        await services.GetRequiredService<NodeTurns>().GiveBackAsync(house.Other.Tenant.Id);
        Assert.Equal("working", (await house.StreamAsync(id)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task What_was_altered_or_taken_out_goes_out_as_such_and_of_a_forged_tree_nothing()
    {
        await using var receiver = await TestReceiver.StartAsync();
        await house.HappenAsync(12);
        var log = await house.LogAsync();
        var ids = log.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetGuid()).ToList();
        var tenant = house.Clinic.Tenant.Id;
        // By whoever rules the database: one body taken from another event, one flipped, one row deleted.
        await Superuser($"UPDATE ledger.event SET body = (SELECT body FROM ledger.event WHERE tenant_id = '{tenant}' AND id = '{ids[2]}') WHERE tenant_id = '{tenant}' AND id = '{ids[3]}'");
        await Superuser($"UPDATE ledger.event SET body = set_byte(body, 40, get_byte(body, 40) # 1) WHERE tenant_id = '{tenant}' AND id = '{ids[5]}'");
        await Superuser($"DELETE FROM ledger.event WHERE tenant_id = '{tenant}' AND id = '{ids[7]}'");
        await house.AddAsync(receiver);
        await StreamHouse.Until(() => Task.FromResult(receiver.Events().Count >= log.Count));
        foreach (var each in receiver.Events().Take(log.Count))
        {
            var index = each.GetProperty("index").GetInt32();
            if (index is 3 or 5 or 7) Assert.Equal((ids[index], index == 7 ? "missing" : "altered", false), (each.GetProperty("id").GetGuid(), each.GetProperty("marker").GetString(), each.TryGetProperty("event", out _)));
            else Assert.Equal(log[index], each.GetProperty("event").GetRawText());
        }
        // They go out whatever the filter; and of a tree that does not lead to the signed root nothing does.
        await using var alarms = await TestReceiver.StartAsync();
        var (alarm, _) = await house.AddAsync(alarms, severity: "critical");
        await StreamHouse.Until(() => Task.FromResult(alarms.Events().Count >= 3));
        Assert.All(alarms.Events().Take(3), each => Assert.True(each.TryGetProperty("marker", out _)));

        await using var third = await TestReceiver.StartAsync();
        await Superuser($"UPDATE ledger.position SET entry_hashes = set_byte(entry_hashes, 33, get_byte(entry_hashes, 33) # 1) WHERE tenant_id = '{tenant}' AND n = 0");
        var (id, _) = await house.AddAsync(third);
        await StreamHouse.Until(async () => (await house.StreamAsync(id)).GetProperty("state").GetString() == "failing");
        Assert.Equal("CHP-STREAM-0015", (await house.StreamAsync(id)).GetProperty("code").GetString());
        Assert.Empty(third.Heard);
        await Superuser($"UPDATE ledger.position SET entry_hashes = set_byte(entry_hashes, 33, get_byte(entry_hashes, 33) # 1) WHERE tenant_id = '{tenant}' AND n = 0");
        await house.PassAsync(TimeSpan.FromMinutes(1));
        await StreamHouse.Until(() => Task.FromResult(third.Events().Count >= log.Count));

        Task<object?> Superuser(string sql) => house.Server.Database.ExecuteAsync("SET session_replication_role = replica; " + sql);
    }

    [Fact]
    public async Task A_body_that_ended_with_its_term_goes_out_as_a_marker()
    {
        await using var receiver = await TestReceiver.StartAsync();
        await house.HappenAsync(5);
        var first = JsonDocument.Parse((await house.LogAsync())[0]).RootElement.GetProperty("id").GetGuid();
        var tenant = house.Clinic.Tenant.Id;
        // As expiry leaves it after its term: an event names the index, and the row is gone.
        var expired = new Ledger.LedgerEvent
        {
            Id = Platform.Ids.New(house.Server.Clock.GetUtcNow().AddDays(31)), At = house.Server.Clock.GetUtcNow().AddDays(31), Action = "ledger.expired", Category = Ledger.EventCategory.System, Actor = new(Ledger.ActorKind.System, Role: "retention"),
            Source = new("job", "retention"), Decision = "system:retention", Expired = [new(0, 0)],
        };
        var services = house.Server.Services;
        await services.GetRequiredService<GroupAppender>().AppendAsync([await services.GetRequiredService<LedgerAppender>().PrepareAsync(tenant, expired, Cancel)], Cancel);
        await house.Server.Database.ExecuteAsync($"SET session_replication_role = replica; DELETE FROM ledger.event WHERE tenant_id = '{tenant}' AND id = '{first}'");
        await house.AddAsync(receiver);
        await StreamHouse.Until(() => Task.FromResult(receiver.Events().Count > 5));
        Assert.Equal(("expired", first), (receiver.Events()[0].GetProperty("marker").GetString(), receiver.Events()[0].GetProperty("id").GetGuid()));
        await using var filtered = await TestReceiver.StartAsync();
        await house.AddAsync(filtered, actions: ["patient.viewed"]);
        await StreamHouse.Until(() => Task.FromResult(filtered.Events().Count >= 5));
        Assert.All(filtered.Events(), each => Assert.False(each.TryGetProperty("marker", out _)));
    }
}
