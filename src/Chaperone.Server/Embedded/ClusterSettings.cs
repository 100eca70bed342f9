using Npgsql;

namespace Chaperone.Server.Embedded;

/// <summary>The settings of the private cluster: what we write at every start, and what we refuse to run without.</summary>
internal static class ClusterSettings
{
    /// <summary>Appended once to <c>postgresql.conf</c>. The operator's own tuning goes into <c>local.conf</c>, which we never touch.</summary>
    public const string Includes =
        """

        # Chaperone writes chaperone.conf at every start; put your own settings into local.conf.
        include_if_exists = 'chaperone.conf'
        include_if_exists = 'local.conf'

        """;

    private static readonly Rule[] Rules =
    [
        new("fsync", "on", value => value == "on", "an acknowledged change could be lost when the machine stops"),
        new("full_page_writes", "on", value => value == "on", "a page could be torn when the machine stops"),
        new("synchronous_commit", "on", value => value != "off", "an acknowledged change could be lost when the database stops"),
        new("log_statement", "none", value => value == "none", "statements would stand in the database's log"),
        new("log_min_error_statement", "panic", value => value == "panic", "statements would stand in the database's log"),
        new("log_min_duration_statement", "-1", value => value == "-1", "statements would stand in the database's log"),
        new("log_parameter_max_length_on_error", "0", value => value == "0", "values would stand in the database's log"),
    ];

    /// <summary>For a small machine: a clinic's hot data fits into 64 MB, the rest is the system's cache.</summary>
    public static string Configuration(string socketFolder) =>
        $"""
        # Written by Chaperone at every start. Your own settings go into local.conf.
        listen_addresses = ''
        unix_socket_directories = '{socketFolder}'
        unix_socket_permissions = 0700
        port = 5432
        password_encryption = 'scram-sha-256'
        max_connections = 100

        fsync = on
        full_page_writes = on
        synchronous_commit = on

        shared_buffers = 64MB
        work_mem = 4MB
        maintenance_work_mem = 64MB
        effective_cache_size = 512MB
        wal_buffers = 4MB
        max_wal_size = 512MB
        min_wal_size = 80MB
        # Containers often have 64 MB of /dev/shm, and no page of ours gains from parallel plans or compiled ones.
        max_parallel_workers_per_gather = 0
        jit = off

        timezone = 'UTC'
        log_timezone = 'UTC'
        # A week of logs; nothing in them says what was asked.
        logging_collector = on
        log_directory = 'log'
        log_filename = 'postgres-%a.log'
        log_file_mode = 0600
        log_truncate_on_rotation = on
        log_rotation_age = 1d
        log_rotation_size = 0
        log_line_prefix = '%m [%p] '
        log_statement = none
        log_min_error_statement = panic
        log_min_duration_statement = -1
        log_error_verbosity = terse
        log_parameter_max_length = 0
        log_parameter_max_length_on_error = 0
        log_checkpoints = off
        log_connections = off
        log_disconnections = off

        """;

    /// <summary>Returns why this server must not be used, naming setting, value seen and value needed; null when all is well.</summary>
    public static async Task<string?> RefusalAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        // Settings of the server, and those attached to roles or databases, which only hold for others' sessions.
        const string Sql =
            """
            SELECT name, setting, '' FROM pg_settings WHERE name = ANY($1)
            UNION ALL
            SELECT split_part(pair, '=', 1), split_part(pair, '=', 2), ' for a role or database'
            FROM pg_db_role_setting, unnest(setconfig) AS pair WHERE split_part(pair, '=', 1) = ANY($1)
            """;
        await using var command = new NpgsqlCommand(Sql, connection) { Parameters = { new() { Value = Rules.Select(rule => rule.Setting).ToArray() } } };
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var (name, value, scope) = (reader.GetString(0), reader.GetString(1), reader.GetString(2));
            var rule = Array.Find(Rules, rule => rule.Setting == name)!;
            if (!rule.Allows(value))
                return $"PostgreSQL has {name} = {value}{scope}, and Chaperone needs {name} = {rule.Needed}: {rule.Reason}.";
        }

        return null;
    }

    private sealed record Rule(string Setting, string Needed, Predicate<string> Allows, string Reason);
}
