namespace Chaperone.Ledger;

/// <summary>Reads nodes of a tree of a given size out of its tiles, for roots and proofs. Keeps the tiles it read: make one for each proof or batch, not for ever.</summary>
/// <remarks>It believes the tiles. A proof built on wrong tiles does not verify, and <see cref="Root"/> compared with a signed root tells.</remarks>
public sealed class TileNodes(long size, TileReader tiles)
{
    private readonly Dictionary<(int Level, long Index), byte[]> read = [];

    /// <summary>Root of the tree, from the last tile of each level.</summary>
    public Hash256 Root() => Merkle.Root(size, Node);

    /// <summary>See <see cref="Merkle.InclusionProof"/>.</summary>
    public Hash256[] InclusionProof(long index) => Merkle.InclusionProof(index, size, Node);

    /// <summary>See <see cref="Merkle.ConsistencyProof"/>; from the old size to this tree's.</summary>
    public Hash256[] ConsistencyProof(long oldSize) => Merkle.ConsistencyProof(oldSize, size, Node);

    /// <summary>A <see cref="NodeReader"/>.</summary>
    /// <exception cref="InvalidDataException">A tile is missing or too short.</exception>
    public Hash256 Node(int level, long index)
    {
        var tileLevel = level / Tiles.Height;
        var below = level % Tiles.Height;
        // The top of a full tile stands one level of tiles higher, except that level 63 and above do not exist.
        var first = index << below;
        var tile = ReadTile(tileLevel, first / Tiles.Width);
        return Tiles.Root(tile.AsSpan((int)(first % Tiles.Width) * Hash256.Size, Hash256.Size << below));
    }

    /// <summary>Reads ahead the tiles that the proofs of one entry need (<see cref="NeededFor"/>), for readers that are asynchronous.</summary>
    /// <param name="index">The entry.</param>
    /// <param name="size">Size of the tree.</param>
    /// <param name="tile">Reads a tile of hashes: level, index, width.</param>
    /// <param name="cancel">Cancels.</param>
    public static async Task<TileNodes> ReadAsync(long index, long size, Func<int, long, int, CancellationToken, ValueTask<byte[]>> tile, CancellationToken cancel)
    {
        var nodes = new TileNodes(size, (_, _, _) => null);
        foreach (var needed in NeededFor(index, size)) nodes.read[(needed.Level, needed.Index)] = await tile(needed.Level, needed.Index, needed.Width, cancel);
        return nodes;
    }

    /// <summary>The tiles that the proof of one entry needs: those above it, and the last of each level. With the last entry of an older tree they are also those of the proof of consistency
    /// from that tree, and of its root.</summary>
    public static IEnumerable<TileAddress> NeededFor(long index, long size)
    {
        for (var level = 0; level <= Tiles.HighestLevel; level++)
        {
            var (above, last) = (index >> (Tiles.Height * (level + 1)), Tiles.CountAt(level, size) - 1);
            if (above >= 0 && above < last) yield return new(level, above, Tiles.Width);
            if (last >= 0) yield return new(level, last, Tiles.WidthAt(level, last, size));
        }
    }

    internal byte[] ReadTile(int level, long index)
    {
        if (read.TryGetValue((level, index), out var known)) return known;
        var width = Tiles.WidthAt(level, index, size);
        var bytes = tiles(level, index, width);
        if (width == 0 || bytes is null || bytes.Length < width * Hash256.Size || bytes.Length > Tiles.Width * Hash256.Size)
            throw new InvalidDataException($"{new TileAddress(level, index, width)} is missing or has a wrong length.");
        read[(level, index)] = bytes = bytes.Length == width * Hash256.Size ? bytes : bytes[..(width * Hash256.Size)];
        return bytes;
    }
}
