using Chaperone.Clinic.Investigations;
using Chaperone.Ledger;
using Chaperone.Platform;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Tests.Investigations;

/// <summary>Expiry leaves the events of an open case alone, and takes them once two concluded it.</summary>
public sealed class CaseExpiryTests : CaseWorld
{
    private static readonly DateTimeOffset LongAgo = new(2018, 5, 17, 12, 0, 0, TimeSpan.Zero);      // two years later lies in 2020-05

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_of_an_open_case_do_not_end_and_those_of_a_concluded_one_do()
    {
        await StaffAsync();
        await Platform.Database.ExecuteAsync(
            """
            CREATE TABLE ledger.event_2020_05 PARTITION OF ledger.event FOR VALUES FROM ('2020-05-01') TO ('2020-06-01');
            CREATE TABLE ledger.event_subject_2020_05 PARTITION OF ledger.event_subject FOR VALUES FROM ('2020-05-01') TO ('2020-06-01');
            """, Platform.Database.Owner);
        Guid[] old = [.. Enumerable.Range(0, 3).Select(i => Ids.New(LongAgo.AddSeconds(i)))];
        await Platform.Services.GetRequiredService<EventWriter>().WriteAloneAsync(Clinic.Id, [.. old.Select((id, i) => new LedgerEvent
        {
            Id = id, At = LongAgo.AddSeconds(i), Action = "patient.viewed", Category = EventCategory.DataAccess, Actor = new(ActorKind.User, Doctor.Actor.Id, "doctor"), Entity = new("patient", Ada), Subjects = [Ada],
            Source = new("web", "GET /patients/{id}"), Decision = "role:doctor/patient.view",
        })], Cancel);
        var (kept, removed, free) = (old[0], old[1], old[2]);
        var opened = await Run(new OpenCase("An old matter", "It came up again", [], null, new([kept, removed])), Owner);
        var item = (await Run(new ViewCase(opened.Id), Owner)).Events.Single(each => each.EventId == removed);
        await Run(new RemoveCaseItem(opened.Id, item.ItemId, "not_related"), Owner);

        var run = await RetainAsync();
        Assert.Equal((null, 1L), (run.Refused, run.Events));
        Assert.True(await ExistsAsync(kept) && await ExistsAsync(removed) && !await ExistsAsync(free));
        Assert.Equal(LongAgo, Assert.Single((await Run(new ViewCase(opened.Id), Owner)).Events).Read!.Event.At);

        await Run(new ConcludeCase(opened.Id, "no_breach", "It was nothing.", 1), Owner);
        Assert.Equal(0L, (await RetainAsync()).Events);
        await Run(new SettleConclusion(opened.Id, true, 2), await MemberAsync("Ola Second", Chaperone.Platform.Access.BuiltInRole.Owner));
        Assert.Equal(2L, (await RetainAsync()).Events);
        Assert.False(await ExistsAsync(kept) || await ExistsAsync(removed));
        var ended = Assert.Single((await Run(new ViewCase(opened.Id), Owner)).Events);
        Assert.True(ended is { Read: null, Index: >= 0 });

        // Evidence says that it ended, and proves which event of expiry names it.
        await Run(new ReopenCase(opened.Id, "Asked again", 3), Owner);
        await Run(new AddCaseEvents(opened.Id, new([(await SeenAsync())[^1].Id])), Owner);
        using var source = LogSource.Zip(new MemoryStream((await Run(new ExportCase(opened.Id), Owner)).Zip));
        var report = Verifier.Verify(source, "evidence", new());
        Assert.True(report is { ExitCode: 0, Verified: 1, Expired: 1 }, report.ToText());
    }

    [Theory]
    [InlineData("UPDATE clinic.investigation SET state = 'concluded', ended_at = now()")]
    [InlineData("DELETE FROM clinic.investigation_item")]
    public async Task A_case_that_was_ended_past_the_log_stops_expiry(string attack)
    {
        var opened = await OpenAsync();
        Assert.True(opened.Events > 0);
        await Platform.Database.ExecuteAsync(
            """
            CREATE TABLE ledger.event_2020_05 PARTITION OF ledger.event FOR VALUES FROM ('2020-05-01') TO ('2020-06-01');
            CREATE TABLE ledger.event_subject_2020_05 PARTITION OF ledger.event_subject FOR VALUES FROM ('2020-05-01') TO ('2020-06-01');
            """, Platform.Database.Owner);
        await Platform.Database.ExecuteAsync($"SET session_replication_role = replica; {attack}");
        Assert.Equal(Clinic.Id, (await RetainAsync()).Refused);
    }

    private async Task<RetentionRun> RetainAsync()
    {
        foreach (var clinic in new[] { Clinic, OtherClinic }) await Platform.Services.GetRequiredService<Sequencer>().FlushAsync(clinic.Id, Cancel);
        return await Platform.Services.GetRequiredService<LogRetention>().RunAsync(Cancel);
    }

    private async Task<bool> ExistsAsync(Guid id) => (bool)(await Platform.Database.ExecuteAsync($"SELECT EXISTS (SELECT FROM ledger.event WHERE id = '{id}') OR EXISTS (SELECT FROM ledger.event_held WHERE id = '{id}')"))!;
}
