using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>An administrator has the log sent to a receiver, sees how far it is, what happens when the receiver refuses, and stops it again.</summary>
[Collection(BrowserCollection.Name)]
public sealed class StreamStoryTests(BrowserFixture fixture)
{
    [Fact]
    public async Task An_administrator_streams_the_log_and_decides_about_what_is_refused()
    {
        var clinic = await fixture.Server.AddClinicAsync("streams.localhost");
        await using var receiver = await TestReceiver.StartAsync();
        await using var admin = await fixture.SignedInAsync(BuiltInRole.Admin, clinic: clinic);
        await admin.GoAsync("/settings/security/streams", "Log streams");
        await admin.SeesAsync("No receivers yet");
        await admin.ExamineAsync("streams-none");
        await admin.Link("Add a receiver").First.ClickAsync();
        await admin.AtAsync("Add a receiver");
        admin.Expect(422);
        await admin.FillAsync("Name", "SIEM");
        await admin.FillAsync("Address", "http://siem.example");
        await admin.Button("Add").ClickAsync();
        await admin.SeesAsync("There is a problem");
        await admin.ExamineAsync("streams-refused");
        await admin.FillAsync("Address", receiver.Address);
        await admin.Page.GetByText("Certificates of its own").ClickAsync();
        await admin.Page.GetByLabel("Certificate of the authority to believe").FillAsync(receiver.Ca);
        await admin.Page.GetByLabel("Begin with").SelectOptionAsync("beginning");
        await admin.ExamineAsync("streams-new");
        await admin.Button("Add").ClickAsync();
        await admin.AtAsync("The webhook’s secret");
        await admin.SeesAsync("It is shown only here");
        await admin.ExamineAsync("streams-secret");

        await UntilAsync(admin, "Working");
        await admin.Page.GetByRole(AriaRole.Button, new() { Name = "Send a test to SIEM" }).ClickAsync();
        await admin.SeesAsync("The receiver took the test.");
        await admin.ExamineAsync("streams");

        receiver.Answer = (_, _) => 422;
        for (var tries = 0; tries < 60 && await admin.Page.GetByText("Stands still", new() { Exact = true }).CountAsync() == 0; tries++)
        {
            fixture.Server.Clock.Advance(TimeSpan.FromSeconds(3));
            await Task.Delay(1100, TestContext.Current.CancellationToken);
            await admin.GoAsync("/settings/security/streams", "Log streams");
        }
        await admin.SeesAsync("its stream stands still until somebody decides");
        await admin.ExamineAsync("streams-stuck");
        await admin.Link("Undelivered").First.ClickAsync();
        await admin.AtAsync("Undelivered events");
        await admin.SeesAsync("The receiver refuses this message. It answered 422.");
        await admin.ExamineAsync("streams-undelivered");
        receiver.Answer = (_, _) => 200;
        await admin.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Send again") }).ClickAsync();
        await admin.SeesAsync("It is sent again now.");
        await admin.SeesAsync("Sent again");
        await admin.GoAsync("/settings/security/streams", "Log streams");
        await UntilAsync(admin, "Working");
        await admin.Link("SIEM").ClickAsync();
        await admin.AtAsync("SIEM");
        await admin.ExamineAsync("streams-edit");
        await admin.GoAsync("/settings/security/streams/new?kind=syslog", "Add a receiver");
        await admin.ExamineAsync("streams-new-syslog");
        admin.AssertExamined();
        Assert.Equal(receiver.Events().Select(each => each.GetProperty("index").GetInt64()).Order(), receiver.Events().Select(each => each.GetProperty("index").GetInt64()));
    }

    private static async Task UntilAsync(Visit admin, string state)
    {
        for (var tries = 0; tries < 50; tries++)
        {
            await admin.GoAsync("/settings/security/streams", "Log streams");
            if (await admin.Page.GetByText(state, new() { Exact = true }).CountAsync() > 0) return;
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
        Assert.Fail($"The stream did not become {state}.");
    }
}
