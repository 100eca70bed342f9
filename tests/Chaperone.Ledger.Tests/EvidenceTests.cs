using System.IO.Compression;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Chaperone.Ledger.Tests;

public sealed class EvidenceTests : IDisposable
{
    private static readonly TestLog Log = TestLog.OfSize(1000);
    private readonly string folder = Directory.CreateTempSubdirectory("chaperone-evidence-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static SignedNote NoteOf(int size) => new Checkpoint(TestLog.Origin, size, new TileNodes(size, Log.ReadTile).Root()).Sign(Log.Signer);

    private static TlogProof ProofOf(int index, int size = 1000) => new(index, new TileNodes(size, Log.ReadTile).InclusionProof(index), NoteOf(size), Log.Salts[index]);

    private static WitnessRequest Continues(int old, int size = 1000) => new(old, new TileNodes(size, Log.ReadTile).ConsistencyProof(old), NoteOf(size));

    private static MemorySource EventFiles(int index) => Unzip(Evidence.OfEvent(ProofOf(index), Log.Lines[index], Log.Signer.Key, null, TestLog.Start));

    private static MemorySource ConsistencyFiles(int old) => Unzip(Evidence.OfConsistency(NoteOf(old), Continues(old), Log.Signer.Key, TestLog.Start));

    private static VerificationReport Verify(LogSource source, bool trusted = true, byte[]? older = null) =>
        Verifier.Verify(source, "test", new() { Key = trusted ? Log.Signer.Key : null, Older = older is null ? (ReadOnlyMemory<byte>?)null : older });

    // The key's id in capitals is the same key.
    private static bool IsStillTheKey(string path, byte[] bytes) => path == "log.vkey" && VerifierKey.TryParse(Encoding.UTF8.GetString(bytes), out var key) && key.Equals(Log.Signer.Key);

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

    [Fact]
    public void A_proof_is_written_as_the_specification_says_and_read_back_byte_for_byte()
    {
        var proof = ProofOf(2, 3);
        var text = proof.ToString();
        Assert.Equal(
            $"c2sp.org/tlog-proof@v1\nextra {Convert.ToBase64String(Log.Salts[2])}\nindex 2\n{Merkle.NodeHash(Log.Leaves[0], Log.Leaves[1]).ToBase64()}\n\n{TestLog.Origin}\n3\n", text[..text.IndexOf("\n3\n", StringComparison.Ordinal)] + "\n3\n");
        Assert.True(TlogProof.TryParse(proof.ToBytes(), out var read));
        Assert.Equal(proof.ToBytes(), read.ToBytes());
        Assert.Equal(Log.Salts[2], read.Extra.ToArray());
        Assert.True(read.Shows(Log.Leaves[2], Log.Signer.Key));
        Assert.Equal($"old 1\n{Log.Leaves[1].ToBase64()}\n{Log.Leaves[2].ToBase64()}\n\n{NoteOf(3)}", Encoding.UTF8.GetString(Continues(1, 3).ToBytes()));
    }

    [Theory]
    [InlineData("c2sp.org/tlog-proof@v2\nindex 2\n"), InlineData("index 2\n"), InlineData("c2sp.org/tlog-proof@v1\n"), InlineData("c2sp.org/tlog-proof@v1\nindex -1\n"), InlineData("c2sp.org/tlog-proof@v1\nindex 02\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 2 \n"), InlineData("c2sp.org/tlog-proof@v1\nindex 2\r\n"), InlineData("c2sp.org/tlog-proof@v1\nextra\nindex 2\n"), InlineData("c2sp.org/tlog-proof@v1\nextra \nindex 2\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nextra AAA\nindex 2\n"), InlineData("c2sp.org/tlog-proof@v1\nindex 2\nextra AAAA\n"), InlineData("c2sp.org/tlog-proof@v1\nindex 2\nAAAA\n"), InlineData("c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n")]
    [InlineData("\nindex 2\n"), InlineData(""), InlineData("c2sp.org/tlog-próof@v1\nindex 2\n")]
    public void What_is_not_a_proof_to_the_letter_is_none(string head)
    {
        Assert.False(TlogProof.TryParse(Encoding.UTF8.GetBytes($"{head}\n{NoteOf(3)}"), out _));
        Assert.True(TlogProof.TryParse(Encoding.UTF8.GetBytes($"c2sp.org/tlog-proof@v1\nindex 2\n\n{NoteOf(3)}"), out var bare));
        Assert.False(bare.Shows(Log.Leaves[2], Log.Signer.Key));
        Assert.False(TlogProof.TryParse(Encoding.UTF8.GetBytes("c2sp.org/tlog-proof@v1\nindex 2\n" + string.Concat(Enumerable.Repeat(Log.Root.ToBase64() + "\n", 64)) + $"\n{NoteOf(3)}"), out _));
        Assert.False(TlogProof.TryParse([.. ProofOf(2).ToBytes(), .. "\n"u8], out _));
    }

    [Fact]
    public void A_proof_shows_its_leaf_at_its_index_under_its_key_and_nothing_else()
    {
        var key = Log.Signer.Key;
        foreach (var (index, size) in new[] { (0, 1), (0, 1000), (255, 256), (256, 257), (511, 1000), (999, 1000) })
        {
            var proof = ProofOf(index, size);
            Assert.True(proof.Shows(Log.Leaves[index], key));
            Assert.False(proof.Shows(Log.Leaves[(index + 1) % 1000], key));
            if (size > 1) Assert.False(new TlogProof(index == 0 ? 1 : index - 1, proof.Hashes, proof.Note, proof.Extra).Shows(Log.Leaves[index], key));
            // The same leaf in another tree of the same log, and of another log.
            if (size < 1000) Assert.False(new TlogProof(index, proof.Hashes, NoteOf(1000), proof.Extra).Shows(Log.Leaves[index], key));
            using var stranger = new NoteSigner("stranger.example/log", Hash256.Of("stranger"u8).ToArray());
            Assert.False(proof.Shows(Log.Leaves[index], stranger.Key));
            using var impostor = new NoteSigner(TestLog.Origin, Hash256.Of("impostor"u8).ToArray());
            Assert.False(new TlogProof(index, proof.Hashes, new Checkpoint(TestLog.Origin, size, new TileNodes(size, Log.ReadTile).Root()).Sign(impostor), proof.Extra).Shows(Log.Leaves[index], key));
        }
        for (var old = 1; old <= 1000; old += 111)
        {
            Assert.True(Checkpoint.TryParse(NoteOf(old).Text, out var older));
            Assert.True(Evidence.Continues(Continues(old), older, key));
            Assert.False(Evidence.Continues(Continues(old), older with { Root = Log.Leaves[5] }, key));
            Assert.False(Evidence.Continues(Continues(old), older with { Origin = "another/log" }, key));
            if (old > 1) Assert.False(Evidence.Continues(Continues(old - 1), older, key));
        }
    }

    [Fact]
    public void A_policy_asks_for_witnesses()
    {
        using var witness = new NoteSigner("witness.example/w1", Hash256.Of("witness"u8).ToArray());
        var key = new VerifierKey("witness.example/w1", witness.Key.PublicKey, SignatureType.CosignatureV1);
        Assert.True(WitnessPolicy.TryParse(Encoding.UTF8.GetBytes($"log {Log.Signer.Key}\nwitness w {key}\nquorum w\n"), out var policy));
        var bare = ProofOf(7);
        var cosigned = new TlogProof(7, bare.Hashes, bare.Note.With(witness.Cosign(bare.Note.Text, TestLog.Start)), bare.Extra);
        Assert.False(bare.Shows(Log.Leaves[7], Log.Signer.Key, policy));
        Assert.True(TlogProof.TryParse(cosigned.ToBytes(), out var read) && read.Shows(Log.Leaves[7], Log.Signer.Key, policy));
        var files = EventFiles(7);
        files.Files["policy"] = Encoding.UTF8.GetBytes($"log {Log.Signer.Key}\nwitness w {key}\nquorum w\n");
        Assert.Equal(1, Verify(files).ExitCode);
        files.Files[Evidence.Proof] = cosigned.ToBytes();
        var report = Verify(files);
        Assert.True(report.ExitCode == 0 && report.Notes.Count == 0, report.ToText());
    }

    [Fact]
    public void Evidence_of_an_event_verifies_and_any_flipped_bit_in_it_is_found()
    {
        foreach (var index in new[] { 0, 300, 999 })
        {
            var files = EventFiles(index);
            var report = Verify(files);
            Assert.True(report.ExitCode == 0, report.ToText());
            Assert.Equal((1, 0, index, index + 1, true), (report.Verified, report.Tampered, report.From, report.To, report.Bodies));
            Assert.Equal(0, Verify(files, trusted: false).ExitCode);
            foreach (var (path, bytes) in files.Files.Where(file => file.Key != "policy"))
                for (var at = 0; at < bytes.Length; at++)
                {
                    bytes[at] ^= (byte)(1 << (at % 8));
                    Assert.True(Verify(files).ExitCode == 1 || IsStillTheKey(path, bytes), $"{path} byte {at}: {Verify(files).ToText()}");
                    bytes[at] ^= (byte)(1 << (at % 8));
                }
        }
    }

    [Fact]
    public void Evidence_of_consistency_verifies_and_any_flipped_bit_in_it_is_found()
    {
        foreach (var old in new[] { 1, 256, 700, 1000 })
        {
            var files = ConsistencyFiles(old);
            Assert.True(Verify(files).ExitCode == 0, Verify(files).ToText());
            Assert.Equal(0, Verify(files, older: NoteOf(old).ToBytes()).ExitCode);
            Assert.Equal(0, Verify(files, older: NoteOf(1000).ToBytes()).ExitCode);
            Assert.Equal(2, Verify(files, older: NoteOf(500).ToBytes()).ExitCode);
            foreach (var (path, bytes) in files.Files)
                for (var at = 0; at < bytes.Length; at++)
                {
                    bytes[at] ^= (byte)(1 << (at % 8));
                    Assert.True(Verify(files).ExitCode == 1 || IsStillTheKey(path, bytes), $"{path} byte {at}: {Verify(files).ToText()}");
                    bytes[at] ^= (byte)(1 << (at % 8));
                }
        }
    }

    [Fact]
    public void Evidence_is_refused_when_it_is_of_something_else_or_has_too_much_or_too_little()
    {
        var swapped = EventFiles(10);
        swapped.Files[Evidence.Event] = Log.Lines[11]!;
        Assert.Equal((1, (long?)10), (Verify(swapped).ExitCode, Verify(swapped).FirstBadIndex));
        var extra = EventFiles(10);
        extra.Files["readme.txt"] = [1];
        Assert.Equal(1, Verify(extra).ExitCode);
        var noEvent = EventFiles(10);
        noEvent.Files.Remove(Evidence.Event);
        Assert.Equal(2, Verify(noEvent).ExitCode);
        var noSalt = EventFiles(10);
        noSalt.Files[Evidence.Proof] = new TlogProof(10, ProofOf(10).Hashes, ProofOf(10).Note).ToBytes();
        Assert.Equal(1, Verify(noSalt).ExitCode);
        var noKey = EventFiles(10);
        noKey.Files.Remove("log.vkey");
        Assert.Equal((0, 2), (Verify(noKey).ExitCode, Verify(noKey, trusted: false).ExitCode));
        var noOlder = ConsistencyFiles(700);
        noOlder.Files.Remove(Evidence.Older);
        Assert.Equal((2, 0), (Verify(noOlder).ExitCode, Verify(noOlder, older: NoteOf(700).ToBytes()).ExitCode));
        Assert.Equal(1, Verify(noOlder, older: NoteOf(699).ToBytes()).ExitCode);

        // A log made anew under the same key: the checkpoint kept from the first is not its.
        var anew = new TestLog();
        anew.Append([.. Enumerable.Range(1, 1000).Select(TestLog.Viewed)]);
        Assert.Equal(1, Verify(EventFiles(10), older: anew.Head.Sign(anew.Signer).ToBytes()).ExitCode);
        Assert.Equal(2, Verify(EventFiles(10), older: NoteOf(999).ToBytes()).ExitCode);
        Assert.Equal(0, Verify(EventFiles(10), older: NoteOf(1000).ToBytes()).ExitCode);
    }

    [Fact]
    public void A_zip_with_flipped_bits_never_throws_and_never_shows_another_event()
    {
        var zip = Evidence.OfEvent(ProofOf(300), Log.Lines[300], Log.Signer.Key, null, TestLog.Start);
        for (var bit = 0; bit < zip.Length * 8; bit += 29)
        {
            zip[bit / 8] ^= (byte)(1 << (bit % 8));
            var file = Path.Combine(folder, "evidence.zip");
            File.WriteAllBytes(file, zip);
            // What no checksum covers, such as a time stamp, may change; the event may not.
            if (Verifier.VerifyAt(file, new()).ExitCode == 0) Assert.Equal(Log.Lines[300], Unzip(zip).Files[Evidence.Event]);
            zip[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Whatever_is_read_never_throws_and_is_written_again_as_it_was()
    {
        var (proof, continues) = (ProofOf(300).ToBytes(), Continues(300).ToBytes());
        var random = Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf();
        var cut = from whole in Gen.Elements(proof, continues) from at in Gen.Choose(0, whole.Length) from count in Gen.Choose(0, 60) from put in random
                  select (byte[])[.. whole.AsSpan(0, at), .. put, .. whole.AsSpan(Math.Min(whole.Length, at + count))];
        Prop.ForAll(Gen.OneOf(random, cut).ToArbitrary(), bytes =>
            (!TlogProof.TryParse(bytes, out var one) || (one.ToBytes().AsSpan().SequenceEqual(bytes) && (bytes.AsSpan().SequenceEqual(proof) || !one.Shows(Log.Leaves[300], Log.Signer.Key) || one.Extra.Length != 16 || !one.Extra.Span.SequenceEqual(Log.Salts[300]))))
            && (!WitnessRequest.TryParse(bytes, out var other) || other.ToBytes().AsSpan().SequenceEqual(bytes))).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));
    }

    [Fact]
    public void Both_commands_take_files_as_they_lie_about()
    {
        var zip = Path.Combine(folder, "evidence.zip");
        File.WriteAllBytes(zip, Evidence.OfEvent(ProofOf(300), Log.Lines[300], Log.Signer.Key, null, TestLog.Start));
        ZipFile.ExtractToDirectory(zip, Path.Combine(folder, "unpacked"));
        var key = Path.Combine(folder, "kept.vkey");
        File.WriteAllText(key, Log.Signer.Key + "\n");
        var proof = Path.Combine(folder, "unpacked", Evidence.Proof);
        foreach (var place in (string[])[zip, Path.Combine(folder, "unpacked"), proof])
        {
            var report = Verifier.VerifyAt(place, new(key));
            Assert.True(report is { ExitCode: 0, Verified: 1, From: 300 }, report.ToText());
        }
        File.Move(Path.Combine(folder, "unpacked", Evidence.Event), Path.Combine(folder, "line"));
        Assert.Equal(2, Verifier.VerifyAt(proof, new(key)).ExitCode);
        Assert.Equal(0, Verifier.VerifyAt(proof, new(key, Event: Path.Combine(folder, "line"))).ExitCode);
        File.AppendAllText(Path.Combine(folder, "line"), "\n");
        Assert.Equal(1, Verifier.VerifyAt(proof, new(key, Event: Path.Combine(folder, "line"))).ExitCode);
    }

    [Fact]
    public async Task An_address_is_asked_with_the_token_and_the_token_goes_nowhere_else()
    {
        var files = Log.AsTiles().Files;
        files["vkey"] = files["log.vkey"];
        files.Remove("log.vkey");
        using var listener = new System.Net.HttpListener();
        var (log, elsewhere) = (FreePort(), FreePort());
        listener.Prefixes.Add($"http://127.0.0.1:{log}/");
        listener.Prefixes.Add($"http://127.0.0.1:{elsewhere}/");
        listener.Start();
        var strayed = 0;
        var serving = Task.Run(async () =>
        {
            while (listener.IsListening)
            {
                var call = await listener.GetContextAsync();
                var path = call.Request.Url!.AbsolutePath;
                if (call.Request.Url.Port == elsewhere) Interlocked.Increment(ref strayed);
                if (path.StartsWith("/moved/", StringComparison.Ordinal)) call.Response.Redirect($"http://127.0.0.1:{elsewhere}/log/{path[7..]}");
                else if (call.Request.Headers["Authorization"] != "Bearer the-token") call.Response.StatusCode = 401;
                else if (files.GetValueOrDefault(path["/log/".Length..]) is { } bytes) call.Response.OutputStream.Write(bytes);
                else call.Response.StatusCode = 404;
                call.Response.Close();
            }
        }, TestContext.Current.CancellationToken);
        var (key, token) = (Path.Combine(folder, "kept.vkey"), Path.Combine(folder, "token"));
        await File.WriteAllTextAsync(key, Log.Signer.Key + "\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(token, "the-token\n", TestContext.Current.CancellationToken);
        var report = await Task.Run(() => Verifier.VerifyAt($"http://127.0.0.1:{log}/log/", new(key, Token: token)), TestContext.Current.CancellationToken);
        Assert.True(report is { ExitCode: 0, Verified: 1000 }, report.ToText());
        Assert.Equal(2, (await Task.Run(() => Verifier.VerifyAt($"http://127.0.0.1:{log}/log", new(key)), TestContext.Current.CancellationToken)).ExitCode);
        Assert.Equal(2, (await Task.Run(() => Verifier.VerifyAt($"http://127.0.0.1:{log}/moved/", new(key, Token: token)), TestContext.Current.CancellationToken)).ExitCode);
        Assert.Equal(0, strayed);
        await File.WriteAllTextAsync(token, "two words\n", TestContext.Current.CancellationToken);
        Assert.Equal(2, Verifier.VerifyAt($"http://127.0.0.1:{log}/log/", new(key, Token: token)).ExitCode);
        listener.Stop();
        await serving.ContinueWith(_ => { }, TestContext.Current.CancellationToken, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    private static int FreePort()
    {
        using var probe = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        probe.Start();
        return ((System.Net.IPEndPoint)probe.LocalEndpoint).Port;
    }
}
