using System.Text;
using Chaperone.Platform.Postgres;
using Chaperone.TestSupport;
using Npgsql;

namespace Chaperone.Platform.Tests.Postgres;

public sealed class MigratorTests
{
    private static readonly Migration First = Of("0001_first.sql", "CREATE TABLE one (a int); INSERT INTO one VALUES (1);");
    private static readonly Migration Second = Of("0002_second.sql", "CREATE FUNCTION two() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 2; END $$; UPDATE one SET a = a + two();");

    [Fact]
    public async Task Missing_files_run_once_and_in_order()
    {
        await using var database = await TestCluster.CreateEmptyDatabaseAsync();
        Assert.Equal(1, await RunAsync(database, First));
        Assert.Equal(1, await RunAsync(database, First, Second));
        Assert.Equal(0, await RunAsync(database, First, Second));
        Assert.Equal(3, await database.ExecuteAsync("SELECT a FROM one"));
        Assert.Equal("first second", await database.ExecuteAsync("SELECT string_agg(name, ' ' ORDER BY number) FROM schema_migration"));
    }

    [Fact]
    public async Task The_programs_own_files_run_on_an_empty_database_and_leave_nothing_to_do()
    {
        await using var database = await TestCluster.CreateEmptyDatabaseAsync();
        Assert.Equal(Migration.Known.Count, await Migrator.RunAsync(database.Owner, TimeProvider.System, CancellationToken.None));
        Assert.Equal(0, await Migrator.RunAsync(database.Owner, TimeProvider.System, CancellationToken.None));
        await using var cloned = await TestCluster.CreateDatabaseAsync();
        Assert.Equal(0, await Migrator.RunAsync(cloned.Owner, TimeProvider.System, CancellationToken.None));
    }

    [Fact]
    public async Task An_edited_file_is_refused_by_name()
    {
        await using var database = await TestCluster.CreateEmptyDatabaseAsync();
        await RunAsync(database, First);
        var edited = Of("0001_first.sql", First.Sql + " ");
        var refused = await Assert.ThrowsAsync<MigrationRefusedException>(() => RunAsync(database, edited, Second));
        Assert.Contains("0001_first.sql", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1L, await database.ExecuteAsync("SELECT count(*) FROM schema_migration"));
    }

    [Fact]
    public async Task A_database_of_a_newer_program_is_refused_by_name()
    {
        await using var database = await TestCluster.CreateEmptyDatabaseAsync();
        await RunAsync(database, First, Second);
        var refused = await Assert.ThrowsAsync<MigrationRefusedException>(() => RunAsync(database, First));
        Assert.Contains("0002_second", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_added_behind_an_applied_one_is_refused()
    {
        await using var database = await TestCluster.CreateEmptyDatabaseAsync();
        await RunAsync(database, Of("0002_second.sql", "SELECT 1"));
        await Assert.ThrowsAsync<MigrationRefusedException>(() => RunAsync(database, First, Of("0002_second.sql", "SELECT 1")));
    }

    [Fact]
    public async Task A_failing_file_leaves_nothing_of_itself_and_everything_before_it()
    {
        await using var database = await TestCluster.CreateEmptyDatabaseAsync();
        var broken = Of("0002_broken.sql", "CREATE TABLE two (a int); SELECT 1/0;");
        await Assert.ThrowsAsync<PostgresException>(() => RunAsync(database, First, broken));
        Assert.Equal("one", await database.ExecuteAsync("SELECT string_agg(relname, ' ') FROM pg_class WHERE relname IN ('one', 'two')"));
        Assert.Equal(1, await RunAsync(database, First, Second));
    }

    [Fact]
    public async Task Nodes_that_start_together_apply_each_file_once()
    {
        await using var database = await TestCluster.CreateEmptyDatabaseAsync();
        var slow = Of("0003_slow.sql", "SELECT pg_sleep(0.3); UPDATE one SET a = a + 10;");
        var applied = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => RunAsync(database, First, Second, slow)));
        Assert.Equal([0, 0, 0, 0, 0, 3], applied.Order());
        Assert.Equal(13, await database.ExecuteAsync("SELECT a FROM one"));
    }

    [Theory]
    [InlineData("1_first.sql")]
    [InlineData("0001-first.sql")]
    [InlineData("0001_First.sql")]
    [InlineData("0001_first.sql.bak")]
    public void A_file_with_another_kind_of_name_is_refused(string name) =>
        Assert.Throws<FormatException>(() => Of(name, "SELECT 1"));

    private static Task<int> RunAsync(TestDatabase database, params Migration[] known) =>
        Migrator.RunAsync(database.Owner, known, TimeProvider.System, CancellationToken.None);

    private static Migration Of(string name, string sql) => Migration.Parse(name, Encoding.UTF8.GetBytes(sql));
}
