using System.Numerics;

namespace Chaperone.Ledger;

/// <summary>Gives the root of the complete subtree over leaves <c>[index &lt;&lt; level, (index + 1) &lt;&lt; level)</c>; level 0 is the leaf itself.</summary>
/// <remarks>Only asked for subtrees that lie wholly in the tree. Throws <see cref="InvalidDataException"/> when it cannot.</remarks>
public delegate Hash256 NodeReader(int level, long index);

/// <summary>The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1), with SHA-256: hashes, proofs and their verification. Sizes and indexes are from 0 to 2^63 - 1.</summary>
public static class Merkle
{
    /// <summary>Root of the tree without entries: SHA-256 of nothing.</summary>
    public static Hash256 EmptyRoot { get; } = Hash256.Of([]);

    /// <summary>SHA-256(0x00 || entry).</summary>
    public static Hash256 LeafHash(ReadOnlySpan<byte> entry)
    {
        Span<byte> hash = stackalloc byte[Hash256.Size];
        Sha256.Hash([0], entry, [], hash);
        return new(hash);
    }

    /// <summary>The leaf hashes of many entries of one length.</summary>
    /// <param name="entries">Entry i begins at <c>i × pitch</c>.</param>
    /// <param name="length">Bytes in an entry.</param>
    /// <param name="pitch">From one entry's beginning to the next's.</param>
    /// <param name="leaves">32 bytes each; as many as there is room for.</param>
    public static void LeafHashes(ReadOnlySpan<byte> entries, int length, int pitch, Span<byte> leaves) => Sha256.HashEach([0], entries, length, pitch, leaves);

    /// <summary>SHA-256(0x01 || left || right).</summary>
    public static Hash256 NodeHash(Hash256 left, Hash256 right)
    {
        Span<byte> message = stackalloc byte[1 + (2 * Hash256.Size)];
        message[0] = 1;
        left.CopyTo(message[1..]);
        right.CopyTo(message[(1 + Hash256.Size)..]);
        Sha256.Hash(message, message);
        return new(message[..Hash256.Size]);
    }

    /// <summary>Root of the tree of that size.</summary>
    public static Hash256 Root(long size, NodeReader nodes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        return size == 0 ? EmptyRoot : RangeRoot(0, size, nodes);
    }

    /// <summary>The hashes, leaf side first, that lead from the leaf at <paramref name="index"/> to the root of the tree of that size (RFC 6962 section 2.1.1).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is not in the tree.</exception>
    public static Hash256[] InclusionProof(long index, long size, NodeReader nodes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var proof = new List<Hash256>();
        long low = 0, high = size;
        while (high - low > 1)
        {
            var middle = low + Split(high - low);
            if (index < middle) { proof.Add(RangeRoot(middle, high, nodes)); high = middle; }
            else { proof.Add(RangeRoot(low, middle, nodes)); low = middle; }
        }
        proof.Reverse();
        return [.. proof];
    }

    /// <summary>Whether the proof shows that the leaf stands at the index in the tree of that size and root (RFC 9162 section 2.1.3.2). Never throws.</summary>
    public static bool VerifyInclusion(Hash256 leaf, long index, long size, ReadOnlySpan<Hash256> proof, Hash256 root)
    {
        if (index < 0 || index >= size) return false;
        long node = index, last = size - 1;
        var hash = leaf;
        foreach (var sibling in proof)
        {
            if (last == 0) return false;
            if ((node & 1) == 1 || node == last)
            {
                hash = NodeHash(sibling, hash);
                while ((node & 1) == 0 && node != 0) { node >>= 1; last >>= 1; }
            }
            else
            {
                hash = NodeHash(hash, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 && hash == root;
    }

    /// <summary>The hashes that show the tree of the old size to be a prefix of the tree of the new size (RFC 6962 section 2.1.2). Empty when either is trivial.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The old size is negative or larger than the new.</exception>
    public static Hash256[] ConsistencyProof(long oldSize, long newSize, NodeReader nodes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(oldSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(oldSize, newSize);
        if (oldSize == 0 || oldSize == newSize) return [];
        var proof = new List<Hash256>();
        long low = 0, high = newSize, old = oldSize;
        while (old != high)
        {
            var middle = low + Split(high - low);
            if (old <= middle) { proof.Add(RangeRoot(middle, high, nodes)); high = middle; }
            else { proof.Add(RangeRoot(low, middle, nodes)); low = middle; }
        }
        if (low != 0) proof.Add(RangeRoot(low, high, nodes));
        proof.Reverse();
        return [.. proof];
    }

    /// <summary>Whether the proof shows the tree (old size, old root) to be a prefix of the tree (new size, new root) (RFC 9162 section 2.1.4.2).
    /// The empty tree is a prefix of every tree. Never throws.</summary>
    public static bool VerifyConsistency(long oldSize, Hash256 oldRoot, long newSize, Hash256 newRoot, ReadOnlySpan<Hash256> proof)
    {
        if (oldSize < 0 || oldSize > newSize) return false;
        if (oldSize == newSize) return proof.IsEmpty && oldRoot == newRoot;
        if (oldSize == 0) return proof.IsEmpty && oldRoot == EmptyRoot;
        var node = oldSize - 1;
        var last = newSize - 1;
        while ((node & 1) == 1) { node >>= 1; last >>= 1; }
        Hash256 start;
        if (BitOperations.IsPow2(oldSize)) start = oldRoot;
        else if (proof.IsEmpty) return false;
        else { start = proof[0]; proof = proof[1..]; }
        var older = start;
        var newer = start;
        foreach (var sibling in proof)
        {
            if (last == 0) return false;
            if ((node & 1) == 1 || node == last)
            {
                older = NodeHash(sibling, older);
                newer = NodeHash(sibling, newer);
                while ((node & 1) == 0 && node != 0) { node >>= 1; last >>= 1; }
            }
            else
            {
                newer = NodeHash(newer, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 && older == oldRoot && newer == newRoot;
    }

    // The range must be one that a tree has: its start a multiple of the largest power of two not above its length.
    private static Hash256 RangeRoot(long low, long high, NodeReader nodes)
    {
        var length = high - low;
        if (BitOperations.IsPow2(length))
        {
            var level = BitOperations.Log2((ulong)length);
            return nodes(level, low >> level);
        }
        var middle = low + Split(length);
        return NodeHash(RangeRoot(low, middle, nodes), RangeRoot(middle, high, nodes));
    }

    /// <summary>The largest power of two below the length, which is at least 2.</summary>
    private static long Split(long length) => 1L << BitOperations.Log2((ulong)(length - 1));
}
