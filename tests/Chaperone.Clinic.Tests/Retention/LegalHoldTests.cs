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
public sealed class LegalHoldTests : TwoClinics
{
    private Caller admin = null!;
    private Guid ada;

    [Fact]
    public async Task A_hold_holds_at_once_is_confirmed_by_somebody_else_and_ends_by_two()
    {
        var hold = await Run(new ProposeHold(ada, "  Claim of Tuesdayword against the practice "), Usual);
        Assert.Equal(("proposed", ada, true, "Claim of Tuesdayword against the practice", 1L), (hold.State, hold.Person, hold.IsPatient, hold.Why, hold.Version));
        var left = await LastEvent();
        Assert.Equal(("ledger.held", "proposed", new EventEntity("legal_hold", hold.Id)), (left.Action, left.Reason, left.Entity));
        Assert.Equal([ada], left.Subjects);
        Assert.DoesNotContain("word", Encoding.UTF8.GetString(EventJson.Write(left)), StringComparison.Ordinal);
        Assert.Equal(0L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.legal_hold h WHERE position('word'::bytea IN h.sealed) > 0 OR (to_jsonb(h) - 'sealed')::text LIKE '%word%'"));
        Assert.True(await Holds(ada));

        Assert.Equal(RetentionErrors.NeedsSecondPerson.Code, (await Refused(new StepHold(hold.Id, HoldSteps.Confirm, 1), Usual)).Code);
        Assert.Equal(RetentionErrors.NotNow.Code, (await Refused(new StepHold(hold.Id, HoldSteps.Release, 1), admin)).Code);
        Assert.Equal("placed", (await Run(new StepHold(hold.Id, HoldSteps.Confirm, 1), admin)).State);
        Assert.Equal(PlatformErrors.Changed.Code, (await Refused(new StepHold(hold.Id, HoldSteps.Release, 1), admin)).Code);
        Assert.Equal("releasing", (await Run(new StepHold(hold.Id, HoldSteps.Release, 2), admin)).State);
        Assert.Equal(RetentionErrors.NeedsSecondPerson.Code, (await Refused(new StepHold(hold.Id, HoldSteps.Confirm, 3), admin)).Code);
        Assert.True(await Holds(ada));
        Assert.Equal("placed", (await Run(new StepHold(hold.Id, HoldSteps.Withdraw, 3), Usual)).State);
        await Run(new StepHold(hold.Id, HoldSteps.Release, 4), admin);
        var released = await Run(new StepHold(hold.Id, HoldSteps.Confirm, 5), Usual);
        Assert.Equal("released", released.State);
        Assert.NotNull(released.EndedAt);
        Assert.False(await Holds(ada));
        Assert.Equal(RetentionErrors.NotNow.Code, (await Refused(new StepHold(hold.Id, HoldSteps.Confirm, 6), Usual)).Code);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("no")]
    public async Task A_hold_says_why(string? why) => Assert.Contains("why", (await Refused(new ProposeHold(null, why), Usual)).Fields.Keys);

    [Fact]
    public async Task Others_roles_and_other_clinics_neither_hold_nor_see()
    {
        var hold = await Run(new ProposeHold(null, "Everything"), Usual);
        foreach (var role in BuiltInRole.All.Where(role => role != BuiltInRole.Owner && role != BuiltInRole.Admin))
        {
            Assert.Equal(403, (await Refused(new ViewRetention(), Platform.As(Clinic, role))).Status);
            Assert.Equal(403, (await Refused(new StepHold(hold.Id, HoldSteps.Withdraw, 1), Platform.As(Clinic, role))).Status);
        }
        var stranger = Platform.As(OtherClinic, BuiltInRole.Owner);
        Assert.Equal(404, (await Refused(new StepHold(hold.Id, HoldSteps.Withdraw, 1), stranger)).Status);
        Assert.Equal(404, (await Refused(new ProposeHold(ada, "Not ours"), stranger)).Status);
        Assert.Empty((await Run(new ViewRetention(), stranger)).Holds);
        Assert.True(await Holds(Guid.NewGuid()));       // the whole log
    }

    [Fact]
    public async Task A_term_is_lengthened_never_shortened_and_taken_back()
    {
        var changed = await Run(new ChangeLogTerm("authentication", 5, "Insurer asks", 0), Usual);
        Assert.Equal((5, "Insurer asks", 1L), changed.Terms.Single(term => term.Category == "authentication") is var term ? (term.Years, term.Why, term.Version) : default);
        Assert.Contains(new FieldChange("log_term.authentication", null, null, "5"), (await LastEvent()).Changes);
        Assert.Equal(true, await Platform.Database.ExecuteAsync("SELECT 'auth.login.success' = ANY (actions) FROM clinic.log_term"));

        Assert.Contains("years", (await Refused(new ChangeLogTerm("authentication", 1, null, 1), Usual)).Fields.Keys);
        Assert.Contains("years", (await Refused(new ChangeLogTerm("authentication", 100, null, 1), Usual)).Fields.Keys);
        Assert.Contains("category", (await Refused(new ChangeLogTerm("gossip", 5, null, 0), Usual)).Fields.Keys);
        Assert.Equal(PlatformErrors.Changed.Code, (await Refused(new ChangeLogTerm("authentication", 10, null, 0), Usual)).Code);
        await Run(new ChangeLogTerm("authentication", null, null, 1), Usual);
        Assert.Equal(0L, await Platform.Database.ExecuteAsync("SELECT count(*) FROM clinic.log_term"));
    }

    private protected override Role UsualRole => BuiltInRole.Owner;

    private protected override void AddFeature(IServiceCollection services) => services.AddRetention();

    private protected override async Task BeginAsync()
    {
        admin = Platform.As(Clinic, BuiltInRole.Admin);
        ada = await Patient("Adelaide", "Zimmerstein");
    }

    // What the database would hold back, asked as retention asks.
    private async Task<bool> Holds(Guid person)
    {
        await using var connection = new NpgsqlConnection(Platform.Database.Superuser);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"SELECT set_config('chaperone.tenant_id', '{Clinic.Id}', false); SELECT ledger.is_held(gen_random_uuid(), 'patient.viewed', NULL, '{person}')", connection);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.NextResultAsync();
        await reader.ReadAsync();
        return reader.GetBoolean(0);
    }
}
