using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Text.Json;
using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Compliance;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Tests.AuditLog;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.Compliance;

/// <summary>The mapping of controls: held against catalogue, program and tests, and shown with what this clinic's log holds.</summary>
public sealed class ComplianceTests : AuditWorld
{
    private static readonly string Root = Find(AppContext.BaseDirectory);
    private static readonly string ResultsFile = Path.Combine(Path.GetTempPath(), $"chaperone-passes-{Guid.NewGuid():N}.json");

    private static IEnumerable<Control> Controls => Frameworks.All.SelectMany(framework => framework.Controls);

    private protected override TestPasses Tests { get; } = new(ResultsFile, "stamp1");

    [Fact]
    public void Every_event_that_is_named_is_in_the_catalogue_and_written_by_the_program()
    {
        var program = string.Join('\n', Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/Compliance/Frameworks", StringComparison.Ordinal) && !file.EndsWith("EventCatalogue.List.cs", StringComparison.Ordinal)
                && !file.EndsWith("AccessLook.cs", StringComparison.Ordinal) && !file.EndsWith("AuditText.cs", StringComparison.Ordinal)).Select(File.ReadAllText));
        foreach (var action in Controls.SelectMany(control => control.Events).Distinct())
        {
            Assert.True(EventCatalogue.Knows(action), action);
            Assert.True(program.Contains($"\"{action}\"", StringComparison.Ordinal), $"nothing writes {action}");
        }
    }

    [Fact]
    public void Every_test_that_is_named_exists()
    {
        // The configuration this runs in: each test program lies beside this one's project.
        var mine = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        var output = Path.GetRelativePath(Path.Combine(Root, "tests", "Chaperone.Clinic.Tests"), mine);
        var there = Directory.EnumerateDirectories(Path.Combine(Root, "tests")).Select(folder => Path.Combine(folder, output, Path.GetFileName(folder) + ".dll")).Where(File.Exists).SelectMany(TestsOf).ToHashSet(StringComparer.Ordinal);
        Assert.Contains($"{typeof(ComplianceTests).FullName}.{nameof(Every_test_that_is_named_exists)}", there);
        Assert.DoesNotContain(Controls.SelectMany(control => control.Tests), test => !there.Contains(test));
    }

    [Fact]
    public void Every_control_says_what_is_done_what_is_missing_and_what_is_left_to_people()
    {
        Assert.Equal(Controls.Count(), Frameworks.All.Sum(framework => framework.Controls.DistinctBy(control => control.Number).Count()));
        foreach (var control in Controls)
        {
            Assert.True(control.Does.EndsWith('.') && control.Asks.EndsWith('.') && control.Yours.All(yours => yours.EndsWith('.')), control.Number);
            Assert.Equal(control.Coverage is Coverage.Partly or Coverage.Not, control.Missing is not null);
            if (control.Coverage is Coverage.Covered or Coverage.Partly) Assert.NotEmpty(control.Tests);
            else Assert.Empty(control.Tests);
            if (control.Coverage is Coverage.Yours or Coverage.Not) Assert.NotEmpty(control.Yours);
        }
    }

    /// <summary>With CHAPERONE_WRITE_DOCS=1 in the environment it writes the page instead.</summary>
    [Fact]
    public void The_page_in_the_docs_is_this_mapping()
    {
        var page = Path.Combine(Root, "docs", "compliance.md");
        if (Environment.GetEnvironmentVariable("CHAPERONE_WRITE_DOCS") == "1") File.WriteAllText(page, FrameworksText.Markdown());
        Assert.Equal(FrameworksText.Markdown(), File.Exists(page) ? File.ReadAllText(page) : "missing");
    }

    [Fact]
    public async Task A_reviewer_sees_how_many_events_of_this_clinic_show_each_control_and_no_other_clinics()
    {
        await Run(new ViewPatient((await Run(new RegisterPatient(Person("More", "There")), Platform.As(OtherClinic, BuiltInRole.Doctor))).Id), Platform.As(OtherClinic, BuiltInRole.Doctor));
        var view = await Run(new ViewCompliance("gdpr"), Reviewer);
        Assert.Equal("gdpr", Assert.Single(view.Frameworks).Code);
        var events = await Platform.EventsAsync(Clinic);
        foreach (var (action, count) in view.Counts) Assert.Equal(events.Count(happened => happened.Action == action && happened.Id.CompareTo((events[^1]).Id) <= 0) - (action == "compliance.viewed" ? 1 : 0), count);
        Assert.Equal(events.Count(happened => happened.Outcome == EventOutcome.Denied), view.Refusals);
        Assert.True(view.Refusals > 0);

        // What is counted is what the viewer lists behind the link.
        var control = view.Frameworks[0].Controls.Single(each => each.Number == "Art. 32(4)");
        foreach (var shown in view.ShownFor(control))
        {
            var listed = await All(Query((shown.Field, shown.Value), (AuditQuery.From, $"{view.Since:yyyy-MM-dd}")));
            Assert.Equal(shown.Count, listed.Count);
        }
        Platform.Clock.Advance(TimeSpan.FromDays(40));
        Assert.Equal(0, (await Run(new ViewCompliance("gdpr"), Reviewer)).Counts["patient.viewed"]);
        Assert.Equal(("compliance.viewed", "gdpr"), ((await LastEvent()).Action, (await LastEvent()).Details["frameworks"].Code));
    }

    [Fact]
    public async Task Who_may_not_read_the_log_sees_none_of_it_and_rules_that_are_not_there_are_told()
    {
        foreach (var role in BuiltInRole.All.Where(role => role != BuiltInRole.Owner && role != BuiltInRole.Admin && role != BuiltInRole.ReadOnly))
        {
            Assert.Equal(403, (await Try(new ViewCompliance(null), Platform.As(Clinic, role))).Error!.Status);
            Assert.Equal(403, (await Try(new ExportCompliance(null), Platform.As(Clinic, role))).Error!.Status);
        }
        Assert.Equal(ComplianceErrors.NoSuchFramework.Code, (await Try(new ViewCompliance("iso"), Reviewer)).Error!.Code);
        Assert.Equal(404, (await Send("GET", "/settings/compliance/iso", Reviewer)).Status);
        Assert.Equal(404, (await Send("GET", "/api/compliance?framework=iso", Reviewer)).Status);
    }

    [Fact]
    public async Task Pages_report_and_api_say_the_same_and_the_tests_times_are_those_of_the_file_or_none()
    {
        var pages = new[] { "/settings/compliance", "/settings/compliance/hipaa", "/settings/compliance/pci-dss", "/settings/compliance/soc2" };
        foreach (var address in pages)
        {
            var (status, body, _) = await Send("GET", address, Reviewer);
            Assert.Equal(200, status);
            Assert.Contains("The tests have not run on this installation’s copy. Run ./chaperone test", System.Net.WebUtility.HtmlDecode(Encoding.UTF8.GetString(body)), StringComparison.Ordinal);
        }
        Assert.Equal(JsonValueKind.Null, (await Json("/api/compliance")).GetProperty("tests").ValueKind);

        var (good, bad) = ("Chaperone.Ledger.Tests.InteropTests.Logs_of_all_shapes_are_accepted_by_both", "Chaperone.Platform.Tests.Operations.ReferenceMonitorTests.When_the_log_cannot_be_written_nothing_is_shown_or_changed");
        await File.WriteAllTextAsync(ResultsFile, $$"""
            {"run":{"at":"2026-05-06T07:08:09+00:00","commit":"0123456789abcdef","changed":false,"sources":"stamp1"},"passed":900,"failed":1,"tests":{
            "{{good}}":{"passed":{"at":"2026-05-06T07:08:09+00:00","commit":"0123456789abcdef","changed":false,"sources":"stamp1"},"failed":null},
            "{{bad}}":{"passed":{"at":"2026-04-01T00:00:00+00:00","commit":"fedcba98765432","changed":true,"sources":"older"},"failed":{"at":"2026-05-06T07:00:00+00:00","commit":"0123456789abcdef","changed":false,"sources":"stamp1"} } } }
            """);
        try
        {
            var page = System.Net.WebUtility.HtmlDecode(Encoding.UTF8.GetString((await Send("GET", "/settings/compliance/hipaa", Reviewer)).Body));
            Assert.Contains("Last run 06-May-2026 08:08:09, commit 0123456: 900 passed, 1 failed, on this program’s sources.", page, StringComparison.Ordinal);
            Assert.Contains("passed 06-May-2026 08:08:09, commit 0123456", page, StringComparison.Ordinal);
            Assert.Contains("FAILED 06-May-2026 08:00:00, commit 0123456; passed 01-Apr-2026 01:00:00, commit fedcba9 with changes", page, StringComparison.Ordinal);
            Assert.Contains("no result here", page, StringComparison.Ordinal);
            Assert.Contains("?category=data_access&from=", page, StringComparison.Ordinal);

            var json = (await Json("/api/compliance?framework=hipaa")).GetProperty("items")[0].GetProperty("controls").EnumerateArray().Single(control => control.GetProperty("number").GetString() == "164.312(b)");
            Assert.Equal("covered", json.GetProperty("coverage").GetString());
            Assert.Equal("0123456789abcdef", json.GetProperty("tests").EnumerateArray().Single(test => test.GetProperty("name").GetString() == good).GetProperty("passed").GetProperty("commit").GetString());

            var (status, body, headers) = await Send("POST", "/settings/compliance/report", Reviewer, new Dictionary<string, string> { ["framework"] = "hipaa" });
            var pdf = Encoding.ASCII.GetString(body);
            Assert.Equal((200, "application/pdf"), (status, headers.ContentType.ToString()));
            foreach (var said in new[] { "What Chaperone does about the rules", "164.312\\(b\\): Covered", "164.312\\(a\\)\\(2\\)\\(ii\\): Not covered", "Is the log intact?" }) Assert.Contains($"({said})", pdf, StringComparison.Ordinal);
            Assert.Contains("06-May-2026", pdf, StringComparison.Ordinal);
            Assert.DoesNotContain("Zimmerstein", pdf, StringComparison.OrdinalIgnoreCase);
            Assert.Equal(("compliance.exported", "hipaa"), ((await LastEvent()).Action, (await LastEvent()).Details["frameworks"].Code));
            Assert.Equal(403, (await Send("POST", "/settings/compliance/report", Doctor, new Dictionary<string, string>())).Status);
        }
        finally
        {
            File.Delete(ResultsFile);
        }

        async Task<JsonElement> Json(string address) => JsonDocument.Parse((await Send("GET", address, Reviewer)).Body).RootElement;
    }

    /// <summary>Full names of an assembly's test methods, from its metadata: nothing of it is loaded or run.</summary>
    private static List<string> TestsOf(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        var tests = new List<string>();
        foreach (var type in metadata.TypeDefinitions.Select(metadata.GetTypeDefinition))
            foreach (var method in type.GetMethods().Select(metadata.GetMethodDefinition))
                if (method.GetCustomAttributes().Select(metadata.GetCustomAttribute).Any(IsTest)) tests.Add($"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}.{metadata.GetString(method.Name)}");
        return tests;

        bool IsTest(CustomAttribute attribute) => attribute.Constructor.Kind == HandleKind.MemberReference
            && metadata.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent is { Kind: HandleKind.TypeReference } parent
            && metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)parent).Name) is "FactAttribute" or "TheoryAttribute";
    }

    private static string Find(string folder) => File.Exists(Path.Combine(folder, "Chaperone.slnx")) ? folder : Find(Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("no repository above this program"));
}
