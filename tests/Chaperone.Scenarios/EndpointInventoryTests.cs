using System.Text;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Scenarios;

/// <summary>Every route runs operations or says why not; what runs none and what leaves no event is listed in docs/endpoints.md.</summary>
public sealed class EndpointInventoryTests(ServerFixture fixture)
{
    [Fact]
    public void Every_route_runs_operations_or_says_why_not()
    {
        var registered = fixture.Server.Operations.All.Select(info => info.Type).ToHashSet();
        Assert.NotEmpty(fixture.Server.Endpoints);
        foreach (var endpoint in fixture.Server.Endpoints)
        {
            var (runs, nothing) = (endpoint.Metadata.GetMetadata<RunsOperations>(), endpoint.Metadata.GetMetadata<RunsNothing>());
            Assert.True(runs is null != nothing is null, $"{endpoint.DisplayName} must run operations or say why it runs none, not both.");
            if (runs is not null) Assert.All(runs.Operations, operation => Assert.Contains(operation, registered));
            if (runs is not null) Assert.NotEmpty(runs.Operations);
            if (nothing is not null) Assert.True(nothing.Because.Length > 5, $"{endpoint.DisplayName} gives no reason.");
        }
    }

    [Fact]
    public void The_list_of_what_runs_nothing_or_leaves_no_event_is_the_documented_one()
    {
        var text = Describe();
        var file = Path.Combine(SourceTree.Root, "docs", "endpoints.md");
        if (Environment.GetEnvironmentVariable("CHAPERONE_WRITE_DOCS") == "1") File.WriteAllText(file, text);
        Assert.True(File.Exists(file) && File.ReadAllText(file) == text, "docs/endpoints.md is stale. Read the difference, then write it anew: CHAPERONE_WRITE_DOCS=1 and this test. It must say:\n" + text);
    }

    private string Describe()
    {
        var text = new StringBuilder("""
            # What runs no operation, and what leaves no event

            Every route runs operations of the reference monitor, which decides, logs and commits. The exceptions are here, each with its reason.
            A test compares this page with the program; anything not listed here does not start.

            ## Routes that run no operation

            | route | why |
            |---|---|

            """);
        foreach (var endpoint in fixture.Server.Endpoints.Where(endpoint => endpoint.Metadata.GetMetadata<RunsNothing>() is not null).Select(endpoint => (Route: Routes.Name(endpoint), endpoint.Metadata.GetMetadata<RunsNothing>()!.Because)).Order())
            text.Append($"| `{endpoint.Route}` | {endpoint.Because} |\n");
        text.Append("\n## Operations that leave no event\n\n| operation | why |\n|---|---|\n");
        foreach (var info in fixture.Server.Operations.All.Where(info => info.Policy.Kind == PolicyKind.Unlogged).OrderBy(info => info.Name, StringComparer.Ordinal))
            text.Append($"| {info.Name} | {info.Policy.UnloggedBecause} |\n");
        text.Append("\n## Operations that need no permission\n\n| operation | for whom | why |\n|---|---|---|\n");
        foreach (var info in fixture.Server.Operations.All.Where(info => info.Policy.Audience != Audience.Holders).OrderBy(info => info.Name, StringComparer.Ordinal))
            text.Append($"| {info.Name} | {Whom(info.Policy.Audience)} | {info.Policy.AudienceBecause} |\n");
        return text.ToString();
    }

    private static string Whom(Audience audience) => audience switch
    {
        Audience.Anybody => "anybody",
        Audience.Self => "oneself, also before two-factor is set up",
        Audience.SelfEnrolled => "oneself",
        _ => "the operator and the system",
    };
}
