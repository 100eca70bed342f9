using System.Text;
using System.Text.Json;

namespace Chaperone.Ledger.Tests;

public class VerifierTests
{
    private static readonly string Fixtures = Path.Combine(AppContext.BaseDirectory, "Fixtures");

    private static VerificationReport Verify(LogSource source, VerifierKey? key = null, byte[]? older = null) =>
        Verifier.Verify(source, "test", new() { Key = key, Older = older is null ? (ReadOnlyMemory<byte>?)null : older });

    /// <summary>A log that somebody else's code wrote: Tessera's, where the shared data is beside the repository, else the fixture's.</summary>
    private static (MemorySource Log, VerifierKey Key) Foreign()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Chaperone.slnx"))) root = root.Parent;
        var sample = Path.Combine(root?.Parent?.FullName ?? "/", "shared/data/ledger/sample_tessera_log");
        return Directory.Exists(sample) ? Load(sample) : Independent();
    }

    private static (MemorySource Log, VerifierKey Key) Independent() => Load(Path.Combine(Fixtures, "independent_log"));

    private static (MemorySource Log, VerifierKey Key) Load(string folder)
    {
        var log = MemorySource.OfFolder(folder);
        foreach (var path in log.Files.Keys.Where(path => path.StartsWith('.')).ToArray()) log.Files.Remove(path);
        return (log, VerifierKey.Parse(File.ReadAllText(folder + ".vkey")));
    }

    [Theory, InlineData(0), InlineData(1), InlineData(255), InlineData(256), InlineData(257), InlineData(1000), InlineData(65536), InlineData(66000)]
    public void Our_log_of_any_size_is_accepted(int size)
    {
        var log = TestLog.OfSize(size);
        var report = Verify(log.AsTiles(), log.Signer.Key);
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.Equal((size, 0, 0), (report.Verified, report.Expired, report.Tampered));
        Assert.Equal(log.Head, report.Checkpoint);
        Assert.Empty(report.Notes);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Somebody_elses_log_is_accepted_and_any_changed_byte_found(bool tessera)
    {
        var (log, key) = tessera ? Foreign() : Independent();
        var report = Verify(log, key);
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.Equal(report.Checkpoint!.Size, report.Verified);
        var bit = 0;
        foreach (var (path, bytes) in log.Files)
            for (var at = 0; at < bytes.Length; at += path == "checkpoint" ? 1 : 37)
            {
                var flip = (byte)(1 << (bit++ % 8));
                bytes[at] ^= flip;
                report = Verify(log, key);
                Assert.True(report.ExitCode == 1, $"{path} byte {at}: {report.ToText()}");
                bytes[at] ^= flip;
            }
    }

    [Fact]
    public void A_changed_entry_is_named_by_its_index()
    {
        var log = TestLog.OfSize(1000);
        foreach (var index in new[] { 0, 255, 256, 700, 999 })
        {
            var source = log.AsTiles();
            var bundle = source.Files[new TileAddress(-1, index / 256, Tiles.WidthAt(-1, index / 256, 1000)).Path];
            bundle[(index % 256 * 35) + 20] ^= 1;
            var report = Verify(source, log.Signer.Key);
            Assert.Equal((1, 999, 1, (long?)index), (report.ExitCode, report.Verified, report.Tampered, report.FirstBadIndex));
        }
    }

    [Theory, InlineData("tile/0/001", 300), InlineData("tile/0/003.p/232", 800)]
    public void A_changed_leaf_tile_is_named_and_its_events_still_stand(string path, int index)
    {
        var log = TestLog.OfSize(1000);
        var source = log.AsTiles();
        source.Files[path][(index % 256 * 32) + 3] ^= 1;
        var report = Verify(source, log.Signer.Key);
        Assert.Equal((1, 1000, 0, (long?)index), (report.ExitCode, report.Verified, report.Tampered, report.FirstBadIndex));
        Assert.Contains(path, report.FirstBad, StringComparison.Ordinal);
    }

    [Fact]
    public void A_changed_upper_tile_leaves_nothing_shown_beneath_it()
    {
        var log = TestLog.OfSize(66_000);
        var source = log.AsTiles();
        source.Files["tile/1/000"][5] ^= 1;
        var report = Verify(source, log.Signer.Key);
        Assert.Equal((1, (long?)0), (report.ExitCode, report.FirstBadIndex));
        Assert.Equal(65_536, report.Tampered);
        Assert.Equal(66_000 - 65_536, report.Verified);
    }

    [Fact]
    public void Every_missing_file_is_noticed()
    {
        var log = TestLog.OfSize(66_000);
        var source = log.AsTiles();
        foreach (var path in source.Files.Keys.Where(path => path.StartsWith("tile/1", StringComparison.Ordinal) || path.StartsWith("tile/2", StringComparison.Ordinal) || path.Contains("25", StringComparison.Ordinal)).ToArray())
        {
            var copy = new MemorySource(new(source.Files));
            copy.Files.Remove(path);
            Assert.True(Verify(copy, log.Signer.Key).ExitCode == 1, path);
        }
        source.Files.Remove("checkpoint");
        Assert.Equal(2, Verify(source, log.Signer.Key).ExitCode);
    }

    [Fact]
    public void A_full_tile_stands_for_the_partial_one_it_replaced_and_leftovers_must_agree()
    {
        var (small, large) = (TestLog.OfSize(300), TestLog.OfSize(520));
        Assert.Equal(small.Leaves, large.Leaves.Take(300));
        var source = large.AsTiles();
        source.Files["checkpoint"] = small.Head.Sign(small.Signer).ToBytes();
        source.Files["tile/1/000.p/1"] = small.AsTiles().Files["tile/1/000.p/1"];
        var report = Verify(source, small.Signer.Key);
        Assert.True(report.ExitCode == 0, report.ToText());
        foreach (var path in new[] { "tile/0/001.p/44", "tile/entries/001.p/44" })
        {
            source = large.AsTiles();
            source.Files[path] = small.AsTiles().Files[path];
            Assert.Equal(0, Verify(source, small.Signer.Key).ExitCode);
            source.Files[path][40] ^= 1;
            Assert.Equal(1, Verify(source, small.Signer.Key).ExitCode);
        }
    }

    [Fact]
    public void The_key_decides()
    {
        var log = TestLog.OfSize(10);
        using var other = new NoteSigner(TestLog.Origin, Hash256.Of("other"u8).ToArray());
        var source = log.AsTiles();
        Assert.Equal(1, Verify(source, other.Key).ExitCode);
        Assert.Contains("came with the log", Assert.Single(Verify(source).Notes), StringComparison.Ordinal);
        source.Files.Remove("log.vkey");
        Assert.Equal(2, Verify(source).ExitCode);
        Assert.Equal(1, Verify(source, other.Key).ExitCode);
        source.Files["log.vkey"] = "nonsense"u8.ToArray();
        Assert.Equal(1, Verify(source, log.Signer.Key).ExitCode);
    }

    [Fact]
    public void An_older_checkpoint_must_be_continued()
    {
        var (log, key) = Independent();
        var older = File.ReadAllBytes(Path.Combine(Fixtures, "independent_log.older"));
        var report = Verify(log, key, older);
        Assert.True(report.ExitCode == 0 && report.Notes.Count == 1, report.ToText());
        older[40] ^= 1;
        Assert.Equal(2, Verify(log, key, older).ExitCode);

        var grown = TestLog.OfSize(900);
        foreach (var size in new[] { 0, 1, 256, 257, 512, 899, 900 })
        {
            report = Verify(grown.AsTiles(), grown.Signer.Key, TestLog.OfSize(size).Head.Sign(grown.Signer).ToBytes());
            Assert.True(report.ExitCode == 0, report.ToText());
        }
        Assert.Equal(1, Verify(TestLog.OfSize(800).AsTiles(), grown.Signer.Key, grown.Head.Sign(grown.Signer).ToBytes()).ExitCode);
        var rebuilt = new TestLog();
        rebuilt.Append([.. Enumerable.Range(1, 1000).Select(TestLog.Viewed)]);
        Assert.Equal(0, Verify(rebuilt.AsTiles(), grown.Signer.Key).ExitCode);
        Assert.Equal(1, Verify(rebuilt.AsTiles(), grown.Signer.Key, grown.Head.Sign(grown.Signer).ToBytes()).ExitCode);
        foreach (var size in new[] { 1, 256, 900 })
        {
            var old = new TestLog();
            old.Append([.. Enumerable.Range(0, size).Select(TestLog.Viewed)]);
            var changed = new TestLog();
            changed.Append([.. Enumerable.Range(0, 900).Select(i => TestLog.Viewed(i == size - 1 ? 12345 : i))]);
            Assert.Equal(1, Verify(changed.AsTiles(), grown.Signer.Key, old.Head.Sign(grown.Signer).ToBytes()).ExitCode);
        }
    }

    [Fact]
    public void A_source_that_cannot_be_reached_says_nothing_about_the_log()
    {
        var report = Verifier.Verify(LogSource.From(_ => throw new IOException("the wire is cut")), "test", new());
        Assert.Equal((2, "the wire is cut"), (report.ExitCode, report.CouldNotCheck));
        Assert.Equal(2, Verifier.VerifyAt("/nowhere/at/all", new()).ExitCode);
        Assert.Equal(2, Verifier.VerifyAt(Fixtures, new()).ExitCode);
        Assert.Equal(2, Verifier.VerifyAt(Path.Combine(Fixtures, "independent_log.vkey"), new()).ExitCode);
        Assert.Equal(2, Verifier.VerifyAt("http://127.0.0.1:9/", new()).ExitCode);
        Assert.Equal(2, Verifier.VerifyAt(Path.Combine(Fixtures, "independent_log"), new("/no/key")).ExitCode);
    }

    [Fact]
    public void Files_on_disk_are_verified_as_given()
    {
        var folder = Path.Combine(Fixtures, "independent_log");
        var report = Verifier.VerifyAt(folder, new(folder + ".vkey", folder + ".older"));
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.StartsWith("VERIFIED: ", report.ToText(), StringComparison.Ordinal);
        Assert.Contains("verified    300 entries", report.ToText(), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(report.ToJson());
        Assert.Equal("verified", json.RootElement.GetProperty("result").GetString());
        Assert.Equal(300, json.RootElement.GetProperty("verified").GetInt64());
        Assert.NotEmpty(Verifier.VerifyAt(folder, new()).Notes);
    }

    [Fact]
    public void Bodies_of_a_database_are_seen_in_order_once_found_good()
    {
        var log = TestLog.OfSize(1000);
        var tiles = log.AsTiles();
        for (var tile = 0; tile < 4; tile++)
        {
            var here = Enumerable.Range(tile * 256, Math.Min(256, 1000 - (tile * 256))).ToArray();
            tiles.Files[BundlePaths.Events(tile)] = [.. here.SelectMany(i => (byte[])[.. i == 600 ? "{}"u8.ToArray() : log.Lines[i]!, (byte)'\n'])];
            tiles.Files[BundlePaths.Salts(tile)] = [.. here.SelectMany(i => log.Salts[i])];
        }
        var report = new VerificationReport { Subject = "database" };
        var seen = new List<long>();
        Verifier.VerifyLog(LogSource.From(tiles.Read), report, log.Head, (index, line) => { seen.Add(index); Assert.Equal(log.Lines[(int)index]!, line.ToArray()); });
        Assert.Equal(Enumerable.Range(0, 1000).Where(i => i != 600).Select(i => (long)i), seen);
        Assert.Equal((999, 1, (long?)600), (report.Verified, report.Tampered, report.FirstBadIndex));
    }

    [Fact]
    public void A_report_counts_what_it_does_not_keep()
    {
        var report = new VerificationReport { Subject = "x" };
        Assert.Equal(0, report.ExitCode);
        report.CannotCheck("why");
        Assert.Equal(2, report.ExitCode);
        for (var i = 500; i > 0; i--) report.AddTampered(i, $"bad {i}");
        report.AddCount("records", 3);
        Assert.Equal((1, 500, 500, 100, (long?)1, "bad 1"), (report.ExitCode, report.Tampered, report.ProblemCount, report.Problems.Count, report.FirstBadIndex, report.FirstBad));
        Assert.Contains("and 400 more", report.ToText(), StringComparison.Ordinal);
        Assert.Contains("\"records\":3", report.ToJson(), StringComparison.Ordinal);
    }
}
