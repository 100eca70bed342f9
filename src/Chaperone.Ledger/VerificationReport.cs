using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Chaperone.Ledger;

/// <summary>Something that is not as it was signed.</summary>
/// <param name="Index">The event's index in the log, where it is about one.</param>
/// <param name="What">What is wrong, in a sentence.</param>
public sealed record VerificationProblem(long? Index, string What);

/// <summary>What a verification found. Filled while it runs (thread-safe), then read: by the offline verifier, the server's command and the integrity page.</summary>
public sealed class VerificationReport
{
    /// <summary>How many problems are kept; the rest are counted.</summary>
    public const int KeptProblems = 100;

    private readonly Lock filling = new();
    private readonly List<VerificationProblem> problems = [];
    private readonly List<string> notes = [];
    private readonly Dictionary<string, long> counts = new(StringComparer.Ordinal);

    /// <summary>What was verified, such as a path.</summary>
    public required string Subject { get; init; }

    /// <summary>Is told how far it is.</summary>
    internal Action<long, long>? Progress { get; init; }

    /// <summary>The signed tree head, once its signature has been found good.</summary>
    public Checkpoint? Checkpoint { get; set; }

    /// <summary>First index verified.</summary>
    public long From { get; set; }

    /// <summary>End of the range of indexes verified, itself not in it.</summary>
    public long To { get; set; }

    /// <summary>Whether the events themselves were re-read, not only the entries that stand for them.</summary>
    public bool Bodies { get; set; }

    /// <summary>Events (or entries) that are what was signed.</summary>
    public long Verified { get; private set; }

    /// <summary>Events whose body ended and which an event of expiry names.</summary>
    public long Expired { get; private set; }

    /// <summary>Events that are not what was signed, or cannot be shown to be.</summary>
    public long Tampered { get; private set; }

    /// <summary>All problems found, kept or not.</summary>
    public long ProblemCount { get; private set; }

    /// <summary>The lowest index with something wrong.</summary>
    public long? FirstBadIndex { get; private set; }

    /// <summary>What is wrong at <see cref="FirstBadIndex"/>.</summary>
    public string? FirstBad { get; private set; }

    /// <summary>Why nothing could be said, or null.</summary>
    public string? CouldNotCheck { get; private set; }

    /// <summary>The first problems, in the order found.</summary>
    public IReadOnlyList<VerificationProblem> Problems { get { lock (filling) return [.. problems]; } }

    /// <summary>Plain sentences about what the result rests on.</summary>
    public IReadOnlyList<string> Notes { get { lock (filling) return [.. notes]; } }

    /// <summary>0 good, 1 tampered, 2 could not check.</summary>
    public int ExitCode => ProblemCount > 0 ? 1 : CouldNotCheck is null ? 0 : 2;

    /// <summary>Counts good events.</summary>
    public void AddVerified(long count) { lock (filling) Verified += count; }

    /// <summary>Counts expired events.</summary>
    public void AddExpired(long count) { lock (filling) Expired += count; }

    /// <summary>Adds to a further count that callers keep, such as records checked; shown with the others.</summary>
    public void AddCount(string name, long count) { lock (filling) counts[name] = counts.GetValueOrDefault(name) + count; }

    /// <summary>An event that is not what was signed, or a run of them for one reason, from <paramref name="index"/>.</summary>
    public void AddTampered(long index, string what, long count = 1)
    {
        lock (filling) Tampered += count;
        AddProblem(index, what);
    }

    /// <summary>Something wrong that is not an event.</summary>
    public void AddProblem(long? index, string what)
    {
        lock (filling)
        {
            ProblemCount++;
            if (problems.Count < KeptProblems) problems.Add(new(index, what));
            if (index is null || index >= (FirstBadIndex ?? long.MaxValue)) return;
            FirstBadIndex = index;
            FirstBad = what;
        }
    }

    /// <summary>A sentence about what the result rests on.</summary>
    public void AddNote(string sentence) { lock (filling) if (!notes.Contains(sentence, StringComparer.Ordinal)) notes.Add(sentence); }

    /// <summary>Says why nothing can be said; the first reason stays.</summary>
    public void CannotCheck(string why) { lock (filling) CouldNotCheck ??= why; }

    /// <summary>For people, ending in LF.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{(ExitCode == 0 ? "VERIFIED" : ExitCode == 1 ? "TAMPERED" : "COULD NOT CHECK")}: {Subject}\n");
        if (Checkpoint is { } head) text.Append(CultureInfo.InvariantCulture, $"  log         {head.Origin}\n  size        {head.Size}\n  root        {head.Root.ToBase64()}\n");
        if (Checkpoint is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"  range       {From} to {To} ({To - From} of {Checkpoint.Size})\n");
            text.Append(CultureInfo.InvariantCulture, $"  verified    {Verified} {(Bodies ? "events" : "entries")}\n  expired     {Expired}\n  tampered    {Tampered}\n");
        }
        lock (filling) foreach (var (name, count) in counts) text.Append(CultureInfo.InvariantCulture, $"  {name,-11} {count}\n");
        if (FirstBadIndex is { } bad) text.Append(CultureInfo.InvariantCulture, $"  first bad   {bad}: {FirstBad}\n");
        foreach (var problem in Problems) text.Append(CultureInfo.InvariantCulture, $"  ! {(problem.Index is { } at ? $"{at}: " : "")}{problem.What}\n");
        if (ProblemCount > KeptProblems) text.Append(CultureInfo.InvariantCulture, $"  ! and {ProblemCount - KeptProblems} more\n");
        foreach (var note in Notes) text.Append(CultureInfo.InvariantCulture, $"  note: {note}\n");
        if (CouldNotCheck is not null) text.Append(CultureInfo.InvariantCulture, $"  {CouldNotCheck}\n");
        return text.ToString();
    }

    /// <summary>For programs: one JSON object, one line, without LF.</summary>
    public string ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) Write(json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Writes the same object where a writer stands.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("result", ExitCode == 0 ? "verified" : ExitCode == 1 ? "tampered" : "could_not_check");
        json.WriteString("subject", Subject);
        if (Checkpoint is { } head)
        {
            json.WriteString("origin", head.Origin);
            json.WriteNumber("size", head.Size);
            json.WriteString("root", head.Root.ToBase64());
            json.WriteNumber("from", From);
            json.WriteNumber("to", To);
            json.WriteBoolean("bodies", Bodies);
        }
        json.WriteNumber("verified", Verified);
        json.WriteNumber("expired", Expired);
        json.WriteNumber("tampered", Tampered);
        lock (filling) foreach (var (name, count) in counts) json.WriteNumber(name, count);
        if (FirstBadIndex is { } bad) json.WriteNumber("firstBadIndex", bad);
        json.WriteNumber("problemCount", ProblemCount);
        json.WriteStartArray("problems");
        foreach (var problem in Problems)
        {
            json.WriteStartObject();
            if (problem.Index is { } at) json.WriteNumber("index", at);
            json.WriteString("what", problem.What);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("notes");
        foreach (var note in Notes) json.WriteStringValue(note);
        json.WriteEndArray();
        if (CouldNotCheck is not null) json.WriteString("couldNotCheck", CouldNotCheck);
        json.WriteNumber("exitCode", ExitCode);
        json.WriteEndObject();
    }
}
