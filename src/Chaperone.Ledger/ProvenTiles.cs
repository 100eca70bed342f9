namespace Chaperone.Ledger;

/// <summary>Reads tiles and believes none before it is shown to lead to the signed root: the last tiles of all levels by the root itself, every full tile by its place in the one above.
/// One thread at a time.</summary>
internal sealed class ProvenTiles
{
    private readonly Checkpoint head;
    private readonly LogSource source;
    private readonly VerificationReport report;
    private readonly byte[]?[] edge = new byte[]?[Tiles.HighestLevel + 1];
    private readonly (long Index, byte[]? Hashes)[] last = new (long, byte[]?)[Tiles.HighestLevel + 1];

    public ProvenTiles(Checkpoint head, LogSource source, VerificationReport report)
    {
        this.head = head;
        this.source = source;
        this.report = report;
        Array.Fill(last, (-1, null));
        ReadEdge();
    }

    /// <summary>The tile's hashes as the signed root holds them, or null when that cannot be shown (a problem has been reported).</summary>
    public byte[]? Get(int level, long index)
    {
        if (index == head.Size >> (Tiles.Height * (level + 1))) return edge[level];
        if (last[level].Index == index) return last[level].Hashes;
        byte[]? hashes = null;
        var above = Parent(level, index);
        if (above is { } expected)
        {
            hashes = ReadTile(source, level, index, Tiles.Width, report);
            var covers = index << (Tiles.Height * (level + 1));
            if (hashes is null) report.AddProblem(covers, $"{new TileAddress(level, index, Tiles.Width)} is missing or has a wrong length.");
            else if (Tiles.Root(hashes) != expected)
            {
                report.AddProblem(covers, $"{new TileAddress(level, index, Tiles.Width)} is not the tile that the signed root holds.");
                hashes = null;
            }
        }
        last[level] = (index, hashes);
        return hashes;
    }

    /// <summary>The hash that the level above holds for a full tile, or null when it cannot be shown.</summary>
    public Hash256? Parent(int level, long index) =>
        Get(level + 1, index / Tiles.Width) is { } parent ? new Hash256(parent.AsSpan((int)(index % Tiles.Width) * Hash256.Size, Hash256.Size)) : null;

    /// <summary>Reads the file of a tile, or the first hashes of the full tile that has replaced it. Null when missing or of a wrong length.
    /// Narrower tiles left from earlier must be a prefix of it.</summary>
    public static byte[]? ReadTile(LogSource source, int level, long index, int width, VerificationReport report)
    {
        var length = width * Hash256.Size;
        var bytes = source.Read(new TileAddress(level, index, width).Path);
        if (bytes is null && width < Tiles.Width)
            bytes = source.Read(new TileAddress(level, index, Tiles.Width).Path) is { Length: Tiles.Width * Hash256.Size } full ? full[..length] : null;
        if (bytes is null || bytes.Length != length) return null;
        foreach (var narrower in source.PartialWidths(level, index))
        {
            if (narrower >= width) continue;
            var address = new TileAddress(level, index, narrower);
            if (source.Read(address.Path) is { } part && !bytes.AsSpan(0, narrower * Hash256.Size).SequenceEqual(part))
                report.AddProblem(index << (Tiles.Height * (level + 1)), $"{address}, left from when the log was smaller, differs from the tile that replaced it.");
        }
        return bytes;
    }

    /// <summary>Leaf hashes of a bundle's first entries; null when it is missing or malformed.</summary>
    public static byte[]? LeavesOf(ReadOnlySpan<byte> bundle, Span<Range> entries)
    {
        if (!Tiles.TrySplitEntries(bundle, entries)) return null;
        var leaves = new byte[entries.Length * Hash256.Size];
        if (entries.IsEmpty) return leaves;
        var pitch = bundle[entries[0]].Length + 2;
        var alike = true;
        for (var i = 0; i < entries.Length && alike; i++) alike = entries[i].Equals(((i * pitch) + 2)..((i + 1) * pitch));
        if (alike) Merkle.LeafHashes(bundle[2..], pitch - 2, pitch, leaves);
        else for (var i = 0; i < entries.Length; i++) Merkle.LeafHash(bundle[entries[i]]).CopyTo(leaves.AsSpan(i * Hash256.Size));
        return leaves;
    }

    private void ReadEdge()
    {
        var missing = new List<string>();
        var names = new List<string>();
        for (var level = 0; level <= Tiles.HighestLevel; level++)
        {
            var hashes = head.Size >> (Tiles.Height * level);
            if (hashes % Tiles.Width == 0) continue;
            var address = new TileAddress(level, hashes / Tiles.Width, (int)(hashes % Tiles.Width));
            names.Add(address.Path);
            edge[level] = ReadTile(source, level, address.Index, address.Width, report);
            if (edge[level] is null) missing.Add(address.Path);
        }
        if (missing.Count == 0 && EdgeRoot() == head.Root) return;
        // The level 0 tile can be made again from its entries: that tells a damaged tile from a damaged log.
        if (head.Size % Tiles.Width != 0 && missing.TrueForAll(path => path == names[0]) && MendLowest(names[0], edge[0])) return;
        foreach (var path in missing) report.AddProblem(null, $"{path} is missing or has a wrong length.");
        if (missing.Count == 0) report.AddProblem(null, $"The last tiles ({string.Join(", ", names)}) do not lead to the root of the signed checkpoint.");
        Array.Clear(edge);
    }

    private bool MendLowest(string name, byte[]? stored)
    {
        var width = (int)(head.Size % Tiles.Width);
        var bundle = source.Read(new TileAddress(Tiles.EntriesLevel, head.Size / Tiles.Width, width).Path);
        if (bundle is null || LeavesOf(bundle, new Range[width]) is not { } leaves) return false;
        edge[0] = leaves;
        if (EdgeRoot() != head.Root) { edge[0] = stored; return false; }
        if (stored is null) { report.AddProblem(head.Size - width, $"{name} is missing or has a wrong length."); return true; }
        var differs = leaves.AsSpan().CommonPrefixLength(stored) / Hash256.Size;
        report.AddProblem(head.Size - width + differs, $"{name} was changed: its hash number {differs} is not the leaf of that entry.");
        return true;
    }

    private Hash256 EdgeRoot() => new TileNodes(head.Size, (level, _, _) => edge[level]).Root();
}
