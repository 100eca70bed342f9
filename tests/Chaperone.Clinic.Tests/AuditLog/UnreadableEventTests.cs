using System.Text;
using Chaperone.Clinic.AuditLog;
using Chaperone.Ledger;

namespace Chaperone.Clinic.Tests.AuditLog;

/// <summary>A superuser of the database changes one event's body: that event is shown as unreadable, every other as ever.</summary>
public sealed class UnreadableEventTests : AuditWorld
{
    public static TheoryData<string> Damage =>
    [
        "UPDATE ledger.event SET body = set_byte(body, 40, get_byte(body, 40) # 1)",
        "UPDATE ledger.event SET body = set_byte(body, length(body) - 1, get_byte(body, length(body) - 1) # 128)",
        "UPDATE ledger.event SET body = set_byte(body, 0, 9)",
        "UPDATE ledger.event SET body = ''",
        "UPDATE ledger.event e SET body = (SELECT body FROM ledger.event o WHERE o.tenant_id = e.tenant_id AND o.id <> e.id ORDER BY o.id LIMIT 1)",
    ];

    [Theory]
    [MemberData(nameof(Damage))]
    public async Task Log_lists_it_as_unreadable_and_the_others_as_they_were(string sql)
    {
        var (bad, others) = await DamageAsync(sql);

        var (status, json) = await Api("events?limit=200");

        Assert.Equal(200, status);
        var items = json.GetProperty("items").EnumerateArray().ToDictionary(item => item.GetProperty("id").GetGuid());
        Assert.All(others, each => Assert.True(items[each.Id].GetProperty("readable").GetBoolean()));
        Assert.All(others, each => Assert.Equal(each.Decision, items[each.Id].GetProperty("decision").GetString()));
        var shown = items[bad.Id];
        Assert.False(shown.GetProperty("readable").GetBoolean());
        Assert.Equal((bad.Action, "success", bad.Actor.Id, bad.Entity!.Id),
            (shown.GetProperty("action").GetString(), shown.GetProperty("outcome").GetString(), shown.GetProperty("actor").GetProperty("id").GetGuid(), shown.GetProperty("entity").GetProperty("id").GetGuid()));
        Assert.Equal(bad.At.ToUnixTimeMilliseconds(), shown.GetProperty("at").GetDateTimeOffset().ToUnixTimeMilliseconds());
        Assert.True(shown.GetProperty("index").GetInt64() >= 0);
        foreach (var untold in new[] { "source", "decision", "subjects", "changes", "records" }) Assert.False(shown.TryGetProperty(untold, out _), untold);
        var (one, alone) = await Api($"events/{bad.Id}");
        Assert.Equal((200, false), (one, alone.GetProperty("readable").GetBoolean()));
    }

    [Fact]
    public async Task It_is_told_once_however_often_it_is_come_upon()
    {
        var (bad, _) = await DamageAsync(Damage.First());
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(200, (await Api("events?limit=200")).Status);
            Assert.Equal(200, (await Send("GET", AuditLogFeature.Path, Reviewer)).Status);
            Assert.Equal(200, (await Api($"events/{bad.Id}")).Status);
            Assert.Equal(200, (await Send("GET", "/api/audit/export", Owner)).Status);
        }

        var (_, told) = await Api("events?action=security.seal_broken");
        var only = Assert.Single(told.GetProperty("items").EnumerateArray());
        Assert.Equal((bad.Id, "event", "critical", "failure"), (only.GetProperty("entity").GetProperty("id").GetGuid(), only.GetProperty("entity").GetProperty("type").GetString(),
            only.GetProperty("severity").GetString(), only.GetProperty("outcome").GetString()));
    }

    [Fact]
    public async Task Page_says_so_in_the_row_and_on_the_events_own_page()
    {
        var (bad, others) = await DamageAsync(Damage.First());

        var (status, body, _) = await Send("GET", AuditLogFeature.Path, Reviewer);
        var page = Encoding.UTF8.GetString(body);
        Assert.Equal(200, status);
        Assert.Equal(1, page.Split("This event cannot be opened: its record was changed").Length - 1);
        Assert.All(others, each => Assert.Contains($"{AuditLogFeature.Path}/{each.Id}", page, StringComparison.Ordinal));

        var (found, single, _) = await Send("GET", $"{AuditLogFeature.Path}/{bad.Id}", Reviewer);
        Assert.Equal(200, found);
        Assert.Contains("This event cannot be opened: its record was changed", Encoding.UTF8.GetString(single), StringComparison.Ordinal);
        Assert.DoesNotContain("Decision", Encoding.UTF8.GetString(single), StringComparison.Ordinal);
        var (good, intact, _) = await Send("GET", $"{AuditLogFeature.Path}/{others[0].Id}", Reviewer);
        Assert.Equal(200, good);
        Assert.Contains("Decision", Encoding.UTF8.GetString(intact), StringComparison.Ordinal);
        Assert.DoesNotContain("cannot be opened", Encoding.UTF8.GetString(intact), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Table_holds_it_marked_and_says_how_many()
    {
        var (bad, others) = await DamageAsync(Damage.First());

        var (status, body, _) = await Send("GET", "/api/audit/export?format=csv", Owner);

        Assert.Equal(200, status);
        var lines = Encoding.UTF8.GetString(body).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1).ToList();
        Assert.EndsWith(",no", Assert.Single(lines, line => line.Contains(bad.Id.ToString(), StringComparison.Ordinal) && !line.Contains("security.seal_broken", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.All(others, each => Assert.EndsWith(",yes", lines.First(line => line.Split(',')[2] == each.Id.ToString()), StringComparison.Ordinal));
        Assert.All(lines, line => Assert.Equal(AuditCsv.Columns.Length, Cells(line)));
        var ended = await LastEventOf("data.exported");
        Assert.Equal((1L, "yes"), (ended.GetProperty("details").GetProperty("unreadable").GetInt64(), ended.GetProperty("details").GetProperty("complete").GetString()));
    }

    [Fact]
    public async Task Bundle_carries_its_entry_and_whoever_verifies_it_finds_it()
    {
        var (bad, others) = await DamageAsync(Damage.First());
        var place = (await Api($"events/{bad.Id}")).Json.GetProperty("index").GetInt64();

        var (status, body, _) = await Send("GET", "/api/audit/export?format=bundle", Owner);

        Assert.Equal(200, status);
        var key = VerifierKey.Parse((await Api("integrity")).Json.GetProperty("checkpoint").GetProperty("key").GetString()!);
        using var source = LogSource.Zip(new MemoryStream(body));
        var report = Verifier.Verify(source, "bundle", new() { Key = key });
        Assert.Equal(1, report.ExitCode);
        Assert.Contains($"{place}", report.ToText(), StringComparison.Ordinal);
        Assert.True(report.Verified >= others.Count, report.ToText());
    }

    /// <summary>Changes the body of one view of a patient; the others are given back as they were before.</summary>
    private async Task<(LedgerEvent Bad, IReadOnlyList<LedgerEvent> Others)> DamageAsync(string sql)
    {
        Assert.Equal(200, (await Api("events")).Status);   // every event has its place
        var all = await Platform.EventsAsync(Clinic);
        var bad = all.First(each => each is { Action: "patient.viewed", Outcome: EventOutcome.Success });
        await Platform.Database.ExecuteAsync($"SET session_replication_role = replica; {sql} WHERE tenant_id = '{Clinic.Id}' AND id = '{bad.Id}'");
        return (bad, [.. all.Where(each => each.Id != bad.Id)]);
    }

    private async Task<System.Text.Json.JsonElement> LastEventOf(string action) => (await Api($"events?action={action}")).Json.GetProperty("items")[0];

    private static int Cells(string line)
    {
        var (cells, quoted) = (1, false);
        foreach (var c in line)
        {
            if (c == '"') quoted = !quoted;
            else if (c == ',' && !quoted) cells++;
        }
        return cells;
    }
}
