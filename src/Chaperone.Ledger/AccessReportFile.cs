using System.Text;
using System.Text.Json;

namespace Chaperone.Ledger;

/// <summary>
/// The report on who looked at somebody's data, as a JSON file that can be checked: one checkpoint, for each event its entry with the proof that it stands in the log, for those that name nobody else also
/// the event itself, and at the end the signature of the log's key over everything before. <see cref="Verifier.VerifyAt"/> checks it.
/// </summary>
public static class AccessReportFile
{
    /// <summary>What its member <c>format</c> says.</summary>
    public const string Format = "chaperone access report v1";

    private const string Signature = ",\n  \"signature\": \"";

    /// <summary>What ends the file, in place of the last brace: the signature over all bytes before it.</summary>
    /// <param name="signer">The log's key.</param>
    /// <param name="before">SHA-256 of all bytes before.</param>
    public static byte[] Ending(NoteSigner signer, Hash256 before)
    {
        var text = SignedText(signer.Key.Name, before);
        return Ending(new SignedNote(text, signer.Sign(text)).ToBytes());
    }

    internal static void Verify(byte[] file, VerificationReport report, VerifyOptions options)
    {
        report.Bodies = true;
        var at = file.AsSpan().LastIndexOf(Encoding.ASCII.GetBytes(Signature));
        JsonElement json;
        try
        {
            using var document = JsonDocument.Parse(file);
            json = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            report.CannotCheck("The file is no JSON.");
            return;
        }
        if (json.ValueKind != JsonValueKind.Object || Text(json, "format") != Format) { report.CannotCheck("The file is no report on who looked."); return; }
        using var files = LogSource.Of(new[] { (BundlePaths.Key, "key"), (BundlePaths.Checkpoint, "checkpoint"), (BundlePaths.Policy, "policy") }
            .Where(pair => Text(json, pair.Item2) is not null).ToDictionary(pair => pair.Item1, pair => Encoding.UTF8.GetBytes(Text(json, pair.Item2)!), StringComparer.Ordinal));
        if (Verifier.KeyOf(files, report, options) is not { } key) return;
        if (files.Read(BundlePaths.Checkpoint) is not { } signed || !SignedNote.TryParse(signed, out var note) || !Checkpoint.TryOpen(note, key, out var head)) { report.AddProblem(null, Verifier.NotSigned(key)); return; }
        report.Checkpoint = head;
        BundleVerifier.CheckPolicy(files, report, (note, key));
        if (at < 0 || !Base64Text.TryDecode(Text(json, "signature") ?? "", out var bytes) || !SignedNote.TryParse(bytes, out var signature) || !signature.IsSignedBy(key)
            || signature.Text != SignedText(key.Name, Hash256.Of(file.AsSpan(0, at))) || !file.AsSpan(at).SequenceEqual(Ending(bytes)))
            report.AddProblem(null, "The file is not the one that the log's key signed: something in it was changed.");
        if (json.TryGetProperty("events", out var events) && events.ValueKind == JsonValueKind.Array) CheckEvents(events, report, head);
        else report.AddProblem(null, "The list of events is missing.");
        if (options.Older is { } older) EvidenceVerifier.HoldAgainst(report, key, older.Span, [head], "the report's checkpoint");
    }

    private static void CheckEvents(JsonElement events, VerificationReport report, Checkpoint head)
    {
        var (entries, unproved) = (0L, 0L);
        var (from, to) = (long.MaxValue, 0L);
        foreach (var look in events.EnumerateArray())
        {
            if (look.ValueKind != JsonValueKind.Object) { report.AddProblem(null, "Something in the list of events is no event."); continue; }
            if (!look.TryGetProperty("proof", out var proof) || proof.ValueKind != JsonValueKind.Array) { unproved++; continue; }
            if (!look.TryGetProperty("index", out var number) || number.ValueKind != JsonValueKind.Number || !number.TryGetInt64(out var index)) { report.AddProblem(null, "An event with a proof has no index."); continue; }
            (from, to) = (Math.Min(from, index), Math.Max(to, index + 1));
            if (Wrong(look, index, proof, head, out var whole) is { } what) report.AddTampered(index, what);
            else if (whole) report.AddVerified(1);
            else entries++;
        }
        if (to > 0) (report.From, report.To) = (from, to);
        report.AddCount("entries", entries);
        if (entries > 0) report.AddNote($"{entries} events are proved by their entries alone, because they name other people too, or whoever made the report may not give them out: that they stand in the log is shown by the tree, what is said of them by the signature.");
        if (unproved > 0) report.AddNote($"{unproved} events have no proof: they came after the checkpoint, or do not open. Only the signature speaks for them.");
    }

    // What is wrong with one event, or null; and whether the event itself is there.
    private static string? Wrong(JsonElement look, long index, JsonElement proof, Checkpoint head, out bool whole)
    {
        whole = look.TryGetProperty("event", out _);
        var hashes = new List<Hash256>();
        foreach (var each in proof.EnumerateArray())
        {
            if (each.ValueKind != JsonValueKind.String || !Hash256.TryParseBase64(each.GetString()!, out var hash)) return "The proof is malformed.";
            hashes.Add(hash);
        }
        if (!Base64Text.TryDecode(Text(look, "entry") ?? "", out var entry) || entry.Length != Entry.Size) return "The entry is malformed.";
        if (!Merkle.VerifyInclusion(Merkle.LeafHash(entry), index, head.Size, [.. hashes], head.Root)) return "Entry, index and proof do not lead to the root of the signed checkpoint: one of them was changed.";
        if (!whole) return null;
        if (Text(look, "event") is not { } line || !Base64Text.TryDecode(Text(look, "salt") ?? "", out var salt) || salt.Length != Entry.SaltSize) return "The event or its salt is malformed.";
        if (!Entry.Bytes(salt, Encoding.UTF8.GetBytes(line)).AsSpan().SequenceEqual(entry)) return "The event is not the one whose entry stands in the log.";
        try
        {
            var happened = EventJson.Read(Encoding.UTF8.GetBytes(line));
            var same = Text(look, "id") == happened.Id.ToString("D") && Text(look, "action") == happened.Action && look.GetProperty("at").GetDateTimeOffset() == happened.At
                && Text(look, "account") == happened.Actor.Id?.ToString("D") && look.GetProperty("refused").GetBoolean() == (happened.Outcome != EventOutcome.Success);
            return same ? null : "What is said of the event is not what it says itself.";
        }
        catch (Exception malformed) when (malformed is FormatException or InvalidOperationException or KeyNotFoundException)
        {
            return "What is said of the event is malformed.";
        }
    }

    private static byte[] Ending(byte[] note) => Encoding.ASCII.GetBytes($"{Signature}{Convert.ToBase64String(note)}\"\n}}\n");

    // Not what a bundle or a case signs: neither passes for the other.
    private static string SignedText(string origin, Hash256 before) => $"chaperone/access-report/v1\n{origin}\n{before}\n";

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
