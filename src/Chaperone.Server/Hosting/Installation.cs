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
        if (await ReadAsync(databases, cancel) is null) await MakeAsync(databases, rootKeyFile, clock, cancel);
        return await OpenExistingAsync(databases, rootKeyFile, cancel);
    }

    /// <summary>The same for commands, which never make one.</summary>
    /// <exception cref="CommandRefusedException">There is none, or its root key file is missing, unreadable or another one's.</exception>
    public static async Task<Installation> OpenExistingAsync(Databases databases, string rootKeyFile, CancellationToken cancel)
    {
        if (await ReadAsync(databases, cancel) is not var (id, mark)) throw new CommandRefusedException("This data folder holds no installation yet. Start it once with: ./chaperone up");
        if (!File.Exists(rootKeyFile))
            throw new CommandRefusedException($"The root key file {rootKeyFile} ({RootKeyFile.Setting}) is missing, and the database holds records sealed under it. Put the file back from where you keep its copy; without it nobody can open them, and a new one would not either.");
        var root = Load(rootKeyFile);
        if (mark == root.Mark) return new(id, root);
        root.Dispose();
        throw new CommandRefusedException($"The root key file {rootKeyFile} ({RootKeyFile.Setting}) is another installation's: this database's records are sealed under a different one.");
    }

    private static async Task MakeAsync(Databases databases, string rootKeyFile, TimeProvider clock, CancellationToken cancel)
    {
        if (!File.Exists(rootKeyFile))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(rootKeyFile))!);
            RootKeyFile.Create(rootKeyFile).Dispose();
        }
        using var root = Load(rootKeyFile);
        var now = clock.GetUtcNow();
        await using var insert = databases.App.CreateCommand("INSERT INTO directory.installation (id, root_key_mark, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
        insert.Parameters.Add(new() { Value = Ids.New(now) });
        insert.Parameters.Add(new() { Value = root.Mark });
        insert.Parameters.Add(new() { Value = now });
        await insert.ExecuteNonQueryAsync(cancel);
    }

    private static RootKey Load(string rootKeyFile)
    {
        try
        {
            return RootKeyFile.Load(rootKeyFile);
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
