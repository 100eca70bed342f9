using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Patients;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.AuditLog;

public sealed class ViewAuditLogTests : AuditWorld
{
    [Fact]
    public async Task Every_filter_shows_exactly_the_events_it_names_newest_first()
    {
        var all = await Platform.EventsAsync(Clinic);
        var (doctor, middle) = (Doctor.Actor.Id!.Value, all[all.Count / 2].At);
        (AuditQuery Query, Func<LedgerEvent, bool> Holds)[] filters =
        [
            (Query(), _ => true),
            (Query(("action", "patient.viewed")), each => each.Action == "patient.viewed"),
            (Query(("actor", $"{doctor}")), each => each.Actor.Id == doctor),
            (Query(("entity", $"{Grace}")), each => each.Entity?.Id == Grace),
            (Query(("subject", $"{Ada}")), each => each.Subjects.Contains(Ada)),
            (Query(("category", "data_change")), each => each.Category == EventCategory.DataChange),
            (Query(("category", "data_change"), ("action", "patient.viewed")), _ => false),
            (Query(("severity", "warning")), each => each.Severity == EventSeverity.Warning),
            (Query(("outcome", "denied")), each => each.Outcome == EventOutcome.Denied),
            (Query(("from", middle.ToString("O"))), each => each.Id >= First(middle)),
            (Query(("to", middle.ToString("O"))), each => each.Id < First(middle)),
            (Query(("actor", $"{doctor}"), ("subject", $"{Ada}"), ("action", "patient.viewed"), ("outcome", "success")), each => each.Actor.Id == doctor && each.Subjects.Contains(Ada) && each.Action == "patient.viewed"),
        ];
        var newest = all.Max(each => each.Id);
        foreach (var (query, holds) in filters)
        {
            var expected = all.Where(holds).Select(each => each.Id).OrderDescending();
            Assert.Equal(expected, (await All(query.With("limit", "4"))).Select(each => each.Event.Id).Where(id => id <= newest));
        }

        static Guid First(DateTimeOffset at)
        {
            Span<byte> bytes = stackalloc byte[16];
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes, at.ToUnixTimeMilliseconds() << 16);
            return new(bytes, bigEndian: true);
        }
    }

    [Fact]
    public async Task Dates_are_the_clinics_days_and_to_means_to_its_end()
    {
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(Platform.Clock.GetUtcNow(), TimeZoneInfo.FindSystemTimeZoneById(Clinic.Zone)).DateTime);
        Assert.NotEmpty(await All(Query(("from", $"{today.AddDays(-1):yyyy-MM-dd}"), ("to", $"{today.AddDays(1):yyyy-MM-dd}"))));
        Assert.Empty(await All(Query(("from", $"{today.AddDays(2):yyyy-MM-dd}"))));
        Assert.Empty(await All(Query(("to", $"{today.AddDays(-2):yyyy-MM-dd}"))));

        var filter = Query(("from", "2026-07-01"), ("to", "2026-07-01")).Read("Europe/London").Value;
        Assert.Equal((new DateTimeOffset(2026, 6, 30, 23, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 7, 1, 23, 0, 0, TimeSpan.Zero)), (filter.From!.Value, filter.To!.Value));
        Assert.Equal(new DateTimeOffset(2026, 7, 1, 8, 30, 0, TimeSpan.Zero), Query(("from", "2026-07-01T09:30:00 01:00")).Read("Europe/London").Value.From);
    }

    [Fact]
    public async Task Pages_stay_where_they_are_while_events_are_added()
    {
        var before = (await Platform.EventsAsync(Clinic)).Select(each => each.Id).OrderDescending().ToList();
        var seen = new List<Guid>();
        for (var query = Query(("limit", "3")); ;)
        {
            var page = await Run(new ViewAuditLog(query), Reviewer);
            seen.AddRange(page.Events.Select(each => each.Event.Id));
            await Run(new ViewPatient(Ada), Doctor);
            if (page.Next is null) break;
            query = query.With("cursor", page.Next);
        }
        Assert.Equal(before, seen);
    }

    [Fact]
    public async Task Own_look_at_the_log_is_in_it_the_next_time_with_hits_and_fields_and_no_values()
    {
        await Run(new ViewAuditLog(Query(("subject", $"{Ada}"), ("action", "patient.viewed"), ("limit", "2"))), Reviewer);

        var again = (await Run(new ViewAuditLog(Query()), Reviewer)).Events[0];

        Assert.Equal(("audit.viewed", Reviewer.Actor.Id, 2L), (again.Event.Action, again.Event.Actor.Id, again.Event.Hits));
        Assert.Equal(["action", "subject"], again.Event.Fields);
        Assert.Equal([Ada], again.Event.Subjects);
        Assert.Equal("role:readonly/audit.view", again.Event.Decision);
        Assert.NotNull(again.Index);
        Assert.All((await Run(new ViewAuditLog(Query()), Reviewer)).Events, each => Assert.NotNull(each.Index));
    }

    [Fact]
    public async Task Names_of_staff_are_opened_and_registered_names_of_patients_are_not()
    {
        await Run(new CreateMemberOf(Ada).Operation, new(Clinic, Actor.Operator, new("cli")));
        var page = await Run(new ViewAuditLog(Query(), WithNames: true), Reviewer);

        Assert.Equal(["Hal Rowe", "Olu Marsh", "Rudi Exton", "Wilma Quist"], page.Members.Values.Select(member => member.Name).Order());
        Assert.Equal(page.Members.Keys.Order(), (await LastEvent()).Subjects.Order());
    }

    [Fact]
    public async Task One_event_is_found_by_its_id_and_everybody_it_names_is_registered()
    {
        var view = (await All(Query(("action", "patient.viewed"), ("entity", $"{Grace}"), ("outcome", "success"))))[0];

        var entry = await Run(new ViewAuditEvent(view.Event.Id), Reviewer);

        Assert.Equal(EventJson.Write(view.Event), EventJson.Write(entry.Read.Event));
        var seen = await LastEvent();
        Assert.Equal(("audit.viewed", "event", view.Event.Id), (seen.Action, seen.Entity!.Type, seen.Entity.Id));
        Assert.Equal([Grace], seen.Subjects);
    }

    [Fact]
    public async Task Who_may_not_is_refused_and_the_refusal_is_in_the_log()
    {
        foreach (var role in new[] { BuiltInRole.Doctor, BuiltInRole.Nurse, BuiltInRole.Reception, BuiltInRole.Hr, BuiltInRole.Finance })
        {
            var caller = Platform.As(Clinic, role);
            Assert.Equal(403, (await Try(new ViewAuditLog(Query()), caller)).Error!.Status);
            Assert.Equal(403, (await Try(new ViewAuditEvent(Guid.NewGuid()), caller)).Error!.Status);
            Assert.Equal(403, (await Try(new ViewIntegrity(), caller)).Error!.Status);
            Assert.Equal(403, (await Try(new StartAuditExport(Query()), caller)).Error!.Status);
        }
        Assert.Equal(4 * 5, (await All(Query(("outcome", "denied")), Owner)).Count(each => each.Event.Decision.StartsWith("none:audit.", StringComparison.Ordinal)));
        Assert.Equal(401, (await Try(new ViewAuditLog(Query()), new(Clinic, Actor.Anonymous, new("web")))).Error!.Status);
        foreach (var caller in new[] { Reviewer, Owner, Platform.As(Clinic, BuiltInRole.Admin) }) Assert.True((await Try(new ViewAuditLog(Query()), caller)).Succeeded);
        Assert.Equal(403, (await Try(new StartAuditExport(Query()), Reviewer)).Error!.Status);
    }

    [Fact]
    public async Task Events_of_another_clinic_are_not_there()
    {
        var foreign = Platform.As(OtherClinic, BuiltInRole.ReadOnly);
        var theirs = (await Platform.EventsAsync(OtherClinic)).Select(each => each.Id).ToHashSet();
        var ours = (await Platform.EventsAsync(Clinic)).ToList();

        Assert.Equal(theirs, (await All(Query(), foreign)).Select(each => each.Event.Id).Where(theirs.Contains).ToHashSet());
        Assert.Empty((await All(Query(), foreign)).Select(each => each.Event.Id).Intersect(ours.Select(each => each.Id)));
        Assert.Empty(await All(Query(("subject", $"{Ada}")), foreign));
        Assert.Equal("CHP-ACCESS-0001", (await Try(new ViewAuditEvent(ours[0].Id), foreign)).Error!.Code);
    }

    private sealed record CreateMemberOf(Guid Patient)
    {
        public Chaperone.Clinic.SignIn.CreateMember Operation { get; } = new("Adelaide Zimmerstein", "adelaide@one.test", [BuiltInRole.Patient], Patient: Patient);
    }
}
