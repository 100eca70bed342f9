using System.Diagnostics;
using System.Globalization;
using Chaperone.TestSupport;

namespace Chaperone.Bench;

/// <summary>Processor time of this process and of PostgreSQL: what a request costs, whoever else uses the machine.</summary>
internal readonly record struct CpuTime(TimeSpan Server, TimeSpan Database)
{
    private const double TicksPerSecond = 100;      // USER_HZ, the unit of /proc/<pid>/stat

    public static CpuTime operator -(CpuTime a, CpuTime b) => new(a.Server - b.Server, a.Database - b.Database);

    public static CpuTime operator +(CpuTime a, CpuTime b) => new(a.Server + b.Server, a.Database + b.Database);

    public static async Task<CpuTime> NowAsync()
    {
        var cluster = await TestCluster.GetAsync();
        var postmaster = (await File.ReadAllLinesAsync(Path.Combine(cluster.ClusterFolder, "postmaster.pid")))[0].Trim();
        var ticks = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out _)) continue;
            try
            {
                var text = await File.ReadAllTextAsync(Path.Combine(folder, "stat"));
                // After the name in brackets: state, parent, …; user and system time are the 14th and 15th field, those of children that ended the 16th and 17th.
                var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
                var isPostmaster = Path.GetFileName(folder) == postmaster;
                if (!isPostmaster && fields[1] != postmaster) continue;
                ticks += Field(11) + Field(12) + (isPostmaster ? Field(13) + Field(14) : 0);

                long Field(int n) => long.Parse(fields[n], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // it ended meanwhile; the postmaster has its time
            }
        }
        using var self = Process.GetCurrentProcess();
        return new(self.TotalProcessorTime, TimeSpan.FromSeconds(ticks / TicksPerSecond));
    }

    public string Each(long count) => count == 0 ? "-" : $"server {Server.TotalMicroseconds / count:F0} µs, database {Database.TotalMicroseconds / count:F0} µs";
}
