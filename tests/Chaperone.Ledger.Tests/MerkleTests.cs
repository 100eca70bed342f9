using FsCheck;
using FsCheck.Fluent;

namespace Chaperone.Ledger.Tests;

public class MerkleTests
{
    // The vectors of Certificate Transparency's reference implementation.
    private static readonly string[] Entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    private static readonly string[] Roots =
    [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    private static readonly Hash256[] Published = [.. Entries.Select(entry => Merkle.LeafHash(Convert.FromHexString(entry)))];

    [Fact]
    public void Published_roots_hold_by_every_way()
    {
        Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Merkle.EmptyRoot.ToString());
        var range = new CompactRange();
        Assert.Equal(Merkle.EmptyRoot, range.Root);
        for (var size = 1; size <= 8; size++)
        {
            range.Append(Published[size - 1]);
            Assert.Equal(Roots[size - 1], range.Root.ToString());
            Assert.Equal(Roots[size - 1], Merkle.Root(size, Naive.Nodes(Published)).ToString());
            Assert.Equal(Roots[size - 1], Naive.Root(Published.AsSpan(0, size)).ToString());
        }
    }

    [Theory]
    [InlineData(0, 8, "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e 6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4")]
    [InlineData(5, 8, "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0 d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")]
    [InlineData(2, 3, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125")]
    [InlineData(1, 5, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b")]
    public void Published_inclusion_proofs_hold(int index, int size, string hashes)
    {
        var proof = Merkle.InclusionProof(index, size, Naive.Nodes(Published));
        Assert.Equal(hashes, string.Join(' ', proof));
        Assert.True(Merkle.VerifyInclusion(Published[index], index, size, proof, Naive.Root(Published.AsSpan(0, size))));
    }

    [Theory]
    [InlineData(1, 8, "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e 6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4")]
    [InlineData(6, 8, "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0 d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")]
    [InlineData(2, 5, "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b")]
    public void Published_consistency_proofs_hold(int before, int size, string hashes)
    {
        var proof = Merkle.ConsistencyProof(before, size, Naive.Nodes(Published));
        Assert.Equal(hashes, string.Join(' ', proof));
        Assert.True(Merkle.VerifyConsistency(before, Naive.Root(Published.AsSpan(0, before)), size, Naive.Root(Published.AsSpan(0, size)), proof));
    }

    [Fact]
    public void Every_index_of_every_small_size_is_proved_and_nothing_else_is()
    {
        var leaves = Naive.Leaves(40);
        for (var size = 1; size <= 40; size++)
        {
            var root = Naive.Root(leaves.AsSpan(0, size));
            for (var index = 0; index < size; index++)
            {
                var proof = Merkle.InclusionProof(index, size, Naive.Nodes(leaves));
                Assert.True(Merkle.VerifyInclusion(leaves[index], index, size, proof, root));
                for (var other = -1; other <= size; other++)
                    if (other != index) Assert.False(Merkle.VerifyInclusion(leaves[index], other, size, proof, root));
                Assert.False(Merkle.VerifyInclusion(leaves[(index + 1) % leaves.Length], index, size, proof, root));
                Assert.False(Merkle.VerifyInclusion(leaves[index], index, size, [.. proof, root], root));
                if (proof.Length > 0) Assert.False(Merkle.VerifyInclusion(leaves[index], index, size, proof.AsSpan(1), root));
            }
            for (var before = 0; before <= size; before++)
            {
                var old = Naive.Root(leaves.AsSpan(0, before));
                var proof = Merkle.ConsistencyProof(before, size, Naive.Nodes(leaves));
                Assert.True(Merkle.VerifyConsistency(before, old, size, root, proof));
                Assert.False(Merkle.VerifyConsistency(before, Hash256.Of(old.ToArray()), size, root, proof));
                Assert.False(Merkle.VerifyConsistency(before, old, size, Hash256.Of(root.ToArray()), proof) && before > 0);
                Assert.False(Merkle.VerifyConsistency(before, old, size, root, [.. proof, root]));
                if (proof.Length > 0) Assert.False(Merkle.VerifyConsistency(before, old, size, root, proof.AsSpan(0, proof.Length - 1)));
                if (before < size && before > 0) Assert.False(Merkle.VerifyConsistency(size, root, before, old, proof));
            }
        }
    }

    [Fact]
    public void Any_index_in_any_size_is_proved_from_tiles()
    {
        var log = TestLog.OfSize(70_000);
        var leaves = log.Leaves.ToArray();
        var sizes = Gen.Choose(1, leaves.Length);
        Prop.ForAll(sizes.Two().ToArbitrary(), pair =>
        {
            var (size, other) = (Math.Max(pair.Item1, pair.Item2), Math.Min(pair.Item1, pair.Item2));
            var nodes = new TileNodes(size, log.ReadTile);
            var root = nodes.Root();
            var index = other - 1;
            var proof = nodes.InclusionProof(index);
            var range = new CompactRange();
            foreach (var leaf in leaves.AsSpan(0, size)) range.Append(leaf);
            return range.Root == root && range.Size == size && new CompactRange(size, range.Hashes).Root == root
                && Merkle.VerifyInclusion(leaves[index], index, size, proof, root)
                && !Merkle.VerifyInclusion(leaves[(index + 1) % leaves.Length], index, size, proof, root)
                && Merkle.VerifyConsistency(other, new TileNodes(other, log.ReadTile).Root(), size, root, nodes.ConsistencyProof(other));
        }).QuickCheckThrowOnFailure();
        Assert.Equal(Naive.Root(leaves), log.Root);
    }

    [Theory, InlineData(-1), InlineData(5)]
    public void Proof_outside_the_tree_throws(int index) => Assert.Throws<ArgumentOutOfRangeException>(() => Merkle.InclusionProof(index, 5, Naive.Nodes(Naive.Leaves(5))));

    [Fact]
    public void Compact_range_wants_a_hash_for_every_one_bit() => Assert.Throws<ArgumentException>(() => new CompactRange(5, Naive.Leaves(3)));
}
