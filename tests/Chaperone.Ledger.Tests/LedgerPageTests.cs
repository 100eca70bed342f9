using System.Globalization;
using System.IO.Compression;
using System.Text;
using Chaperone.TestSupport;

namespace Chaperone.Ledger.Tests;

/// <summary>docs/ledger.md: what it says of the formats is so, and the verifier in it works.</summary>
public class LedgerPageTests
{
    private static readonly string Page = Path.Combine(Outsiders.Root, "docs", "ledger.md");

    [Fact]
    public async Task The_worked_example_is_what_the_code_makes()
    {
        var log = TestLog.OfSize(3);
        var proof = new TlogProof(1, new TileNodes(3, log.ReadTile).InclusionProof(1), log.Head.Sign(log.Signer), log.Salts[1]);
        var pair = Merkle.NodeHash(log.Leaves[0], log.Leaves[1]);
        Assert.Equal(log.Root, Merkle.NodeHash(pair, log.Leaves[2]));
        var text = string.Create(CultureInfo.InvariantCulture, $"""
            log.vkey
            {log.Signer.Key}

            event.json
            {Encoding.UTF8.GetString(log.Lines[1]!)}

            event.tlog-proof
            {proof}
            salt                  {Convert.ToHexStringLower(log.Salts[1])}
            entry                 {Convert.ToHexStringLower(log.Entries[1])}
            leaf of event 1       {log.Leaves[1]}
            leaf of event 0       {log.Leaves[0]}   first hash of the proof; 1 is odd, so it goes left
            node                  {pair}
            leaf of event 2       {log.Leaves[2]}   second hash
            root                  {log.Root}   in base64: {log.Root.ToBase64()}
            """) + "\n";
        var page = await File.ReadAllTextAsync(Page, TestContext.Current.CancellationToken);
        var start = page.IndexOf("```text\n", StringComparison.Ordinal) + "```text\n".Length;
        var end = page.IndexOf("```\n", start, StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("CHAPERONE_WRITE_DOCS") == "1") await File.WriteAllTextAsync(Page, page[..start] + text + page[end..], TestContext.Current.CancellationToken);
        else Assert.Equal(text, page[start..end]);
    }

    [Theory, InlineData(1, 0, 1), InlineData(1000, 250, 770), InlineData(1000, 990, 1000), InlineData(66_000, 65_000, 66_000), InlineData(66_000, 100, 400), InlineData(131_072, 70_000, 70_300)]
    public async Task Its_verifier_takes_a_bundle_of_any_range(int size, int from, int to)
    {
        var log = TestLog.OfSize(size);
        var (code, said) = await Outsiders.Python(await Zip(log.Bundle(from, to)), log.Signer.Key.ToString());
        Assert.True(code == 0, said);
        Assert.StartsWith($"VERIFIED: events {from} to {to} of {size} under {TestLog.Origin}", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_verifier_takes_evidence()
    {
        var log = TestLog.OfSize(1000);
        var (nodes, note) = (new TileNodes(1000, log.ReadTile), log.Head.Sign(log.Signer));
        foreach (var index in new[] { 0, 255, 999 })
            Assert.Equal(0, (await Outsiders.Python(Evidence.OfEvent(new(index, nodes.InclusionProof(index), note, log.Salts[index]), log.Lines[index], log.Signer.Key, null, TestLog.Start))).Code);
        foreach (var old in new[] { 1, 256, 777 })
        {
            var older = new Checkpoint(TestLog.Origin, old, new TileNodes(old, log.ReadTile).Root()).Sign(log.Signer);
            var (code, said) = await Outsiders.Python(Evidence.OfConsistency(older, new(old, nodes.ConsistencyProof(old), note), log.Signer.Key, TestLog.Start));
            Assert.True(code == 0, said);
        }
    }

    [Fact]
    public async Task Its_verifier_knows_what_expired_from_what_was_taken_out()
    {
        var log = TestLog.OfSize(700);
        foreach (var index in new[] { 210, 211, 300 }) log.Expire(index);
        log.Append(TestLog.ExpiryOf(new IndexRange(210, 211), new IndexRange(300, 300)));
        var bundle = log.Bundle(200, 600) with { Expiries = [log.ExpiryAt(700)] };
        Assert.Equal((0, 0), ((await Outsiders.Python(await Zip(bundle))).Code, (await Outsiders.Python(await Zip(log.Bundle(200, 701)))).Code));
        var (code, said) = await Outsiders.Python(await Zip(bundle with { Expiries = [] }));
        Assert.Equal((1, "NOT GOOD: 3 events are missing and no event of expiry names them\n"), (code, said));
    }

    [Fact]
    public async Task Its_verifier_refuses_a_flipped_bit_in_every_file()
    {
        var log = TestLog.OfSize(600);
        var (nodes, note) = (new TileNodes(600, log.ReadTile), log.Head.Sign(log.Signer));
        byte[][] zips =
        [
            Evidence.OfEvent(new(300, nodes.InclusionProof(300), note, log.Salts[300]), log.Lines[300], log.Signer.Key, null, TestLog.Start),
            Evidence.OfConsistency(new Checkpoint(TestLog.Origin, 300, new TileNodes(300, log.ReadTile).Root()).Sign(log.Signer), new(300, nodes.ConsistencyProof(300), note), log.Signer.Key, TestLog.Start),
            await Zip(log.Bundle(200, 520)),
        ];
        var cases = zips.SelectMany(zip => Names(zip).Where(name => name != "policy" && name != "log.vkey").Select(name => (Zip: zip, Name: name))).ToList();
        var answers = await Task.WhenAll(cases.Select(each => Outsiders.Python(WithFlippedBit(each.Zip, each.Name), log.Signer.Key.ToString())));
        Assert.All(cases.Zip(answers), each => Assert.True(each.Second.Code == 1 && each.Second.Said.StartsWith("NOT GOOD: ", StringComparison.Ordinal), $"{each.First.Name}: {each.Second.Said}"));
        using var other = new NoteSigner(TestLog.Origin, Hash256.Of("another key"u8).ToArray());
        Assert.Equal(1, (await Outsiders.Python(zips[0], other.Key.ToString())).Code);
    }

    [Fact]
    public async Task Its_verifier_asks_for_the_witnesses_that_a_policy_names()
    {
        var log = TestLog.OfSize(600);
        var nodes = new TileNodes(600, log.ReadTile);
        var signers = Enumerable.Range(0, 3).Select(i => new NoteSigner($"w{i}.example", Hash256.Of([(byte)i]).ToArray())).ToArray();
        var keys = signers.Select(signer => new VerifierKey(signer.Key.Name, signer.Key.PublicKey, SignatureType.CosignatureV1)).ToArray();
        var named = $"# ours\nlog {log.Signer.Key}\nwitness a {keys[0]}\nwitness b {keys[1]} https://b.example\nwitness c {keys[2]}\n";
        var (plain, note) = (log.Head.Sign(log.Signer), log.Head.Sign(log.Signer).With([signers[0].Cosign(log.Head.Sign(log.Signer).Text, TestLog.Start), signers[2].Cosign(log.Head.Sign(log.Signer).Text, TestLog.Start)]));
        byte[] Event(SignedNote under, string? policy = null) => Evidence.OfEvent(new(300, nodes.InclusionProof(300), under, log.Salts[300]), log.Lines[300], log.Signer.Key, policy, TestLog.Start);
        var older = new Checkpoint(TestLog.Origin, 300, new TileNodes(300, log.ReadTile).Root()).Sign(log.Signer);
        var continues = Evidence.OfConsistency(older, new(300, nodes.ConsistencyProof(300), note), log.Signer.Key, TestLog.Start);

        var two = named + "group two 2 a b c\nquorum two\n";
        foreach (var zip in new[] { Event(note), continues, await Zip(log.Bundle(200, 520) with { CheckpointNote = note }) })
        {
            var (code, said) = await Outsiders.Python(zip, log.Signer.Key.ToString(), two);
            Assert.True(code == 0, said);
            Assert.Equal((1, "NOT GOOD: the cosignatures that the policy asks for\n"), await Outsiders.Python(zip, log.Signer.Key.ToString(), named + "group top all a b c\nquorum top\n"));
        }
        foreach (var good in new[] { "quorum none\n", "quorum a\n", "group one any b c\nquorum one\n", "group two all a c\ngroup top 1 two b\nquorum top\n" }) Assert.Equal(0, (await Outsiders.Python(Event(note), log.Signer.Key.ToString(), named + good)).Code);
        foreach (var bad in new[] { "quorum b\n", "", "quorum x\n", "hello\nquorum none\n" }) Assert.Equal(1, (await Outsiders.Python(Event(note), log.Signer.Key.ToString(), named + bad)).Code);
        Assert.Equal(1, (await Outsiders.Python(Event(plain), log.Signer.Key.ToString(), two)).Code);
        Assert.Equal((0, 1), ((await Outsiders.Python(Event(note, two))).Code, (await Outsiders.Python(Event(plain, two))).Code));       // the zip's own, where none is given
        using var stranger = new NoteSigner(TestLog.Origin, Hash256.Of("another key"u8).ToArray());
        Assert.Equal(1, (await Outsiders.Python(Event(note), log.Signer.Key.ToString(), $"log {stranger.Key}\nquorum none\n")).Code);

        // A time or a signature that is changed by one bit is none.
        var lines = note.ToString().Split('\n');
        var at = Array.FindIndex(lines, line => line.Contains("w2.example", StringComparison.Ordinal));
        foreach (var position in new[] { 11, 40 })
        {
            var bytes = Convert.FromBase64String(lines[at].Split(' ')[2]);
            bytes[position] ^= 1;
            Assert.True(SignedNote.TryParse(Encoding.UTF8.GetBytes(note.ToString().Replace(lines[at].Split(' ')[2], Convert.ToBase64String(bytes), StringComparison.Ordinal)), out var changed));
            Assert.Equal(1, (await Outsiders.Python(Event(changed), log.Signer.Key.ToString(), two)).Code);
        }
        foreach (var signer in signers) signer.Dispose();
    }

    private static async Task<byte[]> Zip(BundleContents contents)
    {
        using var output = new MemoryStream();
        _ = await BundleWriter.Write(output, contents, CancellationToken.None);
        return output.ToArray();
    }

    private static string[] Names(byte[] zip)
    {
        using var archive = new ZipArchive(new MemoryStream(zip));
        return [.. archive.Entries.Where(entry => entry.Length > 0).Select(entry => entry.FullName)];
    }

    private static byte[] WithFlippedBit(byte[] zip, string name)
    {
        using var copy = new MemoryStream();
        copy.Write(zip);
        using (var archive = new ZipArchive(copy, ZipArchiveMode.Update, leaveOpen: true))
        {
            var entry = archive.GetEntry(name)!;
            var bytes = new byte[entry.Length];
            using var content = entry.Open();
            content.ReadExactly(bytes);
            bytes[bytes.Length / 2] ^= 1;
            content.Position = 0;
            content.Write(bytes);
        }
        return copy.ToArray();
    }
}
