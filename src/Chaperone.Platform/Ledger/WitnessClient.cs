using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using Chaperone.Ledger;

namespace Chaperone.Platform.Ledger;

/// <summary>Somebody outside who guards logs.</summary>
/// <param name="Id">The clinic's row, or null for one of the operator's.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Prefix">Its submission prefix: http or https.</param>
/// <param name="Key">Its key, of type cosignature/v1.</param>
/// <param name="Required">Whether a checkpoint counts as witnessed only with this one.</param>
public sealed record LogWitness(Guid? Id, string Name, Uri Prefix, VerifierKey Key, bool Required)
{
    /// <summary>Whether the operator named it, for every clinic of the installation.</summary>
    public bool IsOperators => Id is null;

    /// <summary>Under which its state is kept.</summary>
    public string Mark => Hash256.Of(System.Text.Encoding.UTF8.GetBytes(Key.ToString())).ToString()[..32];

    // Records are printed by whoever logs them.
    /// <inheritdoc/>
    public override string ToString() => nameof(LogWitness);
}

/// <summary>Why a witness did not cosign.</summary>
public enum WitnessFault
{
    /// <summary>Nobody answers there.</summary>
    Unreachable,

    /// <summary>It did not answer in time.</summary>
    Slow,

    /// <summary>Its address lies in a network that a clinic's witness may not be in.</summary>
    Forbidden,

    /// <summary>Its certificate is not to be believed.</summary>
    Certificate,

    /// <summary>It does not know this log: it was not given the log's key.</summary>
    UnknownLog,

    /// <summary>It knows another key for this log.</summary>
    OtherKey,

    /// <summary>It says that it cannot do it at present.</summary>
    Unable,

    /// <summary>What answers is not a witness, or does not keep to the protocol.</summary>
    NotAWitness,

    /// <summary>It answered with a signature that is not that of the key entered for it.</summary>
    WrongSignature,

    /// <summary>It saw another log than this one: the log forked, was rewritten or lost its tail. Or the witness lies.</summary>
    Objects,
}

/// <summary>What a witness answered to one question.</summary>
/// <param name="Fault">Why it did not cosign, or null.</param>
/// <param name="Line">Its cosignature, verified.</param>
/// <param name="Size">Where the two disagree about what was cosigned last: what the witness says.</param>
public readonly record struct WitnessAnswer(WitnessFault? Fault, NoteSignature? Line = null, long? Size = null);

/// <summary>Asks witnesses over HTTP (C2SP tlog-witness). No redirects, no cookies, no proxy, answers of 64 kB at most, and a bounded time.</summary>
public sealed class WitnessClient : IDisposable
{
    private readonly OutsideNetworks networks;
    private readonly TimeSpan longest;
    private readonly HttpClient clinics, operators;

    /// <summary>Made once a process.</summary>
    /// <param name="networks">Where a clinic's own witness may be.</param>
    /// <param name="patience">How long a witness may take for one answer, or null for ten seconds.</param>
    public WitnessClient(OutsideNetworks networks, TimeSpan? patience = null)
    {
        this.networks = networks;
        longest = patience ?? TimeSpan.FromSeconds(10);
        (clinics, operators) = (Make(guarded: true), Make(guarded: false));
    }

    /// <summary>Asks, and verifies what is answered. Never throws for what a witness or a network does.</summary>
    public async Task<WitnessAnswer> AskAsync(LogWitness witness, WitnessRequest request, CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(longest);
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(witness.Prefix.AbsoluteUri.TrimEnd('/') + "/" + WitnessRules.Path)) { Content = new ByteArrayContent(request.ToBytes()) };
            message.Content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
            using var answer = await (witness.IsOperators ? operators : clinics).SendAsync(message, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            var body = await ReadAsync(answer, patience.Token);
            return body is null ? new(WitnessFault.NotAWitness) : Judge(answer, body, request, witness.Key);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new(WitnessFault.Slow);
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException)
        {
            return new(patience.IsCancellationRequested && !cancel.IsCancellationRequested ? WitnessFault.Slow : FaultOf(failed));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        clinics.Dispose();
        operators.Dispose();
    }

    private static WitnessAnswer Judge(HttpResponseMessage answer, byte[] body, WitnessRequest request, VerifierKey key)
    {
        switch ((int)answer.StatusCode)
        {
            case (int)WitnessVerdict.Cosign: return WitnessRules.FindCosignature(body, request.Note, key) is { } line ? new(null, line) : new(WitnessFault.WrongSignature);
            case (int)WitnessVerdict.Conflict when answer.Content.Headers.ContentType?.MediaType == WitnessRules.SizeType && WitnessRules.TryReadSize(body, out var size): return new(WitnessFault.Objects, Size: size);
            case (int)WitnessVerdict.Inconsistent: return new(WitnessFault.Objects);
            case (int)WitnessVerdict.UnknownLog: return new(WitnessFault.UnknownLog);
            case (int)WitnessVerdict.BadSignature: return new(WitnessFault.OtherKey);
            case >= 500 or 429: return new(WitnessFault.Unable);
            default: return new(WitnessFault.NotAWitness);
        }
    }

    private static async Task<byte[]?> ReadAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        await using var body = await answer.Content.ReadAsStreamAsync(cancel);
        var bytes = new byte[WitnessRequest.LongestBody + 1];
        var read = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        return read == bytes.Length ? null : bytes[..read];
    }

    private static WitnessFault FaultOf(Exception failed)
    {
        for (var cause = failed; cause is not null; cause = cause.InnerException!)
        {
            if (cause is ForbiddenAddressException) return WitnessFault.Forbidden;
            if (cause is AuthenticationException) return WitnessFault.Certificate;
            if (cause is TimeoutException) return WitnessFault.Slow;
        }
        return failed is HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ResponseEnded } ? WitnessFault.NotAWitness : WitnessFault.Unreachable;
    }

    private HttpClient Make(bool guarded)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, UseProxy = false, AutomaticDecompression = DecompressionMethods.None, MaxConnectionsPerServer = 4, MaxResponseHeadersLength = 16,
            ConnectTimeout = longest, PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        };
        if (guarded) handler.ConnectCallback = ConnectAsync;
        var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };   // each question has its own
        client.DefaultRequestHeaders.UserAgent.Add(new("Chaperone", null));
        return client;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var tls = context.InitialRequestMessage.RequestUri!.Scheme == Uri.UriSchemeHttps;
        return new NetworkStream(await networks.ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, tls, cancel), ownsSocket: true);
    }
}
