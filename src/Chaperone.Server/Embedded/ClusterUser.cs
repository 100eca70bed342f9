using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Chaperone.Server.Embedded;

/// <summary>Runs programs as the user the cluster belongs to: <c>postgres</c> when we are root (PostgreSQL refuses root), else ourselves.</summary>
/// <remarks>
/// Files inside the cluster are also written as that user: root writing into a folder of somebody else could be led elsewhere by a link.
/// Core dumps are off for everything started here.
/// </remarks>
internal sealed class ClusterUser
{
    private const string AccountName = "postgres";

    private readonly string[] prefix;

    private ClusterUser(bool isRoot)
    {
        IsRoot = isRoot;
        prefix = isRoot ? ["setpriv", $"--reuid={AccountName}", $"--regid={AccountName}", "--init-groups", "--"] : [];
    }

    public bool IsRoot { get; }

    public string Name => IsRoot ? AccountName : Environment.UserName;

    /// <exception cref="ClusterException">We are root and there is no user <c>postgres</c>.</exception>
    public static async Task<ClusterUser> FindAsync(CancellationToken cancel)
    {
        var user = new ClusterUser(Environment.IsPrivilegedProcess);
        if (user.IsRoot && (await RunAsync(["id", "-u", AccountName], null, cancel)).ExitCode != 0)
            throw new ClusterException($"PostgreSQL refuses to run as root and this machine has no user {AccountName}: install the postgresql package, or start Chaperone as another user.");
        return user;
    }

    public Task<Outcome> RunAsync(IEnumerable<string> command, CancellationToken cancel) => RunAsync([.. prefix, .. command], null, cancel);

    /// <summary>True when the cluster's user can enter the folder, so every folder above it too.</summary>
    public async Task<bool> CanReachAsync(string folder, CancellationToken cancel) =>
        (await RunAsync(["test", "-x", folder], cancel)).ExitCode == 0;

    /// <summary>Makes a folder of mode 0700 that belongs to the cluster's user; an existing one must already be exactly that.</summary>
    public async Task MakePrivateFolderAsync(string folder, CancellationToken cancel)
    {
        if (!Directory.Exists(folder))
        {
            string[] owner = IsRoot ? ["-o", AccountName, "-g", AccountName] : [];
            var made = await RunAsync(["install", "-d", "-m", "0700", .. owner, folder], null, cancel);
            if (made.ExitCode != 0) throw new ClusterException($"The folder {folder} could not be made: {made.Text}");
            return;
        }

        var found = (await RunAsync(["stat", "-c", "%U %a %F", folder], null, cancel)).Text;
        if (found != $"{Name} 700 directory")
            throw new ClusterException($"The folder {folder} must belong to {Name} with mode 0700, but it is \"{found}\" (owner, mode, kind). Remove it or put that right.");
    }

    /// <summary>Writes a file of mode 0600 as the cluster's user.</summary>
    public async Task WriteAsync(string path, string content, bool append, CancellationToken cancel)
    {
        var script = append ? "cat >> \"$1\"" : "cat > \"$1\"";
        var written = await RunAsync([.. prefix, "sh", "-c", script, "sh", path], content, cancel);
        if (written.ExitCode != 0) throw new ClusterException($"The file {path} could not be written: {written.Text}");
    }

    internal static async Task<Outcome> RunAsync(IReadOnlyList<string> command, string? input, CancellationToken cancel)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", "ulimit -c 0; umask 077; exec \"$@\"", "sh", .. command])
        {
            UseShellExecute = false,
            WorkingDirectory = "/", // ours may be closed to the other user
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear(); // no PGHOST, PGOPTIONS or secrets of ours
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment["TZ"] = "UTC";

        using var process = Process.Start(start)!;
        var output = new StringBuilder();
        void Collect(object _, DataReceivedEventArgs line)
        {
            if (line.Data is null) return;
            lock (output) output.AppendLine(line.Data);
        }

        process.OutputDataReceived += Collect;
        process.ErrorDataReceived += Collect;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            if (input is not null) await process.StandardInput.WriteAsync(input.AsMemory(), cancel);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading its input; its exit code says why.
        }

        try
        {
            await process.WaitForExitAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        lock (output) return new Outcome(process.ExitCode, output.ToString().Trim());
    }

    internal readonly record struct Outcome(int ExitCode, string Text)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"exit code {ExitCode}: {Text}");
    }
}
