using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>An owner proves an event to somebody outside, proves that the log continues a checkpoint, and gives an auditor a token.</summary>
[Collection(BrowserCollection.Name)]
public sealed class AuditorStoryTests(BrowserFixture fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_owner_hands_out_proofs_and_a_token_and_ends_it()
    {
        var clinic = await fixture.Server.AddClinicAsync("auditor.localhost");
        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        var seen = (await fixture.Server.EventsAsync(clinic)).First(each => each.Action == "patient.created");
        await owner.Page.GotoAsync($"http://{clinic.Host}:{fixture.Server.Port}/settings/audit-log/{seen.Id}");
        await owner.SeesAsync("A file that shows anybody");
        await owner.ExamineAsync("event-proof");
        var download = await owner.Page.RunAndWaitForDownloadAsync(() => owner.Button("Make the proof").ClickAsync());
        using (var zip = LogSource.Zip(File.OpenRead(await download.PathAsync()))) Assert.Equal(0, Verifier.Verify(zip, "proof", new(), Cancel).ExitCode);

        await owner.GoAsync("/settings/audit-log/integrity", "Integrity of the log");
        await owner.SeesAsync("It went out with an export or a proof");
        await owner.ExamineAsync("integrity-checkpoints");
        var consistency = await owner.Page.RunAndWaitForDownloadAsync(() => owner.Button("Make the proof of consistency").ClickAsync());
        using (var zip = LogSource.Zip(File.OpenRead(await consistency.PathAsync()))) Assert.Equal(0, Verifier.Verify(zip, "consistency", new(), Cancel).ExitCode);

        await owner.Link("Auditors").ClickAsync();
        await owner.AtAsync("Auditors");
        owner.Expect(422);
        await owner.Button("Make a token").ClickAsync();
        await owner.SeesAsync("There is a problem");
        await owner.ExamineAsync("auditors-refused");
        await owner.FillAsync("Whom it is for", "Ada Auditor & Partners");
        await owner.Button("Make a token").ClickAsync();
        await owner.SeesAsync("It is shown only here");
        await owner.ExamineAsync("auditor-token");
        await owner.GoAsync("/settings/audit-log/auditors", "Auditors");
        await owner.SeesAsync("Ada Auditor & Partners");
        await owner.ExamineAsync("auditors");
        await owner.Page.GetByRole(AriaRole.Button, new() { Name = "End the token for Ada Auditor & Partners" }).ClickAsync();
        await owner.SeesAsync("The token has ended.");
        owner.AssertExamined();
    }
}
