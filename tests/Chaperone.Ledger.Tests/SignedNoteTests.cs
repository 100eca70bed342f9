using System.Text;

namespace Chaperone.Ledger.Tests;

public class SignedNoteTests
{
    // C2SP signed-note, section "Test vector".
    private const string Vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    private const string Text = "This is an example message.\n";
    private const string Line = "\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=";
    private const string Good = Text + "\n" + Line + "\n";

    private static bool Parses(string note) => SignedNote.TryParse(Encoding.UTF8.GetBytes(note), out _);

    [Fact]
    public void The_specifications_vector_verifies()
    {
        var key = VerifierKey.Parse(Vkey);
        Assert.Equal(Vkey, key.ToString());
        Assert.Equal(0x530d903au, key.KeyId);
        Assert.True(SignedNote.TryParse(Encoding.UTF8.GetBytes(Good), out var note));
        Assert.Equal(Text, note.Text);
        Assert.True(note.IsSignedBy(key));
        Assert.Equal(Good, note.ToString());
    }

    [Fact]
    public void Any_changed_bit_of_the_vector_is_refused()
    {
        var (key, bytes) = (VerifierKey.Parse(Vkey), Encoding.UTF8.GetBytes(Good));
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(SignedNote.TryParse(bytes, out var note) && note.IsSignedBy(key), $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void What_is_no_note_to_the_letter_is_refused()
    {
        Assert.True(Parses(Good));
        foreach (var wrong in new[]
        {
            "", "\n", "\n\n", Text, Text + "\n", Text + Line + "\n", Good[..^1], Good + "\n", Good + "x\n", Text.Replace("example", "exam\tple") + "\n" + Line + "\n", Good.Replace("\n", "\r\n"),
            Good.Replace("\u2014", "-"), Good.Replace("\u2014 ", "\u2014"), Good.Replace("example.com/foo", "example.com+foo"), Good.Replace("/foo Uw", "/foo  Uw"), Good.Replace(" Uw", ""), Good.Replace("aQM=", "aQM"),
            Good.Replace("aQM=", "aQN="), Good.Replace("aQM=", "aQM= "), Text + "\n\u2014 example.com/foo AAAAAA==\n", Text + "\n\u2014  AAAAAAA=\n", new string('x', 1_000_001),
        }) Assert.False(Parses(wrong), wrong);
        Assert.False(SignedNote.TryParse([0xFF, (byte)'\n', .. Encoding.UTF8.GetBytes("\n" + Line + "\n")], out _));
        Assert.True(Parses(Text + "\n" + string.Concat(Enumerable.Repeat(Line + "\n", 100))));
        Assert.False(Parses(Text + "\n" + string.Concat(Enumerable.Repeat(Line + "\n", 101))));
        Assert.True(Parses("\n" + Good));
    }

    [Theory]
    [InlineData(""), InlineData("x"), InlineData("a+b"), InlineData("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"), InlineData("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    [InlineData("example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"), InlineData("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2"), InlineData("example.com/foo+0x530d90+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    [InlineData("example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"), InlineData("example com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"), InlineData(Vkey + "\n\n"), InlineData(" " + Vkey)]
    public void Malformed_keys_are_refused(string vkey)
    {
        Assert.False(VerifierKey.TryParse(vkey, out _));
        Assert.Throws<FormatException>(() => VerifierKey.Parse(vkey));
    }

    [Theory, InlineData("\n"), InlineData("\r\n"), InlineData("")]
    public void A_key_files_line_end_is_forgiven(string end) => Assert.Equal(Vkey, VerifierKey.Parse(Vkey + end).ToString());

    [Fact]
    public void Several_signatures_are_kept_and_each_key_finds_its_own()
    {
        using var one = new NoteSigner("one.example", Hash256.Of("1"u8).ToArray());
        using var two = new NoteSigner("two.example", Hash256.Of("2"u8).ToArray());
        using var impostor = new NoteSigner("one.example", Hash256.Of("3"u8).ToArray());
        var note = new SignedNote("text\n", one.Sign("text\n")).With(two.Sign("text\n"));
        Assert.True(SignedNote.TryParse(note.ToBytes(), out var read));
        Assert.Equal(2, read.Signatures.Count);
        Assert.True(read.IsSignedBy(one.Key) && read.IsSignedBy(two.Key) && !read.IsSignedBy(impostor.Key));
        var forged = note.With(one.Sign("other\n"));
        Assert.False(forged.IsSignedBy(one.Key));
        Assert.True(forged.IsSignedBy(two.Key));
    }

    [Fact]
    public void A_witness_cosigns_with_a_time()
    {
        using var log = new NoteSigner("log.example", Hash256.Of("log"u8).ToArray());
        using var witness = new NoteSigner("witness.example", Hash256.Of("witness"u8).ToArray());
        var key = new VerifierKey("witness.example", witness.Key.PublicKey, SignatureType.CosignatureV1);
        Assert.Equal(key, VerifierKey.Parse(key.ToString()));
        Assert.NotEqual(key, witness.Key);
        var head = new Checkpoint("log.example", 0, Merkle.EmptyRoot).Sign(log);
        var later = TestLog.Start.AddSeconds(5);
        var note = head.With(witness.Cosign(head.Text, TestLog.Start), witness.Cosign(head.Text, later));
        Assert.True(SignedNote.TryParse(note.ToBytes(), out var read));
        Assert.True(read.IsCosignedBy(key, out var time));
        Assert.Equal(later, time);
        Assert.True(read.IsSignedBy(log.Key));
        Assert.False(read.IsSignedBy(key) || read.IsCosignedBy(log.Key, out _) || head.IsCosignedBy(key, out _));
        Assert.False(head.With(witness.Cosign("another text\n", later)).IsCosignedBy(key, out _));
        Assert.False(head.With(new NoteSignature(key.Name, key.KeyId, new byte[71])).IsCosignedBy(key, out _));
        var backdated = witness.Cosign(head.Text, later).Signature.ToArray();
        backdated[7]--;
        Assert.False(head.With(new NoteSignature(key.Name, key.KeyId, backdated)).IsCosignedBy(key, out _));
    }

    [Fact]
    public void A_policy_asks_for_its_quorum()
    {
        using var log = new NoteSigner("log.example", Hash256.Of("log"u8).ToArray());
        var signers = Enumerable.Range(0, 3).Select(i => new NoteSigner($"w{i}.example", Hash256.Of([(byte)i]).ToArray())).ToArray();
        var keys = signers.Select(signer => new VerifierKey(signer.Key.Name, signer.Key.PublicKey, SignatureType.CosignatureV1)).ToArray();
        var text = $"# ours\nlog {log.Key}\nwitness a {keys[0]}\nwitness b {keys[1]} https://b.example\n\nwitness c {keys[2]}\ngroup two 2 a b c\ngroup top all two c\nquorum top\n";
        Assert.True(WitnessPolicy.TryParse(Encoding.UTF8.GetBytes(text), out var policy));
        Assert.Equal(log.Key, Assert.Single(policy.Logs));
        var head = new Checkpoint("log.example", 0, Merkle.EmptyRoot).Sign(log);
        SignedNote By(params int[] who) => head.With(who.Select(i => signers[i].Cosign(head.Text, TestLog.Start)));
        Assert.False(policy.IsSatisfiedBy(head) || policy.IsSatisfiedBy(By(0, 1)) || policy.IsSatisfiedBy(By(2)));
        Assert.True(policy.IsSatisfiedBy(By(0, 2)) && policy.IsSatisfiedBy(By(0, 1, 2)));
        Assert.True(WitnessPolicy.TryParse(Encoding.UTF8.GetBytes(WitnessPolicy.TextFor(log.Key)), out var none) && !none.NeedsWitnesses && none.IsSatisfiedBy(head));
        foreach (var wrong in new[] { "", "quorum", "quorum x\n", text + "quorum none\n", "group g 0 a\n" + text, text.Replace("2 a b c", "4 a b c"), text.Replace("2 a b c", "2 a a"), text.Replace("top all", "a all"), "witness a b\nquorum none\n", "hello\nquorum none\n" })
            Assert.False(WitnessPolicy.TryParse(Encoding.UTF8.GetBytes(wrong), out _), wrong);
    }

    [Theory]
    [InlineData(""), InlineData("o\n1\n"), InlineData("o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), InlineData("\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), InlineData("o\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("o\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), InlineData("o\n+1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"), InlineData("o\n9223372036854775808\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
    [InlineData("o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF\n"), InlineData("o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n"), InlineData("o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"), InlineData("o\n0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")]
    public void Malformed_checkpoints_are_refused(string text) => Assert.False(Checkpoint.TryParse(text, out _));

    [Fact]
    public void Checkpoints_open_only_for_their_own_key_and_origin()
    {
        using var log = new NoteSigner("log.example", Hash256.Of("log"u8).ToArray());
        using var other = new NoteSigner("other.example", Hash256.Of("log"u8).ToArray());
        var head = new Checkpoint("log.example", 7, Hash256.Of("root"u8));
        var note = head.Sign(log);
        Assert.True(Checkpoint.TryOpen(note.ToBytes(), log.Key, out var opened) && opened == head);
        Assert.False(Checkpoint.TryOpen(note.ToBytes(), other.Key, out _));
        Assert.Throws<ArgumentException>(() => head.Sign(other));
        Assert.False(Checkpoint.TryOpen(new SignedNote(head.ToText(), other.Sign(head.ToText())).ToBytes(), other.Key, out _));
        var extended = head.ToText() + "an extension\n";
        Assert.True(Checkpoint.TryOpen(new SignedNote(extended, log.Sign(extended)).ToBytes(), log.Key, out opened) && opened == head);
    }
}
