using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Chaperone.TestSupport;

/// <summary>A mail as it arrived.</summary>
public sealed partial record ReceivedMail(string From, IReadOnlyList<string> To, bool Secure, string? User, byte[] Data)
{
    /// <summary>Everything, as it went over the wire without the stuffing.</summary>
    public string Raw => Encoding.UTF8.GetString(Data);

    /// <summary>Headers, folded lines joined, by name; of a name twice, both with a line's end between.</summary>
    public IReadOnlyDictionary<string, string> Headers => Fold().Replace(Raw[..Raw.IndexOf("\r\n\r\n", StringComparison.Ordinal)], " ").Split("\r\n")
        .Select(line => line.Split(": ", 2)).GroupBy(pair => pair[0], StringComparer.OrdinalIgnoreCase).ToDictionary(pair => pair.Key, pair => string.Join('\n', pair.Select(each => each[1])), StringComparer.OrdinalIgnoreCase);

    public string Subject => Words().Replace(Headers["Subject"].Replace("?= =?", "?==?", StringComparison.Ordinal), word => Encoding.UTF8.GetString(Convert.FromBase64String(word.Groups[1].Value)));

    public string MessageId => Headers["Message-ID"];

    public string Text => Part("text/plain");

    public string Html => Part("text/html");

    /// <summary>The one link of the text.</summary>
    public Uri Link => new(Links().Match(Text).Value);

    private string Part(string type)
    {
        var from = Raw.IndexOf("Content-Type: " + type, StringComparison.Ordinal);
        var body = Raw[(Raw.IndexOf("\r\n\r\n", from, StringComparison.Ordinal) + 4)..];
        return Encoding.UTF8.GetString(Convert.FromBase64String(body[..body.IndexOf("\r\n--", StringComparison.Ordinal)]));
    }

    [GeneratedRegex("\r\n[ \t]+")]
    private static partial Regex Fold();

    [GeneratedRegex(@"=\?utf-8\?B\?([^?]*)\?=")]
    private static partial Regex Words();

    [GeneratedRegex(@"https?://\S+")]
    private static partial Regex Links();
}

/// <summary>A real mail server on loopback (npm's smtp-server), whose behaviour a test chooses. Names of the settings: tests/mail-server/server.mjs.</summary>
public sealed class MailServer : IAsyncDisposable
{
    private readonly Process process;
    private readonly BlockingCollection<ReceivedMail> mails = [];
    private readonly ConcurrentQueue<JsonElement> events = new();
    private TaskCompletionSource<int> answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private MailServer(Process process) => this.process = process;

    public int Port { get; private set; }

    /// <summary>Everything it told so far.</summary>
    public IReadOnlyList<JsonElement> Events => [.. events];

    public int Count => events.Count(told => told.GetProperty("event").GetString() == "mail");

    public static async Task<MailServer> StartAsync(object? how = null)
    {
        var folder = Path.Combine(Outsiders.Root, "tests", "mail-server");
        var start = new ProcessStartInfo("node", [Path.Combine(folder, "server.mjs")]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        var server = new MailServer(Process.Start(start)!);
        server.process.OutputDataReceived += (_, line) => server.Hear(line.Data);
        server.process.BeginOutputReadLine();
        server.Port = await server.ChangeAsync(how ?? new { });
        return server;
    }

    /// <summary>Changes how it behaves from now on.</summary>
    public async Task<int> ChangeAsync(object how)
    {
        answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(how));
        await process.StandardInput.FlushAsync();
        return await answered.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    /// <summary>The next mail to arrive.</summary>
    public async Task<ReceivedMail> NextAsync(int seconds = 20) =>
        await Task.Run(() => mails.TryTake(out var mail, TimeSpan.FromSeconds(seconds)) ? mail : throw new TimeoutException("No mail came. The server told: " + string.Join("; ", events.Select(told => told.GetProperty("event")))));

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        mails.Dispose();
    }

    /// <summary>An authority and a certificate of it for a host name and 127.0.0.1.</summary>
    public static (string Ca, string Certificate, string Key) Certify(string host)
    {
        using var caKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var ca = new CertificateRequest("CN=Test authority", caKey, HashAlgorithmName.SHA256);
        ca.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        ca.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        var now = TimeProvider.System.GetUtcNow();
        using var issuer = ca.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + host, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        if (host == "localhost") names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(issuer, now.AddDays(-1), now.AddDays(20), RandomNumberGenerator.GetBytes(8));
        return (issuer.ExportCertificatePem(), certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    private void Hear(string? line)
    {
        if (line is null) return;
        var told = JsonDocument.Parse(line).RootElement;
        events.Enqueue(told);
        switch (told.GetProperty("event").GetString())
        {
            case "listening": answered.TrySetResult(told.GetProperty("port").GetInt32()); break;
            case "changed": answered.TrySetResult(Port); break;
            case "mail":
                mails.Add(new(told.GetProperty("from").GetString()!, [.. told.GetProperty("to").EnumerateArray().Select(to => to.GetString()!)], told.GetProperty("secure").GetBoolean(),
                    told.GetProperty("user").GetString(), Convert.FromBase64String(told.GetProperty("data").GetString()!)));
                break;
        }
    }
}
