using System.Net;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Chaperone.TestSupport;
using Microsoft.AspNetCore.Routing;

namespace Chaperone.Scenarios;

/// <summary>Scenarios that change accounts, count events or move the clock far: one after the other, on a server of their own.</summary>
[CollectionDefinition(nameof(OwnServer))]
public sealed class OwnServer : ICollectionFixture<OwnServerFixture>;

public sealed class OwnServerFixture : IAsyncLifetime
{
    public TestServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

/// <summary>Who may do what over HTTP: every route times every role, the expectation taken from access.md by hand and not from the product's table.</summary>
[Collection(nameof(OwnServer))]
public sealed class AccessMatrixTests(OwnServerFixture fixture)
{
    /// <summary>Permission to roles, typed from the roles table of the access document. A route with a permission that is not here fails: decide, then add it.</summary>
    private static readonly Dictionary<string, string> Holders = new()
    {
        ["patient.view"] = "owner admin doctor nurse clinical reception patient",
        ["patient.view.masked"] = "owner readonly",
        ["patient.edit"] = "owner doctor nurse reception",
        ["patient.delete"] = "owner doctor",
        ["patient.import"] = "owner admin reception",
        ["patient.export"] = "owner admin",
        ["schedule.view"] = "owner manager doctor nurse clinical reception patient",
        ["schedule.edit"] = "owner manager reception",
        ["schedule.attend"] = "owner manager doctor nurse clinical reception",
        ["rota.edit"] = "owner manager",
        ["access_log.view"] = "owner admin readonly patient",
        ["audit.view"] = "owner admin readonly",
        ["audit.export"] = "owner admin",
        ["investigation.view"] = "owner admin",
        ["investigation.edit"] = "owner admin",
        ["audit.stream"] = "owner admin",
        ["security.manage"] = "owner admin",
        ["retention.run"] = "owner admin",
        ["team.manage"] = "owner admin manager",
        ["settings.edit"] = "owner admin",
        ["staff.view"] = "owner admin manager hr readonly",
    };

    /// <summary>Roles whose hold reaches some records only; for those a refusal by record is right.</summary>
    private static readonly string[] Narrow = ["clinical", "patient"];

    private TestServer Server => fixture.Server;

    [Fact]
    public async Task Every_route_refuses_every_role_without_its_permission()
    {
        var faults = new List<string>();
        var ids = await KnownIds.ForAsync(Server, Server.First);
        var guarded = Server.Endpoints.Where(endpoint => Policies(endpoint).Any(policy => policy.Audience == Audience.Holders)).ToList();
        Assert.NotEmpty(guarded);
        foreach (var role in BuiltInRole.All.Reverse())
        {
            using var client = await Server.SignInAs(role);
            var token = await client.TokenAsync();
            foreach (var endpoint in guarded)
                foreach (var method in Routes.Methods(endpoint))
                    Judge(endpoint, method, role, await Plausible.SendAsync(client, endpoint, method, ids, token), faults);
        }
        Assert.True(faults.Count == 0, string.Join("\n", faults));
    }

    [Fact]
    public async Task Every_route_refuses_anonymous_callers()
    {
        var faults = new List<string>();
        var ids = await KnownIds.ForAsync(Server, Server.First);
        using var client = Server.Visit(Server.First);
        var token = await client.TokenAsync("/sign-in");
        var forSome = Server.Endpoints.Where(endpoint => Policies(endpoint) is { Count: > 0 } policies && policies.All(policy => policy.Audience != Audience.Anybody)).ToList();
        Assert.NotEmpty(forSome);
        foreach (var endpoint in forSome)
        {
            foreach (var method in Routes.Methods(endpoint))
            {
                var answer = await Plausible.SendAsync(client, endpoint, method, ids, token);
                var right = Routes.IsApi(endpoint)
                    ? answer is { Status: HttpStatusCode.Unauthorized, Code: "CHP-ACCESS-0003" }
                    : answer.Status == HttpStatusCode.SeeOther && answer.Location!.StartsWith("/sign-in", StringComparison.Ordinal);
                if (!right) faults.Add($"{method} {Routes.Path(endpoint)}: {answer} {answer.Location}");
            }
        }
        Assert.True(faults.Count == 0, string.Join("\n", faults));
    }

    [Fact]
    public async Task Another_clinics_id_is_404_on_every_route_and_leaves_an_event_with_the_caller_only()
    {
        var faults = new List<string>();
        var ids = await KnownIds.ForAsync(Server, Server.First);
        var withId = Server.Endpoints.Where(endpoint => Policies(endpoint).Count > 0 && endpoint.RoutePattern.Parameters.Any(parameter => parameter.ParameterPolicies.Any(policy => policy.Content == "guid"))).ToList();
        Assert.NotEmpty(withId);
        foreach (var role in new[] { BuiltInRole.Owner, BuiltInRole.Doctor })
        {
            using var client = await Server.SignInAs(role, Server.Second);
            var token = await client.TokenAsync();
            foreach (var endpoint in withId)
            {
                foreach (var method in Routes.Methods(endpoint))
                {
                    var (theirs, ours) = (await Server.CountEventsAsync(Server.First), await Server.CountEventsAsync(Server.Second));
                    var answer = await Plausible.SendAsync(client, endpoint, method, ids, token);
                    var name = $"{role}: {method} {Routes.Path(endpoint)}";
                    var mayAsk = Policies(endpoint).All(policy => policy.Audience != Audience.Holders || Holds(role, policy));
                    if (answer.Status != HttpStatusCode.NotFound && (mayAsk || answer.Status != HttpStatusCode.Forbidden)) faults.Add($"{name}: {answer} {answer.Location}");
                    if (await Server.CountEventsAsync(Server.First) != theirs) faults.Add($"{name}: an event came into the other clinic's log");
                    if (Policies(endpoint).Any(policy => policy.Kind != PolicyKind.Unlogged) && Policies(endpoint)[0].Kind != PolicyKind.Unlogged && await Server.CountEventsAsync(Server.Second) == ours) faults.Add($"{name}: no event");
                }
            }
        }
        Assert.True(faults.Count == 0, string.Join("\n", faults));
    }

    [Fact]
    public async Task Another_persons_session_is_404_to_colleagues()
    {
        var ids = await KnownIds.ForAsync(Server, Server.First);
        using var client = await Server.SignInAs(BuiltInRole.Nurse);
        foreach (var endpoint in Server.Endpoints.Where(endpoint => Policies(endpoint) is { Count: > 0 } policies && policies.All(policy => policy.Audience is Audience.Self or Audience.SelfEnrolled) && endpoint.RoutePattern.Parameters.Count > 0))
            foreach (var method in Routes.Methods(endpoint))
            {
                var answer = await Plausible.SendAsync(client, endpoint, method, ids, await client.TokenAsync());
                Assert.True(answer.Status == HttpStatusCode.NotFound, $"{Routes.Name(endpoint)}: {answer}");
            }
    }

    private void Judge(RouteEndpoint endpoint, string method, Role role, Answer answer, List<string> faults)
    {
        var name = $"{role}: {method} {Routes.Path(endpoint)}";
        var policies = Policies(endpoint).Where(policy => policy.Audience == Audience.Holders).ToList();
        foreach (var unknown in policies.Where(policy => !Holders.ContainsKey(policy.Permission!.Code))) faults.Add($"{name}: who should hold {unknown.Permission}? Add it to this test.");
        if ((int)answer.Status >= 500) faults.Add($"{name}: {answer}");
        var refused = answer.Status is HttpStatusCode.Forbidden or HttpStatusCode.NotFound;
        // The start page answers everybody signed in, and shows more to who may see more (HomeTests).
        if (policies.All(policy => !Holds(role, policy)) && Routes.Path(endpoint) != "/")
        {
            if (!refused) faults.Add($"{name}: must be refused, yet {answer} {answer.Location}");
        }
        else if (Routes.IsApi(endpoint) && policies.All(policy => Holds(role, policy)) && !Narrow.Contains(role.Code) && (int)answer.Status >= 400 && answer.Code is "CHP-ACCESS-0002" or "CHP-ACCESS-0003")
        {
            faults.Add($"{name}: may, yet {answer}");
        }
    }

    private static bool Holds(Role role, Policy policy) => Holders.GetValueOrDefault(policy.Permission!.Code, "").Split(' ').Contains(role.Code);

    private List<Policy> Policies(RouteEndpoint endpoint) => [.. (endpoint.Metadata.GetMetadata<RunsOperations>()?.Operations ?? []).Select(type => Server.Operations.Get(type).Policy)];
}
