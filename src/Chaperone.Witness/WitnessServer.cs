using System.Globalization;
using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Chaperone.Ledger;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chaperone.Witness;

/// <summary>Answers logs over HTTP (C2SP tlog-witness): <c>POST /add-checkpoint</c>, and <c>GET /&lt;SHA-256 of the origin&gt;/checkpoint</c> for whoever wants to see what was cosigned.</summary>
internal sealed class WitnessServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly WitnessFile file;
    private readonly TimeProvider clock;
    private readonly SemaphoreSlim turn = new(1, 1);

    private WitnessServer(WebApplication app, WitnessFile file, TimeProvider clock) => (this.app, this.file, this.clock) = (app, file, clock);

    /// <summary>Where it answers.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Starts to listen. The file stays the caller's to dispose, after the server.</summary>
    /// <param name="file">The state.</param>
    /// <param name="listen">Where.</param>
    /// <param name="certificate">For TLS, or null for plain HTTP: what is sent is public, and its signatures vouch for it.</param>
    /// <param name="clock">Time of the cosignatures.</param>
    /// <exception cref="IOException">Somebody else listens there.</exception>
    public static async Task<WitnessServer> StartAsync(WitnessFile file, IPEndPoint listen, X509Certificate2? certificate, TimeProvider clock)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        if (certificate is not null) builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = WitnessRequest.LongestBody;
            kestrel.Limits.MaxConcurrentConnections = 100;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
            kestrel.Listen(listen, endpoint =>
            {
                if (certificate is not null) endpoint.UseHttps(https => (https.ServerCertificate, https.SslProtocols) = (certificate, SslProtocols.Tls12 | SslProtocols.Tls13));
            });
        });
        var app = builder.Build();
        var server = new WitnessServer(app, file, clock);
        app.Run(server.AnswerAsync);
        try
        {
            await app.StartAsync(CancellationToken.None);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
        server.Address = new(app.Urls.First());
        return server;
    }

    /// <summary>Ends when the process is told to.</summary>
    public Task WaitAsync(CancellationToken cancel) => app.WaitForShutdownAsync(cancel);

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(CancellationToken.None);
        await app.DisposeAsync();
        turn.Dispose();
    }

    private Task AnswerAsync(HttpContext http)
    {
        var (path, get) = (http.Request.Path.Value ?? "", HttpMethods.IsGet(http.Request.Method));
        if (path == "/" + WitnessRules.Path) return HttpMethods.IsPost(http.Request.Method) ? AddAsync(http) : Say(http, StatusCodes.Status405MethodNotAllowed, "Only POST is answered here.\n");
        return get && path.Length == 76 && path.EndsWith("/checkpoint", StringComparison.Ordinal) ? ShowAsync(http, path[1..65]) : Say(http, StatusCodes.Status404NotFound, "There is nothing here.\n");
    }

    private async Task AddAsync(HttpContext http)
    {
        if (await ReadAsync(http) is not { } body)
        {
            await Say(http, StatusCodes.Status413PayloadTooLarge, "That is too long.\n");
            return;
        }
        if (!WitnessRequest.TryParse(body, out var request))
        {
            await Say(http, StatusCodes.Status400BadRequest, "That is no request of the witness protocol.\n");
            return;
        }
        var (status, answer) = await JudgeAsync(request, http.RequestAborted);
        if (status == StatusCodes.Status409Conflict) http.Response.ContentType = WitnessRules.SizeType;
        await Say(http, status, answer);
    }

    // One request at a time: what is compared with is what is on the disk, and nothing is answered before it is there.
    private async Task<(int Status, string Answer)> JudgeAsync(WitnessRequest request, CancellationToken cancel)
    {
        await turn.WaitAsync(cancel);
        try
        {
            var (state, origin) = (file.State, WitnessRules.OriginOf(request));
            var latest = state.Latest(origin);
            switch (WitnessRules.Judge(request, state.KeysOf(origin), latest))
            {
                case WitnessVerdict.Cosign:
                    var (next, line) = state.Cosign(request.Note, clock.GetUtcNow());
                    file.Replace(next);
                    return (StatusCodes.Status200OK, line + "\n");
                case WitnessVerdict.Conflict: return (StatusCodes.Status409Conflict, string.Create(CultureInfo.InvariantCulture, $"{latest?.Size ?? 0}\n"));
                case WitnessVerdict.UnknownLog: return (StatusCodes.Status404NotFound, "This log is not known here.\n");
                case WitnessVerdict.BadSignature: return (StatusCodes.Status403Forbidden, "The log's key did not sign this.\n");
                case WitnessVerdict.Inconsistent:
                    await Console.Error.WriteLineAsync($"REFUSED: {origin} does not continue what was cosigned at {latest?.Size ?? 0} entries. It forked, or its proof is wrong.");
                    return (StatusCodes.Status422UnprocessableEntity, "This does not continue what was cosigned before.\n");
                default: return (StatusCodes.Status400BadRequest, "That is no checkpoint, or its old size is above its own.\n");
            }
        }
        catch (Exception unwritten) when (unwritten is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"The state could not be written, so nothing is cosigned: {unwritten.Message}");
            return (StatusCodes.Status503ServiceUnavailable, "The witness cannot write its state.\n");
        }
        finally
        {
            turn.Release();
        }
    }

    private Task ShowAsync(HttpContext http, string hash)
    {
        foreach (var (origin, note) in file.State.Seen)
            if (Hash256.Of(System.Text.Encoding.UTF8.GetBytes(origin)).ToString() == hash) return Say(http, StatusCodes.Status200OK, note.ToString());
        return Say(http, StatusCodes.Status404NotFound, "No checkpoint of such a log was cosigned.\n");
    }

    // Null when it is too long, whatever its headers say.
    private static async Task<byte[]?> ReadAsync(HttpContext http)
    {
        try
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body, http.RequestAborted);
            return body.ToArray();
        }
        catch (BadHttpRequestException tooLong) when (tooLong.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return null;
        }
    }

    private static Task Say(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType ??= "text/plain; charset=utf-8";
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        http.Response.ContentLength = bytes.Length;
        return http.Response.Body.WriteAsync(bytes, http.RequestAborted).AsTask();
    }
}
