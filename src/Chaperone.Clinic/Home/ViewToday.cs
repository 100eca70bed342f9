using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Home;

/// <summary>Shows who is here and who comes next today, on the start page.</summary>
/// <param name="Own">Only whom one sees oneself.</param>
internal sealed record ViewToday(bool Own) : IOperation<TodayModel>
{
    public static Policy Policy { get; } = Policy.Reads("home.viewed").Needs(Permission.ScheduleView).Lists(AppointmentResource.Appointment);
}

/// <summary>Today, as the start page shows it.</summary>
/// <param name="Now">The moment, in the clinic's zone.</param>
/// <param name="Counts">How many of today's appointments stand in which status.</param>
/// <param name="With">Who is being seen.</param>
/// <param name="Here">Who has arrived and waits, the longest first.</param>
/// <param name="Next">Who is booked and still to come, the next first; who is late comes first of all.</param>
/// <param name="Practitioners">Names of the practitioners of those listed, where they are others.</param>
public sealed record TodayModel(
    DateTimeOffset Now, IReadOnlyDictionary<string, int> Counts, IReadOnlyList<Appointment> With, IReadOnlyList<Appointment> Here, IReadOnlyList<Appointment> Next, IReadOnlyDictionary<Guid, string> Practitioners)
{
    /// <summary>How many in one of these statuses.</summary>
    public int Count(params string[] statuses) => statuses.Sum(status => Counts.GetValueOrDefault(status));
}

internal sealed class ViewTodayHandler(Diary diary) : IHandler<ViewToday, TodayModel>
{
    private const int MostHere = 20, MostNext = 8;
    private static readonly TimeSpan Late = TimeSpan.FromMinutes(30);   // who is later than that is looked for in the schedule

    public async Task<Result<TodayModel>> Handle(ViewToday request, OperationScope scope, CancellationToken cancel)
    {
        var today = ClinicTime.DayOf(scope.Now, diary.Zone);
        var (from, to, me) = (ClinicTime.StartOf(today, diary.Zone), ClinicTime.StartOf(today.AddDays(1), diary.Zone), scope.Actor.Id);
        var rows = diary.Within().Where(row => row.StartsAt >= from && row.StartsAt < to);
        if (request.Own) rows = rows.Where(row => row.PractitionerId == me);
        var counts = await rows.GroupBy(row => row.Status).Select(group => new { group.Key, Count = group.Count() }).ToDictionaryAsync(group => group.Key, group => group.Count, cancel);

        var earliest = scope.Now - Late;
        var listed = rows.Where(row => row.Status == AppointmentStatus.Arrived || (row.Status == AppointmentStatus.Started && row.PractitionerId == me)).OrderBy(row => row.StartsAt).Take(MostHere);
        var coming = rows.Where(row => row.Status == AppointmentStatus.Booked && row.StartsAt >= earliest).OrderBy(row => row.StartsAt).ThenBy(row => row.Id).Take(MostNext);
        var shown = await diary.Show([.. await scope.OpenCandidates(listed, cancel), .. await scope.OpenCandidates(coming, cancel)], cancel);
        scope.Found(shown.Count);

        var names = new Dictionary<Guid, string>();
        var others = shown.Select(appointment => appointment.PractitionerId).Where(id => id != me).Distinct().ToArray();
        if (others.Length > 0)
            foreach (var member in await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(member => others.Contains(member.Id)), cancel)) names[member.Id] = member.Payload.Name;
        IReadOnlyList<Appointment> Of(string status) => [.. shown.Where(appointment => appointment.Status == status).OrderBy(appointment => appointment.Details.ArrivedAt ?? appointment.StartsAt).ThenBy(appointment => appointment.Id)];
        return new TodayModel(TimeZoneInfo.ConvertTime(scope.Now, diary.Zone), counts, Of(AppointmentStatus.Started), Of(AppointmentStatus.Arrived), Of(AppointmentStatus.Booked), names);
    }
}
