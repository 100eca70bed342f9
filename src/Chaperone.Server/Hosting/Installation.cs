using Chaperone.Encryption;
using Chaperone.Platform;
using Chaperone.Platform.Postgres;
using Chaperone.Server.Commands;

namespace Chaperone.Server.Hosting;

/// <summary>This installation: its id, fixed at the first start, and its root key.</summary>
/// <param name="Id">The first part of every log's origin.</param>
/// <param name="RootKey">The key above all others.</param>
internal sealed record Installation(Guid Id, RootKey RootKey)
{
    /// <summary>Finds the installation in the database, or at the very first start makes it and, where there is none yet, the root key file.</summary>
    /// <exception cref="CommandRefusedException">The database exists and the root key file is missing, unreadable or another one's.</exception>
    public static async Task<Installation> OpenAsync(Databases databases, string rootKeyFile, TimeProvider clock, CancellationToken cancel)
    {
        var known = await ReadAsync(databases, cancel);
        try
        {
            if (known is null && !File.Exists(rootKeyFile))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(rootKeyFile))!);
                RootKeyFile.Create(rootKeyFile).Dispose();
            }
            if (!File.Exists(rootKeyFile))
                throw new CommandRefusedException($"The root key file {rootKeyFile} ({RootKeyFile.Setting}) is missing, and the database holds records sealed under it. Put the file back from where you keep its copy; without it nobody can open them, and a new one would not either.");
            var root = RootKeyFile.Load(rootKeyFile);
            if (known is { } installation)
                return installation.Mark == root.Mark
                    ? new(installation.Id, root)
                    : throw new CommandRefusedException($"The root key file {rootKeyFile} ({RootKeyFile.Setting}) is another installation's: this database's records are sealed under a different one.");

            var now = clock.GetUtcNow();
            await using var insert = databases.App.CreateCommand("INSERT INTO directory.installation (id, root_key_mark, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
            insert.Parameters.Add(new() { Value = Ids.New(now) });
            insert.Parameters.Add(new() { Value = root.Mark });
            insert.Parameters.Add(new() { Value = now });
            await insert.ExecuteNonQueryAsync(cancel);
            var (id, _) = (await ReadAsync(databases, cancel))!.Value;
            return new(id, root);
        }
        catch (RootKeyException unusable)
        {
            throw new CommandRefusedException(unusable.Message, unusable);
        }
    }

    private static async Task<(Guid Id, Guid Mark)?> ReadAsync(Databases databases, CancellationToken cancel)
    {
        await using var command = databases.App.CreateCommand("SELECT id, root_key_mark FROM directory.installation");
        await using var reader = await command.ExecuteReaderAsync(cancel);
        return await reader.ReadAsync(cancel) ? (reader.GetGuid(0), reader.GetGuid(1)) : null;
    }
}
