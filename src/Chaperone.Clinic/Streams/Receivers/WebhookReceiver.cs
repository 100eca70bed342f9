using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Chaperone.Clinic.Streams.Shapes;
using Chaperone.Platform;

namespace Chaperone.Clinic.Streams.Receivers;

/// <summary>Signatures of messages as Standard Webhooks has them (https://www.standardwebhooks.com/): HMAC-SHA256 over id, time and body.</summary>
internal static class WebhookSignature
{
    /// <summary>What every secret begins with.</summary>
    public const string Prefix = "whsec_";

    private const int Length = 32;

    public static string NewSecret() => Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(Length));

    /// <summary>One signature, with its version.</summary>
    public static string Of(string secret, string id, long seconds, ReadOnlySpan<byte> body)
    {
        byte[] signed = [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{seconds}.")), .. body];
        return "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret[Prefix.Length..]), signed));
    }
}

/// <summary>Hands messages over by HTTPS POST. No redirects, no cookies, no proxy; of the answer only its number and Retry-After are read.</summary>
internal sealed class WebhookReceiver : IReceiver
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(24);
    private readonly HttpClient client;
    private readonly StreamDetails details;
    private readonly OutsideNetworks networks;
    private readonly ReceiverPatience patience;
    private readonly TimeProvider clock;

    public WebhookReceiver(StreamDetails details, OutsideNetworks networks, ReceiverPatience patience, TimeProvider clock)
    {
        (this.details, this.networks, this.patience, this.clock) = (details, networks, patience, clock);
        client = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, UseProxy = false, AutomaticDecompression = DecompressionMethods.None, MaxConnectionsPerServer = 1, MaxResponseHeadersLength = 16,
            ConnectTimeout = patience.Whole, PooledConnectionLifetime = TimeSpan.FromMinutes(2), ConnectCallback = ConnectAsync, SslOptions = ReceiverTls.Options(details, new Uri(details.Url!).IdnHost),
        }) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.Add(new("Chaperone", null));
    }

    public Task<Delivery> SendAsync(StreamMessage message, CancellationToken cancel) =>
        PostAsync(string.Create(CultureInfo.InvariantCulture, $"msg_{message.Stream:N}_{message.From}_{message.End}"), StreamShapes.Body(message), StreamShapes.MediaType(message.Shape), cancel);

    public Task<Delivery> TestAsync(ShapeContext context, CancellationToken cancel) =>
        PostAsync($"test_{Guid.CreateVersion7(clock.GetUtcNow()):N}", StreamShapes.TestBody(context, clock.GetUtcNow()), StreamShapes.MediaType(StreamRow.Native), cancel);

    public void Dispose() => client.Dispose();

    private async Task<Delivery> PostAsync(string id, byte[] body, string type, CancellationToken cancel)
    {
        using var whole = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        whole.CancelAfter(patience.Whole);
        try
        {
            var now = clock.GetUtcNow();
            using var request = new HttpRequestMessage(HttpMethod.Post, details.Url) { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
            request.Headers.Add("webhook-id", id);
            request.Headers.Add("webhook-timestamp", now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
            request.Headers.Add("webhook-signature", string.Join(' ', Secrets(now).Select(secret => WebhookSignature.Of(secret, id, now.ToUnixTimeSeconds(), body))));
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, whole.Token);
            return Judge(answer, now);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new(StreamFault.Slow);
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException)
        {
            return new(whole.IsCancellationRequested && !cancel.IsCancellationRequested ? StreamFault.Slow
                : failed is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError } ? ReceiverTls.FaultOf(failed) : StreamFault.Lost);
        }
    }

    private IEnumerable<string> Secrets(DateTimeOffset now) => details is { OldSecret: { } old, OldSecretUntil: { } until } && now < until ? [details.Secret!, old] : [details.Secret!];

    private static Delivery Judge(HttpResponseMessage answer, DateTimeOffset now)
    {
        var number = (int)answer.StatusCode;
        StreamFault? fault = number switch
        {
            >= 200 and < 300 => null,
            >= 300 and < 400 => StreamFault.Redirects,
            401 or 403 or 404 or 405 or 407 => StreamFault.Closed,
            408 => StreamFault.Slow,
            410 => StreamFault.Gone,
            425 or 429 or 503 => StreamFault.Busy,
            >= 400 and < 500 => StreamFault.Refused,
            _ => StreamFault.Failing,
        };
        var wait = fault is null ? null : answer.Headers.RetryAfter is { } after ? after.Delta ?? (after.Date is { } date ? date - now : null) : null;
        return new(fault, number, wait is { } asked && asked > TimeSpan.Zero ? asked < LongestWait ? asked : LongestWait : null);
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel) =>
        new NetworkStream(await networks.ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, tls: true, cancel), ownsSocket: true);
}
