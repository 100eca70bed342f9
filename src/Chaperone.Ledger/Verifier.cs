namespace Chaperone.Ledger;

/// <summary>What to hold a log against.</summary>
public sealed record VerifyOptions
{
    /// <summary>The log's key, from somewhere trusted. Without it the key found with the log is used, and the report says so.</summary>
    public VerifierKey? Key { get; init; }

    /// <summary>A key found beside the log, used only when neither <see cref="Key"/> nor the log itself has one.</summary>
    public VerifierKey? FoundKey { get; init; }

    /// <summary>A signed checkpoint of the same log kept from earlier; the log must continue it.</summary>
    public ReadOnlyMemory<byte>? Older { get; init; }

    /// <summary>Is told how far it is, from one thread: entries done, of so many.</summary>
    public Action<long, long>? Progress { get; init; }
}

/// <summary>Verifies logs: a folder, zip or server of C2SP tlog-tiles (anybody's), an export bundle of Chaperone's, or its <see cref="Evidence"/>.</summary>
public static partial class Verifier
{
    /// <summary>Verifies whatever the source holds: a bundle when it has a manifest, evidence when it has a proof or is of a case, else a log of tiles.</summary>
    /// <param name="source">Where to read; not disposed.</param>
    /// <param name="subject">How the report calls it.</param>
    /// <param name="options">What to hold it against.</param>
    /// <param name="cancel">Stops between batches of 64 tiles.</param>
    /// <returns>A report; damaged content is in it and never an exception, an unreachable source is <see cref="VerificationReport.CouldNotCheck"/>.</returns>
    public static VerificationReport Verify(LogSource source, string subject, VerifyOptions options, CancellationToken cancel = default)
    {
        var report = new VerificationReport { Subject = subject, Progress = options.Progress };
        try
        {
            var manifest = source.Read(BundlePaths.Manifest);
            if (manifest is null && source.List() is not null && source.Read(Evidence.Proof) is { } proof) EvidenceVerifier.VerifyEvent(source, report, options, proof);
            else if (manifest is null && source.List() is not null && source.Read(Evidence.Consistency) is { } continues) EvidenceVerifier.VerifyConsistency(source, report, options, continues);
            else if (manifest is null && source.List() is not null && source.Read(CaseEvidence.Manifest) is { } chosen) CaseVerifier.Verify(source, report, options, chosen);
            else if (manifest is null && source.List()?.FirstOrDefault(path => path.StartsWith("events/", StringComparison.Ordinal)) is { } bodies)
                report.AddProblem(null, $"There are events ({bodies}) but no {BundlePaths.Manifest}: it was removed.");
            else if (OpenCheckpoint(source, report, options) is not { } note) return report;
            else if (manifest is null) VerifyTiles(source, report, note, options, cancel);
            else BundleVerifier.Verify(source, report, note, manifest, options, cancel);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            report.CannotCheck(unreadable.Message);
        }
        return report;
    }

    /// <summary>Verifies a whole log together with its events, read from a source that answers tile paths and the body paths of <see cref="BundlePaths"/>: what a database does with itself.
    /// The checkpoint's signature must have been verified (<c>Checkpoint.TryOpen</c>); set it in the report.</summary>
    /// <param name="source">Answers paths; called from several threads.</param>
    /// <param name="report">Is filled.</param>
    /// <param name="head">The tree head.</param>
    /// <param name="onEvent">Sees every good event in order, for further checks such as record digests.</param>
    /// <param name="cancel">Stops between batches.</param>
    public static void VerifyLog(LogSource source, VerificationReport report, Checkpoint head, VerifiedEvent? onEvent, CancellationToken cancel = default)
    {
        report.Checkpoint = head;
        var scan = new LogScan(source, report, head, bodies: true, onEvent);
        scan.Run(new(head, source, report), 0, head.Size, cancel);
        scan.Settle();
    }

    /// <summary>Holds a log against an older signed checkpoint: adds a problem unless the older tree is a prefix of this one.</summary>
    /// <param name="source">The log's tiles; they are proved against the head first.</param>
    /// <param name="report">Is filled.</param>
    /// <param name="head">The present head.</param>
    /// <param name="key">The log's key.</param>
    /// <param name="older">The note of the older checkpoint.</param>
    /// <param name="isWholeLog">Whether the source claims to be the whole log as it is now: then an older checkpoint of a larger size means that the tail is gone.</param>
    public static void VerifyContinues(LogSource source, VerificationReport report, Checkpoint head, VerifierKey key, ReadOnlySpan<byte> older, bool isWholeLog)
    {
        if (!Checkpoint.TryOpen(older, key, out var before)) { report.CannotCheck("The given checkpoint file is not a checkpoint signed by this log's key."); return; }
        if (before.Size > head.Size)
        {
            var what = $"The given checkpoint has {before.Size} entries, the log only {head.Size}";
            if (isWholeLog) report.AddProblem(head.Size, what + ": its tail is gone.");
            else report.CannotCheck(what + ": the bundle was made before it, so the two cannot be compared.");
            return;
        }
        var root = Merkle.EmptyRoot;
        if (before.Size == head.Size) root = head.Root;
        else if (before.Size > 0)
        {
            var tiles = new ProvenTiles(head, source, new() { Subject = "" });
            try
            {
                root = new TileNodes(before.Size, (level, index, _) => tiles.Get(level, index)).Root();
            }
            catch (InvalidDataException missing)
            {
                report.CannotCheck($"The tiles that would compare the log with the given checkpoint are not there: {missing.Message}");
                return;
            }
        }
        if (root != before.Root) report.AddProblem(null, $"The log does not continue the given checkpoint of {before.Size} entries: its first {before.Size} entries are not those that were signed then.");
        else report.AddNote($"The log continues the given checkpoint of {before.Size} entries.");
    }

    private static void VerifyTiles(LogSource source, VerificationReport report, (SignedNote Note, VerifierKey Key) signed, VerifyOptions options, CancellationToken cancel)
    {
        var head = report.Checkpoint!;
        var tiles = new ProvenTiles(head, source, report);
        new LogScan(source, report, head, bodies: false, onEvent: null).Run(tiles, 0, head.Size, cancel);
        if (options.Older is { } older) VerifyContinues(source, report, head, signed.Key, older.Span, isWholeLog: true);
    }

    /// <summary>The key to check with: the given one, else the one inside, else the one found beside. Null when there is none to be had; the report says why.</summary>
    internal static VerifierKey? KeyOf(LogSource source, VerificationReport report, VerifyOptions options)
    {
        var embedded = source.Read(BundlePaths.Key);
        VerifierKey? inside = null;
        if (embedded is not null && !VerifierKey.TryParse(System.Text.Encoding.UTF8.GetString(embedded), out inside)) { report.AddProblem(null, $"{BundlePaths.Key} is not a verifier key."); return null; }
        var key = options.Key ?? inside ?? options.FoundKey;
        if (key is null) { report.CannotCheck("No key: give the log's verifier key with --key."); return null; }
        if (inside is not null && !inside.Equals(key)) { report.AddProblem(null, $"{BundlePaths.Key} is not the given key: somebody else's log, or one that was made anew."); return null; }
        if (options.Key is null) report.AddNote("The key came with the log and was believed. This shows that the log agrees with itself, not who wrote it: compare the key with one from elsewhere, or give it with --key.");
        if (key.Type == SignatureType.Ed25519) return key;
        report.CannotCheck("The key is a witness's, not a log's.");
        return null;
    }

    internal static string NotSigned(VerifierKey key) => $"The checkpoint is not signed by the key {key.Name}+{key.KeyId:x8}, or is not a checkpoint of its log.";

    private static (SignedNote Note, VerifierKey Key)? OpenCheckpoint(LogSource source, VerificationReport report, VerifyOptions options)
    {
        var bytes = source.Read(BundlePaths.Checkpoint);
        if (bytes is null) { report.CannotCheck("There is no checkpoint: this is not a log or a bundle."); return null; }
        if (KeyOf(source, report, options) is not { } key) return null;
        if (!SignedNote.TryParse(bytes, out var note)) { report.AddProblem(null, "The checkpoint is not a signed note."); return null; }
        if (!Checkpoint.TryOpen(note, key, out var head)) { report.AddProblem(null, NotSigned(key)); return null; }
        report.Checkpoint = head;
        report.To = head.Size;
        return (note, key);
    }
}
