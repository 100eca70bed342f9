using System.Globalization;
using Npgsql;

namespace Chaperone.Server.Embedded;

/// <summary>A private PostgreSQL cluster in the data folder: made at the first start, reached by a Unix socket only, started and stopped with the server.</summary>
/// <remarks>
/// <para>A cluster from <see cref="StartAsync"/> is ours: we hold the data folder's lock and stop PostgreSQL. One from <see cref="AttachAsync"/> may be the running server's, and is then left alone.</para>
/// <para>A PostgreSQL of ours that ends by itself (killed for want of memory, say) is started again, with its own recovery from the write-ahead log.</para>
/// <para>What a crash leaves, and what the next start does: a half-made cluster (<c>postgres.new</c>) is removed and made again; a PostgreSQL that outlived its
/// server is stopped; lock files of a PostgreSQL that is gone are removed; missing roles, passwords or database are added.</para>
/// </remarks>
internal sealed class EmbeddedCluster : IAsyncDisposable
{
    private static readonly TimeSpan LastBackendsEnd = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StartAgainTimeout = TimeSpan.FromMinutes(5);

    private readonly ClusterPlace at;
    private readonly ClusterSecrets passwords;
    private readonly ILogger log;
    private readonly string socketFolder;
    private Owned? owned;

    private EmbeddedCluster(ClusterPlace place, ClusterSecrets secrets, string socketFolder, Owned? owned, ILogger logger) =>
        (at, passwords, this.socketFolder, this.owned, log) = (place, secrets, socketFolder, owned, logger);

    /// <summary>The data folder, absolute.</summary>
    public string DataFolder => at.Data;

    /// <summary>Where the database files are; not in the data folder when <c>cluster-path</c> says so.</summary>
    public string ClusterFolder => at.Cluster;

    /// <summary>True when the cluster could not be in the data folder, which is worth a sentence to the operator.</summary>
    public bool IsElsewhere => at.Home != at.Data;

    /// <summary>True for a cluster that this process started and will stop.</summary>
    public bool IsOwned => owned is not null;

    /// <summary>Process id of the postmaster, or null when it is gone.</summary>
    public int? ProcessId => Postmaster.Read(at.Cluster)?.ProcessId;

    /// <summary>Starts the cluster, making it first where there is none. Takes the data folder for this process.</summary>
    /// <exception cref="ClusterException">It cannot be: another server runs on this folder, no usable PostgreSQL, folder not writable, settings that lose data.</exception>
    public static async Task<EmbeddedCluster> StartAsync(ClusterOptions options, ILogger logger, CancellationToken cancel)
    {
        var user = await ClusterUser.FindAsync(cancel);
        MakeDataFolder(options, user);
        var place = await ClusterPlace.FindAsync(options, user, cancel);
        var programs = await PostgresPrograms.FindAsync(options.ProgramFolders, place.Major, cancel);
        var locks = TakeLocks(place);
        try
        {
            var secrets = new ClusterSecrets(place.Data);
            await place.PrepareAsync(user, cancel);
            if (!place.Exists) await CreateAsync(place, programs, user, secrets, logger, cancel);
            await ClearRemainsAsync(place, programs, user, logger, cancel);
            await user.WriteAsync(Path.Combine(place.Cluster, "chaperone.conf"), ClusterSettings.Configuration(place.SocketFolder), append: false, cancel);
            await StartPostgresAsync(place, programs, user, options.StartTimeout, cancel);

            var cluster = new EmbeddedCluster(place, secrets, place.SocketFolder, new Owned(programs, user, locks), logger);
            try
            {
                await cluster.CheckAndCompleteAsync(cancel);
            }
            catch
            {
                await cluster.StopAsync(CancellationToken.None);
                throw;
            }

            cluster.owned!.Watching = cluster.WatchAsync(cluster.owned);
            if (cluster.IsElsewhere) logger.LogInformation("The user {User} cannot reach {DataFolder}, so the database is in {ClusterFolder}", user.Name, place.Data, place.Home);
            return cluster;
        }
        catch
        {
            foreach (var taken in locks) taken.Dispose();
            throw;
        }
    }

    /// <summary>For operator commands: the running server's cluster, or the same cluster started for the command when no server runs. Never makes one.</summary>
    /// <exception cref="ClusterException">There is no cluster in this data folder, or it cannot be started.</exception>
    public static async Task<EmbeddedCluster> AttachAsync(ClusterOptions options, ILogger logger, CancellationToken cancel)
    {
        var user = await ClusterUser.FindAsync(cancel);
        if (!Directory.Exists(options.DataFolder)) throw new ClusterException($"There is no data folder {Path.GetFullPath(options.DataFolder)}.");
        var place = await ClusterPlace.FindAsync(options, user, cancel);
        if (!place.Exists) throw new ClusterException($"There is no database in {place.Data}: run ./chaperone up first, or name another folder with --data.");
        if (!await IsRunningAsync(options, cancel)) return await StartAsync(options, logger, cancel);

        // The server may be in the middle of its start.
        var secrets = new ClusterSecrets(place.Data);
        for (var waited = TimeSpan.Zero; waited < options.StartTimeout; waited += TimeSpan.FromMilliseconds(200))
        {
            if (Postmaster.Read(place.Cluster) is { IsReady: true } running) return new EmbeddedCluster(place, secrets, running.SocketFolder, null, logger);
            await Task.Delay(200, cancel);
        }

        throw new ClusterException($"A server holds {place.Data}, but its database does not answer. See {Path.Combine(place.Cluster, "log")}.");
    }

    /// <summary>True when a server (or an operator command) has this data folder now.</summary>
    public static async Task<bool> IsRunningAsync(ClusterOptions options, CancellationToken cancel)
    {
        var place = await ClusterPlace.FindAsync(options, await ClusterUser.FindAsync(cancel), cancel);
        if (!File.Exists(place.InstanceLock)) return false;
        using var free = InstanceLock.TryTake(place.InstanceLock);
        return free is null;
    }

    /// <summary>How to connect as a role. Errors never carry row values (<c>Include Error Detail</c> is off). Holds a password: not for logs.</summary>
    public string ConnectionString(ClusterRole role, string database = ClusterRoles.Database) => new NpgsqlConnectionStringBuilder
    {
        Host = socketFolder,
        Port = 5432,
        Database = role == ClusterRole.Superuser && database == ClusterRoles.Database ? "postgres" : database,
        Username = ClusterRoles.NameOf(role),
        Password = passwords.Read(role),
        IncludeErrorDetail = false,
        PersistSecurityInfo = false,
        ApplicationName = "chaperone",
    }.ConnectionString;

    /// <summary>Stops PostgreSQL (open transactions are rolled back) and gives the data folder back. Does nothing to a cluster that is not ours, or twice.</summary>
    public async Task StopAsync(CancellationToken cancel)
    {
        if (Interlocked.Exchange(ref owned, null) is not { } ours) return;
        try
        {
            await ours.Stopping.CancelAsync();
            await ours.Watching;    // never while it is starting PostgreSQL
            await StopPostgresAsync(at, ours.Programs, ours.User, cancel);
            log.LogInformation("PostgreSQL stopped");
        }
        finally
        {
            foreach (var taken in ours.Locks) taken.Dispose();
            ours.Stopping.Dispose();
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync(CancellationToken.None);

    private async Task WatchAsync(Owned ours)
    {
        for (var stopping = ours.Stopping.Token; ;)
        {
            await Task.Delay(LookEvery, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested) return;
            try
            {
                if (Postmaster.Read(at.Cluster) is { IsAlive: true }) continue;
                log.LogError("PostgreSQL ended by itself; starting it again. {Folder} says why", Path.Combine(at.Cluster, "log"));
                await ClearRemainsAsync(at, ours.Programs, ours.User, log, CancellationToken.None);
                await StartPostgresAsync(at, ours.Programs, ours.User, StartAgainTimeout, CancellationToken.None);
                log.LogInformation("PostgreSQL runs again");
            }
            catch (Exception failed) when (failed is ClusterException or IOException or UnauthorizedAccessException)
            {
                log.LogCritical("PostgreSQL could not be started again: {Why} The next try is in a moment", failed.Message);
            }
        }
    }

    private static void MakeDataFolder(ClusterOptions options, ClusterUser user)
    {
        var data = Path.GetFullPath(options.DataFolder);
        try
        {
            // As root, PostgreSQL's user must pass through; what is secret below has its own 0700.
            const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            if (Directory.Exists(data)) return;
            Directory.CreateDirectory(data);
            File.SetUnixFileMode(data, user.IsRoot ? Owner | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute : Owner);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new ClusterException($"The data folder {data} cannot be made: {refused.Message} Choose another with --data.", refused);
        }
    }

    private static List<InstanceLock> TakeLocks(ClusterPlace place)
    {
        var taken = new List<InstanceLock>();
        try
        {
            foreach (var path in new[] { place.InstanceLock, place.ClusterLock }.OfType<string>())
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                taken.Add(InstanceLock.TryTake(path)
                    ?? throw new ClusterException($"Chaperone is already running on the data folder {place.Data}: stop that server first, or start this one with another --data."));
            }

            return taken;
        }
        catch (Exception refused) when (refused is ClusterException or IOException or UnauthorizedAccessException)
        {
            foreach (var one in taken) one.Dispose();
            if (refused is ClusterException) throw;
            throw new ClusterException($"The data folder {place.Data} cannot be written: {refused.Message} Give {Environment.UserName} the right to write there, or choose another with --data.", refused);
        }
    }

    private static async Task CreateAsync(ClusterPlace place, PostgresPrograms programs, ClusterUser user, ClusterSecrets secrets, ILogger logger, CancellationToken cancel)
    {
        logger.LogInformation("Making a PostgreSQL {Major} cluster in {Folder}", programs.Major, place.Cluster);
        if (Directory.Exists(place.UnfinishedCluster)) Directory.Delete(place.UnfinishedCluster, recursive: true);
        if (Directory.Exists(place.Cluster)) throw new ClusterException($"{place.Cluster} exists but is no PostgreSQL cluster. Move it away, or choose another folder with --data.");
        await user.MakePrivateFolderAsync(place.UnfinishedCluster, cancel);

        // Any passwords here belong to a cluster that is gone or was never finished.
        secrets.Forget();
        var passwordFile = Path.Combine(place.SocketFolder, "initial-password");
        try
        {
            await user.WriteAsync(passwordFile, secrets.Create(ClusterRole.Superuser) + "\n", append: false, cancel);
            var made = await user.RunAsync(
                [
                    programs["initdb"], "-D", place.UnfinishedCluster, "-U", ClusterRoles.NameOf(ClusterRole.Superuser), $"--pwfile={passwordFile}",
                    "--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions",
                ],
                cancel);
            if (made.ExitCode != 0) throw new ClusterException($"PostgreSQL could not make its cluster in {place.UnfinishedCluster}: {made.Text}");
        }
        finally
        {
            File.Delete(passwordFile);
        }

        await user.WriteAsync(Path.Combine(place.UnfinishedCluster, "postgresql.conf"), ClusterSettings.Includes, append: true, cancel);
        await user.WriteAsync(Path.Combine(place.UnfinishedCluster, "local.conf"), "# Your own settings; they win over chaperone.conf.\n", append: false, cancel);
        Directory.Move(place.UnfinishedCluster, place.Cluster);
    }

    private static async Task ClearRemainsAsync(ClusterPlace place, PostgresPrograms programs, ClusterUser user, ILogger logger, CancellationToken cancel)
    {
        if (Postmaster.Read(place.Cluster) is { IsAlive: true } left)
        {
            // We hold the lock, so its server is dead.
            logger.LogWarning("PostgreSQL (process {ProcessId}) outlived its server; stopping it", left.ProcessId);
            await StopPostgresAsync(place, programs, user, cancel);
        }

        // These name a process by number. It may be anybody's by now, or a dead one nobody has reaped, and PostgreSQL would refuse to start.
        File.Delete(Postmaster.FileOf(place.Cluster));
        File.Delete(place.SocketFolder + ClusterPlace.SocketFile);
        File.Delete(place.SocketFolder + ClusterPlace.SocketFile + ".lock");
    }

    private static async Task StartPostgresAsync(ClusterPlace place, PostgresPrograms programs, ClusterUser user, TimeSpan timeout, CancellationToken cancel)
    {
        var seconds = ((int)timeout.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        for (var waited = TimeSpan.Zero; ; waited += TimeSpan.FromSeconds(1))
        {
            await user.WriteAsync(place.StartLog, "", append: false, cancel);
            // pg_ctl gives PostgreSQL a session of its own: Ctrl-C in the terminal reaches the server, which then stops PostgreSQL.
            // Not cancelled half way: what started is stopped in order.
            var started = await user.RunAsync([programs["pg_ctl"], "start", "-w", "-s", "-t", seconds, "-D", place.Cluster, "-l", place.StartLog], CancellationToken.None);
            if (started.ExitCode == 0) return;

            // Before the log's own process runs PostgreSQL writes to the start log, afterwards to the newest in log/.
            var said = (await user.RunAsync(["sh", "-c", "cd \"$1\" && tail -qn 5 start.log \"log/$(ls -t log | head -n 1)\"", "sh", place.Cluster], cancel)).Text;
            // Backends of a killed postmaster notice its death within moments.
            if (said.Contains("shared memory block", StringComparison.Ordinal) && waited < LastBackendsEnd) await Task.Delay(1000, cancel);
            else throw new ClusterException($"PostgreSQL did not start in {place.Cluster}: {said} {started.Text}");
        }
    }

    private static async Task StopPostgresAsync(ClusterPlace place, PostgresPrograms programs, ClusterUser user, CancellationToken cancel)
    {
        foreach (var (mode, seconds) in new[] { ("fast", "60"), ("immediate", "20") })
        {
            var stopped = await user.RunAsync([programs["pg_ctl"], "stop", "-w", "-s", "-t", seconds, "-m", mode, "-D", place.Cluster], cancel);
            if (stopped.ExitCode == 0 || Postmaster.Read(place.Cluster) is not { IsAlive: true }) return;
        }

        throw new ClusterException($"PostgreSQL in {place.Cluster} could not be stopped.");
    }

    private async Task CheckAndCompleteAsync(CancellationToken cancel)
    {
        if (!passwords.Has(ClusterRole.Superuser))
            throw new ClusterException($"The password file {passwords.FileOf(ClusterRole.Superuser)} is missing, and the database in {at.Cluster} opens with no other. Bring back the secrets folder that belongs to it.");
        var unpooled = new NpgsqlConnectionStringBuilder(ConnectionString(ClusterRole.Superuser)) { Pooling = false };
        await using var superuser = new NpgsqlConnection(unpooled.ConnectionString);
        try
        {
            await superuser.OpenAsync(cancel);
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InvalidPassword)
        {
            throw new ClusterException($"The database in {at.Cluster} does not accept the password in {passwords.FileOf(ClusterRole.Superuser)}. Bring back the secrets folder that belongs to it.", refused);
        }

        if (await ClusterSettings.RefusalAsync(superuser, cancel) is { } reason) throw new ClusterException(reason);
        await ClusterRoles.EnsureAsync(superuser, passwords, cancel);
    }

    private sealed record Owned(PostgresPrograms Programs, ClusterUser User, List<InstanceLock> Locks)
    {
        public CancellationTokenSource Stopping { get; } = new();

        public Task Watching { get; set; } = Task.CompletedTask;
    }
}
