using System.Globalization;
using Chaperone.Clinic.Schedule;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios.Browser;

/// <summary>What the stories book and look up past the pages, and their days.</summary>
public sealed partial class ScheduleStoryTests
{
    private async Task<Appointment> BookAsync(TestClinic clinic, Guid practitioner, DateOnly day, string time, int patient)
    {
        var booked = await Server.Run(new BookAppointment(clinic.Patients[patient], new(practitioner, "consultation", $"{Iso(day)}T{time}", ConfirmOutsideHours: true)), BuiltInRole.Reception, clinic);
        Assert.True(booked.Succeeded, booked.Error?.ToString());
        return booked.Value;
    }

    private async Task<Appointment> ViewAsync(TestClinic clinic, Guid id) => (await Server.Run(new ViewAppointment(id), BuiltInRole.Reception, clinic)).Value;

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
