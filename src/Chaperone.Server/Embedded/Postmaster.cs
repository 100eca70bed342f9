using System.Globalization;

namespace Chaperone.Server.Embedded;

/// <summary>What <c>postmaster.pid</c> says: line 1 the process, line 5 the socket's folder, line 8 the state (PostgreSQL's miscadmin.h).</summary>
internal sealed record Postmaster(int ProcessId, string SocketFolder, string State, string Cluster)
{
    /// <summary>True when that process runs and is the postmaster of this very cluster: it works in the cluster's folder.</summary>
    public bool IsAlive
    {
        get
        {
            try
            {
                return Directory.Exists("/proc/self")
                    ? Directory.ResolveLinkTarget($"/proc/{ProcessId}/cwd", returnFinalTarget: false)?.FullName == Cluster
                    : System.Diagnostics.Process.GetProcessById(ProcessId).Id == ProcessId;
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException or ArgumentException)
            {
                return false;
            }
        }
    }

    public bool IsReady => State == "ready" && IsAlive;

    public static string FileOf(string cluster) => Path.Combine(cluster, "postmaster.pid");

    public static Postmaster? Read(string cluster)
    {
        try
        {
            var lines = File.ReadAllLines(FileOf(cluster));
            return lines.Length > 0 && int.TryParse(lines[0], CultureInfo.InvariantCulture, out var process)
                ? new Postmaster(process, lines.ElementAtOrDefault(4) ?? "", lines.ElementAtOrDefault(7)?.Trim() ?? "", cluster)
                : null;
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
