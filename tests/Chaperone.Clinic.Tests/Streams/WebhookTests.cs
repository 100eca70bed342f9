using System.Net;
using System.Text;
using System.Text.Json;
using Chaperone.Clinic.Streams.Receivers;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Clinic.Tests.Streams;

/// <summary>Webhooks as a receiver meets them: in order, signed, once; and whatever a receiver may do in between.</summary>
[Collection(nameof(StreamHouses))]
public sealed class WebhookTests(StreamHouseServer at) : IAsyncLifetime
{
    private StreamHouse house = null!;

    public async ValueTask InitializeAsync() => house = await StreamHouse.CreateAsync(at);

    public ValueTask DisposeAsync() => house.DisposeAsync();

    // The example of the specification's reference libraries.
    [Fact]
    public void Signatures_are_those_of_standard_webhooks() => Assert.Equal(
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        WebhookSignature.Of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, """{"test": 2432232314}"""u8));

    [Fact]
    public async Task The_whole_log_comes_in_order_byte_for_byte_and_signed_and_then_what_happens()
    {
        await using var receiver = await TestReceiver.StartAsync();
        await house.HappenAsync(300);
        var (id, secret) = await house.AddAsync(receiver);
        Assert.Matches("^whsec_[A-Za-z0-9+/]{43}=$", secret);
        await house.AssertDeliveredAsync(receiver);
        await house.HappenAsync(5);
        await house.AssertDeliveredAsync(receiver);

        Assert.True(receiver.Heard.Count < 100, $"{receiver.Heard.Count} messages for {receiver.Events().Count} events");
        foreach (var hook in receiver.Heard)
        {
            Assert.True(hook.IsSignedWith(secret!) && !hook.IsSignedWith(WebhookSignature.NewSecret()));
            Assert.Equal(("application/json", "audit.events"), (hook.ContentType, hook.Json.GetProperty("type").GetString()));
            var data = hook.Json.GetProperty("data");
            Assert.Equal($"msg_{id:N}_{data.GetProperty("from").GetInt64()}_{data.GetProperty("end").GetInt64()}", hook.Id);
            Assert.EndsWith("/ledger/" + house.Clinic.Tenant.Id, data.GetProperty("log").GetString(), StringComparison.Ordinal);
        }
        await StreamHouse.Until(async () => (await house.StreamAsync(id)).GetProperty("state").GetString() == "working" && (await house.StreamAsync(id)).GetProperty("lastIndex").GetInt64() >= 300);

        // Delivering leaves no event, or each would be a reason for the next.
        var mine = (await house.Server.EventsAsync(house.Clinic)).Where(happened => happened.Action.StartsWith("stream.", StringComparison.Ordinal)).Select(happened => happened.Action);
        Assert.Equal(["stream.created"], mine);
        Assert.Equal(0L, await house.Server.Database.ExecuteAsync($"SELECT count(*) FROM clinic.log_stream WHERE position('localhost'::bytea IN sealed) > 0 OR position('{secret![6..]}'::bytea IN sealed) > 0"));
        Assert.DoesNotContain(secret, (await house.Owner.GetAsync(StreamHouse.Api)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_begins_now_gets_nothing_older()
    {
        await using var receiver = await TestReceiver.StartAsync();
        var before = (await house.LogAsync()).Count;
        await house.AddAsync(receiver, start: "now");
        await house.HappenAsync(3);
        var first = Assert.Single(await house.EventsAsync("stream.created")).Details["from_index"].Number!.Value;
        Assert.InRange(first, before, before + 20);
        await house.AssertDeliveredAsync(receiver, first);
    }

    [Fact]
    public async Task One_that_loses_the_connection_after_each_message_gets_every_event_and_can_tell_what_comes_twice()
    {
        await using var receiver = await TestReceiver.StartAsync();
        var told = new HashSet<string>();
        receiver.Answer = (hook, _) => told.Add(hook.Id) ? TestReceiver.TakenAndGone : 200;     // it has each, and says so only the second time
        await house.HappenAsync(40);
        var (id, _) = await house.AddAsync(receiver);
        for (var i = 0; i < 6; i++)
        {
            await house.HappenAsync(2);
            await house.PassAsync();
        }
        await house.PassAsync();
        await house.AssertDeliveredAsync(receiver);
        foreach (var twice in receiver.Heard.GroupBy(hook => hook.Id)) Assert.Single(twice.Select(hook => Convert.ToHexString(hook.Body)).Distinct());
        Assert.Contains(receiver.Heard.GroupBy(hook => hook.Id), twice => twice.Count() > 1);
        receiver.Answer = (_, _) => 200;        // what came last may have been answered only once
        await StreamHouse.Until(async () =>
        {
            await house.PassAsync();
            return (await house.StreamAsync(id)).GetProperty("state").GetString() == "working";
        });
    }

    [Fact]
    public async Task What_happens_while_it_is_down_comes_when_it_is_up_again()
    {
        await using var receiver = await TestReceiver.StartAsync();
        var (id, _) = await house.AddAsync(receiver);
        await house.AssertDeliveredAsync(receiver);
        await receiver.StopAsync();
        await house.HappenAsync(20);
        await StreamHouse.Until(async () => (await house.StreamAsync(id)).GetProperty("state").GetString() == "failing");
        var failing = await house.StreamAsync(id);
        Assert.Equal("CHP-STREAM-0003", failing.GetProperty("code").GetString());
        Assert.True(failing.GetProperty("behind").GetInt64() > 0 && failing.GetProperty("retryAt").GetDateTimeOffset() > house.Server.Clock.GetUtcNow());
        Assert.Empty(await house.EventsAsync("stream.failing"));
        for (var i = 0; i < 3; i++) await house.PassAsync();
        Assert.Equal("CHP-STREAM-0003", Assert.Single(await house.EventsAsync("stream.failing")).Reason);       // told once
        await receiver.StartAgainAsync();
        await house.PassAsync();
        await house.AssertDeliveredAsync(receiver);
        Assert.Single(await house.EventsAsync("stream.recovered"));
        Assert.Single(await house.EventsAsync("stream.failing"));
    }

    [Theory]
    [InlineData(500, "CHP-STREAM-0012")]
    [InlineData(429, "CHP-STREAM-0011")]
    [InlineData(302, "CHP-STREAM-0009")]
    [InlineData(401, "CHP-STREAM-0010")]
    [InlineData(0, "CHP-STREAM-0008")]
    public async Task One_that_does_not_take_it_is_tried_on_and_loses_nothing(int status, string code)
    {
        await using var elsewhere = await TestReceiver.StartAsync();
        await using var receiver = await TestReceiver.StartAsync();
        receiver.Answer = (_, http) =>
        {
            http.Response.Headers.Location = elsewhere.Address;
            if (status == 429) http.Response.Headers.RetryAfter = "7200";
            return status;
        };
        var (id, _) = await house.AddAsync(receiver);
        await StreamHouse.Until(async () => (await house.StreamAsync(id)).GetProperty("state").GetString() == "failing");
        var stream = await house.StreamAsync(id);
        Assert.Equal(code, stream.GetProperty("code").GetString());
        if (status > 0) Assert.Equal(status, stream.GetProperty("answer").GetInt32());
        var wait = stream.GetProperty("retryAt").GetDateTimeOffset() - house.Server.Clock.GetUtcNow();
        if (status == 429) Assert.InRange(wait.TotalSeconds, 7000, 7200);
        else Assert.InRange(wait.TotalSeconds, 0, 7);
        var heard = receiver.Heard.Count;
        await house.PassAsync(TimeSpan.FromMilliseconds(1));
        if (status == 429) Assert.Equal(heard, receiver.Heard.Count);       // left alone as it asked
        receiver.Answer = (_, _) => 200;
        await house.PassAsync(TimeSpan.FromHours(3));
        await house.AssertDeliveredAsync(receiver);
        Assert.Empty(elsewhere.Heard);
        Assert.Empty(await house.EventsAsync("stream.dead_lettered"));
    }

    [Fact]
    public async Task One_that_is_gone_for_good_pauses_the_stream_until_somebody_resumes_it()
    {
        await using var receiver = await TestReceiver.StartAsync();
        receiver.Answer = (_, _) => 410;
        var (id, _) = await house.AddAsync(receiver);
        await StreamHouse.Until(async () => (await house.StreamAsync(id)).GetProperty("state").GetString() == "paused");
        var paused = Assert.Single(await house.EventsAsync("stream.paused"));
        Assert.Equal(("CHP-STREAM-0014", ActorKind.System), (paused.Reason, paused.Actor.Kind));
        receiver.Answer = (_, _) => 200;
        var heard = receiver.Heard.Count;
        await house.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(heard, receiver.Heard.Count);
        Assert.Equal(HttpStatusCode.NoContent, (await house.Owner.JsonAsync(HttpMethod.Post, $"{StreamHouse.Api}/{id}/resume", new { })).Status);
        await house.AssertDeliveredAsync(receiver);
    }

    [Fact]
    public async Task An_event_that_it_refuses_stops_the_stream_until_somebody_sends_it_again_or_skips_it()
    {
        await using var receiver = await TestReceiver.StartAsync();
        await house.HappenAsync(10);
        var refused = (await house.LogAsync()).Count - 4;
        var refuses = true;
        receiver.Answer = (hook, _) => refuses && hook.Json.GetProperty("data").GetProperty("events").EnumerateArray().Any(each => each.GetProperty("index").GetInt64() == refused) ? 422 : 200;
        var (id, _) = await house.AddAsync(receiver);
        await StuckAsync(id);
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        Assert.Equal(refused, receiver.Events().Count);                             // all before it, and nothing after
        var letter = Assert.Single((await owner.GetAsync(StreamHouse.Api + "/undelivered")).Json.GetProperty("items").EnumerateArray());
        Assert.Equal((refused, 422, 5, "CHP-STREAM-0013"), (letter.GetProperty("index").GetInt32(), letter.GetProperty("answer").GetInt32(), letter.GetProperty("attempts").GetInt32(), letter.GetProperty("code").GetString()));
        var page = WebUtility.HtmlDecode((await owner.GetAsync(StreamHouse.Page + "/undelivered")).Text);
        Assert.Contains("The receiver refuses this message. It answered 422.", page, StringComparison.Ordinal);
        Assert.Contains("Stands still", (await owner.GetAsync(StreamHouse.Page)).Text, StringComparison.Ordinal);
        Assert.Single(await house.EventsAsync("stream.dead_lettered"));

        // Again, in vain; then left out. Without script, and after a fresh code.
        var which = letter.GetProperty("id").GetGuid();
        Assert.Equal(HttpStatusCode.SeeOther, (await owner.FormAsync($"{StreamHouse.Page}/undelivered/{which}/again", new Dictionary<string, string>(), StreamHouse.Page + "/undelivered")).Status);
        await StuckAsync(id);
        var second = (await owner.GetAsync(StreamHouse.Api + "/undelivered")).Json.GetProperty("items")[0];
        Assert.Equal((refused, JsonValueKind.Null), (second.GetProperty("index").GetInt32(), second.GetProperty("decision").ValueKind));
        Assert.Equal("CHP-STREAM-0016", (await owner.JsonAsync(HttpMethod.Post, $"{StreamHouse.Api}/undelivered/{which}/again", new { })).Code);
        using var fresh = await house.SignInAs(BuiltInRole.Owner);
        Assert.Equal(HttpStatusCode.NoContent, (await fresh.JsonAsync(HttpMethod.Post, $"{StreamHouse.Api}/undelivered/{second.GetProperty("id").GetGuid()}/skip", new { })).Status);
        var log = await house.LogAsync();
        await StreamHouse.Until(() => Task.FromResult(receiver.Events().Count >= log.Count - 1));
        Assert.Equal(Enumerable.Range(0, log.Count).Where(index => index != refused), receiver.Events().Take(log.Count - 1).Select(each => each.GetProperty("index").GetInt32()));
        Assert.Equal(refused, Assert.Single(await house.EventsAsync("stream.skipped")).Details["index"].Number);
        Assert.Equal([EventOutcome.Success, EventOutcome.Failure], (await house.EventsAsync("stream.retried")).Select(happened => happened.Outcome));
    }

    private Task StuckAsync(Guid id) => StreamHouse.Until(async () =>
    {
        await house.PassAsync(TimeSpan.FromSeconds(50));
        return (await house.StreamAsync(id)).GetProperty("state").GetString() == "stuck";
    });

    [Fact]
    public async Task A_filter_leaves_out_and_the_index_goes_on()
    {
        await using var receiver = await TestReceiver.StartAsync();
        await house.HappenAsync(10);
        var (id, _) = await house.AddAsync(receiver, severity: "warning", categories: ["administration"]);
        var log = await house.LogAsync();
        var wanted = log.Where(line => line.Contains("\"category\":\"administration\"", StringComparison.Ordinal) && !line.Contains("\"severity\":\"info\"", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(wanted);
        await StreamHouse.Until(async () => (await house.StreamAsync(id)).GetProperty("lastIndex").GetInt64() >= log.Count - 1);
        Assert.Equal(wanted, receiver.Events().Select(each => each.GetProperty("event").GetRawText()).Take(wanted.Count));

        var (other, _) = await house.AddAsync(receiver, actions: ["patient.viewed"]);
        await StreamHouse.Until(() => Task.FromResult(receiver.Heard.Any(hook => hook.Id.Contains(other.ToString("N"), StringComparison.Ordinal))));
        Assert.All(receiver.Heard.Where(hook => hook.Id.Contains(other.ToString("N"), StringComparison.Ordinal)).SelectMany(hook => hook.Json.GetProperty("data").GetProperty("events").EnumerateArray()),
            each => Assert.Equal("patient.viewed", each.GetProperty("event").GetProperty("action").GetString()));
    }

    [Fact]
    public async Task A_new_secret_works_beside_the_one_before_for_a_day()
    {
        await using var receiver = await TestReceiver.StartAsync();
        var (id, first) = await house.AddAsync(receiver);
        await house.AssertDeliveredAsync(receiver);
        var rotated = await house.Owner.JsonAsync(HttpMethod.Post, $"{StreamHouse.Api}/{id}/secret", new { });
        var second = rotated.Json.GetProperty("secret").GetString()!;
        Assert.NotEqual(first, second);
        await house.HappenAsync(1);
        await house.AssertDeliveredAsync(receiver);
        Assert.True(receiver.Heard[^1].IsSignedWith(first!) && receiver.Heard[^1].IsSignedWith(second));
        Assert.Equal(2, receiver.Heard[^1].Signature.Split(' ').Length);
        await house.PassAsync(TimeSpan.FromHours(25));
        await house.HappenAsync(1);
        await house.PassAsync(TimeSpan.FromSeconds(1));
        await StreamHouse.Until(() => Task.FromResult(!receiver.Heard[^1].IsSignedWith(first!) && receiver.Heard[^1].IsSignedWith(second)));
        Assert.Single(await house.EventsAsync("stream.secret_rotated"));
    }

    [Fact]
    public async Task A_test_says_what_came_of_it_and_is_no_event_of_the_log()
    {
        await using var receiver = await TestReceiver.StartAsync();
        var (id, secret) = await house.AddAsync(receiver, start: "now", actions: ["backup.created"]);
        var tested = await house.Owner.JsonAsync(HttpMethod.Post, $"{StreamHouse.Api}/{id}/test", new { });
        Assert.True(tested.Json.GetProperty("acknowledged").GetBoolean(), tested.ToString());
        var hook = Assert.Single(receiver.Heard);
        Assert.Equal("audit.test", hook.Json.GetProperty("type").GetString());
        Assert.True(hook.IsSignedWith(secret!));
        Assert.Equal(HttpStatusCode.TooManyRequests, (await house.Owner.JsonAsync(HttpMethod.Post, $"{StreamHouse.Api}/{id}/test", new { })).Status);
        house.Server.Clock.Advance(TimeSpan.FromMinutes(1));
        receiver.Answer = (_, _) => 500;
        var failed = await house.Owner.JsonAsync(HttpMethod.Post, $"{StreamHouse.Api}/{id}/test", new { });
        Assert.Equal(("CHP-STREAM-0012", 500), (failed.Json.GetProperty("code").GetString(), failed.Json.GetProperty("answer").GetInt32()));
        Assert.Equal([EventOutcome.Success, EventOutcome.Failure], (await house.EventsAsync("stream.tested")).Select(happened => happened.Outcome));
    }

    [Fact]
    public async Task Its_certificate_must_be_believed_and_ours_is_shown()
    {
        await using var receiver = await TestReceiver.StartAsync();
        await using var elsewhere = await TestReceiver.StartAsync("elsewhere.example");
        foreach (var (url, ca) in new[] { (receiver.Address, (string?)null), (receiver.Address, elsewhere.Ca), (elsewhere.Address, elsewhere.Ca) })
        {
            var (id, _) = await house.AddAsync(new { name = "R", kind = "webhook", shape = "native", url, trustedCa = ca, start = "beginning" });
            await StreamHouse.Until(async () => (await house.StreamAsync(id)).GetProperty("state").GetString() == "failing");
            Assert.Equal("CHP-STREAM-0006", (await house.StreamAsync(id)).GetProperty("code").GetString());
        }
        Assert.Empty(receiver.Heard);
        Assert.Empty(elsewhere.Heard);

        await using var asking = await TestReceiver.StartAsync(asksForCertificate: true);
        var (_, certificate, key) = MailServer.Certify("sender.example");
        await house.AddAsync(new { name = "R", kind = "webhook", shape = "native", url = asking.Address, trustedCa = asking.Ca, clientCertificate = certificate, clientKey = key, start = "beginning" });
        await house.AssertDeliveredAsync(asking);
        Assert.All(asking.Heard, hook => Assert.NotNull(hook.ClientThumbprint));
    }
}
