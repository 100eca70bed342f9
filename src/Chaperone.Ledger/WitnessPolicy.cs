using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Chaperone.Ledger;

/// <summary>A witness as a policy names it.</summary>
/// <param name="Name">Its name within the policy.</param>
/// <param name="Key">Its key.</param>
/// <param name="Url">Its submission prefix as it was written, or null.</param>
public sealed record PolicyWitness(string Name, VerifierKey Key, string? Url);

/// <summary>Which logs are trusted and which witnesses must have cosigned a checkpoint (C2SP tlog-policy).</summary>
public sealed class WitnessPolicy
{
    private const int LongestPolicy = 1_000_000;
    private readonly Dictionary<string, PolicyWitness> witnesses = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (int Needed, string[] Members)> groups = new(StringComparer.Ordinal);
    private readonly List<VerifierKey> logs = [];
    private string? quorum;

    private WitnessPolicy() { }

    /// <summary>Keys of the logs that the policy names.</summary>
    public IReadOnlyList<VerifierKey> Logs => logs;

    /// <summary>The witnesses that the policy names, in no order.</summary>
    public IReadOnlyCollection<PolicyWitness> Witnesses => witnesses.Values;

    /// <summary>The witness or group that must have cosigned, or <c>none</c>.</summary>
    public string Quorum => quorum!;

    /// <summary>Whether any witness is needed at all.</summary>
    public bool NeedsWitnesses => quorum != "none";

    /// <summary>The policy of a log without witnesses.</summary>
    public static string TextFor(VerifierKey log) => $"log {log}\nquorum none\n";

    /// <summary>Reads a policy: lines of <c>log</c>, <c>witness</c>, <c>group</c> and one <c>quorum</c>; <c>#</c> begins a comment line. Members must be named before they are used.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out WitnessPolicy? policy)
    {
        policy = null;
        if (bytes.Length > LongestPolicy) return false;
        var read = new WitnessPolicy();
        foreach (var line in Encoding.UTF8.GetString(bytes).Split('\n'))
        {
            var words = line.Split((char[])[' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 0 && !words[0].StartsWith('#') && !read.Add(words)) return false;
        }
        if (read.quorum is null) return false;
        policy = read;
        return true;
    }

    /// <summary>Whether enough witnesses have cosigned the note.</summary>
    public bool IsSatisfiedBy(SignedNote note)
    {
        if (!NeedsWitnesses) return true;
        var good = witnesses.Where(witness => note.IsCosignedBy(witness.Value.Key, out _)).Select(witness => witness.Key).ToHashSet(StringComparer.Ordinal);
        // Groups only name what stands before them, so one pass in order of definition settles all.
        foreach (var (name, (needed, members)) in groups) if (members.Count(good.Contains) >= needed) good.Add(name);
        return good.Contains(quorum!);
    }

    private bool Add(string[] words) => words[0] switch
    {
        "log" when words.Length is 2 or 3 && VerifierKey.TryParse(words[1], out var log) => AddLog(log),
        "witness" when words.Length is 3 or 4 && VerifierKey.TryParse(words[2], out var key) => AddWitness(words[1], key, words.ElementAtOrDefault(3)),
        "group" when words.Length >= 4 => AddGroup(words[1], words[2], words[3..]),
        "quorum" when words.Length == 2 && quorum is null && (words[1] == "none" || !IsNew(words[1])) => (quorum = words[1]) is not null,
        _ => false,
    };

    private bool AddLog(VerifierKey log)
    {
        logs.Add(log);
        return true;
    }

    private bool AddWitness(string name, VerifierKey key, string? url) =>
        IsNew(name) && !witnesses.Values.Any(known => known.Key.PublicKey.SequenceEqual(key.PublicKey)) && witnesses.TryAdd(name, new(name, key, url));

    private bool AddGroup(string name, string needed, string[] members)
    {
        if (!IsNew(name) || Array.Exists(members, IsNew) || members.Distinct(StringComparer.Ordinal).Count() != members.Length) return false;
        var count = needed switch { "any" => 1, "all" => members.Length, _ => Checkpoint.TryParseNumber(needed, out var n) && n <= members.Length ? (int)n : 0 };
        return count > 0 && groups.TryAdd(name, (count, members));
    }

    private bool IsNew(string name) => name != "none" && !witnesses.ContainsKey(name) && !groups.ContainsKey(name);
}
