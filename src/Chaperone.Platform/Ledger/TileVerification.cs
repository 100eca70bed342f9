using Chaperone.Ledger;
using Npgsql;

namespace Chaperone.Platform.Ledger;

/// <summary>Compares the stored tiles and tree head with those built anew from the entries.</summary>
internal sealed class TileVerification(NpgsqlConnection connection, Guid tenant, VerificationReport report)
{
    /// <summary>The stored size and root.</summary>
    public async Task CheckHeadAsync(CompactRange range, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("SELECT size, root FROM ledger.tree WHERE tenant_id = $1", connection) { Parameters = { new() { Value = tenant } } };
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var stored = await reader.ReadAsync(cancel);
        if (stored != range.Size > 0 || (stored && (reader.GetInt64(0) != range.Size || new Hash256(reader.GetFieldValue<byte[]>(1)) != range.Root)))
            report.AddProblem(null, $"The stored size and root of the tree are not those of its {range.Size} entries.");
    }

    /// <summary>Every stored tile.</summary>
    /// <param name="range">The tree over all entries.</param>
    /// <param name="hashes">The roots of full chunks: the hashes of level 1, in order.</param>
    /// <param name="cancel">Cancels.</param>
    public async Task RunAsync(CompactRange range, List<byte[]> hashes, CancellationToken cancel)
    {
        var left = await StoredAsync(cancel);
        for (var level = 1; level <= Tiles.HighestLevel && hashes.Count > 0; level++)
        {
            var above = new List<byte[]>();
            foreach (var (tile, n) in hashes.Chunk(Tiles.Width).Select((tile, n) => (tile, (long)n)))
            {
                var built = tile.SelectMany(hash => hash).ToArray();
                if (!left.Remove((level, n), out var stored)) report.AddProblem(FirstOf(level, n, 0), $"Tile {level}/{n} is missing.");
                else if (Difference(stored, built) is { } at) report.AddProblem(FirstOf(level, n, at), $"Tile {level}/{n} differs from hash {at} on from what the entries give.");
                if (tile.Length == Tiles.Width) above.Add(Tiles.Root(built).ToArray());
            }
            hashes = above;
        }
        foreach (var (level, n) in left.Keys.Order()) report.AddProblem(null, $"Tile {level}/{n} is of no tree of {range.Size} entries.");
    }

    private async Task<Dictionary<(int Level, long N), byte[]>> StoredAsync(CancellationToken cancel)
    {
        var tiles = new Dictionary<(int, long), byte[]>();
        await using var command = new NpgsqlCommand("SELECT level, n, hashes FROM ledger.tile WHERE tenant_id = $1", connection) { Parameters = { new() { Value = tenant } } };
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel)) tiles.Add((reader.GetInt16(0), reader.GetInt64(1)), reader.GetFieldValue<byte[]>(2));
        return tiles;
    }

    private static int? Difference(byte[] stored, byte[] built)
    {
        var same = stored.AsSpan().CommonPrefixLength(built);
        return same == stored.Length && same == built.Length ? null : same / Hash256.Size;
    }

    private static long FirstOf(int level, long n, int hash) => ((n * Tiles.Width) + hash) << (Tiles.Height * level);
}
