using System.Net;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Scenarios;

/// <summary>The real process, killed while it hands a mail over: what was queued is sent, once, and what the mail server had already taken once more at most, as the same mail.</summary>
public sealed class KillMailTests
{
    [Fact]
    public async Task Mail_queued_before_kill_9_is_sent_and_one_that_was_being_handed_over_comes_twice_at_most()
    {
        await using var folder = await ServerFolder.CreateAsync();
        await using var mail = await MailServer.StartAsync(new { disabled = new[] { "STARTTLS" }, hangAfterData = true });
        ReceivedMail taken;
        using (var server = await ServerProcess.UpAsync(folder.DataFolder))
        {
            using var owner = new ClinicClient(server.Port, folder.Host);
            var code = Totp.Code(folder.Secret, Totp.StepAt(TimeProvider.System.GetUtcNow()));
            Assert.Equal(HttpStatusCode.OK, (await owner.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = folder.Email, password = TestServer.Password, code })).Status);
            Assert.Equal(HttpStatusCode.OK, (await owner.JsonAsync(HttpMethod.Put, "/api/settings/mail", new { host = "localhost", port = mail.Port, tls = "none", fromAddress = "desk@kill.test" })).Status);
            foreach (var name in new[] { "first", "second" })
                Assert.Equal(HttpStatusCode.Created, (await owner.JsonAsync(HttpMethod.Post, "/api/team", new { name, email = $"{name}@out.example", roles = new[] { "employee" } })).Status);
            taken = await mail.NextAsync();     // the server has it, and has not said so
            await server.KillAsync();
        }
        await folder.UseAsync(async services =>
        {
            // Three minutes pass, after which nobody holds it any more.
            var clinic = (await services.GetRequiredService<TenantDirectory>().FindAsync(folder.Host, CancellationToken.None))!;
            await using var transaction = await TenantTransaction.BeginAsync(services.GetRequiredService<Databases>().App, clinic.Id, CancellationToken.None);
            await using var pass = transaction.Command("UPDATE clinic.mail_message SET lease_until = lease_until - interval '3 minutes' WHERE state = 'sending'");
            Assert.Equal(1, await pass.ExecuteNonQueryAsync());
            await transaction.CommitAsync(CancellationToken.None);
        });
        await mail.ChangeAsync(new { hangAfterData = false });

        for (var start = 0; start < 2; start++)
        {
            using var server = await ServerProcess.UpAsync(folder.DataFolder);
            if (start == 0)
            {
                var mails = new[] { await mail.NextAsync(), await mail.NextAsync() };
                var again = Assert.Single(mails, each => each.MessageId == taken.MessageId);
                Assert.Equal((taken.To[0], taken.Link.AbsolutePath), (again.To[0], again.Link.AbsolutePath));
                Assert.NotEqual(taken.To[0], Assert.Single(mails, each => each.MessageId != taken.MessageId).To[0]);
            }
            await Task.Delay(2000);
            if (start == 0) await server.KillAsync();
            else Assert.Equal(0, await server.StopAsync());
        }
        Assert.Equal(3, mail.Count);
    }
}
