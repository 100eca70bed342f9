using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>Somebody's browser window. It keeps what must never happen: errors in the console, policy reports, dialogs, requests to anywhere else.</summary>
public sealed partial class Visit : IAsyncDisposable
{
    public const int PatienceMs = 30_000;
    public const int Wide = 1280;
    public const int Narrow = 390;

    private readonly BrowserFixture fixture;
    private readonly IBrowserContext context;
    private readonly string host;
    private readonly int width;
    private readonly List<string> wrong = [];
    private readonly HashSet<int> expectedStatus = [422];

    private Visit(BrowserFixture fixture, IBrowserContext context, IPage page, string host, int width) =>
        (this.fixture, this.context, Page, this.host, this.width) = (fixture, context, page, host, width);

    public IPage Page { get; }

    /// <summary>Everything that went wrong in the window so far.</summary>
    public IReadOnlyList<string> Wrong => wrong;

    public string Path => new Uri(Page.Url).AbsolutePath;

    public static async Task<Visit> OpenAsync(BrowserFixture fixture, string host, bool script, int width)
    {
        var context = await fixture.Browser.NewContextAsync(new()
        {
            JavaScriptEnabled = script,
            ViewportSize = new() { Width = width, Height = HeightOf(width) },
            Locale = "en-GB",
            ColorScheme = ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
        });
        context.SetDefaultTimeout(PatienceMs);
        var visit = new Visit(fixture, context, await context.NewPageAsync(), host, width);
        context.Page += (_, other) => visit.Listen(other);
        visit.Listen(visit.Page);
        return visit;
    }

    public string Url(string path) => string.Create(CultureInfo.InvariantCulture, $"http://{host}:{fixture.Server.Port}{path}");

    /// <summary>The browser logs a line for each answer that is an error: such an answer is expected from now on.</summary>
    public void Expect(int status) => expectedStatus.Add(status);

    /// <summary>Types an address, and waits for the page with this heading.</summary>
    public async Task GoAsync(string path, string heading)
    {
        await Page.GotoAsync(path.StartsWith("http", StringComparison.Ordinal) ? path : Url(path));
        await AtAsync(heading);
    }

    /// <summary>Waits until the page with this heading stands, its scripts have settled, and nothing has gone wrong.</summary>
    public async Task AtAsync(string heading)
    {
        try
        {
            await Assertions.Expect(Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync(heading);
            await Assertions.Expect(Page.Locator("html[aria-busy], turbo-frame[busy]")).ToHaveCountAsync(0);
        }
        catch (PlaywrightException) when (wrong.Count > 0)
        {
            // What went wrong in the window says more than that the page did not come.
        }
        AssertNothingWrong();
    }

    public Task FillAsync(string label, string value) => Page.GetByLabel(label, new() { Exact = true }).FillAsync(value);

    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    public ILocator Link(string name) => Page.GetByRole(AriaRole.Link, new() { Name = name, Exact = true });

    /// <summary>A place in the side navigation.</summary>
    public ILocator Place(string name) => Page.Locator("#side").GetByRole(AriaRole.Link, new() { Name = name, Exact = true });

    /// <summary>Waits until the page says this somewhere.</summary>
    public Task SeesAsync(string text) => Assertions.Expect(Page.GetByText(text).First).ToBeVisibleAsync();

    /// <summary>Signs in without the pages, for tests about something else; any page of the host must be open.</summary>
    public async Task SignInByApiAsync(string email, string password, string code)
    {
        var status = await Page.EvaluateAsync<string>(
            """
            async body => {
              const answer = await fetch("/api/auth/sign-in", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) })
              const told = await answer.json()
              return answer.ok ? told.status : `${told.code} ${told.title}`
            }
            """,
            new { email, password, code });
        Assert.Equal("signed_in", status);
    }

    /// <summary>Opens the menu of one's own account and signs out.</summary>
    public async Task SignOutAsync()
    {
        await Page.Locator(".topbar-person").ClickAsync();
        await Button("Sign out").ClickAsync();
        await AtAsync("Sign in");
        await SeesAsync("You have signed out.");
    }

    public void AssertNothingWrong() => Assert.True(wrong.Count == 0, $"At {Path}:\n{string.Join('\n', wrong)}");

    public async ValueTask DisposeAsync()
    {
        await context.CloseAsync();
    }

    private static int HeightOf(int width) => width == Narrow ? 844 : 800;

    private void Listen(IPage page)
    {
        page.Console += (_, line) =>
        {
            if (line.Type is not ("error" or "warning") || (StatusLine().Match(line.Text) is { Success: true } known && expectedStatus.Contains(int.Parse(known.Groups[1].Value, CultureInfo.InvariantCulture)))) return;
            wrong.Add($"console {line.Type}: {line.Text} ({line.Location})");
        };
        page.PageError += (_, error) => wrong.Add("script: " + error);
        page.Dialog += async (_, dialog) =>
        {
            wrong.Add($"dialog: {dialog.Message}");
            await dialog.DismissAsync();
        };
        page.Request += (_, request) =>
        {
            var asked = new Uri(request.Url);
            if (asked.Scheme is "http" or "https" && !asked.Host.EndsWith("localhost", StringComparison.Ordinal)) wrong.Add($"asked another site: {request.Url}");
        };
    }

    [GeneratedRegex(@"^Failed to load resource: the server responded with a status of (\d{3})")]
    private static partial Regex StatusLine();
}
