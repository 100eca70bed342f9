using System.Diagnostics;
using Chaperone.Clinic.Compliance;

namespace Chaperone.Clinic.Tests.Compliance;

/// <summary>When a test last passed: kept by the launcher's test run, read by the server, never made up.</summary>
public sealed class TestPassesTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("chaperone-passes-").FullName;

    private string FileName => Path.Combine(folder, "test-passes.json");

    [Fact]
    public void A_pass_stays_with_its_date_until_the_test_passes_again()
    {
        Report("A.Tests", ("A.Tests.One", "Holds", "Pass", "10:00:00"), ("A.Tests.One", "Cases", "Pass", "10:00:01"), ("A.Tests.One", "Cases", "Pass", "10:00:03"), ("A.Tests.One", "Gone", "Pass", "10:00:02"));
        Report("B.Tests", ("B.Tests.Two", "Other", "Pass", "10:00:05"));
        Keep("stamp1", "1111111aaaa", "no");
        var first = new TestPasses(FileName, "stamp1").Read();
        Assert.Equal((5, 0, At("10:00:05")), (first.Runs!.Passed, first.Runs.Failed, first.Runs.Run.At));
        Assert.Equal(new TestEnd(At("10:00:00"), "1111111aaaa", false, "stamp1"), first.Of("A.Tests.One.Holds")!.Passed);
        Assert.Equal(At("10:00:03"), first.Of("A.Tests.One.Cases")!.Passed!.At);
        Assert.False(first.IsOfOtherSources(first.Runs.Run));

        // One case fails, one test is gone, one program crashed and left no report.
        Directory.Delete(Path.Combine(folder, "results"), recursive: true);
        Report("A.Tests", ("A.Tests.One", "Holds", "Pass", "11:00:00"), ("A.Tests.One", "Cases", "Pass", "11:00:01"), ("A.Tests.One", "Cases", "Fail", "11:00:02"));
        Keep("stamp2", "2222222bbbb", "yes", failed: 2);
        var second = new TestPasses(FileName, "stamp1").Read();
        Assert.Equal((2, 2), (second.Runs!.Passed, second.Runs.Failed));       // the case, and the program
        Assert.Equal(At("11:00:00"), second.Of("A.Tests.One.Holds")!.Passed!.At);
        Assert.Equal((At("10:00:03"), "1111111aaaa", At("11:00:02")), second.Of("A.Tests.One.Cases") is { Passed: { } passed, Failed: { } failed } ? (passed.At, passed.Commit, failed.At) : default);
        Assert.Null(second.Of("A.Tests.One.Gone"));
        Assert.Equal((At("10:00:05"), "stamp1"), second.Of("B.Tests.Two.Other")!.Passed is { } kept ? (kept.At, kept.Sources) : default);
        Assert.True(second.IsOfOtherSources(second.Runs.Run));
        Assert.Equal("commit 2222222 with changes", second.Runs.Run.On);
    }

    [Fact]
    public void Without_results_or_with_a_file_that_says_nothing_no_time_is_told()
    {
        Assert.Null(TestPasses.None.Read().Runs);
        var passes = new TestPasses(FileName, null);
        Assert.Contains("have not run", passes.Read().Why, StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(folder, "results"));
        Keep("stamp", "", "no");
        Assert.False(File.Exists(FileName));       // nothing ran: nothing is written

        foreach (var broken in new[] { "", "{", "[]", "{\"run\":null}", "null", "{\"run\":{\"at\":\"yesterday\"},\"tests\":{}}" })
        {
            File.WriteAllText(FileName, broken);
            Assert.Equal((null, true), (passes.Read().Runs, passes.Read().Why!.Contains("cannot be read", StringComparison.Ordinal)));
        }
        Report("A.Tests", ("A.Tests.One", "Holds", "Pass", "10:00:00"));
        Keep("stamp", "", "no");
        var state = passes.Read();
        Assert.Equal("outside a repository", state.Of("A.Tests.One.Holds")!.Passed!.On);
        Assert.False(state.IsOfOtherSources(state.Runs!.Run));   // whoever started the program did not say what it is of
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse($"2026-05-06T{time}+00:00", System.Globalization.CultureInfo.InvariantCulture);

    // As xunit v3 writes them, with what its names may hold.
    private void Report(string program, params (string Type, string Method, string Result, string At)[] tests)
    {
        Directory.CreateDirectory(Path.Combine(folder, "results"));
        File.WriteAllText(Path.Combine(folder, "results", program + ".xml"), "<?xml version=\"1.0\" encoding=\"utf-8\"?><assemblies schema-version=\"3\"><assembly><collection name=\"tests\">" + string.Concat(tests.Select(test =>
            $"<test id=\"x\" name=\"{test.Type}.{test.Method}(a: &quot;&lt;&amp;>\\&quot;)\" result=\"{test.Result}\" time=\"0.1\" finish-rtf=\"2026-05-06T{test.At}.0000000+00:00\" type=\"{test.Type}\" method=\"{test.Method}\">"
            + (test.Result == "Fail" ? "<failure><message><![CDATA[It said <test result=\"Pass\"]]></message></failure></test>" : "</test>"))) + "</collection></assembly></assemblies>");
    }

    private void Keep(string sources, string commit, string changed, int failed = 0)
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Chaperone.slnx"))) root = Path.GetDirectoryName(root)!;
        using var node = Process.Start(new ProcessStartInfo("node", [Path.Combine(root, "eng", "test-passes.mjs"), FileName, Path.Combine(folder, "results"), sources, commit, changed, failed.ToString(System.Globalization.CultureInfo.InvariantCulture)]))!;
        node.WaitForExit();
        Assert.Equal(0, node.ExitCode);
    }
}
