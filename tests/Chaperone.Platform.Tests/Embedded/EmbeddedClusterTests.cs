using System.Globalization;
using Chaperone.Server.Embedded;
using Npgsql;

namespace Chaperone.Platform.Tests.Embedded;

public sealed class EmbeddedClusterTests
{
    [Fact]
    public async Task First_start_makes_roles_database_and_settings_and_the_next_finds_what_was_written()
    {
        await using var data = new TemporaryData();
        await using (var cluster = await data.StartAsync())
        {
            Assert.Equal("", await TemporaryData.AskAsync(cluster, ClusterRole.Superuser, "SHOW listen_addresses"));
            Assert.Equal("on", await TemporaryData.AskAsync(cluster, ClusterRole.Superuser, "SHOW data_checksums"));
            Assert.Equal("C.UTF-8", await TemporaryData.AskAsync(cluster, ClusterRole.Owner, "SHOW lc_collate"));
            Assert.Equal("0", await TemporaryData.AskAsync(cluster, ClusterRole.App, "SHOW log_parameter_max_length_on_error"));
            Assert.Equal(
                "chaperone_app -- chaperone_ledger -- chaperone_operator -b chaperone_owner --",
                await TemporaryData.AskAsync(cluster, ClusterRole.Superuser, "SELECT string_agg(rolname || ' ' || CASE WHEN rolsuper THEN 's' ELSE '-' END || CASE WHEN rolbypassrls THEN 'b' ELSE '-' END, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'chaperone%'"));
            await TemporaryData.AskAsync(cluster, ClusterRole.Owner, "CREATE TABLE kept AS SELECT 42 AS a");
        }

        Assert.False(File.Exists(data["postgres/postmaster.pid"]));
        await using var again = await data.StartAsync();
        Assert.Equal(42, await TemporaryData.AskAsync(again, ClusterRole.Owner, "SELECT a FROM kept"));
        Assert.Equal(42, await TemporaryData.AskAsync(again, ClusterRole.Operator, "SELECT a FROM kept"));
        var readOnly = await Assert.ThrowsAsync<PostgresException>(() => TemporaryData.AskAsync(again, ClusterRole.Operator, "CREATE TABLE more (a int)"));
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, readOnly.SqlState);
        var stranger = await Assert.ThrowsAsync<PostgresException>(() => TemporaryData.AskAsync(again, ClusterRole.App, "SELECT a FROM kept"));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, stranger.SqlState);
    }

    [Fact]
    public async Task Passwords_are_files_only_their_owner_reads_and_the_socket_takes_no_other()
    {
        await using var data = new TemporaryData();
        await using var cluster = await data.StartAsync();
        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(data["secrets"]));
        var files = Directory.GetFiles(data["secrets"]);
        Assert.Equal(5, files.Length);
        Assert.All(files, file => Assert.Equal((UnixFileMode)0b110_000_000, File.GetUnixFileMode(file)));
        Assert.Equal(5, files.Select(File.ReadAllText).Where(text => text.Length == 43).Distinct().Count());
        Assert.False(new NpgsqlConnectionStringBuilder(cluster.ConnectionString(ClusterRole.App)).IncludeErrorDetail);

        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(cluster.ConnectionString(ClusterRole.App)) { Password = "guess", Pooling = false }.ConnectionString);
        Assert.Equal(PostgresErrorCodes.InvalidPassword, (await Assert.ThrowsAsync<PostgresException>(() => connection.OpenAsync())).SqlState);
    }

    [Fact]
    public async Task A_second_start_on_the_same_folder_is_refused_and_leaves_the_first_alone()
    {
        await using var data = new TemporaryData();
        await using (var cluster = await data.StartAsync())
        {
            var process = cluster.ProcessId;
            Assert.Contains("already running", await data.RefusalAsync(), StringComparison.Ordinal);
            Assert.Equal(process, cluster.ProcessId);
            Assert.Equal(1, await TemporaryData.AskAsync(cluster, ClusterRole.App, "SELECT 1"));
        }

        await using var afterwards = await data.StartAsync();
    }

    [Fact]
    public async Task Attach_uses_the_running_cluster_and_starts_a_stopped_one_for_its_own_time()
    {
        await using var data = new TemporaryData();
        await Assert.ThrowsAsync<ClusterException>(data.AttachAsync);
        await using (var server = await data.StartAsync())
        {
            await using (var command = await data.AttachAsync())
            {
                Assert.False(command.IsOwned);
                Assert.Equal(1, await TemporaryData.AskAsync(command, ClusterRole.Operator, "SELECT 1"));
            }

            Assert.Equal(1, await TemporaryData.AskAsync(server, ClusterRole.App, "SELECT 1"));
        }

        await using (var command = await data.AttachAsync())
        {
            Assert.True(command.IsOwned);
            Assert.Equal(1, await TemporaryData.AskAsync(command, ClusterRole.Operator, "SELECT 1"));
        }

        Assert.False(File.Exists(data["postgres/postmaster.pid"]));
    }

    [Fact]
    public async Task A_killed_postmaster_is_recovered_by_the_next_start()
    {
        await using var data = new TemporaryData();
        await using (var cluster = await data.StartAsync())
        {
            await TemporaryData.AskAsync(cluster, ClusterRole.Owner, "CREATE TABLE kept AS SELECT 42 AS a");
            await TemporaryData.ShellAsync("kill -9 $1", cluster.ProcessId!.Value.ToString(CultureInfo.InvariantCulture));
        }

        await using var again = await data.StartAsync();
        Assert.Equal(42, await TemporaryData.AskAsync(again, ClusterRole.Owner, "SELECT a FROM kept"));
    }

    [Fact]
    public async Task Lock_files_that_name_another_living_process_do_not_stop_the_start()
    {
        await using var data = new TemporaryData();
        await using (await data.StartAsync())
        {
        }

        // After a restart of the machine the number belongs to somebody else: here to us.
        var left = $"{Environment.ProcessId}\n{data["postgres"]}\n1\n5432\n{data["run"]}\n\n0 0\nready\n";
        await File.WriteAllTextAsync(data["postgres/postmaster.pid"], left);
        await File.WriteAllTextAsync(data["run/.s.PGSQL.5432.lock"], left);
        await using var cluster = await data.StartAsync();
        Assert.NotEqual(Environment.ProcessId, cluster.ProcessId);
    }

    [Fact]
    public async Task A_cluster_that_was_never_finished_is_made_again()
    {
        await using var data = new TemporaryData();
        Directory.CreateDirectory(data["postgres.new"]);
        await File.WriteAllTextAsync(data["postgres.new/PG_VERSION"], "15");
        await using var cluster = await data.StartAsync();
        Assert.Equal(1, await TemporaryData.AskAsync(cluster, ClusterRole.App, "SELECT 1"));
        Assert.False(Directory.Exists(data["postgres.new"]));
    }

    [Fact]
    public async Task Settings_that_lose_or_show_data_are_refused_with_the_value_seen_and_needed()
    {
        await using var data = new TemporaryData();
        await using (await data.StartAsync())
        {
        }

        foreach (var (setting, seen, needed) in new[] { ("fsync", "off", "on"), ("full_page_writes", "off", "on"), ("synchronous_commit", "off", "on"), ("log_statement", "all", "none") })
        {
            await File.WriteAllTextAsync(data["postgres/local.conf"], $"{setting} = {seen}\n");
            var refusal = await data.RefusalAsync();
            Assert.Contains($"{setting} = {seen}", refusal, StringComparison.Ordinal);
            Assert.Contains($"{setting} = {needed}", refusal, StringComparison.Ordinal);
            Assert.False(File.Exists(data["postgres/postmaster.pid"]));
        }
    }

    [Fact]
    public async Task A_role_that_may_lose_commits_is_refused()
    {
        await using var data = new TemporaryData();
        await using (var cluster = await data.StartAsync())
            await TemporaryData.AskAsync(cluster, ClusterRole.Superuser, "ALTER ROLE chaperone_app SET synchronous_commit = off");
        Assert.Contains("synchronous_commit = off for a role", await data.RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_password_of_a_role_is_made_new_and_of_the_superuser_is_refused_by_name()
    {
        await using var data = new TemporaryData();
        await using (await data.StartAsync())
        {
        }

        File.Delete(data["secrets/chaperone_app.password"]);
        await using (var cluster = await data.StartAsync())
            Assert.Equal(1, await TemporaryData.AskAsync(cluster, ClusterRole.App, "SELECT 1"));
        File.Delete(data["secrets/postgres.password"]);
        Assert.Contains("postgres.password", await data.RefusalAsync(), StringComparison.Ordinal);
        Assert.False(File.Exists(data["postgres/postmaster.pid"]));
    }

    [Fact]
    public async Task A_folder_the_database_user_cannot_reach_gets_its_cluster_elsewhere_and_names_it()
    {
        await using var data = new TemporaryData("closed/data");
        Directory.CreateDirectory(Path.GetDirectoryName(data.Options.DataFolder)!);
        File.SetUnixFileMode(Path.GetDirectoryName(data.Options.DataFolder)!, (UnixFileMode)0b111_000_000);
        await using (var cluster = await data.StartAsync())
        {
            await TemporaryData.AskAsync(cluster, ClusterRole.Owner, "CREATE TABLE kept AS SELECT 42 AS a");
            Assert.Equal(Environment.IsPrivilegedProcess, cluster.IsElsewhere); // without root the database's user is ourselves
            if (!cluster.IsElsewhere) return;
            var home = (await File.ReadAllTextAsync(data["cluster-path"])).Trim();
            Assert.StartsWith(data.Options.RootFallbackFolder, home, StringComparison.Ordinal);
            Assert.Equal(Path.Combine(home, "postgres"), cluster.ClusterFolder);
            Assert.Equal("postgres 700", await TemporaryData.ShellAsync("stat -c '%U %a' \"$1\"", home));
            Assert.True(File.Exists(data["secrets/postgres.password"]));
        }

        await using (var command = await data.AttachAsync())
            Assert.Equal(42, await TemporaryData.AskAsync(command, ClusterRole.Operator, "SELECT a FROM kept"));
        Directory.Move(data.Options.RootFallbackFolder, data.Options.RootFallbackFolder + ".gone");
        Assert.Contains("cluster-path", await data.RefusalAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a data folder, with: signs")]
    [InlineData("long/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789")]
    public async Task A_path_no_socket_can_have_puts_the_socket_into_the_temporary_folder(string inside)
    {
        await using var data = new TemporaryData(inside);
        await using var cluster = await data.StartAsync();
        var socket = new NpgsqlConnectionStringBuilder(cluster.ConnectionString(ClusterRole.App)).Host!;
        Assert.StartsWith(Path.Combine(Path.GetTempPath(), "chaperone-"), socket, StringComparison.Ordinal);
        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(socket));
        Assert.Equal(1, await TemporaryData.AskAsync(cluster, ClusterRole.App, "SELECT 1"));
        await cluster.StopAsync(CancellationToken.None);
        Directory.Delete(socket, recursive: true);
    }

    [Fact]
    public async Task Missing_and_too_old_programs_are_refused_with_what_to_install()
    {
        await using var data = new TemporaryData();
        var old = Path.Combine(data.Top, "old");
        Directory.CreateDirectory(old);
        foreach (var name in new[] { "initdb", "pg_ctl", "postgres" })
        {
            await File.WriteAllTextAsync(Path.Combine(old, name), "#!/bin/sh\necho 'postgres (PostgreSQL) 14.11'\n");
            File.SetUnixFileMode(Path.Combine(old, name), (UnixFileMode)0b111_101_101);
        }

        foreach (var (folders, seen) in new (string[], string)[] { ([], "found none."), ([old], "seen: 14 in") })
        {
            var refusal = await Assert.ThrowsAsync<ClusterException>(() => PostgresPrograms.FindAsync(folders, clusterMajor: null, CancellationToken.None));
            Assert.Contains(seen, refusal.Message, StringComparison.Ordinal);
            Assert.Contains("apt install postgresql", refusal.Message, StringComparison.Ordinal);
        }

        var other = await Assert.ThrowsAsync<ClusterException>(() => PostgresPrograms.FindAsync([old], clusterMajor: 15, CancellationToken.None));
        Assert.Contains("postgresql-15", other.Message, StringComparison.Ordinal);
    }
}
