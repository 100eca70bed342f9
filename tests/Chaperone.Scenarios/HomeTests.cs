using System.Globalization;
using System.Net;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>Each role's start page shows what that role works with, and the log names whom it showed.</summary>
[Collection(nameof(OwnServer))]
public sealed class HomeTests(OwnServerFixture fixture)
{
    private TestServer Server => fixture.Server;

    [Fact]
    public async Task Reception_sees_who_waits_a_doctor_the_own_patients_and_an_owner_only_counts()
    {
        var clinic = await Server.AddClinicAsync($"home{Server.Clock.GetUtcNow().ToUnixTimeSeconds()}.test");
        var desk = await Server.SignInAs(BuiltInRole.Reception, clinic);
        var (doctor, nurse) = (clinic.Account(BuiltInRole.Doctor).Member, clinic.Account(BuiltInRole.Nurse).Member);
        var now = Server.Clock.GetUtcNow();
        var waits = await BookAsync(desk, clinic.Patients[0], doctor, now.AddMinutes(1));
        Assert.Equal(HttpStatusCode.OK, (await desk.SendAsync(HttpMethod.Post, waits + "/arrive")).Status);
        await BookAsync(desk, clinic.Patients[1], nurse, now.AddMinutes(3));
        Server.Clock.Advance(TimeSpan.FromMinutes(5));

        var front = await HomeAsync(BuiltInRole.Reception, [clinic.Patients[0], clinic.Patients[1], doctor, nurse]);
        Assert.Contains("PRIME, Paula", front, StringComparison.Ordinal);
        Assert.Contains("patients wait", front, StringComparison.Ordinal);
        var own = await HomeAsync(BuiltInRole.Doctor, [clinic.Patients[0]]);
        Assert.Contains("Waiting for you", own, StringComparison.Ordinal);
        Assert.Contains("waiting 5 min", own, StringComparison.Ordinal);
        Assert.DoesNotContain("Quill", own, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("QUILL", await HomeAsync(BuiltInRole.Nurse, [clinic.Patients[1]]), StringComparison.Ordinal);
        foreach (var role in new[] { BuiltInRole.Owner, BuiltInRole.Admin, BuiltInRole.Hr, BuiltInRole.Finance, BuiltInRole.Employee })
        {
            var page = await HomeAsync(role, null);
            Assert.DoesNotContain("Prime", page, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("Quill", page, StringComparison.OrdinalIgnoreCase);
            Assert.Equal(role == BuiltInRole.Owner || role == BuiltInRole.Admin, page.Contains("did not come", StringComparison.Ordinal));
            Assert.Equal(role == BuiltInRole.Owner || role == BuiltInRole.Admin, page.Contains("Last verification", StringComparison.Ordinal) && page.Contains("disk", StringComparison.Ordinal));
            Assert.Equal(role == BuiltInRole.Owner || role == BuiltInRole.Admin, page.Contains("Mails not delivered", StringComparison.Ordinal));
        }

        // The page, and whom the log says it showed; null for no event at all.
        async Task<string> HomeAsync(Role role, Guid[]? shown)
        {
            var client = await Server.SignInAs(role, clinic);
            var before = (await ViewsAsync()).Length;
            var page = await client.GetAsync("/");
            Assert.Equal(HttpStatusCode.OK, page.Status);
            var left = (await ViewsAsync())[before..];
            if (shown is null) Assert.Empty(left);
            else Assert.Equal(shown.Order(), Assert.Single(left).Subjects.Order());
            return page.Text;
        }

        async Task<Ledger.LedgerEvent[]> ViewsAsync() => [.. (await Server.EventsAsync(clinic)).Where(happened => happened.Action == "home.viewed")];
    }

    private static async Task<string> BookAsync(ClinicClient desk, Guid patient, Guid practitioner, DateTimeOffset at)
    {
        var made = await desk.JsonAsync(HttpMethod.Post, "/api/appointments", new { patientId = patient, practitionerId = practitioner, type = "consultation", startsAt = at.ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture), confirmOutsideHours = true });
        Assert.True(made.Status == HttpStatusCode.Created, made.ToString());
        return made.Headers["Location"];
    }
}
