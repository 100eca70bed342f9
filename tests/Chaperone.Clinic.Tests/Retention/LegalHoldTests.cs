using System.Text;
using Chaperone.Clinic.Mail;
using Chaperone.Clinic.Patients;
using Chaperone.Clinic.Retention;
using Chaperone.Clinic.SignIn;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;
using Chaperone.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Chaperone.Clinic.Tests.Retention;

/// <summary>Who keeps what, how two people are needed, and what a clinic may decide about terms.</summary>
public sealed class LegalHoldTests : IAsyncLifetime
{
    private TestPlatform platform = null!;
    private Tenant clinic = null!, other = null!;
    private Caller owner = null!, admin = null!;
    private Guid ada;

    [Fact]
    public async Task A_hold_holds_at_once_is_confirmed_by_somebody_else_and_ends_by_two()
    {
        var hold = await Run(new ProposeHold(ada, "  Claim of Tuesdayword against the practice "), owner);
        Assert.Equal(("proposed", ada, true, "Claim of Tuesdayword against the practice", 1L), (hold.State, hold.Person, hold.IsPatient, hold.Why, hold.Version));
        var left = await LastEvent();
        Assert.Equal(("ledger.held", "proposed", new EventEntity("legal_hold", hold.Id)), (left.Action, left.Reason, left.Entity));
        Assert.Equal([ada], left.Subjects);
        Assert.DoesNotContain("word", Encoding.UTF8.GetString(EventJson.Write(left)), StringComparison.Ordinal);
        Assert.Equal(0L, await platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.legal_hold h WHERE position('word'::bytea IN h.sealed) > 0 OR (to_jsonb(h) - 'sealed')::text LIKE '%word%'"));
        Assert.True(await Holds(ada));

        Assert.Equal(RetentionErrors.NeedsSecondPerson.Code, (await Refused(new StepHold(hold.Id, HoldSteps.Confirm, 1), owner)).Code);
        Assert.Equal(RetentionErrors.NotNow.Code, (await Refused(new StepHold(hold.Id, HoldSteps.Release, 1), admin)).Code);
        Assert.Equal("placed", (await Run(new StepHold(hold.Id, HoldSteps.Confirm, 1), admin)).State);
        Assert.Equal(PlatformErrors.Changed.Code, (await Refused(new StepHold(hold.Id, HoldSteps.Release, 1), admin)).Code);
        Assert.Equal("releasing", (await Run(new StepHold(hold.Id, HoldSteps.Release, 2), admin)).State);
        Assert.Equal(RetentionErrors.NeedsSecondPerson.Code, (await Refused(new StepHold(hold.Id, HoldSteps.Confirm, 3), admin)).Code);
        Assert.True(await Holds(ada));
        Assert.Equal("placed", (await Run(new StepHold(hold.Id, HoldSteps.Withdraw, 3), owner)).State);
        await Run(new StepHold(hold.Id, HoldSteps.Release, 4), admin);
        var released = await Run(new StepHold(hold.Id, HoldSteps.Confirm, 5), owner);
        Assert.Equal("released", released.State);
        Assert.NotNull(released.EndedAt);
        Assert.False(await Holds(ada));
        Assert.Equal(RetentionErrors.NotNow.Code, (await Refused(new StepHold(hold.Id, HoldSteps.Confirm, 6), owner)).Code);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("no")]
    public async Task A_hold_says_why(string? why) => Assert.Contains("why", (await Refused(new ProposeHold(null, why), owner)).Fields.Keys);

    [Fact]
    public async Task Others_roles_and_other_clinics_neither_hold_nor_see()
    {
        var hold = await Run(new ProposeHold(null, "Everything"), owner);
        foreach (var role in BuiltInRole.All.Where(role => role != BuiltInRole.Owner && role != BuiltInRole.Admin))
        {
            Assert.Equal(403, (await Refused(new ViewRetention(), platform.As(clinic, role))).Status);
            Assert.Equal(403, (await Refused(new StepHold(hold.Id, HoldSteps.Withdraw, 1), platform.As(clinic, role))).Status);
        }
        var stranger = platform.As(other, BuiltInRole.Owner);
        Assert.Equal(404, (await Refused(new StepHold(hold.Id, HoldSteps.Withdraw, 1), stranger)).Status);
        Assert.Equal(404, (await Refused(new ProposeHold(ada, "Not ours"), stranger)).Status);
        Assert.Empty((await Run(new ViewRetention(), stranger)).Holds);
        Assert.True(await Holds(Guid.NewGuid()));       // the whole log
    }

    [Fact]
    public async Task A_term_is_lengthened_never_shortened_and_taken_back()
    {
        var changed = await Run(new ChangeLogTerm("authentication", 5, "Insurer asks", 0), owner);
        Assert.Equal((5, "Insurer asks", 1L), changed.Terms.Single(term => term.Category == "authentication") is var term ? (term.Years, term.Why, term.Version) : default);
        Assert.Contains(new FieldChange("log_term.authentication", null, null, "5"), (await LastEvent()).Changes);
        Assert.Equal(true, await platform.Database.ExecuteAsync("SELECT 'auth.login.success' = ANY (actions) FROM clinic.log_term"));

        Assert.Contains("years", (await Refused(new ChangeLogTerm("authentication", 1, null, 1), owner)).Fields.Keys);
        Assert.Contains("years", (await Refused(new ChangeLogTerm("authentication", 100, null, 1), owner)).Fields.Keys);
        Assert.Contains("category", (await Refused(new ChangeLogTerm("gossip", 5, null, 0), owner)).Fields.Keys);
        Assert.Equal(PlatformErrors.Changed.Code, (await Refused(new ChangeLogTerm("authentication", 10, null, 0), owner)).Code);
        await Run(new ChangeLogTerm("authentication", null, null, 1), owner);
        Assert.Equal(0L, await platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.log_term"));
    }

    public async ValueTask InitializeAsync()
    {
        platform = await TestPlatform.CreateAsync(
            services =>
            {
                services.AddDataProtection();
                services.AddSignIn();
                services.AddMail();
                services.AddSingleton(new Passwords(1000));
                services.AddPatients();
                services.AddRetention();
            },
            typeof(RetentionFeature).Assembly);
        (clinic, other) = (await platform.AddClinicAsync("one.test"), await platform.AddClinicAsync("two.test"));
        (owner, admin) = (platform.As(clinic, BuiltInRole.Owner), platform.As(clinic, BuiltInRole.Admin));
        ada = (await Run(new RegisterPatient(new() { GivenNames = "Adelaide", FamilyName = "Zimmerstein", DateOfBirth = new(1980, 2, 29), Gender = "female" }), platform.As(clinic, BuiltInRole.Doctor))).Id;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await platform.DisposeAsync();
    }

    // What the database would hold back, asked as retention asks.
    private async Task<bool> Holds(Guid person)
    {
        await using var connection = new NpgsqlConnection(platform.Database.Superuser);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"SELECT set_config('chaperone.tenant_id', '{clinic.Id}', false); SELECT ledger.is_held(gen_random_uuid(), 'patient.viewed', NULL, '{person}')", connection);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.NextResultAsync();
        await reader.ReadAsync();
        return reader.GetBoolean(0);
    }

    private async Task<LedgerEvent> LastEvent() => (await platform.EventsAsync(clinic)).Last(happened => !happened.Action.StartsWith("ledger.verif", StringComparison.Ordinal));

    private async Task<T> Run<T>(IOperation<T> operation, Caller caller) => (await platform.Monitor.Run(operation, caller, TestContext.Current.CancellationToken)) is { Succeeded: true } done ? done.Value : throw new InvalidOperationException($"{operation.GetType().Name} was refused.");

    private async Task<Error> Refused<T>(IOperation<T> operation, Caller caller) => (await platform.Monitor.Run(operation, caller, TestContext.Current.CancellationToken)).Error ?? throw new InvalidOperationException($"{operation.GetType().Name} was not refused.");
}
