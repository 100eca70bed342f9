using System.Globalization;
using Chaperone.Clinic.Schedule;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;
using Microsoft.Playwright;

namespace Chaperone.Scenarios.Browser;

/// <summary>What the stories do with the mouse, and what they look at.</summary>
public sealed partial class ScheduleStoryTests
{
    private async Task<Appointment> BookAsync(TestClinic clinic, Guid practitioner, DateOnly day, string time, int patient)
    {
        var booked = await Server.Run(new BookAppointment(clinic.Patients[patient], new(practitioner, "consultation", $"{Iso(day)}T{time}", ConfirmOutsideHours: true)), BuiltInRole.Reception, clinic);
        Assert.True(booked.Succeeded, booked.Error?.ToString());
        return booked.Value;
    }

    private async Task<Appointment> ViewAsync(TestClinic clinic, Guid id) => (await Server.Run(new ViewAppointment(id), BuiltInRole.Reception, clinic)).Value;

    private static async Task SpanAsync(ILocator item, int from, int to)
    {
        await Assertions.Expect(item).ToHaveAttributeAsync("data-from", from.ToString(CultureInfo.InvariantCulture));
        await Assertions.Expect(item).ToHaveAttributeAsync("data-to", to.ToString(CultureInfo.InvariantCulture));
        await Assertions.Expect(item).Not.ToHaveClassAsync(new System.Text.RegularExpressions.Regex("is-saving"));
    }

    private static async Task<float> MinuteAsync(IPage page) => await page.EvaluateAsync<float>("(() => { const d = document.querySelector('.diary'), l = d.querySelector('.diary-items'); return l.getBoundingClientRect().height / (getComputedStyle(d).getPropertyValue('--to') - getComputedStyle(d).getPropertyValue('--from')) })()");

    private static async Task ClickAtAsync(ILocator list, int minute)
    {
        var from = await list.Page.EvaluateAsync<int>("Number(getComputedStyle(document.querySelector('.diary')).getPropertyValue('--from'))");
        await list.ClickAsync(new() { Position = new() { X = 60, Y = ((minute - from) * await MinuteAsync(list.Page)) + 2 } });
    }

    // By so many columns and minutes, as a hand does it: down, on the way, there, up.
    private static async Task DragAsync(ILocator item, int columns, int minutes, bool edge = false)
    {
        await item.ScrollIntoViewIfNeededAsync();
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

    private DateTime Now() => TimeZoneInfo.ConvertTime(Server.Clock.GetUtcNow(), TimeZoneInfo.FindSystemTimeZoneById("Europe/London")).DateTime;

    private DateOnly Today() => DateOnly.FromDateTime(Now());

    // The so-manyth working day from tomorrow on.
    private DateOnly WorkingDay(int ahead)
    {
        var day = Today();
        for (var left = ahead; left > 0;)
        {
            day = day.AddDays(1);
            if (day.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday)) left--;
        }
        return day;
    }

    private static string Iso(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Heading(DateOnly day) => day.ToString("ddd d MMM yyyy", CultureInfo.InvariantCulture);
}
