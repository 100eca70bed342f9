using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Chaperone.Clinic.Streams.Receivers;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;
using Chaperone.TestSupport;

namespace Chaperone.Clinic.Tests.Streams;

/// <summary>Syslog over TLS against Debian's rsyslog, and against receivers that end connections as they should not.</summary>
[Collection(nameof(StreamHouses))]
public sealed partial class SyslogTests(StreamHouseServer at) : IAsyncLifetime
{
    private StreamHouse house = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => house = await StreamHouse.CreateAsync(at);

    public ValueTask DisposeAsync() => house.DisposeAsync();

    [Fact]
    public async Task Rsyslog_gets_the_whole_log_in_order_byte_for_byte_and_takes_it_apart_as_it_is_meant()
    {
        await using var server = await SyslogServer.StartAsync();
        await house.HappenAsync(300);
        var (id, secret) = await house.AddAsync(server);
        Assert.Null(secret);
        var log = await AllAsync(server);
        var came = server.Messages().Take(log.Count).ToList();
        Assert.Equal(log, came.Select(message => message.Text));
        Assert.Equal(Enumerable.Range(0, log.Count), came.Select(IndexOf));
        foreach (var message in came)
        {
            var happened = EventJson.Read(Encoding.UTF8.GetBytes(message.Text));
            Assert.Equal((house.Clinic.Host, "chaperone", happened.Action[..Math.Min(32, happened.Action.Length)]), (message.Host, message.App, message.MessageId));
            Assert.Equal(happened.Category is EventCategory.Authentication or EventCategory.Security ? 10 : 13, message.Facility);
            Assert.Equal(happened.Severity switch { EventSeverity.Critical => 2, EventSeverity.Warning => 4, _ => 6 }, message.Severity);
            Assert.Equal(happened.At, DateTimeOffset.Parse(message.Time, CultureInfo.InvariantCulture));
            Assert.StartsWith("[chaperone@32473 log=\"", message.Data, StringComparison.Ordinal);
            Assert.Contains($"id=\"{happened.Id}\" category=\"{EventJson.Name(happened.Category)}\"", message.Data, StringComparison.Ordinal);
        }
        var tested = await house.Owner.JsonAsync(HttpMethod.Post, $"{StreamHouse.Api}/{id}/test", new { });
        Assert.True(tested.Json.GetProperty("acknowledged").GetBoolean(), tested.ToString());
        await StreamHouse.Until(() => Task.FromResult(server.Messages().Any(message => message.MessageId == "stream.test")));
        Assert.Equal("CHP-STREAM-0017", (await house.Owner.JsonAsync(HttpMethod.Post, $"{StreamHouse.Api}/{id}/secret", new { })).Code);
    }

    [Fact]
    public async Task Rsyslog_that_is_killed_and_starts_again_misses_nothing()
    {
        await using var server = await SyslogServer.StartAsync();
        var (id, _) = await house.AddAsync(server);
        await AllAsync(server);
        for (var i = 0; i < 3; i++)
        {
            var writing = house.HappenAsync(60);
            await Task.Delay(200, Cancel);
            await server.KillAsync();
            await writing;
            await StreamHouse.Until(async () => (await house.StreamAsync(id)).GetProperty("state").GetString() == "failing");
            await server.StartAgainAsync();
            await house.PassAsync(TimeSpan.FromMinutes(2));
            await house.PassAsync(TimeSpan.FromMinutes(2));
        }
        await AllAsync(server);
    }

    [Fact]
    public async Task Rsyslog_that_asks_for_a_certificate_gets_ours_and_one_that_is_not_believed_gets_nothing()
    {
        await using var asking = await SyslogServer.StartAsync(asksForCertificate: true);
        await house.AddAsync(new { name = "Asks", kind = "syslog", shape = "ocsf", host = "localhost", port = asking.Port, trustedCa = asking.Ca, clientCertificate = asking.Certificate, clientKey = asking.Key, start = "beginning" });
        await StreamHouse.Until(() => Task.FromResult(asking.Messages().Count > 0));
        Assert.All(asking.Messages(), message => Assert.Equal("1.5.0", JsonDocument.Parse(message.Text).RootElement.GetProperty("metadata").GetProperty("version").GetString()));

        await using var stranger = await SyslogServer.StartAsync();
        var (id, _) = await house.AddAsync(new { name = "Stranger", kind = "syslog", shape = "native", host = "localhost", port = stranger.Port, trustedCa = asking.Ca, start = "beginning" });
        await StreamHouse.Until(async () => (await house.StreamAsync(id)).GetProperty("state").GetString() == "failing");
        Assert.Equal("CHP-STREAM-0006", (await house.StreamAsync(id)).GetProperty("code").GetString());
        Assert.Empty(stranger.Messages());
    }

    [Theory]
    [InlineData(0)]         // closes at once
    [InlineData(1)]         // reads the first message, then closes
    [InlineData(2)]         // reads a little, then is torn down
    public async Task What_a_receiver_did_not_read_is_not_taken_for_acknowledged(int how)
    {
        await house.HappenAsync(150);
        await using var faulty = new FaultyReceiver(how);
        var (id, _) = await house.AddAsync(new { name = "Faulty", kind = "syslog", shape = "native", host = "localhost", port = faulty.Port, trustedCa = faulty.Ca, start = "beginning" });
        await StreamHouse.Until(async () => (await house.StreamAsync(id)).GetProperty("state").GetString() == "failing");
        for (var i = 0; i < 3; i++) await house.PassAsync(TimeSpan.FromMinutes(1));
        var stream = await house.StreamAsync(id);
        Assert.Equal(("failing", JsonValueKind.Null), (stream.GetProperty("state").GetString(), stream.GetProperty("lastIndex").ValueKind));
        Assert.Contains(stream.GetProperty("code").GetString(), (string[])["CHP-STREAM-0007", "CHP-STREAM-0008"]);
        faulty.Heal();
        await house.PassAsync(TimeSpan.FromMinutes(10));
        await StreamHouse.Until(async () => (await house.StreamAsync(id)).GetProperty("state").GetString() == "working");
        var log = await house.LogAsync();
        await StreamHouse.Until(() => Task.FromResult(faulty.Read.Count >= log.Count));
        Assert.Equal(log, faulty.Read.Take(log.Count));
    }

    [Fact]
    public void A_frame_is_what_the_standards_say()
    {
        var at = new DateTimeOffset(2026, 11, 21, 10, 0, 0, TimeSpan.Zero).AddTicks(1234560);
        var happened = new LedgerEvent
        {
            Id = new("0193d3a0-0000-7000-8000-000000000001"), At = at, Action = "auth.login.failure", Category = EventCategory.Authentication, Severity = EventSeverity.Warning, Outcome = EventOutcome.Failure,
            Actor = new(ActorKind.Anonymous), Source = new("web"), Decision = "",
        };
        var frame = new System.Buffers.ArrayBufferWriter<byte>();
        SyslogFrame.Write(frame, new(7, happened.Id, SliceState.Verified, default, happened), "{}"u8, new(Guid.Empty, "a b.example", "x\"]\\", "1", new HashSet<Guid>()));
        const string Message = """<84>1 2026-11-21T10:00:00.123456Z ab.example chaperone - auth.login.failure [chaperone@32473 log="x\"\]\\" index="7" id="0193d3a0-0000-7000-8000-000000000001" category="authentication" severity="warning" outcome="failure"] {}""";
        Assert.Equal($"{Message.Length} {Message}", Encoding.UTF8.GetString(frame.WrittenSpan));
        // A MSGID has 32 characters at most; cut there, actions are still told apart.
        Assert.Equal(EventCatalogue.All.Count, EventCatalogue.All.Select(type => type.Action[..Math.Min(32, type.Action.Length)]).Distinct().Count());
    }

    // Everything that is in the log came, and came in order; what came twice is told by its index.
    private async Task<IReadOnlyList<string>> AllAsync(SyslogServer server)
    {
        var log = await house.LogAsync();
        await StreamHouse.Until(() => Task.FromResult(server.Messages().Select(IndexOf).Distinct().Count() >= log.Count), () => $"{server.Messages().Count} of {log.Count} came");
        var first = server.Messages().DistinctBy(IndexOf).Take(log.Count).ToList();
        Assert.Equal(Enumerable.Range(0, log.Count), first.Select(IndexOf));
        Assert.Equal(log, first.Select(message => message.Text));
        return log;
    }

    private static int IndexOf(ReceivedSyslog message) => int.Parse(Index().Match(message.Data).Groups[1].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(" index=\"([0-9]+)\"")]
    private static partial Regex Index();

    /// <summary>A receiver on a real TLS socket that ends connections as it should not, until it is healed.</summary>
    private sealed class FaultyReceiver : IAsyncDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly X509Certificate2 certificate;
        private readonly Task serving;
        private readonly List<string> read = [];
        private volatile int how;

        public FaultyReceiver(int how)
        {
            this.how = how;
            (Ca, var pem, var key) = MailServer.Certify("localhost");
            using var both = X509Certificate2.CreateFromPem(pem, key);
            certificate = X509CertificateLoader.LoadPkcs12(both.Export(X509ContentType.Pkcs12), null);
            listener.Start();
            serving = ServeAsync();
        }

        public string Ca { get; }

        public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

        /// <summary>The texts of what it read while healthy, each index once.</summary>
        public IReadOnlyList<string> Read
        {
            get
            {
                lock (read) return [.. read];
            }
        }

        public void Heal() => how = -1;

        public async ValueTask DisposeAsync()
        {
            listener.Stop();
            await serving;
            certificate.Dispose();
        }

        private async Task ServeAsync()
        {
            while (true)
            {
                try
                {
                    using var socket = await listener.AcceptSocketAsync();
                    await HearAsync(socket);
                }
                catch (Exception ended) when (ended is ObjectDisposedException or InvalidOperationException || ended is SocketException { SocketErrorCode: SocketError.OperationAborted or SocketError.Interrupted })
                {
                    return;
                }
                catch (Exception lost) when (lost is IOException or SocketException or System.Security.Authentication.AuthenticationException)
                {
                    // the next one
                }
            }
        }

        private async Task HearAsync(Socket socket)
        {
            await using var stream = new SslStream(new NetworkStream(socket, ownsSocket: false));
            await stream.AuthenticateAsServerAsync(certificate);
            if (how == 0) return;
            if (how == 1)
            {
                await FrameAsync(stream);
                return;
            }
            if (how == 2)
            {
                await stream.ReadExactlyAsync(new byte[100]);
                socket.LingerState = new(true, 0);
                return;
            }
            while (await FrameAsync(stream) is { } text)
                lock (read) read.Add(text[(text.IndexOf("] ", StringComparison.Ordinal) + 2)..]);
        }

        private static async Task<string?> FrameAsync(SslStream stream)
        {
            var (length, one) = (0, new byte[1]);
            while (true)
            {
                if (await stream.ReadAsync(one) == 0) return null;
                if (one[0] == ' ') break;
                length = (length * 10) + one[0] - '0';
            }
            var text = new byte[length];
            await stream.ReadExactlyAsync(text);
            return Encoding.UTF8.GetString(text);
        }
    }
}
