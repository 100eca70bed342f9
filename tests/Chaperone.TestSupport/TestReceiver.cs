using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Chaperone.TestSupport;

/// <summary>A message as it arrived at a webhook.</summary>
public sealed record ReceivedHook(string Path, string Id, string Timestamp, string Signature, string ContentType, byte[] Body, string? ClientThumbprint)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    /// <summary>Whether one of the signatures is of this secret, computed as the Standard Webhooks specification says, by nothing of ours.</summary>
    public bool IsSignedWith(string secret)
    {
        using var hmac = new HMACSHA256(Convert.FromBase64String(secret.Replace("whsec_", "", StringComparison.Ordinal)));
        var expected = "v1," + Convert.ToBase64String(hmac.ComputeHash([.. Encoding.UTF8.GetBytes(Id + "." + Timestamp + "."), .. Body]));
        return Signature.Split(' ').Contains(expected);
    }
}

/// <summary>A webhook's receiver on a real HTTPS socket, that a test may stop, start again, and have answer what it likes.</summary>
public sealed class TestReceiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<ReceivedHook> heard = new();
    private WebApplication? app;
    private int port;

    private TestReceiver(string host, bool asksForCertificate)
    {
        (Ca, var certificate, var key) = MailServer.Certify(host);
        using var pem = X509Certificate2.CreateFromPem(certificate, key);
        Certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        AsksForCertificate = asksForCertificate;
    }

    /// <summary>PEM of the authority that vouches for it.</summary>
    public string Ca { get; }

    public bool AsksForCertificate { get; }

    public string Address => $"https://localhost:{port}/hook";

    /// <summary>Everything that arrived, answered or not.</summary>
    public IReadOnlyList<ReceivedHook> Heard => [.. heard];

    /// <summary>What it took: messages answered with 2xx, each id once.</summary>
    public ConcurrentDictionary<string, ReceivedHook> Taken { get; } = new();

    /// <summary>What it does with a message: a status, or 0 for tearing the connection down.</summary>
    public Func<ReceivedHook, HttpContext, int> Answer { get; set; } = (_, _) => 204;

    /// <summary>How long it thinks first.</summary>
    public TimeSpan Delay { get; set; }

    private X509Certificate2 Certificate { get; }

    public static async Task<TestReceiver> StartAsync(string host = "localhost", bool asksForCertificate = false)
    {
        var receiver = new TestReceiver(host, asksForCertificate);
        await receiver.StartAgainAsync();
        return receiver;
    }

    /// <summary>Starts it after it was stopped, on the same port.</summary>
    public async Task StartAgainAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen => listen.UseHttps(https =>
        {
            https.ServerCertificate = Certificate;
            https.ClientCertificateMode = AsksForCertificate ? ClientCertificateMode.RequireCertificate : ClientCertificateMode.NoCertificate;
            https.AllowAnyClientCertificate();
        })));
        app = builder.Build();
        app.Run(HearAsync);
        await app.StartAsync();
        port = new Uri(app.Urls.First()).Port;
    }

    /// <summary>As one whose machine was turned off.</summary>
    public async Task StopAsync()
    {
        if (app is null) return;
        await app.StopAsync(new CancellationToken(canceled: true));
        await app.DisposeAsync();
        app = null;
    }

    /// <summary>The data of all events it took, in the order they came, each once.</summary>
    public IReadOnlyList<JsonElement> Events() => [.. heard.Where(hook => Taken.ContainsKey(hook.Id)).DistinctBy(hook => hook.Id).Where(hook => hook.Json.TryGetProperty("type", out var type) && type.GetString() == "audit.events")
        .SelectMany(hook => hook.Json.GetProperty("data").GetProperty("events").EnumerateArray())];

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Certificate.Dispose();
    }

    private async Task HearAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        var hook = new ReceivedHook(
            http.Request.Path, http.Request.Headers["webhook-id"].ToString(), http.Request.Headers["webhook-timestamp"].ToString(), http.Request.Headers["webhook-signature"].ToString(), http.Request.ContentType ?? "",
            body.ToArray(), http.Connection.ClientCertificate?.Thumbprint);
        heard.Enqueue(hook);
        if (Delay > TimeSpan.Zero) await Task.Delay(Delay, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var status = Answer(hook, http);
        if (status is >= 200 and < 300) Taken.TryAdd(hook.Id, hook);
        if (status == 0 || status == TakenAndGone)
        {
            if (status == TakenAndGone) Taken.TryAdd(hook.Id, hook);
            http.Abort();
        }
        else
        {
            http.Response.StatusCode = status;
        }
    }

    /// <summary>It takes the message and loses the connection before it can say so.</summary>
    public const int TakenAndGone = -1;
}
