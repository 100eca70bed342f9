using FsCheck;
using FsCheck.Fluent;

namespace Chaperone.Ledger.Tests;

public class TilesTests
{
    [Theory]
    [InlineData(0, 0, 256, "tile/0/000")]
    [InlineData(1, 1234067, 256, "tile/1/x001/x234/067")]   // C2SP tlog-tiles' own example
    [InlineData(0, 1234067, 8, "tile/0/x001/x234/067.p/8")]
    [InlineData(3, 1000, 1, "tile/3/x001/000.p/1")]
    [InlineData(-1, 999, 255, "tile/entries/999.p/255")]
    [InlineData(-1, 1000000, 256, "tile/entries/x001/x000/000")]
    public void Paths_are_those_of_the_specification(int level, long index, int width, string path)
    {
        Assert.Equal(path, new TileAddress(level, index, width).Path);
        Assert.True(TileAddress.TryParse(path, out var address));
        Assert.Equal(new(level, index, width), address);
    }

    [Theory]
    [InlineData(""), InlineData("tile"), InlineData("tile/0"), InlineData("tile/0/"), InlineData("tile/0/1"), InlineData("tile/0/0000"), InlineData("tile/0/x000/000"), InlineData("tile/00/000")]
    [InlineData("tile/0/001/002"), InlineData("tile/0/x001/x002"), InlineData("tile/0/000.p/0"), InlineData("tile/0/000.p/256"), InlineData("tile/0/000.p/01"), InlineData("tile/0/000.p/"), InlineData("tile/0/-01")]
    [InlineData("tile/8/000"), InlineData("tile/-1/000"), InlineData("tile/entry/000"), InlineData("/tile/0/000"), InlineData("tile/0/../000"), InlineData("tile/0/x999/x999/x999/x999/x999/x999/999"), InlineData("tile/0/000.p/1/2")]
    public void Other_spellings_are_refused(string path) => Assert.False(TileAddress.TryParse(path, out _));

    [Fact]
    public void Any_address_goes_there_and_back() => Prop.ForAll(
        Gen.Choose(-1, 7).SelectMany(level => Gen.Choose(0, int.MaxValue).SelectMany(index => Gen.Choose(1, 256).Select(width => new TileAddress(level, (long)index << (level + 1), width)))).ToArbitrary(),
        address => TileAddress.TryParse(address.Path, out var read) && read == address).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0, 0, 0, 0), InlineData(0, 0, 1, 1), InlineData(0, 0, 256, 256), InlineData(0, 1, 256, 0), InlineData(0, 1, 300, 44), InlineData(1, 0, 300, 1), InlineData(1, 0, 255, 0)]
    [InlineData(1, 1, 70000, 17), InlineData(2, 0, 70000, 1), InlineData(-1, 273, 70000, 112), InlineData(7, 0, long.MaxValue, 127), InlineData(8, 0, long.MaxValue, 0)]
    public void Widths_follow_from_the_size(int level, long index, long size, int width) => Assert.Equal(width, Tiles.WidthAt(level, index, size));

    [Fact]
    public void Entry_bundles_go_there_and_back_and_nothing_else_is_one()
    {
        byte[][] entries = [[], [1], new byte[65535]];
        var bundle = Tiles.EncodeEntries([.. entries.Select(entry => (ReadOnlyMemory<byte>)entry)]);
        Assert.Equal([0, 0, 0, 1, 1, 0xFF, 0xFF], bundle[..7]);
        var ranges = new Range[3];
        Assert.True(Tiles.TrySplitEntries(bundle, ranges));
        Assert.Equal(entries, ranges.Select(range => bundle[range]));
        Assert.False(Tiles.TrySplitEntries(bundle, new Range[2]));
        Assert.False(Tiles.TrySplitEntries(bundle, new Range[4]));
        Assert.False(Tiles.TrySplitEntries(bundle.AsSpan(1), new Range[3]));
        Assert.False(Tiles.TrySplitEntries(bundle.AsSpan(0, bundle.Length - 1), new Range[3]));
        Assert.Throws<ArgumentException>(() => Tiles.EncodeEntries([new byte[65536]]));
    }

    [Fact]
    public void Growth_in_any_batches_gives_the_same_tiles_and_root()
    {
        var leaves = Naive.Leaves(1500);
        Prop.ForAll(Gen.Choose(0, 700).ListOf(3).ToArbitrary(), batches =>
        {
            var tiles = new Dictionary<(int, long), byte[]>();
            var (size, root) = (0L, Merkle.EmptyRoot);
            foreach (var batch in batches.Append(0))
            {
                var grown = TreeGrowth.Grow(size, root, (level, index, width) => tiles[(level, index)], leaves[(int)size..(int)Math.Min(size + batch, leaves.Length)]);
                foreach (var tile in grown.Tiles) tiles[(tile.Level, tile.Index)] = tile.Hashes;
                (size, root) = (grown.Size, grown.Root);
            }
            var once = TreeGrowth.Grow(0, Merkle.EmptyRoot, (_, _, _) => null, leaves[..(int)size]);
            return root == Naive.Root(leaves.AsSpan(0, (int)size)) && once.Root == root && once.Tiles.Count == tiles.Count
                && once.Tiles.All(tile => tile.Hashes.AsSpan().SequenceEqual(tiles[(tile.Level, tile.Index)]));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Growth_on_a_damaged_or_missing_tile_is_refused()
    {
        var log = TestLog.OfSize(600);
        var next = Naive.Leaves(1);
        Assert.Throws<InvalidDataException>(() => TreeGrowth.Grow(600, log.Root, (_, _, _) => null, next));
        for (var level = 0; level <= 1; level++)
            Assert.Throws<InvalidDataException>(() => TreeGrowth.Grow(600, log.Root, (l, i, w) => l == level ? [.. log.ReadTile(l, i, w)!.Select((b, at) => at == 5 ? (byte)(b ^ 1) : b)] : log.ReadTile(l, i, w), next));
        Assert.Throws<InvalidDataException>(() => TreeGrowth.Grow(599, log.Root, log.ReadTile, next));
        Assert.Equal(601, TreeGrowth.Grow(600, log.Root, log.ReadTile, next).Size);
    }
}
