using System.Globalization;
using System.Text.Json;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>What every page must satisfy, whatever it shows.</summary>
public sealed partial class Visit
{
    /// <summary>Most Tab presses a page is walked with.</summary>
    private const int MostTabs = 45;

    private readonly List<string> examined = [];

    private static readonly (int Width, string Theme)[] Views = [(Wide, "light"), (Wide, "dark"), (Narrow, "dark"), (Narrow, "light")];

    /// <summary>
    /// Examines the open page: one heading of the first level, no accessibility fault that axe can find (wide in light, narrow in dark), nothing wider than the window, on a telephone neither,
    /// everything reachable by Tab with a focus that shows. A page of the same name is examined once.
    /// </summary>
    public async Task ExamineAsync(string name)
    {
        AssertNothingWrong();
        await Assertions.Expect(Page.Locator("h1")).ToHaveCountAsync(1);
        if (!fixture.Examined.Add(name)) return;

        var faults = new List<string>();
        foreach (var (size, theme) in Views)
        {
            var isAxed = (size, theme) is (Wide, "light") or (Narrow, "dark");
            if (!isAxed && BrowserFixture.Screenshots is null) continue;
            await Page.SetViewportSizeAsync(size, HeightOf(size));
            await Page.EvaluateAsync("theme => { document.documentElement.dataset.bsTheme = theme; scrollTo(0, 0) }", theme);
            if (BrowserFixture.Screenshots is { } folder)
                await Page.ScreenshotAsync(new() { Path = System.IO.Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{name}-{size}-{theme}.png")), FullPage = size == Narrow, Animations = ScreenshotAnimations.Disabled });
            faults.AddRange(await OverflowAsync(size));
            if (isAxed) faults.AddRange((await AxeAsync()).Select(fault => $"axe, {size} px, {theme}: {fault}"));
        }
        await Page.SetViewportSizeAsync(width, HeightOf(width));
        await Page.EvaluateAsync("document.documentElement.dataset.bsTheme = 'light'");
        faults.AddRange(await TabAsync());
        if (faults.Count > 0) examined.Add($"{name} at {Path}:\n{string.Join('\n', faults)}");
        AssertNothingWrong();
    }

    /// <summary>Ends a story: one run tells the faults of all its pages.</summary>
    public void AssertExamined() => Assert.True(examined.Count == 0, string.Join("\n\n", examined));

    private async Task<IEnumerable<string>> OverflowAsync(int size)
    {
        var wide = await Page.EvaluateAsync<string[]>(
            """
            () => {
              const root = document.documentElement
              if (root.scrollWidth <= root.clientWidth) return []
              const out = [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > root.clientWidth + 1).slice(0, 5)
              return [`is ${root.scrollWidth} px wide`, ...out.map(e => e.outerHTML.slice(0, 120))]
            }
            """);
        return wide.Select(line => string.Create(CultureInfo.InvariantCulture, $"wider than {size} px: {line}"));
    }

    private async Task<IEnumerable<string>> AxeAsync()
    {
        if (!await Page.EvaluateAsync<bool>("'axe' in window")) await Page.EvaluateAsync(fixture.Axe);
        var found = await Page.EvaluateAsync<JsonElement>(
            """
            async () => {
              const { violations } = await axe.run(document, { runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }, resultTypes: ["violations"] })
              return violations.map(v => `${v.id}: ${v.help}\n    ${v.nodes.slice(0, 4).map(n => n.target.join(" ") + " " + n.any.concat(n.all, n.none).map(c => c.message).join("; ")).join("\n    ")}`)
            }
            """);
        return [.. found.EnumerateArray().Select(fault => fault.GetString()!)];
    }

    // From the skip link (or the dialog's first field) on, Tab reaches whatever can be operated, in order; each shows that it has the focus and is not under something sticky.
    private async Task<IReadOnlyList<string>> TabAsync()
    {
        var expected = await Page.EvaluateAsync<string[]>(
            """
            most => {
              const can = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
              const root = document.querySelector("dialog[open]") ?? document
              window.walk = [...root.querySelectorAll(can)].filter(e => !e.disabled && e.tabIndex >= 0 && e.checkVisibility({ visibilityProperty: true }) && !e.closest("[inert]")).slice(0, most)
              window.walk[0].focus()
              return window.walk.map(e => e.outerHTML.slice(0, 120))
            }
            """,
            MostTabs);
        var (reached, faults) = (new HashSet<int> { 0 }, new List<string>());
        for (var press = 1; press < expected.Length; press++)
        {
            await Page.Keyboard.PressAsync("Tab");
            var at = await Page.EvaluateAsync<FocusAt>(
                """
                () => {
                  const e = document.activeElement, s = getComputedStyle(e), r = e.getClientRects()[0] ?? e.getBoundingClientRect()
                  const x = r.x + Math.min(r.width, innerWidth) / 2, y = r.y + r.height / 2, hit = document.elementFromPoint(x, y)
                  return {
                    index: window.walk.indexOf(e),
                    text: e.outerHTML.slice(0, 120),
                    shows: (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== "none",
                    clear: hit !== null && (e.contains(hit) || hit.contains(e)),
                  }
                }
                """);
            if (at.Index >= 0) reached.Add(at.Index);
            if (!at.Shows) faults.Add("focus does not show: " + at.Text);
            if (!at.Clear) faults.Add("focus is covered or out of view: " + at.Text);
        }
        // A date field takes three presses, so the last ones may be beyond the count.
        var most = reached.Max();
        return [.. faults.Distinct(), .. Enumerable.Range(0, most).Where(index => !reached.Contains(index)).Select(index => "Tab passes over " + expected[index])];
    }

    private sealed record FocusAt
    {
        public int Index { get; set; }

        public string Text { get; set; } = "";

        public bool Shows { get; set; }

        public bool Clear { get; set; }
    }
}
