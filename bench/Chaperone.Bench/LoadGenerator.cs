using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Chaperone.Bench;

/// <summary>What to load a server with.</summary>
/// <param name="Port">On 127.0.0.1.</param>
/// <param name="Headers">Header lines after the request line, Host among them, each ending in CRLF.</param>
/// <param name="Paths">What to get, each connection beginning somewhere else.</param>
/// <param name="Connections">How many, all kept alive, one request at a time on each.</param>
/// <param name="Milliseconds">How long.</param>
internal sealed record LoadOrder(int Port, string Headers, IReadOnlyList<string> Paths, int Connections, int Milliseconds = 0);

/// <summary>What came of it; every answer was 200.</summary>
internal sealed record LoadResult(long Requests, double PerSecond, double MedianMilliseconds, double P99Milliseconds);

[JsonSerializable(typeof(LoadOrder))]
[JsonSerializable(typeof(LoadResult))]
internal sealed partial class LoadJson : JsonSerializerContext;

/// <summary>A second process that only makes requests: orders on standard input, a result for each on standard output.</summary>
internal sealed class LoadGenerator : IAsyncDisposable
{
    public const string Verb = "load-generator";

    private readonly Process process;

    private LoadGenerator(Process process) => this.process = process;

    public static LoadGenerator Start()
    {
        string[] arguments = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(LoadGenerator).Assembly.Location, Verb] : [Verb];
        return new(Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })!);
    }

    public async Task<LoadResult> RunAsync(LoadOrder order)
    {
        await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(order, LoadJson.Default.LoadOrder));
        await process.StandardInput.FlushAsync();
        var line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The load generator ended.");
        return JsonSerializer.Deserialize(line, LoadJson.Default.LoadResult)!;
    }

    public async ValueTask DisposeAsync()
    {
        // Should it have ended by itself, what it said stands on standard error already.
        if (!process.HasExited) process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    /// <summary>The second process.</summary>
    public static async Task<int> RunAsync()
    {
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var order = JsonSerializer.Deserialize(line, LoadJson.Default.LoadOrder)!;
            var requests = order.Paths.Select(path => Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\n{order.Headers}\r\n")).ToArray();
            var watch = Stopwatch.StartNew();
            var latencies = await Task.WhenAll(Enumerable.Range(0, order.Connections).Select(n => Task.Run(() => ConnectionAsync(order, requests, n * requests.Length / order.Connections, watch))));
            var elapsed = watch.Elapsed.TotalSeconds;
            var sorted = latencies.SelectMany(some => some).Order().ToArray();
            var result = new LoadResult(sorted.Length, sorted.Length / elapsed, Milliseconds(sorted[sorted.Length / 2]), Milliseconds(sorted[sorted.Length * 99 / 100]));
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(result, LoadJson.Default.LoadResult));
        }
        return 0;
    }

    private static double Milliseconds(long ticks) => ticks * 1000.0 / Stopwatch.Frequency;

    private static async Task<List<long>> ConnectionAsync(LoadOrder order, byte[][] requests, int next, Stopwatch watch)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, order.Port);
        var latencies = new List<long>(16 * 1024);
        var buffer = new byte[64 * 1024];
        while (watch.ElapsedMilliseconds < order.Milliseconds)
        {
            var from = Stopwatch.GetTimestamp();
            await socket.SendAsync(requests[next++ % requests.Length]);
            var length = 0;
            do
            {
                var read = await socket.ReceiveAsync(buffer.AsMemory(length));
                if (read == 0) throw new InvalidOperationException("The server closed the connection: " + Encoding.UTF8.GetString(buffer, 0, length));
                length += read;
            }
            while (!IsWhole(buffer.AsSpan(0, length)));
            latencies.Add(Stopwatch.GetTimestamp() - from);
        }
        return latencies;
    }

    /// <summary>Whether an answer with 200 is here to its end.</summary>
    private static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        var end = answer.IndexOf("\r\n\r\n"u8);
        if (end < 0) return false;
        if (!answer.StartsWith("HTTP/1.1 200 "u8)) throw new InvalidOperationException("The server answered: " + Encoding.UTF8.GetString(answer));
        var head = answer[..(end + 2)];
        var body = answer[(end + 4)..];
        const string Length = "Content-Length: ";
        var at = head.IndexOf("Content-Length: "u8);
        if (at < 0) return body.EndsWith("0\r\n\r\n"u8);    // in chunks; one request at a time, so nothing follows the last
        return Utf8Parser.TryParse(head[(at + Length.Length)..], out int length, out _) && body.Length >= length;
    }
}
