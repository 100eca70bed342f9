using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Chaperone.Server.Embedded;

/// <summary>The folders of one cluster. <see cref="Home"/> is the data folder, or for root the folder named by <c>&lt;data&gt;/cluster-path</c>.</summary>
internal sealed partial record ClusterPlace(string Data, string Home)
{
    // sockaddr_un.sun_path holds 108 bytes with the closing zero.
    private const int LongestSocketPath = 107;
    public const string SocketFile = "/.s.PGSQL.5432";

    public string Cluster => Path.Combine(Home, "postgres");

    public string UnfinishedCluster => Path.Combine(Home, "postgres.new");

    public string StartLog => Path.Combine(Cluster, "start.log");

    public string InstanceLock => Path.Combine(Data, "lock");

    /// <summary>Also taken when the cluster is elsewhere: a copied data folder must not stop the cluster of the original.</summary>
    public string? ClusterLock => Home == Data ? null : Path.Combine(Path.GetDirectoryName(Home)!, Path.GetFileName(Home) + ".lock");

    public bool Exists => File.Exists(Path.Combine(Cluster, "PG_VERSION"));

    public int? Major => Exists ? int.Parse(File.ReadAllText(Path.Combine(Cluster, "PG_VERSION")), CultureInfo.InvariantCulture) : null;

    /// <summary>The socket's folder: beside the cluster, or in the temporary folder when that path is too long or has characters PostgreSQL or Npgsql read as lists.</summary>
    public string SocketFolder
    {
        get
        {
            var beside = Path.Combine(Home, "run");
            return Encoding.UTF8.GetByteCount(beside + SocketFile) <= LongestSocketPath && PlainPath().IsMatch(beside)
                ? beside
                : Path.Combine(Path.GetTempPath(), "chaperone-" + Hash(Home));
        }
    }

    private static string PointerOf(string data) => Path.Combine(data, "cluster-path");

    /// <summary>Where the cluster of a data folder is, or would be made. Writes nothing.</summary>
    public static async Task<ClusterPlace> FindAsync(ClusterOptions options, ClusterUser user, CancellationToken cancel)
    {
        var data = Path.GetFullPath(options.DataFolder);
        if (Directory.ResolveLinkTarget(data, returnFinalTarget: true) is { } target) data = target.FullName;
        var pointer = PointerOf(data);
        if (File.Exists(pointer))
        {
            var home = (await File.ReadAllTextAsync(pointer, cancel)).Trim();
            return Directory.Exists(home) ? new ClusterPlace(data, home)
                : throw new ClusterException($"{pointer} says that the database is in {home}, but that folder is not there. Bring it back, or correct the file.");
        }

        var here = new ClusterPlace(data, data);
        return here.Exists || !user.IsRoot || await user.CanReachAsync(data, cancel)
            ? here
            : new ClusterPlace(data, Path.Combine(options.RootFallbackFolder, Hash(data)));
    }

    /// <summary>Makes the folders that are missing, and the pointer to a cluster elsewhere before anything is in it.</summary>
    public async Task PrepareAsync(ClusterUser user, CancellationToken cancel)
    {
        if (Home != Data)
        {
            await user.MakePrivateFolderAsync(Home, cancel);
            var pointer = PointerOf(Data);
            await File.WriteAllTextAsync(pointer + ".new", Home + "\n", cancel);
            File.Move(pointer + ".new", pointer, overwrite: true);
        }

        await user.MakePrivateFolderAsync(SocketFolder, cancel);
    }

    private static string Hash(string path) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)))[..16];

    [GeneratedRegex("^[A-Za-z0-9/._+@=-]+$")]
    private static partial Regex PlainPath();
}
