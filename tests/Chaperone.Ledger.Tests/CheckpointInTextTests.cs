using System.Text;

namespace Chaperone.Ledger.Tests;

/// <summary>What people keep of a checkpoint is found again, however a mail program left it.</summary>
public sealed class CheckpointInTextTests
{
    private static readonly TestLog Log = TestLog.OfSize(300);
    private static readonly string Note = Log.Head.Sign(Log.Signer).ToString();

    private static bool Opens(string kept) => Checkpoint.TryOpen(CheckpointInText.Find(Encoding.UTF8.GetBytes(kept)).Span, Log.Signer.Key, out var head) && head == Log.Head;

    [Fact]
    public void It_is_found_in_texts_and_mails()
    {
        Assert.True(Opens(Note));
        Assert.True(Opens("Keep this.\n\n" + Note + "\nSee it:\nhttps://one.example\n\n-- \nfoot\n"));
        Assert.True(Opens(("Hello\n\n" + Note + "\nBye\n").ReplaceLineEndings("\r\n")));
        Assert.True(Opens("> Hello\n>\n" + string.Concat(Note.Split('\n').Select(line => "> " + line + "\n"))));
        Assert.True(Opens("   " + Note.Replace("\n", "\n   ")));
        Assert.True(Opens(Note.Replace("\n\n", "\n\n\n")));       // as copied out of a page
        Assert.True(Opens(Note[..^1]));
        var base64 = Convert.ToBase64String(Encoding.UTF8.GetBytes("Keep this.\r\n\r\n" + Note.ReplaceLineEndings("\r\n")), Base64FormattingOptions.InsertLineBreaks);
        Assert.True(Opens($"From: a@b.example\r\nContent-Type: multipart/alternative; boundary=\"=_x\"\r\n\r\n--=_x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n{base64}\r\n--=_x--\r\n"));
        var quoted = Note.Replace("=", "=3D").Replace("\u2014", "=E2=80=94").Insert(60, "=\r\n");
        Assert.True(Opens("Content-Transfer-Encoding: quoted-printable\r\n\r\nKeep this.\r\n\r\n" + quoted));
    }

    [Fact]
    public void What_was_changed_is_found_and_does_not_open_and_rubbish_is_handed_on_as_it_is()
    {
        Assert.False(Opens(("x\n" + Note).Replace("\n300\n", "\n299\n")));
        var random = new Random(7);
        for (var i = 0; i < 3000; i++)
        {
            var rubbish = new byte[random.Next(400)];
            random.NextBytes(rubbish);
            Assert.True(CheckpointInText.Find(rubbish).Span.SequenceEqual(rubbish));
            var torn = Encoding.UTF8.GetBytes("text\n" + Note);
            torn[random.Next(torn.Length)] ^= (byte)(1 << random.Next(8));
            _ = CheckpointInText.Find(torn);
        }
    }
}
