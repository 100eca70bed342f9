using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Chaperone.TestSupport;

/// <summary>A syslog message as a receiver took it apart.</summary>
public sealed record ReceivedSyslog(int Facility, int Severity, string Time, string Host, string App, string MessageId, string Data, string Text);

/// <summary>Debian's rsyslog as a private instance: syslog over TLS in, a file out, nothing of the machine's own.</summary>
public sealed class SyslogServer : IAsyncDisposable
{
    private const char Between = '\t';
    private readonly string folder = Directory.CreateTempSubdirectory("chaperone-syslog-").FullName;
    private Process? process;

    private SyslogServer(bool asksForCertificate)
    {
        (Ca, var certificate, var key) = MailServer.Certify("localhost");
        foreach (var (name, pem) in new[] { ("ca.pem", Ca), ("cert.pem", certificate), ("key.pem", key) }) File.WriteAllText(Path.Combine(folder, name), pem);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        (Certificate, Key) = (certificate, key);
        File.WriteAllText(Path.Combine(folder, "rsyslog.conf"), $$"""
            global(workDirectory="{{folder}}" maxMessageSize="256k" defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{{folder}}/ca.pem"
                   defaultNetstreamDriverCertFile="{{folder}}/cert.pem" defaultNetstreamDriverKeyFile="{{folder}}/key.pem" parser.escapeControlCharactersOnReceive="off")
            module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="{{(asksForCertificate ? "x509/certvalid" : "anon")}}")
            template(name="parts" type="list") {
              property(name="syslogfacility") constant(value="\t") property(name="syslogseverity") constant(value="\t") property(name="timereported" dateFormat="rfc3339") constant(value="\t")
              property(name="hostname") constant(value="\t") property(name="app-name") constant(value="\t") property(name="msgid") constant(value="\t") property(name="structured-data")
              constant(value="\t") property(name="msg") constant(value="\n")
            }
            input(type="imtcp" port="{{Port}}" address="127.0.0.1" ruleset="keep")
            ruleset(name="keep") { action(type="omfile" file="{{folder}}/out" template="parts" fileCreateMode="0600") }
            """);
    }

    public string Ca { get; }

    /// <summary>A certificate of the authority it trusts, and its key.</summary>
    public string Certificate { get; }

    public string Key { get; }

    public int Port { get; }

    public static async Task<SyslogServer> StartAsync(bool asksForCertificate = false)
    {
        var server = new SyslogServer(asksForCertificate);
        try
        {
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async Task StartAgainAsync()
    {
        var program = File.Exists("/usr/sbin/rsyslogd") ? "/usr/sbin/rsyslogd" : "rsyslogd";
        process = Process.Start(new ProcessStartInfo(program, ["-n", "-f", Path.Combine(folder, "rsyslog.conf"), "-i", Path.Combine(folder, "pid")]) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        for (var tries = 0; ; tries++)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException refused)
            {
                if (tries > 100 || process.HasExited) throw new InvalidOperationException("rsyslogd did not start.", refused);
                await Task.Delay(50);
            }
        }
    }

    /// <summary>As a machine whose power went.</summary>
    public async Task KillAsync()
    {
        if (process is null) return;
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        process = null;
        File.Delete(Path.Combine(folder, "pid"));
    }

    /// <summary>Everything it wrote down so far.</summary>
    public IReadOnlyList<ReceivedSyslog> Messages()
    {
        var file = Path.Combine(folder, "out");
        if (!File.Exists(file)) return [];
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(Between)).Where(parts => parts.Length == 8)
            .Select(parts => new ReceivedSyslog(int.Parse(parts[0], null), int.Parse(parts[1], null), parts[2], parts[3], parts[4], parts[5], parts[6], parts[7]))];
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(folder, recursive: true);
    }
}
