namespace Chaperone.Ledger;

/// <summary>Verifies what <see cref="Evidence"/> makes.</summary>
internal static class EvidenceVerifier
{
    public static void VerifyEvent(LogSource source, VerificationReport report, VerifyOptions options, byte[] bytes)
    {
        report.Bodies = true;
        NothingElse(source, report, Evidence.Event, Evidence.Proof, BundlePaths.Key, BundlePaths.Policy);
        if (Verifier.KeyOf(source, report, options) is not { } key) return;
        if (!TlogProof.TryParse(bytes, out var proof)) { report.AddProblem(null, $"{Evidence.Proof} is not a proof: its form is broken."); return; }
        if (!Checkpoint.TryOpen(proof.Note, key, out var head)) { report.AddProblem(null, Verifier.NotSigned(key)); return; }
        report.Checkpoint = head;
        (report.From, report.To) = (proof.Index, proof.Index + 1);
        if (source.Read(Evidence.Event) is not { } line) { report.CannotCheck("The event itself is missing: give the exact line it was written as."); return; }
        if (source.Read(BundlePaths.Policy) is not null) BundleVerifier.CheckPolicy(source, report, (proof.Note, key));
        else report.AddNote(BundleVerifier.Unwitnessed);
        if (proof.Extra.Length != Entry.SaltSize) report.AddTampered(proof.Index, "The salt is missing from the proof's extra line.");
        else if (Merkle.VerifyInclusion(Merkle.LeafHash(Entry.Bytes(proof.Extra.Span, line)), proof.Index, head.Size, [.. proof.Hashes], head.Root)) report.AddVerified(1);
        else report.AddTampered(proof.Index, "Event, salt, index and proof do not lead to the root of the signed checkpoint: one of them was changed (a line break after the event counts).");
        if (options.Older is { } older) HoldAgainst(report, key, older.Span, [head], "the proof's checkpoint");
    }

    public static void VerifyConsistency(LogSource source, VerificationReport report, VerifyOptions options, byte[] bytes)
    {
        NothingElse(source, report, Evidence.Older, Evidence.Consistency, BundlePaths.Key);
        if (Verifier.KeyOf(source, report, options) is not { } key) return;
        if (!WitnessRequest.TryParse(bytes, out var proof)) { report.AddProblem(null, $"{Evidence.Consistency} is not a proof: its form is broken."); return; }
        if (!Checkpoint.TryOpen(proof.Note, key, out var head)) { report.AddProblem(null, Verifier.NotSigned(key)); return; }
        report.Checkpoint = head;
        (report.From, report.To) = (head.Size, head.Size);   // it shows no events
        var note = source.Read(Evidence.Older) ?? options.Older?.ToArray();
        if (note is null) { report.CannotCheck("The older checkpoint is missing: give the one you kept with --checkpoint."); return; }
        if (!Checkpoint.TryOpen(note, key, out var older)) { report.AddProblem(null, $"{Evidence.Older} is not a checkpoint signed by the key {key.Name}+{key.KeyId:x8}."); return; }
        if (!Evidence.Continues(proof, older, key)) { report.AddProblem(null, $"The log of {head.Size} entries is not shown to continue the checkpoint of {older.Size}: one of the two checkpoints or the proof is not of the same log."); return; }
        report.AddNote($"The log of {head.Size} entries continues the checkpoint of {older.Size}: nothing of it was changed, taken out or put in.");
        if (options.Older is { } kept) HoldAgainst(report, key, kept.Span, [older, head], "the two checkpoints");
    }

    // A proof has no tiles, so a checkpoint of another size cannot be compared with it.
    internal static void HoldAgainst(VerificationReport report, VerifierKey key, ReadOnlySpan<byte> note, ReadOnlySpan<Checkpoint> heads, string which)
    {
        if (!Checkpoint.TryOpen(note, key, out var kept)) { report.CannotCheck("The given checkpoint file is not a checkpoint signed by this log's key."); return; }
        foreach (var head in heads)
        {
            if (head.Size != kept.Size) continue;
            if (head == kept) report.AddNote($"The given checkpoint of {kept.Size} entries is among {which}.");
            else report.AddProblem(null, $"The given checkpoint of {kept.Size} entries has another root than {which}: there are two logs of one name.");
            return;
        }
        report.CannotCheck($"The given checkpoint of {kept.Size} entries is not {which}: ask the clinic for the proof of consistency between the two.");
    }

    private static void NothingElse(LogSource source, VerificationReport report, params ReadOnlySpan<string> known)
    {
        if (source.List() is not { } paths) return;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in paths)
            if (!seen.Add(path)) report.AddProblem(null, $"{BundleVerifier.Shown(path)} stands twice.");
            else if (!known.Contains(path)) report.AddProblem(null, $"{BundleVerifier.Shown(path)} does not belong to the evidence.");
    }
}
