using Chaperone.Encryption;
using Chaperone.Ledger;
using Chaperone.Platform.Ledger;
using Npgsql;

namespace Chaperone.Platform.Tests.Ledger;

/// <summary>What a superuser with the application's keys can do to the log and to records, and what the verifier says about it.</summary>
public sealed class TamperingTests
{
    private const int Count = 300;
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_untouched_log_with_records_verifies()
    {
        await using var log = await LogFixture.CreateAsync();
        var id = await log.AddRecordAsync();
        await log.FillAsync(Count);
        await log.AppendAsync([log.Event("patient.updated", id) with { Records = [log.Vouch(id, 2, "arrived")] }], $"UPDATE {LogFixture.Things} SET version = 2, status = 'arrived'", changedRows: 1);
        var report = await log.VerifyAsync();       // the last is still to get its index
        Assert.True(report.ExitCode == 0, report.ToText());
        Assert.Equal(Count + 1, report.Verified);
        Assert.Contains("1 not yet sequenced.", report.Notes);
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        Assert.Equal(0, (await log.VerifyAsync(await File.ReadAllBytesAsync(log.File.PathOf(log.Tenant), Cancel))).ExitCode);
        Assert.All(await log.Verifier().VerifyAllAsync(null, null, Cancel), each => Assert.Equal(0, each.ExitCode));
    }

    // What is done, the index that must be named (null: none belongs to it) and words that must be in what is said.
    public static TheoryData<string, long?, string> Attacks => new()
    {
        { "UPDATE ledger.event SET body = set_byte(body, 40, 255 - get_byte(body, 40)) WHERE id = '{7}'", 7, "does not open" },
        { "UPDATE ledger.event SET body = (SELECT body FROM ledger.event WHERE id = '{8}') WHERE id = '{7}'", 7, "does not open" },
        { "UPDATE ledger.event SET action = 'patient.searched' WHERE id = '{7}'", 7, "action" },
        { "UPDATE ledger.event SET severity = 'critical' WHERE id = '{7}'", 7, "severity" },
        { "UPDATE ledger.event SET outcome = 'denied' WHERE id = '{7}'", 7, "outcome" },
        { "UPDATE ledger.event SET actor_id = gen_random_uuid() WHERE id = '{7}'", 7, "actor_id" },
        { "UPDATE ledger.event SET actor_id = NULL WHERE id = '{7}'", 7, "actor_id" },
        { "UPDATE ledger.event SET entity_type = 'staff' WHERE id = '{7}'", 7, "entity_type" },
        { "UPDATE ledger.event SET entity_id = gen_random_uuid() WHERE id = '{7}'", 7, "entity_id" },
        { "UPDATE ledger.event SET ip_index = '\\x00' WHERE id = '{7}'", 7, "ip_index" },
        { "UPDATE ledger.event SET expires_on = expires_on - 1 WHERE id = '{7}'", 7, "expires_on" },
        { "DELETE FROM ledger.event WHERE id = '{7}'", 7, "is missing" },
        { "DELETE FROM ledger.event; DELETE FROM ledger.event_subject", 0, "is missing" },
        { "UPDATE ledger.event_subject SET subject_id = gen_random_uuid() WHERE event_id = '{7}'", 7, "who was shown" },
        { "DELETE FROM ledger.event_subject WHERE event_id = '{7}'", 7, "who was shown" },
        { "INSERT INTO ledger.event_subject SELECT tenant_id, gen_random_uuid(), event_id, expires_on FROM ledger.event_subject WHERE event_id = '{7}'", null, "whose body does not" },
        { "INSERT INTO ledger.event SELECT tenant_id, gen_random_uuid(), expires_on, action, severity, outcome, actor_id, entity_type, entity_id, ip_index, body FROM ledger.event WHERE id = '{7}'", null, "no position" },
        { "INSERT INTO ledger.event_held SELECT * FROM ledger.event WHERE id = '{7}'", null, "stands twice" },
        { "UPDATE ledger.position SET entry_hashes = set_byte(entry_hashes, 7 * 32, 255 - get_byte(entry_hashes, 7 * 32)) WHERE n = 0", 0, "is not the one whose entry" },
        { "UPDATE ledger.position SET event_ids[8] = '{8}', event_ids[9] = '{7}' WHERE n = 0", 7, "is not the one whose entry" },
        { "UPDATE ledger.position SET min_id = max_id WHERE n = 0", 0, "least and greatest" },
        { "DELETE FROM ledger.position WHERE n = 0", 0, "Position chunk 0 is missing" },
        { "UPDATE ledger.position SET event_ids = event_ids[1:40], max_id = event_ids[40], entry_hashes = substr(entry_hashes, 1, 40 * 32) WHERE n = 1", 296, "its tail was cut off" },
        { "UPDATE ledger.tile SET hashes = set_byte(hashes, 0, 255 - get_byte(hashes, 0))", 0, "Tile 1/0 differs" },
        { "DELETE FROM ledger.tile", 0, "Tile 1/0 is missing" },
        { "INSERT INTO ledger.tile SELECT tenant_id, 2, 0, hashes FROM ledger.tile", null, "is of no tree" },
        { "UPDATE ledger.tree SET size = size - 1", null, "stored size and root" },
        { "UPDATE ledger.checkpoint SET note = replace(note, '300', '299')", null, "signature" },
        { "UPDATE ledger.checkpoint SET root = decode(repeat('00', 32), 'hex')", null, "columns" },
        { "DELETE FROM ledger.checkpoint", null, "no checkpoint" },
    };

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task An_attack_on_the_log_is_found_and_named(string attack, long? index, string words)
    {
        await using var log = await LogFixture.CreateAsync();
        var events = await FillOldAsync(log);
        foreach (var i in new[] { 7, 8 }) attack = attack.Replace($"{{{i}}}", events[i].Id.ToString(), StringComparison.Ordinal);
        await log.AttackAsync(attack);
        var report = await log.VerifyAsync();
        Assert.Equal(1, report.ExitCode);
        Assert.Contains(report.Problems, problem => problem.What.Contains(words, StringComparison.Ordinal));
        if (index is not null) Assert.Equal(index, report.FirstBadIndex);
    }

    [Fact]
    public async Task A_body_written_anew_with_the_real_key_is_found()
    {
        await using var log = await LogFixture.CreateAsync();
        var events = await log.FillAsync(20);
        await ForgeAsync(log, events[4] with { Actor = new(ActorKind.User, Ids.New(TimeProvider.System.GetUtcNow()), "nurse") }, "");
        var report = await log.VerifyAsync();
        Assert.Equal((1, 4L), (report.ExitCode, report.FirstBadIndex!.Value));
        Assert.Contains("is not the one whose entry stands in the log", report.FirstBad, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_written_anew_together_with_its_entry_is_found_by_the_tree()
    {
        await using var log = await LogFixture.CreateAsync();
        var events = await log.FillAsync(20);
        await ForgeAsync(log, events[4] with { Reason = "other" }, "UPDATE ledger.position SET entry_hashes = overlay(entry_hashes PLACING substr($2, 2) FROM 4 * 32 + 1)");
        var report = await log.VerifyAsync();
        Assert.Equal(1, report.ExitCode);
        Assert.Contains(report.Problems, problem => problem.What.Contains("The first 20 entries are not those", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_log_made_anew_and_signed_with_the_real_key_is_found_by_the_checkpoint_file_and_by_one_kept_elsewhere()
    {
        await using var log = await LogFixture.CreateAsync();
        var events = await log.FillAsync(20);
        var kept = await File.ReadAllBytesAsync(log.File.PathOf(log.Tenant), Cancel);
        await ForgeAsync(log, events[4] with { Reason = "other" }, "UPDATE ledger.position SET entry_hashes = overlay(entry_hashes PLACING substr($2, 2) FROM 4 * 32 + 1)");
        await log.AttackAsync(
            """
            INSERT INTO ledger.pending SELECT p.tenant_id, id, '2030-01-01', '\x01' || substr(entry_hashes, (at::int - 1) * 32 + 1, 32) FROM ledger.position p, unnest(event_ids) WITH ORDINALITY AS e (id, at);
            DELETE FROM ledger.position; DELETE FROM ledger.tile; DELETE FROM ledger.tree; DELETE FROM ledger.checkpoint;
            """);
        var elsewhere = Directory.CreateTempSubdirectory("chaperone-forged-").FullName;
        using (var forger = log.NewSequencer(elsewhere)) await forger.FlushAsync(log.Tenant, Cancel);

        var alone = await log.Verifier(elsewhere).VerifyAsync(log.Tenant, "Clinic", null, null, Cancel);
        Assert.Equal(0, alone.ExitCode);            // nothing inside the database can show it: hence the file
        var report = await log.VerifyAsync();
        Assert.Equal(1, report.ExitCode);
        Assert.Contains(report.Problems, problem => problem.What.Contains("the checkpoint file", StringComparison.Ordinal));
        report = await log.Verifier(elsewhere).VerifyAsync(log.Tenant, "Clinic", kept, null, Cancel);
        Assert.Contains(report.Problems, problem => problem.What.Contains("the given checkpoint", StringComparison.Ordinal));
        Directory.Delete(elsewhere, recursive: true);
    }

    [Fact]
    public async Task A_tail_cut_off_to_an_earlier_signed_state_is_found()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(10);
        string[] tables = ["event", "event_subject", "position", "tile", "tree", "checkpoint"];
        await log.AttackAsync(string.Join(' ', tables.Select(table => $"CREATE TABLE public.was_{table} AS SELECT * FROM ledger.{table};")));
        await log.FillAsync(5);
        await log.AttackAsync(string.Join(' ', tables.Select(table => $"DELETE FROM ledger.{table}; INSERT INTO ledger.{table} SELECT * FROM public.was_{table};")));
        var report = await log.VerifyAsync();
        Assert.Equal((1, 10L), (report.ExitCode, report.FirstBadIndex!.Value));
        Assert.Contains("its tail was cut off", report.FirstBad, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPDATE {t} SET status = 'cancelled'", "is not the row that")]
    [InlineData("UPDATE {t} SET sealed = '\\x010204'", "is not the row that")]
    [InlineData("UPDATE {t} SET born = born + 1", "is not the row that")]
    [InlineData("UPDATE {t} SET at = NULL", "is not the row that")]
    [InlineData("UPDATE {t} SET version = 1, status = 'booked'", "was rolled back to version 1")]
    [InlineData("UPDATE {t} SET version = 3", "is at version 3 without an event")]
    [InlineData("DELETE FROM {t}", "was deleted without an event")]
    [InlineData("INSERT INTO {t} SELECT tenant_id, gen_random_uuid(), version, status, born, at, sealed FROM {t}", "was put there past the log")]
    [InlineData("DELETE FROM {t}; DELETE FROM platform.tenant_table WHERE name = '{t}'", "was deleted without an event")]
    public async Task An_attack_on_a_record_is_found_and_named(string attack, string words)
    {
        await using var log = await LogFixture.CreateAsync();
        var id = await log.AddRecordAsync();
        await log.AppendAsync([log.Event("patient.updated", id) with { Records = [log.Vouch(id, 2, "arrived")] }], $"UPDATE {LogFixture.Things} SET version = 2, status = 'arrived'", changedRows: 1);
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        await log.AttackAsync(attack.Replace("{t}", LogFixture.Things, StringComparison.Ordinal));
        var report = await log.VerifyAsync();
        Assert.Equal(1, report.ExitCode);
        Assert.Contains(report.Problems, problem => problem.What.Contains(words, StringComparison.Ordinal) && problem.What.Contains(LogFixture.Things, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_deleted_record_that_its_event_names_is_good_and_bringing_it_back_is_not()
    {
        await using var log = await LogFixture.CreateAsync();
        var id = await log.AddRecordAsync();
        await log.AttackAsync($"CREATE TABLE public.was AS SELECT * FROM {LogFixture.Things}");
        await log.AppendAsync([log.Event("patient.deleted", id) with { Records = [new(LogFixture.Things, id, 1, null)] }], $"DELETE FROM {LogFixture.Things}", changedRows: 1);
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        Assert.Equal(0, (await log.VerifyAsync()).ExitCode);
        await log.AttackAsync($"INSERT INTO {LogFixture.Things} SELECT * FROM public.was");
        Assert.Contains((await log.VerifyAsync()).Problems, problem => problem.What.Contains("says it was deleted", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Events_that_never_get_an_index_are_found_once_a_later_checkpoint_exists()
    {
        await using var log = await LogFixture.CreateAsync();
        var old = log.Event() with { Id = Ids.New(TimeProvider.System.GetUtcNow().AddMinutes(-5)), At = TimeProvider.System.GetUtcNow().AddMinutes(-5) };
        await log.AppendAsync([old]);
        Assert.Equal(0, (await log.VerifyAsync()).ExitCode);
        await log.AttackAsync("CREATE TABLE public.aside AS SELECT * FROM ledger.pending; DELETE FROM ledger.pending");
        await log.FillAsync(1);
        Assert.Contains((await log.VerifyAsync()).Problems, problem => problem.What.Contains("no position", StringComparison.Ordinal));
        await log.AttackAsync("INSERT INTO ledger.pending SELECT * FROM public.aside");
        Assert.Contains((await log.VerifyAsync()).Problems, problem => problem.What.Contains("long ago", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_given_checkpoint_of_a_stranger_cannot_be_checked()
    {
        await using var log = await LogFixture.CreateAsync();
        await log.FillAsync(1);
        using var stranger = new NoteSigner("stranger", new byte[32]);
        var note = new Checkpoint("stranger", 0, Merkle.EmptyRoot).Sign(stranger).ToBytes();
        Assert.Equal([0, 2], (await log.Verifier().VerifyAllAsync(note, null, Cancel)).Select(report => report.ExitCode));
    }

    // Two minutes old, so that nothing counts as on its way.
    private static async Task<List<LedgerEvent>> FillOldAsync(LogFixture log)
    {
        var at = TimeProvider.System.GetUtcNow().AddMinutes(-2);
        var events = Enumerable.Range(0, Count).Select(i => log.Event("patient.viewed", log.Person()) with { Id = Ids.New(at.AddMilliseconds(i)), At = at.AddMilliseconds(i) }).ToList();
        await log.AppendAsync(events);
        await log.Sequencer.FlushAsync(log.Tenant, Cancel);
        return events;
    }

    private static async Task ForgeAsync(LogFixture log, LedgerEvent value, string also)
    {
        var forged = await log.Appender.PrepareAsync(log.Tenant, value, Cancel);
        await using var connection = new NpgsqlConnection(log.Database.Superuser);
        await connection.OpenAsync(Cancel);
        await using (var off = new NpgsqlCommand("SET session_replication_role = replica", connection)) await off.ExecuteNonQueryAsync(Cancel);
        await using (var body = new NpgsqlCommand("UPDATE ledger.event SET body = $1, actor_id = $3 WHERE id = $2", connection)
        {
            Parameters = { new() { Value = forged.Body }, new() { Value = value.Id }, new() { Value = value.Actor.Id!.Value } },
        })
            await body.ExecuteNonQueryAsync(Cancel);
        if (also.Length == 0) return;
        await using var entry = new NpgsqlCommand(also.Replace("$2", "$1", StringComparison.Ordinal), connection) { Parameters = { new() { Value = forged.Entry } } };
        await entry.ExecuteNonQueryAsync(Cancel);
    }
}
