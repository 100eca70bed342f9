using System.Text.Json;
using System.Text.Json.Serialization;

namespace Chaperone.Clinic.Compliance;

/// <summary>When and on what a test ended.</summary>
/// <param name="At">When.</param>
/// <param name="Commit">The commit that was checked out; null outside a repository.</param>
/// <param name="Changed">Whether files differed from that commit.</param>
/// <param name="Sources">Digest of the program's sources then.</param>
public sealed record TestEnd(DateTimeOffset At, string? Commit, bool Changed, string? Sources)
{
    /// <summary>The commit as people write it.</summary>
    [JsonIgnore]
    public string On => Commit is not { Length: >= 7 } commit ? "outside a repository" : $"commit {commit[..7]}{(Changed ? " with changes" : "")}";
}

/// <summary>How a test stands.</summary>
/// <param name="Passed">Its last pass, or null if it never passed here.</param>
/// <param name="Failed">Its last failure, when that is newer.</param>
public sealed record TestStanding(TestEnd? Passed, TestEnd? Failed);

/// <summary>What the last run of <c>./chaperone test</c> left.</summary>
/// <param name="Run">When it ended, and on what.</param>
/// <param name="Passed">Tests that passed in it.</param>
/// <param name="Failed">Tests that did not.</param>
/// <param name="Tests">Every test by full name, with its last pass in this run or an earlier one.</param>
public sealed record TestRuns(TestEnd Run, int Passed, int Failed, IReadOnlyDictionary<string, TestStanding> Tests);

/// <summary>
/// The file in which <c>./chaperone test</c> keeps when each test last passed. It is read, never written, and never made up: where it is missing, the tests have not run beside this program, and
/// the pages say so.
/// </summary>
/// <param name="path">The file; null for none.</param>
/// <param name="sources">Digest of the sources this program was built from; null when whoever started it did not say.</param>
public sealed class TestPasses(string? path, string? sources)
{
    private const long MostBytes = 32 * 1024 * 1024;
    private static readonly TestState Missing = new(null, null, "The tests have not run on this installation’s copy. Run ./chaperone test, and the times stand here.");
    private static readonly TestState Unreadable = new(null, null, "The file with the tests’ results cannot be read. Run ./chaperone test again.");
    private readonly Lock gate = new();
    private (DateTime Written, long Length, TestState State)? known;

    /// <summary>No results at all.</summary>
    public static TestPasses None { get; } = new(null, null);

    /// <summary>What the file says now.</summary>
    public TestState Read()
    {
        if (path is null) return Missing;
        lock (gate)
        {
            try
            {
                var file = new FileInfo(path);
                if (!file.Exists) return Missing;
                if (known is { } before && before.Written == file.LastWriteTimeUtc && before.Length == file.Length) return before.State;
                if (file.Length > MostBytes) return Unreadable;
                var state = JsonSerializer.Deserialize(File.ReadAllBytes(path), TestPassesJson.Default.TestRuns) is { Run: not null, Tests: not null } runs ? new TestState(runs, sources, null) : Unreadable;
                known = (file.LastWriteTimeUtc, file.Length, state);
                return state;
            }
            catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or JsonException)
            {
                return Unreadable;
            }
        }
    }
}

/// <summary>What is known of the tests.</summary>
/// <param name="Runs">The results, or null.</param>
/// <param name="Sources">Digest of this program's sources, or null.</param>
/// <param name="Why">Why nothing is known.</param>
public sealed record TestState(TestRuns? Runs, string? Sources, string? Why)
{
    /// <summary>How a test stands; null when it has no result here.</summary>
    public TestStanding? Of(string test) => Runs?.Tests.GetValueOrDefault(test);

    /// <summary>Whether an end was on other sources than this program's. False where that cannot be told.</summary>
    public bool IsOfOtherSources(TestEnd end) => Sources is not null && end.Sources is not null && end.Sources != Sources;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TestRuns))]
internal sealed partial class TestPassesJson : JsonSerializerContext;
