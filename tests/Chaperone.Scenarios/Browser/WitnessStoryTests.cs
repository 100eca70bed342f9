using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Sealing;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Scenarios.Browser;

/// <summary>An owner learns that nobody guards the log, enters the data protection officer's laptop, sees that it guards; and what is said when one objects.</summary>
[Collection(BrowserCollection.Name)]
public sealed class WitnessStoryTests(BrowserFixture fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_owner_has_the_log_guarded_and_is_told_when_a_witness_objects()
    {
        var clinic = await fixture.Server.AddClinicAsync("witness.localhost");
        await using var owner = await fixture.SignedInAsync(BuiltInRole.Owner, clinic: clinic);
        await owner.GoAsync("/settings/audit-log/integrity", "Integrity of the log");
        await owner.SeesAsync("Nobody outside guards this log yet");
        await owner.ExamineAsync("integrity-unguarded");
        await owner.Link("What a witness is, and how to enter one").ClickAsync();
        await owner.AtAsync("Witnesses");
        var key = VerifierKey.Parse(await owner.Page.Locator(".copy-text-value").InnerTextAsync());
        await using var laptop = await TestWitness.StartAsync(key);

        owner.Expect(422);
        await owner.FillAsync("Name", "Data protection officer");
        await owner.FillAsync("Address", "laptop");
        await owner.Button("Enter").ClickAsync();
        await owner.SeesAsync("There is a problem");
        await owner.ExamineAsync("witnesses-refused");
        await EnterAsync(owner, laptop);
        await owner.Page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Test Data protection officer" }).ClickAsync();
        await owner.SeesAsync("The witness cosigned the log");
        await owner.SeesAsync("Guarding");
        await owner.ExamineAsync("witnesses");
        await owner.GoAsync("/settings/audit-log/integrity", "Integrity of the log");
        await owner.SeesAsync("Data protection officer");

        // Another one remembers a log that this one does not continue.
        await using var neighbour = await TestWitness.StartAsync(key);
        var signer = await fixture.Server.Services.GetRequiredService<KeyRing>().LogSignerAsync(clinic.Tenant.Id, key.Name, Cancel);
        using (var http = new HttpClient())
        using (var content = new ByteArrayContent(new WitnessRequest(0, [], new Checkpoint(key.Name, 99_999, Hash256.Of("before"u8)).Sign(signer)).ToBytes()))
            (await http.PostAsync(new Uri(neighbour.Address, "add-checkpoint"), content, Cancel)).EnsureSuccessStatusCode();
        await owner.GoAsync("/settings/security/witnesses", "Witnesses");
        await owner.FillAsync("Name", "Next door");
        await EnterAsync(owner, neighbour);
        for (var tries = 0; tries < 50 && await owner.Page.GetByText("Objects", new() { Exact = true }).CountAsync() == 0; tries++)
        {
            await Task.Delay(200, Cancel);
            await owner.GoAsync("/settings/security/witnesses", "Witnesses");
        }
        await owner.SeesAsync("The witness says that the log does not continue what it saw before");
        await owner.GoAsync("/settings/audit-log/integrity", "Integrity of the log");
        await owner.ExamineAsync("integrity-objects");
        owner.AssertExamined();
    }

    private static async Task EnterAsync(Visit owner, TestWitness witness)
    {
        await owner.FillAsync("Address", witness.Address.ToString());
        await owner.FillAsync("Key", witness.Key.ToString());
        await owner.Button("Enter").ClickAsync();
        await owner.SeesAsync("The witness is entered and asked from now on.");
    }
}
