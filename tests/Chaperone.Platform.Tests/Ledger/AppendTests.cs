using Chaperone.Platform.Postgres;
using Npgsql;

namespace Chaperone.Platform.Tests.Ledger;

public sealed class AppendTests
{
    [Fact]
    public async Task An_event_is_stored_with_its_subjects_and_waits_for_its_index()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.AppendAsync([log.Event("patient.searched", log.Person(), log.Person()), log.Event("auth.logout")]);
        Assert.Equal(2, await log.CountAsync("ledger.event"));
        Assert.Equal(2, await log.CountAsync("ledger.event_subject"));
        Assert.Equal(2, await log.CountAsync("ledger.pending"));
        Assert.Equal(0L, await log.Database.ExecuteAsync("SELECT pg_relation_size('ledger.event_default')"));
    }

    [Fact]
    public async Task Neither_body_nor_columns_show_an_address()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.AppendAsync([log.Event("patient.viewed", log.Person())]);
        Assert.Equal(0L, await log.Database.ExecuteAsync("SELECT count(*) FROM ledger.event e WHERE e::text LIKE '%192.0.2.7%' OR position('192.0.2.7'::bytea IN body) > 0"));
    }

    [Fact]
    public async Task An_event_that_names_another_number_of_changed_rows_fails_its_transaction()
    {
        await using var log = await LogFixture.CreateAsync();
        var id = await log.AddRecordAsync();
        var refused = await Assert.ThrowsAsync<PostgresException>(() => log.AppendAsync([log.Event("patient.updated", id)], $"UPDATE {LogFixture.Things} SET status = 'x'", changedRows: 0));
        Assert.Equal("CH001", refused.SqlState);
        Assert.Equal("booked", await log.Database.ExecuteAsync($"SELECT status FROM {LogFixture.Things}"));
        Assert.Equal(1, await log.CountAsync("ledger.event"));
    }

    [Fact]
    public async Task Without_a_clinic_nothing_is_appended()
    {
        await using var log = await LogFixture.CreateAsync();
        var prepared = await log.Appender.PrepareAsync(log.Tenant, log.Event(), default);
        await using var connection = await log.Databases.App.OpenConnectionAsync();
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Platform.Ledger.LedgerAppender.Command(prepared, null));
        var refused = await Assert.ThrowsAsync<PostgresException>(() => batch.ExecuteNonQueryAsync());
        Assert.Equal("CH001", refused.SqlState);
    }

    [Fact]
    public async Task What_changed_rows_cannot_use_the_way_of_reads()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.AddRecordAsync();
        var prepared = await log.Appender.PrepareAsync(log.Tenant, log.Event(), default);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => TenantTransaction.WriteAsync(log.Databases.App,
            [TenantTransaction.InClinic(log.Tenant), new($"UPDATE {LogFixture.Things} SET status = 'x'"), Platform.Ledger.LedgerAppender.CommandForAll([prepared])], default));
        Assert.Equal("CH001", refused.SqlState);
        Assert.Equal("booked", await log.Database.ExecuteAsync($"SELECT status FROM {LogFixture.Things}"));
    }

    [Fact]
    public async Task A_callers_search_path_changes_nothing_in_append()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.Database.ExecuteAsync(
            """
            CREATE SCHEMA hostile; GRANT USAGE ON SCHEMA hostile TO PUBLIC; CREATE DOMAIN hostile.uuid AS text;
            CREATE FUNCTION hostile.cardinality(uuid[]) RETURNS int LANGUAGE sql RETURN 0;
            CREATE FUNCTION hostile.unnest(uuid[], uuid[], date[], bytea[]) RETURNS TABLE (t uuid, a uuid, b date, c bytea) LANGUAGE sql AS $f$ SELECT NULL::uuid, NULL::uuid, NULL::date, NULL::bytea WHERE false $f$;
            CREATE FUNCTION hostile.unnest(int[], uuid[]) RETURNS TABLE (a int, b uuid) LANGUAGE sql AS $f$ SELECT 1, NULL::uuid WHERE false $f$;
            CREATE FUNCTION hostile.unequal(bigint, bigint) RETURNS boolean LANGUAGE sql RETURN false;
            CREATE OPERATOR hostile.<> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = hostile.unequal);
            CREATE FUNCTION hostile.unequal(int, int) RETURNS boolean LANGUAGE sql RETURN false;
            CREATE OPERATOR hostile.= (LEFTARG = int, RIGHTARG = int, FUNCTION = hostile.unequal);
            CREATE OPERATOR hostile.> (LEFTARG = int, RIGHTARG = int, FUNCTION = hostile.unequal);
            """);
        const string path = "SET LOCAL search_path = hostile, pg_catalog";
        await log.AppendAsync([log.Event("patient.viewed", log.Person()), log.Event("patient.searched", log.Person(), log.Person())], path);
        Assert.Equal(3, await log.CountAsync("ledger.event_subject"));
        await TenantTransaction.WriteAsync(log.Databases.App,
            [new(path), Platform.Ledger.LedgerAppender.CommandForAll([await log.Appender.PrepareAsync(log.Tenant, log.Event("patient.viewed", log.Person()), default)])], default);
        Assert.Equal(4, await log.CountAsync("ledger.event_subject"));
        Assert.Equal(3, await log.CountAsync("ledger.pending"));
        Assert.Equal("CH001", (await Assert.ThrowsAsync<PostgresException>(() => log.AppendAsync([log.Event()], path, changedRows: 5))).SqlState);
    }

    [Theory]
    [InlineData("UPDATE ledger.event SET action = 'x'")]
    [InlineData("DELETE FROM ledger.event")]
    [InlineData("TRUNCATE ledger.event")]
    [InlineData("INSERT INTO ledger.event SELECT * FROM ledger.event")]
    [InlineData("UPDATE ledger.event_subject SET subject_id = event_id")]
    [InlineData("DELETE FROM ledger.event_subject")]
    [InlineData("INSERT INTO ledger.event_subject SELECT * FROM ledger.event_subject")]
    [InlineData("DELETE FROM ledger.event_held")]
    [InlineData("SELECT * FROM ledger.pending")]
    [InlineData("DELETE FROM ledger.pending")]
    [InlineData("UPDATE ledger.position SET n = n + 1")]
    [InlineData("DELETE FROM ledger.checkpoint")]
    [InlineData("UPDATE ledger.tree SET size = 0")]
    [InlineData("SELECT ledger.ensure_partitions()")]
    [InlineData("SELECT ledger.expire('2020-01-01')")]
    [InlineData("SELECT * FROM ledger.event_forever")]
    public async Task The_application_role_may_append_and_read_and_nothing_else(string sql)
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(2);
        var refused = await RunAsync(log.Databases.App, log.Tenant, sql);
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused);
    }

    [Theory]
    [InlineData("SELECT body FROM ledger.event")]
    [InlineData("SELECT * FROM ledger.event_subject")]
    [InlineData("SELECT * FROM ledger.every_event")]
    [InlineData("INSERT INTO ledger.pending SELECT * FROM ledger.pending")]
    [InlineData("DELETE FROM ledger.position")]
    [InlineData("SELECT * FROM keys.subject_key")]
    public async Task The_sequencers_role_sees_no_event(string sql)
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(2);
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await RunAsync(log.Databases.Ledger, log.Tenant, sql));
    }

    [Theory]
    [InlineData("UPDATE ledger.event SET action = 'x'")]
    [InlineData("DELETE FROM ledger.event WHERE false")]
    [InlineData("TRUNCATE ledger.event")]
    [InlineData("TRUNCATE ledger.event_forever")]
    [InlineData("DELETE FROM ledger.event_default")]
    [InlineData("DELETE FROM ledger.event_subject")]
    [InlineData("TRUNCATE ledger.event_subject")]
    [InlineData("UPDATE ledger.event_held SET action = 'x'")]
    [InlineData("TRUNCATE ledger.event_subject_held")]
    [InlineData("DELETE FROM ledger.position")]
    [InlineData("UPDATE ledger.position SET entry_hashes = set_byte(entry_hashes, 0, 255 - get_byte(entry_hashes, 0))")]
    [InlineData("TRUNCATE ledger.tile")]
    public async Task The_owner_and_superusers_are_refused_too(string sql)
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(2);
        foreach (var connection in new[] { log.Database.Owner, log.Database.Superuser })
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => log.Database.ExecuteAsync($"SET chaperone.tenant_id = '{log.Tenant}'; {sql}", connection));
            Assert.Equal("CH002", refused.SqlState);
        }
    }

    [Fact]
    public async Task Another_clinics_log_is_invisible()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(3);
        var other = await log.AddClinicAsync("two.localhost");
        foreach (var table in new[] { "event", "event_subject", "every_event", "every_event_subject", "tree", "position", "tile", "checkpoint" })
        {
            await using var transaction = await TenantTransaction.BeginAsync(log.Databases.App, other, default);
            Assert.Equal(0L, await transaction.Command($"SELECT count(*) FROM ledger.{table}").ExecuteScalarAsync());
        }
        await using var unset = log.Databases.App.CreateCommand("SELECT count(*) FROM ledger.event");
        Assert.Equal(0L, await unset.ExecuteScalarAsync());
    }

    private static async Task<string?> RunAsync(NpgsqlDataSource source, Guid tenant, string sql)
    {
        await using var transaction = await TenantTransaction.BeginAsync(source, tenant, default);
        return (await Assert.ThrowsAsync<PostgresException>(() => transaction.Command(sql).ExecuteNonQueryAsync())).SqlState;
    }
}
