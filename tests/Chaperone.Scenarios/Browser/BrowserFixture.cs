using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Tenancy;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>The browser tests run one after the other: they share one Chromium and one server.</summary>
[CollectionDefinition(Name)]
public sealed class BrowserCollection : ICollectionFixture<BrowserFixture>
{
    public const string Name = "browser";
}

/// <summary>The system's Chromium, and a server with a clinic whose host resolves in browsers: everything under <c>localhost</c> does.</summary>
/// <remarks>CHROMIUM_PATH names another Chromium; CHAPERONE_SCREENSHOTS names a folder for pictures of every page looked at.</remarks>
public sealed class BrowserFixture : IAsyncLifetime
{
    private IPlaywright? playwright;

    public TestServer Server { get; private set; } = null!;

    /// <summary>A clinic with an account for each built-in role.</summary>
    public TestClinic Clinic { get; private set; } = null!;

    public IBrowser Browser { get; private set; } = null!;

    /// <summary>Pages examined already, by name: each is examined once.</summary>
    public ISet<string> Examined { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>axe-core, as installed by the asset build.</summary>
    public string Axe { get; private set; } = "";

    /// <summary>Where pictures go, or null for none.</summary>
    public static string? Screenshots { get; } = Environment.GetEnvironmentVariable("CHAPERONE_SCREENSHOTS") is { Length: > 0 } folder ? folder : null;

    public async ValueTask InitializeAsync()
    {
        Axe = await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "src", "Chaperone.Server", "Assets", "node_modules", "axe-core", "axe.min.js"));
        if (Screenshots is not null) Directory.CreateDirectory(Screenshots);
        Assertions.SetDefaultExpectTimeout(Visit.PatienceMs);
        playwright = await Playwright.CreateAsync();
        Browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Environment.GetEnvironmentVariable("CHROMIUM_PATH") is { Length: > 0 } path ? path : "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-background-networking"],
        });
        Server = await TestServer.StartAsync(clinics: false, witnesses: WitnessSettings.None with { Networks = [new(System.Net.IPAddress.Loopback, 32)] });
        Clinic = await Server.AddClinicAsync("roles.localhost");
    }

    /// <summary>A browser window of its own at a host of the server: cookies, storage and size are nobody else's.</summary>
    public Task<Visit> VisitAsync(string host, bool script = true, int width = Visit.Wide) => Visit.OpenAsync(this, host, script, width);

    /// <summary>A window in which an account of <paramref name="clinic"/> (<see cref="Clinic"/> when null) is signed in, with a code given just now.</summary>
    public async Task<Visit> SignedInAsync(Platform.Access.Role role, int width = Visit.Wide, TestClinic? clinic = null)
    {
        var at = clinic ?? Clinic;
        var (account, visit) = (at.Account(role), await VisitAsync(at.Host, width: width));
        await visit.GoAsync("/sign-in", "Sign in");
        await visit.SignInByApiAsync(account.Email, TestServer.Password, await account.NextCodeAsync(Server.Clock));
        await visit.Page.GotoAsync(visit.Url("/"));
        return visit;
    }

    /// <summary>The clinic that a page of the story made.</summary>
    public async Task<TestClinic> ClinicOfAsync(string host) =>
        new((await Server.Services.GetRequiredService<TenantDirectory>().FindAsync(host, CancellationToken.None)) ?? throw new InvalidOperationException($"There is no clinic {host}."));

    /// <summary>The one-time link that the first start prints, on the name of this machine.</summary>
    public Task<string> SetUpPathAsync() => Server.Services.GetRequiredService<SetUpLinks>().MakeAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        if (Browser is not null) await Browser.DisposeAsync();
        playwright?.Dispose();
        if (Server is not null) await Server.DisposeAsync();
    }
}
