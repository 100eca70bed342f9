using System.Globalization;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tests.Embedded;
using Chaperone.Server.Embedded;
using Chaperone.TestSupport;
using Npgsql;

namespace Chaperone.Platform.Tests.Ledger;

/// <summary>PostgreSQL can write no more. The files' greatest length stands for the disk's end (RLIMIT_FSIZE; PostgreSQL ignores the signal and is told EFBIG, which it treats as ENOSPC): it needs no privilege.</summary>
public sealed class DiskFullTests
{
    private const int Segment = 16 << 20;       // of the write-ahead log; a table that grows past it is stopped and the write-ahead log is not

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task When_no_row_fits_any_more_appends_fail_whole_and_what_was_acknowledged_stays() => FillAsync(Segment, everybody: true);

    // The database server then ends all sessions and recovers: the postmaster itself must be able to.
    [Fact]
    public Task When_the_write_ahead_log_cannot_be_written_appends_fail_whole_and_what_was_acknowledged_stays() => FillAsync(64 << 10, everybody: false);

    private static async Task FillAsync(int longest, bool everybody)
    {
        await using var data = new TemporaryData();
        await using var cluster = await data.StartAsync();
        await using (var superuser = new NpgsqlConnection(cluster.ConnectionString(ClusterRole.Superuser, "postgres") + ";Pooling=false"))
        {
            await superuser.OpenAsync(Cancel);
            await ClusterRoles.EnsureDatabaseAsync(superuser, "filled", template: null, Cancel);
        }
        await Migrator.RunAsync(cluster.ConnectionString(ClusterRole.Owner, "filled"), TimeProvider.System, Cancel);
        var database = new TestDatabase("filled", cluster);      // the fixture disposes it
        await using var log = await LogFixture.CreateAsync(database);
        using var group = new GroupAppender(log.Databases);
        var (acknowledged, failed) = (new List<Guid>(), new List<Guid[]>());
        for (var i = 0; i < 15; i++) await AppendAsync(1000);
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        Assert.Empty(failed);

        await LimitAsync(cluster, longest, everybody);
        for (var i = 0; i < 200 && failed.Count < 3; i++)
        {
            await AppendAsync(200);
            try
            {
                await log.Sequencer.FlushAsync(log.Tenant, Cancel);
            }
            catch (Exception full) when (full is NpgsqlException)
            {
                // what it could not store is still pending
            }
            if (!everybody && failed.Count > 0) break;      // the sessions that come after the recovery have no limit
        }
        Assert.NotEmpty(failed);

        await LimitAsync(cluster, null, everybody);
        var before = acknowledged.Count;
        for (var i = 0; i < 100 && acknowledged.Count == before; i++)
        {
            await AppendAsync(5);       // by itself, as soon as there is room
            if (acknowledged.Count == before) await Task.Delay(200, Cancel);
        }
        Assert.Equal(before + 5, acknowledged.Count);
        var report = await AgainAsync(async () =>
        {
            await log.Sequencer.FlushAsync(log.Tenant, Cancel);
            return await log.VerifyAsync();
        });
        Assert.Equal(acknowledged.Count, await AgainAsync(() => PresentAsync(acknowledged)));
        foreach (var together in failed) Assert.Contains(await PresentAsync(together), new[] { 0L, together.Length });
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.InRange(report.Verified, acknowledged.Count, acknowledged.Count + failed.Sum(together => together.Length));

        async Task AppendAsync(int count)
        {
            var events = new PreparedEvent[count];
            for (var i = 0; i < count; i++) events[i] = await log.Appender.PrepareAsync(log.Tenant, log.Event("patient.viewed", log.Person()), Cancel);
            try
            {
                await group.AppendAsync(events, Cancel);
                acknowledged.AddRange(events.Select(each => each.Id));
            }
            catch (NpgsqlException)
            {
                failed.Add([.. events.Select(each => each.Id)]);
            }
        }

        async Task<long> PresentAsync(IReadOnlyList<Guid> ids)
        {
            await using var connection = new NpgsqlConnection(database.Superuser);
            await connection.OpenAsync(Cancel);
            await using var command = new NpgsqlCommand("SELECT count(*) FROM ledger.event WHERE id = ANY ($1)", connection) { Parameters = { new() { Value = ids.ToArray() } } };
            return (long)(await command.ExecuteScalarAsync(Cancel))!;
        }
    }

    // Connections of before the recovery lie in the pools and are found dead one by one.
    private static async Task<T> AgainAsync<T>(Func<Task<T>> work)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return await work();
            }
            catch (Exception lost) when (lost.IsDatabaseLoss() && tries < 40)
            {
                await Task.Delay(50, Cancel);
            }
        }
    }

    // Of the processes that are there, and with the postmaster also of those to come.
    private static async Task LimitAsync(EmbeddedCluster cluster, int? longest, bool everybody)
    {
        var postmaster = cluster.ProcessId!.Value.ToString(CultureInfo.InvariantCulture);
        var limited = await TemporaryData.ShellAsync(
            """
            [ "$(id -u)" != 0 ] || as="setpriv --reuid=$(stat -c %u "/proc/$1") --regid=$(stat -c %g "/proc/$1") --clear-groups"
            for process in ${3:+"$1"} $(grep -lE "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status 2>/dev/null | cut -d/ -f3); do
              ${as:-} prlimit --pid "$process" --fsize="$2:" && echo "$process"
            done
            """, postmaster, longest?.ToString(CultureInfo.InvariantCulture) ?? "unlimited", everybody ? "too" : "");
        Assert.NotEmpty(limited);
    }
}
