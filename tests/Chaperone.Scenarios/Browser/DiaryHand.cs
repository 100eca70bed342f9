using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>Hand and eye on the schedule's grid of time; minutes count from midnight.</summary>
internal static class DiaryHand
{
    /// <summary>Waits until the appointment stands at this time and is saved.</summary>
    public static async Task SpanAsync(ILocator item, int from, int to)
    {
        await Assertions.Expect(item).ToHaveAttributeAsync("data-from", from.ToString(CultureInfo.InvariantCulture));
        await Assertions.Expect(item).ToHaveAttributeAsync("data-to", to.ToString(CultureInfo.InvariantCulture));
        await Assertions.Expect(item).Not.ToHaveClassAsync(new Regex("is-saving"));
    }

    /// <summary>Clicks on free time in a column.</summary>
    public static async Task ClickAtAsync(ILocator list, int minute)
    {
        var from = await list.Page.EvaluateAsync<int>("Number(getComputedStyle(document.querySelector('.diary')).getPropertyValue('--from'))");
        await list.ClickAsync(new() { Position = new() { X = 60, Y = ((minute - from) * await MinuteAsync(list.Page)) + 2 } });
    }

    /// <summary>Drags by so many columns and minutes, as a hand does it: down, on the way, there, up.</summary>
    public static async Task DragAsync(ILocator item, int columns, int minutes, bool edge = false)
    {
        await item.EvaluateAsync("one => one.scrollIntoView({ block: 'center', inline: 'nearest' })");
        var (page, box) = (item.Page, (await item.BoundingBoxAsync())!);
        var width = columns == 0 ? 0 : (await page.Locator(".diary-column").First.BoundingBoxAsync())!.Width;
        var (x, y) = (box.X + 30, edge ? box.Y + box.Height - 2 : box.Y + 5);
        await page.Mouse.MoveAsync(x, y);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(x + 3, y + 8, new() { Steps = 2 });
        await page.Mouse.MoveAsync(x + (columns * width), y + (minutes * await MinuteAsync(page)), new() { Steps = 8 });
        await Assertions.Expect(page.Locator(".appt-ghost")).ToBeVisibleAsync();
        await page.Mouse.UpAsync();
    }

    private static async Task<float> MinuteAsync(IPage page) =>
        await page.EvaluateAsync<float>("(() => { const d = document.querySelector('.diary'), l = d.querySelector('.diary-items'); return l.getBoundingClientRect().height / (getComputedStyle(d).getPropertyValue('--to') - getComputedStyle(d).getPropertyValue('--from')) })()");
}
