using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Chaperone.Ledger;

namespace Chaperone.Witness;

/// <summary>All that a witness must never forget: its key, the logs it knows, and of each the checkpoint it cosigned last. Immutable; a change is another state.</summary>
/// <param name="Name">Its key's name.</param>
/// <param name="Seed">Its private key.</param>
/// <param name="Logs">Keys trusted, by origin.</param>
/// <param name="Seen">The note cosigned last, by origin: the log's signatures and its own cosignature.</param>
internal sealed record WitnessState(string Name, ImmutableArray<byte> Seed, ImmutableSortedDictionary<string, ImmutableArray<VerifierKey>> Logs, ImmutableSortedDictionary<string, SignedNote> Seen)
{
    private const string Format = "chaperone-witness/v1";

    public static WitnessState New(string name, byte[] seed) => new(name, [.. seed], ImmutableSortedDictionary.Create<string, ImmutableArray<VerifierKey>>(StringComparer.Ordinal), ImmutableSortedDictionary.Create<string, SignedNote>(StringComparer.Ordinal));

    /// <summary>The key that logs and verifiers enter: of type cosignature/v1.</summary>
    public VerifierKey Key => new(Name, Ed25519.PublicKey(Seed.AsSpan()), SignatureType.CosignatureV1);

    /// <summary>The checkpoint cosigned last for an origin, or null.</summary>
    public Checkpoint? Latest(string origin) => Seen.TryGetValue(origin, out var note) && Checkpoint.TryParse(note.Text, out var checkpoint) ? checkpoint : null;

    /// <summary>The keys trusted for an origin; none when it is not known.</summary>
    public ImmutableArray<VerifierKey> KeysOf(string origin) => Logs.TryGetValue(origin, out var keys) ? keys : [];

    /// <summary>Knows one more log, or one more key of a log.</summary>
    public WitnessState With(VerifierKey log) => KeysOf(log.Name).Contains(log) ? this : this with { Logs = Logs.SetItem(log.Name, KeysOf(log.Name).Add(log)) };

    /// <summary>Cosigns what was judged good. The time never runs backwards for a log, whatever the machine's clock does: each cosignature says that nothing larger was seen by then.</summary>
    public (WitnessState State, NoteSignature Line) Cosign(SignedNote note, DateTimeOffset now)
    {
        var (origin, key) = (note.Text[..note.Text.IndexOf('\n', StringComparison.Ordinal)], Key);
        if (Seen.TryGetValue(origin, out var before) && before.IsCosignedBy(key, out var last) && last > now) now = last;
        using var signer = new NoteSigner(Name, Seed.AsSpan());
        var line = signer.Cosign(note.Text, now);
        var kept = note.Signatures.Where(signature => KeysOf(origin).Any(log => log.Name == signature.Name && log.KeyId == signature.KeyId));
        return (this with { Seen = Seen.SetItem(origin, new(note.Text, [.. kept, line])) }, line);
    }

    /// <summary>The state as lines, the last of which is a digest of those before.</summary>
    public byte[] ToBytes()
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{Format}\nname {Name}\nseed {Convert.ToBase64String(Seed.AsSpan())}\n");
        foreach (var key in Logs.Values.SelectMany(keys => keys)) text.Append(CultureInfo.InvariantCulture, $"log {key}\n");
        foreach (var note in Seen.Values) text.Append(CultureInfo.InvariantCulture, $"seen {Convert.ToBase64String(note.ToBytes())}\n");
        text.Append(CultureInfo.InvariantCulture, $"sha256 {Hash256.Of(Encoding.UTF8.GetBytes(text.ToString()))}\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Reads a state back. Null for anything but what <see cref="ToBytes"/> writes, to the byte, with every signature in it good.</summary>
    public static WitnessState? Read(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var lines = Encoding.UTF8.GetString(bytes).Split('\n');
            if (lines.Length < 5 || lines[0] != Format || !lines[1].StartsWith("name ", StringComparison.Ordinal) || !lines[2].StartsWith("seed ", StringComparison.Ordinal)) return null;
            var state = New(lines[1][5..], Convert.FromBase64String(lines[2][5..]));
            var key = state.Key;
            foreach (var line in lines[3..^2])
            {
                if (line.StartsWith("log ", StringComparison.Ordinal) && VerifierKey.TryParse(line[4..], out var log)) state = state.With(log);
                else if (line.StartsWith("seen ", StringComparison.Ordinal) && SignedNote.TryParse(Convert.FromBase64String(line[5..]), out var note) && Checkpoint.TryParse(note.Text, out var head)
                    && note.IsCosignedBy(key, out _) && state.KeysOf(head.Origin).Any(note.IsSignedBy)) state = state with { Seen = state.Seen.SetItem(head.Origin, note) };
                else return null;
            }
            return state.ToBytes().AsSpan().SequenceEqual(bytes) ? state : null;
        }
        catch (Exception damaged) when (damaged is FormatException or ArgumentException)
        {
            return null;
        }
    }

    // Records are printed by whoever logs them.
    public override string ToString() => nameof(WitnessState);
}
