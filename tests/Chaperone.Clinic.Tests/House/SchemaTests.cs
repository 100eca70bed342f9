using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Chaperone.Server.Hosting;
using Chaperone.TestSupport;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Chaperone.Clinic.Tests.House;

/// <summary>The schema holds the rules of the house: every tenant table under row-level security, every personal table sealed, and EF's view the same as PostgreSQL's.</summary>
public sealed class SchemaTests : IAsyncLifetime
{
    // Tables of the installation, not of a clinic: why each needs no row-level security.
    private static readonly Dictionary<string, string> OfTheInstallation = new(StringComparer.Ordinal)
    {
        ["directory.installation"] = "one row: the installation's id",
        ["directory.tenant"] = "what a host name is looked up in, before any clinic is known",
        ["directory.data_protection_key"] = "the framework's key ring, sealed under the root key",
        ["directory.setup_link"] = "hashes of the operator's one-time links, before any clinic exists",
        ["platform.tenant_table"] = "the list of tenant tables",
        ["public.schema_migration"] = "which migrations ran",
        ["ledger.term"] = "retention terms, the same for all",
        ["jobs.job_details"] = "the scheduler's: names of recurring work",
        ["jobs.triggers"] = "the scheduler's: when it is due next",
        ["jobs.simple_triggers"] = "the scheduler's: how often",
        ["jobs.cron_triggers"] = "the scheduler's, empty",
        ["jobs.simprop_triggers"] = "the scheduler's, empty",
        ["jobs.blob_triggers"] = "the scheduler's, empty",
        ["jobs.calendars"] = "the scheduler's, empty",
        ["jobs.paused_trigger_grps"] = "the scheduler's, empty",
        ["jobs.paused_job_grps"] = "the scheduler's, empty",
        ["jobs.fired_triggers"] = "the scheduler's: what runs now, and where",
        ["jobs.scheduler_state"] = "the scheduler's: nodes, and when each was last seen",
        ["jobs.locks"] = "the scheduler's: one row for each of its locks",
    };

    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestCluster.CreateDatabaseAsync();

    public async ValueTask DisposeAsync() => await database.DisposeAsync();

    [Fact]
    public async Task Every_table_is_under_row_level_security_or_on_the_list_with_a_reason()
    {
        var tables = await Rows("""
            SELECT n.nspname || '.' || c.relname, c.relrowsecurity AND c.relforcerowsecurity, c.relispartition,
                   EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'),
                   (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polroles <> ARRAY['chaperone_owner'::regrole::oid])
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_%'
            """);

        Assert.NotEmpty(tables);
        foreach (var table in tables)
        {
            var (name, secured, partition, ofTenant, policies) = ((string)table[0]!, (bool)table[1]!, (bool)table[2]!, (bool)table[3]!, (long)table[4]!);
            if (OfTheInstallation.ContainsKey(name)) Assert.False(ofTenant, name + " has a clinic and stands on the list of tables that have none");
            else if (partition) Assert.True(await CannotBeReachedAlone(name), name + " is a partition that a runtime role can read beside its parent's policy");
            else Assert.True(ofTenant && secured && policies == 1, name + " is not under row-level security with exactly one policy");
        }
    }

    [Fact]
    public async Task Only_appending_passes_by_the_clinic_set_and_only_inside_the_owners_functions()
    {
        var others = await Rows("""
            SELECT p.polrelid::regclass::text, p.polname::text, p.polcmd::text FROM pg_policy p
            WHERE p.polname <> 'tenant' OR p.polroles <> ARRAY[0::oid] OR pg_get_expr(p.polqual, p.polrelid) NOT LIKE '%chaperone.tenant_id%' ORDER BY 1
            """);
        Assert.Equal([("ledger.event", "append_all", "a"), ("ledger.event_subject", "append_all", "a"), ("ledger.pending", "append_all", "a")],
            others.Select(row => ((string)row[0]!, (string)row[1]!, (string)row[2]!)));
        Assert.Empty(await Rows("SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid WHERE r.rolname = 'chaperone_owner'"));
    }

    [Fact]
    public async Task Every_tenant_table_has_the_clinic_first_in_its_primary_key()
    {
        var wrong = await Rows("""
            SELECT t.name FROM platform.tenant_table t
            WHERE NOT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                              WHERE i.indrelid = t.name::regclass AND i.indisprimary AND a.attname = 'tenant_id')
            """);
        Assert.Empty(wrong);
    }

    [Fact]
    public async Task Runtime_roles_own_nothing_and_bypass_nothing()
    {
        Assert.Empty(await Rows("SELECT rolname FROM pg_roles WHERE rolname IN ('chaperone_app', 'chaperone_ledger') AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)"));
        Assert.Empty(await Rows("SELECT relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname IN ('chaperone_app', 'chaperone_ledger', 'chaperone_operator')"));
        Assert.Empty(await Rows("SELECT table_name FROM information_schema.role_table_grants WHERE grantee = 'chaperone_operator' AND privilege_type <> 'SELECT'"));
        Assert.Empty(await Rows("SELECT table_name FROM information_schema.role_table_grants WHERE grantee = 'chaperone_app' AND table_schema = 'ledger' AND privilege_type <> 'SELECT'"));
    }

    [Fact]
    public async Task Entity_model_and_schema_are_the_same_and_every_sealed_row_is_tracked_or_says_why_not()
    {
        await using var db = Model();
        var columns = (await Rows("SELECT table_schema || '.' || table_name, column_name, is_nullable, data_type FROM information_schema.columns"))
            .ToLookup(row => (string)row[0]!, row => (Name: (string)row[1]!, Nullable: (string)row[2]! == "YES", Type: (string)row[3]!));
        var tracked = (await Rows("SELECT name, tracked FROM platform.tenant_table")).ToDictionary(row => (string)row[0]!, row => (bool)row[1]!);

        foreach (var entity in db.Model.GetEntityTypes())
        {
            var table = $"{entity.GetSchema()}.{entity.GetTableName()}";
            Assert.True(columns.Contains(table), $"{entity.ClrType.Name}: there is no table {table}");
            var mapped = entity.GetProperties().ToDictionary(property => property.GetColumnName());
            foreach (var column in columns[table])
            {
                Assert.True(mapped.TryGetValue(column.Name, out var property), $"{table}.{column.Name} is not in the model");
                // Rows about somebody share their base with rows about nobody: the table is the stricter one.
                Assert.True(property.IsNullable == column.Nullable || (property.Name == nameof(SealedRow.SubjectId) && !column.Nullable), $"{table}.{column.Name}: nullable in one and not in the other");
            }
            Assert.Empty(mapped.Keys.Except(columns[table].Select(column => column.Name)));
            if (!typeof(SealedRow).IsAssignableFrom(entity.ClrType)) continue;
            Assert.True(tracked[table] == (entity.FindAnnotation(RowWriter.Untracked) is null), $"{table}: tracked in one and not in the other");
        }
    }

    [Fact]
    public async Task Tracked_tables_are_sealed_and_countable()
    {
        foreach (var row in await Rows("SELECT name FROM platform.tenant_table WHERE tracked"))
        {
            var table = (string)row[0]!;
            var names = (await Rows($"SELECT attname::text FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0")).Select(column => (string)column[0]!).ToHashSet(StringComparer.Ordinal);
            Assert.Superset(new HashSet<string>(StringComparer.Ordinal) { "tenant_id", "id", "version", "key_version", "sealed" }, names);
            Assert.Equal(3L, (await Rows($"SELECT count(*) FROM pg_trigger WHERE tgrelid = '{table}'::regclass AND tgname LIKE 'count\\_%'"))[0][0]);
        }
    }

    private async Task<bool> CannotBeReachedAlone(string partition) =>
        (bool)(await Rows($"SELECT NOT has_table_privilege('chaperone_app', '{partition}', 'SELECT, INSERT, UPDATE, DELETE') AND NOT has_table_privilege('chaperone_ledger', '{partition}', 'SELECT, INSERT, UPDATE, DELETE')"))[0][0]!;

    private ChaperoneDb Model()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        Features.Add(services);
        services.AddDbContext<ChaperoneDb>(options => options.UseNpgsql(database.App).ReplaceService<Microsoft.EntityFrameworkCore.Infrastructure.IModelCacheKeyFactory, ChaperoneDb.ModelOfParts>());
        return services.BuildServiceProvider().GetRequiredService<ChaperoneDb>();
    }

    private async Task<List<object?[]>> Rows(string sql)
    {
        await using var connection = new NpgsqlConnection(database.Superuser);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<object?[]>();
        while (await reader.ReadAsync())
        {
            var values = new object[reader.FieldCount];
            reader.GetValues(values);
            rows.Add([.. values.Select(value => value is DBNull ? null : value)]);
        }
        return rows;
    }
}
