using Bogus;
using Chaperone.Clinic.Schedule;

namespace Chaperone.Server.Demo;

/// <summary>An appointment of the demo, before it is stored.</summary>
internal sealed record DemoAppointment(Guid Patient, Guid Practitioner, DateTime Clock, int Minutes, string Type, string Status, string? Reason);

/// <summary>A practice's appointments from a week ago to a week ahead, as they would stand at this moment. The same people and the same moment give the same days.</summary>
internal static class DemoSchedule
{
    private const int DaysBack = 7, DaysAhead = 9;

    private static readonly (string Type, int Minutes, string[] Reasons)[] Surgery =
    [
        ("consultation", 15, ["Cough for two weeks", "Back pain", "Headaches", "Skin rash", "Tired all the time", "Knee pain", "Sore throat"]), ("consultation", 15, ["Blood pressure", "Abdominal pain", "Dizzy spells", "Earache"]),
        ("follow_up", 10, ["Blood results", "Medication review", "After hospital"]), ("telephone", 10, ["Prescription question", "Test results"]), ("video", 15, ["Skin follow-up", "Anxiety review"]),
        ("new_patient", 30, ["New registration"]), ("procedure", 40, ["Minor surgery", "Joint injection"]),
    ];

    private static readonly (string Type, int Minutes, string[] Reasons)[] Treatment =
    [
        ("nurse", 20, ["Dressing change", "Blood test", "Blood pressure check", "Travel vaccination", "Asthma review"]), ("nurse", 20, ["Diabetes review", "Childhood vaccination", "Ear irrigation"]),
        ("follow_up", 10, ["Wound check", "Stitches out"]), ("telephone", 10, ["Diabetes advice"]), ("home_visit", 60, ["Leg ulcer at home"]),
    ];

    /// <summary>So many days for these people.</summary>
    /// <param name="patients">Who is booked; nobody twice a day with the same practitioner.</param>
    /// <param name="practitioners">With whom, and whether that is a nurse.</param>
    /// <param name="seed">Where chance begins.</param>
    /// <param name="now">The moment, on the clinic's clock.</param>
    public static IReadOnlyList<DemoAppointment> Make(IReadOnlyList<Guid> patients, IReadOnlyList<(Guid Id, bool Nurse)> practitioners, int seed, DateTime now)
    {
        var random = new Randomizer(seed);
        var made = new List<DemoAppointment>();
        for (var offset = -DaysBack; offset <= DaysAhead; offset++)
        {
            var day = now.Date.AddDays(offset);
            if (offset != 0 && day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday) continue;
            var full = offset switch { < 0 => 0.92f, 0 => 0.88f, 1 => 0.75f, < 5 => 0.5f, _ => 0.25f };
            var waiting = new Queue<Guid>(random.Shuffle(patients));
            foreach (var (id, nurse) in practitioners) made.AddRange(Day(day, id, nurse ? Treatment : Surgery, full, waiting, random, now));
        }
        return made;
    }

    private static IEnumerable<DemoAppointment> Day(DateTime day, Guid practitioner, (string Type, int Minutes, string[] Reasons)[] sorts, float full, Queue<Guid> waiting, Randomizer random, DateTime now)
    {
        var (clock, ends, here) = (day.AddHours(8).AddMinutes(random.Number(1, 4) * 15), day.AddHours(17).AddMinutes(random.Number(0, 2) * 15), 0);
        while (clock < ends && waiting.Count > 1)
        {
            if (clock.Hour == 12 && clock.Minute >= 30) clock = day.AddHours(13).AddMinutes(30);
            var (type, minutes, reasons) = random.ArrayElement(sorts);
            if (random.Float() > full)
            {
                clock = clock.AddMinutes(random.ArrayElement([10, 15, 20]));
                continue;
            }
            var until = clock.AddMinutes(minutes);
            var status = until <= now.AddMinutes(-5) ? random.Float() switch { < 0.05f => "no_show", _ => "completed" }
                : clock <= now && day.Date == now.Date ? "started"
                : day.Date == now.Date && clock <= now.AddMinutes(35) && here++ < 2 ? "arrived"
                : "booked";
            var reason = random.Float() < 0.7f ? random.ArrayElement(reasons) : null;
            // Now and then somebody gave a time back, and another took it.
            if (random.Float() < 0.06f) yield return new(waiting.Dequeue(), practitioner, clock, minutes, type, "cancelled", null);
            yield return new(waiting.Dequeue(), practitioner, clock, minutes, type, status, reason);
            clock = until;
        }
    }
}
