using System.Buffers.Binary;
using System.Globalization;

namespace Chaperone.Ledger;

/// <summary>Where a tile stands: level (or <see cref="Tiles.EntriesLevel"/> for an entry bundle), index, and how many hashes or entries it holds, 1 to 256.</summary>
public readonly record struct TileAddress(int Level, long Index, int Width)
{
    /// <summary>The path of C2SP tlog-tiles, such as <c>tile/1/x001/x234/067.p/12</c>.</summary>
    public string Path
    {
        get
        {
            var path = (Index % 1000).ToString("D3", CultureInfo.InvariantCulture);
            for (var rest = Index / 1000; rest > 0; rest /= 1000) path = string.Create(CultureInfo.InvariantCulture, $"x{rest % 1000:D3}/{path}");
            var level = Level == Tiles.EntriesLevel ? "entries" : Level.ToString(CultureInfo.InvariantCulture);
            return Width == Tiles.Width ? $"tile/{level}/{path}" : string.Create(CultureInfo.InvariantCulture, $"tile/{level}/{path}.p/{Width}");
        }
    }

    /// <summary>Reads a path; false for every other spelling than <see cref="Path"/>'s own.</summary>
    public static bool TryParse(string path, out TileAddress address)
    {
        address = default;
        if (path.Length > 100 || !path.StartsWith("tile/", StringComparison.Ordinal)) return false;
        var width = Tiles.Width;
        var rest = path.AsSpan(5);
        if (rest.IndexOf(".p/") is >= 0 and var dot)
        {
            if (!int.TryParse(rest[(dot + 3)..], NumberStyles.None, CultureInfo.InvariantCulture, out width) || width is < 1 or >= Tiles.Width) return false;
            rest = rest[..dot];
        }
        var slash = rest.IndexOf('/');
        if (slash < 0) return false;
        var level = Tiles.EntriesLevel;
        if (!rest[..slash].SequenceEqual("entries")
            && (!int.TryParse(rest[..slash], NumberStyles.None, CultureInfo.InvariantCulture, out level) || level > Tiles.HighestLevel)) return false;
        long index = 0;
        foreach (var range in rest[(slash + 1)..].Split('/'))
        {
            var group = rest[(slash + 1)..][range];
            if (group.StartsWith("x")) group = group[1..];
            if (group.Length != 3 || !int.TryParse(group, NumberStyles.None, CultureInfo.InvariantCulture, out var three)) return false;
            if (index > (long.MaxValue / 1000) - 1) return false;
            index = (index * 1000) + three;
        }
        address = new(level, index, width);
        return address.Path == path;
    }

    /// <summary>The path.</summary>
    public override string ToString() => Path;
}

/// <summary>A tile of hashes: <c>Width × 32</c> bytes. A full one never changes again; a partial one is a prefix of the later ones at its place.</summary>
public sealed record Tile(int Level, long Index, byte[] Hashes)
{
    /// <summary>How many hashes it holds, 1 to 256.</summary>
    public int Width => Hashes.Length / Hash256.Size;

    /// <summary>Where it stands.</summary>
    public TileAddress Address => new(Level, Index, Width);
}

/// <summary>Reads the bytes of a tile of hashes: at least <c>width × 32</c> bytes (a wider tile at the place will do), or null when there is none.</summary>
public delegate byte[]? TileReader(int level, long index, int width);

/// <summary>Sizes and contents of tiles and entry bundles (C2SP tlog-tiles, height 8).</summary>
public static class Tiles
{
    /// <summary>Hashes in a full tile, entries in a full bundle.</summary>
    public const int Width = 256;

    /// <summary>Levels of the tree that one level of tiles covers.</summary>
    public const int Height = 8;

    /// <summary>The highest level of tiles that a tree of fewer than 2^63 entries has.</summary>
    public const int HighestLevel = 7;

    /// <summary>The level that stands for entry bundles in a <see cref="TileAddress"/>.</summary>
    public const int EntriesLevel = -1;

    /// <summary>How many hashes (for level -1, entries) the tile at that place holds in a tree of that size: 0 to 256.</summary>
    public static int WidthAt(int level, long index, long size)
    {
        if (level > HighestLevel) return 0;
        var hashes = size >> (Height * Math.Max(level, 0));
        return index > hashes / Width ? 0 : (int)Math.Min(Width, hashes - (index * Width));
    }

    /// <summary>How many tiles (the last one possibly partial) the level has in a tree of that size.</summary>
    public static long CountAt(int level, long size)
    {
        var hashes = level > HighestLevel ? 0 : size >> (Height * Math.Max(level, 0));
        return (hashes / Width) + (hashes % Width == 0 ? 0 : 1);
    }

    /// <summary>Root over the hashes of a tile: for a full tile, the hash that stands for it one level up.</summary>
    public static Hash256 Root(ReadOnlySpan<byte> hashes)
    {
        var count = hashes.Length / Hash256.Size;
        if (count == 0 || hashes.Length % Hash256.Size != 0) throw new ArgumentException("A tile holds whole hashes.", nameof(hashes));
        if (count == 1) return new(hashes);
        var left = 1 << System.Numerics.BitOperations.Log2((uint)(count - 1));
        if (count != 2 * left) return Merkle.NodeHash(Root(hashes[..(left * Hash256.Size)]), Root(hashes[(left * Hash256.Size)..]));
        return count > Width ? Merkle.NodeHash(Root(hashes[..(left * Hash256.Size)]), Root(hashes[(left * Hash256.Size)..])) : PerfectRoot(hashes);
    }

    /// <summary>An entry bundle: each entry with its length in two bytes before it, big endian.</summary>
    /// <exception cref="ArgumentException">An entry is longer than 65,535 bytes.</exception>
    public static byte[] EncodeEntries(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        var bundle = new byte[entries.Sum(entry => 2 + entry.Length)];
        var at = 0;
        foreach (var entry in entries)
        {
            if (entry.Length > ushort.MaxValue) throw new ArgumentException("An entry has at most 65,535 bytes.", nameof(entries));
            BinaryPrimitives.WriteUInt16BigEndian(bundle.AsSpan(at), (ushort)entry.Length);
            entry.Span.CopyTo(bundle.AsSpan(at + 2));
            at += 2 + entry.Length;
        }
        return bundle;
    }

    /// <summary>Finds the entries of a bundle. False when it does not hold exactly as many as there are places in <paramref name="entries"/>.</summary>
    public static bool TrySplitEntries(ReadOnlySpan<byte> bundle, Span<Range> entries) => TrySplitFirstEntries(bundle, entries, out var read) && read == bundle.Length;

    internal static bool TrySplitFirstEntries(ReadOnlySpan<byte> bundle, Span<Range> entries, out int read)
    {
        read = 0;
        for (var i = 0; i < entries.Length; i++)
        {
            if (bundle.Length - read < 2) return false;
            var start = read + 2;
            var end = start + BinaryPrimitives.ReadUInt16BigEndian(bundle[read..]);
            if (end > bundle.Length) return false;
            entries[i] = start..end;
            read = end;
        }
        return true;
    }

    // A power of two of hashes, at most 256, level by level in one buffer.
    private static Hash256 PerfectRoot(scoped ReadOnlySpan<byte> hashes)
    {
        Span<byte> row = stackalloc byte[Width / 2 * Hash256.Size];
        for (var count = hashes.Length / Hash256.Size / 2; count >= 1; count /= 2)
        {
            Sha256.HashEach([1], hashes, 2 * Hash256.Size, 2 * Hash256.Size, row[..(count * Hash256.Size)]);
            hashes = row;
        }
        return new(row[..Hash256.Size]);
    }
}
