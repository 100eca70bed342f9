using System.Globalization;
using System.Net;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>Notices tell one person, name no patient, and are nobody else's business.</summary>
[Collection(nameof(OwnServer))]
public sealed class NoticeTests(OwnServerFixture fixture)
{
    private TestServer Server => fixture.Server;

    [Fact]
    public async Task An_arrival_is_told_to_the_practitioner_alone_and_names_nobody()
    {
        var (desk, doctor, nurse) = (await Server.SignInAs(BuiltInRole.Reception), await Server.SignInAs(BuiltInRole.Doctor), await Server.SignInAs(BuiltInRole.Nurse));
        await doctor.SendAsync(HttpMethod.Post, "/api/notices/read");
        var path = await BookSoonAsync(desk);
        var before = await Server.CountEventsAsync(Server.First);
        Assert.Equal(HttpStatusCode.OK, (await desk.SendAsync(HttpMethod.Post, path + "/arrive")).Status);
        var arrived = (await Server.EventsAsync(Server.First)).Last(happened => happened.Action == "appointment.arrived");
        Assert.Equal([Server.First.Patients[0]], arrived.Subjects);      // the doctor was told, not shown

        var told = (await doctor.GetAsync("/api/notices")).Json.GetProperty("items").EnumerateArray().Where(notice => !notice.GetProperty("read").GetBoolean()).ToArray();
        Assert.Equal(["appointment.arrived", "appointment.booked"], told.Select(notice => notice.GetProperty("kind").GetString()));
        Assert.Equal(path.Replace("/api/appointments/", "/schedule/appointments/", StringComparison.Ordinal), told[0].GetProperty("href").GetString());
        Assert.DoesNotContain("Prime", (await doctor.GetAsync("/notices")).Text, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("2<span class=\"visually-hidden\"> unread", (await doctor.GetAsync("/notices/bell")).Text, StringComparison.Ordinal);

        foreach (var other in new[] { desk, nurse })
            Assert.DoesNotContain(path[^36..], (await other.GetAsync("/api/notices")).Text, StringComparison.Ordinal);
        var id = told[0].GetProperty("id").GetGuid();
        Assert.Equal(HttpStatusCode.NotFound, (await nurse.SendAsync(HttpMethod.Post, $"/api/notices/{id}/read")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await (await Server.SignInAs(BuiltInRole.Doctor, Server.Second)).SendAsync(HttpMethod.Post, $"/api/notices/{id}/read")).Status);
        Assert.Equal(1, (await doctor.SendAsync(HttpMethod.Post, $"/api/notices/{id}/read")).Json.GetProperty("marked").GetInt32());
        Assert.Equal(1, (await doctor.SendAsync(HttpMethod.Post, "/api/notices/read")).Json.GetProperty("marked").GetInt32());
        Assert.DoesNotContain("unread", (await doctor.GetAsync("/notices/bell")).Text, StringComparison.Ordinal);
        Assert.True(before < await Server.CountEventsAsync(Server.First));
    }

    [Fact]
    public async Task What_one_did_oneself_is_no_news()
    {
        var doctor = await Server.SignInAs(BuiltInRole.Doctor);
        await doctor.SendAsync(HttpMethod.Post, "/api/notices/read");
        var desk = await Server.SignInAs(BuiltInRole.Reception);
        var path = await BookSoonAsync(desk);
        await doctor.SendAsync(HttpMethod.Post, "/api/notices/read");
        Assert.Equal(HttpStatusCode.OK, (await doctor.SendAsync(HttpMethod.Post, path + "/arrive")).Status);
        Assert.DoesNotContain((await doctor.GetAsync("/api/notices")).Json.GetProperty("items").EnumerateArray(), notice => !notice.GetProperty("read").GetBoolean());
    }

    [Fact]
    public async Task A_page_that_asks_by_itself_does_not_keep_a_session_open()
    {
        var (left, used) = (await Server.SignInAs(BuiltInRole.Finance), await Server.SignInAs(BuiltInRole.Hr));
        foreach (var minutes in new[] { 10, 10, 15 })
        {
            Server.Clock.Advance(TimeSpan.FromMinutes(minutes));
            Assert.Equal(HttpStatusCode.OK, (await used.GetAsync("/api/notices")).Status);
            Assert.Equal(minutes == 15 ? HttpStatusCode.SeeOther : HttpStatusCode.OK, (await left.GetAsync("/notices/bell")).Status);
        }
        Assert.Equal(HttpStatusCode.Unauthorized, (await left.GetAsync("/api/notices")).Status);
        Assert.Equal(HttpStatusCode.OK, (await used.GetAsync("/api/notices")).Status);
    }

    [Fact]
    public async Task Old_notices_are_shown_to_nobody_and_go()
    {
        var (desk, doctor) = (await Server.SignInAs(BuiltInRole.Reception), Server.First.Account(BuiltInRole.Doctor));
        await BookSoonAsync(desk);
        Server.Clock.Advance(TimeSpan.FromDays(31));
        var client = await Server.SignInAs(BuiltInRole.Doctor);
        Assert.Empty((await client.GetAsync("/api/notices")).Json.GetProperty("items").EnumerateArray());
        await client.SendAsync(HttpMethod.Post, "/api/notices/read");
        Assert.Equal(0L, await Server.Database.ExecuteAsync($"SELECT count(*) FROM clinic.notice WHERE subject_id = '{doctor.Member}'"));
    }

    // The next quarter of an hour that is free.
    private async Task<string> BookSoonAsync(ClinicClient desk)
    {
        var start = Server.Clock.GetUtcNow();
        for (var i = 0; i < 20; i++)
        {
            var at = start.AddMinutes(15 * i).ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture);
            var made = await desk.JsonAsync(HttpMethod.Post, "/api/appointments", new { patientId = Server.First.Patients[0], practitionerId = Server.First.Account(BuiltInRole.Doctor).Member, type = "consultation", startsAt = at, confirmOutsideHours = true });
            if (made.Status == HttpStatusCode.Created) return made.Headers["Location"];
            Assert.True(made.Status == HttpStatusCode.Conflict, made.ToString());
        }
        throw new InvalidOperationException("There is no free time.");
    }
}
