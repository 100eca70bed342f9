using System.Text;

namespace Chaperone.Ledger.Tests;

public class SignedNoteTests
{
    // C2SP signed-note, section "Test vector".
    private const string Vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    private const string Text = "This is an example message.\n";
    private const string Line = "\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=";

    [Fact]
    public void The_specifications_vector_verifies()
    {
        var key = VerifierKey.Parse(Vkey);
        Assert.Equal(Vkey, key.ToString());
        Assert.Equal(0x530d903au, key.KeyId);
        Assert.True(SignedNote.TryParse(Encoding.UTF8.GetBytes(Text + "\n" + Line + "\n"), out var note));
        Assert.Equal(Text, note.Text);
        Assert.True(note.IsSignedBy(key));
        Assert.Equal(Text + "\n" + Line + "\n", note.ToString());
    }
}
