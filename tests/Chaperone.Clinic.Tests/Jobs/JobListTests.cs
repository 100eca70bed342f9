using System.Net;
using System.Text.Json;
using Chaperone.Clinic.Jobs;
using Chaperone.Clinic.Tests.Mail;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.Jobs;

/// <summary>The list of jobs: what each kind leaves in it, who sees what, and trying again.</summary>
[Collection(nameof(MailHouses))]
public sealed class JobListTests(MailHouseServer at) : IAsyncLifetime
{
    private MailHouse house = null!;

    public async ValueTask InitializeAsync() => house = await MailHouse.CreateAsync(at);

    public async ValueTask DisposeAsync() => await house.DisposeAsync();

    [Fact]
    public async Task Import_export_verification_and_mail_stand_in_the_list_with_their_result()
    {
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        await ImportAsync(owner, "secret-name.csv");
        Assert.Equal(HttpStatusCode.OK, (await owner.GetAsync("/api/patients/export.csv")).Status);
        Assert.Equal(HttpStatusCode.OK, (await owner.GetAsync("/api/audit/export?format=csv")).Status);
        await house.InviteAsync("nora@out.example");
        await house.EventsAsync("mail.sent", 1);
        await house.Server.Services.GetRequiredService<IntegrityCheck>().VerifyAsync(house.Clinic.Tenant, CancellationToken.None);

        var answer = await owner.GetAsync("/api/jobs");
        var jobs = Items(answer);
        foreach (var (what, by) in new[] { ("Import of patients", "Olive Owner"), ("Export of patients", "Olive Owner"), ("Export of the audit log", "Olive Owner"), ("Mail: Invitation", "Olive Owner"), ("Verification of log and records", null) })
        {
            var job = jobs.First(each => each.GetProperty("what").GetString() == what);
            Assert.Equal(("finished", by), (job.GetProperty("state").GetString(), job.GetProperty("by").GetString()));
            Assert.NotEqual(JsonValueKind.Null, job.GetProperty("finishedAt").ValueKind);
        }
        Assert.Equal("3 rows", jobs.First(job => job.GetProperty("what").GetString() == "Export of patients").GetProperty("result").GetString());
        Assert.Equal("1 row", jobs.First(job => job.GetProperty("kind").GetString() == "import").GetProperty("result").GetString());
        Assert.DoesNotContain("secret-name", answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("out.example", answer.Text, StringComparison.Ordinal);
        Assert.All(Items(await owner.GetAsync("/api/jobs?kind=mail")), job => Assert.Equal("mail", job.GetProperty("kind").GetString()));
        Assert.Equal(HttpStatusCode.BadRequest, (await owner.GetAsync("/api/jobs?kind=nonsense")).Status);
        // Whose names it showed stands in the log.
        Assert.Contains(house.Clinic.Account(BuiltInRole.Owner).Member, (await house.EventsAsync("job.listed"))[0].Subjects);
    }

    [Fact]
    public async Task Everybody_sees_their_own_and_nobody_anothers_without_the_permission()
    {
        using var admin = await house.SignInAs(BuiltInRole.Admin);
        Assert.Equal(HttpStatusCode.OK, (await admin.GetAsync("/api/patients/export.csv")).Status);
        using var reception = await house.SignInAs(BuiltInRole.Reception);
        await ImportAsync(reception, "patients.csv");
        Assert.Equal("Import of patients", Assert.Single(Items(await reception.GetAsync("/api/me/jobs"))).GetProperty("what").GetString());
        Assert.Equal("Export of patients", Assert.Single(Items(await admin.GetAsync("/api/me/jobs"))).GetProperty("what").GetString());
        foreach (var path in new[] { "/api/jobs", "/settings/jobs", "/settings/jobs/running" }) Assert.Equal(HttpStatusCode.Forbidden, (await reception.GetAsync(path)).Status);
        var export = Items(await admin.GetAsync("/api/jobs?kind=export"))[0].GetProperty("id").GetGuid();
        Assert.Equal(HttpStatusCode.Forbidden, (await reception.JsonAsync(HttpMethod.Post, $"/api/jobs/{export}/retry", null)).Status);
        using var other = await house.SignInAs(BuiltInRole.Owner, house.Other);
        Assert.Equal(HttpStatusCode.NotFound, (await other.JsonAsync(HttpMethod.Post, $"/api/jobs/{export}/retry", null)).Status);
        Assert.DoesNotContain(Items(await other.GetAsync("/api/jobs")), job => job.GetProperty("id").GetGuid() == export);
        Assert.Equal("CHP-JOB-0002", (await admin.JsonAsync(HttpMethod.Post, $"/api/jobs/{export}/retry", null)).Code);
    }

    [Fact]
    public async Task What_broke_off_says_so_and_is_cleared_away_after_ninety_days()
    {
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        Assert.Equal(HttpStatusCode.OK, (await owner.GetAsync("/api/patients/export.csv")).Status);
        var of = $"WHERE tenant_id = '{house.Clinic.Tenant.Id}' AND kind = 'export'";
        await house.Server.Database.ExecuteAsync($"UPDATE clinic.job_run SET state = 'running', finished_at = NULL {of}");   // as a process leaves it that is killed
        Assert.Equal("running", Items(await owner.GetAsync("/api/jobs?kind=export"))[0].GetProperty("state").GetString());
        Assert.Contains("Export of patients", (await owner.GetAsync("/settings/jobs/running")).Text, StringComparison.Ordinal);
        house.Server.Clock.Advance(TimeSpan.FromMinutes(11));
        var broken = Items(await owner.GetAsync("/api/jobs?kind=export"))[0];
        Assert.Equal(("failed", "CHP-JOB-0001", "The job broke off."), (broken.GetProperty("state").GetString(), broken.GetProperty("code").GetString(), broken.GetProperty("result").GetString()));

        var upkeep = house.Server.Services.GetRequiredService<Upkeep>();
        await upkeep.PurgeAllAsync(CancellationToken.None);
        Assert.Equal("failed", await house.Server.Database.ExecuteAsync($"SELECT state FROM clinic.job_run {of}"));
        house.Server.Clock.Advance(TimeSpan.FromDays(91));
        await upkeep.PurgeAllAsync(CancellationToken.None);
        Assert.Null(await house.Server.Database.ExecuteAsync($"SELECT state FROM clinic.job_run {of}"));
        Assert.Equal("finished", await house.Server.Database.ExecuteAsync($"SELECT state FROM clinic.job_run WHERE tenant_id = '{house.Clinic.Tenant.Id}' AND kind = 'purge' ORDER BY started_at DESC LIMIT 1"));
    }

    [Fact]
    public async Task Verifying_again_and_handing_a_mail_over_again_are_asked_for_here()
    {
        await house.Mail.ChangeAsync(new { refuseRecipient = 550 });
        await house.InviteAsync("nora@out.example");
        await house.EventsAsync("mail.dead", 1);
        using var owner = await house.SignInAs(BuiltInRole.Owner);
        var mail = Items(await owner.GetAsync("/api/jobs?kind=mail"))[0];
        Assert.Equal(("failed", true, "The mail server refused the recipient."), (mail.GetProperty("state").GetString(), mail.GetProperty("mayRetry").GetBoolean(), mail.GetProperty("result").GetString()));
        await house.Mail.ChangeAsync(new { refuseRecipient = 0 });
        Assert.Equal(HttpStatusCode.Accepted, (await owner.JsonAsync(HttpMethod.Post, $"/api/jobs/{mail.GetProperty("id").GetGuid()}/retry", null)).Status);
        await house.Mail.NextAsync();

        await house.Server.Services.GetRequiredService<IntegrityCheck>().VerifyAsync(house.Clinic.Tenant, CancellationToken.None);
        var before = (await house.EventsAsync("ledger.verified")).Count;
        var verification = Items(await owner.GetAsync("/api/jobs?kind=verification"))[0].GetProperty("id").GetGuid();
        Assert.Equal(HttpStatusCode.Accepted, (await owner.JsonAsync(HttpMethod.Post, $"/api/jobs/{verification}/retry", null)).Status);
        await house.EventsAsync("ledger.verified", before + 1);
        Assert.Equal(2, (await house.EventsAsync("job.retried", 2)).Count);
    }

    private static async Task ImportAsync(ClinicClient client, string name)
    {
        const string File = "Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,ZIP,LAT,LON,HEALTHCARE_EXPENSES,HEALTHCARE_COVERAGE\n"
            + "5b0c7a10-1f43-4c6e-9a01-000000000001,1947-03-11,,,,,Mrs,Edith,Ashworth,,,M,white,nonhispanic,F,Bath,4 Mill Lane,Bath,England,Somerset,BA1 1AA,51.38,-2.36,1200.50,900.10\n";
        using var form = new MultipartFormDataContent { { new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes(File)), "file", name } };
        var answer = await client.SendAsync(HttpMethod.Post, "/api/patients/import", form);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
    }

    private static List<JsonElement> Items(Answer answer) => [.. answer.Json.GetProperty("items").EnumerateArray()];
}
