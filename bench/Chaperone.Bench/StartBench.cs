using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Chaperone.Clinic.SignIn;

namespace Chaperone.Bench;

/// <summary>The program as a process of its own: how long until it says it is ready, with the demo to make and on an existing data folder, and how much memory it holds after 200 pages.</summary>
internal static class StartBench
{
    private const int Pages = 200;

    public static async Task<IReadOnlyList<Row>> RunAsync(bool quick)
    {
        var repetitions = quick ? 3 : 7;
        // PostgreSQL's own user must get through to the folder.
        var top = Directory.CreateTempSubdirectory("chaperone-bench-").FullName;
        File.SetUnixFileMode(top, (UnixFileMode)0b111_001_001);
        var data = Path.Combine(top, "data");
        try
        {
            double demo, resident;
            await using (var server = await ServerProcess.StartAsync("up", "--demo", "--data", data))
            {
                demo = server.Seconds;
                await LookAroundAsync(server.Port, Path.Combine(data, "demo-accounts.json"));
                resident = server.ResidentMegabytes();
            }
            var starts = new List<double>();
            for (var i = 0; i < repetitions; i++)
            {
                await using var server = await ServerProcess.StartAsync("up", "--data", data);
                starts.Add(server.Seconds);
            }
            Report.Note("start: " + string.Join(" ", starts.Select(seconds => seconds.ToString("F1"))));
            return
            [
                Row.Below("start on existing data, seconds to ready", Measure.Median(starts), 5),
                Row.Below("first --demo start, seconds to ready", demo, 60),
                Row.Below($"memory after {Pages} pages, MB resident", resident, 300),
            ];
        }
        finally
        {
            Directory.Delete(top, recursive: true);
        }
    }

    /// <summary>A doctor looks at the home page, the list of patients, and one patient after another.</summary>
    private static async Task LookAroundAsync(int port, string accountsFile)
    {
        using var accounts = JsonDocument.Parse(await File.ReadAllBytesAsync(accountsFile));
        var doctor = accounts.RootElement.EnumerateArray().First(account => account.GetProperty("clinic").GetString() == "demo.localhost" && account.GetProperty("role").GetString() == "doctor");
        string Of(string name) => doctor.GetProperty(name).GetString()!;
        var code = Totp.Code(Base32.Decode(Of("authenticatorKey")), Totp.StepAt(TimeProvider.System.GetUtcNow()));
        var cookie = await BenchServer.SignInAsync(port, Of("clinic"), Of("email"), Of("password"), code);

        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false, UseProxy = false, AllowAutoRedirect = false });
        using var list = JsonDocument.Parse(await GetAsync("/api/patients?limit=50", "application/json"));
        var ids = list.RootElement.GetProperty("items").EnumerateArray().Select(patient => patient.GetProperty("id").GetString()).ToArray();
        for (var i = 0; i < Pages; i++)
            await GetAsync(i % 10 == 0 ? "/" : i % 10 == 1 ? "/patients" : $"/patients/{ids[i % ids.Length]}", "text/html");

        async Task<string> GetAsync(string path, string accept)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}{path}");
            request.Headers.Host = $"{Of("clinic")}:{port}";
            request.Headers.UserAgent.ParseAdd(BenchServer.UserAgent);
            request.Headers.Accept.ParseAdd(accept);
            request.Headers.Add("Cookie", cookie);
            using var answer = await http.SendAsync(request);
            if (answer.StatusCode != HttpStatusCode.OK) throw new InvalidOperationException($"{path} answered {(int)answer.StatusCode}.");
            return await answer.Content.ReadAsStringAsync();
        }
    }
}

/// <summary>Chaperone.Server as a child process, told to stop when disposed.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process process;

    private ServerProcess(Process process, int port, double seconds) => (this.process, Port, Seconds) = (process, port, seconds);

    public int Port { get; }

    /// <summary>From the start of the process until it said it was ready.</summary>
    public double Seconds { get; }

    public static async Task<ServerProcess> StartAsync(params string[] arguments)
    {
        var port = FreePort();
        var from = Stopwatch.GetTimestamp();
        var process = Process.Start(new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "Chaperone.Server.dll"), .. arguments, "--port", port.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        var errors = new StringBuilder();
        process.ErrorDataReceived += (_, line) => errors.AppendLine(line.Data);
        process.BeginErrorReadLine();
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (!line.StartsWith("ready: ", StringComparison.Ordinal)) continue;
            var seconds = Stopwatch.GetElapsedTime(from).TotalSeconds;
            _ = process.StandardOutput.ReadToEndAsync();
            return new(process, port, seconds);
        }
        throw new InvalidOperationException("The server ended before it was ready: " + errors);
    }

    public double ResidentMegabytes()
    {
        var line = File.ReadLines($"/proc/{process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^2], CultureInfo.InvariantCulture) / 1024;
    }

    public async ValueTask DisposeAsync()
    {
        using (var signal = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)])) await signal.WaitForExitAsync();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
