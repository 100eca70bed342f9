using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Tenancy;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Chaperone.Platform.Tests.Operations;

public sealed class ReferenceMonitorTests : IAsyncLifetime
{
    private TestPlatform platform = null!;
    private Tenant clinic = null!;

    public async ValueTask InitializeAsync()
    {
        platform = await TestPlatform.CreateAsync(Things.Add, typeof(Things).Assembly);
        await platform.Database.ExecuteAsync(Things.Table);
        clinic = await platform.AddClinicAsync("one.test");
    }

    public async ValueTask DisposeAsync() => await platform.DisposeAsync();

    [Fact]
    public async Task Change_and_event_are_one_commit_and_the_event_names_subject_record_and_rule()
    {
        var doctor = platform.As(clinic, BuiltInRole.Doctor);

        var id = await Run(new AddThing("Ada"), doctor);

        var happened = Assert.Single(await platform.EventsAsync(clinic));
        Assert.Equal(("patient.created", EventOutcome.Success, "role:doctor/patient.edit"), (happened.Action, happened.Outcome, happened.Decision));
        Assert.Equal([id], happened.Subjects);
        Assert.Equal(new EventEntity("thing", id), happened.Entity);
        var record = Assert.Single(happened.Records);
        Assert.Equal(("clinic.thing", id, 1L), (record.Type, record.Id, record.Version));
        Assert.NotNull(record.Digest);
        Assert.Equal("Ada", await Run(new ViewThing(id), doctor));
        Assert.Equal(1L, await Count("ledger.event_subject es JOIN ledger.event e ON e.id = es.event_id WHERE e.action = 'patient.viewed'"));
    }

    [Fact]
    public async Task Change_names_fields_and_gives_values_of_listed_columns_only()
    {
        var doctor = platform.As(clinic, BuiltInRole.Doctor);
        var id = await Run(new AddThing("Ada"), doctor);

        await Run(new ChangeThing(id, "Grace", Phone: "07700 900123", Status: "done", Version: 1), doctor);

        var changed = (await platform.EventsAsync(clinic))[^1];
        Assert.Equal(
            [new FieldChange("Name", "changed"), new FieldChange("Phone", "set"), new FieldChange("status", null, "new", "done")],
            changed.Changes.OrderBy(change => change.Field, StringComparer.Ordinal));
        Assert.DoesNotContain("Grace", System.Text.Encoding.UTF8.GetString(EventJson.Write(changed)), StringComparison.Ordinal);
        Assert.Equal(2, Assert.Single(changed.Records).Version);
    }

    [Fact]
    public async Task Stale_version_changes_nothing_and_is_logged_as_failure()
    {
        var doctor = platform.As(clinic, BuiltInRole.Doctor);
        var id = await Run(new AddThing("Ada"), doctor);
        await Run(new ChangeThing(id, "Grace", Version: 1), doctor);

        var result = await platform.Monitor.Run(new ChangeThing(id, "Late", Version: 1), doctor, default);

        Assert.Equal(PlatformErrors.Changed, result.Error);
        Assert.Equal("Grace", await Run(new ViewThing(id), doctor));
        Assert.Contains(await platform.EventsAsync(clinic), happened => happened is { Action: "patient.updated", Outcome: EventOutcome.Failure, Reason: "CHP-PLATFORM-0002", Records.Count: 0 });
    }

    [Fact]
    public async Task Two_at_once_change_the_same_version_once()
    {
        var doctor = platform.As(clinic, BuiltInRole.Doctor);
        var id = await Run(new AddThing("Ada"), doctor);

        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => platform.Monitor.Run(new ChangeThing(id, "N" + n, Version: 1), doctor, default)));

        Assert.Single(results, result => result.Succeeded);
        Assert.All(results.Where(result => !result.Succeeded), result => Assert.Equal(412, result.Error!.Status));
    }

    [Theory]
    [InlineData("reception", "own")]
    [InlineData("finance", "403")]
    [InlineData("employee", "404")]
    [InlineData("patient", "404")]
    public async Task View_by_role_is_allowed_or_refused_and_every_refusal_is_logged(string role, string expected)
    {
        var id = await Run(new AddThing("Ada"), platform.As(clinic, BuiltInRole.Doctor));
        Assert.True(BuiltInRole.TryFind(role, out var actorRole));

        var result = await platform.Monitor.Run(new ViewThing(id), platform.As(clinic, actorRole, patient: Ids.New(platform.Clock.GetUtcNow())), default);

        var last = (await platform.EventsAsync(clinic))[^1];
        if (expected == "own")
        {
            Assert.True(result.Succeeded);
            return;
        }
        Assert.True(result.Error!.Status is 403 or 404, result.Error.Code);
        Assert.Equal((EventOutcome.Denied, 0), (last.Outcome, last.Subjects.Count));
    }

    [Fact]
    public async Task Patient_sees_their_own_only()
    {
        var doctor = platform.As(clinic, BuiltInRole.Doctor);
        var mine = await Run(new AddThing("Ada"), doctor);
        var other = await Run(new AddThing("Grace", "other"), doctor);
        var patient = platform.As(clinic, BuiltInRole.Patient, patient: mine);

        Assert.Equal("Ada", await Run(new ViewThing(mine), patient));
        Assert.Equal(PlatformErrors.NotFound, (await platform.Monitor.Run(new ViewThing(other), patient, default)).Error);
    }

    [Fact]
    public async Task Another_clinics_id_is_not_found_and_leaves_an_event_here_only()
    {
        var second = await platform.AddClinicAsync("two.test");
        var id = await Run(new AddThing("Ada"), platform.As(clinic, BuiltInRole.Doctor));
        var before = (await platform.EventsAsync(clinic)).Count;

        var result = await platform.Monitor.Run(new ViewThing(id), platform.As(second, BuiltInRole.Doctor), default);

        Assert.Equal(PlatformErrors.NotFound, result.Error);
        Assert.Equal(EventOutcome.Denied, Assert.Single(await platform.EventsAsync(second)).Outcome);
        Assert.Equal(before, (await platform.EventsAsync(clinic)).Count);
    }

    [Theory]
    [InlineData(Mischief.Throw)]
    [InlineData(Mischief.ThrowAfterFlush)]
    [InlineData(Mischief.RefuseAfterFlush)]
    [InlineData(Mischief.OtherEvent)]
    public async Task Handler_that_fails_leaves_nothing_but_its_failure_and_logs_no_values(object mischief)
    {
        var doctor = platform.As(clinic, BuiltInRole.Doctor);
        var id = await Run(new AddThing("Ada"), doctor);

        var result = await platform.Monitor.Run(new ChangeThing(id, "Canary-Value", Mischief: (Mischief)mischief), doctor, default);

        Assert.False(result.Succeeded);
        Assert.Equal("Ada", await Run(new ViewThing(id), doctor));
        Assert.Contains(await platform.EventsAsync(clinic), happened => happened is { Action: "patient.updated", Outcome: EventOutcome.Failure, Records.Count: 0 });
        Assert.DoesNotContain(platform.Logs.Lines, line => line.Contains("Canary-Value", StringComparison.Ordinal) || line.Contains("Secret-In-Exception", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Changed_row_that_no_event_names_fails_the_operation_before_commit()
    {
        var doctor = platform.As(clinic, BuiltInRole.Doctor);
        var id = await Run(new AddThing("Ada"), doctor);
        await Run(new AddThing("Grace", "other"), doctor);

        var result = await platform.Monitor.Run(new ChangeThing(id, "Ada", Mischief: Mischief.RawUpdate), doctor, default);

        Assert.Equal(PlatformErrors.Unexpected, result.Error);
        Assert.Equal(0L, await Count("clinic.thing WHERE status = 'stolen'"));
    }

    [Fact]
    public async Task Unlogged_operation_that_shows_somebody_is_refused()
    {
        var doctor = platform.As(clinic, BuiltInRole.Doctor);
        var id = await Run(new AddThing("Ada"), doctor);

        Assert.Equal(PlatformErrors.Unexpected, (await platform.Monitor.Run(new PeekUnlogged(id), doctor, default)).Error);
    }

    [Fact]
    public async Task Altered_payload_shows_nothing_and_leaves_a_critical_event()
    {
        var doctor = platform.As(clinic, BuiltInRole.Doctor);
        var id = await Run(new AddThing("Ada"), doctor);
        await platform.Database.ExecuteAsync("UPDATE clinic.thing SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)");

        var result = await platform.Monitor.Run(new ViewThing(id), doctor, default);

        Assert.Equal(PlatformErrors.SealBroken, result.Error);
        Assert.Equal(("security.seal_broken", EventSeverity.Critical), ((await platform.EventsAsync(clinic))[^1].Action, (await platform.EventsAsync(clinic))[^1].Severity));
    }

    [Fact]
    public async Task When_the_log_cannot_be_written_nothing_is_shown_or_changed()
    {
        var doctor = platform.As(clinic, BuiltInRole.Doctor);
        var id = await Run(new AddThing("Ada"), doctor);
        await platform.Database.ExecuteAsync("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ledger FROM chaperone_app");

        Assert.False((await platform.Monitor.Run(new ViewThing(id), doctor, default)).Succeeded);
        Assert.False((await platform.Monitor.Run(new ChangeThing(id, "Grace"), doctor, default)).Succeeded);

        Assert.Equal(0L, await Count("clinic.thing WHERE version > 1"));
    }

    [Fact]
    public async Task Step_up_is_asked_for_when_the_second_factor_is_old()
    {
        var owner = platform.As(clinic, BuiltInRole.Owner);
        await Run(new AddThing("Ada"), platform.As(clinic, BuiltInRole.Doctor));
        Assert.Equal(1, await Run(new ListThings(), owner));

        platform.Clock.Advance(TimeSpan.FromMinutes(6));

        Assert.Equal(PlatformErrors.StepUpRequired, (await platform.Monitor.Run(new ListThings(), owner, default)).Error);
    }

    [Fact]
    public async Task Many_rows_stand_in_events_of_at_most_500_records_each()
    {
        await Run(new AddManyThings(1201), platform.As(clinic, BuiltInRole.Doctor));

        var events = await platform.EventsAsync(clinic);

        Assert.Equal([500, 500, 201], events.OrderBy(happened => happened.Details["part"].Number).Select(happened => happened.Records.Count));
        Assert.Equal(1201, events.SelectMany(happened => happened.Subjects).Distinct().Count());
        Assert.Equal(1201L, await Count("ledger.event_subject"));
    }

    [Fact]
    public async Task Strangers_failures_are_written_singly_up_to_twenty_a_minute_then_counted()
    {
        var stranger = new Caller(clinic, Actor.Anonymous, new("web"));
        for (var i = 0; i < 30; i++) Assert.Equal(401, (await platform.Monitor.Run(new ListThings(), stranger, default)).Error!.Status);
        Assert.Equal(20, (await platform.EventsAsync(clinic)).Count);

        platform.Clock.Advance(TimeSpan.FromMinutes(1));
        await platform.Monitor.Run(new ListThings(), stranger, default);

        Assert.Equal(10, (await platform.EventsAsync(clinic))[^1].Details["left_out"].Number);
    }

    [Fact]
    public async Task Runtime_role_sees_and_writes_no_other_clinic_even_by_hand()
    {
        var id = await Run(new AddThing("Ada"), platform.As(clinic, BuiltInRole.Doctor));
        var second = await platform.AddClinicAsync("two.test");

        await using var none = new NpgsqlConnection(platform.Database.App);
        await none.OpenAsync();
        Assert.Equal(0L, await Scalar(none, "SELECT count(*) FROM clinic.thing"));

        await using var transaction = await TenantTransaction.BeginAsync(platform.Databases.App, second.Id, default);
        await using (var count = transaction.Command("SELECT count(*) FROM clinic.thing")) Assert.Equal(0L, await count.ExecuteScalarAsync());
        await using (var steal = transaction.Command("UPDATE clinic.thing SET status = 'stolen' WHERE id = $1", id)) Assert.Equal(0, await steal.ExecuteNonQueryAsync());
        await using var plant = transaction.Command("INSERT INTO clinic.thing SELECT $1, gen_random_uuid(), gen_random_uuid(), 'x', 1, 1, ''::bytea", clinic.Id);
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => plant.ExecuteNonQueryAsync())).SqlState);
    }

    [Fact]
    public void Operation_without_a_complete_policy_is_refused_at_start_up()
    {
        var refused = Assert.Throws<InvalidOperationException>(() => OperationRegistry.Register(new ServiceCollection(), [typeof(NoPermission<int>), typeof(UnknownEvent<int>), typeof(NoHandler<int>)]));

        Assert.Contains("NoPermission`1: it names no permission", refused.Message, StringComparison.Ordinal);
        Assert.Contains("UnknownEvent`1: its event thing.invented is not in the catalogue", refused.Message, StringComparison.Ordinal);
        Assert.Contains("NoHandler`1 has 0 handlers", refused.Message, StringComparison.Ordinal);
    }

    // Generic, so that scanning this assembly for operations passes them by; closed here they are what a careless feature would hold.
    private sealed record NoPermission<T> : IOperation<Done>
    {
        public static Policy Policy { get; } = Policy.Reads("patient.viewed").About(Things.Thing);
    }

    private sealed record UnknownEvent<T> : IOperation<Done>
    {
        public static Policy Policy { get; } = Policy.Reads("thing.invented").Needs(Permission.PatientView).About(Things.Thing);
    }

    private sealed record NoHandler<T> : IOperation<Done>
    {
        public static Policy Policy { get; } = Policy.Reads("patient.viewed").Needs(Permission.PatientView).About(Things.Thing);
    }

    private async Task<T> Run<T>(IOperation<T> operation, Caller caller)
    {
        var result = await platform.Monitor.Run(operation, caller, default);
        Assert.True(result.Succeeded, result.Error?.Code + " " + string.Join('\n', platform.Logs.Lines.Where(line => line.StartsWith("Error", StringComparison.Ordinal))));
        return result.Value;
    }

    private async Task<long> Count(string from) => (long)(await platform.Database.ExecuteAsync("SELECT count(*) FROM " + from))!;

    private static async Task<object?> Scalar(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
