using Chaperone.TestSupport;

namespace Chaperone.Ledger.Tests;

/// <summary>What we write, read by programs of other people: Go's golang.org/x/mod and npm's @sigstore/verify.</summary>
public sealed class InteropTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("chaperone-interop-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Logs_of_all_shapes_are_accepted_by_both()
    {
        // One and two levels of tiles, full and partial at each, and the specification's own example of 70,000.
        string[] folders = [.. new[] { (1, 0), (2, 1), (255, 100), (256, 255), (257, 256), (1000, 700), (65_536, 65_535), (70_000, 66_001) }.Select(sizes => Write($"{sizes.Item1}", Files(sizes.Item1, sizes.Item2)))];
        Assert.All(await Outsiders.Go(folders), answer => Assert.Equal("accepted", answer));
        Assert.All(await Outsiders.Sigstore(folders), answer => Assert.Equal("accepted", answer));
    }

    [Fact]
    public async Task A_flipped_bit_in_note_tile_entry_or_proof_is_refused_by_both()
    {
        var good = Files(1000, 700);
        var cases = new List<(string Path, int At)>();
        foreach (var path in good.Keys.Where(path => path != "log.vkey"))
            // Somewhere in the text and in the signatures, and everywhere else at a few places.
            foreach (var at in new[] { 3, good[path].Length / 3, good[path].Length * 2 / 3, good[path].Length - 5 }.Distinct()) cases.Add((path, at));
        string[] folders = [.. cases.Select((flip, n) =>
        {
            var files = good.ToDictionary(file => file.Key, file => file.Value, StringComparer.Ordinal);
            files[flip.Path] = [.. files[flip.Path]];
            files[flip.Path][flip.At] ^= 1;
            return Write($"flip-{n}", files);
        })];

        var go = await Outsiders.Go(folders);
        Assert.All(cases.Zip(go), each => Assert.True(each.Second.StartsWith("refused", StringComparison.Ordinal), $"Go accepted a flipped bit in {each.First}"));

        // Tiles are nothing to Sigstore, nor consistency; of the entries it is given those that are proved.
        var sigstore = await Outsiders.Sigstore(folders);
        foreach (var (flip, answer) in cases.Zip(sigstore))
        {
            if (flip.Path == "checkpoint" || flip.Path.EndsWith(".tlog-proof", StringComparison.Ordinal))
                Assert.True(answer.StartsWith("refused", StringComparison.Ordinal), $"Sigstore accepted a flipped bit in {flip}");
        }
        foreach (var index in Proven(1000))
        {
            var files = good.ToDictionary(file => file.Key, file => (byte[])file.Value.Clone(), StringComparer.Ordinal);
            files[new TileAddress(-1, index / 256, Tiles.WidthAt(-1, index / 256, 1000)).Path][(index % 256 * 35) + 20] ^= 1;
            Assert.StartsWith("refused", (await Outsiders.Sigstore(Write($"entry-{index}", files)))[0], StringComparison.Ordinal);
        }
    }

    private static IEnumerable<int> Proven(int size) => new[] { 0, 1, 255, 256, size / 2, size - 2, size - 1 }.Where(index => index >= 0 && index < size).Distinct();

    private static Dictionary<string, byte[]> Files(int size, int before)
    {
        var log = TestLog.OfSize(size);
        var files = log.AsTiles().Files;
        var (nodes, note) = (new TileNodes(size, log.ReadTile), log.Head.Sign(log.Signer));
        foreach (var index in Proven(size)) files[$"{index}.tlog-proof"] = new TlogProof(index, nodes.InclusionProof(index), note, log.Salts[index]).ToBytes();
        if (before == 0) return files;
        files[Evidence.Older] = new Checkpoint(TestLog.Origin, before, new TileNodes(before, log.ReadTile).Root()).Sign(log.Signer).ToBytes();
        files[Evidence.Consistency] = new WitnessRequest(before, nodes.ConsistencyProof(before), note).ToBytes();
        return files;
    }

    private string Write(string name, Dictionary<string, byte[]> files)
    {
        foreach (var (path, bytes) in files)
        {
            var file = Path.Combine(folder, name, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllBytes(file, bytes);
        }
        return Path.Combine(folder, name);
    }
}
