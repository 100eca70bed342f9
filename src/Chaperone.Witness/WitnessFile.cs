using System.Text;
using Chaperone.Ledger;

namespace Chaperone.Witness;

/// <summary>Where a witness's state is kept: one file that only its user may read, replaced whole before anything is answered. Held by one process at a time.</summary>
/// <remarks>
/// A file that is damaged, or gone although it was there, is refused: a witness that forgot what it signed would sign a fork. The lock beside it remembers the key, and so that there was one.
/// </remarks>
internal sealed class WitnessFile : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int LongestState = 64 * 1024 * 1024;
    private readonly string path;
    private readonly FileStream held;

    private WitnessFile(string path, FileStream held, WitnessState state) => (this.path, this.held, State) = (path, held, state);

    /// <summary>What is on the disk.</summary>
    public WitnessState State { get; private set; }

    /// <summary>Opens the file, or makes it with a new key.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">The name of a new key, or null for one made of the key itself.</param>
    /// <param name="logs">Logs to know besides those it knows already.</param>
    /// <exception cref="WitnessRefusedException">It is damaged, gone, in use, readable by others, or cannot be written.</exception>
    public static WitnessFile Open(string path, string? name, IEnumerable<VerifierKey> logs)
    {
        FileStream? held = null;
        try
        {
            held = Hold(path);
            var state = File.Exists(path) ? Existing(path, name) : Fresh(path, held, name);
            var wanted = logs.Aggregate(state, (known, log) => known.With(log));
            var file = new WitnessFile(path, held, wanted);
            if (!File.Exists(path) || !ReferenceEquals(wanted, state)) file.Replace(wanted);
            file.Remember();
            held = null;
            return file;
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException)
        {
            throw new WitnessRefusedException($"The state file {path} cannot be used: {unusable.Message}", unusable);
        }
        finally
        {
            held?.Dispose();
        }
    }

    /// <summary>Makes the state durable.</summary>
    /// <exception cref="IOException">It could not be written: what it was before holds.</exception>
    public void Replace(WitnessState state)
    {
        DurableFile.Replace(path, state.ToBytes(), OwnerOnly);
        State = state;
    }

    public void Dispose() => held.Dispose();

    private static FileStream Hold(string path)
    {
        try
        {
            return new(path + ".lock", new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, UnixCreateMode = OwnerOnly });
        }
        catch (IOException taken) when (File.Exists(path + ".lock"))
        {
            throw new WitnessRefusedException($"Another witness runs on {path}.", taken);
        }
    }

    private static WitnessState Existing(string path, string? name)
    {
        if ((File.GetUnixFileMode(path) & ~(OwnerOnly | UnixFileMode.UserExecute)) != UnixFileMode.None)
            throw new WitnessRefusedException($"The state file {path} holds the witness's private key, and others than its owner may read or write it. Find out who did, then: chmod 600 {path}");
        if (new FileInfo(path).Length > LongestState || WitnessState.Read(File.ReadAllBytes(path)) is not { } state)
            throw new WitnessRefusedException(
                $"The state file {path} is damaged. Going on would mean to forget which checkpoints were cosigned, and a forked log could be cosigned then. "
                + "Find out what happened to the disk. An older copy of the file is no cure, for it has forgotten too: begin again with another --state FILE, and enter its new key at every log.");
        if (name is not null && name != state.Name) throw new WitnessRefusedException($"The witness of {path} is named {state.Name}; a name cannot be changed, for it belongs to the key.");
        return state;
    }

    private static WitnessState Fresh(string path, FileStream held, string? name)
    {
        if (held.Length > 0)
        {
            using var reader = new StreamReader(held, Encoding.UTF8, leaveOpen: true);
            throw new WitnessRefusedException(
                $"The state file {path} is gone. It was that of {reader.ReadLine()}, and only it knew what was cosigned. Bring the very file back if it was moved. "
                + "Else begin again with another --state FILE, and enter its new key at every log.");
        }
        var seed = Ed25519.GenerateSeed();
        try
        {
            var state = WitnessState.New(name ?? "witness/" + Convert.ToHexStringLower(Ed25519.PublicKey(seed))[..16], seed);
            _ = state.Key;   // which is where a name that cannot be is noticed
            return state;
        }
        catch (ArgumentException)
        {
            throw new WitnessRefusedException($"\"{name}\" cannot be a witness's name: it has neither white space nor '+', such as witness.example.org/practice.");
        }
        finally
        {
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(seed);
        }
    }

    private void Remember()
    {
        if (held.Length > 0) return;
        held.Write(Encoding.UTF8.GetBytes(State.Key + "\n"));
        held.Flush(flushToDisk: true);
    }
}
