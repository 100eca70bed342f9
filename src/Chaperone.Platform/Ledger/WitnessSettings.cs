using System.Net;
using System.Text;
using Chaperone.Ledger;

namespace Chaperone.Platform.Ledger;

/// <summary>What the operator has set about witnesses, for every clinic of the installation.</summary>
/// <param name="Operators">The operator's own witnesses; all of them are asked for every clinic.</param>
/// <param name="Policy">The lines of witnesses and groups of the operator's policy, or nothing.</param>
/// <param name="Quorum">Which of them must have cosigned, as that policy says, or <c>none</c>.</param>
/// <param name="Networks">Networks in which what a clinic enters may be although they are not public: its witnesses, there by HTTP too, and the receivers of its log.</param>
public sealed record WitnessSettings(IReadOnlyList<LogWitness> Operators, string Policy, string Quorum, IReadOnlyList<IPNetwork> Networks)
{
    /// <summary>Nothing is set.</summary>
    public static WitnessSettings None { get; } = new([], "", "none", []);

    /// <summary>Reads what the operator has set.</summary>
    /// <param name="policy">A policy (C2SP tlog-policy) whose witnesses all have an address, or null.</param>
    /// <param name="networks">Networks such as <c>192.168.7.0/24</c> and single addresses, with commas or spaces between, or null.</param>
    /// <returns>The settings, or a sentence about what is wrong.</returns>
    public static (WitnessSettings? Settings, string? Wrong) Read(byte[]? policy, string? networks)
    {
        var allowed = new List<IPNetwork>();
        foreach (var text in (networks ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            if (IPNetwork.TryParse(text, out var network)) allowed.Add(network);
            else if (IPAddress.TryParse(text, out var address)) allowed.Add(new(address, address.GetAddressBytes().Length * 8));
            else return (null, $"\"{text}\" is neither a network, such as 192.168.7.0/24, nor an address.");
        }
        if (policy is null) return (None with { Networks = allowed }, null);
        if (!WitnessPolicy.TryParse(policy, out var read)) return (null, "it is not a policy as C2SP tlog-policy describes it: lines of \"witness NAME VKEY URL\", perhaps \"group\", and one \"quorum\".");
        var witnesses = new List<LogWitness>();
        foreach (var named in read.Witnesses)
        {
            if (named.Key.Type != SignatureType.CosignatureV1) return (null, $"the key of {named.Name} is not a witness's.");
            if (!Uri.TryCreate(named.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")) return (null, $"{named.Name} needs the http(s) address at which it answers.");
            witnesses.Add(new(null, named.Name, url, named.Key, Required: false));
        }
        var lines = Encoding.UTF8.GetString(policy).Split('\n').Select(line => line.Trim(' ', '\t', '\r'));
        var kept = string.Concat(lines.Where(line => line.StartsWith("witness", StringComparison.Ordinal) || line.StartsWith("group", StringComparison.Ordinal)).Select(line => line + "\n"));
        return (new(witnesses, kept, read.Quorum, allowed), null);
    }

    /// <summary>The policy of one clinic's log: the operator's quorum, every witness that the clinic requires, and as many of its own as it wants.</summary>
    /// <param name="log">The log's key.</param>
    /// <param name="witnesses">All that are asked, the operator's among them.</param>
    /// <param name="asks">Whether it is to ask for them, or only to name them: of a checkpoint that lacks some.</param>
    /// <param name="needed">How many of the clinic's own must have cosigned, whichever they are; more than there are means all.</param>
    public string PolicyOf(VerifierKey log, IReadOnlyList<LogWitness> witnesses, bool asks = true, int needed = 0)
    {
        var text = new StringBuilder($"log {log}\n").Append(Policy);
        var (must, own) = (new List<string>(), new List<string>());
        if (Quorum != "none") must.Add(Quorum);
        foreach (var (witness, number) in witnesses.Where(witness => !witness.IsOperators).Select((witness, number) => (witness, number)))
        {
            // Not what people call it: a name may be somebody's, and the policy goes out with every export.
            var name = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"clinic-witness-{number + 1}");
            text.Append("witness ").Append(name).Append(' ').Append(witness.Key).Append('\n');
            own.Add(name);
            if (witness.Required) must.Add(name);
        }
        if (needed > 0 && own.Count > 0)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"group clinic-some {Math.Min(needed, own.Count)} ").AppendJoin(' ', own).Append('\n');
            must.Add("clinic-some");
        }
        if (!asks || must.Count == 0) return text.Append("quorum none\n").ToString();
        if (must.Count == 1) return text.Append("quorum ").Append(must[0]).Append('\n').ToString();
        return text.Append("group clinic-quorum all ").AppendJoin(' ', must).Append("\nquorum clinic-quorum\n").ToString();
    }
}
