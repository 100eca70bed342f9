using System.IO.Compression;
using System.Text;

namespace Chaperone.Ledger.Tests;

public class BundleTests
{
    private static VerificationReport Verify(LogSource source, VerifierKey? key = null, byte[]? older = null) =>
        Verifier.Verify(source, "test", new() { Key = key, Older = older is null ? (ReadOnlyMemory<byte>?)null : older });

    private static async Task<byte[]> Zip(BundleContents contents)
    {
        using var output = new OnlyAsync();
        _ = await BundleWriter.Write(output, contents, CancellationToken.None);
        return output.ToArray();
    }

    private static MemorySource Unzip(byte[] zip)
    {
        using var archive = new ZipArchive(new MemoryStream(zip));
        return new(archive.Entries.ToDictionary(entry => entry.FullName, entry =>
        {
            using var content = entry.Open();
            using var bytes = new MemoryStream();
            content.CopyTo(bytes);
            return bytes.ToArray();
        }, StringComparer.Ordinal));
    }

    private static async Task<(TestLog Log, MemorySource Bundle)> Small()
    {
        var log = TestLog.OfSize(700);
        return (log, Unzip(await Zip(log.Bundle(200, 600))));
    }

    [Theory]
    [InlineData(1, 0, 1), InlineData(256, 0, 256), InlineData(257, 256, 257), InlineData(1000, 0, 1000), InlineData(1000, 300, 301), InlineData(1000, 990, 1000), InlineData(1000, 250, 770)]
    [InlineData(66_000, 100, 400), InlineData(66_000, 65_000, 66_000), InlineData(66_000, 66_000, 66_000), InlineData(0, 0, 0), InlineData(131_072, 70_000, 70_300)]
    public async Task A_bundle_of_any_range_verifies(int size, int from, int to)
    {
        var log = TestLog.OfSize(size);
        using var zip = LogSource.Zip(new MemoryStream(await Zip(log.Bundle(from, to))));
        var report = Verify(zip, log.Signer.Key);
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.Equal((to - from, 0, 0, from, to, true), (report.Verified, report.Expired, report.Tampered, report.From, report.To, report.Bodies));
    }

    [Fact]
    public async Task A_changed_event_or_salt_is_named_by_its_index()
    {
        var (log, bundle) = await Small();
        foreach (var index in new[] { 200, 255, 256, 511, 599 })
        {
            var start = Math.Max(200, index / 256 * 256);
            var events = bundle.Copy();
            var lines = Encoding.UTF8.GetString(events.Files[BundlePaths.Events(index / 256)]).Split('\n');
            lines[index - start] = lines[index - start].Replace("doctor", "porter", StringComparison.Ordinal);
            events.Files[BundlePaths.Events(index / 256)] = Encoding.UTF8.GetBytes(string.Join('\n', lines));
            var salts = bundle.Copy();
            salts.Files[BundlePaths.Salts(index / 256)][((index - start) * 16) + 7] ^= 4;
            var entries = bundle.Copy();
            entries.Files[new TileAddress(-1, index / 256, Tiles.WidthAt(-1, index / 256, 700)).Path][(index % 256 * 35) + 9] ^= 4;
            foreach (var changed in new[] { events, salts, entries })
            {
                var report = Verify(changed, log.Signer.Key);
                Assert.Equal((1, 399, 1, (long?)index), (report.ExitCode, report.Verified, report.Tampered, report.FirstBadIndex));
            }
        }
    }

    [Fact]
    public async Task Any_changed_bit_anywhere_is_refused()
    {
        var (log, bundle) = await Small();
        Assert.Equal(0, Verify(bundle, log.Signer.Key).ExitCode);
        var bit = 0;
        foreach (var (path, bytes) in bundle.Files)
            for (var at = 0; at < bytes.Length; at += bytes.Length > 2000 ? 131 : 1)
            {
                var flip = (byte)(1 << (bit++ % 8));
                bytes[at] ^= flip;
                var report = Verify(bundle, log.Signer.Key);
                Assert.True(report.ExitCode == 1, $"{path} byte {at}: {report.ToText()}");
                bytes[at] ^= flip;
            }
    }

    [Fact]
    public async Task Any_missing_emptied_or_added_file_is_refused()
    {
        var (log, bundle) = await Small();
        foreach (var path in bundle.Files.Keys)
        {
            var copy = bundle.Copy();
            copy.Files.Remove(path);
            Assert.True(Verify(copy, log.Signer.Key).ExitCode == (path == "checkpoint" ? 2 : 1), path);
            copy.Files[path] = [];
            Assert.True(Verify(copy, log.Signer.Key).ExitCode == 1, path);
        }
        foreach (var path in new[] { "../../etc/passwd", "/etc/passwd", "tile/0/../000", "events\\000.ndjson", "events/003.ndjson", "events/x000/000.ndjson", "salts/000.bin.p/3", "tile/0/000.p/3", "tile/1/001", "tile/2/000", "expiry/3.txt", "readme.txt", "EVENTS/000.ndjson", "\u0007" })
        {
            var copy = bundle.Copy();
            copy.Files[path] = [1];
            Assert.True(Verify(copy, log.Signer.Key).ExitCode == 1, path);
        }
    }

    [Fact]
    public async Task Events_swapped_dropped_or_doubled_are_refused()
    {
        var (log, bundle) = await Small();
        var lines = Encoding.UTF8.GetString(bundle.Files[BundlePaths.Events(1)]).Split('\n');
        foreach (var changed in new string[][] { [lines[1], lines[0], .. lines[2..]], lines[1..], [lines[0], .. lines], ["", .. lines[1..]], [.. lines[..^1], "x"] })
        {
            var copy = bundle.Copy();
            copy.Files[BundlePaths.Events(1)] = Encoding.UTF8.GetBytes(string.Join('\n', changed));
            var report = Verify(copy, log.Signer.Key);
            Assert.Equal((1, (long?)256), (report.ExitCode, report.FirstBadIndex));
        }
    }

    [Fact]
    public async Task An_expired_event_needs_an_event_that_names_it()
    {
        var log = TestLog.OfSize(500);
        log.Append(TestLog.ExpiryOf(new IndexRange(10, 12), new IndexRange(490, 9999)));
        log.Append([.. Enumerable.Range(500, 200).Select(TestLog.Viewed)]);
        log.Append(TestLog.ExpiryOf(new IndexRange(20, 20)));
        log.Append(TestLog.Viewed(9));
        foreach (var index in new[] { 10, 11, 12, 20, 499 }) log.Expire(index);

        var named = Unzip(await Zip(log.Bundle(0, log.Size)));
        var report = Verify(named, log.Signer.Key);
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.Equal((log.Size - 5, 5, 0), (report.Verified, report.Expired, report.Tampered));

        report = Verify(Unzip(await Zip(log.Bundle(0, 600))), log.Signer.Key);
        Assert.Equal((1, 4, 1, (long?)20), (report.ExitCode, report.Expired, report.Tampered, report.FirstBadIndex));
        var added = Unzip(await Zip(log.Bundle(0, 600) with { Expiries = [log.ExpiryAt(701)] }));
        Assert.Equal((0, 5), (Verify(added, log.Signer.Key).ExitCode, Verify(added, log.Signer.Key).Expired));
        foreach (var at in new[] { 5, 500, added.Files["expiry/701.txt"].Length - 9 })
        {
            var copy = added.Copy();
            copy.Files["expiry/701.txt"][at] ^= 1;
            Assert.Equal(1, Verify(copy, log.Signer.Key).ExitCode);
        }
        Assert.Equal(1, Verify(Unzip(await Zip(log.Bundle(0, 600) with { Expiries = [log.ExpiryAt(702)] })), log.Signer.Key).ExitCode);

        log.Expire(501);   // after the event that names "up to 9999": an expiry never reaches past itself
        report = Verify(Unzip(await Zip(log.Bundle(0, log.Size))), log.Signer.Key);
        Assert.Equal((1, (long?)501), (report.ExitCode, report.FirstBadIndex));
    }

    [Fact]
    public async Task An_older_checkpoint_is_compared_where_the_bundle_can()
    {
        var log = TestLog.OfSize(700);
        var bundle = Unzip(await Zip(log.Bundle(0, 700)));
        Assert.Equal(0, Verify(bundle, log.Signer.Key, TestLog.OfSize(300).Head.Sign(log.Signer).ToBytes()).ExitCode);
        Assert.Equal(2, Verify(bundle, log.Signer.Key, TestLog.OfSize(900).Head.Sign(log.Signer).ToBytes()).ExitCode);
        Assert.Equal(1, Verify(bundle, log.Signer.Key, new Checkpoint(TestLog.Origin, 300, Hash256.Of("x"u8)).Sign(log.Signer).ToBytes()).ExitCode);
        Assert.Equal(2, Verify(Unzip(await Zip(log.Bundle(600, 700))), log.Signer.Key, TestLog.OfSize(300).Head.Sign(log.Signer).ToBytes()).ExitCode);
    }

    [Fact]
    public async Task A_bundle_rebuilt_and_signed_by_another_key_is_refused_when_the_key_is_given()
    {
        var (log, bundle) = await Small();
        using var other = new NoteSigner(TestLog.Origin, Hash256.Of("other"u8).ToArray());
        var forged = TestLog.OfSize(700);
        var copy = Unzip(await Zip(forged.Bundle(200, 600) with { Signer = other, CheckpointNote = forged.Head.Sign(other) }));
        Assert.Equal(0, Verify(copy).ExitCode);
        Assert.Equal(1, Verify(copy, log.Signer.Key).ExitCode);
        copy.Files["manifest.sig"] = bundle.Files["manifest.sig"];
        Assert.Equal(1, Verify(copy).ExitCode);
    }

    [Fact]
    public async Task A_policy_with_witnesses_is_held_to()
    {
        var log = TestLog.OfSize(20);
        using var witness = new NoteSigner("witness.example", Hash256.Of("w"u8).ToArray());
        var key = new VerifierKey("witness.example", witness.Key.PublicKey, SignatureType.CosignatureV1);
        var contents = log.Bundle(0, 20) with { Policy = $"log {log.Signer.Key}\nwitness w {key}\nquorum w\n" };
        Assert.Equal(1, Verify(Unzip(await Zip(contents)), log.Signer.Key).ExitCode);
        contents = contents with { CheckpointNote = contents.CheckpointNote.With(witness.Cosign(contents.CheckpointNote.Text, TestLog.Start)), Events = log.Bundle(0, 20).Events };
        var report = Verify(Unzip(await Zip(contents)), log.Signer.Key);
        Assert.True(report.ExitCode == 0 && report.Notes.Count == 0, report.ToText());
        report = Verify(Unzip(await Zip(contents with { Policy = $"log {log.Signer.Key}\nwitness w {key}\nquorum none\n", Events = log.Bundle(0, 20).Events })), log.Signer.Key);
        Assert.StartsWith("Cosigned by 1 of the 1 witnesses", Assert.Single(report.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_writer_given_too_few_events_or_a_wrong_signer_refuses()
    {
        var log = TestLog.OfSize(20);
        using var other = new NoteSigner(TestLog.Origin, Hash256.Of("other"u8).ToArray());
        await Assert.ThrowsAsync<InvalidDataException>(() => Zip(log.Bundle(0, 20) with { Events = log.Bundle(0, 19).Events }));
        await Assert.ThrowsAsync<InvalidDataException>(() => Zip(log.Bundle(0, 19) with { Events = log.Bundle(0, 20).Events }));
        await Assert.ThrowsAsync<InvalidDataException>(() => Zip(log.Bundle(0, 21)));
        await Assert.ThrowsAsync<InvalidDataException>(() => Zip(log.Bundle(0, 20) with { Signer = other }));
    }

    [Fact]
    public async Task A_damaged_zip_is_never_accepted_and_never_throws()
    {
        var log = TestLog.OfSize(300);
        var zip = await Zip(log.Bundle(10, 290));
        var random = new Random(3);
        var accepted = 0;
        for (var round = 0; round < 400; round++)
        {
            var mutant = (byte[])zip.Clone();
            mutant[random.Next(mutant.Length)] ^= (byte)(1 << random.Next(8));
            if (round % 4 == 0) mutant = mutant[..random.Next(mutant.Length)];
            VerificationReport report;
            try
            {
                using var source = LogSource.Zip(new MemoryStream(mutant));
                report = Verify(source, log.Signer.Key);
            }
            catch (InvalidDataException)
            {
                continue;   // not a zip: the command says "could not check"
            }
            // A time stamp or a checksum of the container may change without changing a byte of its content.
            if (report.ExitCode == 0 && Unzip(mutant).Files.All(file => Unzip(zip).Files[file.Key].AsSpan().SequenceEqual(file.Value))) accepted++;
            else Assert.NotEqual(0, report.ExitCode);
        }
        Assert.InRange(accepted, 0, 200);
    }

    [Fact]
    public async Task A_file_twice_in_the_zip_is_refused()
    {
        var log = TestLog.OfSize(30);
        using var stream = new MemoryStream();
        stream.Write(await Zip(log.Bundle(0, 30)));
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Update, leaveOpen: true))
        {
            using var entry = archive.CreateEntry(BundlePaths.Events(0)).Open();
            entry.Write("{}\n"u8);
        }
        using var source = LogSource.Zip(stream);
        Assert.Equal(1, Verify(source, log.Signer.Key).ExitCode);
    }

    [Fact]
    public async Task Mutated_bundles_never_throw_and_are_never_accepted()
    {
        var (log, bundle) = await Small();
        var random = new Random(7);
        var paths = bundle.Files.Keys.ToArray();
        for (var round = 0; round < 1500; round++)
        {
            var copy = bundle.Copy();
            var path = paths[random.Next(paths.Length)];
            var bytes = copy.Files[path];
            var (at, length) = (random.Next(bytes.Length), random.Next(1, 40));
            byte[] mutated = random.Next(5) switch
            {
                0 => bytes[..at],
                1 => [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + length)..]],
                2 => [.. bytes[..at], .. bytes[at..Math.Min(bytes.Length, at + length)], .. bytes[at..]],
                3 => [.. bytes, .. new byte[length]],
                _ => [.. bytes[..at], (byte)(bytes[at] + length), .. bytes[(at + 1)..]],
            };
            copy.Files[path] = mutated;
            var same = mutated.AsSpan().SequenceEqual(bytes);
            // One line end after the key is forgiven by its parser, but the manifest's hash of the file is not.
            Assert.True(same == (Verify(copy, log.Signer.Key).ExitCode == 0), $"round {round}: {path}");
        }
    }

    [Fact]
    public void Manifests_signed_over_nonsense_are_refused()
    {
        var log = TestLog.OfSize(10);
        foreach (var manifest in new[] { "", "{}", "[]", "null", """{"format":"chaperone/bundle/v1"}""", """{"format":"x"}""", $$"""{"format":"chaperone/bundle/v1","origin":"{{TestLog.Origin}}","size":10,"root":"{{log.Root.ToBase64()}}","from":-1,"to":99,"created":"2026-01-01T00:00:00Z","events":0,"expired":0,"expiries":[],"sha256":{ } }""" })
        {
            var source = log.AsTiles();
            var bytes = Encoding.UTF8.GetBytes(manifest);
            var text = Manifest.SignedText(TestLog.Origin, bytes);
            source.Files["manifest.json"] = bytes;
            source.Files["manifest.sig"] = new SignedNote(text, log.Signer.Sign(text)).ToBytes();
            Assert.Equal(1, Verify(source, log.Signer.Key).ExitCode);
        }
    }

    /// <summary>A web server's response: forward only, asynchronous only.</summary>
    private sealed class OnlyAsync : MemoryStream
    {
        public override bool CanSeek => false;
        public override bool CanRead => false;
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Write(byte[] buffer, int offset, int count) => throw new InvalidOperationException("Synchronous writing is not allowed.");
        public override void Write(ReadOnlySpan<byte> buffer) => throw new InvalidOperationException("Synchronous writing is not allowed.");
        public override void WriteByte(byte value) => throw new InvalidOperationException("Synchronous writing is not allowed.");
        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) { base.Write(buffer, offset, count); return Task.CompletedTask; }
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) { var copy = buffer.ToArray(); base.Write(copy, 0, copy.Length); return ValueTask.CompletedTask; }
    }
}
