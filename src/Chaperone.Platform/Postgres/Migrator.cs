using Npgsql;

namespace Chaperone.Platform.Postgres;

/// <summary>Brings a database to the schema of this program. Forward only; every file is applied once and never edited afterwards.</summary>
/// <remarks>
/// Each file runs in its own transaction together with its row in <c>public.schema_migration</c>, so a crash leaves either all of a file or nothing of it,
/// and the next run goes on from there. An advisory lock, held by the connection, makes nodes that start together wait for each other.
/// </remarks>
internal static class Migrator
{
    // "chapmigr" in ASCII: any number no one else uses.
    private const long LockKey = 0x636861706d696772;

    private const string CreateTable =
        """
        CREATE TABLE IF NOT EXISTS public.schema_migration (
            number     integer     PRIMARY KEY,
            name       text        NOT NULL,
            sha256     bytea       NOT NULL,
            applied_at timestamptz NOT NULL)
        """;

    /// <summary>Applies what is missing and returns how many files that was.</summary>
    /// <exception cref="MigrationRefusedException">The database is newer than the program, or an applied file reads differently now.</exception>
    /// <exception cref="PostgresException">A file failed; nothing of it is stored, the ones before it are.</exception>
    public static Task<int> RunAsync(string ownerConnectionString, TimeProvider clock, CancellationToken cancel) =>
        RunAsync(ownerConnectionString, Migration.Known, clock, cancel);

    internal static async Task<int> RunAsync(
        string ownerConnectionString, IReadOnlyList<Migration> known, TimeProvider clock, CancellationToken cancel)
    {
        // Unpooled: the lock and the connection end together, whatever happens in between.
        var unpooled = new NpgsqlConnectionStringBuilder(ownerConnectionString) { Pooling = false, CommandTimeout = 0 };
        await using var connection = new NpgsqlConnection(unpooled.ConnectionString);
        await connection.OpenAsync(cancel);
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({LockKey})", cancel);
        await ExecuteAsync(connection, CreateTable, cancel);

        var applied = await ReadAppliedAsync(connection, cancel);
        if (Refusal(applied, known) is { } reason) throw new MigrationRefusedException(reason);

        var missing = known.Where(migration => !applied.ContainsKey(migration.Number)).ToList();
        foreach (var migration in missing) await ApplyAsync(connection, migration, clock.GetUtcNow(), cancel);
        return missing.Count;
    }

    private static string? Refusal(Dictionary<int, Applied> applied, IReadOnlyList<Migration> known)
    {
        var newest = applied.Count == 0 ? 0 : applied.Keys.Max();
        foreach (var (number, row) in applied.OrderBy(pair => pair.Key))
        {
            var file = known.FirstOrDefault(migration => migration.Number == number);
            if (file is null)
                return $"The database has migration {number:0000}_{row.Name}, which this version of Chaperone does not know: it was used by a newer version. Start that version, or restore a backup made before the upgrade.";
            if (!file.Sha256.AsSpan().SequenceEqual(row.Sha256))
                return $"Migration {file.File} was applied to this database with other contents (SHA-256 {Convert.ToHexStringLower(row.Sha256)[..12]}, now {Convert.ToHexStringLower(file.Sha256)[..12]}). Applied migrations are never edited: put the file back and add a new one.";
        }

        var late = known.FirstOrDefault(migration => migration.Number < newest && !applied.ContainsKey(migration.Number));
        return late is null ? null : $"Migration {late.File} was added behind {newest:0000}, which this database already has. Migrations only go forward: give it the next free number.";
    }

    private static async Task ApplyAsync(NpgsqlConnection connection, Migration migration, DateTimeOffset now, CancellationToken cancel)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await ExecuteAsync(connection, migration.Sql, cancel);
        await using var record = new NpgsqlCommand(
            "INSERT INTO public.schema_migration (number, name, sha256, applied_at) VALUES ($1, $2, $3, $4)", connection, transaction)
        {
            Parameters =
            {
                new() { Value = migration.Number }, new() { Value = migration.Name },
                new() { Value = migration.Sha256 }, new() { Value = now.UtcDateTime },
            },
        };
        await record.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    private static async Task<Dictionary<int, Applied>> ReadAppliedAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("SELECT number, name, sha256 FROM public.schema_migration", connection);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var applied = new Dictionary<int, Applied>();
        while (await reader.ReadAsync(cancel))
            applied.Add(reader.GetInt32(0), new Applied(reader.GetString(1), reader.GetFieldValue<byte[]>(2)));
        return applied;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    private sealed record Applied(string Name, byte[] Sha256);
}

/// <summary>The schema of the database and the program do not belong together; the message says what to do. Nothing was changed.</summary>
internal sealed class MigrationRefusedException(string message) : Exception(message);
