using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>A receptionist's appointments over HTTP: versions, refusals, what became of them, and exactly one event for each act.</summary>
[Collection(nameof(OwnServer))]
public sealed class ScheduleTests(OwnServerFixture fixture)
{
    private TestServer Server => fixture.Server;

    private Guid Doctor => Server.First.Account(BuiltInRole.Doctor).Member;

    [Fact]
    public async Task Each_act_of_an_appointments_life_leaves_exactly_its_event()
    {
        var (client, who, patient) = (await Server.SignInAs(BuiltInRole.Reception), Server.First.Account(BuiltInRole.Reception).Member, Server.First.Patients[0]);
        var start = Noon(20);
        var made = await One("appointment.booked", () => client.JsonAsync(HttpMethod.Post, "/api/appointments", Body(patient, start)), HttpStatusCode.Created);
        var (path, id, tag) = (made.Location!, made.Json.GetProperty("id").GetGuid(), made.Headers["ETag"]);
        Assert.Equal(("\"1\"", "PRIME, Paula", "booked"), (tag, made.Json.GetProperty("patientName").GetString(), made.Json.GetProperty("status").GetString()));

        var read = await One("appointment.viewed", () => client.GetAsync(path));
        var body = JsonNode.Parse(read.Text)!.AsObject();
        (body["startsAt"], body["endsAt"]) = (Iso(start.AddHours(1)), Iso(start.AddHours(1.5)));
        Assert.Equal((HttpStatusCode.PreconditionRequired, "CHP-PLATFORM-0001"), await client.JsonAsync(HttpMethod.Put, path, body) is var without ? (without.Status, without.Code) : default);
        Assert.Equal((HttpStatusCode.PreconditionFailed, "CHP-PLATFORM-0002"), await client.JsonAsync(HttpMethod.Put, path, body, If("\"9\"")) is var stale ? (stale.Status, stale.Code) : default);
        tag = (await One("appointment.modified", () => client.JsonAsync(HttpMethod.Put, path, body, If(tag)))).Headers["ETag"];
        Assert.Equal("\"2\"", tag);

        var day = await One("schedule.viewed", () => client.GetAsync($"/api/appointments?day={start:yyyy-MM-dd}&practitioner={Doctor}"));
        Assert.Equal(id, Assert.Single(day.Json.GetProperty("items").EnumerateArray()).GetProperty("id").GetGuid());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, day.Json.GetProperty("next").ValueKind);
        Assert.Equal((HttpStatusCode.Conflict, "CHP-SCHEDULE-0002"), await client.JsonAsync(HttpMethod.Post, "/api/appointments", Body(Server.First.Patients[1], start.AddMinutes(80))) is var taken ? (taken.Status, taken.Code) : default);
        Assert.Equal((HttpStatusCode.Conflict, "CHP-SCHEDULE-0006"), await client.SendAsync(HttpMethod.Post, path + "/arrive") is var early ? (early.Status, early.Code) : default);
        var wrong = await client.SendAsync(HttpMethod.Post, path + "/complete");
        Assert.Equal((HttpStatusCode.Conflict, "CHP-SCHEDULE-0005", "booked"), (wrong.Status, wrong.Code, wrong.Json.GetProperty("appointmentStatus").GetString()));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.JsonAsync(HttpMethod.Post, path + "/cancel", new { reason = "whim" })).Status);
        var cancelled = await One("appointment.cancelled", () => client.JsonAsync(HttpMethod.Post, path + "/cancel", new { reason = "patient" }, If(tag)));
        Assert.Equal(("cancelled", "patient"), (cancelled.Json.GetProperty("status").GetString(), cancelled.Json.GetProperty("cancelReason").GetString()));

        async Task<Answer> One(string action, Func<Task<Answer>> act, HttpStatusCode status = HttpStatusCode.OK)
        {
            var before = (await Acts()).Length;
            var answer = await act();
            Assert.True(answer.Status == status, $"{action}: {answer}");
            var left = Assert.Single((await Acts()).Skip(before));
            Assert.Equal((action, EventOutcome.Success, who, "reception", "api"), (left.Action, left.Outcome, left.Actor.Id, left.Actor.Role, left.Source.Channel));
            Assert.Equal([patient], left.Subjects);
            return answer;
        }

        // The hourly check of the log leaves an event of its own whenever a test has moved the clock.
        async Task<LedgerEvent[]> Acts() => [.. (await Server.EventsAsync(Server.First)).Where(happened => !happened.Action.StartsWith("ledger.", StringComparison.Ordinal) && happened.Action != "security.unauthorised_attempt")];
    }

    [Fact]
    public async Task Fifty_requests_at_once_for_one_slot_give_one_201_and_forty_nine_409()
    {
        var client = await Server.SignInAs(BuiltInRole.Reception);
        var start = Noon(22);
        var all = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => client.JsonAsync(HttpMethod.Post, "/api/appointments", Body(Server.First.Patients[i % 2], start))));
        Assert.Equal(1, all.Count(answer => answer.Status == HttpStatusCode.Created));
        Assert.Equal(49, all.Count(answer => answer is { Status: HttpStatusCode.Conflict, Code: "CHP-SCHEDULE-0002" }));
        Assert.Single((await client.GetAsync($"/api/appointments?day={start:yyyy-MM-dd}&practitioner={Doctor}")).Json.GetProperty("items").EnumerateArray());
    }

    [Theory]
    [InlineData("startsAt", "2027-03-28T01:30")]
    [InlineData("startsAt", "2020-01-01T10:00")]
    [InlineData("startsAt", "10 o'clock")]
    [InlineData("endsAt", "2020-01-01T10:00Z")]
    [InlineData("type", "party")]
    [InlineData("patientId", null)]
    [InlineData("practitionerId", null)]
    public async Task A_field_at_fault_is_named(string field, string? value)
    {
        var client = await Server.SharedSession(BuiltInRole.Reception);
        var body = System.Text.Json.JsonSerializer.SerializeToNode(Body(Server.First.Patients[0], Noon(24)))!.AsObject();
        body[field] = value;
        var answer = await client.JsonAsync(HttpMethod.Post, "/api/appointments", body);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "CHP-SCHEDULE-0001"), (answer.Status, answer.Code));
        Assert.True(answer.Json.GetProperty("fields").TryGetProperty(field, out _), answer.Text);
    }

    [Fact]
    public async Task People_of_another_clinic_cannot_be_booked_and_roles_see_what_is_theirs()
    {
        var client = await Server.SharedSession(BuiltInRole.Reception);
        Assert.Equal(HttpStatusCode.NotFound, (await client.JsonAsync(HttpMethod.Post, "/api/appointments", Body(Server.Second.Patients[0], Noon(26)))).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await client.JsonAsync(HttpMethod.Post, "/api/appointments", Body(Server.First.Patients[0], Noon(26), Server.Second.Account(BuiltInRole.Doctor).Member))).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.JsonAsync(HttpMethod.Post, "/api/appointments", Body(Server.First.Patients[0], Noon(26), Server.First.Account(BuiltInRole.Hr).Member))).Status);

        var others = (await client.JsonAsync(HttpMethod.Post, "/api/appointments", Body(Server.First.Patients[1], Noon(26)))).Location!;
        var own = (await client.JsonAsync(HttpMethod.Post, "/api/appointments", Body(Server.First.Patients[0], Noon(26).AddHours(1)))).Location!;
        var patient = await Server.SharedSession(BuiltInRole.Patient);
        Assert.Equal(HttpStatusCode.NotFound, (await patient.GetAsync(others)).Status);
        Assert.Equal("sore", (await patient.GetAsync(own)).Json.GetProperty("reason").GetString());
        Assert.DoesNotContain("colleagues", (await patient.GetAsync(own)).Text);
        Assert.Single((await patient.GetAsync($"/api/appointments?day={Noon(26):yyyy-MM-dd}")).Json.GetProperty("items").EnumerateArray());
        var doctor = await Server.SharedSession(BuiltInRole.Doctor);
        Assert.Equal(HttpStatusCode.OK, (await doctor.GetAsync(others)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await doctor.JsonAsync(HttpMethod.Post, others + "/cancel", new { reason = "clinic" })).Status);
        Assert.Contains(Doctor.ToString(), (await doctor.GetAsync("/api/practitioners")).Text);
        Assert.Contains("\"follow_up\"", (await doctor.GetAsync("/api/appointments/types")).Text);
        Assert.Equal(10, (await client.GetAsync($"/api/appointments/free?type=video&practitioner={Doctor}")).Json.GetProperty("items").GetArrayLength());
    }

    // The days are apart, so that no test takes another's time.
    private DateTimeOffset Noon(int days) => new(Server.Clock.GetUtcNow().UtcDateTime.Date.AddDays(days).AddHours(12), TimeSpan.Zero);

    private object Body(Guid patient, DateTimeOffset start, Guid? practitioner = null) =>
        new { patientId = patient, practitionerId = practitioner ?? Doctor, type = "consultation", startsAt = Iso(start), reason = "sore", note = "colleagues only", confirmOutsideHours = true };

    private static string Iso(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mmzzz", CultureInfo.InvariantCulture);

    private static Action<HttpRequestMessage> If(string tag) => request => request.Headers.TryAddWithoutValidation("If-Match", tag);
}
