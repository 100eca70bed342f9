using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Chaperone.Server.Embedded;

namespace Chaperone.Platform.Tests.Embedded;

/// <summary>The server as a process of its own: what it says, how it stops, what a kill leaves.</summary>
public sealed class UpTests
{
    [Fact]
    public async Task Up_serves_stops_on_a_signal_and_recovers_from_a_kill()
    {
        await using var data = new TemporaryData();
        var port = FreePort();
        string[] arguments = ["up", "--data", data.Options.DataFolder, "--port", port.ToString(CultureInfo.InvariantCulture)];
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

        using (var server = Start(arguments))
        {
            await ReadyAsync(server);
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri("/health/ready", UriKind.Relative))).StatusCode);
            server.Kill();
            await server.WaitForExitAsync();
        }

        var outlived = Postmaster.Read(data["postgres"]);
        Assert.True(outlived!.IsAlive);
        using (var server = Start(arguments))
        {
            await ReadyAsync(server);
            Assert.NotEqual(outlived.ProcessId, Postmaster.Read(data["postgres"])!.ProcessId);
            await TemporaryData.ShellAsync("kill -TERM $1", server.Id.ToString(CultureInfo.InvariantCulture));
            await server.WaitForExitAsync();
            Assert.Equal(0, server.ExitCode);
        }

        Assert.Null(Postmaster.Read(data["postgres"]));
    }

    [Fact]
    public async Task A_taken_port_is_one_sentence_and_leaves_no_folder()
    {
        await using var data = new TemporaryData();
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await RefusedAsync($"Port {port} is in use", data, "up", "--data", data.Options.DataFolder, "--port", port.ToString(CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Half_a_TLS_pair_is_one_sentence_and_leaves_no_folder()
    {
        await using var data = new TemporaryData();
        await RefusedAsync("--tls-cert is given without --tls-key", data, "up", "--data", data.Options.DataFolder, "--tls-cert", "cert.pem");
        await RefusedAsync("--tls-key is given without --tls-cert", data, "up", "--data", data.Options.DataFolder, "--tls-key", "key.pem");
        await RefusedAsync("are not a certificate and its private key", data, "up", "--data", data.Options.DataFolder, "--tls-cert", "no.pem", "--tls-key", "no.pem");
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_and_wrong_words_are_one_sentence()
    {
        await using var data = new TemporaryData();
        var file = Path.Combine(data.Top, "file");
        await File.WriteAllTextAsync(file, "");
        await RefusedAsync("cannot be made", data, "up", "--data", Path.Combine(file, "below"), "--port", FreePort().ToString(CultureInfo.InvariantCulture));
        await RefusedAsync("must be from 1 to 65535", data, "up", "--data", data.Options.DataFolder, "--port", "70000");
        await RefusedAsync("--host", data, "tenant", "create", "--name", "X", "--owner-email", "x@example.com");
    }

    private static async Task RefusedAsync(string sentence, TemporaryData data, params string[] arguments)
    {
        using var server = Start(arguments);
        var said = await server.StandardError.ReadToEndAsync();
        await server.WaitForExitAsync();
        Assert.Equal(2, server.ExitCode);
        Assert.Contains(sentence, said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
        Assert.False(Directory.Exists(data.Options.DataFolder));
    }

    private static Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo(
        "dotnet", [Path.Combine(AppContext.BaseDirectory, "Chaperone.Server.dll"), .. arguments])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        UseShellExecute = false,
    })!;

    private static async Task ReadyAsync(Process server)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await server.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            if (line.StartsWith("ready: http://", StringComparison.Ordinal)) return;
        Assert.Fail("The server ended before it was ready: " + await server.StandardError.ReadToEndAsync(limit.Token));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
