using System.Diagnostics;
using System.Security.Cryptography;
using Chaperone.Server.Embedded;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Chaperone.Platform.Tests.Embedded;

/// <summary>A data folder of one test. What still runs in it at the end is stopped, and it goes.</summary>
internal sealed class TemporaryData : IAsyncDisposable
{
    private readonly string top = Path.Combine(Path.GetTempPath(), "chaperone-cluster-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(5)));

    public TemporaryData(string inside = "data")
    {
        Directory.CreateDirectory(top);
        File.SetUnixFileMode(top, (UnixFileMode)0b111_001_001);
        Options = new ClusterOptions { DataFolder = Path.Combine(top, inside), RootFallbackFolder = Path.Combine(top, "elsewhere") };
    }

    public ClusterOptions Options { get; init; }

    public string Top => top;

    public string this[string path] => Path.Combine(Options.DataFolder, path);

    public Task<EmbeddedCluster> StartAsync() => EmbeddedCluster.StartAsync(Options, NullLogger.Instance, CancellationToken.None);

    public Task<EmbeddedCluster> AttachAsync() => EmbeddedCluster.AttachAsync(Options, NullLogger.Instance, CancellationToken.None);

    public async Task<string> RefusalAsync() => (await Assert.ThrowsAsync<ClusterException>(StartAsync)).Message;

    public static async Task<object?> AskAsync(EmbeddedCluster cluster, ClusterRole role, string sql)
    {
        await using var connection = new NpgsqlConnection(cluster.ConnectionString(role) + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    public static async Task<string> ShellAsync(string script, params string[] arguments)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script, "sh", .. arguments]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var text = await shell.StandardOutput.ReadToEndAsync();
        await shell.WaitForExitAsync();
        return text.Trim();
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        foreach (var pid in Directory.EnumerateFiles(top, "postmaster.pid", SearchOption.AllDirectories).ToList())
            if (Postmaster.Read(Path.GetDirectoryName(pid)!) is { IsAlive: true } left) await ShellAsync("kill -9 $1", left.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture));
        for (var attempt = 0; attempt < 20 && Directory.Exists(top); attempt++)
        {
            try
            {
                Directory.Delete(top, recursive: true);
            }
            catch (IOException)
            {
                await Task.Delay(100); // the last processes of a killed cluster still write
            }
        }
    }
}
