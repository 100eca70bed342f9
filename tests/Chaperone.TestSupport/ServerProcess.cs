using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Server.Embedded;
using Chaperone.Server.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Chaperone.TestSupport;

/// <summary>A data folder for server processes: made with one clinic whose owner also practises, and removed with its cluster.</summary>
public sealed class ServerFolder : IAsyncDisposable
{
    private ServerFolder(string path) => DataFolder = path;

    public string DataFolder { get; }

    public string Host => "kill.test";

    public string Email => "owner@kill.test";

    public byte[] Secret { get; } = Totp.NewSecret();

    public string RootKeyFile => Path.Combine(DataFolder, "secrets", "root.key");

    /// <summary>Makes the database and the clinic in this process, as the first start and the operator's command do.</summary>
    public static async Task<ServerFolder> CreateAsync()
    {
        // Not a test cluster's name: those are cleared away by other runs while nobody holds their lock, and here servers come and go.
        var folder = new ServerFolder(Path.Combine(Path.GetTempPath(), "chaperone-process-" + Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(6))));
        await folder.UseAsync(async services =>
        {
            var made = await services.GetRequiredService<ClinicCreation>().CreateAsync(
                new("Kill", folder.Host, "Olive Owner", folder.Email, TestServer.Password, AlsoPractises: true, AuthenticatorSecret: folder.Secret), new("cli", "test"), CancellationToken.None);
            if (made.Error is { } error) throw new InvalidOperationException(error.Title);
        });
        return folder;
    }

    /// <summary>Starts the cluster in this process and gives the program's services, without a web server; no server process may run.</summary>
    public async Task UseAsync(Func<IServiceProvider, Task> use)
    {
        await using var cluster = await EmbeddedCluster.StartAsync(new ClusterOptions { DataFolder = DataFolder }, NullLogger.Instance, CancellationToken.None);
        await Migrator.RunAsync(cluster.ConnectionString(ClusterRole.Owner), TimeProvider.System, CancellationToken.None);
        await using var databases = Server.Hosting.WebHost.Open(cluster);
        var installation = await Installation.OpenAsync(databases, RootKeyFile, TimeProvider.System, CancellationToken.None);
        using var root = installation.RootKey;
        var collection = new ServiceCollection();
        collection.AddLogging();
        ChaperoneApp.AddServices(collection, new AppParts(databases, installation, DataFolder, Tls: false, TimeProvider.System));
        await using var services = collection.BuildServiceProvider();
        await use(services);
    }

    public async ValueTask DisposeAsync()
    {
        // What a killed server left running is stopped by the next start.
        await using (await EmbeddedCluster.StartAsync(new ClusterOptions { DataFolder = DataFolder }, NullLogger.Instance, CancellationToken.None))
        {
        }
        Directory.Delete(DataFolder, recursive: true);
    }
}

/// <summary>The real program as a process of its own, for what only happens to processes: signals, ports, folders.</summary>
public sealed class ServerProcess : IDisposable
{
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(90);

    private readonly Process process;
    private readonly StringBuilder said = new();
    private readonly TaskCompletionSource<string> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = Path.GetTempPath(),
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Chaperone.Server.dll"));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        process = new() { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException("It ended before it was ready."));
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Everything printed so far, both streams.</summary>
    public string Said
    {
        get
        {
            lock (said) return said.ToString();
        }
    }

    public int Port { get; private init; }

    /// <summary>A port that was free a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Starts <c>up</c> and waits until it says that it is ready.</summary>
    public static async Task<ServerProcess> UpAsync(string dataFolder, IReadOnlyDictionary<string, string>? environment = null)
    {
        var port = FreePort();
        var server = new ServerProcess(["up", "--data", dataFolder, "--port", $"{port}"], environment) { Port = port };
        try
        {
            await server.ready.Task.WaitAsync(LongestStart);
            return server;
        }
        catch (Exception failed) when (failed is InvalidOperationException or TimeoutException)
        {
            server.Dispose();
            throw new InvalidOperationException($"The server did not become ready:\n{server.Said}", failed);
        }
    }

    /// <summary>Runs a command to its end; the exit code and everything it printed.</summary>
    public static Task<(int Code, string Said)> RunAsync(params string[] arguments) => RunAsync(new Dictionary<string, string>(), arguments);

    /// <summary>Runs a command with these variables in its environment.</summary>
    public static async Task<(int Code, string Said)> RunAsync(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        using var server = new ServerProcess(arguments, environment);
        using var patience = new CancellationTokenSource(LongestStart);
        await server.process.WaitForExitAsync(patience.Token);
        return (server.process.ExitCode, server.Said);
    }

    /// <summary>SIGKILL: no chance to finish anything.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, and waits for the end; the exit code.</summary>
    public async Task<int> StopAsync()
    {
        using var signal = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        using var patience = new CancellationTokenSource(LongestStart);
        await process.WaitForExitAsync(patience.Token);
        return process.ExitCode;
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is null) return;
        lock (said) said.AppendLine(line);
        if (line.StartsWith("ready: ", StringComparison.Ordinal)) ready.TrySetResult(line[7..]);
    }
}
