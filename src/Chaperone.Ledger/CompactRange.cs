using System.Numerics;

namespace Chaperone.Ledger;

/// <summary>The right edge of a growing tree: the roots of its complete subtrees, at most 63 hashes. Appends leaves and knows the root of every size it passes.</summary>
/// <remarks>Not thread-safe. Start anew, or from the hashes of an earlier one.</remarks>
public sealed class CompactRange
{
    private readonly List<Hash256> peaks = [];

    /// <summary>The empty tree.</summary>
    public CompactRange() { }

    /// <summary>A tree of that size, by the roots of its complete subtrees, largest first: as many as the size has one bits.</summary>
    /// <exception cref="ArgumentException">Another number of hashes.</exception>
    public CompactRange(long size, IEnumerable<Hash256> hashes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        peaks.AddRange(hashes);
        if (peaks.Count != BitOperations.PopCount((ulong)size)) throw new ArgumentException("A hash for every one bit of the size.", nameof(hashes));
        Size = size;
    }

    /// <summary>Leaves so far.</summary>
    public long Size { get; private set; }

    /// <summary>Roots of the complete subtrees, largest first.</summary>
    public IReadOnlyList<Hash256> Hashes => peaks;

    /// <summary>Root of the tree of the present size.</summary>
    public Hash256 Root
    {
        get
        {
            if (peaks.Count == 0) return Merkle.EmptyRoot;
            var root = peaks[^1];
            for (var i = peaks.Count - 2; i >= 0; i--) root = Merkle.NodeHash(peaks[i], root);
            return root;
        }
    }

    /// <summary>Appends one leaf by its hash (<see cref="Merkle.LeafHash"/>).</summary>
    public void Append(Hash256 leaf)
    {
        for (var bits = Size; (bits & 1) == 1; bits >>= 1)
        {
            leaf = Merkle.NodeHash(peaks[^1], leaf);
            peaks.RemoveAt(peaks.Count - 1);
        }
        peaks.Add(leaf);
        Size++;
    }
}
