using Npgsql;

namespace Chaperone.Server.Embedded;

/// <summary>Makes the roles and the database. Safe to run at every start: what is there stays, so a crash in the middle is made good by the next one.</summary>
internal static class ClusterRoles
{
    public const string Database = "chaperone";

    private static readonly (ClusterRole Role, string Options)[] Wanted =
    [
        (ClusterRole.Owner, "LOGIN INHERIT NOBYPASSRLS"), // inherits pg_database_owner, and with it schema public
        (ClusterRole.App, "LOGIN NOINHERIT NOBYPASSRLS"),
        (ClusterRole.Ledger, "LOGIN NOINHERIT NOBYPASSRLS"),
        (ClusterRole.Operator, "LOGIN INHERIT BYPASSRLS"),
    ];

    public static string NameOf(ClusterRole role) => role switch
    {
        ClusterRole.Superuser => "postgres",
        ClusterRole.Owner => "chaperone_owner",
        ClusterRole.App => "chaperone_app",
        ClusterRole.Ledger => "chaperone_ledger",
        ClusterRole.Operator => "chaperone_operator",
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, null),
    };

    public static async Task EnsureAsync(NpgsqlConnection superuser, ClusterSecrets secrets, CancellationToken cancel)
    {
        foreach (var (role, options) in Wanted)
        {
            var name = NameOf(role);
            var exists = await ExistsAsync(superuser, "SELECT 1 FROM pg_roles WHERE rolname = $1", name, cancel);
            // The password alphabet is base64url: no quoting to get wrong. A lost file gets a new password.
            if (!exists || !secrets.Has(role))
                await RunAsync(superuser, $"{(exists ? "ALTER" : "CREATE")} ROLE {name} {options} PASSWORD '{(secrets.Has(role) ? secrets.Read(role) : secrets.Create(role))}'", cancel);
        }

        await RunAsync(superuser, "ALTER ROLE chaperone_operator SET default_transaction_read_only = on; GRANT pg_read_all_data TO chaperone_operator", cancel);
        await EnsureDatabaseAsync(superuser, Database, template: null, cancel);
        await RunAsync(superuser, "REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC", cancel);
    }

    /// <summary>Makes a database that belongs to the owner role and lets only our roles in.</summary>
    public static async Task EnsureDatabaseAsync(NpgsqlConnection superuser, string database, string? template, CancellationToken cancel)
    {
        if (!await ExistsAsync(superuser, "SELECT 1 FROM pg_database WHERE datname = $1", database, cancel))
            await RunAsync(superuser, $"CREATE DATABASE {database} OWNER chaperone_owner TEMPLATE {template ?? "template0"}", cancel);
        await RunAsync(superuser, $"REVOKE ALL ON DATABASE {database} FROM PUBLIC; GRANT CONNECT ON DATABASE {database} TO chaperone_app, chaperone_ledger, chaperone_operator", cancel);
    }

    private static async Task<bool> ExistsAsync(NpgsqlConnection connection, string sql, string name, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = name } } };
        return await command.ExecuteScalarAsync(cancel) is not null;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }
}
