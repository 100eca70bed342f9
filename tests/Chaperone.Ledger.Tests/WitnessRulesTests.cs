using System.Text;

namespace Chaperone.Ledger.Tests;

/// <summary>The witness protocol without a network: bytes and rules (C2SP tlog-witness).</summary>
public sealed class WitnessRulesTests
{
    // C2SP tlog-witness, "Example request body".
    private const string Example =
        "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n"
        + "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        + "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        + "\u2014 example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";

    private static readonly TestLog Log = TestLog.OfSize(700);
    private static readonly VerifierKey[] Keys = [Log.Signer.Key];

    internal static Checkpoint Head(int size) => new(TestLog.Origin, size, Naive.Root([.. Log.Leaves.Take(size)]));

    internal static WitnessRequest Ask(int old, int size) => new(old, Merkle.ConsistencyProof(old, size, Naive.Nodes([.. Log.Leaves])), Head(size).Sign(Log.Signer));

    private static WitnessVerdict Judge(WitnessRequest request, Checkpoint? latest, params VerifierKey[] keys) => WitnessRules.Judge(request, keys.Length == 0 ? Keys : keys, latest);

    [Fact]
    public void The_specifications_example_is_read_and_written_back_to_the_byte()
    {
        Assert.True(WitnessRequest.TryParse(Encoding.UTF8.GetBytes(Example), out var request));
        Assert.Equal((20852014, 4, "example.com/behind-the-sofa"), (request.OldSize, request.Proof.Count, WitnessRules.OriginOf(request)));
        Assert.Equal(2, request.Note.Signatures.Count);
        Assert.Equal(Example, Encoding.UTF8.GetString(request.ToBytes()));
    }

    [Fact]
    public void What_is_no_request_to_the_letter_is_refused()
    {
        static bool Parses(string body) => WitnessRequest.TryParse(Encoding.UTF8.GetBytes(body), out _);
        Assert.True(Parses(Example));
        var line = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n";
        Assert.True(Parses(Example.Replace(line, string.Concat(Enumerable.Repeat(line, 60)))));     // 63 in all
        foreach (var wrong in new[]
        {
            "", "\n\n", "old 1", "old 1\n", "old 1\n\n", Example[..^1], Example.Replace("old 2", "old 02"), Example.Replace("old 2", "old +2"), Example.Replace("old 2", "old  2"), Example.Replace("old 2", "OLD 2"),
            Example.Replace("old 20852014", "old"), Example.Replace("old 20852014", "old -1"), Example.Replace("old 20852014", "old 9223372036854775808"), Example.Replace("20852014", "20852014\0"),
            Example.Replace("kaw=", "kaw"), Example.Replace("Dpkaw=", "Dpkax="), Example.Replace("kaw=\n", "kaw=\r\n"), Example.Replace("pkaw=\n", "pkaw=\n "),
            Example.Replace(line, string.Concat(Enumerable.Repeat(line, 61))), "\n" + Example, "x" + Example, Example.Replace("old 20852014\n", ""), Example + new string('x', WitnessRequest.LongestBody),
        }) Assert.False(Parses(wrong), wrong.Length > 300 ? wrong[..300] : wrong);
    }

    [Fact]
    public void Every_pair_of_sizes_is_cosigned_with_its_proof_and_no_other()
    {
        foreach (var old in new[] { 0, 1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 600, 699, 700 })
        {
            foreach (var size in new[] { 0, 1, 2, 5, 8, 256, 257, 512, 513, 700 }.Where(size => size >= old))
            {
                Assert.Equal(WitnessVerdict.Cosign, Judge(Ask(old, size), old == 0 ? null : Head(old)));
                var spoilt = Ask(old, size);
                Assert.Equal(WitnessVerdict.Inconsistent, Judge(spoilt with { Proof = [.. spoilt.Proof, Head(1).Root] }, old == 0 ? null : Head(old)));
                if (old == 0) continue;
                Assert.Equal(WitnessVerdict.Inconsistent, Judge(spoilt, new(TestLog.Origin, old, Hash256.Of("fork"u8))));
                Assert.Equal(WitnessVerdict.Conflict, Judge(spoilt, Head(old - 1)));
                Assert.Equal(WitnessVerdict.Conflict, Judge(spoilt, new(TestLog.Origin, 701, Hash256.Of("longer"u8))));
            }
        }
    }

    [Fact]
    public void Each_refusal_has_the_specifications_status()
    {
        using var other = new NoteSigner(TestLog.Origin, Hash256.Of("another key"u8).ToArray());
        using var stranger = new NoteSigner("stranger.example", Hash256.Of("stranger"u8).ToArray());
        var good = Ask(3, 9);
        Assert.Equal(WitnessVerdict.UnknownLog, WitnessRules.Judge(good, [], Head(3)));
        Assert.Equal(WitnessVerdict.BadSignature, Judge(good with { Note = Head(9).Sign(other) }, Head(3)));
        Assert.Equal(WitnessVerdict.Cosign, Judge(good with { Note = Head(9).Sign(other) }, Head(3), Keys[0], other.Key));
        Assert.Equal(WitnessVerdict.Cosign, Judge(good with { Note = good.Note.With(stranger.Sign(good.Note.Text)) }, Head(3)));
        // A line under a trusted key's name and id that is wrong makes the whole note malformed, a good one beside it or not.
        Assert.Equal(WitnessVerdict.BadSignature, Judge(good with { Note = good.Note.With(other.Sign("something else\n")) }, Head(3), Keys[0], other.Key));
        Assert.Equal(WitnessVerdict.Malformed, Judge(Ask(3, 9) with { OldSize = 10 }, Head(3)));
        Assert.Equal(WitnessVerdict.Malformed, Judge(good with { Note = new("no checkpoint\n", Log.Signer.Sign("no checkpoint\n")) }, Head(3)));
        var text = $"{TestLog.Origin}\n0\n{Hash256.Of("not empty"u8).ToBase64()}\n";
        Assert.Equal(WitnessVerdict.Inconsistent, Judge(new(0, [], new(text, Log.Signer.Sign(text))), null));
        Assert.Equal(WitnessVerdict.Cosign, Judge(Ask(0, 0), null));
        Assert.Equal(WitnessVerdict.Cosign, Judge(Ask(9, 9), Head(9)));
        Assert.Equal(WitnessVerdict.Inconsistent, Judge(Ask(9, 9), new(TestLog.Origin, 9, Hash256.Of("fork"u8))));
    }

    [Fact]
    public void No_flipped_bit_is_cosigned_and_no_torn_request_throws()
    {
        var bytes = Ask(300, 700).ToBytes();
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(WitnessRequest.TryParse(bytes, out var request) && Judge(request, Head(300)) == WitnessVerdict.Cosign, $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        for (var length = 0; length < bytes.Length; length++) Assert.False(WitnessRequest.TryParse(bytes.AsSpan(0, length), out _));
        var random = new Random(20261121);
        for (var i = 0; i < 20_000; i++)
        {
            var mixed = (byte[])bytes.Clone();
            for (var edit = random.Next(1, 6); edit > 0; edit--) mixed[random.Next(mixed.Length)] = (byte)"\n =+/old0159A\u00e2"[random.Next(13)];
            if (mixed.AsSpan().SequenceEqual(bytes)) continue;
            Assert.False(WitnessRequest.TryParse(mixed, out var request) && Judge(request, Head(300)) == WitnessVerdict.Cosign);
        }
    }

    [Fact]
    public void The_answers_lines_are_believed_only_where_the_witnesss_key_signed_this_note()
    {
        using var witness = new NoteSigner("witness.example", Hash256.Of("witness"u8).ToArray());
        using var impostor = new NoteSigner("witness.example", Hash256.Of("impostor"u8).ToArray());
        var key = new VerifierKey("witness.example", witness.Key.PublicKey, SignatureType.CosignatureV1);
        var note = Ask(0, 9).Note;
        NoteSignature? Find(string body) => WitnessRules.FindCosignature(Encoding.UTF8.GetBytes(body), note, key);
        var good = witness.Cosign(note.Text, TestLog.Start);
        Assert.Equal(good.ToString(), Find(good + "\n")?.ToString());
        Assert.Equal(good.ToString(), Find(impostor.Cosign(note.Text, TestLog.Start) + "\n" + good + "\n")?.ToString());
        foreach (var wrong in new[]
        {
            "", "\n", good.ToString(), good + "\n\n", "x" + good + "\n", impostor.Cosign(note.Text, TestLog.Start) + "\n", witness.Cosign(Ask(0, 8).Note.Text, TestLog.Start) + "\n", witness.Sign(note.Text) + "\n",
            good + "\n" + witness.Cosign("other\n", TestLog.Start) + "\n", "other text\n\n" + good + "\n", "<html>\n", new string('x', 100_000),
        }) Assert.Null(Find(wrong));
    }

    [Theory, InlineData("0\n", 0L), InlineData("20852014\n", 20852014L), InlineData("9223372036854775807\n", long.MaxValue)]
    public void A_conflicts_size_is_read(string body, long size) => Assert.True(WitnessRules.TryReadSize(Encoding.UTF8.GetBytes(body), out var read) && read == size);

    [Theory, InlineData(""), InlineData("\n"), InlineData("1"), InlineData("01\n"), InlineData("-1\n"), InlineData("1\n\n"), InlineData(" 1\n"), InlineData("1\r\n"), InlineData("9223372036854775808\n"), InlineData("1\0\n")]
    public void What_is_no_size_is_not_read(string body) => Assert.False(WitnessRules.TryReadSize(Encoding.UTF8.GetBytes(body), out _));
}
