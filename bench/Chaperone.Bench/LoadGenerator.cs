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
/// <param name="Cookies">Who asks: each request is the next one's. Null when <paramref name="Headers"/> says it.</param>
/// <param name="EachSecond">
/// How many requests are due a second; each counts from the moment it was due, so that a server that falls behind is seen to. 0: each connection asks again as soon as it has its answer.
/// </param>
internal sealed record LoadOrder(int Port, string Headers, IReadOnlyList<string> Paths, int Connections, int Milliseconds = 0, IReadOnlyList<string>? Cookies = null, double EachSecond = 0);

/// <summary>What came of it; every answer was 200.</summary>
internal sealed record LoadResult(long Requests, double PerSecond, double MedianMilliseconds, double P95Milliseconds, double P99Milliseconds);

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
            var heads = order.Paths.Select(path => $"GET {path} HTTP/1.1\r\n{order.Headers}").ToArray();
            var requests = heads.Select(head => Encoding.ASCII.GetBytes(head + "\r\n")).ToArray();
            var plan = new Plan(order, heads);
            var watch = Stopwatch.StartNew();
            var latencies = await Task.WhenAll(Enumerable.Range(0, order.Connections).Select(n => Task.Run(
                () => order.EachSecond > 0 ? PacedAsync(order, plan, watch) : ConnectionAsync(order, requests, n * requests.Length / order.Connections, watch))));
            var elapsed = watch.Elapsed.TotalSeconds;
            var sorted = latencies.SelectMany(some => some).Order().ToArray();
            double Within(int percent) => Milliseconds(sorted[sorted.Length * percent / 100]);
            var result = new LoadResult(sorted.Length, sorted.Length / elapsed, Within(50), Within(95), Within(99));
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(result, LoadJson.Default.LoadResult));
        }
        return 0;
    }

    private static double Milliseconds(long ticks) => ticks * 1000.0 / Stopwatch.Frequency;

    private static async Task<List<long>> ConnectionAsync(LoadOrder order, byte[][] requests, int next, Stopwatch watch)
    {
        using var line = await Line.OpenAsync(order.Port);
        var latencies = new List<long>(16 * 1024);
        while (watch.ElapsedMilliseconds < order.Milliseconds)
        {
            var from = Stopwatch.GetTimestamp();
            await line.AskAsync(requests[next++ % requests.Length]);
            latencies.Add(Stopwatch.GetTimestamp() - from);
        }
        return latencies;
    }

    /// <summary>Takes whatever is due next. With as many connections as answers may be late, nothing waits for a place but what the server keeps waiting.</summary>
    private static async Task<List<long>> PacedAsync(LoadOrder order, Plan plan, Stopwatch watch)
    {
        using var line = await Line.OpenAsync(order.Port);
        var latencies = new List<long>(1024);
        while (true)
        {
            var (number, request) = plan.Next();
            var due = TimeSpan.FromSeconds(number / order.EachSecond);
            if (due.TotalMilliseconds >= order.Milliseconds) return latencies;
            if (due - watch.Elapsed is { Ticks: > 0 } early) await Task.Delay(early);
            await line.AskAsync(request);
            latencies.Add((long)((watch.Elapsed - due).TotalSeconds * Stopwatch.Frequency));
        }
    }

    /// <summary>Who asks for what, in turn. The paths' number should share no divisor with the people's, so that everybody comes to ask for everything.</summary>
    private sealed class Plan(LoadOrder order, string[] heads)
    {
        private int next = -1;

        public (int Number, byte[] Request) Next()
        {
            var number = Interlocked.Increment(ref next);
            var cookie = order.Cookies is { } cookies ? $"Cookie: {cookies[number % cookies.Count]}\r\n" : "";
            return (number, Encoding.ASCII.GetBytes($"{heads[number % heads.Length]}{cookie}\r\n"));
        }
    }

    /// <summary>A kept-alive connection, one request at a time.</summary>
    private sealed class Line(Socket socket) : IDisposable
    {
        private byte[] buffer = new byte[64 * 1024];

        public static async Task<Line> OpenAsync(int port)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return new(socket);
        }

        /// <summary>Asks and waits for the whole answer, which must be 200.</summary>
        public async Task AskAsync(byte[] request)
        {
            await socket.SendAsync(request);
            var length = 0;
            do
            {
                if (length == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
                var read = await socket.ReceiveAsync(buffer.AsMemory(length));
                if (read == 0) throw new InvalidOperationException("The server closed the connection: " + Encoding.UTF8.GetString(buffer, 0, length));
                length += read;
            }
            while (!IsWhole(buffer.AsSpan(0, length)));
        }

        public void Dispose() => socket.Dispose();

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
}
