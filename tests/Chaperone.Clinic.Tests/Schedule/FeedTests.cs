using System.Text;
using Chaperone.Clinic.Schedule;
using Chaperone.Clinic.Schedule.Feeds;
using Chaperone.Clinic.Schedule.Rota;
using Chaperone.Clinic.SignIn;
using Chaperone.Clinic.Team;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Tests.Schedule;

/// <summary>Calendars by secret address: what they say and to whom, how they end, and that nobody else can make one.</summary>
public sealed class FeedTests : ScheduleWorld
{
    private Caller Nobody => new(Clinic, Actor.Anonymous, new("web", "GET /calendar/{token}.ics", "127.0.0.1"));

    [Fact]
    public async Task A_feed_says_when_and_what_sort_and_no_word_of_anybody_and_names_its_practitioner_in_the_event()
    {
        var (kept, gone) = (await Book("10:00"), await Book("11:00"));
        await Book("10:00", practitioner: Xavier);
        await Run(new CancelAppointment(gone.Id, "clinic"));
        var hash = await Make(Wilma);
        Assert.Equal(0L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.calendar_feed WHERE length(token_hash) <> 32 OR length(proof) < 16"));
        var items = await Run(new ReadFeed(hash), Nobody);
        Assert.Equal([(kept.Id, "Appointment · Consultation", false), (gone.Id, "Appointment · Consultation", true)], items.Select(item => (item.Id, item.Summary, item.Cancelled)));
        var left = await LastEvent();
        Assert.Equal(("calendar.read", EventOutcome.Success, ActorKind.User, Wilma), (left.Action, left.Outcome, left.Actor.Kind, left.Actor.Id));
        Assert.Empty(left.Subjects);
        var text = CalendarText.Write(items, Platform.Clock.GetUtcNow()).Text;
        Assert.DoesNotContain("zimmerstein", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("word", text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Names_are_in_it_only_where_the_clinic_says_so_and_the_event_then_names_them()
    {
        await Book("10:00");
        var hash = await Make(Wilma);
        Assert.Equal(403, (await Refused(new ChangeScheduleSettings(true, 0), Platform.As(Clinic, BuiltInRole.Manager))).Status);
        var set = await Run(new ChangeScheduleSettings(true, 0), Platform.As(Clinic, BuiltInRole.Owner));
        var changed = await LastEvent();
        Assert.Equal("settings.modified", changed.Action);
        Assert.Contains(new FieldChange("feeds_name_patients", null, "False", "True"), changed.Changes);
        Assert.Equal("ZIMMERSTEIN, Adelaide · Consultation", Assert.Single(await Run(new ReadFeed(hash), Nobody)).Summary);
        Assert.Equal([Ada], (await LastEvent()).Subjects);
        Assert.Equal(412, (await Refused(new ChangeScheduleSettings(false, 0), Platform.As(Clinic, BuiltInRole.Owner))).Status);
        await Run(new ChangeScheduleSettings(false, set.Version), Platform.As(Clinic, BuiltInRole.Owner));
        Assert.Equal("Appointment · Consultation", Assert.Single(await Run(new ReadFeed(hash), Nobody)).Summary);
    }

    [Fact]
    public async Task An_address_that_is_wrong_another_clinics_replaced_revoked_or_of_a_leaver_is_not_there()
    {
        var first = await Make(Wilma);
        Assert.Equal(404, (await Refused(new ReadFeed(SecretToken.New().Hash), Nobody)).Status);
        Assert.Equal(404, (await Refused(new ReadFeed(null), Nobody)).Status);
        Assert.Equal((EventOutcome.Failure, "CHP-ACCESS-0001"), await LastEvent() is var left ? (left.Outcome, left.Reason) : default);
        Assert.Equal(404, (await Refused(new ReadFeed(first), Nobody with { Tenant = OtherClinic })).Status);
        var second = await Make(Wilma);
        Assert.Equal(404, (await Refused(new ReadFeed(first), Nobody)).Status);
        Assert.Empty(await Run(new ReadFeed(second), Nobody));
        await Run(new RevokeFeed(Wilma), Platform.As(Clinic, BuiltInRole.Manager));
        Assert.Equal(404, (await Refused(new ReadFeed(second), Nobody)).Status);
        Assert.Equal(404, (await Refused(new RevokeOwnFeed(), As(BuiltInRole.Doctor, Wilma))).Status);

        var third = await Make(Xavier);
        Assert.NotNull((await Run(new ViewOwnRota(), As(BuiltInRole.Doctor, Xavier))).FeedSince);
        await Run(new DeactivateMember(Xavier), Platform.As(Clinic, BuiltInRole.Owner));
        Assert.Equal(404, (await Refused(new ReadFeed(third), Nobody)).Status);
    }

    [Fact]
    public async Task Nobody_makes_anothers_and_a_row_the_server_did_not_make_opens_nothing()
    {
        Assert.Equal("CHP-SCHEDULE-0003", (await Refused(new MakeOwnFeed(), As(BuiltInRole.Employee, await Member("Em Ployee", BuiltInRole.Employee)))).Code);
        Assert.Equal("CHP-ACCESS-0003", (await Refused(new MakeOwnFeed(), Nobody)).Code);
        Assert.Equal(403, (await Refused(new RevokeFeed(Wilma), Reception)).Status);
        Assert.Equal(404, (await Refused(new RevokeFeed(Wilma), Platform.As(OtherClinic, BuiltInRole.Owner))).Status);

        var mine = await Make(Clio);
        await Platform.Database.ExecuteAsync($"UPDATE clinic.calendar_feed SET member_id = '{Wilma}' WHERE member_id = '{Clio}'");   // one's own, bent to somebody else
        Assert.Equal(404, (await Refused(new ReadFeed(mine), Nobody)).Status);
        var planted = SecretToken.New();
        await Platform.Database.ExecuteAsync($"UPDATE clinic.calendar_feed SET token_hash = decode('{Convert.ToHexString(planted.Hash)}', 'hex')");
        Assert.Equal(404, (await Refused(new ReadFeed(planted.Hash), Nobody)).Status);
    }

    [Fact]
    public void The_text_is_folded_escaped_and_stable()
    {
        var item = new FeedItem(Guid.Parse("0198c0de-0000-7000-8000-000000000001"), 3, new(2026, 7, 1, 9, 0, 0, TimeSpan.FromHours(1)), new(2026, 7, 1, 9, 15, 0, TimeSpan.FromHours(1)), "A;b,c\\d\r\nBEGIN:VEVENT · " + new string('ü', 60), "Room, 1", true);
        var (text, tag) = CalendarText.Write([item], new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.All(text.Split("\r\n"), line => Assert.InRange(Encoding.UTF8.GetByteCount(line), 0, 75));
        Assert.DoesNotContain('\n', text.Replace("\r\n", "", StringComparison.Ordinal));
        var lines = text.Replace("\r\n ", "", StringComparison.Ordinal).Split("\r\n");
        Assert.Equal(1, lines.Count(line => line == "BEGIN:VEVENT"));
        Assert.Contains(@"SUMMARY:A\;b\,c\\d\nBEGIN:VEVENT · " + new string('ü', 60), lines);
        Assert.Superset(new HashSet<string>(["UID:0198c0de-0000-7000-8000-000000000001", "SEQUENCE:2", "DTSTART:20260701T080000Z", "DTEND:20260701T081500Z", @"LOCATION:Room\, 1", "STATUS:CANCELLED", "DTSTAMP:20260601T000000Z"]), lines.ToHashSet());
        Assert.Equal(("BEGIN:VCALENDAR", "END:VCALENDAR", ""), (lines[0], lines[^2], lines[^1]));
        Assert.Equal(tag, CalendarText.Write([item], new(2026, 6, 2, 0, 0, 0, TimeSpan.Zero)).ETag);   // the moment of writing is not a change
        Assert.NotEqual(tag, CalendarText.Write([item with { Version = 4 }], new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero)).ETag);
    }

    private async Task<byte[]> Make(Guid practitioner)
    {
        var path = await Run(new MakeOwnFeed(), As(BuiltInRole.Doctor, practitioner));
        Assert.StartsWith("/calendar/", path, StringComparison.Ordinal);
        return SecretToken.HashOf(path["/calendar/".Length..^".ics".Length])!;
    }
}
