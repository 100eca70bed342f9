using System.Net;
using System.Text.Json;
using Chaperone.Clinic.Mail;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.Mail;

/// <summary>One running program for all tests of mail, one after the other.</summary>
[CollectionDefinition(nameof(MailHouses))]
public sealed class MailHouses : ICollectionFixture<MailHouseServer>;

public sealed class MailHouseServer : IAsyncLifetime
{
    private int made;

    public TestServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.StartAsync(clinics: false, witnesses: WitnessSettings.None with { Networks = [new(IPAddress.Loopback, 32)] });
        Other = await AddClinicAsync();
    }

    /// <summary>A clinic that sends no mail, unless a test sets it up.</summary>
    internal TestClinic Other { get; private set; } = null!;

    /// <summary>A clinic of one's own.</summary>
    internal Task<TestClinic> AddClinicAsync() => Server.AddClinicAsync($"mail{++made}.test");

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

/// <summary>The real program with two new clinics and a real mail server beside it, set up for the first of them.</summary>
internal sealed class MailHouse : IAsyncDisposable
{
    public const string Secret = "kept out of sight 7";

    private MailHouse(TestServer server, TestClinic clinic, TestClinic other, MailServer mail) => (Server, Clinic, Other, Mail) = (server, clinic, other, mail);

    public TestServer Server { get; }

    public TestClinic Clinic { get; }

    public TestClinic Other { get; }

    public MailServer Mail { get; }

    public static async Task<MailHouse> CreateAsync(MailHouseServer at, bool setUp = true)
    {
        var house = new MailHouse(at.Server, await at.AddClinicAsync(), at.Other, await MailServer.StartAsync(new { disabled = new[] { "STARTTLS" }, user = "clinic", password = Secret }));
        if (setUp) await house.SetUpAsync();
        return house;
    }

    /// <summary>The settings that fit the mail server.</summary>
    public object Settings => new { host = "localhost", port = Mail.Port, tls = "none", user = "clinic", password = Secret, fromAddress = "desk@clinic.example", fromName = "First desk" };

    public async Task SetUpAsync(TestClinic? clinic = null)
    {
        using var owner = await SignInAs(BuiltInRole.Owner, clinic);
        var answer = await owner.JsonAsync(HttpMethod.Put, "/api/settings/mail", Settings);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
    }

    /// <summary>Invites somebody, which queues a mail; the new account's id and the link's path.</summary>
    public async Task<(Guid Id, string Path)> InviteAsync(string email, TestClinic? clinic = null)
    {
        using var owner = await SignInAs(BuiltInRole.Owner, clinic);
        var made = await owner.JsonAsync(HttpMethod.Post, "/api/team", new { name = "Nora New", email, roles = new[] { "employee" } });
        Assert.True(made.Status == HttpStatusCode.Created, made.ToString());
        return (made.Json.GetProperty("id").GetGuid(), made.Json.GetProperty("path").GetString()!);
    }

    /// <summary>The system itself, in this clinic.</summary>
    public Caller AsSystem() => new(Clinic.Tenant, Actor.System, new("job", "test"));

    public Task<ClinicClient> SignInAs(Role role, TestClinic? clinic = null) => Server.SignInAs(role, clinic ?? Clinic);

    /// <summary>An expression over the clinic's mails, of which there is one.</summary>
    public async Task<object?> MailRowAsync(string expression) => await Server.Database.ExecuteAsync($"SELECT {expression} FROM clinic.mail_message WHERE tenant_id = '{Clinic.Tenant.Id}'");

    /// <summary>Sends what is due now, as the scheduler's minute would.</summary>
    public Task SendDueAsync(TestClinic? clinic = null) => Server.Services.GetRequiredService<MailRunner>().RunClinicAsync((clinic ?? Clinic).Tenant, CancellationToken.None);

    public async Task<IReadOnlyList<LedgerEvent>> EventsAsync(string action) => [.. (await Server.EventsAsync(Clinic)).Where(happened => happened.Action == action)];

    /// <summary>Waits until there are so many events of this action.</summary>
    public async Task<IReadOnlyList<LedgerEvent>> EventsAsync(string action, int count)
    {
        for (var tries = 0; ; tries++)
        {
            var found = await EventsAsync(action);
            if (found.Count >= count) return found;
            Assert.True(tries < 200, $"{action} came {found.Count} times and not {count}");
            await Task.Delay(100);
        }
    }

    public async Task<List<JsonElement>> UndeliveredAsync(ClinicClient client) => [.. (await client.GetAsync("/api/mail/undelivered")).Json.GetProperty("items").EnumerateArray()];

    public async ValueTask DisposeAsync()
    {
        // Another test's time must not find this one's mail.
        await Server.Database.ExecuteAsync($"DELETE FROM clinic.mail_message; UPDATE clinic.mail_settings SET enabled = false");
        await Mail.DisposeAsync();
    }
}

internal static class Monitors
{
    public static ReferenceMonitor GetRequiredMonitor(this IServiceProvider services) => services.GetRequiredService<ReferenceMonitor>();
}
