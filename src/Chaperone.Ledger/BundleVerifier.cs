using System.Globalization;
using System.Text;

namespace Chaperone.Ledger;

/// <summary>Verifies an export bundle: manifest, policy, and the range it holds.</summary>
internal static class BundleVerifier
{
    public const string Unwitnessed = "No witness has cosigned the checkpoint; a log made anew by its owner would not be noticed without an older checkpoint.";

    public static void Verify(
        LogSource source, VerificationReport report, (SignedNote Note, VerifierKey Key) signed, byte[] bytes, VerifyOptions options, CancellationToken cancel)
    {
        var head = report.Checkpoint!;
        (report.To, report.Bodies) = (0, true);
        if (ReadManifest(source, report, signed.Key, head, bytes) is not { } manifest) return;
        CheckFiles(source, report, manifest);
        CheckPolicy(source, report, signed);
        var scan = new LogScan(source, report, head, bodies: true, onEvent: null);
        scan.Run(new(head, source, report), manifest.From, manifest.To, cancel);
        foreach (var index in manifest.Expiries) ReadExpiry(source, report, head, manifest, scan, index);
        scan.Settle();
        if (report.ProblemCount == 0 && (report.Verified != manifest.Events || report.Expired != manifest.Expired))
            report.AddProblem(null, $"The manifest says {manifest.Events} events and {manifest.Expired} expired; there are {report.Verified} and {report.Expired}.");
        if (options.Older is { } older) Verifier.VerifyContinues(source, report, head, signed.Key, older.Span, isWholeLog: false);
    }

    private static Manifest? ReadManifest(LogSource source, VerificationReport report, VerifierKey key, Checkpoint head, byte[] bytes)
    {
        var signature = source.Read(BundlePaths.ManifestSignature);
        if (signature is null || !SignedNote.TryParse(signature, out var note) || !note.IsSignedBy(key) || note.Text != Manifest.SignedText(head.Origin, bytes))
        {
            report.AddProblem(null, $"{BundlePaths.Manifest} is not what {BundlePaths.ManifestSignature} and the log's key vouch for.");
            return null;
        }
        try
        {
            var manifest = Manifest.Read(bytes);
            if (manifest.Head == head && manifest.From >= 0 && manifest.From <= manifest.To && manifest.To <= head.Size) return manifest;
            report.AddProblem(null, "The manifest speaks of another tree than the checkpoint, or of a range that is not in it.");
        }
        catch (FormatException malformed)
        {
            report.AddProblem(null, $"{BundlePaths.Manifest} is malformed: {malformed.Message}");
        }
        return null;
    }

    private static void CheckFiles(LogSource source, VerificationReport report, Manifest manifest)
    {
        foreach (var path in Manifest.Listed)
            if (!manifest.Files.TryGetValue(path, out var hash) || source.Read(path) is not { } content || Hash256.Of(content) != hash)
                report.AddProblem(null, $"{path} is not the file that the manifest lists.");
        if (source.List() is not { } paths) return;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            if (!seen.Add(path)) report.AddProblem(null, $"{Shown(path)} stands twice in the bundle.");
            else if (!Belongs(path, manifest)) report.AddProblem(null, $"{Shown(path)} does not belong to the bundle.");
        }
    }

    private static bool Belongs(string path, Manifest manifest)
    {
        if (path is BundlePaths.Manifest or BundlePaths.ManifestSignature || Manifest.Listed.Contains(path, StringComparer.Ordinal)) return true;
        if (TileAddress.TryParse(path, out var address)) return IsNeeded(address, manifest.Head.Size, manifest.From, manifest.To);
        foreach (var (folder, end) in (ReadOnlySpan<(string, string)>)[("events/", ".ndjson"), ("salts/", ".bin")])
            if (path.StartsWith(folder, StringComparison.Ordinal) && path.EndsWith(end, StringComparison.Ordinal) && path.Length > folder.Length + end.Length
                && TileAddress.TryParse($"tile/entries/{path[folder.Length..^end.Length]}", out var body))
                return body.Width == Tiles.Width && Touches(body.Index, 0, manifest.From, manifest.To);
        return manifest.Expiries.Any(index => path == BundlePaths.Expiry(index));
    }

    /// <summary>Whether a bundle of that range holds the tile: those above or at the range, and the last of every level, which make the root.</summary>
    public static bool IsNeeded(TileAddress address, long size, long from, long to) =>
        address.Width == Tiles.WidthAt(address.Level, address.Index, size)
        && (Touches(address.Index, Math.Max(address.Level, 0), from, to) || (address.Level >= 0 && address.Width < Tiles.Width));

    private static bool Touches(long index, int level, long from, long to)
    {
        var shift = Tiles.Height * (level + 1);
        return from < to && index >= from >> shift && index <= (to - 1) >> shift;
    }

    internal static void CheckPolicy(LogSource source, VerificationReport report, (SignedNote Note, VerifierKey Key) signed)
    {
        if (source.Read(BundlePaths.Policy) is not { } text) return;   // its absence has been reported
        if (!WitnessPolicy.TryParse(text, out var policy)) report.AddProblem(null, "The policy is malformed.");
        else if (!policy.Logs.Contains(signed.Key)) report.AddProblem(null, "The policy does not name this log's key.");
        else if (!policy.IsSatisfiedBy(signed.Note)) report.AddProblem(null, "The checkpoint lacks the witnesses that the policy asks for.");
        else if (!policy.NeedsWitnesses && policy.Witnesses.Count(witness => signed.Note.IsCosignedBy(witness.Key, out _)) is > 0 and var cosigned)
            report.AddNote($"Cosigned by {cosigned} of the {policy.Witnesses.Count} witnesses that the policy names and does not ask for. Compare their keys with those from elsewhere.");
        else if (!policy.NeedsWitnesses) report.AddNote(Unwitnessed);
    }

    private static void ReadExpiry(LogSource source, VerificationReport report, Checkpoint head, Manifest manifest, LogScan scan, long index)
    {
        var path = BundlePaths.Expiry(index);
        var lines = source.Read(path) is { } bytes ? Encoding.UTF8.GetString(bytes).Split('\n') : [];
        var proof = new Hash256[Math.Max(0, lines.Length - 3)];
        var shape = lines.Length >= 3 && lines[^1].Length == 0;
        for (var i = 0; shape && i < proof.Length; i++) shape = Hash256.TryParseBase64(lines[i + 2], out proof[i]);
        if (!shape || !Base64Text.TryDecode(lines[1], out var salt) || salt.Length != Entry.SaltSize
            || !Merkle.VerifyInclusion(Merkle.LeafHash(Entry.Bytes(salt, Encoding.UTF8.GetBytes(lines[0]))), index, head.Size, proof, head.Root))
        {
            report.AddProblem(index, $"{path} is missing or is not an event of the log.");
            return;
        }
        try
        {
            var read = EventJson.Read(Encoding.UTF8.GetBytes(lines[0]));
            if (read.Action == EventJson.ExpiredAction) { scan.Names(index, read.Expired, manifest.From, manifest.To); return; }
        }
        catch (FormatException)
        {
            // reported below: a line that is in the log but cannot be read names nothing
        }
        report.AddProblem(index, $"{path} is an event of the log, but not one of expiry.");
    }

    internal static string Shown(string path) => string.Create(CultureInfo.InvariantCulture, $"'{string.Concat(path.Take(80).Select(c => char.IsControl(c) ? '?' : c))}'");
}
