using System.Net;
using Chaperone.Clinic.SignIn;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>The real process, killed while it streams the log: it goes on from the last message that was acknowledged, without a gap, and only what was on its way comes again, as the same message.</summary>
public sealed class KillStreamTests
{
    [Fact]
    public async Task A_stream_goes_on_after_kill_9_without_a_gap_and_repeats_only_what_was_not_acknowledged()
    {
        await using var folder = await ServerFolder.CreateAsync();
        await using var receiver = await TestReceiver.StartAsync();
        var environment = new Dictionary<string, string> { ["Chaperone__OutsideNetworks"] = "127.0.0.1" };
        for (var start = 0; start < 3; start++)
        {
            using var server = await ServerProcess.UpAsync(folder.DataFolder, environment);
            using var owner = new ClinicClient(server.Port, folder.Host);
            if (start == 0)
            {
                var code = Totp.Code(folder.Secret, Totp.StepAt(TimeProvider.System.GetUtcNow()));
                Assert.Equal(HttpStatusCode.OK, (await owner.JsonAsync(HttpMethod.Post, "/api/auth/sign-in", new { email = folder.Email, password = TestServer.Password, code })).Status);
                var added = await owner.JsonAsync(HttpMethod.Post, "/api/audit/streams", new { name = "SIEM", kind = "webhook", shape = "native", url = receiver.Address, trustedCa = receiver.Ca, start = "beginning" });
                Assert.True(added.Status == HttpStatusCode.Created, added.ToString());
                for (var i = 0; i < 20; i++) await owner.JsonAsync(HttpMethod.Post, "/api/patients/find", new { text = "Nobody" });
            }
            var heard = receiver.Heard.Count;
            await UntilAsync(() => receiver.Heard.Count > heard);
            if (start == 0)
            {
                // The next message is taken, and the process dies before it is told so.
                var told = receiver.Heard.Count;
                receiver.Delay = TimeSpan.FromSeconds(60);
                await owner.JsonAsync(HttpMethod.Post, "/api/patients/find", new { text = "Somebody" });
                await UntilAsync(() => receiver.Heard.Count > told);
                receiver.Taken.TryAdd(receiver.Heard[^1].Id, receiver.Heard[^1]);
                await server.KillAsync();
                receiver.Delay = TimeSpan.Zero;
            }
            else if (start == 1)
            {
                await server.KillAsync();
            }
            else
            {
                await UntilAsync(() => receiver.Events().Count > 22);
                Assert.Equal(0, await server.StopAsync());
            }
        }
        var indexes = receiver.Events().Select(each => each.GetProperty("index").GetInt64()).ToList();
        Assert.Equal(Enumerable.Range(0, indexes.Count).Select(index => (long)index), indexes);
        var twice = receiver.Heard.GroupBy(hook => hook.Id).Where(same => same.Count() > 1).ToList();
        Assert.InRange(twice.Count, 1, 2);          // one for each death
        foreach (var same in twice) Assert.Single(same.Select(hook => Convert.ToHexString(hook.Body)).Distinct());
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (var tries = 0; !holds(); tries++)
        {
            Assert.True(tries < 300, "it did not come to be");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
