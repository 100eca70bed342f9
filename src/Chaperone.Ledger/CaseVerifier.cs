namespace Chaperone.Ledger;

/// <summary>Verifies what <see cref="CaseEvidence"/> makes: manifest, one checkpoint, papers, and every event with its own proof.</summary>
internal static class CaseVerifier
{
    public static void Verify(LogSource source, VerificationReport report, VerifyOptions options, byte[] bytes)
    {
        report.Bodies = true;
        if (Verifier.KeyOf(source, report, options) is not { } key) return;
        if (source.Read(BundlePaths.Checkpoint) is not { } signed || !SignedNote.TryParse(signed, out var note) || !Checkpoint.TryOpen(note, key, out var head)) { report.AddProblem(null, Verifier.NotSigned(key)); return; }
        report.Checkpoint = head;
        if (ReadManifest(source, report, key, head, bytes) is not { } manifest) return;
        CheckFiles(source, report, manifest);
        BundleVerifier.CheckPolicy(source, report, (note, key));
        var all = manifest.Events.Concat(manifest.Expired.Select(each => each.Index)).ToArray();
        if (all.Length > 0) (report.From, report.To) = (all.Min(), all.Max() + 1);
        report.AddNote($"The file holds {all.Length} chosen events of the log, not all of it. What was written about them, {CaseEvidence.Report} and {CaseEvidence.Data}, is as the clinic signed it; the log does not prove it.");

        var good = new Dictionary<long, byte[]>();
        foreach (var index in manifest.Events.Union(manifest.Expiries).Order())
        {
            if (Wrong(source, index, head, signed, out var line) is { } what) report.AddTampered(index, what);
            else
            {
                good[index] = line;
                if (manifest.Events.Contains(index)) report.AddVerified(1);
            }
        }
        foreach (var (index, by) in manifest.Expired)
        {
            if (good.TryGetValue(by, out var line) && Names(line, index)) report.AddExpired(1);
            else report.AddTampered(index, $"It is said to have expired, and event {by}, which should name it, does not.");
        }
        if (options.Older is { } older) EvidenceVerifier.HoldAgainst(report, key, older.Span, [head], "the evidence's checkpoint");
    }

    private static CaseManifest? ReadManifest(LogSource source, VerificationReport report, VerifierKey key, Checkpoint head, byte[] bytes)
    {
        var signature = source.Read(CaseEvidence.ManifestSignature);
        if (signature is null || !SignedNote.TryParse(signature, out var note) || !note.IsSignedBy(key) || note.Text != CaseManifest.SignedText(head.Origin, bytes))
        {
            report.AddProblem(null, $"{CaseEvidence.Manifest} is not what {CaseEvidence.ManifestSignature} and the log's key vouch for.");
            return null;
        }
        try
        {
            var manifest = CaseManifest.Read(bytes);
            var indexes = manifest.Events.Concat(manifest.Expired.Select(each => each.Index)).ToArray();
            if (manifest.Head == head && indexes.Concat(manifest.Expiries).All(index => index >= 0 && index < head.Size) && indexes.Distinct().Count() == indexes.Length && manifest.Expiries.Distinct().Count() == manifest.Expiries.Count)
                return manifest;
            report.AddProblem(null, "The manifest speaks of another tree than the checkpoint, or of events that are not in it.");
        }
        catch (FormatException malformed)
        {
            report.AddProblem(null, $"{CaseEvidence.Manifest} is malformed: {malformed.Message}");
        }
        return null;
    }

    private static void CheckFiles(LogSource source, VerificationReport report, CaseManifest manifest)
    {
        foreach (var path in CaseManifest.Listed)
            if (!manifest.Files.TryGetValue(path, out var hash) || source.Read(path) is not { } content || Hash256.Of(content) != hash)
                report.AddProblem(null, $"{path} is not the file that the manifest lists.");
        if (source.List() is not { } paths) return;
        var known = CaseManifest.Listed.Append(CaseEvidence.Manifest).Append(CaseEvidence.ManifestSignature)
            .Concat(manifest.Events.Union(manifest.Expiries).SelectMany(index => new[] { CaseEvidence.Event(index), CaseEvidence.Proof(index) })).ToHashSet(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in paths)
            if (!seen.Add(path)) report.AddProblem(null, $"{BundleVerifier.Shown(path)} stands twice in the evidence.");
            else if (!known.Contains(path)) report.AddProblem(null, $"{BundleVerifier.Shown(path)} does not belong to the evidence.");
    }

    // What is wrong with one event, or null.
    private static string? Wrong(LogSource source, long index, Checkpoint head, ReadOnlySpan<byte> signed, out byte[] line)
    {
        line = source.Read(CaseEvidence.Event(index)) ?? [];
        if (line.Length == 0) return $"{CaseEvidence.Event(index)} is missing.";
        if (source.Read(CaseEvidence.Proof(index)) is not { } bytes || !TlogProof.TryParse(bytes, out var proof)) return $"{CaseEvidence.Proof(index)} is missing, or is not a proof.";
        if (proof.Index != index || !proof.Note.ToBytes().AsSpan().SequenceEqual(signed)) return $"{CaseEvidence.Proof(index)} is of another event or under another checkpoint.";
        if (proof.Extra.Length != Entry.SaltSize) return $"The salt is missing from {CaseEvidence.Proof(index)}.";
        return Merkle.VerifyInclusion(Merkle.LeafHash(Entry.Bytes(proof.Extra.Span, line)), index, head.Size, [.. proof.Hashes], head.Root) ? null
            : $"{CaseEvidence.Event(index)}, its salt and its proof do not lead to the root of the signed checkpoint: one of them was changed.";
    }

    private static bool Names(byte[] line, long index)
    {
        try
        {
            var read = EventJson.Read(line);
            return read.Action == EventJson.ExpiredAction && read.Expired.Any(range => range.First <= index && index <= range.Last);
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
