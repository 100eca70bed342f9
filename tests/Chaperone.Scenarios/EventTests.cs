using System.Net;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>Every act over HTTP leaves exactly its event: who, to what, whose data, from where, under which rule.</summary>
[Collection(nameof(OwnServer))]
public sealed class EventTests(OwnServerFixture fixture)
{
    private TestServer Server => fixture.Server;

    [Fact]
    public async Task Each_act_of_a_patients_life_leaves_exactly_its_event()
    {
        var client = await Server.SignInAs(BuiltInRole.Doctor);
        var who = Server.First.Account(BuiltInRole.Doctor).Member;
        var body = new { familyName = "Eventful", givenNames = "Eve", dateOfBirth = "1971-03-04", gender = "female" };
        var id = Guid.Empty;
        var made = await One("patient.created", () => client.JsonAsync(HttpMethod.Post, "/api/patients", body), HttpStatusCode.Created);
        var (path, tag) = (made.Location!, made.Headers["ETag"]);

        await One("patient.viewed", () => client.GetAsync(path));
        await One("patient.viewed", () => client.GetAsync($"/patients/{id}"));
        var found = await One("patient.searched", () => client.JsonAsync(HttpMethod.Post, "/api/patients/find", new { text = "eventf" }));
        Assert.Contains(id.ToString(), found.Text);
        tag = (await One("patient.updated", () => client.JsonAsync(HttpMethod.Put, path, body with { givenNames = "Evelyn" }, If(tag)))).Headers["ETag"];
        tag = (await One("patient.archived", () => client.SendAsync(HttpMethod.Delete, path + "?reason=moved_away", null, If(tag)))).Headers["ETag"];
        await One("patient.restored", () => client.SendAsync(HttpMethod.Post, path + "/restore", null, If(tag)));

        async Task<Answer> One(string action, Func<Task<Answer>> act, HttpStatusCode status = HttpStatusCode.OK)
        {
            var before = (await Server.EventsAsync(Server.First)).Count;
            var answer = await act();
            Assert.True(answer.Status == status, $"{action}: {answer}");
            var left = (await Server.EventsAsync(Server.First)).Skip(before).Where(happened => !ByTheClock(happened)).ToList();   // the log's own come by the clock
            Assert.True(left.Count == 1 && left[0].Action == action, $"{action}: {string.Join(", ", left.Select(happened => happened.Action))}");
            Assert.Equal((EventOutcome.Success, ActorKind.User, who, "doctor"), (left[0].Outcome, left[0].Actor.Kind, left[0].Actor.Id, left[0].Actor.Role));
            Assert.NotNull(left[0].Actor.Session);
            Assert.Equal("127.0.0.1", left[0].Source.Ip);
            Assert.Equal("blink/linux", left[0].Source.Client);
            Assert.DoesNotContain(id.ToString(), left[0].Source.Route, StringComparison.Ordinal);
            if (id == Guid.Empty) id = answer.Json.GetProperty("id").GetGuid();
            Assert.Equal([id], left[0].Subjects);
            if (action != "patient.searched") Assert.Equal(new EventEntity("patient", id), left[0].Entity);
            return answer;
        }

        static Action<HttpRequestMessage> If(string tag) => request => request.Headers.TryAddWithoutValidation("If-Match", tag);
    }

    [Fact]
    public async Task A_refusal_leaves_an_event_that_says_so()
    {
        var client = await Server.SignInAs(BuiltInRole.Manager);
        var before = (await Server.EventsAsync(Server.First)).Count;
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync($"/api/patients/{Server.First.Patients[0]}")).Status);
        var left = Assert.Single((await Server.EventsAsync(Server.First)).Skip(before), happened => !ByTheClock(happened));
        Assert.Equal(EventOutcome.Denied, left.Outcome);
        Assert.Equal("none:patient.view", left.Decision);
        Assert.Equal(new EventEntity("patient", Server.First.Patients[0]), left.Entity);
        Assert.Empty(left.Subjects);
    }

    // The log's own events, and what is told once an hour of refused attempts, of whoever came first.
    private static bool ByTheClock(LedgerEvent happened) => happened.Action.StartsWith("ledger.", StringComparison.Ordinal) || happened.Action == "security.unauthorised_attempt";
}
