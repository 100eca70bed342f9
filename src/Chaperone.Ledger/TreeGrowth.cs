namespace Chaperone.Ledger;

/// <summary>A tree after growing.</summary>
/// <param name="Size">The new size.</param>
/// <param name="Root">Its root.</param>
/// <param name="Tiles">Every tile that is new or wider than before, levels and indexes ascending, level 0 included. Where a partial tile stood, the wider one replaces it.</param>
public sealed record GrownTree(long Size, Hash256 Root, IReadOnlyList<Tile> Tiles);

/// <summary>Appends leaves to a tree kept as tiles. The one place that does so, for the database and for files.</summary>
public static class TreeGrowth
{
    /// <summary>Works out the tiles and the root after appending. Stores nothing.</summary>
    /// <param name="oldSize">Size before.</param>
    /// <param name="oldRoot">Root before: the tiles read must lead to it, so that a damaged tile is never built upon.</param>
    /// <param name="tiles">Reads the partial tiles of the old tree's right edge, level 0 included; at most one a level.</param>
    /// <param name="leaves">Leaf hashes of the new entries in order.</param>
    /// <exception cref="InvalidDataException">A tile is missing, or the tiles do not lead to the old root.</exception>
    public static GrownTree Grow(long oldSize, Hash256 oldRoot, TileReader tiles, IReadOnlyList<Hash256> leaves)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(oldSize);
        var old = new TileNodes(oldSize, tiles);
        if (old.Root() != oldRoot) throw new InvalidDataException("The stored tiles do not lead to the root of the tree before: nothing may be appended.");
        var size = checked(oldSize + leaves.Count);
        var grown = new List<Tile>();
        var edge = new Dictionary<(int, long), byte[]>();
        var next = leaves;
        for (var level = 0; level <= Tiles.HighestLevel && next.Count > 0; level++)
        {
            var before = oldSize >> (Tiles.Height * level);
            var index = before / Tiles.Width;
            var filled = (int)(before % Tiles.Width);
            var row = new byte[Tiles.Width * Hash256.Size];
            if (filled > 0) old.ReadTile(level, index).CopyTo(row, 0);
            var above = new List<Hash256>();
            foreach (var hash in next)
            {
                hash.CopyTo(row.AsSpan(filled++ * Hash256.Size));
                if (filled < Tiles.Width) continue;
                Add(level, index++, row);
                above.Add(Tiles.Root(row));
                row = new byte[Tiles.Width * Hash256.Size];
                filled = 0;
            }
            if (filled > 0) Add(level, index, row[..(filled * Hash256.Size)]);
            next = above;
        }
        var now = new TileNodes(size, (level, index, width) => edge.GetValueOrDefault((level, index)) ?? old.ReadTile(level, index));
        return new(size, now.Root(), grown);

        void Add(int level, long index, byte[] hashes)
        {
            grown.Add(new(level, index, hashes));
            edge[(level, index)] = hashes;
        }
    }
}
